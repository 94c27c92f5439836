"""L79: more sigmoid layers, higher training error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netwise import data, intervals
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.stacked_training import TRAIN, train_stack
from netwise.networks import MLP
from netwise.part import integer, number
from netwise.parts.activations import Activation, ReLU, Sigmoid
from netwise.parts.initializers import He, Initializer, LeCun
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREEN, GREY, figure, svg

DEPTHS = (1, 2, 4, 6)
POINTS = 100  # percentage points in 1
GUESSING = 80  # % of error of a network that has learned next to nothing about ten classes

Numbers = Mapping[str, float]
Errors = dict[str, dict[int, NDArray[np.float64]]]  # in %, by activation and depth, by seed


@dataclass(frozen=True)
class DepthSettings(LabSettings):
    """What can be varied in L79.

    Args:
        epochs: of 500 steps. Default 10.
        rate: the learning rate. Default 0.1.
        width: units of each hidden layer. Default 30.
        seeds: Default 5.
    """

    epochs: int = integer(10, least=1, most=200, because="it counts passes")
    rate: float = number(0.1, above=0, because="a step of 0 changes nothing")
    width: int = integer(30, least=1, most=1000, because="a layer has units")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two")


def depth_arms(settings: DepthSettings) -> dict[str, Recipe]:
    """Networks of 1 to 6 hidden layers for 5,000 images, 10 a step."""

    def recipe(activation: Activation, init: Initializer, depth: int) -> Recipe:
        return Recipe(
            data=data.mnist(first=5000, valid=0.0),
            network=MLP((784, *(settings.width,) * depth, 10), activation=activation),
            init=init,
            optimizer=SGD(lr=settings.rate),
            batch_size=10,
            epochs=settings.epochs,
        )

    starts: dict[str, tuple[Activation, Initializer]] = {
        "sigmoid": (Sigmoid(), LeCun(bias_std=1.0)),
        "ReLU": (ReLU(), He()),
    }
    return {
        f"{name}, {depth}": recipe(*start, depth)
        for name, start in starts.items()
        for depth in DEPTHS
    }


def depth_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    rise = numbers["sigmoid: rise of the training error from 1 to 4 layers, low"]
    deep = numbers["sigmoid, 6: training error in %"]
    relu = numbers["ReLU, 6: training error in %"]
    return (
        Criterion(
            "with 4 sigmoid layers the training error is more than 20 percentage points above that "
            "of 1 layer (lower end of the 95 % interval)",
            rise,
            rise > 20,
        ),
        Criterion(
            "with 6 sigmoid layers it is that of guessing, above 80 %", deep, deep > GUESSING
        ),
        Criterion(
            "with 6 ReLU layers and He's weights it stays below 12 %",
            relu,
            relu < 12,
            part_of_claim=False,
        ),
    )


def run_l79(settings: DepthSettings) -> LabResult:
    arms, seeds = depth_arms(settings), tuple(range(settings.seeds))
    errors: Errors = {}
    numbers: dict[str, float] = {}
    for name, recipe in arms.items():
        activation, depth = name.split(", ")
        curve = train_stack(recipe, seeds, {TRAIN: (recipe.epochs,)}).curves[TRAIN]
        error = POINTS * (1 - curve.at(recipe.epochs))
        errors.setdefault(activation, {})[int(depth)] = error
        numbers[f"{name}: training error in %"] = float(error.mean())
    rise = (errors["sigmoid"][4] - errors["sigmoid"][1]).tolist()
    mean, low, high = intervals.of_mean(rise)
    numbers["sigmoid: rise of the training error from 1 to 4 layers"] = mean
    numbers["sigmoid: rise of the training error from 1 to 4 layers, low"] = low
    numbers["sigmoid: rise of the training error from 1 to 4 layers, high"] = high
    return LabResult(
        numbers, depth_criteria(numbers), _errors_by_depth(errors), recipe_hashes(arms), seeds
    )


def _errors_by_depth(errors: Errors) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, by_depth), colour in zip(errors.items(), (BLUE, GREEN), strict=True):
            values = np.array(list(by_depth.values()))
            axis.plot(list(by_depth), values.mean(1), "o-", color=colour, label=name, markersize=4)
            axis.fill_between(list(by_depth), values.min(1), values.max(1), color=colour, alpha=0.2)
        axis.axhline(90, color=GREY, linestyle="--", linewidth=1, label="guessing")
        axis.set_xticks(DEPTHS)
        axis.set_ylim(0, 100)
        axis.set_title("Training error by depth: mean and range")
        axis.set_xlabel("hidden layers")
        axis.set_ylabel("training error in %")
        axis.legend()
        return svg(drawing, "Training error by depth")


L79 = Lab(
    "L79",
    lab_texts()["L79"],
    run_l79,
    DepthSettings(),
    depth_arms,
    minutes=1,
    small={"epochs": 1, "width": 2, "seeds": 2},
)
