"""L07: in a network of four sigmoid layers the first learns a hundred times slower than the
last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.activations import Activation, ReLU, Sigmoid, Tanh
from netwise.parts.initializers import Glorot, He, Initializer, LeCun, weight_layers
from netwise.parts.losses import BinaryCrossEntropy
from netwise.parts.optimizers import SGD
from netwise.parts.penalties import L2
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, COLOURS, figure, svg, use_log_scale
from netwise.training.fit import initialize

IMAGES = 1000
TRAINED_SEEDS = 5
SIGMOID = "sigmoid, N(0, 1/n)"

Numbers = Mapping[str, float]
Norms = list[float]  # of the mean error of each hidden layer, from the first


@dataclass(frozen=True)
class GradientSettings(LabSettings):
    """What can be varied in L07.

    Args:
        depth: hidden layers. Default 4, as in the source.
        width: units of each. Default 30.
        seeds: initial weights of each kind. Default 20.
        epochs: of training the sigmoid network, each one step on all images. Default 500.
    """

    depth: int = integer(4, least=2, most=30, because="two layers are compared")
    width: int = integer(30, least=1, most=1000, because="a layer has units")
    seeds: int = integer(20, least=2, most=1000, because="seeds are compared")
    epochs: int = integer(500, least=1, most=10_000, because="it counts steps")


def gradient_arms(settings: GradientSettings) -> dict[str, Recipe]:
    """Networks for 1,000 images that differ in activation and initial weights."""
    widths = (784, *(settings.width,) * settings.depth, 10)

    def recipe(activation: Activation, init: Initializer) -> Recipe:
        return Recipe(
            data=data.mnist(first=IMAGES, valid=0.0),
            network=MLP(widths, activation=activation),
            init=init,
            loss=BinaryCrossEntropy(),
            penalty=L2.by_lambda(5, samples=IMAGES),
            optimizer=SGD(lr=0.1),
            batch_size=IMAGES,
            epochs=settings.epochs,
        )

    return {
        SIGMOID: recipe(Sigmoid(), LeCun(bias_std=1.0)),
        "tanh, Glorot": recipe(Tanh(), Glorot()),
        "ReLU, He": recipe(ReLU(), He()),
    }


def mean_error_norms(module: nn.Module) -> Norms:
    """The norm of the error dC/dz of each hidden layer, averaged over the samples of the last
    backward pass: that of the gradient of its biases."""
    return [float(layer.bias.grad.norm()) for layer in weight_layers(module)[:-1]]  # type: ignore[union-attr]


def norms_in_training(recipe: Recipe, steps: int) -> list[Norms]:
    """The norms before each of some steps of gradient descent on all samples."""
    train = prepare(recipe).samples.train
    torch.manual_seed(recipe.seed)
    module = recipe.network.build()
    initialize(module, recipe, train.x, train.y)
    loss = recipe.loss.build()
    weights = [layer.weight for layer in weight_layers(module)]
    norms = []
    for _ in range(steps):
        module.zero_grad()
        loss(module(train.x), train.y).backward()
        norms.append(mean_error_norms(module))
        with torch.no_grad():
            for w in weights:
                w.mul_(1 - recipe.optimizer.lr * recipe.penalty.strength)  # type: ignore[union-attr]
            for p in module.parameters():
                p.sub_(recipe.optimizer.lr * p.grad)  # type: ignore[operator]
    return norms


def speed_ratio(norms: Norms) -> float:
    """Norm of the last hidden layer's error over that of the first's."""
    return norms[-1] / norms[0]


def gradient_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    start = numbers[f"{SIGMOID}: last / first, median"]
    trained = numbers["sigmoid, in training: lowest median of last / first"]
    others = max(numbers[f"{name}: last / first, median"] for name in ("tanh, Glorot", "ReLU, He"))
    return (
        Criterion(
            "with sigmoid units the error of the last hidden layer is about 100 times that of the "
            "first: the median over the seeds lies from 50 to 200",
            start,
            50 <= start <= 200,
        ),
        Criterion(
            "it stays more than 10 times as large throughout the training", trained, trained > 10
        ),
        Criterion(
            "with tanh and Glorot's weights, and with ReLU and He's, the ratio is below 5",
            others,
            others < 5,
            part_of_claim=False,
        ),
    )


def run_l07(settings: GradientSettings) -> LabResult:
    arms = gradient_arms(settings)
    seeds = tuple(range(settings.seeds))
    starts = {
        name: np.array([norms_in_training(recipe.but(seed=seed), 1)[0] for seed in seeds])
        for name, recipe in arms.items()
    }
    trained = np.array(
        [
            [speed_ratio(norms) for norms in norms_in_training(recipe, settings.epochs)]
            for recipe in (
                arms[SIGMOID].but(seed=seed) for seed in seeds[: min(TRAINED_SEEDS, len(seeds))]
            )
        ]
    )
    numbers: dict[str, float] = {}
    for name, norms in starts.items():
        ratios = norms[:, -1] / norms[:, 0]
        for layer, value in enumerate(np.median(norms, 0), start=1):
            numbers[f"{name}: norm of the error of layer {layer}, median"] = float(value)
        numbers[f"{name}: last / first, median"] = float(np.median(ratios))
        numbers[f"{name}: last / first, lowest"] = float(ratios.min())
        numbers[f"{name}: last / first, highest"] = float(ratios.max())
    over_time = np.median(trained, 0)
    numbers["sigmoid, in training: lowest median of last / first"] = float(over_time.min())
    numbers["sigmoid, in training: highest median of last / first"] = float(over_time.max())
    picture = _norms_and_ratios(starts, trained)
    return LabResult(numbers, gradient_criteria(numbers), picture, recipe_hashes(arms), seeds)


def _norms_and_ratios(starts: Mapping[str, np.ndarray], trained: np.ndarray) -> str:
    with figure(height=5.0, rows=2) as (drawing, axes):
        axis = axes[0][0]
        for (name, norms), colour in zip(starts.items(), COLOURS, strict=False):
            layers = range(1, norms.shape[1] + 1)
            axis.plot(layers, np.median(norms, 0), "o-", color=colour, label=name, markersize=4)
            axis.fill_between(layers, norms.min(0), norms.max(0), color=colour, alpha=0.15)
        axis.set_xticks(list(layers))
        use_log_scale(axis, "y")
        axis.set_title("Error by layer, before training: median and range")
        axis.set_xlabel("hidden layer")
        axis.set_ylabel("norm of the mean error")
        axis.legend()
        axis = axes[1][0]
        for ratios in trained:
            axis.plot(ratios, color=BLUE, linewidth=1, alpha=0.7)
        use_log_scale(axis, "y")
        axis.set_title("Sigmoid: last hidden layer / first, in training")
        axis.set_xlabel("epoch (one step on all images)")
        axis.set_ylabel("ratio of the norms")
        return svg(drawing, "Norms of errors by layer")


L07 = Lab(
    "L07",
    lab_texts()["L07"],
    run_l07,
    GradientSettings(),
    gradient_arms,
    minutes=0.5,
    small={"seeds": 2, "epochs": 2},
)
