"""L87 and L88: units with a slope below 0 that is learned (PReLU), or random (RReLU)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import nn

from netwise import data, intervals
from netwise.data.dataset import Pairs
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.tuned_arms import (
    TunedArm,
    TunedSettings,
    mean_training_loss,
    paired_numbers,
    tune_and_train,
)
from netwise.networks import ConvNet
from netwise.part import integer
from netwise.parts.activations import Activation, LeakyReLU, PReLU, ReLU, RReLU
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, COLOURS, GREY, ORANGE, figure, svg
from netwise.training.run import Run

START = 0.25  # the slope of PReLU before training
MEAN_SLOPE = (1 / 8 + 1 / 3) / 2  # of RReLU

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class LeakySettings(TunedSettings):
    """What can be varied in L87 and L88.

    Args:
        images: to train on. Default 600.
        epochs: of 20 images a step. Default 8.
        seeds: Default 6.
    """

    images: int = integer(600, least=20, most=40_000, because="each class has to be among them")
    epochs: int = integer(8, least=1, most=500, because="it counts passes")
    seeds: int = integer(6, least=2, most=100, because="an interval needs two")


def leaky_recipe(activation: Activation, settings: LeakySettings) -> Recipe:
    """A small convolutional network; the rate is chosen later. As many images validate as train."""
    return Recipe(
        data=data.mnist(first=2 * settings.images, valid=0.5),
        network=ConvNet(channels=(4, 8), block="CAP", hidden=(32,), activation=activation),
        init=He(activation=activation),
        optimizer=SGD(lr=settings.rates[0]),
        batch_size=20,
        epochs=settings.epochs,
    )


# L87: a learned slope


def prelu_arms(settings: LeakySettings) -> dict[str, Recipe]:
    return {
        "ReLU": leaky_recipe(ReLU(), settings),
        "LeakyReLU 0.25": leaky_recipe(LeakyReLU(slope=START), settings),
        "PReLU": leaky_recipe(PReLU(slope=START), settings),
    }


def learned_slopes(run: Run) -> list[float]:
    """The slope below 0 of each layer, from the first."""
    return [
        float(layer.weight.detach().mean())
        for layer in run.module.modules()
        if isinstance(layer, nn.PReLU)
    ]


def prelu_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    moved = min(value for name, value in numbers.items() if name.endswith("|a - 0.25|, low"))
    faster = numbers["training loss, PReLU - ReLU, high"]
    learned = numbers["training loss, PReLU - LeakyReLU 0.25, high"]
    return (
        Criterion(
            "the slope moves away from its start of 0.25 in every layer, by more than 0.01 (least "
            "lower end of the 95 % intervals)",
            moved,
            moved > 0.01,
        ),
        Criterion(
            "PReLU learns faster than ReLU: lower training loss in the mean over training (upper "
            "end of the 95 % interval of the difference)",
            faster,
            faster < 0,
        ),
        Criterion(
            "it learns faster than a fixed slope of 0.25, so that learning the slope matters",
            learned,
            learned < 0,
            part_of_claim=False,
        ),
    )


def run_l87(settings: LeakySettings) -> LabResult:
    arms, seeds = prelu_arms(settings), tuple(range(settings.seeds))
    tuned = tune_and_train(arms, settings.rates, seeds)
    slopes = np.array([learned_slopes(run) for run in tuned["PReLU"].runs])
    numbers = _losses(tuned)
    for layer, values in enumerate(slopes.T, start=1):
        mean, low, high = intervals.of_mean(np.abs(values - START).tolist())
        numbers[f"layer {layer}: slope after training"] = float(values.mean())
        numbers[f"layer {layer}: |a - 0.25|"] = mean
        numbers[f"layer {layer}: |a - 0.25|, low"] = low
        numbers[f"layer {layer}: |a - 0.25|, high"] = high
    for other in ("ReLU", "LeakyReLU 0.25"):
        numbers |= paired_numbers(
            f"training loss, PReLU - {other}",
            tuned["PReLU"].values(mean_training_loss),
            tuned[other].values(mean_training_loss),
        )
    picture = _slopes(slopes)
    return LabResult(numbers, prelu_criteria(numbers), picture, recipe_hashes(arms), seeds)


def _losses(tuned: Mapping[str, TunedArm]) -> dict[str, float]:
    numbers = {}
    for name, arm in tuned.items():
        numbers[f"{name}: rate chosen"] = arm.rate
        numbers[f"{name}: training loss, mean over training"] = fmean(
            arm.values(mean_training_loss)
        )
    return numbers


def _slopes(slopes: np.ndarray) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for values in slopes:
            axis.plot(range(1, len(values) + 1), values, "o-", color=BLUE, linewidth=1, alpha=0.6)
        axis.axhline(START, color=ORANGE, linestyle="--", label="at the start")
        axis.axhline(0, color=GREY, linewidth=0.8)
        axis.set_xticks(range(1, slopes.shape[1] + 1))
        axis.set_title("Learned slopes of PReLU, by seed")
        axis.set_xlabel("hidden layer (the last is fully connected)")
        axis.set_ylabel("slope below 0")
        axis.legend()
        return svg(drawing, "Learned slopes of PReLU")


# L88: a random slope


def rrelu_arms(settings: LeakySettings) -> dict[str, Recipe]:
    return {
        "ReLU": leaky_recipe(ReLU(), settings),
        "LeakyReLU, mean slope": leaky_recipe(LeakyReLU(slope=MEAN_SLOPE), settings),
        "RReLU": leaky_recipe(RReLU(), settings),
    }


def accuracy(run: Run, part: Pairs) -> float:
    """In % in evaluation mode."""
    with torch.no_grad():
        return 100 * float((run.module.eval()(part.x).argmax(1) == part.y).float().mean())


def gap(run: Run) -> float:
    """Training minus validation accuracy, in percentage points."""
    samples = prepare(run.recipe).samples
    return accuracy(run, samples.train) - accuracy(run, samples.valid)


def valid_accuracy(run: Run) -> float:
    """In %."""
    return accuracy(run, prepare(run.recipe).samples.valid)


def rrelu_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    smaller = numbers["gap, RReLU - LeakyReLU, mean slope, high"]
    better = numbers["validation accuracy, RReLU - LeakyReLU, mean slope, low"]
    return (
        Criterion(
            "the gap between training and validation accuracy is smaller with RReLU than with the "
            "fixed slope of its mean (upper end of the 95 % interval of the difference, in points)",
            smaller,
            smaller < 0,
        ),
        Criterion(
            "its validation accuracy is higher (lower end of the 95 % interval, in points)",
            better,
            better > 0,
            part_of_claim=False,
        ),
    )


def run_l88(settings: LeakySettings) -> LabResult:
    arms, seeds = rrelu_arms(settings), tuple(range(settings.seeds))
    tuned = tune_and_train(arms, settings.rates, seeds)
    numbers: dict[str, float] = {}
    gaps = {name: arm.values(gap) for name, arm in tuned.items()}
    accuracies = {name: arm.values(valid_accuracy) for name, arm in tuned.items()}
    for name, arm in tuned.items():
        numbers[f"{name}: rate chosen"] = arm.rate
        numbers[f"{name}: gap in points"] = fmean(gaps[name])
        numbers[f"{name}: validation accuracy in %"] = fmean(accuracies[name])
    other = "LeakyReLU, mean slope"
    numbers |= paired_numbers(f"gap, RReLU - {other}", gaps["RReLU"], gaps[other])
    numbers |= paired_numbers(
        f"validation accuracy, RReLU - {other}", accuracies["RReLU"], accuracies[other]
    )
    return LabResult(numbers, rrelu_criteria(numbers), _gaps(gaps), recipe_hashes(arms), seeds)


def _gaps(gaps: Mapping[str, list[float]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for i, ((name, values), colour) in enumerate(zip(gaps.items(), COLOURS, strict=False)):
            axis.bar(i, fmean(values), 0.6, color=colour, alpha=0.7)
            axis.plot([i] * len(values), values, "k.", markersize=4, label=name)
        axis.set_xticks(range(len(gaps)), list(gaps))
        axis.set_title("Training minus validation accuracy")
        axis.set_ylabel("percentage points")
        return svg(drawing, "Gap by activation")


SMALL = {"rates": (0.1,), "images": 40, "epochs": 1, "seeds": 2}
L87 = Lab("L87", lab_texts()["L87"], run_l87, LeakySettings(), prelu_arms, minutes=2, small=SMALL)
L88 = Lab("L88", lab_texts()["L88"], run_l88, LeakySettings(), rrelu_arms, minutes=2, small=SMALL)
