"""L36: what kills ReLU units, and whether they come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import MLP
from netwise.part import integer, number
from netwise.parts.initializers import He, Initializer, WithBiases, weight_layers
from netwise.parts.optimizers import SGD
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg
from netwise.training.fit import initialize

HEALTHY = "He, bias 0"

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class DeadSettings(LabSettings):
    """What can be varied in L36.

    Args:
        rate: a learning rate that suits the healthy network. Default 0.1.
        factor: on it, where it is too high. Default 10.
        bias: at the start, where it is bad. Default -3.
        gain: factor on He's weights, where they are too large. Default 10.
        seeds: weights and orders of the images. Default 5.
    """

    rate: float = number(0.1, above=0, because="a step of 0 changes nothing")
    factor: float = number(10.0, above=0, because="it multiplies the rate")
    bias: float = number(-3.0)
    gain: float = number(10.0, above=0, because="it multiplies a standard deviation")
    seeds: int = integer(5, least=2, most=100, because="seeds are compared")


def dead_arms(settings: DeadSettings) -> dict[str, Recipe]:
    """Networks of two hidden layers for 2,500 images, two epochs of 10 images a step."""

    def recipe(init: Initializer, rate: float) -> Recipe:
        return Recipe(
            data=data.mnist(first=3000),
            network=MLP((784, 100, 100, 10)),
            init=init,
            optimizer=SGD(lr=rate),
            batch_size=10,
            epochs=2,
        )

    return {
        HEALTHY: recipe(He(), settings.rate),
        "bad bias": recipe(WithBiases(weights=He(), bias=settings.bias), settings.rate),
        "rate too high": recipe(He(), settings.rate * settings.factor),
        "weights too large": recipe(He(gain=settings.gain), settings.rate),
    }


def dead_units(module: nn.Module, x: Tensor) -> list[Tensor]:
    """For each hidden layer of an MLP with ReLU units, which units are 0 for all samples."""
    dead = []
    a = x.flatten(1)
    for layer in weight_layers(module)[:-1]:
        a = layer(a).detach().relu()
        dead.append((a == 0).all(0))
    return dead


def gradient_of_dead(module: nn.Module, recipe: Recipe, x: Tensor, y: Tensor) -> float:
    """The largest absolute gradient of the weights and biases of dead units, over all samples."""
    module.zero_grad()
    recipe.loss.build()(module(x), y).backward()
    largest = 0.0
    for layer, dead in zip(weight_layers(module), dead_units(module, x), strict=False):
        if dead.any():
            for p in (layer.weight, layer.bias):
                largest = max(largest, float(p.grad[dead].abs().max()))  # type: ignore[index, union-attr]
    return largest


@dataclass(frozen=True)
class Census:
    """Shares of the hidden units of one run.

    Args:
        start, end: that are dead before and after training.
        first, second: dead after training in each of the two layers.
        revived: of those dead at the start, that fire at the end; 0 where none was dead.
        gradient: the largest gradient of a unit that is dead at the end.
    """

    start: float
    end: float
    first: float
    second: float
    revived: float
    gradient: float


def take_census(recipe: Recipe) -> Census:
    train = prepare(recipe).samples.train
    torch.manual_seed(recipe.seed)
    new = recipe.network.build()
    initialize(new, recipe, train.x, train.y)
    before = torch.cat(dead_units(new, train.x))
    module = train_whole(recipe, watch_every=0, test=False).module
    layers = dead_units(module, train.x)
    after = torch.cat(layers)
    revived = float((before & ~after).sum()) / max(1, int(before.sum()))
    first, second = (float(layer.float().mean()) for layer in layers)
    return Census(
        float(before.float().mean()),
        float(after.float().mean()),
        first,
        second,
        revived,
        gradient_of_dead(module, recipe, train.x, train.y),
    )


def dead_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    causes = ("bad bias", "rate too high", "weights too large")
    killed = [
        Criterion(
            f"{name}: more than 30 % of the hidden units are dead after training",
            numbers[f"{name}: dead after training"],
            numbers[f"{name}: dead after training"] > 0.3,
        )
        for name in causes
    ]
    healthy = numbers[f"{HEALTHY}: dead after training"]
    gradient = numbers["largest gradient of a dead unit"]
    revived = max(numbers[f"{name}: share of those dead at the start that fire"] for name in causes)
    return (
        *killed,
        Criterion(
            "He's weights, bias 0 and a suitable rate: less than 2 % are dead",
            healthy,
            healthy < 0.02,
        ),
        Criterion("a dead unit has a gradient of exactly 0", gradient, gradient == 0),
        Criterion(
            "less than a tenth of the units that are dead at the start fire at the end: they do "
            "not recover (largest share)",
            revived,
            revived < 0.1,
            part_of_claim=False,
        ),
    )


def run_l36(settings: DeadSettings) -> LabResult:
    arms, seeds = dead_arms(settings), tuple(range(settings.seeds))
    censuses = {
        name: [take_census(recipe.but(seed=seed)) for seed in seeds]
        for name, recipe in arms.items()
    }
    numbers: dict[str, float] = {}
    for name, rows in censuses.items():
        for words, field in (
            ("dead before training", "start"),
            ("dead after training", "end"),
            ("dead after training, layer 1", "first"),
            ("dead after training, layer 2", "second"),
            ("share of those dead at the start that fire", "revived"),
        ):
            numbers[f"{name}: {words}"] = float(np.mean([getattr(row, field) for row in rows]))
    numbers["largest gradient of a dead unit"] = max(
        row.gradient for rows in censuses.values() for row in rows
    )
    return LabResult(numbers, dead_criteria(numbers), _shares(censuses), recipe_hashes(arms), seeds)


def _shares(censuses: Mapping[str, Sequence[Census]]) -> str:
    places = np.arange(len(censuses))
    with figure(height=2.9) as (drawing, axes):
        axis = axes[0][0]
        for shift, field, colour, label in (
            (-0.2, "start", BLUE, "before training"),
            (0.2, "end", ORANGE, "after training"),
        ):
            shares = np.array([[getattr(r, field) for r in rows] for rows in censuses.values()])
            axis.bar(places + shift, 100 * shares.mean(1), 0.38, color=colour, label=label)
            for place, row in zip(places + shift, shares, strict=True):
                axis.plot([place] * len(row), 100 * row, "k.", markersize=3, alpha=0.6)
        axis.set_xticks(places, list(censuses))
        axis.set_title("Units that fire for no image")
        axis.set_ylabel("dead hidden units in %")
        axis.set_ylim(0, 130)  # room for the legend
        axis.legend(loc="upper left", ncols=2)
        return svg(drawing, "Dead units before and after training")


L36 = Lab(
    "L36", lab_texts()["L36"], run_l36, DeadSettings(), dead_arms, minutes=0.5, small={"seeds": 2}
)
