"""L80: softmax with log-likelihood and sigmoid with cross-entropy do not slow down; the quadratic
cost does behind both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer, number
from netwise.parts.activations import Activation, Identity, Sigmoid, Softmax
from netwise.parts.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from netwise.report.pictures.drawing import COLOURS, figure, svg

# Losses that take logits apply the output's function themselves.
PAIRINGS: Mapping[str, tuple[Activation, Loss, Activation]] = {
    "softmax, log-likelihood": (Identity(), CrossEntropy(), Softmax()),
    "sigmoid, cross-entropy": (Identity(), BinaryCrossEntropy(), Sigmoid()),
    "softmax, quadratic": (Softmax(), Quadratic(), Softmax()),
    "sigmoid, quadratic": (Sigmoid(), Quadratic(), Sigmoid()),
}
MATCHED = tuple(PAIRINGS)[:2]
OUTPUTS, RIGHT = 3, 1  # the right class is number 1; the start is sure of number 0

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class PairingSettings(LabSettings):
    """What can be varied in L80.

    Args:
        wrong: weighted input of the wrong class at the start, and minus those of the others.
            Default 4.
        rate: the learning rate. Default 0.15.
        steps: of training. Default 300.
    """

    wrong: float = number(4.0, least=0, most=15, because="the start is wrong by it")
    rate: float = number(0.15, above=0, most=100, because="a step of 0 changes nothing")
    steps: int = integer(300, least=1, most=10_000, because="it counts steps")


@dataclass(frozen=True, eq=False)
class Course:
    """A layer with one input of 1 that learns one sample.

    Args:
        errors: |a - y| before each step and after the last.
        right: output of the right class, likewise.
        first: dC/dz before the first step.
        difference: outputs minus targets, a - y, before the first step.
    """

    errors: list[float]
    right: list[float]
    first: Tensor
    difference: Tensor

    @property
    def steps_to_half(self) -> int:
        """The first step before which the right class is above 1/2; all steps where it never is."""
        above = [i for i, value in enumerate(self.right) if value > 0.5]
        return above[0] if above else len(self.right) - 1


def learn(pairing: str, settings: PairingSettings) -> Course:
    """Train weights and biases of one layer: z = w + b, since the input is 1."""
    output, loss, seen = PAIRINGS[pairing]
    start = torch.full((OUTPUTS,), -settings.wrong, dtype=torch.float64)
    start[0] = settings.wrong
    weights, biases = start / 2, start / 2
    y = torch.nn.functional.one_hot(torch.tensor([RIGHT]), OUTPUTS).double()
    cost = loss.build()
    target = y if loss != CrossEntropy() else torch.tensor([RIGHT])
    errors, right, gradients = [], [], []
    for _ in range(settings.steps + 1):
        z = (weights + biases)[None].requires_grad_()
        a = seen(z).detach()
        errors.append(float((a - y).norm()))
        right.append(float(a[0, RIGHT]))
        (delta,) = torch.autograd.grad(cost(output(z), target), z)
        gradients.append(delta[0])
        # dC/dw = dC/db = delta
        weights, biases = weights - settings.rate * delta[0], biases - settings.rate * delta[0]
    first = seen(start[None])[0] - y[0]
    return Course(errors, right, gradients[0], first)


def pairing_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    exact = [
        Criterion(
            f"{name}: dC/dz is a - y, up to 1e-12",
            numbers[f"{name}: largest |dC/dz - (a - y)|"],
            numbers[f"{name}: largest |dC/dz - (a - y)|"] < 1e-12,
        )
        for name in MATCHED
    ]
    slow = [
        Criterion(
            f"{name}: the first gradient is less than a tenth of a - y",
            numbers[f"{name}: |dC/dz| / |a - y|, first step"],
            numbers[f"{name}: |dC/dz| / |a - y|, first step"] < 0.1,
            part_of_claim=name.startswith("softmax"),
        )
        for name in PAIRINGS
        if name not in MATCHED
    ]
    return (*exact, *slow)


def run_l80(settings: PairingSettings) -> LabResult:
    courses = {name: learn(name, settings) for name in PAIRINGS}
    numbers = {}
    for name, course in courses.items():
        difference = (course.first - course.difference).abs().max()
        numbers[f"{name}: largest |dC/dz - (a - y)|"] = float(difference)
        numbers[f"{name}: |dC/dz| / |a - y|, first step"] = float(
            course.first.norm() / course.difference.norm()
        )
        numbers[f"{name}: steps until the right class is above 1/2"] = float(course.steps_to_half)
    return LabResult(numbers, pairing_criteria(numbers), _errors_by_step(courses))


def _errors_by_step(courses: Mapping[str, Course]) -> str:
    with figure(height=3.0) as (drawing, axes):
        axis = axes[0][0]
        for (name, course), colour in zip(courses.items(), COLOURS, strict=False):
            axis.plot(course.errors, color=colour, label=name)
        axis.set_ylim(bottom=0)
        axis.set_title("One layer that starts sure of the wrong class")
        axis.set_xlabel("step")
        axis.set_ylabel("error |a - y|")
        axis.legend(fontsize=8)
        return svg(drawing, "Error by step and pairing")


L80 = Lab(
    "L80", lab_texts()["L80"], run_l80, PairingSettings(), stops=("wrong", (0.0, 1.0, 2.0, 4.0))
)
