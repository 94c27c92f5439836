"""Moments of rows of numbers over many batches, in bounded memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MOST_KEPT = 16_384  # numbers of rows drawn at random, for medians
MOST_MEDIANS = 64  # columns whose medians are computed


class Moments:
    """Mean and variance of each column of matrices (rows, columns), added one by one.

    Values that are not finite do not count.

    >>> moments = Moments()
    >>> moments.add(torch.tensor([[1.0], [3.0]]).double())
    >>> moments.mean.tolist(), moments.variance.tolist()
    ([2.0], [1.0])

    Source: Chan, Golub, LeVeque 1983, Algorithms for computing the sample variance.
    """

    def __init__(self) -> None:
        self.count = torch.zeros(0, dtype=torch.float64, device="cpu")
        self.mean = self._squares = self.count

    def add(self, rows: Tensor) -> None:
        """Add rows (rows, columns), as float64 on the CPU, with as many columns as before."""
        sums = rows.sum(0)
        if math.isfinite(float(sums.sum())):
            count = torch.full_like(sums, len(rows))
            mean = sums / max(1, len(rows))
            squares = (rows - mean).square().sum(0)
        else:
            finite = rows.isfinite()
            count = finite.sum(0).double()
            mean = rows.where(finite, 0.0).sum(0) / count.clamp_min(1)
            squares = (rows - mean).square().where(finite, 0.0).sum(0)
        self._merge(count, mean, squares)

    def merge(self, other: Moments) -> None:
        """Add the rows of others, which have as many columns."""
        self._merge(other.count, other.mean, other._squares)

    def _merge(self, count: Tensor, mean: Tensor, squares: Tensor) -> None:
        if not len(self.count):
            self.count, self.mean, self._squares = count, mean, squares
        elif len(count):
            share = count / (self.count + count).clamp_min(1)
            offset = mean - self.mean
            self._squares = self._squares + squares + offset.square() * self.count * share
            self.mean = self.mean + offset * share
            self.count = self.count + count

    @property
    def numbers(self) -> int:
        """Finite numbers that were added."""
        return int(self.count.sum())

    @property
    def fewest(self) -> int:
        """Finite numbers of the column that has fewest."""
        return int(self.count.min()) if len(self.count) else 0

    @property
    def variance(self) -> Tensor:
        """Of each column, divided by the number of rows."""
        return self._squares / self.count.clamp_min(1)

    def pooled(self) -> tuple[float, float]:
        """Mean and standard deviation of all values."""
        total = self.count.sum().clamp_min(1)
        mean = float((self.mean * self.count).sum() / total)
        between = (self.mean - mean).square() * self.count
        return mean, float(((self._squares + between).sum() / total).sqrt())

    def join_columns(self) -> None:
        """All columns become one."""
        mean, std = self.pooled()
        total = self.count.sum()
        self.mean = torch.full((1,), mean, dtype=torch.float64, device="cpu")
        self._squares, self.count = (std**2 * total)[None], total[None]


class TargetMoments(Moments):
    """Moments of targets, with what losses need to know of them.

    Where the shape of a target changes, all columns become one.

    >>> moments = TargetMoments()
    >>> moments.add_targets(torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double(), (2,))
    >>> moments.one_hot, moments.low, moments.high
    (True, 0.0, 1.0)
    """

    def __init__(self) -> None:
        super().__init__()
        self._shape: tuple[int, ...] | None = None  # of a target; None before the first one
        self._joined = False
        self._xlogx: float | Tensor = 0.0
        self._entropy = 0.0
        self.low, self.high = float("inf"), float("-inf")
        self.one_hot = self.are_distributions = True
        self._kept: list[Tensor] = []
        self._keys: list[Tensor] = []
        self._draws = torch.Generator(device="cpu").manual_seed(0)

    def add_targets(self, rows: Tensor, shape: tuple[int, ...]) -> None:
        """Add rows (rows, columns), as float64 on the CPU, of targets of this shape each."""
        self._check_rows(rows, shape)
        if self._shape is not None and shape != self._shape and not self._joined:
            self._join()
        if self._joined:
            rows = rows.reshape(-1, 1)
        self._shape = shape
        self.add(rows)
        finite = rows.isfinite()
        if bool(finite.any()):
            self.low = min(self.low, float(rows.where(finite, float("inf")).min()))
            self.high = max(self.high, float(rows.where(finite, float("-inf")).max()))
        values = rows.where(finite, 0.0)
        if self.low >= 0:
            self._xlogx = self._xlogx + torch.xlogy(values, values).sum(0)
        if self.low >= 0 and self.high <= 1:
            self._entropy -= float((torch.xlogy(values, values)).sum())
            self._entropy -= float(torch.xlogy(1 - values, 1 - values).sum())
        self._keep(rows)

    def _check_rows(self, rows: Tensor, shape: tuple[int, ...]) -> None:
        whole = len(shape) == 1 and shape[0] == rows.shape[1] > 1
        sums = rows.sum(1)
        distributions = whole and bool(((sums - 1).abs() < 1e-3).all() and (rows >= 0).all())
        self.are_distributions = self.are_distributions and distributions
        self.one_hot = self.one_hot and distributions and bool(((rows == 0) | (rows == 1)).all())

    def _join(self) -> None:
        """All columns become one."""
        self._joined = True
        self.join_columns()
        if isinstance(self._xlogx, Tensor):
            self._xlogx = self._xlogx.sum()[None]
        self._kept = [rows.reshape(-1, 1)[:MOST_KEPT] for rows in self._kept]
        self._keys = [self._draw(len(rows)) for rows in self._kept]

    def _draw(self, rows: int) -> Tensor:
        return torch.rand(rows, generator=self._draws, dtype=torch.float64, device="cpu")

    def _keep(self, rows: Tensor) -> None:
        """Keep rows at random: those with the smallest of random keys are a uniform sample."""
        columns = rows[:, :: -(-rows.shape[1] // MOST_MEDIANS) or 1]
        self._kept.append(columns.where(columns.isfinite(), float("nan")))
        self._keys.append(self._draw(len(rows)))
        if sum(map(len, self._keys)) > 2 * self._most_rows() or len(self._keys) > 64:
            self._thin_out()

    def _most_rows(self) -> int:
        return MOST_KEPT // self._kept[0].shape[1]

    def _thin_out(self) -> None:
        kept, keys = torch.cat(self._kept), torch.cat(self._keys)
        if len(keys) > self._most_rows():
            chosen = keys.topk(self._most_rows(), largest=False).indices
            kept, keys = kept[chosen], keys[chosen]
        self._kept, self._keys = [kept], [keys]

    @property
    def mean_xlogx(self) -> Tensor:
        """Mean of x ln x in each column, of values that are not negative."""
        return self._xlogx / self.count.clamp_min(1)

    def mean_binary_entropy(self) -> float:
        """Mean of -x ln x - (1 - x) ln(1 - x) over all values, which are from 0 to 1."""
        return self._entropy / max(1, self.numbers)

    def distance_from_median(self) -> float:
        """Mean absolute distance from the median of each column, in rows drawn at random."""
        self._thin_out()
        (rows,) = self._kept
        medians = rows.nanmedian(0).values
        return float((rows - medians).abs().nanmean())
