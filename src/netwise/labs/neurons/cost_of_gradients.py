"""L72: backward mode passes each edge of a network once; sums over paths and forward mode do
not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch.utils.flop_counter import FlopCounterMode

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.learning_rules import Operations, count_operations
from netwise.networks import MLP
from netwise.part import integer
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class CostSettings(LabSettings):
    """What can be varied in L72.

    Args:
        width: units of each layer. Default 10.
        depth: layers of weights of the deepest network. Default 8.
    """

    width: int = integer(10, least=2, most=1000, because="one unit a layer has one path")
    depth: int = integer(8, least=3, most=30, because="networks of different depths are compared")


def forward_pass(widths: tuple[int, ...]) -> int:
    """Multiplications of the outputs of a network: one for each weight."""
    return sum(ins * outs for ins, outs in pairwise(widths))


def flops_of_autograd(widths: tuple[int, ...]) -> float:
    """Operations of torch's backward pass over those of its forward pass, as torch counts them."""
    network = MLP(widths).build()
    x = torch.zeros(8, widths[0])
    with FlopCounterMode(display=False) as forward:
        output = network(x)
    with FlopCounterMode(display=False) as backward:
        output.sum().backward()
    return float(backward.get_total_flops() / forward.get_total_flops())


def cost_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    backward = numbers["backward mode / forward pass, largest"]
    paths = numbers["paths: smallest factor of one more layer / width"]
    forward = numbers["forward mode / backward mode / weights, deepest"]
    measured = numbers["torch: operations of backward / forward, deepest"]
    return (
        Criterion(
            "backward mode takes at most 3 times the multiplications of a forward pass, at every "
            "depth",
            backward,
            backward <= 3,
        ),
        Criterion(
            "the sum over all paths grows by at least the width with each layer (factor / width)",
            paths,
            paths >= 1,
        ),
        Criterion(
            "forward mode costs at least a tenth as many backward modes as there are weights",
            forward,
            forward >= 0.1,
        ),
        Criterion(
            "torch's autograd takes at most 3 times the operations of its forward pass",
            measured,
            measured <= 3,
            part_of_claim=False,
        ),
    )


def run_l72(settings: CostSettings) -> LabResult:
    networks = [(settings.width,) * (depth + 1) for depth in range(1, settings.depth + 1)]
    counts = [count_operations(widths) for widths in networks]
    passes = [forward_pass(widths) for widths in networks]
    deepest, digits = counts[-1], count_operations((784, 30, 10))
    numbers = {
        "deepest: forward pass": float(passes[-1]),
        "deepest: backward mode": float(deepest.backward),
        "deepest: forward mode": float(deepest.forward),
        "deepest: sum over paths": float(deepest.paths),
        "backward mode / forward pass, largest": max(
            count.backward / forward for count, forward in zip(counts, passes, strict=True)
        ),
        # from the second layer on: of one layer the paths have no factor
        "paths: smallest factor of one more layer / width": min(
            after.paths / before.paths / settings.width for before, after in pairwise(counts[1:])
        ),
        "forward mode / backward mode / weights, deepest": deepest.forward
        / deepest.backward
        / passes[-1],
        "torch: operations of backward / forward, deepest": flops_of_autograd(networks[-1]),
        "784-30-10: forward mode / backward mode": digits.forward / digits.backward,
    }
    return LabResult(numbers, cost_criteria(numbers), _by_depth(counts, passes, settings.width))


def _by_depth(counts: list[Operations], passes: list[int], width: int) -> str:
    depths = range(1, len(counts) + 1)
    curves = {
        "sum over paths": [count.paths for count in counts],
        "forward mode": [count.forward for count in counts],
        "backward mode": [count.backward for count in counts],
        "forward pass": passes,
    }
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(curves.items(), COLOURS, strict=False):
            axis.plot(depths, values, "o-", color=colour, label=name, markersize=3)
        use_log_scale(axis, "y")
        axis.set_xticks(list(depths))
        axis.set_title(f"All derivatives of a network of width {width}")
        axis.set_xlabel("layers of weights")
        axis.set_ylabel("multiplications")
        axis.legend()
        use_log_scale(axis, "y")
        return svg(drawing, "Multiplications by depth")


L72 = Lab("L72", lab_texts()["L72"], run_l72, CostSettings(), stops=("width", (2, 10, 100)))
