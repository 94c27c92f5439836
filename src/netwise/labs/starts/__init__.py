"""Initial weights, and gradients that fade or grow over the layers."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.starts.gradients_by_layer import L07

STARTS_LABS: tuple[Lab[Any], ...] = (L07,)
