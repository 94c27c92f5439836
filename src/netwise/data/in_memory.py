"""Arrays in memory, identified by a hash of their content."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import Samples, Split, pairs, split_rows, standardised_targets
from netwise.data.encoding import ArrayEncoder, fit_arrays, tensor_of
from netwise.data.lazy_rows import are_lazy, pieces_of
from netwise.data.mapped_array import is_large_mapped, mapped_rows
from netwise.data.precision import keeping_differences
from netwise.data.split_columns import split_key
from netwise.data.splitting import GROUP, TIME, SplitKey
from netwise.errors import DataError, Problem
from netwise.part import flag, integer
from netwise.tasks import CLASSIFICATION, DENSITY, REGRESSION

SPLIT_COLUMNS = ("group", "time")
OPTIONAL = ("weights", *SPLIT_COLUMNS)  # arrays with one value for each row, or None


@dataclass(frozen=True, eq=False)
class Arrays(Split):
    """Inputs and targets in memory. Made by `data.arrays`.

    Args:
        X: numbers (samples, ...): features, or images as (samples, channels, height, width);
            `LazyRows` where they stay in a file that is mapped into memory.
        y: class numbers or names (samples,), or real numbers (samples,) or (samples, targets) for
            regression.
        weights: factor on the loss of each sample, at least 0, (samples,), or None: all 1.
        allow_missing: X may hold NaN for missing numbers, which `FillMissing` fills. Default false.
        scale_target: for regression, learn (y - mean) / spread and undo it in predictions. Default
            true.
        group: number of the group of each row, int64 (samples,), or None. No group is in two parts.
        time: place of each row in time, int64 (samples,), or None. The training part is earlier
            than the validation part, which is earlier than the test part.
        own_valid, own_test: so many of the last rows are the validation and the test part, the test
            part at the end; the others are split by the shares. Default 0: all are split.
        valid, test, split_seed, stratify: as in all split data.
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

    group: Tensor | None = field(default=None, repr=False)
    time: Tensor | None = field(default=None, repr=False)
    own_valid: int = integer(0, least=0, because="it counts rows", why="one set of rows is usual")
    own_test: int = integer(0, least=0, because="it counts rows", why="one set of rows is usual")

    def written_fields(self) -> dict[str, Any]:
        """All but the arrays, and without counts of 0, as in files of earlier versions."""
        settings = super().written_fields().items()
        kept = {k: v for k, v in settings if k not in ("X", "y", "classes", *OPTIONAL)}
        mapped = {"mapped": True} if are_lazy(self.X) else {}
        return {"digest": self.digest, **mapped} | {
            k: v for k, v in kept.items() if v or not k.startswith("own_")
        }

    @cached_property
    def digest(self) -> str:
        """16 hex digits that change with any value, shape or class name."""
        layout = f"{self.X.dtype}{tuple(self.X.shape)}{self.y.dtype}{tuple(self.y.shape)}"
        content_hash = hashlib.sha256(f"{layout}{self.classes}".encode())
        for name in ("X", "y", *OPTIONAL):
            tensor: Tensor | None = getattr(self, name)
            if name in SPLIT_COLUMNS and tensor is not None:
                content_hash.update(name.encode())
            if tensor is not None and tensor.numel():
                for piece in pieces_of(tensor):
                    content_hash.update(np.ascontiguousarray(piece.numpy()).data.cast("B"))
        return content_hash.hexdigest()[:16]

    def without_arrays(self) -> Arrays:
        absent = dict.fromkeys(OPTIONAL)
        data = self.but(X=self.X[:0].clone(), y=self.y[:0].clone(), **absent)
        data.__dict__["digest"] = self.digest
        return data

    def _identity(self) -> tuple[Any, ...]:
        return (
            self.digest,
            self.valid,
            self.test,
            self.split_seed,
            self.stratify,
            self.scale_target,
            self.allow_missing,
            self.own_valid,
            self.own_test,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arrays) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def split_sentence(self, has_classes: bool) -> str:
        if self.own_valid:
            return "the validation part is your own"
        chosen = super().split_sentence(has_classes)
        if self.time is not None:
            chosen = "earlier rows first"
        if self.group is not None:
            chosen = f"whole groups, {chosen}"
        return chosen + ("; the test part is your own" if self.own_test else "")

    def conflicts(self) -> list[Problem]:
        problems = super().conflicts()
        for name, own in (("valid", self.own_valid), ("test", self.own_test)):
            if own and getattr(self, name):
                reason = f"is a share, and the last {own} rows are that part already"
                problems.append(Problem(name, repr(getattr(self, name)), reason, "0.0"))
        return problems

    def read(self) -> Samples:
        self._check()
        return self._samples(self._parts(self._key()))

    def refitted(self, train: np.ndarray, valid: np.ndarray) -> Samples:
        self._check()
        parts = self._parts(self._key())
        both = np.concatenate(parts[:2])
        return self._samples((both[train], both[valid], parts[2]))

    def _samples(self, rows_of_parts: Sequence[np.ndarray]) -> Samples:
        """The rows of these parts, with an encoder and a scale that are fitted to the first."""
        key = self._key()
        encoder = fit_arrays(self.X, rows_of_parts[0], self.allow_missing)
        x = _encoded(encoder, self.X)
        y = self.y if self.classes or self.scale_target else self.y.float()
        of_row = None if key is None else tensor_of(key.of_row)
        parts = tuple(pairs(x, y, rows, self.weights, of_row) for rows in rows_of_parts)
        task, mean, scale = CLASSIFICATION, torch.zeros(1), torch.ones(1)
        if not self.classes:
            width = self.y.shape[1] if self.y.dim() > 1 else 1
            task = REGRESSION if width else DENSITY
            if width:
                mean, scale = torch.zeros(width), torch.ones(width)
                if self.scale_target:
                    parts, mean, scale = standardised_targets(parts)
        return Samples(
            parts[0],
            parts[1],
            parts[2],
            task,
            self.classes,
            encoder,
            self.digest,
            mean,
            scale,
            split_by="" if key is None else key.by,
        )

    def _check(self) -> None:
        if len(self.X) != len(self.y):
            raise DataError(
                f"X has {len(self.X)} rows and y has {len(self.y)}: pass one target for each sample"
            )
        if len(self.X) <= self.own_valid + self.own_test:
            raise DataError("X has no rows, so nothing can be learned: pass some samples")
        if self.weights is not None and (
            self.weights.shape != (len(self.X),)
            or not bool((torch.isfinite(self.weights) & (self.weights >= 0)).all())
        ):
            raise DataError(
                f"weights of shape {tuple(self.weights.shape)} do not fit {len(self.X)} samples: "
                "pass one finite number of at least 0 for each"
            )
        for name in SPLIT_COLUMNS:
            column: Tensor | None = getattr(self, name)
            if column is not None and (
                column.shape != (len(self.X),) or column.is_floating_point() or self.own_valid
            ):
                raise DataError(
                    f"{name} of shape {tuple(column.shape)} does not fit {len(self.X)} samples: "
                    "pass one value for each with data.arrays(), and no validation part of your own"
                )
        if not self.classes and not torch.isfinite(self.y).all():
            raise DataError(
                f"{int((~torch.isfinite(self.y)).sum())} of the targets are not finite numbers: "
                "remove those rows"
            )

    def _key(self) -> SplitKey | None:
        column = self.time if self.group is None else self.group
        by = TIME if self.group is None else GROUP
        return None if column is None else SplitKey(by, column.numpy())

    def _parts(self, key: SplitKey | None) -> tuple[np.ndarray, ...]:
        """Row numbers of the three parts: the last rows are parts of the user's own."""
        rows = len(self.X)
        tests, own = rows - self.own_test, rows - self.own_test - self.own_valid
        labels = self.y[:own].numpy() if self.classes else None
        train, valid, test = split_rows(
            labels, own, self, own_test=self.own_test > 0, own_valid=self.own_valid > 0, key=key
        )
        return (
            train,
            np.arange(own, tests) if self.own_valid else valid,
            np.arange(tests, rows) if self.own_test else test,
        )


