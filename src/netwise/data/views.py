"""Data seen in part: a fold of a cross-validation, and the first so many training samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from netwise.data.dataset import Data, Pairs, Samples
from netwise.errors import DataError, Problem
from netwise.part import integer, part
from netwise.tasks import CLASSIFICATION


@dataclass(frozen=True, kw_only=True)
class Fold(Data):
    """One fold of a cross-validation: training and validation part of other data, joined and split
    anew. The test part stays.

    Stratified by class where every class has enough samples for it. What was learned to read the
    inputs (the columns of a table, the scale of targets) is that of the other data's training part.

    Args:
        data: whose training and validation part are dealt out.
        folds: how many, at least 2. Default 5.
        number: which of them is the validation part, from 0. Default 0.
        repeat: which dealing: another one for each number. Default 0.

    Example:
        >>> import netwise as nw
        >>> whole = nw.data.iris()
        >>> [len(nw.data.Fold(data=whole, number=i).load().valid) for i in range(5)]
        [24, 24, 24, 24, 24]

    Source: note 002, claim H05.
    """

    kind: ClassVar[str] = "fold"
    data: Data = part(Data, because="folds are of data", write='"iris"')
    folds: int = integer(
        5,
        least=2,
        most=1000,
        because="one fold has nothing beside it",
        why="the usual number: four fifths to learn from, one to judge by",
    )
    number: int = integer(0, least=0, because="folds are counted from 0", why="the first")
    repeat: int = integer(0, least=0, because="it seeds the dealing", why="the first")

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
        from sklearn.model_selection import KFold, StratifiedKFold

        samples = self.data.load()
        if samples.in_order:
            raise DataError(
                "folds would tear a text apart whose rows follow each other: take data without in_order"
            )
        both = _joined(samples.train, samples.valid)
        labels = both.y.numpy() if samples.task == CLASSIFICATION and both.y.dim() == 1 else None
        if len(both) < self.folds:
            raise DataError(f"{len(both)} samples are too few for {self.folds} folds")
        stratified = (
            labels is not None and np.unique(labels, return_counts=True)[1].min() >= self.folds
        )
        dealer = (StratifiedKFold if stratified else KFold)(
            self.folds, shuffle=True, random_state=self.repeat
        )
        train, valid = list(dealer.split(np.zeros(len(both)), labels if stratified else None))[
            self.number
        ]
        mark = f"{samples.fingerprint}/{self.folds}/{self.number}/{self.repeat}"
        return replace(
            samples,
            train=both.rows(np.sort(train)),
            valid=both.rows(np.sort(valid)),
            fingerprint=mark,
        )


@dataclass(frozen=True, kw_only=True)
class Fewer(Data):
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
    data: Data = part(Data, because="samples are of data", write='"digits"')
    rows: int = integer(least=1, because="nothing is learned from none", write="100")
    draw: int = integer(0, least=0, because="it seeds the draw", why="the first")

    def read(self) -> Samples:
        samples = self.data.load()
        if self.rows > len(samples.train):
            raise DataError(
                f"rows = {self.rows} is more than the {len(samples.train)} training samples there are"
            )
        order = np.random.default_rng(self.draw).permutation(len(samples.train))
        if samples.task == CLASSIFICATION and samples.train.y.dim() == 1:
            order = _by_turns(order, samples.train.y.numpy())
        mark = f"{samples.fingerprint}/{self.rows}/{self.draw}"
        return replace(
            samples, train=samples.train.rows(np.sort(order[: self.rows])), fingerprint=mark
        )


def innermost(data: Data) -> Data:
    """The data that a view is of, through all views."""
    while isinstance(data, Fold | Fewer):
        data = data.data
    return data


def _by_turns(order: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The same rows in an order whose every beginning has the classes in their shares."""
    place = np.empty(len(order))
    for kind in np.unique(labels):
        rows = order[labels[order] == kind]
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return order[np.argsort(place[order], kind="stable")]


def _joined(one: Pairs, other: Pairs) -> Pairs:
    weight = (
        None
        if one.weight is None or other.weight is None
        else torch.cat([one.weight, other.weight])
    )
    return Pairs(torch.cat([one.x, other.x]), torch.cat([one.y, other.y]), weight)
