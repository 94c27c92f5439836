"""Data sets that come with scikit-learn: no file, no download."""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from netwise.data.dataset import Samples, Split, pairs, split_rows, standardised_targets
from netwise.data.encoding import ArrayEncoder
from netwise.part import flag
from netwise.tasks import CLASSIFICATION, REGRESSION


@dataclass(frozen=True)
class _Rows:
    """A bundled set: its inputs, targets and names of classes."""

    data: np.ndarray
    target: np.ndarray
    target_names: tuple[str, ...] = ()


def _rows(loader: str, file: str = "") -> _Rows:
    """The rows that a function of `sklearn.datasets` returns. Where the file of the set is known it
    is read without scikit-learn, whose import takes as long as that of torch."""
    package = importlib.util.find_spec("sklearn")
    path = Path(str(package and package.origin)).parent / "datasets" / "data" / file
    if file and path.is_file():
        names: tuple[str, ...] = ()
        with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as lines:
            if path.suffix != ".gz":  # numbers of rows and of inputs, names of the classes
                names = tuple(next(lines).strip().split(",")[2:])
            table = np.loadtxt(lines, delimiter=",")
        target = table[:, -1].astype(int)
        return _Rows(table[:, :-1], target, names or tuple(map(str, sorted({*target}))))

    from sklearn import datasets  # heavy

    bunch = getattr(datasets, loader)()
    names = tuple(map(str, getattr(bunch, "target_names", ())))
    return _Rows(bunch.data, bunch.target, names)


@dataclass(frozen=True, kw_only=True)
class BundledClasses(Split):
    """A bundled set of labelled rows."""

    loader: ClassVar[str] = ""
    file: ClassVar[str] = ""  # in scikit-learn's folder of data
    shape: ClassVar[tuple[int, ...]] = ()
    divisor: ClassVar[float] = 1.0

    def read(self) -> Samples:
        rows = _rows(self.loader, self.file)
        encoder = ArrayEncoder(self.shape or rows.data.shape[1:], self.divisor)
        x, y = encoder.encode(rows.data), torch.as_tensor(rows.target, dtype=torch.int64)
        train, valid, test = split_rows(rows.target, len(x), self)
        return Samples(
            pairs(x, y, train),
            pairs(x, y, valid),
            pairs(x, y, test),
            CLASSIFICATION,
            rows.target_names,
            encoder,
            f"scikit-learn {self.loader}",
        )


@dataclass(frozen=True, kw_only=True)
class Digits(BundledClasses):
    """1797 handwritten digits of 8x8 pixels, from 0 to 1; ten classes."""

    kind: ClassVar[str] = "digits"
    loader: ClassVar[str] = "load_digits"
    file: ClassVar[str] = "digits.csv.gz"
    shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    divisor: ClassVar[float] = 16.0


@dataclass(frozen=True, kw_only=True)
class Iris(BundledClasses):
    """150 flowers by four lengths; three classes."""

    kind: ClassVar[str] = "iris"
    loader: ClassVar[str] = "load_iris"
    file: ClassVar[str] = "iris.csv"


@dataclass(frozen=True, kw_only=True)
class Wine(BundledClasses):
    """178 wines by thirteen measurements of very unequal scale; three classes."""

    kind: ClassVar[str] = "wine"
    loader: ClassVar[str] = "load_wine"
    file: ClassVar[str] = "wine_data.csv"


@dataclass(frozen=True, kw_only=True)
class BreastCancer(BundledClasses):
    """569 tumours by thirty measurements; two classes."""

    kind: ClassVar[str] = "breast_cancer"
    loader: ClassVar[str] = "load_breast_cancer"
    file: ClassVar[str] = "breast_cancer.csv"


@dataclass(frozen=True, kw_only=True)
class Diabetes(Split):
    """442 patients by ten measurements; the target is a number from 25 to 346.

    Args:
        scale_target: learn (y - mean) / spread of the training targets, and undo it in predictions.
            Default true.
    """

    kind: ClassVar[str] = "diabetes"
    scale_target: bool = flag(
        True, why="outputs of a new network have about mean 0 and spread 1; raw targets may not"
    )

    def read(self) -> Samples:
        rows = _rows("load_diabetes")
        encoder = ArrayEncoder(rows.data.shape[1:])
        x = encoder.encode(rows.data)
        y = torch.as_tensor(np.asarray(rows.target), dtype=torch.float32)[:, None]
        parts = tuple(pairs(x, y, rows) for rows in split_rows(None, len(x), self))
        mean, scale = torch.zeros(1), torch.ones(1)
        if self.scale_target:
            parts, mean, scale = standardised_targets(parts)
        return Samples(
            parts[0],
            parts[1],
            parts[2],
            REGRESSION,
            (),
            encoder,
            "scikit-learn load_diabetes",
            mean,
            scale,
        )
