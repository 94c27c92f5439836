"""Overfitting, and what helps against it."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.overfitting.all_images import L05, L06
from netwise.labs.overfitting.dropout_nets import L16, L83
from netwise.labs.overfitting.more_data import L78
from netwise.labs.overfitting.scaled_start import L10
from netwise.labs.overfitting.shifted_copies import L17
from netwise.labs.overfitting.sparse_weights import L15
from netwise.labs.overfitting.start_or_penalty import L68, L89
from netwise.labs.overfitting.thousand_images import L03, L04
from netwise.labs.overfitting.too_strong import L66

OVERFITTING_LABS: tuple[Lab[Any], ...] = (
    L03,
    L04,
    L05,
    L06,
    L10,
    L15,
    L16,
    L17,
    L66,
    L68,
    L78,
    L83,
    L89,
)
