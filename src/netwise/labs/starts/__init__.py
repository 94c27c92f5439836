"""Initial weights, and gradients that fade or grow over the layers."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.starts.cures_of_a_start import L65
from netwise.labs.starts.dead_units import L36
from netwise.labs.starts.depth_of_sigmoids import L79
from netwise.labs.starts.gradients_by_layer import L07
from netwise.labs.starts.signals_by_layer import L08
from netwise.labs.starts.zero_weights import L37

STARTS_LABS: tuple[Lab[Any], ...] = (L07, L08, L36, L37, L65, L79)
