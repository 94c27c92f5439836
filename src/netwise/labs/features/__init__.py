"""Autoencoders and pretraining."""

from __future__ import annotations

from typing import Any

from netwise.labs.features.autoencoders import L26, L27
from netwise.labs.features.pretraining import L25, L29
from netwise.labs.features.sparse_codes import L28
from netwise.labs.lab_definition import Lab

FEATURES_LABS: tuple[Lab[Any], ...] = (L25, L26, L27, L28, L29)
