"""L41: Adam is fast at first, descent with momentum is better at the end, and Adam followed by
descent has both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.runs import signal_values, train_whole
from netwise.labs.small_photos import TUNING_SEED, PhotoSettings, photo_recipe
from netwise.parts.optimizers import SGD, Adam, Optimizer, SwitchOptimizer
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREEN, ORANGE, figure, svg
from netwise.signals import VALID_ACCURACY

CANDIDATES: Mapping[str, tuple[Optimizer, ...]] = {
    "Adam": tuple(Adam(lr=rate) for rate in (0.0003, 0.001, 0.003)),
    "SGD": tuple(SGD(lr=rate, momentum=0.9) for rate in (0.003, 0.01, 0.03)),
}
AT = ("epoch 1", "a third", "end")

Numbers = Mapping[str, float]


def candidates(name: str, chosen: Optimizer | None = None) -> tuple[Optimizer, ...]:
    """The optimizers of an arm, three of each: those that switch begin with the chosen Adam."""
    if name != "Adam, then SGD":
        return CANDIDATES[name]
    assert isinstance(chosen, Adam)
    return tuple(
        SwitchOptimizer(first=chosen, then=SGD(lr=rate, momentum=0.9))
        for rate in (0.0003, 0.001, 0.003)
    )


def recipe(optimizer: Optimizer, settings: PhotoSettings, seed: int = 0) -> Recipe:
    made = photo_recipe("CAP", 0.001, images=settings.images, epochs=settings.epochs, seed=seed)
    return made.but(optimizer=optimizer)


def arms(settings: PhotoSettings) -> dict[str, Recipe]:
    """With the first candidate of each."""
    adam = CANDIDATES["Adam"][0]
    return {
        name: recipe(candidates(name, adam)[0], settings)
        for name in ("Adam", "SGD", "Adam, then SGD")
    }


def curve(optimizer: Optimizer, settings: PhotoSettings, seed: int) -> Sequence[float]:
    """Validation accuracy after each epoch."""
    run = train_whole(recipe(optimizer, settings, seed), watch_every=0)
    return signal_values(run, VALID_ACCURACY)


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    ahead = numbers["epoch 1: Adam - SGD, points, mean"]
    end = numbers["end: SGD - Adam, points, mean"]
    low = numbers["end: SGD - Adam, points, low"]
    best = max(numbers["Adam: accuracy, end"], numbers["SGD: accuracy, end"])
    behind = 100 * (numbers["Adam, then SGD: accuracy, end"] - best)
    return (
        Criterion("Adam is ahead after epoch 1 (points)", ahead, ahead > 0),
        Criterion("SGD with momentum is ahead at the end (points)", end, end > 0),
        Criterion(
            "Adam, then SGD ends at most 0.1 points behind the better of the two",
            behind,
            behind >= -0.1,
        ),
        Criterion(
            "SGD is ahead at the end in the 95 % interval (its low end, points)",
            low,
            low > 0,
            part_of_claim=False,
        ),
    )


def run_l41(settings: PhotoSettings) -> LabResult:
    numbers: dict[str, float] = {}
    curves: dict[str, list[Sequence[float]]] = {}
    adam: Optimizer | None = None
    for name in ("Adam", "SGD", "Adam, then SGD"):
        tried = {
            optimizer: curve(optimizer, settings, TUNING_SEED)[-1]
            for optimizer in candidates(name, adam)
        }
        best = max(tried, key=lambda optimizer: tried[optimizer])
        adam = adam or best
        curves[name] = [curve(best, settings, seed) for seed in range(settings.seeds)]
        last = best.then if isinstance(best, SwitchOptimizer) else best
        numbers[f"{name}: rate"] = last.lr
        for label, place in zip(AT, (0, settings.epochs // 3 - 1, -1), strict=True):
            numbers[f"{name}: accuracy, {label}"] = fmean(row[place] for row in curves[name])
    for label, place, first, second in (("epoch 1", 0, "Adam", "SGD"), ("end", -1, "SGD", "Adam")):
        pairs = zip(curves[first], curves[second], strict=True)
        ends = of_mean([100 * (a[place] - b[place]) for a, b in pairs])
        for end, value in zip(("mean", "low", "high"), ends, strict=True):
            numbers[f"{label}: {first} - {second}, points, {end}"] = value
    return LabResult(
        numbers,
        criteria(numbers),
        picture(curves),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def picture(curves: Mapping[str, Sequence[Sequence[float]]]) -> str:
    title = "Validation accuracy, mean of the seeds"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, rows), colour in zip(curves.items(), (ORANGE, BLUE, GREEN), strict=True):
            means = [100 * fmean(values) for values in zip(*rows, strict=True)]
            axis.plot(range(1, len(means) + 1), means, color=colour, label=name)
        axis.set_title(title)
        axis.set_xlabel("epoch")
        axis.set_ylabel("accuracy, %")
        axis.legend()
        return svg(drawing, title)


L41 = Lab("L41", lab_texts()["L41"], run_l41, PhotoSettings(epochs=20), arms, minutes=3)
