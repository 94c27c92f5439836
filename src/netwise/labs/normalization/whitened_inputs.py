"""L56: standardised, contrast-normalised and whitened images against plain pixels, with and without
batch normalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.small_photos import PhotoSettings, photo_recipe, tuned
from netwise.parts.preprocess import GlobalContrast, Preprocess, Standardise, Whiten
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

STEPS: Mapping[str, tuple[Preprocess, ...]] = {
    "pixels 0 to 1": (),
    "standardised": (Standardise(),),
    "contrast": (GlobalContrast(),),
    "contrast, ZCA": (GlobalContrast(), Whiten()),
}
PLAIN = "pixels 0 to 1"
BLOCKS = {"without batch norm": "CAP", "with batch norm": "CBAP"}
RATES = (0.001, 0.003)
CLEAR = 1.0  # percentage points that a clear improvement gains

Numbers = Mapping[str, float]


def recipe(steps: str, norm: str, rate: float, settings: PhotoSettings, seed: int = 0) -> Recipe:
    return photo_recipe(
        BLOCKS[norm],
        rate,
        images=settings.images,
        epochs=settings.epochs,
        seed=seed,
        preprocess=STEPS[steps],
    )


def arms(settings: PhotoSettings) -> dict[str, Recipe]:
    """At the first of the rates."""
    return {
        f"{steps}, {norm}": recipe(steps, norm, RATES[0], settings)
        for norm in BLOCKS
        for steps in STEPS
    }


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    gains = {
        (steps, norm): numbers[f"{steps}, {norm}: gain, points"]
        for norm in BLOCKS
        for steps in STEPS
        if steps != PLAIN
    }
    without = [value for (_, norm), value in gains.items() if norm == "without batch norm"]
    with_norm = [value for (_, norm), value in gains.items() if norm == "with batch norm"]
    each = tuple(
        Criterion(
            f"without batch norm, {steps} gains more than {CLEAR:g} point over pixels from 0 to 1",
            value,
            value > CLEAR,
        )
        for (steps, norm), value in gains.items()
        if norm == "without batch norm"
    )
    less = fmean(without) - fmean(with_norm)
    intervals = [
        (numbers[f"{steps}, without batch norm: gain, {end}"] for end in ("low", "high"))
        for steps in STEPS
        if steps != PLAIN
    ]
    decided = sum(not low <= CLEAR <= high for low, high in intervals)
    return (
        *each,
        Criterion(
            f"these runs decide it: the 95 % intervals do not contain {CLEAR:g} point (of 3)",
            decided,
            decided == len(intervals),
            part_of_claim=False,
        ),
        Criterion(
            "the mean gain of the three is smaller with batch norm (difference above 0 points)",
            less,
            less > 0,
            part_of_claim=False,
        ),
    )


def run_l56(settings: PhotoSettings) -> LabResult:
    numbers: dict[str, float] = {}
    for norm in BLOCKS:
        scores: dict[str, list[float]] = {}
        for steps in STEPS:
            rate, scores[steps] = tuned(
                lambda rate, seed, s=steps, n=norm: recipe(s, n, rate, settings, seed),  # type: ignore[misc]
                RATES,
                settings.seeds,
            )
            numbers[f"{steps}, {norm}: rate"] = rate
            numbers[f"{steps}, {norm}: accuracy"] = fmean(scores[steps])
            if steps != PLAIN:
                mean, low, high = gain(scores[steps], scores[PLAIN])
                numbers[f"{steps}, {norm}: gain, points"] = mean
                numbers[f"{steps}, {norm}: gain, low"] = low
                numbers[f"{steps}, {norm}: gain, high"] = high
    return LabResult(
        numbers,
        criteria(numbers),
        picture(numbers),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def gain(scores: Sequence[float], plain: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of the differences of accuracies of the same seeds, in points."""
    return of_mean([100 * (a - b) for a, b in zip(scores, plain, strict=True)])


def picture(numbers: Numbers) -> str:
    title = "Gain over pixels from 0 to 1"
    names = [steps for steps in STEPS if steps != PLAIN]
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for shift, norm, colour in zip((-0.1, 0.1), BLOCKS, (ORANGE, BLUE), strict=True):
            means = [numbers[f"{steps}, {norm}: gain, points"] for steps in names]
            lows = [numbers[f"{steps}, {norm}: gain, low"] for steps in names]
            errors = [mean - low for mean, low in zip(means, lows, strict=True)]
            places = [i + shift for i in range(len(names))]
            axis.errorbar(places, means, errors, fmt="o", color=colour, capsize=3, label=norm)
        axis.axhline(0, color="gray", linewidth=0.8)
        axis.set_xticks(range(len(names)), names)
        axis.set_title(title)
        axis.set_ylabel("accuracy, points (95 % interval)")
        axis.legend()
        return svg(drawing, title)


L56 = Lab("L56", lab_texts()["L56"], run_l56, PhotoSettings(), arms, minutes=5)
