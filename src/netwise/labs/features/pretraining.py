"""L25 and L29: whether weights of a stack of Boltzmann machines, or of autoencoders, are a good
initialization of a classifier, and how much that depends on the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise import data
from netwise.errors import Problem
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import MLP, Autoencoder
from netwise.networks.energy import CD, DBN
from netwise.part import integer, integers
from netwise.parts.activations import Activation, ReLU, Sigmoid
from netwise.parts.augment import Mask
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.parts.losses import BinaryCrossEntropy
from netwise.parts.optimizers import SGD, Adam
from netwise.parts.penalties import L2
from netwise.parts.schedules import Cosine
from netwise.recipe.origin import From
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg, use_log_scale

WIDTHS = (784, 500, 500)
LABELS = (100, 1000, 10_000)
EPOCHS = {100: 200, 1000: 60, 10_000: 20}  # of the classifier, by the number of labels
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


@dataclass(frozen=True)
class PretrainingSettings(LabSettings):
    """What can be varied in L25 and L29.

    Args:
        labels: numbers of labelled images, of 100, 1000 and 10000; 1000 has to be one.
        epochs: of pretraining each layer, or the whole stack where it is trained at once.
        seeds: Default 5.
    """

    labels: tuple[int, ...] = integers(
        LABELS, shortest=1, longest=3, because="the lengths of their training are known"
    )
    epochs: int = integer(20, least=2, most=500, because="two layers are trained")
    seeds: int = integer(5, least=2, most=50, because="a mean over seeds is judged")

    def conflicts(self) -> list[Problem]:
        if 1000 not in self.labels or set(self.labels) - set(LABELS):
            reason = "has to hold 1000, which the claim is about, and of 100 and 10000 any"
            return [Problem("labels", str(list(self.labels)), reason, str(list(LABELS)))]
        return super().conflicts()


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


def pretraining_arms(pretraining: Recipe, settings: PretrainingSettings) -> dict[str, Recipe]:
    return {
        f"{name}, {count} labels": classifier_recipe(start, count, 0)
        for count in settings.labels
        for name, start in starts(pretraining.but(epochs=settings.epochs), 0).items()
    }


def train_classifiers(pretraining: Recipe, settings: PretrainingSettings) -> Scores:
    """Test accuracies of all starts, numbers of labels and seeds."""
    scores: dict[tuple[str, int], list[float]] = {}
    for seed in range(settings.seeds):
        for name, start in starts(pretraining.but(epochs=settings.epochs), seed).items():
            for count in settings.labels:
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


def run_pretraining(pretraining: Recipe, settings: PretrainingSettings, models: str) -> LabResult:
    scores, labels = train_classifiers(pretraining, settings), settings.labels
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
        accuracy_by_labels(numbers, labels, models),
        recipe_hashes(pretraining_arms(pretraining, settings)),
        tuple(range(settings.seeds)),
    )


def accuracy_by_labels(numbers: Mapping[str, float], labels: Sequence[int], models: str) -> str:
    """Test accuracies, and the gains with their intervals, from the numbers of the lab."""
    with figure(height=4.4, rows=2) as (drawing, axes):
        accuracy, gain = axes[0][0], axes[1][0]
        for name, colour in zip(("pretrained", *RANDOM_STARTS), COLOURS, strict=False):
            means = [numbers[f"{name}, {count} labels: test accuracy, %"] for count in labels]
            accuracy.plot(labels, means, color=colour, marker="o", label=name)
        for shift, other, colour in zip((0.97, 1.03), RANDOM_STARTS, COLOURS[1:], strict=False):
            low, mean, high = (
                [numbers[f"gain over {other}, {count} labels: {end}, points"] for count in labels]
                for end in ("low", "mean", "high")
            )
            places = [shift * count for count in labels]
            gain.vlines(places, low, high, color=colour)
            gain.plot(places, mean, "o", color=colour, label=f"over {other}")
        gain.axhline(0, color=GREY, linewidth=1)
        accuracy.set_ylabel("test accuracy, %")
        accuracy.set_title(f"Pretrained by {models}, and not")
        gain.set_ylabel("gain in points")
        gain.set_title("Gain of pretraining with its 95 % interval")
        gain.set_xlabel("labelled images")
        for axis in (accuracy, gain):
            use_log_scale(axis, "x")
            axis.legend(fontsize=8)
        return svg(drawing, f"Pretraining by {models}")


def _pretraining_lab(
    name: str, pretraining: Recipe, settings: PretrainingSettings, models: str
) -> Lab[PretrainingSettings]:
    return Lab(
        name,
        lab_texts()[name],
        lambda changed: run_pretraining(pretraining, changed, models),
        settings,
        arms=lambda changed: pretraining_arms(pretraining, changed),
        minutes=30,
    )


L25 = _pretraining_lab("L25", MACHINES, PretrainingSettings(), "Boltzmann machines")
L29 = _pretraining_lab(
    "L29", AUTOENCODERS, PretrainingSettings(labels=(100, 1000), epochs=12), "autoencoders"
)
