"""L31: with the statistics of the batch, the answers of a batch-normalised network depend on which
samples come together; with the saved ones they do not."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor, nn

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.normalization.digit_network import digit_network
from netwise.labs.runs import train_whole
from netwise.part import integer
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

COMPOSITIONS = ("mixed", "one class", "2 samples")
MODES = ("batch", "saved")
RATE = 1.0  # in the middle of the rates that work in L30

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class BatchStatisticsSettings(LabSettings):
    """What can be varied in L31.

    Args:
        images: of which four fifths are trained on. Default 7500.
        epochs: Default 3.
        batch: samples of the batches that are tested. Default 60.
        seeds: Default 5.
    """

    images: int = integer(7500, least=150, most=60_000, because="MNIST has 60,000")
    epochs: int = integer(3, least=1, most=200, because="a run has an epoch")
    batch: int = integer(60, least=2, most=500, because="a variance needs two samples")
    seeds: int = integer(5, least=2, most=50, because="a mean over seeds is judged")


def recipe(settings: BatchStatisticsSettings, seed: int = 0) -> Recipe:
    return digit_network(
        True, RATE, images=settings.images, width=100, epochs=settings.epochs, seed=seed
    )


def arms(settings: BatchStatisticsSettings) -> dict[str, Recipe]:
    return {"batch norm": recipe(settings)}


def batches(y: Tensor, composition: str, size: int) -> list[Tensor]:
    """Rows of the batches that are tested; those of one class are all of its samples in turn."""
    if composition == "one class":
        rows = [(y == label).nonzero()[:, 0].split(size) for label in y.unique()]
        return [each for parts in rows for each in parts if len(each) > 1]
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    parts = order.split(2 if composition == "2 samples" else size)
    return [each for each in parts if len(each) > 1]


def accuracy(module: nn.Module, x: Tensor, y: Tensor, parts: list[Tensor], mode: str) -> float:
    """Accuracy over batches, with the statistics of each or with the saved ones. The module is
    not changed."""
    module = deepcopy(module).train(mode == "batch")  # it has no dropout
    right = 0
    with torch.no_grad():
        for rows in parts:
            right += int((module(x[rows]).argmax(1) == y[rows]).sum())
    return right / sum(len(rows) for rows in parts)


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    fall = numbers["batch, mixed: accuracy"] - numbers["batch, one class: accuracy"]
    apart = abs(numbers["saved, mixed: accuracy"] - numbers["saved, one class: accuracy"])
    mixed = abs(numbers["batch, mixed: accuracy"] - numbers["saved, mixed: accuracy"])
    pairs = numbers["saved, 2 samples: accuracy"] - numbers["batch, 2 samples: accuracy"]
    return (
        Criterion(
            "with the statistics of the batch, accuracy falls by more than 20 points where each "
            "batch has one class",
            100 * fall,
            fall > 0.2,
        ),
        Criterion(
            "with the saved statistics it does not depend on the batch (difference in points)",
            100 * apart,
            apart < 1e-9,
        ),
        Criterion(
            "in mixed batches of the size of training both are within 1 point",
            100 * mixed,
            mixed < 0.01,
            part_of_claim=False,
        ),
        Criterion(
            "batches of 2 lose more than 10 points with their own statistics",
            100 * pairs,
            pairs > 0.1,
            part_of_claim=False,
        ),
    )


def run_l31(settings: BatchStatisticsSettings) -> LabResult:
    scores: dict[str, list[float]] = {}
    for seed in range(settings.seeds):
        run = train_whole(recipe(settings, seed), watch_every=0)
        valid = run.recipe.data.load().valid
        for mode in MODES:
            for composition in COMPOSITIONS:
                parts = batches(valid.y, composition, settings.batch)
                name = f"{mode}, {composition}: accuracy"
                value = accuracy(run.module, valid.x, valid.y, parts, mode)
                scores.setdefault(name, []).append(value)
    numbers = {name: fmean(values) for name, values in scores.items()}
    return LabResult(
        numbers,
        criteria(numbers),
        picture(numbers),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def picture(numbers: Numbers) -> str:
    title = "Accuracy by what is in a batch"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for shift, mode, colour in zip((-0.2, 0.2), MODES, (ORANGE, BLUE), strict=True):
            values = [100 * numbers[f"{mode}, {each}: accuracy"] for each in COMPOSITIONS]
            places = [i + shift for i in range(len(COMPOSITIONS))]
            axis.bar(places, values, 0.38, color=colour, label=f"{mode} statistics")
        axis.set_xticks(range(len(COMPOSITIONS)), COMPOSITIONS)
        axis.set_title(title)
        axis.set_ylabel("accuracy, %")
        axis.set_ylim(0, 120)
        axis.legend(ncols=2, loc="upper right")
        return svg(drawing, title)


L31 = Lab(
    "L31",
    lab_texts()["L31"],
    run_l31,
    BatchStatisticsSettings(),
    arms,
    minutes=0.3,
    small={"images": 300, "epochs": 1, "seeds": 2},
)
