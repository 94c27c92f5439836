"""L25 and L29: whether weights of a stack of Boltzmann machines, or of autoencoders, are a good
initialization of a classifier, and how much that depends on the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
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
EPOCHS = {100: 200, 1000: 60, 10_000: 20}  # of the classifier, by the number of labels
SEEDS = (0, 1, 2, 3, 4)
RANDOM_STARTS = ("random, sigmoid", "random, ReLU")
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
AUTOENCODERS = Recipe(
    data=data.mnist(valid=0.0),
    network=Autoencoder(WIDTHS, layer_by_layer=True, corrupt=(Mask(share=0.25),)),
    loss=BinaryCrossEntropy(),
    optimizer=Adam(lr=0.001),
    batch_size=100,
    epochs=12,
)

Scores = Mapping[tuple[str, int], Sequence[float]]  # (start, labels) -> accuracy in %, by seed
Interval = tuple[float, float, float]  # mean, low, high


@dataclass(frozen=True)
class Start:
    """A way to initialize the classifier: its activation and its weights."""

    activation: Activation
    init: Initializer


def starts(pretraining: Recipe, seed: int) -> dict[str, Start]:
    return {
        "pretrained": Start(Sigmoid(), From(recipe=pretraining.but(seed=seed))),
        "random, sigmoid": Start(Sigmoid(), Glorot()),
        "random, ReLU": Start(ReLU(), He()),
    }


def classifier_recipe(start: Start, labels: int, seed: int) -> Recipe:
    """The same training for all starts, on the first `labels` images; pretraining uses all images
    without their labels."""
    return Recipe(
        data=data.mnist(first=labels, valid=0.0),
        network=MLP((*WIDTHS, 10), activation=start.activation),
        init=start.init,
        optimizer=Adam(lr=0.001),
        schedule=Cosine(),
        batch_size=50,
        epochs=EPOCHS[labels],
        seed=seed,
    )


def pretraining_arms(pretraining: Recipe, labels: Sequence[int]) -> dict[str, Recipe]:
    return {
        f"{name}, {count} labels": classifier_recipe(start, count, SEEDS[0])
        for count in labels
        for name, start in starts(pretraining, SEEDS[0]).items()
    }


def train_classifiers(pretraining: Recipe, labels: Sequence[int]) -> Scores:
    """Test accuracies of all starts, numbers of labels and seeds."""
    scores: dict[tuple[str, int], list[float]] = {}
    for seed in SEEDS:
        for name, start in starts(pretraining, seed).items():
            for count in labels:
                run = train_whole(classifier_recipe(start, count, seed))
                assert run.score is not None
                scores.setdefault((name, count), []).append(100 * run.score.value)
    return scores


def paired_gains(scores: Scores, labels: Sequence[int]) -> dict[tuple[str, int], Interval]:
    """95 % intervals of the gain of pretraining over each random start, paired by seed, in
    percentage points."""
    return {
        (other, count): of_mean(
            [a - b for a, b in zip(scores["pretrained", count], scores[other, count], strict=True)]
        )
        for count in labels
        for other in RANDOM_STARTS
    }


def pretraining_criteria(
    gains: Mapping[tuple[str, int], Interval], models: str
) -> tuple[Criterion, ...]:
    mean, low, _ = gains["random, sigmoid", 1000]
    _, low_modern, _ = gains["random, ReLU", 1000]
    return (
        Criterion(
            f"with 1,000 labels, pretraining by {models} gains more than 2 percentage points over "
            "random weights of the same sigmoid network",
            mean,
            mean > 2,
        ),
        Criterion(
            "the gain over the same network is significant: its 95 % interval is above 0 (low end)",
            low,
            low > 0,
        ),
        Criterion(
            "the gain over a modern random initialization (ReLU, He) is significant (low end)",
            low_modern,
            low_modern > 0,
            part_of_claim=False,
        ),
    )


def run_pretraining(pretraining: Recipe, labels: Sequence[int], models: str) -> LabResult:
    scores = train_classifiers(pretraining, labels)
    gains = paired_gains(scores, labels)
    numbers = {
        f"{name}, {count} labels: test accuracy, %": fmean(values)
        for (name, count), values in scores.items()
    }
    for (other, count), gain in gains.items():
        for name, value in zip(("mean", "low", "high"), gain, strict=True):
            numbers[f"gain over {other}, {count} labels: {name}, points"] = value
    return LabResult(
        numbers,
        pretraining_criteria(gains, models),
        _accuracy_by_labels(scores, labels, models),
        recipe_hashes(pretraining_arms(pretraining, labels)),
        SEEDS,
    )


def _accuracy_by_labels(scores: Scores, labels: Sequence[int], models: str) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for name, colour in zip(("pretrained", *RANDOM_STARTS), COLOURS, strict=False):
            means = [fmean(scores[name, count]) for count in labels]
            axis.plot(labels, means, color=colour, marker="o", label=name)
            for count in labels:
                values = scores[name, count]
                places = [count] * len(values)
                axis.plot(places, values, ".", color=colour, alpha=0.4, markersize=4)
        axis.set_xscale("log")
        axis.set_xlabel("labels")
        axis.set_title(f"Test accuracy, %: pretrained by {models}")
        axis.legend()
        return svg(drawing, f"Pretraining by {models}")


L25: Lab[LabSettings] = Lab(
    "L25",
    lab_texts()["L25"],
    lambda _: run_pretraining(MACHINES, LABELS, "Boltzmann machines"),
    arms=lambda _: pretraining_arms(MACHINES, LABELS),
    minutes=30,
)
L29: Lab[LabSettings] = Lab(
    "L29",
    lab_texts()["L29"],
    lambda _: run_pretraining(AUTOENCODERS, (100, 1000), "autoencoders"),
    arms=lambda _: pretraining_arms(AUTOENCODERS, (100, 1000)),
    minutes=30,
)