def arrays(
    X: Any,
    y: Any = None,
    *,
    weights: Any = None,
    scale_target: bool = True,
    allow_missing: bool = False,
    time: Any = None,
    group: Any = None,
    valid: float | tuple[Any, Any] = 0.2,
    test: float | tuple[Any, Any] = 0.2,
    split_seed: int = 0,
    stratify: bool = True,
) -> Arrays:
    """Data from arrays: whole numbers, booleans and words in `y` are classes, real numbers are
    targets of regression.

    Args:
        X: numbers (samples, ...). A mapped file (`np.load(path, mmap_mode="r")`) of 64 MiB or more
            stays in its file: a batch is read when it is needed. Its content must not change.
        y: classes (samples,) or real numbers (samples,) or (samples, targets). Default None: there
            are no targets, for networks that learn the inputs themselves.
        weights: factor on the loss of each sample, at least 0, (samples,). Default None: all 1.
        time: of each sample: numbers, dates, or texts such as "2024-05-31". The training part is
            then earlier than the validation part, and that earlier than the test part. Default
            None: samples are drawn at random.
        group: of each sample, such as the patient that it is of: no group is in two parts. Default
            None: each sample is drawn by itself.
        valid, test: share of the samples, or samples of one's own as (X, y). Default 0.2.
        scale_target, allow_missing, split_seed, stratify: see `data.Arrays`.

    Raises:
        DataError: X is no array of numbers, a time or group is missing, or parts of one's own do
            not fit; when loaded: X and y of unequal lengths, or numbers that are not finite.

    Example:
        >>> import netwise as nw
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 5, ["low", "low", "high", "high"] * 5
        >>> samples = nw.data.arrays(X, y).load()
        >>> samples.task, samples.classes, len(samples.train)
        ('classification', ('high', 'low'), 12)

        Three times as many samples of each patient, never one patient in two parts:

        >>> patients = [number // 4 for number in range(20)]
        >>> samples = nw.data.arrays(X, y, group=patients).load()
        >>> len(samples.train), len(samples.valid), len(samples.test)
        (12, 4, 4)
    """
    own = {name: part for name, part in (("valid", valid), ("test", test)) if _is_pair(part)}
    mapped = mapped_rows(X) if not own and is_large_mapped(X) else None
    inputs, targets = _inputs(X, "X") if mapped is None else mapped, _targets(y, len(X))
    key = split_key(time, group, len(inputs))
    if key is not None and "valid" in own:
        raise DataError(
            f"valid = (X, y) is given, so that nothing is left to split by {key.by}: leave "
            f"`{key.by}` out, or write a share such as valid=0.2"
        )
    settings: dict[str, Any] = {
        "weights": None if weights is None else tensor_of(np.asarray(weights), torch.float32),
        "scale_target": scale_target,
        "allow_missing": allow_missing,
        "valid": 0.0 if "valid" in own else valid,
        "test": 0.0 if "test" in own else test,
        "split_seed": split_seed,
        "stratify": stratify,
    }
    if key is not None:
        settings[key.by] = tensor_of(key.of_row)
    for name, part in own.items():
        inputs, targets, settings = _with_own_part(inputs, targets, settings, name, part)
    settings = {k: v.clone() if isinstance(v, Tensor) else v for k, v in settings.items()}
    inputs = inputs if are_lazy(inputs) else inputs.clone()
    if targets.dtype.kind == "f":
        values = keeping_differences(targets)
        return Arrays(
            X=inputs, y=values.reshape(len(values), math.prod(values.shape[1:])).clone(), **settings
        )
    names, numbers = np.unique(targets.reshape(-1), return_inverse=True)
    labels = torch.as_tensor(numbers.reshape(-1), dtype=torch.int64)
    return Arrays(X=inputs, y=labels, classes=tuple(str(name) for name in names), **settings)


