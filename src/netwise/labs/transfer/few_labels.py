"""L82: a network that was trained on other classes as the start for new ones: which layers to train
by the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import ClassVar

import torch

from netwise import data
from netwise.data.dataset import Pairs, Samples
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import ConvNet
from netwise.part import integer, integers, number, part
from netwise.parts.finetuning import FineTune
from netwise.parts.initializers import He
from netwise.parts.optimizers import Adam
from netwise.recipe.origin import From
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale

DIGITS = data.mnist(valid=0.0)
OLD, NEW = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
HEAD = "head"  # the last layer, which is new in any case
LABELS = (10, 50, 500, 1000)  # of five classes together
STEPS = {10: 100, 50: 200, 500: 300, 1000: 400}  # of batches of 10, for each number of labels
SCRATCH, FROZEN, FINE = "from scratch", "frozen, new last layer", "fine-tuned"

Scores = Mapping[tuple[str, int], Sequence[float]]  # (start, labels) -> test accuracy in %, by seed


@dataclass(frozen=True, kw_only=True)
class SomeClasses(data.Data):
    """Some classes of other data, numbered anew from 0.

    Args:
        data: the other data.
        classes: the numbers of its classes that are kept.
    """

    kind: ClassVar[str] = "some_classes"
    data: data.Data = part(data.Data, because="it takes classes of data")
    classes: tuple[int, ...] = integers(OLD, least=0, because="they are numbers of classes")

    def read(self) -> Samples:
        samples = self.data.load()
        return replace(
            samples,
            train=self._kept(samples.train),
            valid=self._kept(samples.valid),
            test=self._kept(samples.test),
            classes=tuple(samples.classes[number] for number in self.classes),
            fingerprint=f"{samples.fingerprint}/{self.classes}",
        )

    def _kept(self, pairs: Pairs) -> Pairs:
        matches = pairs.y[:, None] == torch.tensor(self.classes)
        rows = matches.any(1)
        return Pairs(pairs.x[rows], matches[rows].int().argmax(1))


@dataclass(frozen=True)
class TransferSettings(LabSettings):
    """What can be varied in L82.

    Args:
        images: of the digits 0 to 4 that the first network learns. Default 3,000.
        epochs: of that training. Default 3.
        rate: of Adam where all layers are trained. Default 0.002.
        head_rate: of Adam where only the last layer is, for which 0.002 is too low. Default 0.02.
        longer: factor on the steps of the second training. Default 1.
        seeds: paired runs. Default 5.
    """

    images: int = integer(3000, least=50, most=25_000, because="ten of each class at least")
    epochs: int = integer(3, least=1, most=100, because="it counts passes over the images")
    rate: float = number(0.002, above=0, because="a step of 0 changes nothing")
    head_rate: float = number(0.02, above=0, because="a step of 0 changes nothing")
    longer: float = number(1.0, least=0.02, most=100, because="each run has some steps")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two runs")


def first_training(settings: TransferSettings, seed: int = 0) -> Recipe:
    """A small convolutional network learns the digits 0 to 4."""
    return Recipe(
        data=data.Fewer(data=SomeClasses(data=DIGITS, classes=OLD), rows=settings.images),
        network=ConvNet(image=(1, 28, 28), classes=5, channels=(8, 16), block="CAP", hidden=(64,)),
        init=He(),
        optimizer=Adam(lr=settings.rate),
        batch_size=50,
        epochs=settings.epochs,
        seed=seed,
    )


def second_training(start: str, labels: int, settings: TransferSettings, seed: int = 0) -> Recipe:
    """The digits 5 to 9 with few labels, which differ between the seeds; equal training."""
    first = first_training(settings, seed)
    recipe = first.but(
        data=data.Fewer(data=SomeClasses(data=DIGITS, classes=NEW), rows=labels, draw=seed),
        batch_size=10,
        epochs=max(1, round(settings.longer * STEPS[labels] * 10 / labels)),
    )
    if start == SCRATCH:
        return recipe
    recipe = recipe.but(init=From(recipe=first, anew=(HEAD,), rest=He()))
    if start == FINE:
        return recipe
    return recipe.but(
        tuning=FineTune(freeze=("block*", "layer1")), optimizer=Adam(lr=settings.head_rate)
    )


def transfer_arms(settings: TransferSettings) -> dict[str, Recipe]:
    return {
        f"{start}, {labels} labels": second_training(start, labels, settings)
        for start in (SCRATCH, FROZEN, FINE)
        for labels in LABELS
    }


def train_all(settings: TransferSettings) -> Scores:
    """Test accuracies of all starts and numbers of labels. The seeds are the outer loop, so that
    the first training of each is computed once."""
    scores: dict[tuple[str, int], list[float]] = {}
    for seed in range(settings.seeds):
        for start in (SCRATCH, FROZEN, FINE):
            for labels in LABELS:
                run = train_whole(second_training(start, labels, settings, seed), watch_every=0)
                assert run.score is not None
                scores.setdefault((start, labels), []).append(100 * run.score.value)
    return scores


def gain(scores: Scores, better: str, other: str, labels: int) -> tuple[float, float, float]:
    """95 % interval of a paired difference in points, (mean, low, high)."""
    pairs = zip(scores[better, labels], scores[other, labels], strict=True)
    return of_mean([a - b for a, b in pairs])


def transfer_criteria(scores: Scores) -> tuple[Criterion, ...]:
    few = min(gain(scores, FROZEN, FINE, labels)[0] for labels in (10, 50))
    many = gain(scores, FINE, FROZEN, 500)[0]
    low = gain(scores, FROZEN, SCRATCH, 10)[1]
    late = gain(scores, FINE, SCRATCH, 1000)[0]
    return (
        Criterion(
            "with 2 and with 10 labels for each class it is better to freeze all but the last "
            "layer than to train all (smaller mean difference in percentage points)",
            few,
            few > 0,
        ),
        Criterion(
            "with 100 labels for each class it is better to train all layers (mean difference in "
            "percentage points)",
            many,
            many > 0,
        ),
        Criterion(
            "with 2 labels for each class a frozen start is better than none: the 95 % interval "
            "of the gain is above 0 (low end)",
            low,
            low > 0,
            part_of_claim=False,
        ),
        Criterion(
            "with 200 labels for each class the start still gains at least half a percentage "
            "point (mean difference)",
            late,
            late >= 0.5,
            part_of_claim=False,
        ),
    )


def run_l82(settings: TransferSettings) -> LabResult:
    scores = train_all(settings)
    numbers = {
        f"{start}, {labels} labels: test accuracy, %": fmean(values)
        for (start, labels), values in scores.items()
    }
    for labels in LABELS:
        for name, value in zip(
            ("mean", "low", "high"), gain(scores, FINE, FROZEN, labels), strict=True
        ):
            numbers[f"fine-tuned over frozen, {labels} labels: {name}, points"] = value
    return LabResult(
        numbers,
        transfer_criteria(scores),
        _accuracy_by_labels(scores),
        recipe_hashes(transfer_arms(settings)),
        tuple(range(settings.seeds)),
    )


def _accuracy_by_labels(scores: Scores) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for start, colour in zip((SCRATCH, FROZEN, FINE), COLOURS, strict=False):
            means = [fmean(scores[start, labels]) for labels in LABELS]
            axis.plot(LABELS, means, "o-", color=colour, label=start)
            for labels in LABELS:
                values = scores[start, labels]
                axis.plot([labels] * len(values), values, ".", color=colour, alpha=0.3)
        use_log_scale(axis, "x")
        axis.set_xticks(LABELS, [f"{labels:,}" for labels in LABELS])
        axis.minorticks_off()
        axis.set_xlabel("labels of the digits 5 to 9, all classes together")
        axis.set_ylabel("test accuracy, %")
        axis.set_title("After learning the digits 0 to 4")
        axis.legend()
        return svg(drawing, "Transfer by labels")


L82 = Lab(
    "L82",
    lab_texts()["L82"],
    run_l82,
    TransferSettings(),
    transfer_arms,
    minutes=2,
    small={"images": 50, "epochs": 1, "longer": 0.02, "seeds": 2},
)
