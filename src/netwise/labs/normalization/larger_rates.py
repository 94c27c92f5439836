"""L30: batch normalization permits larger learning rates, and training needs fewer steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.normalization.digit_network import BATCH, digit_network
from netwise.labs.runs import train_whole
from netwise.part import integer, numbers
from netwise.parts.stopping import TargetReached
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg, use_log_scale
from netwise.signals import VALID_ACCURACY
from netwise.training.run import Run

TARGET = 0.9
ARMS = {"plain": False, "batch norm": True}

Seen = Mapping[str, float]


@dataclass(frozen=True)
class LargerRatesSettings(LabSettings):
    """What can be varied in L30.

    Args:
        epochs: the longest run. Default 12, 1200 steps.
        images: of which four fifths are trained on. Default 7500.
        width: units of each hidden layer. Default 100, the paper's.
        seeds: runs at each rate. Default 5.
        rates: that are tried. Default 7 from 0.03 to 30.
    """

    epochs: int = integer(12, least=1, most=200, because="a run has an epoch")
    images: int = integer(7500, least=150, most=60_000, because="MNIST has 60,000")
    width: int = integer(100, least=1, most=1000, because="a hidden layer has units")
    seeds: int = integer(5, least=2, most=50, because="an interval needs two values")
    rates: tuple[float, ...] = numbers(
        (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
        above=0,
        shortest=1,
        because="each is a learning rate",
    )


def recipe(name: str, rate: float, settings: LargerRatesSettings, seed: int = 0) -> Recipe:
    made = digit_network(
        ARMS[name],
        rate,
        images=settings.images,
        width=settings.width,
        epochs=settings.epochs,
        seed=seed,
    )
    return made.but(stopping=TargetReached(TARGET))


def arms(settings: LargerRatesSettings) -> dict[str, Recipe]:
    """One recipe of each arm; the others differ in rate and seed alone."""
    return {name: recipe(name, settings.rates[0], settings) for name in ARMS}


def steps_to_target(scores: Sequence[float], per_epoch: int) -> float:
    """The steps until the accuracy reaches 90 %; between two epochs by a straight line, which is at
    guessing in step 0. Infinite where it does not."""
    before = 0.1
    for epoch, now in enumerate(scores):
        if now >= TARGET:
            return (epoch + (TARGET - before) / (now - before)) * per_epoch
        before = now
    return math.inf


def best_rate(steps: Mapping[float, Sequence[float]]) -> float:
    """The rate whose mean over the seeds is smallest; the smallest rate where none gets there."""
    return min(steps, key=lambda rate: sum(steps[rate]))


def usable(steps: Mapping[float, Sequence[float]]) -> tuple[float, float]:
    """(lowest, highest) rate at which every seed gets there; (1, 1) where there is none."""
    rates = [rate for rate, values in steps.items() if all(map(math.isfinite, values))]
    return (min(rates), max(rates)) if rates else (1.0, 1.0)


def criteria(seen: Seen) -> tuple[Criterion, ...]:
    low = seen["steps plain / batch norm, low"]
    mean = seen["steps plain / batch norm, mean"]
    wider = (
        seen["batch norm: usable rates, highest / lowest"]
        / (seen["plain: usable rates, highest / lowest"])
    )
    highest = seen["batch norm: highest usable rate"] / seen["plain: highest usable rate"]
    return (
        Criterion(
            "at their best rates batch norm needs fewer steps to 90 %: a ratio of at least 1.5",
            mean,
            mean >= 1.5,
        ),
        Criterion(
            "the range of rates that reach 90 %, highest over lowest, is at least 5 times as wide",
            wider,
            wider >= 5,
        ),
        Criterion(
            "the highest rate that reaches 90 % is larger (ratio above 1)", highest, highest > 1
        ),
        Criterion(
            "the ratio of steps is above 1 in its 95 % interval", low, low > 1, part_of_claim=False
        ),
        Criterion(
            "the gain is that of the paper on ImageNet: 14 times fewer steps",
            mean,
            mean >= 14,
            part_of_claim=False,
        ),
    )


def run_l30(settings: LargerRatesSettings) -> LabResult:
    per_epoch = math.ceil(settings.images * 0.8 / BATCH)
    longest = float(settings.epochs * per_epoch)
    seen: dict[str, float] = {}
    steps: dict[str, dict[float, list[float]]] = {}
    best: dict[str, list[float]] = {}
    for name in ARMS:
        steps[name] = {rate: steps_at(name, rate, settings) for rate in settings.rates}
        lowest, highest = usable(steps[name])
        seen[f"{name}: lowest usable rate"] = lowest
        seen[f"{name}: highest usable rate"] = highest
        seen[f"{name}: usable rates, highest / lowest"] = highest / lowest
        seen[f"{name}: best rate"] = best_rate(steps[name])
        best[name] = [min(value, longest) for value in steps[name][best_rate(steps[name])]]
        seen[f"{name}: steps at the best rate"] = sum(best[name]) / settings.seeds
    pairs = zip(best["plain"], best["batch norm"], strict=True)
    ratios = of_mean([plain / normalised for plain, normalised in pairs])
    for end, value in zip(("mean", "low", "high"), ratios, strict=True):
        seen[f"steps plain / batch norm, {end}"] = value
    return LabResult(
        seen,
        criteria(seen),
        picture(steps, longest),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def steps_at(name: str, rate: float, settings: LargerRatesSettings) -> list[float]:
    """The steps that each seed needs."""
    per_epoch = math.ceil(settings.images * 0.8 / BATCH)
    runs = [
        train_whole(recipe(name, rate, settings, seed), watch_every=0)
        for seed in range(settings.seeds)
    ]
    return [steps_to_target(accuracies(run), per_epoch) for run in runs]


def accuracies(run: Run) -> Sequence[float]:
    """After each epoch; none where the run diverged in the first."""
    series = run.history.of(VALID_ACCURACY)
    return () if series is None else series.values


def picture(steps: Mapping[str, Mapping[float, Sequence[float]]], longest: float) -> str:
    title = "Steps until 90 % of the digits are right"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, values), colour in zip(steps.items(), (ORANGE, BLUE), strict=True):
            means = [sum(min(v, longest) for v in row) / len(row) for row in values.values()]
            axis.plot(list(values), means, color=colour, marker="o", label=name)
            for rate, row in values.items():
                axis.plot(
                    [rate] * len(row), [min(v, longest) for v in row], ".", color=colour, alpha=0.4
                )
        use_log_scale(axis, "x")
        axis.set_ylim(0, longest * 1.05)
        axis.set_title(title)
        axis.set_xlabel("learning rate")
        axis.set_ylabel(f"steps ({longest:g}: not reached)")
        axis.legend()
        return svg(drawing, title)


L30 = Lab(
    "L30",
    lab_texts()["L30"],
    run_l30,
    LargerRatesSettings(),
    arms,
    minutes=3,
    small={"epochs": 1, "images": 150, "width": 5, "seeds": 2, "rates": (1.0,)},
)
