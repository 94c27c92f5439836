"""Single neurons and the rules by which they learn."""

from __future__ import annotations

from typing import Any

from netwise.labs.lab_definition import Lab
from netwise.labs.neurons.cost_of_gradients import L72
from netwise.labs.neurons.exponential_decay import L74
from netwise.labs.neurons.hebb_and_delta import L71
from netwise.labs.neurons.matched_costs import L80
from netwise.labs.neurons.saturation import L47
from netwise.labs.neurons.sigmoid_neuron import L01, L02
from netwise.labs.neurons.thresholds import L73

NEURONS_LABS: tuple[Lab[Any], ...] = (L01, L02, L47, L71, L72, L73, L74, L80)
