"""Views of other data: one fold of a cross-validation, or fewer training samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import Data, Pairs, Samples
from netwise.data.splitting import TIME, SplitKey, fold_rows
from netwise.data.streams.row_plan import plan_of
from netwise.errors import DataError, Problem
from netwise.part import integer, part
from netwise.tasks import task_named


@dataclass(frozen=True, kw_only=True)
class View(Data):
    """Other data, seen in part.

    Args:
        data: the other data, which may be a view too.
    """

    data: Data = part(Data, because="a view is of other data", write='"iris"')

    def files(self) -> Sequence[Path]:
        return self.data.files()

    @property
    def innermost(self) -> Data:
        return self.data.innermost

    def raw_rows(self, count: int) -> Any:
        return self.data.raw_rows(count)

    def without_arrays(self) -> Data:
        return self.but(data=self.data.without_arrays())


@dataclass(frozen=True, kw_only=True)
class Fold(View):
    """One fold of a cross-validation: training and validation part of other data, joined and split
    again. The test part stays.

    Stratified by class where every class has enough samples for it. Data that are split by group
    are folded by group. Those that are split by time are cut into blocks that follow each other: a
    fold validates on one block and trains on all before it. Each fold fits its own encoder (columns
    of a table) and scale of targets to its training part, where the other data are a table or
    arrays; views of them keep the encoder that they have.

    Args:
        data: whose training and validation part are split into folds.
        folds: how many, at least 2. Default 5.
        number: which of them is the validation part, from 0. Default 0.
        repeat: seed of the split into folds. Default 0.

    Example:
        >>> import netwise as nw
        >>> whole = nw.data.iris()
        >>> [len(nw.data.Fold(data=whole, number=i).load().valid) for i in range(5)]
        [24, 24, 24, 24, 24]

    Source: Kohavi 1995, A study of cross-validation and bootstrap for accuracy estimation and model
    selection, IJCAI (stratified folds).
    """

    kind: ClassVar[str] = "fold"
    folds: int = integer(
        5,
        least=2,
        most=1000,
        because="one fold leaves nothing to train on",
        why="the usual number: four fifths to train on, one to validate on",
    )
    number: int = integer(0, least=0, because="folds are counted from 0", why="the first")
    repeat: int = integer(0, least=0, because="it seeds the split", why="the first")

    def conflicts(self) -> list[Problem]:
        if self.number >= self.folds:
            return [
                Problem(
                    "number",
                    str(self.number),
                    f"is no fold of {self.folds}: they are counted from 0",
                    str(self.folds - 1),
                )
            ]
        return []

    def read(self) -> Samples:
        samples = self.data.load()
        if samples.in_order:
            raise DataError(
                "in_order = true keeps the pieces of a text in order, and folds shuffle them: "
                "write in_order = false"
            )
        if plan_of(samples.train.x) is not None:
            raise DataError(
                "folds of a stream would read all of it once for each: compare seeds instead, or "
                "load a part that fits in memory by data.arrays or data.csv"
            )
        both = _joined(samples.train, samples.valid)
        labels = (
            both.y.numpy() if task_named(samples.task).has_classes and both.y.dim() == 1 else None
        )
        if len(both) < self.folds:
            raise DataError(
                f"{len(both)} samples are too few for {self.folds} folds: write folds = "
                f"{max(2, len(both))} at most, or add samples"
            )
        train, valid = self._rows(both, labels, samples.split_by)
        fingerprint = f"{samples.fingerprint}/{self.folds}/{self.number}/{self.repeat}"
        refitted = self.data.refitted(np.sort(train), np.sort(valid))
        if refitted is not None:
            return replace(refitted, fingerprint=fingerprint)
        return replace(
            samples,
            train=both.rows(np.sort(train)),
            valid=both.rows(np.sort(valid)),
            fingerprint=fingerprint,
        )

    def _rows(
        self, both: Pairs, labels: np.ndarray | None, split_by: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of the training and the validation part."""
        if both.key is not None and split_by:
            if split_by == TIME and self.repeat:
                raise DataError(
                    f"repeat = {self.repeat}: folds by time have one order, so each repetition "
                    "would be the same: write repeat = 0 (repeats = 1 in a cross-validation)"
                )
            key = SplitKey(split_by, both.key.numpy())
            return fold_rows(key, labels, self.folds, self.number, self.repeat)
        from sklearn.model_selection import KFold, StratifiedKFold  # heavy

        stratified = (
            labels is not None and np.unique(labels, return_counts=True)[1].min() >= self.folds
        )
        splitter = (StratifiedKFold if stratified else KFold)(
            self.folds, shuffle=True, random_state=self.repeat
        )
        folds = list(splitter.split(np.zeros(len(both)), labels if stratified else None))
        train, valid = folds[self.number]
        return train, valid


@dataclass(frozen=True, kw_only=True)
class Fewer(View):
    """Other data with so many training samples only, drawn by a seed and balanced by class; the
    other parts stay whole.

    Larger numbers contain the smaller ones, so that a learning curve over them changes one thing at
    a time.

    Args:
        data: whose training part is cut.
        rows: how many of it, at least 1.
        draw: which of them. Default 0.

    Example:
        >>> import netwise as nw
        >>> samples = nw.data.Fewer(data=nw.data.digits(), rows=100).load()
        >>> len(samples.train), len(samples.valid)
        (100, 359)
    """

    kind: ClassVar[str] = "fewer"
    rows: int = integer(least=1, because="training needs a sample", write="100")
    draw: int = integer(0, least=0, because="it seeds the draw", why="the first")

    def read(self) -> Samples:
        samples = self.data.load()
        if self.rows > len(samples.train):
            raise DataError(
                f"rows = {self.rows} is more than the {len(samples.train)} training samples there "
                f"are: write {len(samples.train)} at most"
            )
        order = np.random.default_rng(self.draw).permutation(len(samples.train))
        if task_named(samples.task).has_classes and samples.train.y.dim() == 1:
            order = _balanced(order, samples.train.y.numpy())
        fingerprint = f"{samples.fingerprint}/{self.rows}/{self.draw}"
        return replace(
            samples, train=samples.train.rows(np.sort(order[: self.rows])), fingerprint=fingerprint
        )


def _balanced(order: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The same rows in an order of which the first n, for each n, have the classes in the shares
    that they have in all rows."""
    place = np.empty(len(order))
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return order[np.argsort(place[order], kind="stable")]


def _joined(train: Pairs, valid: Pairs) -> Pairs:
    def both(one: Tensor | None, other: Tensor | None) -> Tensor | None:
        return None if one is None or other is None else torch.cat([one, other])

    return Pairs(
        torch.cat([train.x, valid.x]),
        torch.cat([train.y, valid.y]),
        both(train.weight, valid.weight),
        both(train.key, valid.key),
    )
