"""L33: batch normalization before or after the activation."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.small_photos import PhotoSettings, photo_recipe, tuned
from netwise.parts.preprocess import Resize, Standardise
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

BLOCKS = {"none": "CAP", "before": "CBAP", "after": "CABP"}
SETS = ("digits", "photographs")
RATES = (0.001, 0.003)
DIGIT_SIDE = 14

Numbers = Mapping[str, float]


def recipe(name: str, place: str, rate: float, settings: PhotoSettings, seed: int = 0) -> Recipe:
    photos = photo_recipe(
        BLOCKS[place], rate, images=settings.images, epochs=settings.epochs, seed=seed
    )
    if name == "photographs":
        return photos
    return photos.but(
        data=data.mnist(first=settings.images, valid=0.5),
        preprocess=(Resize(DIGIT_SIDE, DIGIT_SIDE), Standardise()),
        network=photos.network.but(image=(1, DIGIT_SIDE, DIGIT_SIDE)),
    )


def arms(settings: PhotoSettings) -> dict[str, Recipe]:
    """At the first of the rates."""
    return {
        f"{name}, {place}": recipe(name, place, RATES[0], settings)
        for name in SETS
        for place in BLOCKS
    }


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    made = []
    for name in SETS:
        low, high = (numbers[f"{name}, before - after, points, {end}"] for end in ("low", "high"))
        mean = numbers[f"{name}, before - after, points, mean"]
        made.append(
            Criterion(
                f"{name}: the 95 % interval of the difference contains 0, or the difference is "
                "below 1 point",
                mean,
                low <= 0 <= high or abs(mean) < 1,
            )
        )
    for name in SETS:
        worse = min(
            numbers[f"{name}, {place}: gain over none, points"]
            for place in BLOCKS
            if place != "none"
        )
        made.append(
            Criterion(
                f"{name}: both places are better than no batch norm (the smaller gain, points)",
                worse,
                worse > 0,
                part_of_claim=False,
            )
        )
    return tuple(made)


def run_l33(settings: PhotoSettings) -> LabResult:
    numbers: dict[str, float] = {}
    for name in SETS:
        scores: dict[str, list[float]] = {}
        for place in BLOCKS:
            rate, scores[place] = tuned(
                lambda rate, seed, n=name, p=place: recipe(n, p, rate, settings, seed),  # type: ignore[misc]
                RATES,
                settings.seeds,
            )
            numbers[f"{name}, {place}: rate"] = rate
            numbers[f"{name}, {place}: accuracy"] = fmean(scores[place])
            if place != "none":
                more = 100 * (fmean(scores[place]) - fmean(scores["none"]))
                numbers[f"{name}, {place}: gain over none, points"] = more
        pairs = zip(scores["before"], scores["after"], strict=True)
        ends = of_mean([100 * (before - after) for before, after in pairs])
        for end, value in zip(("mean", "low", "high"), ends, strict=True):
            numbers[f"{name}, before - after, points, {end}"] = value
    return LabResult(
        numbers,
        criteria(numbers),
        picture(numbers),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def picture(numbers: Numbers) -> str:
    title = "Accuracy by the place of batch norm"
    with figure(columns=2) as (drawing, axes):
        for axis, name in zip(axes[0], SETS, strict=True):
            values = [100 * numbers[f"{name}, {place}: accuracy"] for place in BLOCKS]
            axis.bar(list(BLOCKS), values, color=COLOURS[: len(values)])
            axis.set_ylim(min(values) - 5, min(100, max(values) + 2))
            axis.set_title(name)
        axes[0][0].set_ylabel("validation accuracy, %")
        return svg(drawing, title)


L33 = Lab("L33", lab_texts()["L33"], run_l33, PhotoSettings(epochs=4), arms, minutes=3)
