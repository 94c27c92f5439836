"""L53: the number of fully connected layers after the convolutions."""

from __future__ import annotations

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.convolution.photographs import (
    Errors,
    PhotographSettings,
    arms_of,
    error_numbers,
    error_picture,
    errors_by_seed,
    network,
    range_of_means,
)
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.networks import ConvNet

UNITS = 64
COUNTS = (0, 1, 2, 3)  # hidden layers before the last one


def by_count() -> dict[str, ConvNet]:
    return {f"{count} hidden layers": network(hidden=[UNITS] * count) for count in COUNTS}


def layer_criteria(errors: Errors) -> tuple[Criterion, ...]:
    widest = range_of_means(errors)
    first, *_, last = errors.values()
    mean, low, high = of_mean([many - none for none, many in zip(first, last, strict=True)])
    return (
        Criterion(
            "the mean errors with 0 to 3 hidden layers lie within 1 percentage point (their range)",
            widest,
            widest < 1,
        ),
        Criterion(
            "3 hidden layers are neither significantly better nor worse than none: the 95 % "
            "interval of the difference includes 0 (mean difference of errors, percentage points)",
            mean,
            low <= 0 <= high,
            part_of_claim=False,
        ),
    )


def run_l53(settings: PhotographSettings) -> LabResult:
    nets = by_count()
    errors = errors_by_seed(nets, settings)
    numbers = {**error_numbers(errors), "range of mean errors, points": range_of_means(errors)}
    picture = error_picture(
        {"": errors},
        [str(count) for count in COUNTS],
        f"hidden layers of {UNITS} units after the convolutions",
        "More fully connected layers",
        "Fully connected layers",
    )
    hashes = recipe_hashes(arms_of(nets, settings))
    return LabResult(numbers, layer_criteria(errors), picture, hashes, tuple(range(settings.seeds)))


L53 = Lab(
    "L53",
    lab_texts()["L53"],
    run_l53,
    PhotographSettings(),
    lambda settings: arms_of(by_count(), settings),
    minutes=1,
    small={"photographs": 100, "epochs": 1, "seeds": 2},
)
