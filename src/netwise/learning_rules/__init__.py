"""Learning rules written out: a neuron with its history, Hebb, Oja, delta, back-propagation with
thresholds, and what gradients cost."""

from __future__ import annotations

from netwise.learning_rules.backpropagation import ThresholdNetwork
from netwise.learning_rules.counting import Operations, count_operations
from netwise.learning_rules.neuron import Neuron
from netwise.learning_rules.simple import delta, hebb, oja

__all__ = ["Neuron", "Operations", "ThresholdNetwork", "count_operations", "delta", "hebb", "oja"]


def __dir__() -> list[str]:
    return __all__
