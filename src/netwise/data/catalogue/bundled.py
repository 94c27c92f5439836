"""Data sets that come with scikit-learn: no file, no download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from netwise.data.dataset import Samples, Split, pairs, split_rows, standardised_targets
from netwise.data.encoding import ArrayEncoder
from netwise.part import flag
from netwise.tasks import CLASSIFICATION, REGRESSION


def _bunch(loader: str) -> Any:
    from sklearn import datasets

    return getattr(datasets, loader)()


@dataclass(frozen=True, kw_only=True)
class BundledClasses(Split):
    """A bundled set of labelled rows."""

    loader: ClassVar[str] = ""
    shape: ClassVar[tuple[int, ...]] = ()
    divisor: ClassVar[float] = 1.0

    def read(self) -> Samples:
        bunch = _bunch(self.loader)
        encoder = ArrayEncoder(self.shape or bunch.data.shape[1:], self.divisor)
        x, y = encoder.encode(bunch.data), torch.as_tensor(bunch.target, dtype=torch.int64)
        train, valid, test = split_rows(bunch.target, len(x), self)
        return Samples(
            pairs(x, y, train),
            pairs(x, y, valid),
            pairs(x, y, test),
            CLASSIFICATION,
            tuple(str(name) for name in bunch.target_names),
            encoder,
            f"scikit-learn {self.loader}",
        )


@dataclass(frozen=True, kw_only=True)
class Digits(BundledClasses):
    """1797 handwritten digits of 8x8 pixels, from 0 to 1; ten classes."""

    kind: ClassVar[str] = "digits"
    loader: ClassVar[str] = "load_digits"
    shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    divisor: ClassVar[float] = 16.0


@dataclass(frozen=True, kw_only=True)
class Iris(BundledClasses):
    """150 flowers by four lengths; three classes."""

    kind: ClassVar[str] = "iris"
    loader: ClassVar[str] = "load_iris"


@dataclass(frozen=True, kw_only=True)
class Wine(BundledClasses):
    """178 wines by thirteen measurements of very unequal scale; three classes."""

    kind: ClassVar[str] = "wine"
    loader: ClassVar[str] = "load_wine"


@dataclass(frozen=True, kw_only=True)
class BreastCancer(BundledClasses):
    """569 tumours by thirty measurements; two classes."""

    kind: ClassVar[str] = "breast_cancer"
    loader: ClassVar[str] = "load_breast_cancer"


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
        bunch = _bunch("load_diabetes")
        encoder = ArrayEncoder(bunch.data.shape[1:])
        x = encoder.encode(bunch.data)
        y = torch.as_tensor(np.asarray(bunch.target), dtype=torch.float32)[:, None]
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
