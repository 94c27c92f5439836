"""A stored table of real results: 480 settings of an MLP on MNIST, each trained once, so that
searches can be compared in seconds.

python -m netwise.labs.landscape        train all of them and keep the table (about ten minutes)
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netwise import data
from netwise.atomic import write_atomically
from netwise.networks import MLP
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.parts.penalties import L2
from netwise.recipe.recipe import Recipe
from netwise.signals import VALID_ACCURACY
from netwise.training.parallel import fit_many

TABLE = Path(__file__).parent / "results" / "landscape.json"
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


@dataclass(frozen=True, eq=False)
class Landscape:
    """The table.

    Args:
        values: validation accuracy after each epoch, (rates, penalties, widths, dropouts, epochs).
        test: accuracy on the test part at the end, (rates, penalties, widths, dropouts).
        recipe: hash of its first recipe, which tells whether the table is still of the present
            ones.
        date, versions: of the runs.
    """

    values: NDArray[np.float64]
    test: NDArray[np.float64]
    recipe: str
    date: str
    versions: dict[str, str]

    @property
    def final(self) -> NDArray[np.float64]:
        """After the last epoch, (rates, penalties, widths, dropouts)."""
        return self.values[..., -1]


def recipe_at(rate: int, penalty: int, width: int, dropout: int) -> Recipe:
    """The recipe of one cell."""
    return Recipe(
        data=data.Fewer(data=data.mnist(), rows=ROWS),
        network=MLP((784, WIDTHS[width], 10), dropout=DROPOUTS[dropout]),
        init=He(),
        penalty=L2(strength=PENALTIES[penalty]),
        optimizer=SGD(lr=RATES[rate]),
        batch_size=BATCH,
        epochs=EPOCHS,
    )


@lru_cache(maxsize=1)
def landscape() -> Landscape:
    """The table as it was kept.

    Raises:
        FileNotFoundError: it was not made.
    """
    kept = json.loads(TABLE.read_text("utf-8"))
    return Landscape(
        np.array(kept["values"]),
        np.array(kept["test"]),
        kept["recipe"],
        kept["date"],
        kept["versions"],
    )


def make(jobs: int | None = None) -> Path:
    """Train every cell and keep the table. A run that diverged has the accuracy of guessing from
    then on."""
    import platform
    from datetime import date

    import torch

    shape = tuple(len(each) for each in AXES.values())
    cells = list(itertools.product(*(range(n) for n in shape)))
    values, test = np.full((*shape, EPOCHS), 0.1), np.full(shape, 0.1)
    for start in range(0, len(cells), 40):
        some = cells[start : start + 40]
        for cell, run in zip(
            some,
            fit_many([recipe_at(*cell) for cell in some], jobs=jobs, watch_every=0, test=True),
            strict=True,
        ):
            series = run.history.of(VALID_ACCURACY)
            seen = (
                []
                if series is None
                else [value if np.isfinite(value) else 0.1 for value in series.values]
            )
            values[cell][: len(seen)] = seen
            test[cell] = 0.1 if run.score is None else run.score.value
        print(f"{start + len(some)} of {len(cells)}", flush=True)
    from netwise import __version__

    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "netwise": __version__,
    }
    axes = {name: list(each) for name, each in AXES.items()}
    kept = {
        "axes": axes,
        "epochs": EPOCHS,
        "recipe": recipe_at(0, 0, 0, 0).hash,
        "date": date.today().isoformat(),
        "versions": versions,
    }
    write_atomically(
        TABLE,
        json.dumps(
            {**kept, "values": np.round(values, 4).tolist(), "test": np.round(test, 4).tolist()}
        )
        + "\n",
    )
    return TABLE


if __name__ == "__main__":
    import sys

    print(make(int(sys.argv[1]) if len(sys.argv) > 1 else None))
