"""Arrays in memory, identified by a hash of their content."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import Samples, Split, pairs, split_rows, standardised_targets
from netwise.data.encoding import ArrayEncoder, tensor_of
from netwise.errors import DataError
from netwise.part import flag
from netwise.tasks import CLASSIFICATION, DENSITY, REGRESSION


@dataclass(frozen=True, eq=False)
class Arrays(Split):
    """Inputs and targets in memory. Made by `data.arrays`.

    Args:
        X: numbers (samples, ...): features, or images as (samples, channels, height, width).
        y: class numbers or names (samples,), or real numbers (samples,) or (samples, targets) for
            regression.
        weights: factor on the loss of each sample, at least 0, (samples,), or None: all 1.
        allow_missing: X may hold NaN for missing numbers, which `FillMissing` fills. Default false.
        scale_target: for regression, learn (y - mean) / spread and undo it in predictions. Default
            true.
        valid, test, split_seed: as in all split data.
    """

    kind: ClassVar[str] = "arrays"
    X: Tensor = field(default_factory=lambda: torch.zeros(0), repr=False)
    y: Tensor = field(default_factory=lambda: torch.zeros(0), repr=False)
    classes: tuple[str, ...] = ()
    weights: Tensor | None = field(default=None, repr=False)
    allow_missing: bool = flag(False, why="a missing number is usually a mistake")
    scale_target: bool = flag(
        True, why="outputs of a new network have about mean 0 and spread 1; raw targets may not"
    )

    def written_fields(self) -> dict[str, Any]:
        arrays = ("X", "y", "classes", "weights")
        settings = super().written_fields().items()
        return {"digest": self.digest} | {k: v for k, v in settings if k not in arrays}

    @cached_property
    def digest(self) -> str:
        """16 hex digits that change with any value, shape or class name."""
        layout = f"{self.X.dtype}{tuple(self.X.shape)}{self.y.dtype}{tuple(self.y.shape)}"
        content_hash = hashlib.sha256(f"{layout}{self.classes}".encode())
        for tensor in (self.X, self.y, self.weights):
            if tensor is not None and tensor.numel():
                content_hash.update(np.ascontiguousarray(tensor.numpy()).data.cast("B"))
        return content_hash.hexdigest()[:16]

    def without_arrays(self) -> Arrays:
        data = self.but(X=self.X[:0].clone(), y=self.y[:0].clone(), weights=None)
        data.__dict__["digest"] = self.digest
        return data

    def _identity(self) -> tuple[Any, ...]:
        return (
            self.digest,
            self.valid,
            self.test,
            self.split_seed,
            self.scale_target,
            self.allow_missing,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arrays) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def read(self) -> Samples:
        if len(self.X) != len(self.y):
            raise DataError(
                f"X has {len(self.X)} rows and y has {len(self.y)}: pass one target for each sample"
            )
        if not len(self.X):
            raise DataError("X has no rows, so nothing can be learned: pass some samples")
        if self.weights is not None and (
            self.weights.shape != (len(self.X),)
            or not bool((torch.isfinite(self.weights) & (self.weights >= 0)).all())
        ):
            raise DataError(
                f"weights of shape {tuple(self.weights.shape)} do not fit {len(self.X)} samples: "
                "pass one finite number of at least 0 for each"
            )
        encoder = ArrayEncoder(tuple(self.X.shape[1:]), missing=self.allow_missing)
        x = encoder.encode(self.X)
        if not self.classes and self.y.dim() == 2 and not self.y.shape[1]:
            parts = tuple(
                pairs(x, self.y, each, self.weights) for each in split_rows(None, len(x), self)
            )
            return Samples(parts[0], parts[1], parts[2], DENSITY, (), encoder, self.digest)
        if self.classes:
            rows = split_rows(self.y.numpy(), len(x), self)
            parts = tuple(pairs(x, self.y, each, self.weights) for each in rows)
            return Samples(
                parts[0], parts[1], parts[2], CLASSIFICATION, self.classes, encoder, self.digest
            )
        if not torch.isfinite(self.y).all():
            raise DataError(
                f"{int((~torch.isfinite(self.y)).sum())} of the targets are not finite numbers: "
                "remove those rows"
            )
        parts = tuple(
            pairs(x, self.y, each, self.weights) for each in split_rows(None, len(x), self)
        )
        mean, scale = torch.zeros(self.y.shape[1]), torch.ones(self.y.shape[1])
        if self.scale_target:
            parts, mean, scale = standardised_targets(parts)
        return Samples(
            parts[0], parts[1], parts[2], REGRESSION, (), encoder, self.digest, mean, scale
        )


def arrays(
    X: Any,
    y: Any = None,
    *,
    weights: Any = None,
    scale_target: bool = True,
    allow_missing: bool = False,
    valid: float = 0.2,
    test: float = 0.2,
    split_seed: int = 0,
) -> Arrays:
    """Data from arrays: whole numbers, booleans and words in `y` are classes, real numbers are
    targets of regression.

    Args:
        X: numbers (samples, ...).
        y: classes (samples,) or real numbers (samples,) or (samples, targets). Default None: there
            are no targets, for networks that learn the inputs themselves.
        weights: factor on the loss of each sample, at least 0, (samples,). Default None: all 1.
        scale_target, allow_missing, valid, test, split_seed: see `data.Arrays`.

    Raises:
        DataError: X is no array of numbers; when loaded: X and y of unequal lengths, or numbers
            that are not finite.

    Example:
        >>> import netwise as nw
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 5, ["low", "low", "high", "high"] * 5
        >>> samples = nw.data.arrays(X, y).load()
        >>> samples.task, samples.classes, len(samples.train)
        ('classification', ('high', 'low'), 12)
    """
    try:
        inputs = tensor_of(np.asarray(X), torch.float32)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"X is no array of numbers: {error}. Use data.csv for columns of words, from a CSV file"
        ) from None
    if inputs.dim() == 1:
        inputs = inputs[:, None]
    targets = np.zeros((len(inputs), 0), np.float32) if y is None else np.asarray(y)
    factors = None if weights is None else tensor_of(np.asarray(weights), torch.float32).clone()
    split: dict[str, Any] = {"valid": valid, "test": test, "split_seed": split_seed}
    settings: dict[str, Any] = {
        "weights": factors,
        "scale_target": scale_target,
        "allow_missing": allow_missing,
        **split,
    }
    if targets.dtype.kind == "f":
        values = tensor_of(targets, torch.float32)
        return Arrays(
            X=inputs.clone(),
            y=values.reshape(len(values), math.prod(values.shape[1:])).clone(),
            **settings,
        )
    names, numbers = np.unique(targets.reshape(-1), return_inverse=True)
    labels = torch.as_tensor(numbers.reshape(-1), dtype=torch.int64)
    return Arrays(
        X=inputs.clone(), y=labels, classes=tuple(str(name) for name in names), **settings
    )
