"""L77: how much better a setting looks when it is chosen on the data that measure it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from netwise import data
from netwise.data.dataset import Samples
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import signal_values, train_whole
from netwise.labs.tuning.landscape import POINTS, Floats, landscape, recipe_at
from netwise.networks import MLP
from netwise.part import integer, number, part
from netwise.parts.activations import Sigmoid
from netwise.parts.initializers import Normal
from netwise.parts.losses import CrossEntropy
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg, use_log_scale
from netwise.signals import VALID_ACCURACY

SIZES = (5, 10, 30, 100, 300)  # settings that are chosen from
DRAWS = 2000  # for each size


@dataclass(frozen=True)
class ChoiceSettings(LabSettings):
    """What can be varied in L77.

    Args:
        epochs: that are chosen from. Default 60.
        rate: learning rate. Default 0.5.
        seeds: of the runs. Default 8.
    """

    epochs: int = integer(60, least=2, most=1000, because="there is a choice between epochs")
    rate: float = number(0.5, above=0, most=100, because="it is a learning rate")
    seeds: int = integer(8, least=2, most=100, because="a mean over seeds is judged")


@dataclass(frozen=True, kw_only=True)
class SwappedParts(data.Data):
    """Other data with validation and test part exchanged, so that a run records its accuracy on
    the test part after each epoch.

    Args:
        data: the other data.
    """

    data: data.Data = part(data.Data, because="it exchanges parts of data")

    def read(self) -> Samples:
        samples = self.data.load()
        return replace(
            samples,
            valid=samples.test,
            test=samples.valid,
            fingerprint=f"{samples.fingerprint}/exchanged",
        )


def early_stopping_recipe(swapped: bool, settings: ChoiceSettings | None = None) -> Recipe:
    """784-30-10 on 1,000 images of MNIST, as in the source; with `swapped` the run records test
    accuracy in the place of validation accuracy."""
    settings = settings or ChoiceSettings()
    samples: data.Data = data.Fewer(data=data.mnist(), rows=1000)
    return Recipe(
        data=SwappedParts(data=samples) if swapped else samples,
        network=MLP((784, 30, 10), activation=Sigmoid()),
        init=Normal(std=1.0, bias_std=1.0),
        optimizer=SGD(lr=settings.rate),
        loss=CrossEntropy(),
        batch_size=10,
        epochs=settings.epochs,
    )


def choice_arms(settings: ChoiceSettings) -> dict[str, Recipe]:
    return {
        "landscape": recipe_at(0, 0, 0, 0),
        "1,000 images": early_stopping_recipe(False, settings),
    }


def optimism(valid: Floats, test: Floats) -> float:
    """Percentage points by which the best test accuracy is above that of the choice by validation
    accuracy."""
    return POINTS * float(test.max() - test[valid.argmax()])


def optimism_of_epoch(seed: int, settings: ChoiceSettings) -> float:
    """`optimism` of choosing the epoch of one run."""
    recipes = (early_stopping_recipe(swapped, settings) for swapped in (False, True))
    valid, test = (
        np.array(signal_values(train_whole(recipe.but(seed=seed)), VALID_ACCURACY))
        for recipe in recipes
    )
    return optimism(valid, test)


def optimism_of_settings(
    valid: Floats, test: Floats, size: int, rng: np.random.Generator, draws: int
) -> float:
    """Mean `optimism` of choosing among `size` random settings."""
    values = np.empty(draws)
    for i in range(draws):
        cells = rng.choice(len(valid), size, replace=False)
        values[i] = optimism(valid[cells], test[cells])
    return float(values.mean())


def choice_criteria(
    epoch: tuple[float, float, float], by_size: Mapping[int, float]
) -> tuple[Criterion, ...]:
    """Criteria on the optimism of choosing the epoch (mean, low, high) and settings, by size."""
    mean, low, _ = epoch
    return (
        Criterion(
            "an epoch chosen on test data looks better than it is: the 95 % interval of the "
            "difference is above 0 (low end, percentage points)",
            low,
            low > 0,
        ),
        Criterion(
            "one of 30 settings chosen on test data looks better than it is (mean difference, "
            "percentage points)",
            by_size[30],
            by_size[30] > 0,
        ),
        Criterion(
            "the difference for the epoch is 0.1 to 0.6 percentage points",
            mean,
            0.1 <= mean <= 0.6,
            part_of_claim=False,
        ),
    )


def run_l77(settings: ChoiceSettings) -> LabResult:
    seeds = tuple(range(settings.seeds))
    epoch = of_mean([optimism_of_epoch(seed, settings) for seed in seeds])
    table = landscape()
    valid, test = table.final.ravel(), table.test.ravel()
    rng = np.random.default_rng(0)
    by_size = {size: optimism_of_settings(valid, test, size, rng, DRAWS) for size in SIZES}
    numbers = {
        "best epoch on test minus best epoch on validation, points": epoch[0],
        "low": epoch[1],
        "high": epoch[2],
        **{
            f"best of {size} settings on test minus best on validation, points": value
            for size, value in by_size.items()
        },
    }
    picture = _optimism_by_size(epoch, by_size)
    hashes = recipe_hashes(choice_arms(settings))
    return LabResult(numbers, choice_criteria(epoch, by_size), picture, hashes, seeds)


def _optimism_by_size(epoch: tuple[float, float, float], by_size: Mapping[int, float]) -> str:
    mean, low, high = epoch
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.plot(list(by_size), list(by_size.values()), "o-", color=BLUE, label="of a setting")
        axis.axhspan(low, high, color=ORANGE, alpha=0.25)
        axis.axhline(mean, color=ORANGE, label="of the epoch, mean and 95 % interval")
        use_log_scale(axis, "x")
        axis.set_xlabel("settings that are chosen from")
        axis.set_ylabel("percentage points")
        axis.set_title("Optimism of the best on test data")
        axis.legend(fontsize=8)
        return svg(drawing, "Choosing on test data")


L77 = Lab("L77", lab_texts()["L77"], run_l77, ChoiceSettings(), arms=choice_arms, minutes=2)
