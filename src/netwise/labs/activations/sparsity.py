"""L49: which share of ReLU's outputs is 0, before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from netwise import data, intervals
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import MLP, ConvNet
from netwise.networks.network import Network
from netwise.part import integer, number
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg
from netwise.training.fit import initialize

Numbers = Mapping[str, float]
Shares = NDArray[np.float64]  # (seeds, layers)


@dataclass(frozen=True)
class SparsitySettings(LabSettings):
    """What can be varied in L49.

    Args:
        images: of MNIST, a sixth of them for validation. Default 3,000.
        epochs: of 50 images a step. Default 10.
        rate: the learning rate. Default 0.1.
        seeds: Default 5.
    """

    images: int = integer(3000, least=60, most=60_000, because="each class has to be among them")
    epochs: int = integer(10, least=1, most=200, because="it counts passes")
    rate: float = number(0.1, above=0, because="a step of 0 changes nothing")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two")


def sparsity_arms(settings: SparsitySettings) -> dict[str, Recipe]:
    def recipe(network: Network) -> Recipe:
        return Recipe(
            data=data.mnist(first=settings.images),
            network=network,
            init=He(),
            optimizer=SGD(lr=settings.rate),
            batch_size=50,
            epochs=settings.epochs,
        )

    return {
        "MLP": recipe(MLP((784, 100, 100, 10))),
        "convolutional": recipe(ConvNet(channels=(8, 16), block="CAP")),
    }


def shares_of_zeros(module: nn.Module, x: Tensor) -> list[float]:
    """The share of exact zeros among the outputs of each ReLU, from the first."""
    shares: list[float] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, a: shares.append(float((a == 0).float().mean())))
        for layer in module.modules()
        if isinstance(layer, nn.ReLU)
    ]
    with torch.no_grad():
        module(x)
    for hook in hooks:
        hook.remove()
    return shares


def before_and_after(recipe: Recipe) -> tuple[list[float], list[float]]:
    """Shares of zeros on validation images, by layer."""
    samples = prepare(recipe).samples
    torch.manual_seed(recipe.seed)
    new = recipe.network.build()
    initialize(new, recipe, samples.train.x, samples.train.y)
    trained = train_whole(recipe, watch_every=0, test=False).module.eval()
    return shares_of_zeros(new.eval(), samples.valid.x), shares_of_zeros(trained, samples.valid.x)


def sparsity_criteria(numbers: Numbers, networks: tuple[str, ...]) -> tuple[Criterion, ...]:
    halves = []
    for network in networks:
        starts = [
            abs(value - 0.5)
            for name, value in numbers.items()
            if name.startswith(f"{network}, layer") and name.endswith("before training")
        ]
        halves.append(
            Criterion(
                f"{network}: about half of the outputs are 0 before training, within 0.05 of 1/2 "
                "in each layer (largest difference)",
                max(starts),
                max(starts) < 0.05,
            )
        )
    growth = [
        Criterion(
            f"{name}: more outputs are 0 after training, in the mean over the layers (lower end of "
            "the 95 % interval of the difference)",
            numbers[f"{name}: more zeros after training, low"],
            numbers[f"{name}: more zeros after training, low"] > 0,
        )
        for name in networks
    ]
    return (*halves, *growth)


def run_l49(settings: SparsitySettings) -> LabResult:
    arms, seeds = sparsity_arms(settings), tuple(range(settings.seeds))
    shares: dict[str, tuple[Shares, Shares]] = {}
    numbers: dict[str, float] = {}
    for name, recipe in arms.items():
        pairs = [before_and_after(recipe.but(seed=seed)) for seed in seeds]
        before, after = (np.array(side) for side in zip(*pairs, strict=True))
        shares[name] = (before, after)
        for layer in range(before.shape[1]):
            numbers[f"{name}, layer {layer + 1}: before training"] = before[:, layer].mean()
            numbers[f"{name}, layer {layer + 1}: after training"] = after[:, layer].mean()
        mean, low, high = intervals.of_mean((after - before).mean(1).tolist())
        numbers[f"{name}: more zeros after training"] = mean
        numbers[f"{name}: more zeros after training, low"] = low
        numbers[f"{name}: more zeros after training, high"] = high
    numbers = {name: float(value) for name, value in numbers.items()}
    criteria = sparsity_criteria(numbers, tuple(arms))
    return LabResult(numbers, criteria, _bars(shares), recipe_hashes(arms), seeds)


def _bars(shares: Mapping[str, tuple[Shares, Shares]]) -> str:
    names, before, after = [], [], []
    for name, (first, last) in shares.items():
        for layer in range(first.shape[1]):
            names.append(f"{name}\nlayer {layer + 1}")
            before.append(100 * first[:, layer].mean())
            after.append(100 * last[:, layer].mean())
    places = np.arange(len(names))
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.bar(places - 0.2, before, 0.38, color=BLUE, label="before training")
        axis.bar(places + 0.2, after, 0.38, color=ORANGE, label="after training")
        axis.set_xticks(places, names)
        axis.set_ylim(0, 100)
        axis.set_title("Outputs of ReLU that are 0")
        axis.set_ylabel("share in %")
        axis.legend()
        return svg(drawing, "Share of zeros by layer")


L49 = Lab(
    "L49",
    lab_texts()["L49"],
    run_l49,
    SparsitySettings(),
    sparsity_arms,
    minutes=0.7,
    small={"images": 300, "epochs": 1, "seeds": 2},
)
