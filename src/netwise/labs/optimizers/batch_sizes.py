"""L44: descent on all samples, on small batches and on single samples, by passes and by time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import signal_values, train_whole
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.parts.stopping import TargetReached
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg, use_log_scale
from netwise.signals import VALID_ACCURACY

TARGET = 0.85
TUNING_SEED = 1000  # of the runs that choose a rate, which are not counted
# name: (samples of a step, 0 for all; rates to choose from)
ARMS: Mapping[str, tuple[int, tuple[float, ...]]] = {
    "all samples": (0, (0.1, 0.3, 1.0)),
    "batches of 10": (10, (0.03, 0.1, 0.3)),
    "single samples": (1, (0.003, 0.01, 0.03)),
}

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class BatchSizesSettings(LabSettings):
    """What can be varied in L44.

    Args:
        images: of which four fifths are trained on. Default 2500.
        epochs: the longest run. Default 200.
        width: of the hidden layer. Default 30.
        seeds: Default 5.
    """

    images: int = integer(2500, least=150, most=60_000, because="MNIST has 60,000")
    epochs: int = integer(200, least=1, most=5000, because="a run has an epoch")
    width: int = integer(30, least=1, most=1000, because="a hidden layer has units")
    seeds: int = integer(5, least=2, most=50, because="an interval needs two values")


def recipe(name: str, rate: float, settings: BatchSizesSettings, seed: int = 0) -> Recipe:
    batch = ARMS[name][0] or settings.images
    return Recipe(
        data=data.mnist(first=settings.images, valid=0.2),
        network=MLP((784, settings.width, 10)),
        init=He(),
        optimizer=SGD(lr=rate),
        batch_size=batch,
        epochs=settings.epochs,
        stopping=TargetReached(TARGET),
        seed=seed,
    )


def arms(settings: BatchSizesSettings) -> dict[str, Recipe]:
    """At the first of the rates."""
    return {name: recipe(name, rates[0], settings) for name, (_, rates) in ARMS.items()}


def passes(recipe: Recipe) -> tuple[Sequence[float], float]:
    """(validation accuracy after each pass until the target is reached, seconds of one core)."""
    begin = time.process_time()
    run = train_whole(recipe, watch_every=0)
    return signal_values(run, VALID_ACCURACY), time.process_time() - begin


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    all_samples, batches, single = (numbers[f"{name}: passes to 85 %"] for name in ARMS)
    low = numbers["passes, all samples / batches of 10, low"]
    quick = (
        numbers["all samples: seconds of one core"] / numbers["batches of 10: seconds of one core"]
    )
    online = (
        numbers["single samples: seconds of one core"]
        / (numbers["batches of 10: seconds of one core"])
    )
    return (
        Criterion(
            "small batches need at least 10 times fewer passes than all samples at once (ratio)",
            all_samples / batches,
            all_samples / batches >= 10,
        ),
        Criterion("so does the low end of the 95 % interval of the ratio", low, low >= 10, False),
        Criterion(
            "single samples need no fewer passes than small batches (ratio)",
            single / batches,
            single / batches >= 1,
            part_of_claim=False,
        ),
        Criterion("small batches need less time than all samples (ratio)", quick, quick > 1, False),
        Criterion(
            "small batches need less time than single ones (ratio)", online, online > 1, False
        ),
    )


def run_l44(settings: BatchSizesSettings) -> LabResult:
    numbers: dict[str, float] = {}
    counts: dict[str, list[float]] = {}
    curves: dict[str, Sequence[float]] = {}
    for name, (_, rates) in ARMS.items():
        tried = {rate: passes(recipe(name, rate, settings, TUNING_SEED))[0] for rate in rates}
        best = min(rates, key=lambda rate: (len(tried[rate]), -tried[rate][-1]))
        runs = [passes(recipe(name, best, settings, seed)) for seed in range(settings.seeds)]
        curves[name] = runs[0][0]
        counts[name] = [float(len(scores)) for scores, _ in runs]
        numbers[f"{name}: rate"] = best
        numbers[f"{name}: passes to 85 %"] = fmean(counts[name])
        numbers[f"{name}: seconds of one core"] = fmean(seconds for _, seconds in runs)
    pairs = zip(counts["all samples"], counts["batches of 10"], strict=True)
    for end, value in zip(("mean", "low", "high"), of_mean([a / b for a, b in pairs]), strict=True):
        numbers[f"passes, all samples / batches of 10, {end}"] = value
    return LabResult(
        numbers,
        criteria(numbers),
        picture(curves),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def picture(curves: Mapping[str, Sequence[float]]) -> str:
    title = "Validation accuracy by passes over the data"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, scores), colour in zip(curves.items(), COLOURS, strict=False):
            percent = [100 * score for score in scores]
            axis.plot(range(1, len(scores) + 1), percent, color=colour, marker=".", label=name)
        axis.axhline(100 * TARGET, color="gray", linewidth=0.8, linestyle=":")
        use_log_scale(axis, "x")
        axis.set_title(title)
        axis.set_xlabel("passes (until 85 %)")
        axis.set_ylabel("accuracy, %")
        axis.legend()
        return svg(drawing, title)


L44 = Lab(
    "L44",
    lab_texts()["L44"],
    run_l44,
    BatchSizesSettings(),
    arms,
    minutes=1,
    small={"images": 150, "epochs": 1, "width": 5, "seeds": 2},
)
