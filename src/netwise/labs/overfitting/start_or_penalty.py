"""L68 and L89: L2 makes runs more alike and gains 5 points where the start has too large weights; a
start with scaled weights does both without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import stdev

from netwise.labs.catalogue import lab_texts
from netwise.labs.digit_networks import LARGE_START, POINTS, SCALED_START, digit_network
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.overfitting.measures import Numbers, accuracy_by_epoch, interval, percent
from netwise.labs.overfitting.thousand_images import SMALL, penalty_arms, train_arm
from netwise.labs.overfitting.thousand_settings import (
    AlikeSettings,
    StartOrPenaltySettings,
    ThousandSettings,
)
from netwise.labs.stacked_training import TEST
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

# L68: alike runs


def alike_arms(settings: AlikeSettings) -> dict[str, Recipe]:
    large = penalty_arms(ThousandSettings(epochs=settings.epochs))
    scaled = digit_network(1000, epochs=max(1, settings.epochs * 3 // 10), init=SCALED_START)
    return {**large, "scaled start, no penalty": scaled}


def spread_ratio(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """(ratio, low, high) of the standard deviation of `one` over that of `other`, with the 95 %
    interval for normal values."""
    from scipy import stats

    ratio = stdev(one) / stdev(other)
    degrees = len(one) - 1, len(other) - 1
    low, high = (ratio / float(stats.f.ppf(q, *degrees)) ** 0.5 for q in (0.975, 0.025))
    return ratio, low, high


def alike_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    ratio, high = numbers["L2 / no penalty: ratio"], numbers["L2 / no penalty: high"]
    start = numbers["scaled start / no penalty: ratio"]
    return (
        Criterion(
            "the standard deviation of the best test accuracy with L2 is below 0.6 of that "
            "without (ratio)",
            ratio,
            ratio < 0.6,
        ),
        Criterion(
            "the ratio is below 1 beyond chance (high end of the 95 % interval)",
            high,
            high < 1,
            part_of_claim=False,
        ),
        Criterion(
            "weights of 1 / sqrt(inputs) at the start do the same without a penalty (ratio)",
            start,
            start < 0.6,
            part_of_claim=False,
        ),
    )


def run_l68(settings: AlikeSettings) -> LabResult:
    arms = alike_arms(settings)
    best = {
        name: percent(train_arm(recipe, settings.seeds).curves[TEST].best)
        for name, recipe in arms.items()
    }
    bare, decayed, scaled = best.values()
    numbers: dict[str, float] = {
        f"{name}: standard deviation, points": stdev(values) for name, values in best.items()
    }
    for name, values in (("L2", decayed), ("scaled start", scaled)):
        for what, value in zip(("ratio", "low", "high"), spread_ratio(values, bare), strict=True):
            numbers[f"{name} / no penalty: {what}"] = value
    return LabResult(
        numbers,
        alike_criteria(numbers),
        _dots(best, "Best test accuracy of each seed"),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


def _dots(best: Mapping[str, Sequence[float]], title: str) -> str:
    with figure(height=2.2) as (drawing, axes):
        axis = axes[0][0]
        for place, ((_, values), colour) in enumerate(zip(best.items(), COLOURS, strict=False)):
            axis.plot(values, [place] * len(values), "o", color=colour, alpha=0.6)
        axis.set_yticks(range(len(best)), list(best))
        axis.set_ylim(len(best) - 0.5, -0.5)
        axis.set_xlabel("%")
        axis.set_title(title)
        return svg(drawing, title)


# L89: a cure of the start?


def start_arms(settings: StartOrPenaltySettings) -> dict[str, Recipe]:
    def arm(large: bool, decay: float) -> Recipe:
        return digit_network(
            settings.images,
            epochs=settings.epochs if large else settings.scaled_epochs,
            init=LARGE_START if large else SCALED_START,
            decay=decay,
        )

    return {
        "N(0, 1)": arm(True, 0.0),
        "N(0, 1), lambda 0.1": arm(True, 0.1),
        "1 / sqrt(n)": arm(False, 0.0),
        "1 / sqrt(n), lambda 0.1": arm(False, 0.1),
        "1 / sqrt(n), lambda 1": arm(False, 1.0),
        "1 / sqrt(n), lambda 3": arm(False, 3.0),
    }


def start_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    large = numbers["gain of lambda 0.1 under N(0, 1), points: mean"]
    scaled = numbers["gain of lambda 0.1 under 1 / sqrt(n), points: mean"]
    instead = numbers["1 / sqrt(n) alone minus N(0, 1) with lambda 0.1, points: low"]
    tuned = numbers["best gain of lambda 0.1, 1 or 3 under 1 / sqrt(n), points"]
    return (
        Criterion(
            "lambda 0.1 gains more than 3 percentage points from a start of N(0, 1) (mean)",
            large,
            large > 3,
        ),
        Criterion(
            "lambda 0.1 gains less than 0.7 percentage points from a start of 1 / sqrt(n) (mean)",
            scaled,
            scaled < 0.7,
        ),
        Criterion(
            "a start of 1 / sqrt(n) without L2 is at most 0.5 points behind N(0, 1) with L2 (low "
            "end of the 95 % interval of the difference)",
            instead,
            instead > -0.5,
            part_of_claim=False,
        ),
        Criterion(
            "no lambda of 0.1, 1 and 3 gains more than 1.5 points from a start of 1 / sqrt(n)",
            tuned,
            tuned <= 1.5,
            part_of_claim=False,
        ),
    )


def run_l89(settings: StartOrPenaltySettings) -> LabResult:
    arms = start_arms(settings)
    curves = {name: train_arm(recipe, settings.seeds).curves[TEST] for name, recipe in arms.items()}
    best = {name: curve.best for name, curve in curves.items()}
    gains = {
        start: {
            strength: best[f"{start}, lambda {strength}"] - best[start]
            for strength in ("0.1", "1", "3")
            if f"{start}, lambda {strength}" in best
        }
        for start in ("N(0, 1)", "1 / sqrt(n)")
    }
    numbers = {
        **{
            f"{name}: best test accuracy, %: mean": POINTS * float(values.mean())
            for name, values in best.items()
        },
        **{
            name: value
            for start, row in gains.items()
            for strength, gain in row.items()
            for name, value in interval(
                f"gain of lambda {strength} under {start}, points", percent(gain)
            ).items()
        },
        **interval(
            "1 / sqrt(n) alone minus N(0, 1) with lambda 0.1, points",
            percent(best["1 / sqrt(n)"] - best["N(0, 1), lambda 0.1"]),
        ),
        "best gain of lambda 0.1, 1 or 3 under 1 / sqrt(n), points": POINTS
        * max(float(gain.mean()) for gain in gains["1 / sqrt(n)"].values()),
    }
    shown = {name: curves[name] for name in list(curves)[:4]}
    return LabResult(
        numbers,
        start_criteria(numbers),
        accuracy_by_epoch(shown, "Start and L2"),
        recipe_hashes(arms),
        tuple(range(settings.seeds)),
    )


L68 = Lab("L68", lab_texts()["L68"], run_l68, AlikeSettings(), alike_arms, 1.5, SMALL)
L89 = Lab(
    "L89",
    lab_texts()["L89"],
    run_l89,
    StartOrPenaltySettings(),
    start_arms,
    1.5,
    {**SMALL, "scaled_epochs": 2},
)
