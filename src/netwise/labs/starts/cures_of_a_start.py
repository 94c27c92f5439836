"""L65: Glorot's uniform weights against Glorot's normal and He's normal weights, in deep
networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netwise import data, intervals
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.stacked_training import TRAIN, VALID, Curve, train_stack
from netwise.networks import MLP
from netwise.part import integer, number
from netwise.parts.activations import Activation, ReLU, Tanh
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg

RATES = (0.01, 0.03, 0.1)
TUNING_SEEDS = (100, 101)
INITS: Mapping[str, Initializer] = {
    "Glorot uniform": Glorot(),
    "Glorot normal": Glorot(shape="normal"),
    "He normal": He(),
}
ACTIVATIONS: Mapping[str, Activation] = {"ReLU": ReLU(), "tanh": Tanh()}

Numbers = Mapping[str, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CureSettings(LabSettings):
    """What can be varied in L65.

    Args:
        depth: hidden layers of 30 units. Default 10.
        target: training accuracy that has to be reached. Default 0.9.
        epochs: of 125 steps; at most so many. Default 8.
        seeds: Default 8.
    """

    depth: int = integer(10, least=1, most=50, because="a network has layers")
    target: float = number(0.9, above=0, below=1, because="it is a share of the images")
    epochs: int = integer(8, least=1, most=200, because="it counts passes")
    seeds: int = integer(8, least=2, most=100, because="an interval needs two")


def cure_arms(settings: CureSettings) -> dict[str, Recipe]:
    """Networks for 2,500 images, 20 a step; the rates are chosen later."""
    return {
        f"{name}, {start}": Recipe(
            data=data.mnist(first=3000),
            network=MLP((784, *(30,) * settings.depth, 10), activation=activation),
            init=init,
            optimizer=SGD(lr=RATES[0]),
            batch_size=20,
            epochs=settings.epochs,
        )
        for name, activation in ACTIVATIONS.items()
        for start, init in INITS.items()
    }


def best_rate(recipe: Recipe, rates: Sequence[float] = RATES) -> float:
    """The rate with the highest validation accuracy at the end, over seeds of its own."""

    def accuracy(rate: float) -> float:
        stack = train_stack(
            with_learning_rate(recipe, rate), TUNING_SEEDS, {VALID: (recipe.epochs,)}
        )
        return float(stack.curves[VALID].at(recipe.epochs).mean())

    return max(rates, key=accuracy)


def steps_to(target: float, curve: Curve, steps_of_epoch: int) -> Floats:
    """For each seed, the steps until the accuracy reaches a target, linear between epochs; all
    steps where it never does."""
    steps = np.full(curve.accuracy.shape[1], float(curve.epochs[-1] * steps_of_epoch))
    for seed, values in enumerate(curve.accuracy.T):
        above = np.flatnonzero(values >= target)
        if len(above) and above[0] == 0:
            steps[seed] = 0.0
        elif len(above):
            i = above[0]
            part = (target - values[i - 1]) / (values[i] - values[i - 1])
            at = curve.epochs[i - 1] + part * (curve.epochs[i] - curve.epochs[i - 1])
            steps[seed] = at * steps_of_epoch
    return steps


def cure_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    def saved(activation: str, start: str) -> float:
        return numbers[f"{activation}: steps that {start} saves, low"]

    return (
        Criterion(
            "ReLU: He's normal weights reach the target in fewer steps than Glorot's uniform ones "
            "(lower end of the 95 % interval of the steps saved)",
            saved("ReLU", "He normal"),
            saved("ReLU", "He normal") > 0,
        ),
        Criterion(
            "ReLU: Glorot's normal weights reach it in fewer steps than his uniform ones",
            saved("ReLU", "Glorot normal"),
            saved("ReLU", "Glorot normal") > 0,
        ),
        Criterion(
            "tanh: He's normal weights reach it in fewer steps than Glorot's uniform ones",
            saved("tanh", "He normal"),
            saved("tanh", "He normal") > 0,
            part_of_claim=False,
        ),
    )


def run_l65(settings: CureSettings) -> LabResult:
    seeds = tuple(range(settings.seeds))
    arms = cure_arms(settings)
    numbers: dict[str, float] = {}
    steps: dict[str, Floats] = {}
    for name, recipe in arms.items():
        rate = best_rate(recipe)
        watched = {TRAIN: range(recipe.epochs + 1)}
        curve = train_stack(with_learning_rate(recipe, rate), seeds, watched).curves[TRAIN]
        steps[name] = steps_to(settings.target, curve, 125)
        numbers[f"{name}: rate chosen"] = rate
        numbers[f"{name}: steps to the target, mean"] = float(steps[name].mean())
        numbers[f"{name}: target reached, share"] = float(
            (curve.accuracy.max(0) >= settings.target).mean()
        )
    for activation in ACTIVATIONS:
        for start in ("Glorot normal", "He normal"):
            saved = steps[f"{activation}, Glorot uniform"] - steps[f"{activation}, {start}"]
            mean, low, high = intervals.of_mean(saved.tolist())
            numbers[f"{activation}: steps that {start} saves"] = mean
            numbers[f"{activation}: steps that {start} saves, low"] = low
            numbers[f"{activation}: steps that {start} saves, high"] = high
    return LabResult(
        numbers, cure_criteria(numbers), _steps(steps, settings), recipe_hashes(arms), seeds
    )


def _steps(steps: Mapping[str, Floats], settings: CureSettings) -> str:
    with figure(height=3.0) as (drawing, axes):
        axis = axes[0][0]
        names = list(steps)
        for i, name in enumerate(names):
            colour = COLOURS[i % len(INITS)]
            axis.barh(i, steps[name].mean(), color=colour, height=0.6, alpha=0.7)
            axis.plot(steps[name], np.full(len(steps[name]), i), "k.", markersize=3)
        axis.axvline(125 * settings.epochs, color=GREY, linestyle="--", linewidth=1)
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.set_title(f"Steps to {settings.target:.0%} of the training images")
        axis.set_xlabel("steps (dashed: all there were)")
        return svg(drawing, "Steps to the target by initial weights")


L65 = Lab(
    "L65",
    lab_texts()["L65"],
    run_l65,
    CureSettings(),
    cure_arms,
    minutes=1,
    small={"seeds": 2, "epochs": 1, "depth": 1},
)
