"""L25 and L29: does a start from a stack of machines, or of autoencoders, help a classifier, and
how much with few labels?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import CLAIMS
from netwise.labs.definition import Criterion, Lab, LabResult
from netwise.labs.runs import trained
from netwise.networks import MLP, Autoencoder
from netwise.networks.energy import CD, DBN
from netwise.parts.activations import Activation, ReLU, Sigmoid
from netwise.parts.augment import Mask
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.parts.losses import BinaryCrossEntropy
from netwise.parts.optimizers import SGD, Adam
from netwise.parts.penalties import L2
from netwise.parts.schedules import Cosine
from netwise.recipe.origin import From
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

WIDTHS = (784, 500, 500)
LABELS = (100, 1000, 10_000)
EPOCHS = {100: 200, 1000: 60, 10_000: 20}
SEEDS = (0, 1, 2, 3, 4)
MACHINES = Recipe(
    data=data.mnist(valid=0.0),
    network=DBN(WIDTHS),
    loss=CD(),
    optimizer=SGD(lr=0.1, momentum=0.5),
    penalty=L2(strength=2e-4),
    schedule=Cosine(),
    batch_size=100,
    epochs=20,
)
CODES = Recipe(
    data=data.mnist(valid=0.0),
    network=Autoencoder(WIDTHS, layer_by_layer=True, corrupt=(Mask(share=0.25),)),
    loss=BinaryCrossEntropy(),
    optimizer=Adam(lr=0.001),
    batch_size=100,
    epochs=12,
)


@dataclass(frozen=True)
class Arm:
    activation: Activation
    init: Initializer


def _arms(first: Recipe, seed: int) -> dict[str, Arm]:
    return {
        "pretrained": Arm(Sigmoid(), From(recipe=first.but(seed=seed))),
        "random, sigmoid": Arm(Sigmoid(), Glorot()),
        "random, ReLU": Arm(ReLU(), He()),
    }


def _classifier(arm: Arm, labels: int, seed: int) -> Recipe:
    """The same training for all arms; images after the first `labels` are seen without their
    labels, if at all."""
    return Recipe(
        data=data.mnist(first=labels, valid=0.0),
        network=MLP((*WIDTHS, 10), activation=arm.activation),
        init=arm.init,
        optimizer=Adam(lr=0.001),
        schedule=Cosine(),
        batch_size=50,
        epochs=EPOCHS[labels],
        seed=seed,
    )


def recipes(first: Recipe, labels: tuple[int, ...]) -> Mapping[str, Recipe]:
    return {
        f"{name}, {count} labels": _classifier(arm, count, SEEDS[0])
        for count in labels
        for name, arm in _arms(first, SEEDS[0]).items()
    }


def _gain(first: Recipe, labels: tuple[int, ...], what: str) -> LabResult:
    score: dict[tuple[str, int], list[float]] = {}
    for seed in SEEDS:
        for name, arm in _arms(first, seed).items():
            for count in labels:
                run = trained(_classifier(arm, count, seed))
                assert run.score is not None
                score.setdefault((name, count), []).append(100 * run.score.value)
    numbers: dict[str, float] = {
        f"{name}, {count} labels: test accuracy, %": sum(v) / len(v)
        for (name, count), v in score.items()
    }
    gains: dict[tuple[str, int], tuple[float, float, float]] = {}
    for count in labels:
        for other in ("random, sigmoid", "random, ReLU"):
            gain = of_mean(
                [
                    a - b
                    for a, b in zip(score["pretrained", count], score[other, count], strict=True)
                ]
            )
            gains[other, count] = gain
            for name, value in zip(("mean", "low", "high"), gain, strict=True):
                numbers[f"gain over {other}, {count} labels: {name}, points"] = value
    old, modern = gains["random, sigmoid", 1000], gains["random, ReLU", 1000]
    criteria = (
        Criterion(
            f"a start from {what} gains more than 2 points at 1,000 labels over a random start of the same sigmoid net",
            old[0],
            old[0] > 2,
        ),
        Criterion(
            "and the gain is beyond doubt: its 95 % interval lies above 0", old[1], old[1] > 0
        ),
        Criterion(
            "it still gains over a modern random start (ReLU, He), beyond doubt",
            modern[1],
            modern[1] > 0,
            of_the_note=False,
        ),
    )
    with figure() as (made, axes):
        axis = axes[0][0]
        for name, colour in zip(
            ("pretrained", "random, sigmoid", "random, ReLU"), COLOURS, strict=False
        ):
            means = [sum(score[name, count]) / len(SEEDS) for count in labels]
            axis.plot(labels, means, color=colour, marker="o", label=name)
            for count in labels:
                axis.plot(
                    [count] * len(SEEDS),
                    score[name, count],
                    ".",
                    color=colour,
                    alpha=0.4,
                    markersize=4,
                )
        axis.set_xscale("log")
        axis.set_xlabel("labels")
        axis.set_title(f"Test accuracy, %: a start from {what}")
        axis.legend()
        picture = svg(made, f"Start from {what}")
    return LabResult(
        numbers,
        criteria,
        picture,
        {name: recipe.hash for name, recipe in recipes(first, labels).items()},
        SEEDS,
    )


L25 = Lab(
    "L25",
    CLAIMS["L25"],
    "784-500-500-10; machines on 60,000 images, CD-1, 10 epochs a layer; then Adam with 100, 1,000 and 10,000 labels, the same for all starts; 5 seeds.",
    "note 001",
    partial(_gain, MACHINES, LABELS, "machines"),
    partial(recipes, MACHINES, LABELS),
    slow=True,
)
L29 = Lab(
    "L29",
    CLAIMS["L29"],
    "784-500-500-10; denoising autoencoders on 60,000 images, a quarter masked, 6 epochs a layer; then Adam with 100 and 1,000 labels; 5 seeds.",
    "note 001",
    partial(_gain, CODES, (100, 1000), "autoencoders"),
    partial(recipes, CODES, (100, 1000)),
    slow=True,
)
