"""L66: above which lambda a penalty stops learning, and whether its share of the first gradient
tells."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import POINTS, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, percent
from netwise.labs.overfitting.thousand_settings import SPREAD
from netwise.labs.stacked_training import (
    TEST,
    TRAIN,
    Floats,
    TrainedStack,
    forward,
    summed_losses,
    train_stack,
    untrained_stack,
)
from netwise.part import integer, number
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg, use_log_scale

IMAGES = 1000
STRENGTHS = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
HALF = 0.5


@dataclass(frozen=True)
class StrengthSettings(LabSettings):
    """What can be varied in L66.

    Args:
        seeds: runs for each lambda, at least 2. Default 5.
        epochs: of each run. Default 60.
        rate: the learning rate. Default 0.5.
    """

    seeds: int = integer(5, least=2, most=100, because=SPREAD)
    epochs: int = integer(60, least=1, most=10_000, because="a run has an epoch")
    rate: float = number(0.5, above=0, most=1.5, because="with lambda 1000 larger steps diverge")


def strength_arms(settings: StrengthSettings) -> dict[str, Recipe]:
    return {
        f"lambda {decay:g}": digit_network(
            IMAGES, epochs=settings.epochs, rate=settings.rate, decay=decay
        )
        for decay in STRENGTHS
    }


def penalty_share(stack: TrainedStack, strength: float) -> Floats:
    """|gradient of the penalty| / (the same + |gradient of the loss|) of each network, over all
    weights, on the whole training part.

    Args:
        stack: the networks.
        strength: of L2: its gradient is strength * w.
    """
    train = prepare(stack.recipe).samples.train
    weights = [w.clone().requires_grad_() for w in stack.weights]
    x = train.x.flatten(1).expand(len(stack.seeds), -1, -1)
    loss = summed_losses(
        stack.recipe, forward(stack.recipe, weights, stack.biases, x)[-1], train.y
    ).sum() / len(train.y)
    gradients = torch.autograd.grad(loss, weights)

    def norm(tensors: list[torch.Tensor]) -> Floats:
        norms: Floats = torch.cat([each.flatten(1) for each in tensors], 1).norm(dim=1).numpy()
        return norms

    penalty = strength * norm([w.detach() for w in weights])
    return np.array(penalty / (penalty + norm(list(gradients))))


def strength_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    def values(what: str) -> dict[float, float]:
        return {decay: numbers[f"lambda {decay:g}: {what}"] for decay in STRENGTHS}

    accuracy, share = values("training accuracy, %"), values("share of the first gradient")
    best = max(accuracy.values())
    above = [accuracy[decay] for decay in STRENGTHS if share[decay] > HALF]
    below = [accuracy[decay] for decay in STRENGTHS if share[decay] <= HALF]
    worst_below = min(below, default=0.0)
    best_above = max(above, default=POINTS)
    return (
        Criterion(
            "where the penalty is more than half of the first gradient, training accuracy is below "
            "half of the best (highest, %)",
            best_above,
            best_above < HALF * best,
        ),
        Criterion(
            "where it is less, training accuracy is within 10 percentage points of the best "
            "(lowest, %)",
            worst_below,
            worst_below > best - 10,
        ),
        Criterion(
            "at the largest lambda the network answers one class (training accuracy, %)",
            accuracy[STRENGTHS[-1]],
            accuracy[STRENGTHS[-1]] < 20,
            part_of_claim=False,
        ),
    )


def run_l66(settings: StrengthSettings) -> LabResult:
    arms = strength_arms(settings)
    seeds = range(settings.seeds)
    last = [settings.epochs]
    start = untrained_stack(next(iter(arms.values())), seeds)
    numbers: dict[str, float] = {}
    for decay, (name, recipe) in zip(STRENGTHS, arms.items(), strict=True):
        trained = train_stack(recipe, seeds, {TRAIN: last, TEST: last})
        strength = decay / IMAGES
        numbers |= {
            f"{name}: training accuracy, %": fmean(percent(trained.curves[TRAIN].accuracy[-1])),
            f"{name}: test accuracy, %": fmean(percent(trained.curves[TEST].accuracy[-1])),
            f"{name}: share of the first gradient": float(penalty_share(start, strength).mean()),
            f"{name}: share of the last gradient": float(penalty_share(trained, strength).mean()),
        }
    return LabResult(
        numbers,
        strength_criteria(numbers),
        _by_strength(numbers),
        recipe_hashes(arms),
        tuple(seeds),
    )


def _by_strength(numbers: Numbers) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for what, colour in (
            ("training accuracy, %", BLUE),
            ("test accuracy, %", ORANGE),
            ("share of the first gradient", GREY),
        ):
            scale = 1 if "%" in what else POINTS
            values = [scale * numbers[f"lambda {decay:g}: {what}"] for decay in STRENGTHS]
            label = what if scale == 1 else "penalty's share of the first gradient, %"
            axis.plot(STRENGTHS, values, "o-", color=colour, label=label.replace(", %", ""))
        axis.axhline(POINTS * HALF, color=GREY, linestyle="--", linewidth=1)
        use_log_scale(axis, "x")
        axis.set_xlabel("lambda")
        axis.set_ylabel("%")
        axis.set_title("Accuracy and share of the penalty")
        axis.legend(fontsize=8)
        return svg(drawing, "Too strong a penalty")


L66 = Lab(
    "L66",
    lab_texts()["L66"],
    run_l66,
    StrengthSettings(),
    strength_arms,
    0.5,
    {"seeds": 2, "epochs": 1},
)
