"""L67: clipping the gradient keeps a recurrent network whose weights are too large from diverging;
it does nothing for gradients that vanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.part import integer, number
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

ARMS = ("none", "norm", "value")
UNITS = 20
BATCH = 20
SMALLER = (0.3, 0.1)  # times the rate: what a cautious user would try
NORM, VALUE = 1.0, 0.1  # limits on the norm of the gradient and on each of its components
DIVERGED = 10.0  # times the loss of the constant answer
CONSTANT = 1 / 6  # mean squared error of answering 1
SMALL_RADIUS = 0.5

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class GradientClippingSettings(LabSettings):
    """What can be varied in L67.

    Args:
        rate: the learning rate. Default 0.1.
        radius: spectral radius of the recurrent weights at the start. Default 1.5.
        length: steps of a sequence. Default 50.
        steps: of training. Default 200.
        seeds: Default 10.
    """

    rate: float = number(0.1, above=0, because="a step of 0 changes nothing")
    radius: float = number(1.5, above=0, most=5, because="a radius is positive")
    length: int = integer(50, least=2, most=500, because="each half has a marked number")
    steps: int = integer(200, least=10, most=100_000, because="the last tenth is judged")
    seeds: int = integer(10, least=2, most=200, because="a share of seeds is judged")


def start(radius: float, seeds: int) -> list[Tensor]:
    """Weights of Elman networks, one for each seed: inputs, recurrent weights with this spectral
    radius, biases; weights and bias of the answer."""
    rows = []
    for seed in range(seeds):
        g = torch.Generator().manual_seed(seed)
        recurrent = torch.randn(UNITS, UNITS, generator=g)
        recurrent *= radius / torch.linalg.eigvals(recurrent).abs().max()
        inward = torch.randn(2, UNITS, generator=g) / 2**0.5
        answer = torch.randn(UNITS, 1, generator=g) / UNITS**0.5
        rows.append((inward, recurrent, torch.zeros(1, UNITS), answer, torch.zeros(1, 1)))
    return [torch.stack(values).requires_grad_() for values in zip(*rows, strict=True)]


def answers(weights: list[Tensor], x: Tensor) -> Tensor:
    """The answer (networks, samples) of each network after the last step of x (samples, steps,
    2)."""
    inward, recurrent, bias, answer, answer_bias = weights
    driven = torch.einsum("btf,sfu->tsbu", x, inward) + bias
    h = torch.zeros_like(driven[0])
    for each in driven:
        h = torch.tanh(torch.baddbmm(each, h, recurrent))
    return torch.baddbmm(answer_bias, h, answer)[..., 0]


def clipped(gradients: list[Tensor], how: str) -> list[Tensor]:
    """The gradients of each network, limited: by "norm", by "value" or not ("none")."""
    if how == "value":
        return [g.clamp(-VALUE, VALUE) for g in gradients]
    if how == "norm":
        norm = norms(gradients)
        factor = (NORM / (norm + 1e-6)).clamp(max=1).reshape(-1, 1, 1)
        return [g * factor for g in gradients]
    return gradients


def norms(gradients: list[Tensor]) -> Tensor:
    """The norm of the whole gradient of each network."""
    return torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()


def train(
    how: str, rate: float, radius: float, settings: GradientClippingSettings
) -> tuple[Tensor, Tensor]:
    """(losses, norms of the gradient before clipping), each (steps, seeds); a network that has
    diverged keeps an infinite loss."""
    weights = start(radius, settings.seeds)
    samples = data.adding(length=settings.length, samples=2000, valid=0, test=0).load().train
    g, rows, sizes = torch.Generator().manual_seed(0), [], []
    alive = torch.ones(settings.seeds, dtype=torch.bool)
    for _ in range(settings.steps):
        batch = torch.randint(0, len(samples.y), (BATCH,), generator=g)
        losses = (answers(weights, samples.x[batch]) - samples.y[batch, 0]).square().mean(1)
        gradients = list(torch.autograd.grad(losses.sum(), weights))
        size = norms(gradients)
        alive &= losses.isfinite() & (losses < DIVERGED * CONSTANT + 10) & size.isfinite()
        rows.append(losses.detach().where(alive, torch.inf))
        sizes.append(size.detach())
        for i, gradient in enumerate(clipped(gradients, how)):
            step = torch.where(alive.reshape(-1, 1, 1), rate * gradient, 0.0)
            weights[i] = (weights[i].detach() - step).requires_grad_()
    return torch.stack(rows), torch.stack(sizes)


def end(losses: Tensor) -> Tensor:
    """Mean loss of each seed over the last tenth of the steps."""
    return losses[-max(1, len(losses) // 10) :].mean(0)


def diverged(losses: Tensor) -> float:
    """The share of seeds that end above ten times the loss of a constant answer."""
    return float((end(losses) > DIVERGED * CONSTANT).float().mean())


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    none = numbers["none: share diverged"]
    made = [Criterion("without clipping more than half of the networks diverge", none, none > 0.5)]
    for how in ("norm", "value"):
        share = numbers[f"{how}: share diverged"]
        made.append(
            Criterion(f"clipped by {how}, less than a tenth of them do", share, share < 0.1)
        )
    small = numbers[f"radius {SMALL_RADIUS:g}, norm: loss / that of a constant answer"]
    gain = (
        numbers["none, best of three rates: loss / that of a constant answer"]
        / numbers["norm, best of three rates: loss / that of a constant answer"]
    )
    made += [
        Criterion(
            "where gradients vanish, clipping does not help: the loss stays above 0.9 of that of "
            "a constant answer",
            small,
            small > 0.9,
            part_of_claim=False,
        ),
        Criterion(
            "a smaller rate is no substitute: at the best of three rates each, the loss without "
            "clipping is at least 1.1 times that with clipping",
            gain,
            gain >= 1.1,
            part_of_claim=False,
        ),
    ]
    return tuple(made)


def run_l67(settings: GradientClippingSettings) -> LabResult:
    numbers: dict[str, float] = {}
    runs = {how: train(how, settings.rate, settings.radius, settings) for how in ARMS}
    for how, (losses, sizes) in runs.items():
        numbers[f"{how}: share diverged"] = diverged(losses)
        numbers[f"{how}: loss / that of a constant answer"] = relative(losses)
        numbers[f"{how}: largest norm of the gradient, log10"] = float(
            sizes[sizes.isfinite()].max().log10()
        )
    for how in ("none", "norm"):
        ends = [relative(runs[how][0])]
        for factor in SMALLER:
            ends.append(relative(train(how, factor * settings.rate, settings.radius, settings)[0]))
        numbers[f"{how}, best of three rates: loss / that of a constant answer"] = min(ends)
    small = train("norm", settings.rate, SMALL_RADIUS, settings)[0]
    numbers[f"radius {SMALL_RADIUS:g}, norm: loss / that of a constant answer"] = relative(small)
    seeds = tuple(range(settings.seeds))
    return LabResult(numbers, criteria(numbers), picture(runs, settings.length), seeds=seeds)


def relative(losses: Tensor) -> float:
    """Mean loss at the end over that of a constant answer; of a network that diverged, 100."""
    return float((end(losses) / CONSTANT).clamp(max=100).mean())


def picture(runs: Mapping[str, tuple[Tensor, Tensor]], length: int) -> str:
    title = f"Adding two of {length} numbers: median loss"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (how, (losses, _)), colour in zip(runs.items(), COLOURS, strict=False):
            label = "not clipped" if how == "none" else f"clipped by {how}"
            axis.plot(losses.clamp(max=10).median(1).values.tolist(), color=colour, label=label)
        axis.axhline(CONSTANT, color="gray", linewidth=0.8, linestyle=":")
        use_log_scale(axis, "y")
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.set_ylabel("squared error (10: diverged)")
        axis.legend()
        return svg(drawing, title)


L67 = Lab(
    "L67",
    lab_texts()["L67"],
    run_l67,
    GradientClippingSettings(),
    minutes=1,
    small={"length": 4, "steps": 10, "seeds": 2},
)
