"""Single neurons and the rules by which they learn."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.neurons.sigmoid_neuron import L01, L02

NEURONS_LABS: tuple[Lab[Any], ...] = (L01, L02)
