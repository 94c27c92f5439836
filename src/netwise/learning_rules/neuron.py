"""A single neuron (神经元) with a threshold, and the history of its training."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from netwise.part import Part, number, numbers, part
from netwise.parts.activations import Activation, Sigmoid


@dataclass(frozen=True)
class NeuronState:
    """State of a neuron before a step of training.

    Args:
        weights, threshold: before the step.
        output: for the input of the step.
        cost: of that output.
    """

    weights: tuple[float, ...]
    threshold: float
    output: float
    cost: float


@dataclass(frozen=True)
class Neuron(Part):
    """A neuron with a threshold: y = f(sum_i w_i x_i - theta).

    The threshold is minus the bias (`bias`). A neuron is a value: `learn` returns another one.

    Args:
        weights: one for each input.
        threshold: theta. Default 0.0.
        activation: f. Default `Sigmoid()`.
        history: its state before each step of training.

    Example:
        >>> import netwise as nw
        >>> neuron = nw.learning_rules.Neuron((0.6,), threshold=-0.9)
        >>> round(neuron.output((1.0,)), 2)
        0.82
        >>> for _ in range(300):
        ...     neuron = neuron.learn((1.0,), 0.0, rate=0.15)
        >>> round(neuron.output((1.0,)), 2), len(neuron.history)
        (0.09, 300)

    Source: note 001, claim N01.
    """

    weights: tuple[float, ...] = numbers(because="one for each input", write="[0.6]")
    threshold: float = number(0.0, why="no input is preferred")
    activation: Activation = part(Activation, Sigmoid(), why="the S-shaped function of the note")
    history: tuple[NeuronState, ...] = field(default=(), repr=False, compare=False)

    @property
    def bias(self) -> float:
        """Minus the threshold."""
        return -self.threshold

    def output(self, x: tuple[float, ...]) -> float:
        """y for one input.

        Raises:
            ValueError: another number of inputs than of weights.
        """
        return float(
            self._output(
                torch.tensor(self.weights, dtype=torch.float64),
                torch.tensor(self.threshold, dtype=torch.float64),
                self._checked(x),
            )
        )

    def learn(self, x: tuple[float, ...], target: float, rate: float) -> Neuron:
        """The neuron after one step of gradient descent on the cost (y - target)^2 / 2; its history
        has one more state."""
        w = torch.tensor(self.weights, dtype=torch.float64, requires_grad=True)
        theta = torch.tensor(self.threshold, dtype=torch.float64, requires_grad=True)
        y = self._output(w, theta, self._checked(x))
        cost = (y - target).square() / 2
        dw, dtheta = torch.autograd.grad(cost, (w, theta))
        now = NeuronState(self.weights, self.threshold, float(y.detach()), float(cost.detach()))
        weights = tuple((w - rate * dw).detach().tolist())
        return Neuron(
            weights, float((theta - rate * dtheta).detach()), self.activation, (*self.history, now)
        )

    def _output(self, w: Tensor, theta: Tensor, x: Tensor) -> Tensor:
        return self.activation((w * x).sum() - theta)

    def _checked(self, x: tuple[float, ...]) -> Tensor:
        if len(x) != len(self.weights):
            raise ValueError(
                f"x has {len(x)} inputs, and the neuron has {len(self.weights)} weights:"
                " pass one input for each weight"
            )
        return torch.tensor(x, dtype=torch.float64)
