"""Overfitting, and what helps against it."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.overfitting.sparse_weights import L15

OVERFITTING_LABS: tuple[Lab[Any], ...] = (L15,)
