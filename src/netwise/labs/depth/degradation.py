"""L34: deeper plain networks have a higher training error, and shortcuts cure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import train_whole
from netwise.networks import MLP
from netwise.part import integer, number
from netwise.parts.initializers import He
from netwise.parts.optimizers import Momentum
from netwise.parts.schedules import Cosine
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg
from netwise.training.run import Run

DEPTHS = (8, 20, 56)  # layers with weights
PLAIN, RESIDUAL = "plain", "residual"

Errors = Mapping[tuple[str, int], Sequence[float]]  # (kind, depth) -> training error in %, by seed


@dataclass(frozen=True)
class DegradationSettings(LabSettings):
    """What can be varied in L34.

    Args:
        width: units of each hidden layer. Default 32.
        rate: the learning rate of all networks. Default 0.05.
        epochs: of 10,000 images each, unless `rows` is changed. Default 4.
        rows: training images. Default 10,000.
        seeds: runs of each network. Default 5.
    """

    width: int = integer(32, least=1, most=1024, because="a layer has units")
    rate: float = number(0.05, above=0, because="a step of 0 changes nothing")
    epochs: int = integer(4, least=1, most=200, because="it counts passes over the data")
    rows: int = integer(10_000, least=64, most=50_000, because="one batch at least")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two runs")


def stack(kind: str, depth: int, settings: DegradationSettings, seed: int = 0) -> Recipe:
    """Fully connected layers of equal width with batch norm, which keeps gradients alive, so that
    what is left is degradation."""
    return Recipe(
        data=data.Fewer(data=data.mnist(), rows=settings.rows),
        network=MLP(
            (784, *[settings.width] * (depth - 1), 10), batch_norm=True, residual=kind == RESIDUAL
        ),
        init=He(),
        optimizer=Momentum(lr=settings.rate),
        schedule=Cosine(),
        batch_size=64,
        epochs=settings.epochs,
        seed=seed,
    )


def degradation_arms(settings: DegradationSettings) -> dict[str, Recipe]:
    return {
        f"{kind}, {depth} layers": stack(kind, depth, settings)
        for kind in (PLAIN, RESIDUAL)
        for depth in DEPTHS
    }


def training_error(run: Run) -> float:
    """Share of the training images that the trained network answers wrongly, in %."""
    train = run.recipe.data.load().train
    wrong = run.outputs(train.x).argmax(1) != torch.as_tensor(train.y)
    return 100 * float(wrong.float().mean())


def degradation_criteria(errors: Errors) -> tuple[Criterion, ...]:
    """Criteria on paired differences between 56 and 20 layers."""

    def deeper(kind: str) -> tuple[float, float, float]:
        pairs = zip(errors[kind, 56], errors[kind, 20], strict=True)
        return of_mean([deep - shallow for deep, shallow in pairs])

    plain, low, _ = deeper(PLAIN)
    residual = deeper(RESIDUAL)[0]
    gain = fmean(errors[PLAIN, 56]) - fmean(errors[RESIDUAL, 56])
    return (
        Criterion(
            "the plain network of 56 layers has a training error at least 2 percentage points "
            "above that of 20 layers (mean difference)",
            plain,
            plain >= 2,
        ),
        Criterion(
            "with shortcuts, 56 layers are at most 0.5 percentage points above 20 layers (mean "
            "difference)",
            residual,
            residual <= 0.5,
        ),
        Criterion(
            "the difference between the plain networks is significant: its 95 % interval is above "
            "0 (low end)",
            low,
            low > 0,
            part_of_claim=False,
        ),
        Criterion(
            "at 56 layers shortcuts lower the training error by at least 10 percentage points",
            gain,
            gain >= 10,
            part_of_claim=False,
        ),
    )


def run_l34(settings: DegradationSettings) -> LabResult:
    seeds = tuple(range(settings.seeds))
    errors = {
        (kind, depth): [
            training_error(train_whole(stack(kind, depth, settings, seed), watch_every=0))
            for seed in seeds
        ]
        for kind in (PLAIN, RESIDUAL)
        for depth in DEPTHS
    }
    numbers = {
        f"{kind}, {depth} layers: training error, %": fmean(values)
        for (kind, depth), values in errors.items()
    }
    hashes = recipe_hashes(degradation_arms(settings))
    return LabResult(numbers, degradation_criteria(errors), _error_by_depth(errors), hashes, seeds)


def _error_by_depth(errors: Errors) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for kind, colour in ((PLAIN, ORANGE), (RESIDUAL, BLUE)):
            rows = [errors[kind, depth] for depth in DEPTHS]
            axis.plot(DEPTHS, [fmean(row) for row in rows], "o-", color=colour, label=kind)
            for depth, row in zip(DEPTHS, rows, strict=True):
                axis.plot([depth] * len(row), row, ".", color=colour, alpha=0.4)
        axis.set_xticks(DEPTHS)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("layers with weights")
        axis.set_ylabel("training error, %")
        axis.set_title("Plain and residual networks, equal training")
        axis.legend()
        return svg(drawing, "Training error by depth")


L34 = Lab(
    "L34",
    lab_texts()["L34"],
    run_l34,
    DegradationSettings(),
    degradation_arms,
    minutes=2,
    small={"rows": 64, "epochs": 1, "seeds": 2, "width": 8},
)
