"""Moments of rows of numbers over many batches, in bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_KEPT = 16_384  # numbers of rows drawn at random, for medians
MOST_MEDIANS = 64  # columns whose medians are computed


class ColumnMoments:
    """Mean, variance and range of each column of matrices (rows, columns), added one by one.

    Values that are not finite do not count. Where the shape of a row changes, all columns become
    one.

    >>> moments = ColumnMoments()
    >>> moments.add(torch.tensor([[1.0], [3.0]]).double(), (1,))
    >>> moments.mean.tolist(), moments.variance.tolist()
    ([2.0], [1.0])
    """

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None  # of a row; None before the first one
        self._joined = False
        self._count = self.mean = self._squares = self._xlogx = torch.zeros(0, device="cpu")
        self._entropy = 0.0
        self.low, self.high = float("inf"), float("-inf")
        self.one_hot = self.are_distributions = True
        self._kept: list[Tensor] = []
        self._keys: list[Tensor] = []
        self._draws = torch.Generator(device="cpu").manual_seed(0)

    def add(self, rows: Tensor, shape: tuple[int, ...]) -> None:
        """Add rows (rows, columns), as float64 on the CPU, that had this shape each."""
        self._check_rows(rows, shape)
        if self._joined or (self._shape is not None and shape != self._shape):
            self._join()
            rows = rows.reshape(-1, 1)
        self._shape = shape
        finite = rows.isfinite()
        count = finite.sum(0).double()
        values = rows.where(finite, 0.0)
        mean = values.sum(0) / count.clamp_min(1)
        squares = (values - mean).square().where(finite, 0.0).sum(0)
        if not len(self._count):
            self._count = self.mean = self._squares = self._xlogx = torch.zeros_like(mean)
        total = (self._count + count).clamp_min(1)
        offset = mean - self.mean
        self._squares = self._squares + squares + offset.square() * self._count * count / total
        self.mean = self.mean + offset * count / total
        self._count = self._count + count
        if bool(finite.any()):
            self.low = min(self.low, float(rows.where(finite, float("inf")).min()))
            self.high = max(self.high, float(rows.where(finite, float("-inf")).max()))
        if self.low >= 0:
            self._xlogx = self._xlogx + torch.xlogy(values, values).sum(0)
        if self.low >= 0 and self.high <= 1:
            self._entropy -= float(torch.xlogy(values, values).sum())
            self._entropy -= float(torch.xlogy(1 - values, 1 - values).where(finite, 0.0).sum())
        self._keep(rows)

    def _check_rows(self, rows: Tensor, shape: tuple[int, ...]) -> None:
        whole = len(shape) == 1 and shape[0] == rows.shape[1] > 1
        sums = rows.sum(1)
        distributions = whole and bool(((sums - 1).abs() < 1e-3).all() and (rows >= 0).all())
        self.are_distributions = self.are_distributions and distributions
        self.one_hot = self.one_hot and distributions and bool(((rows == 0) | (rows == 1)).all())

    def _join(self) -> None:
        """All columns become one."""
        if self._joined:
            return
        self._joined = True
        mean, std = self.pooled()
        total = self._count.sum()
        self.mean = torch.full((1,), mean, dtype=torch.float64, device="cpu")
        self._squares = (std**2 * total)[None]
        self._xlogx = self._xlogx.sum()[None]
        self._count = total[None]
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
    def numbers(self) -> int:
        """Finite numbers that were added."""
        return int(self._count.sum())

    @property
    def fewest(self) -> int:
        """Finite numbers of the column that has fewest."""
        return int(self._count.min()) if len(self._count) else 0

    @property
    def variance(self) -> Tensor:
        """Of each column, divided by the number of rows."""
        return self._squares / self._count.clamp_min(1)

    @property
    def mean_xlogx(self) -> Tensor:
        """Mean of x ln x in each column, of values that are not negative."""
        return self._xlogx / self._count.clamp_min(1)

    def mean_binary_entropy(self) -> float:
        """Mean of -x ln x - (1 - x) ln(1 - x) over all values, which are from 0 to 1."""
        return self._entropy / max(1, self.numbers)

    def pooled(self) -> tuple[float, float]:
        """Mean and standard deviation of all values."""
        total = self._count.sum().clamp_min(1)
        mean = float((self.mean * self._count).sum() / total)
        between = (self.mean - mean).square() * self._count
        return mean, float(((self._squares + between).sum() / total).sqrt())

    def distance_from_median(self) -> float:
        """Mean absolute distance from the median of each column, in rows drawn at random."""
        self._thin_out()
        (rows,) = self._kept
        medians = rows.nanmedian(0).values
        return float((rows - medians).abs().nanmean())