def _encoded(encoder: ArrayEncoder, x: Tensor) -> Tensor:
    """The inputs of the network; those in a mapped file are checked, and stay there."""
    if not are_lazy(x):
        return encoder.encode(x)
    for piece in pieces_of(x):
        encoder.encode(piece)
    return x


def _is_pair(part: object) -> bool:
    return isinstance(part, tuple | list)


def _inputs(X: Any, name: str) -> Tensor:
    try:
        inputs = keeping_differences(X)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} is no array of numbers: {error}. Use data.csv for columns of words, from a "
            "CSV file"
        ) from None
    return inputs[:, None] if inputs.dim() == 1 else inputs


def _targets(y: Any, rows: int) -> np.ndarray:
    return np.zeros((rows, 0), np.float32) if y is None else np.asarray(y)


def _with_own_part(
    inputs: Tensor, targets: np.ndarray, settings: dict[str, Any], name: str, part: Any
) -> tuple[Tensor, np.ndarray, dict[str, Any]]:
    """Inputs, targets and settings with a part of the user's own behind the other rows."""
    if len(part) != 2:
        raise DataError(
            f"{name} holds {len(part)} values: write a share such as {name}=0.2, or samples of "
            f"your own as {name}=(X, y)"
        )
    own_inputs, own_targets = _inputs(part[0], f"X of {name}"), _targets(part[1], len(part[0]))
    if own_inputs.shape[1:] != inputs.shape[1:] or not len(own_inputs):
        raise DataError(
            f"{name} has inputs of shape {tuple(own_inputs.shape)}, and X has "
            f"{tuple(inputs.shape)}: pass samples with the same features"
        )
    if len(own_inputs) != len(own_targets):
        raise DataError(
            f"{name} has {len(own_inputs)} rows of X and {len(own_targets)} of y: pass one target "
            "for each sample"
        )
    words = [array.dtype.kind in "USO" for array in (targets, own_targets)]
    if words[0] != words[1] or own_targets.shape[1:] != targets.shape[1:]:
        raise DataError(
            f"the targets of {name} ({own_targets.dtype}, shape {own_targets.shape}) are of "
            f"another kind than y ({targets.dtype}, shape {targets.shape}): pass the same kind"
        )
    if inputs.dtype == torch.float64:  # whose differences from these rows count too
        own_inputs = torch.as_tensor(np.asarray(part[0], np.float64)).reshape(own_inputs.shape)
    rows = len(own_inputs)
    more = {column: settings[column] for column in OPTIONAL if settings.get(column) is not None}
    more = {
        column: torch.cat([old, torch.full((rows,), int(column == "weights"), dtype=old.dtype)])
        for column, old in more.items()
    }
    return (
        torch.cat([inputs, own_inputs]),
        np.concatenate([targets, own_targets]),
        {**settings, **more, f"own_{name}": rows},
    )
