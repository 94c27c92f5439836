"""L50: sigmoid, tanh, ReLU and maxout in a convolutional network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.tuned_arms import TunedSettings, paired_numbers, tune_and_train
from netwise.networks import ConvNet
from netwise.part import integer, numbers
from netwise.parts.activations import Activation, Maxout, ReLU, Sigmoid, Tanh
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.parts.optimizers import Adam
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg
from netwise.training.run import Run

TUNING_SEEDS = (100,)
SAME_SIZE = "maxout, same size"

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class UnitSettings(TunedSettings):
    """What can be varied in L50.

    Args:
        images: of MNIST, a fifth of them for the choice of the rate. Default 5,000.
        epochs: of 25 images a step. Default 8.
        seeds: Default 5.
        test: test images that are judged on. Default 4,000.
        rates: learning rates to choose from. Default 0.0003, 0.001, 0.003, 0.01.
    """

    images: int = integer(5000, least=100, most=60_000, because="each class has to be among them")
    epochs: int = integer(8, least=1, most=200, because="it counts passes")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two")
    rates: tuple[float, ...] = numbers(
        (0.0003, 0.001, 0.003, 0.01), above=0, because="the best of them is chosen"
    )
    test: int = integer(4000, least=10, most=10_000, because="there are 10,000")


def unit_arms(settings: UnitSettings) -> dict[str, Recipe]:
    """Networks of the size of LeNet-5; the rates are chosen later."""

    def recipe(activation: Activation, init: Initializer, hidden: int = 64) -> Recipe:
        return Recipe(
            data=data.mnist(first=settings.images, valid=0.2),
            network=ConvNet(
                channels=(6, 12), kernel=5, block="CAP", hidden=(hidden,), activation=activation
            ),
            init=init,
            optimizer=Adam(lr=settings.rates[0]),
            batch_size=25,
            epochs=settings.epochs,
        )

    return {
        "sigmoid": recipe(Sigmoid(), Glorot()),
        "tanh": recipe(Tanh(), Glorot()),
        "ReLU": recipe(ReLU(), He()),
        "maxout": recipe(Maxout(pieces=2), He()),
        SAME_SIZE: recipe(Maxout(pieces=2), He(), hidden=30),
    }


def weights_of(recipe: Recipe) -> int:
    """Numbers that are trained."""
    return sum(p.numel() for p in recipe.network.build().parameters())


def test_error(run: Run, images: int) -> float:
    """In %, on the first test images."""
    test = prepare(run.recipe).samples.test
    with torch.no_grad():
        right = run.module.eval()(test.x[:images]).argmax(1) == test.y[:images]
    return 100 * (1 - float(right.float().mean()))


def unit_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    def fewer(better: str, worse: str, part_of_claim: bool = True) -> Criterion:
        high = numbers[f"test error, {better} - {worse}, high"]
        return Criterion(
            f"{better} makes fewer errors than {worse} (upper end of the 95 % interval of the "
            "difference, in points)",
            high,
            high < 0,
            part_of_claim,
        )

    return (
        fewer("ReLU", "sigmoid"),
        fewer("maxout", "sigmoid"),
        fewer("ReLU", "tanh"),
        fewer("maxout", "tanh"),
        fewer(SAME_SIZE, "ReLU", part_of_claim=False),
    )


def run_l50(settings: UnitSettings) -> LabResult:
    arms, seeds = unit_arms(settings), tuple(range(settings.seeds))
    tuned = tune_and_train(arms, settings.rates, seeds, TUNING_SEEDS)
    errors = {
        name: arm.values(lambda run: test_error(run, settings.test)) for name, arm in tuned.items()
    }
    numbers: dict[str, float] = {}
    for name, arm in tuned.items():
        numbers[f"{name}: weights"] = float(weights_of(arms[name]))
        numbers[f"{name}: rate chosen"] = arm.rate
        numbers[f"{name}: test error in %"] = fmean(errors[name])
    for better in ("ReLU", "maxout"):
        for worse in ("sigmoid", "tanh"):
            numbers |= paired_numbers(
                f"test error, {better} - {worse}", errors[better], errors[worse]
            )
    numbers |= paired_numbers(f"test error, {SAME_SIZE} - ReLU", errors[SAME_SIZE], errors["ReLU"])
    return LabResult(numbers, unit_criteria(numbers), _errors(errors), recipe_hashes(arms), seeds)


def _errors(errors: Mapping[str, list[float]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for i, (values, colour) in enumerate(zip(errors.values(), COLOURS, strict=False)):
            axis.barh(i, fmean(values), color=colour, height=0.6, alpha=0.7)
            axis.plot(values, [i] * len(values), "k.", markersize=4)
        axis.set_yticks(range(len(errors)), list(errors))
        axis.invert_yaxis()
        axis.set_title("Test error of a convolutional network")
        axis.set_xlabel("test error in %")
        return svg(drawing, "Test error by activation")


L50 = Lab(
    "L50",
    lab_texts()["L50"],
    run_l50,
    UnitSettings(),
    unit_arms,
    minutes=6,
    small={"rates": (0.003,), "images": 100, "epochs": 1, "seeds": 2, "test": 20},
)
