"""What all data share: the value that names them, the three parts that they load into, and the
split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from netwise.data.content import FileKey, files_key
from netwise.errors import DataError, Problem, interface_error
from netwise.part import Part, integer, number
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.tasks import task_named


class Encoder(Protocol):
    """From what a user has (rows of a table, pixels of 0 to 255) to the tensors that a network
    learns from."""

    def encode(self, raw: Any) -> Tensor:
        """float32 inputs (samples, ...)."""

    def plain(self) -> dict[str, Any]:
        """Everything it learned, as text and numbers: `encoder_from` reads it back."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Inputs and targets of one part.

    Args:
        x: float32 (samples, ...), or int64 places in an alphabet.
        y: int64 (samples,) or float32 (samples, outputs).
        weight: what each sample counts in the loss, float32 (samples,), or None: all alike.
    """

    x: Tensor
    y: Tensor
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def rows(self, rows: np.ndarray) -> Pairs:
        """Those of these numbers."""
        index = torch.from_numpy(rows)
        return Pairs(
            self.x[index], self.y[index], None if self.weight is None else self.weight[index]
        )

    def to(self, device: torch.device) -> Pairs:
        """The same on another device."""
        return Pairs(
            self.x.to(device),
            self.y.to(device),
            None if self.weight is None else self.weight.to(device),
        )


@dataclass(frozen=True, eq=False)
class Samples:
    """Data, loaded and split.

    Args:
        train, valid, test: the three parts; valid and test may be empty.
        task: "classification" or "regression".
        classes: names of the classes in the order of their numbers; empty for regression.
        encoder: how raw inputs become tensors; kept with the network.
        target_mean, target_scale: of the training targets, for regression: y was (raw - mean) /
            scale.
        in_order: training rows follow each other, as pieces of one text; batches then keep to their
            order.
        fingerprint: changes when the content does.
    """

    train: Pairs
    valid: Pairs
    test: Pairs
    task: str
    classes: tuple[str, ...]
    encoder: Encoder
    fingerprint: str
    target_mean: Tensor = field(default_factory=lambda: torch.zeros(1))
    target_scale: Tensor = field(default_factory=lambda: torch.ones(1))
    in_order: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.x.shape[1:])

    @property
    def outputs(self) -> int:
        """How many numbers a network has to give: one for each class, or for each target."""
        return len(self.classes) if task_named(self.task).has_classes else self.train.y.shape[1]


class Data(Part):
    """What every data set has: `load` gives its three parts; equal values give equal parts.

    Example:
        >>> import netwise as nw
        >>> samples = nw.data.digits().load()
        >>> len(samples.train), len(samples.valid), len(samples.test)
        (1078, 359, 360)
    """

    family_name: ClassVar[str] = "data set"
    brings_test_part: ClassVar[bool] = False  # its files have one, so that none is split off

    def load(self) -> Samples:
        """The three parts; kept in memory for the next call with an equal value, as long as the
        files behind it stay as they are."""
        provider = data_provider()
        shared = None if provider is None else provider.loaded(self)
        return _read_once(self, files_key(self.files())) if shared is None else shared

    def files(self) -> Sequence[Path]:
        """The files that the data are read from, whether they are there or not; none by default."""
        return ()

    @property
    def innermost(self) -> Data:
        """The data behind all views; other data are their own."""
        return self

    def without_arrays(self) -> Data:
        """The same data for a worker that finds the samples elsewhere: arrays in memory are replaced
        by their digest. Data without arrays are returned as they are."""
        return self

    def read(self) -> Samples:
        """The three parts, without any cache."""
        raise interface_error(self, "data.digits()")


@lru_cache(maxsize=8)
def _read_once(data: Data, content: tuple[FileKey, ...]) -> Samples:
    return data.read()


class DataProvider(Protocol):
    """Has data that another process has read, for a worker that need not read them again."""

    def loaded(self, data: Data) -> Samples | None:
        """The three parts of `data`, or None where they are not provided."""

    def preprocessed(
        self, data: Data, steps: tuple[Preprocess, ...]
    ) -> tuple[Samples, tuple[Fitted, ...]] | None:
        """The three parts after these steps and what the steps learned, or None where they are not
        provided."""


_PROVIDER: ContextVar[DataProvider | None] = ContextVar("data_provider", default=None)


def data_provider() -> DataProvider | None:
    """The provider in force, or None."""
    return _PROVIDER.get()


@contextmanager
def provide_data(provider: DataProvider) -> Iterator[None]:
    """Inside, `Data.load` and preprocessing take from `provider` what it has."""
    token = _PROVIDER.set(provider)
    try:
        yield
    finally:
        _PROVIDER.reset(token)


SHARE = "it is a share of the samples"


@dataclass(frozen=True, kw_only=True)
class Split(Data):
    """Data that are split by netwise: stratified by class, drawn by a seed of their own.

    Args:
        valid: share of all samples to validate on, from 0 to below 1. Default 0.2.
        test: share of all samples kept for the final score, from 0 to below 1. Default 0.2.
        split_seed: which split; apart from a recipe's seed, so that trials over seeds share one.
            Default 0.

    Example:
        >>> import netwise as nw
        >>> len(nw.data.iris(valid=0.0, test=0.2).load().valid)
        0
    """

    valid: float = number(
        0.2, least=0, below=1, because=SHARE, why="enough to rank settings on small data"
    )
    test: float = number(
        0.2, least=0, below=1, because=SHARE, why="enough for a usable interval on small data"
    )
    split_seed: int = integer(
        0, least=0, most=2**32 - 1, because="it seeds the draw", why="one split for all"
    )

    def conflicts(self) -> list[Problem]:
        if self.valid + self.test >= 1:
            return [
                Problem(
                    "valid",
                    repr(self.valid),
                    f"and test = {self.test} leave nothing to train on",
                    "0.2",
                )
            ]
        return []


def split_rows(
    labels: np.ndarray | None, rows: int, data: Split, own_test: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of (train, valid, test); stratified by `labels` where every class has enough rows
    for it."""

    def cut(rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        if not size:
            return rows, rows[:0]
        from sklearn.model_selection import (
            train_test_split,
        )  # where nothing is split, half a second of importing is saved

        if size >= len(rows):
            raise DataError(
                f"{len(rows)} samples are too few for parts of valid = {data.valid} and "
                f"test = {data.test}: write smaller shares, or add samples"
            )
        groups = None
        if labels is not None:
            kinds, counts = np.unique(labels[rows], return_counts=True)
            if counts.min() >= 2 and min(size, len(rows) - size) >= len(kinds):
                groups = labels[rows]
        left, taken = train_test_split(
            rows, test_size=size, random_state=data.split_seed, stratify=groups
        )
        return np.sort(left), np.sort(taken)

    rest, test = cut(np.arange(rows), 0 if own_test else int(np.ceil(rows * data.test)))
    train, valid = cut(rest, int(rows * data.valid))
    return train, valid, test


def pairs(x: Tensor, y: Tensor, rows: np.ndarray, weight: Tensor | None = None) -> Pairs:
    return Pairs(x, y, weight).rows(rows)


def standardised_targets(parts: tuple[Pairs, ...]) -> tuple[tuple[Pairs, ...], Tensor, Tensor]:
    """The parts with targets of mean 0 and spread 1 over the first part, and (mean, scale)."""
    y = parts[0].y
    mean, scale = y.mean(0), y.std(0, unbiased=False)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return tuple(replace(part, y=(part.y - mean) / scale) for part in parts), mean, scale
