"""L73: back-propagation with thresholds, written out, and autograd with biases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.learning_rules import ThresholdNetwork
from netwise.part import integer, number
from netwise.report.pictures.drawing import BLUE, figure, svg

SAMPLES = 20

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class ThresholdSettings(LabSettings):
    """What can be varied in L73.

    Args:
        depth: layers of weights. Default 3.
        width: units of each layer. Default 8.
        seeds: networks that are drawn. Default 10.
        steps: of gradient descent on 20 samples, at rate 1. Default 100.
    """

    depth: int = integer(3, least=1, most=20, because="a network has layers")
    width: int = integer(8, least=1, most=500, because="a layer has units")
    seeds: int = integer(10, least=1, most=1000, because="networks are drawn")
    steps: int = integer(100, least=1, most=10_000, because="it counts steps")
    rate: float = number(1.0, above=0, because="a step of 0 changes nothing")


def bias_step(
    weights: list[Tensor], biases: list[Tensor], x: Tensor, y: Tensor, rate: float
) -> tuple[list[Tensor], list[Tensor]]:
    """One step of gradient descent by autograd, for a network with biases, which are added."""
    weights, biases = ([p.detach().requires_grad_() for p in group] for group in (weights, biases))
    a = x
    for w, b in zip(weights, biases, strict=True):
        a = torch.sigmoid(a @ w + b)
    cost = (a - y).square().sum(1).mean() / 2
    gradients = torch.autograd.grad(cost, [*weights, *biases])
    moved = [p.detach() - rate * g for p, g in zip([*weights, *biases], gradients, strict=True)]
    return moved[: len(weights)], moved[len(weights) :]


def differences_by_step(settings: ThresholdSettings, seed: int) -> list[float]:
    """After each step, the largest difference between the weights of the two forms, and between
    the thresholds and minus the biases."""
    g = torch.Generator().manual_seed(seed)
    net = ThresholdNetwork.drawn((settings.width,) * (settings.depth + 1), g)
    x = torch.randn(SAMPLES, settings.width, generator=g, dtype=torch.float64)
    y = torch.rand(SAMPLES, settings.width, generator=g, dtype=torch.float64)
    weights, biases = list(net.weights), [-theta for theta in net.thresholds]
    differences = []
    for _ in range(settings.steps):
        net = net.accumulated(x, y, settings.rate)
        weights, biases = bias_step(weights, biases, x, y, settings.rate)
        pairs = [
            *zip(net.weights, weights, strict=True),
            *zip(net.thresholds, (-b for b in biases), strict=True),
        ]
        differences.append(max(float((a - b).abs().max()) for a, b in pairs))
    return differences


def threshold_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    first, last = numbers["largest difference after 1 step"], numbers["largest over all steps"]
    return (
        Criterion(
            "after one step the weights and thresholds are those of autograd with biases, up to "
            "1e-12",
            first,
            first < 1e-12,
        ),
        Criterion(
            "they still agree up to 1e-9 after all steps", last, last < 1e-9, part_of_claim=False
        ),
    )


def run_l73(settings: ThresholdSettings) -> LabResult:
    seeds = tuple(range(settings.seeds))
    runs = [differences_by_step(settings, seed) for seed in seeds]
    numbers = {
        "largest difference after 1 step": max(run[0] for run in runs),
        "largest over all steps": max(max(run) for run in runs),
    }
    return LabResult(numbers, threshold_criteria(numbers), _by_step(runs), seeds=seeds)


def _by_step(runs: list[list[float]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for run in runs:
            axis.plot(range(1, len(run) + 1), run, color=BLUE, linewidth=1, alpha=0.6)
        axis.set_ylim(bottom=0)
        axis.set_title("Thresholds written out and biases by autograd")
        axis.set_xlabel("step")
        axis.set_ylabel("largest difference of a parameter")
        return svg(drawing, "Difference of the two forms by step")


L73 = Lab("L73", lab_texts()["L73"], run_l73, ThresholdSettings())
