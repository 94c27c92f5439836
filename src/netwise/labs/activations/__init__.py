"""Activation functions."""

from __future__ import annotations

from typing import Any

from netwise.labs.activations.convolutional_units import L50
from netwise.labs.activations.cost_of_activations import L48
from netwise.labs.activations.elu import L86
from netwise.labs.activations.epochs_to_separate import L09
from netwise.labs.activations.leaky_units import L87, L88
from netwise.labs.activations.sparsity import L49
from netwise.labs.lab_definition import Lab

ACTIVATIONS_LABS: tuple[Lab[Any], ...] = (L09, L48, L49, L50, L86, L87, L88)
