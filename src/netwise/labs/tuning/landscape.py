"""A tabular benchmark for searches: 480 settings of an MLP on MNIST, each trained once, so that
search methods are compared in seconds.

python -m netwise.labs.tuning.landscape        train all of them and write the table (ten minutes)
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from netwise import data
from netwise.atomic import write_atomically
from netwise.labs.record import RESULTS, provenance
from netwise.labs.runs import CHANCE
from netwise.networks import MLP
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.parts.penalties import L2
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import figure, svg
from netwise.schema import read_json
from netwise.signals import VALID_ACCURACY
from netwise.training.parallel import fit_many
from netwise.training.run import Run

Floats = NDArray[np.float64]
POINTS = 100  # percentage points of accuracy in 1
TABLE = RESULTS / "landscape.json"
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
PENALTIES = (0.0, 1e-4, 1e-3, 1e-2)
WIDTHS = (8, 24, 72, 216)
DROPOUTS = (0.0, 0.25, 0.5)
AXES = {
    "optimizer.lr": RATES,
    "penalty.strength": PENALTIES,
    "width": WIDTHS,
    "network.dropout": DROPOUTS,
}
ROWS, BATCH, EPOCHS = 2500, 25, 12
AT_ONCE = 40  # cells that are trained between two progress lines


@dataclass(frozen=True, eq=False)
class Landscape:
    """The table.

    Args:
        values: validation accuracy after each epoch, (rates, penalties, widths, dropouts, epochs).
        test: accuracy on the test part after the last epoch, (rates, penalties, widths, dropouts).
        recipe: hash of the recipe of the first cell; another hash of today's first cell means that
            the table has to be computed again.
        date, versions: of the training.
    """

    values: Floats
    test: Floats
    recipe: str
    date: str
    versions: dict[str, str]

    @property
    def final(self) -> Floats:
        """Validation accuracy after the last epoch, (rates, penalties, widths, dropouts)."""
        return self.values[..., -1]


def recipe_at(rate: int, penalty: int, width: int, dropout: int) -> Recipe:
    """The recipe of one cell, by its index on each axis."""
    return Recipe(
        data=data.Fewer(data=data.mnist(), rows=ROWS),
        network=MLP((784, WIDTHS[width], 10), dropout=DROPOUTS[dropout]),
        init=He(),
        penalty=L2(strength=PENALTIES[penalty]),
        optimizer=SGD(lr=RATES[rate]),
        batch_size=BATCH,
        epochs=EPOCHS,
    )


class PlainLandscape(TypedDict):
    """A `Landscape` as its file has it."""

    values: list[Any]
    test: list[Any]
    recipe: str
    date: str
    versions: dict[str, str]


def read_landscape(path: Path) -> Landscape:
    """The table in a file that `make` wrote.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the table of trained networks was not computed. "
            "Run `python -m netwise.labs.tuning.landscape`; it takes about ten minutes."
        )
    otherwise = "compute it again: python -m netwise.labs.tuning.landscape"
    content = read_json(path, PlainLandscape, otherwise)
    return Landscape(
        np.array(content["values"]),
        np.array(content["test"]),
        content["recipe"],
        content["date"],
        content["versions"],
    )


@lru_cache(maxsize=1)
def landscape() -> Landscape:
    """The recorded table."""
    return read_landscape(TABLE)


def landscape_arms() -> Mapping[str, Recipe]:
    """The first cell, in the place of all: the others differ from it by their axes only."""
    return {"landscape": recipe_at(0, 0, 0, 0)}


def landscape_hashes() -> dict[str, str]:
    """The hash of the recorded first cell."""
    return {"landscape": landscape().recipe}


def distribution_figure(
    samples: Sequence[tuple[Sequence[float] | Floats, str, str]], xlabel: str, title: str, name: str
) -> str:
    """Empirical distribution functions of the results of searches, (values, colour, label) each,
    as an SVG picture whose accessible name is `name`."""
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for values, colour, label in samples:
            shares = np.arange(len(values)) / len(values)
            axis.plot(np.sort(values), shares, color=colour, label=label)
        axis.set_ylabel("share of the searches")
        axis.legend(fontsize=8)
        axis.set_xlabel(xlabel)
        axis.set_title(title)
        return svg(drawing, name)


def accuracies(run: Run) -> list[float]:
    """Validation accuracy after each epoch of a run, that of guessing in place of not-a-number."""
    series = run.history.of(VALID_ACCURACY)
    values = () if series is None else series.values
    return [value if math.isfinite(value) else CHANCE for value in values]


def make(jobs: int | None = None, path: Path = TABLE) -> Path:
    """Train every cell and write the table. A run that diverged has the accuracy of guessing from
    then on.

    Args:
        jobs: processes, as in `fit_many`.
        path: the file to write.
    """
    shape = tuple(len(axis) for axis in AXES.values())
    cells = list(itertools.product(*(range(size) for size in shape)))
    values, test = np.full((*shape, EPOCHS), CHANCE), np.full(shape, CHANCE)
    for start in range(0, len(cells), AT_ONCE):
        batch = cells[start : start + AT_ONCE]
        recipes = [recipe_at(*cell) for cell in batch]
        runs = fit_many(recipes, jobs=jobs, watch_every=0, test=True)
        for cell, run in zip(batch, runs, strict=True):
            trained = accuracies(run)
            values[cell][: len(trained)] = trained
            test[cell] = CHANCE if run.score is None else run.score.value
        print(f"{start + len(batch)} of {len(cells)}", flush=True)
    content: dict[str, Any] = {
        "axes": {name: list(axis) for name, axis in AXES.items()},
        "epochs": EPOCHS,
        "recipe": recipe_at(0, 0, 0, 0).hash,
        **provenance(),
        "values": np.round(values, 4).tolist(),
        "test": np.round(test, 4).tolist(),
    }
    write_atomically(path, json.dumps(content) + "\n")
    return path


if __name__ == "__main__":
    import sys

    print(make(int(sys.argv[1]) if len(sys.argv) > 1 else None))
