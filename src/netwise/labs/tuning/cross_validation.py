"""L62: choosing settings by five folds against choosing by one validation set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from netwise import data
from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import CHANCE
from netwise.labs.tuning.landscape import POINTS, Floats
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREY, figure, svg
from netwise.signals import VALID_ACCURACY
from netwise.training.parallel import fit_many

SETTINGS = tuple((rate, width) for rate in (0.01, 0.03, 0.1, 0.3) for width in (16, 64))
SMALL, LARGE = 500, 10_000  # samples
FOLDS = 5

Interval = tuple[float, float, float]  # mean, low, high


@dataclass(frozen=True)
class DrawSettings(LabSettings):
    """What can be varied in L62.

    Args:
        draws: of 500 samples; a third as many of 10,000, at least two. Default 12.
        epochs: on 500 samples; a tenth as many on 10,000. Default 20.
    """

    draws: int = integer(12, least=2, most=200, because="a mean over draws is judged")
    epochs: int = integer(20, least=10, most=200, because="10,000 samples get a tenth of them")

    def draws_of(self, rows: int) -> range:
        """The draws of so many samples."""
        return range(self.draws if rows == SMALL else max(2, self.draws // 3))


def fold_recipe(
    rows: int, draw: int, setting: tuple[float, int], fold: int, epochs: int = 20
) -> Recipe:
    """One setting, trained on four of five folds of a draw of so many samples and validated on the
    other. The first fold alone is the plain validation set of a fifth."""
    samples: data.Data = data.Fewer(data=data.mnist(valid=0.0), rows=rows, draw=draw)
    rate, width = setting
    return Recipe(
        data=data.Fold(data=samples, number=fold, repeat=draw),
        network=MLP((784, width, 10)),
        init=He(),
        optimizer=SGD(lr=rate),
        batch_size=20,
        epochs=epochs if rows == SMALL else epochs // 10,
        seed=draw,
    )


def cross_validation_arms(settings: DrawSettings) -> dict[str, Recipe]:
    return {
        f"{rows} samples": fold_recipe(rows, 0, SETTINGS[0], 0, settings.epochs)
        for rows in (SMALL, LARGE)
    }


def regrets(valid: Floats, test: Floats) -> tuple[float, float]:
    """Percentage points of test accuracy lost by choosing by the first fold, and by the mean of
    all folds.

    Args:
        valid: validation accuracy, (settings, folds).
        test: test accuracy averaged over the folds, (settings,).
    """
    by_one, by_all = valid[:, 0].argmax(), valid.mean(1).argmax()
    return POINTS * float(test.max() - test[by_one]), POINTS * float(test.max() - test[by_all])


def train_settings(rows: int, draw: int, epochs: int = 20) -> tuple[Floats, Floats]:
    """(validation accuracy, (settings, folds); test accuracy, (settings,)) of all settings on one
    draw of the samples."""
    recipes = [
        fold_recipe(rows, draw, setting, fold, epochs)
        for setting in SETTINGS
        for fold in range(FOLDS)
    ]
    runs = fit_many(recipes, watch_every=0, test=True)
    series = [run.history.of(VALID_ACCURACY) for run in runs]
    valid = np.array([0.0 if accuracy is None else accuracy.last for accuracy in series])
    test = np.array([CHANCE if run.score is None else run.score.value for run in runs])
    shape = (len(SETTINGS), FOLDS)
    return valid.reshape(shape), test.reshape(shape).mean(1)


def cross_validation_criteria(gains: Mapping[int, Interval]) -> tuple[Criterion, ...]:
    """Criteria on the gain of five folds over one validation set, by the number of samples."""
    (mean, low, _), (large_mean, _, _) = gains[SMALL], gains[LARGE]
    return (
        Criterion(
            "with 500 samples five folds choose better than one validation set (mean gain in "
            "percentage points)",
            mean,
            mean > 0,
        ),
        Criterion(
            "the gain with 500 samples is significant: its 95 % interval is above 0 (low end)",
            low,
            low > 0,
        ),
        Criterion(
            "with 10,000 samples the gain is below 0.2 percentage points",
            large_mean,
            large_mean < 0.2,
            part_of_claim=False,
        ),
    )


def run_l62(settings: DrawSettings) -> LabResult:
    numbers: dict[str, float] = {}
    gains: dict[int, Interval] = {}
    for rows in (SMALL, LARGE):
        losses = [
            regrets(*train_settings(rows, draw, settings.epochs))
            for draw in settings.draws_of(rows)
        ]
        one, five = ([loss[column] for loss in losses] for column in (0, 1))
        numbers |= {
            f"{rows}: regret of one hold-out, points": fmean(one),
            f"{rows}: regret of five folds": fmean(five),
            f"{rows}: median of one hold-out": median(one),
            f"{rows}: median of five folds": median(five),
        }
        gains[rows] = of_mean([a - b for a, b in losses])
    return LabResult(
        numbers,
        cross_validation_criteria(gains),
        _bars(numbers),
        recipe_hashes(cross_validation_arms(settings)),
        tuple(range(settings.draws)),
    )


def _bars(numbers: Mapping[str, float]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        one, five = (
            [numbers[f"{rows}: regret of {which}"] for rows in (SMALL, LARGE)]
            for which in ("one hold-out, points", "five folds")
        )
        axis.bar([-0.18, 0.82], one, 0.34, color=GREY, label="chosen by one validation set")
        axis.bar([0.18, 1.18], five, 0.34, color=BLUE, label="chosen by five folds")
        axis.set_xticks([0, 1], [f"{rows:,} samples" for rows in (SMALL, LARGE)])
        axis.set_ylabel("points of test accuracy lost")
        axis.set_title("What the choice of a setting costs, mean over draws")
        axis.legend()
        return svg(drawing, "Hold-out and folds")


L62 = Lab("L62", lab_texts()["L62"], run_l62, DrawSettings(), arms=cross_validation_arms, minutes=6)
