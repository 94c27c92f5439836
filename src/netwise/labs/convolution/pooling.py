"""L57: maximum pooling for texture and mean pooling for background, on images made for it and on
photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import ConvNet
from netwise.part import integer, number
from netwise.parts.initializers import He
from netwise.parts.optimizers import Adam
from netwise.parts.schedules import Cosine
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg

TEXTURE, BACKGROUND, PHOTOGRAPHS = "sparse texture", "background level", "CIFAR-10"
TASKS = (TEXTURE, BACKGROUND, PHOTOGRAPHS)
POOLS = ("max", "mean")
SIDE, MADE, TESTED = 16, 1000, 1000  # side of the images that are made, and how many

Floats = NDArray[np.float32]
Scores = Mapping[tuple[str, str], Sequence[float]]  # (task, pool) -> test accuracy in %, by seed


@dataclass(frozen=True)
class PoolingSettings(LabSettings):
    """What can be varied in L57.

    Args:
        marks: crosses in an image of the class with texture. Default 2.
        level: difference of the background between the classes, where its noise is 1. Default 0.1.
        epochs: on the images that are made; on photographs a third of it. Default 12.
        photographs: of CIFAR-10, to train on. Default 1,500.
        seeds: paired runs. Default 5.
    """

    marks: int = integer(2, least=1, most=20, because="one class has texture")
    level: float = number(0.1, above=0, because="the classes differ by it")
    epochs: int = integer(12, least=3, most=500, because="a third of them is at least 1")
    photographs: int = integer(1500, least=100, most=50_000, because="ten of each class at least")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two runs")


def textured(count: int, marks: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Noise with standard deviation 1, (count, 1, 16, 16); images of class 1 have a few small
    diagonal crosses, and those of class 0 as many upright ones."""
    x = rng.normal(0, 1, (count, 1, SIDE, SIDE)).astype(np.float32)
    y = rng.integers(0, 2, count)
    diagonal = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.float32)
    upright = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.float32)
    for image, label in zip(x, y, strict=True):
        for row, column in rng.integers(0, SIDE - 2, (marks, 2)):
            image[0, row : row + 3, column : column + 3] += 4 * (diagonal if label else upright)
    return x, y


def levelled(
    count: int, level: float, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """Noise with standard deviation 1, (count, 1, 16, 16), on a background that is higher by
    `level` in class 1."""
    x = rng.normal(0, 1, (count, 1, SIDE, SIDE)).astype(np.float32)
    y = rng.integers(0, 2, count)
    return x + (level * (y - 0.5)).astype(np.float32)[:, None, None, None], y


def images_of(task: str, settings: PoolingSettings, seed: int) -> data.Data:
    """The data of a task; those that are made are drawn anew for each seed."""
    if task == PHOTOGRAPHS:
        photographs = data.cifar10(valid=0.0)
        return data.Fewer(data=photographs, rows=settings.photographs, draw=seed)
    rng = np.random.default_rng(seed)

    def made(count: int) -> tuple[Any, Any]:
        if task == TEXTURE:
            return textured(count, settings.marks, rng)
        return levelled(count, settings.level, rng)

    x, y = made(MADE)
    return data.arrays(x, y, test=made(TESTED), valid=0.0)


def pooled(task: str, pool: str, settings: PoolingSettings, seed: int = 0) -> Recipe:
    """Two blocks of convolution, batch norm, ReLU and pooling, and one linear layer."""
    photographs = task == PHOTOGRAPHS
    return Recipe(
        data=images_of(task, settings, seed),
        network=ConvNet(
            image=(3, 32, 32) if photographs else (1, SIDE, SIDE),
            classes=10 if photographs else 2,
            channels=(8, 16) if photographs else (8, 8),
            block="CBAP",
            pool=pool,
            dropout=0.0,
        ),
        init=He(),
        optimizer=Adam(lr=0.003),
        schedule=Cosine(),
        batch_size=50,
        epochs=settings.epochs // 3 if photographs else settings.epochs,
        seed=seed,
    )


def pooling_arms(settings: PoolingSettings) -> dict[str, Recipe]:
    return {f"{task}, {pool}": pooled(task, pool, settings) for task in TASKS for pool in POOLS}


def lead_of_max(scores: Scores, task: str) -> tuple[float, float, float]:
    """95 % interval of the accuracy with maximum pooling minus that with mean pooling, paired by
    seed, in percentage points: (mean, low, high)."""
    pairs = zip(scores[task, "max"], scores[task, "mean"], strict=True)
    return of_mean([a - b for a, b in pairs])


def pooling_criteria(leads: Mapping[str, tuple[float, float, float]]) -> tuple[Criterion, ...]:
    """Criteria on the leads of maximum pooling, by task."""
    return (
        Criterion(
            "maximum pooling is better where classes differ by sparse texture: the 95 % interval "
            "of its lead is above 0 (low end, percentage points)",
            leads[TEXTURE][1],
            leads[TEXTURE][1] > 0,
        ),
        Criterion(
            "mean pooling is better where classes differ by the level of the background: the 95 % "
            "interval of the lead of maximum pooling is below 0 (high end, percentage points)",
            leads[BACKGROUND][2],
            leads[BACKGROUND][2] < 0,
        ),
        Criterion(
            "on photographs the two differ by less than 2 percentage points (mean lead of maximum "
            "pooling)",
            leads[PHOTOGRAPHS][0],
            abs(leads[PHOTOGRAPHS][0]) < 2,
            part_of_claim=False,
        ),
    )


def run_l57(settings: PoolingSettings) -> LabResult:
    seeds = tuple(range(settings.seeds))
    scores: dict[tuple[str, str], list[float]] = {}
    for task in TASKS:
        for pool in POOLS:
            for seed in seeds:
                run = train_whole(pooled(task, pool, settings, seed), watch_every=0)
                assert run.score is not None
                scores.setdefault((task, pool), []).append(100 * run.score.value)
    leads = {task: lead_of_max(scores, task) for task in TASKS}
    numbers = {
        f"{task}, {pool}: test accuracy, %": fmean(values)
        for (task, pool), values in scores.items()
    }
    for task, interval in leads.items():
        for name, value in zip(("mean", "low", "high"), interval, strict=True):
            numbers[f"{task}: lead of maximum pooling, {name}, points"] = value
    hashes = recipe_hashes(pooling_arms(settings))
    return LabResult(numbers, pooling_criteria(leads), _accuracies(scores), hashes, seeds)


def _accuracies(scores: Scores) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for pool, colour, shift in (("max", BLUE, -0.2), ("mean", ORANGE, 0.2)):
            places = [i + shift for i in range(len(TASKS))]
            means = [fmean(scores[task, pool]) for task in TASKS]
            axis.bar(places, means, width=0.38, color=colour, alpha=0.6, label=f"{pool} pooling")
            for place, task in zip(places, TASKS, strict=True):
                values = scores[task, pool]
                axis.plot([place] * len(values), values, ".", color=colour, markersize=5)
        axis.set_xticks(range(len(TASKS)), TASKS)
        axis.set_ylim(0, 100)
        axis.set_ylabel("test accuracy, %")
        axis.set_title("Maximum and mean pooling by task")
        axis.legend()
        return svg(drawing, "Pooling by task")


L57 = Lab(
    "L57",
    lab_texts()["L57"],
    run_l57,
    PoolingSettings(),
    pooling_arms,
    minutes=1,
    small={"epochs": 3, "photographs": 100, "seeds": 2},
)
