"""L81: four ways to enlarge a data set, at equal numbers of training steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import MLP
from netwise.part import integer, number
from netwise.parts.augment import Augment, FromDistribution, NoiseCopies, Resample
from netwise.parts.initializers import He
from netwise.parts.optimizers import Momentum
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREY, figure, svg

NONE, REAL = "as it is", "twice the images"
NOISE, BOOTSTRAP = "copies with noise", "bootstrap"
GAUSSIAN, KERNEL = "normal distribution of each class", "kernel density of each class"
WAYS = (REAL, NOISE, BOOTSTRAP, GAUSSIAN, KERNEL)
BATCH = 20

Scores = Mapping[str, Sequence[float]]  # test accuracy in %, by seed
Interval = tuple[float, float, float]  # mean, low, high


@dataclass(frozen=True)
class EnlargeSettings(LabSettings):
    """What can be varied in L81.

    Args:
        rows: images before they are made more. Default 500.
        epochs: over them; over twice as many samples half of it. Default 30.
        noise: standard deviation of the noise on copies, of pixels from 0 to 1. Default 0.2.
        seeds: paired runs, each with other images. Default 8.
    """

    rows: int = integer(500, least=20, most=20_000, because="two of each class at least")
    epochs: int = integer(30, least=2, most=1000, because="half of them is at least 1")
    noise: float = number(0.2, least=0, most=5, because="a standard deviation is not negative")
    seeds: int = integer(8, least=2, most=100, because="an interval needs two runs")


def enlarged(way: str, settings: EnlargeSettings, seed: int = 0) -> Recipe:
    """The recipe of one way: it doubles the training part, and halves the epochs, so that all
    ways take as many steps."""
    parts: dict[str, tuple[Augment, ...]] = {
        NOISE: (NoiseCopies(copies=1, std=settings.noise),),
        BOOTSTRAP: (Resample(factor=2.0, balanced=False),),
        GAUSSIAN: (FromDistribution(factor=1.0, ridge=0.1),),
        KERNEL: (FromDistribution(form="kde", factor=1.0, width=0.3),),
    }
    rows = settings.rows * (2 if way == REAL else 1)
    return Recipe(
        data=data.Fewer(data=data.mnist(valid=0.0), rows=rows, draw=seed),
        augment=parts.get(way, ()),
        network=MLP((784, 100, 10)),
        init=He(),
        optimizer=Momentum(lr=0.02),
        batch_size=BATCH,
        epochs=settings.epochs if way == NONE else settings.epochs // 2,
        seed=seed,
    )


def enlarging_arms(settings: EnlargeSettings) -> dict[str, Recipe]:
    return {way: enlarged(way, settings) for way in (NONE, *WAYS)}


def gains_of(scores: Scores) -> dict[str, Interval]:
    """95 % intervals of the gain of each way over the data as they are, paired by seed, in
    percentage points."""
    return {
        way: of_mean([a - b for a, b in zip(scores[way], scores[NONE], strict=True)])
        for way in WAYS
    }


def enlarging_criteria(gains: Mapping[str, Interval]) -> tuple[Criterion, ...]:
    drawn = max((GAUSSIAN, KERNEL), key=lambda way: gains[way][0])
    others = max(gains[way][0] for way in WAYS if way != REAL)

    def helps(way: str, words: str) -> Criterion:
        low = gains[way][1]
        return Criterion(
            f"{words}: the 95 % interval of the gain in test accuracy is above 0 (low end, "
            "percentage points)",
            low,
            low > 0,
        )

    return (
        helps(REAL, "twice as many real images help"),
        helps(NOISE, "copies with noise help"),
        helps(BOOTSTRAP, "drawing samples again helps"),
        helps(drawn, "draws from an estimated distribution help, by the better of two estimates"),
        Criterion(
            "real images help most: their mean gain is above that of every other way (largest of "
            "these, percentage points)",
            others,
            gains[REAL][0] > others,
            part_of_claim=False,
        ),
        Criterion(
            "drawing samples again changes less than half a percentage point (mean gain)",
            gains[BOOTSTRAP][0],
            abs(gains[BOOTSTRAP][0]) < 0.5,
            part_of_claim=False,
        ),
    )


def run_l81(settings: EnlargeSettings) -> LabResult:
    seeds = tuple(range(settings.seeds))
    scores: dict[str, list[float]] = {}
    for way in (NONE, *WAYS):
        for seed in seeds:
            run = train_whole(enlarged(way, settings, seed), watch_every=0)
            assert run.score is not None
            scores.setdefault(way, []).append(100 * run.score.value)
    gains = gains_of(scores)
    numbers = {f"{way}: test accuracy, %": fmean(values) for way, values in scores.items()}
    for way, interval in gains.items():
        for name, value in zip(("mean", "low", "high"), interval, strict=True):
            numbers[f"{way}: gain, {name}, points"] = value
    hashes = recipe_hashes(enlarging_arms(settings))
    return LabResult(numbers, enlarging_criteria(gains), _gains(gains), hashes, seeds)


def _gains(gains: Mapping[str, Interval]) -> str:
    ways = sorted(gains, key=lambda way: gains[way][0])
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for place, way in enumerate(ways):
            mean, low, high = gains[way]
            axis.plot([low, high], [place, place], color=BLUE)
            axis.plot(mean, place, "o", color=BLUE)
        axis.axvline(0, color=GREY, linestyle=":")
        axis.set_yticks(range(len(ways)), [way.replace(" of each", "\nof each") for way in ways])
        axis.set_ylim(-0.5, len(ways) - 0.5)
        axis.set_xlabel("gain in test accuracy, points (95 % interval)")
        return svg(drawing, "Ways to enlarge data")


L81 = Lab(
    "L81",
    lab_texts()["L81"],
    run_l81,
    EnlargeSettings(),
    enlarging_arms,
    minutes=1,
    small={"rows": 40, "epochs": 2, "seeds": 2},
)
