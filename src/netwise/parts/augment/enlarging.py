"""Augmentations that enlarge the training part once: noisy and shifted copies, resampling, draws
from a fitted distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise.errors import DataError
from netwise.memory import require_memory
from netwise.part import flag, integer, number, text
from netwise.parts.augment.augment import Augment, as_images

IN_MEMORY = "each copy is held in memory"


@dataclass(frozen=True, kw_only=True)
class NoiseCopies(Augment):
    """Add `copies` of every training sample with independent normal noise; targets are copied.

    Args:
        copies: of each sample, from 1 to 100. Default 1.
        std: standard deviation of the noise in units of the inputs, at least 0. Default 0.1.

    Example:
        >>> import netwise as nw, torch
        >>> copies = nw.NoiseCopies(copies=2)
        >>> x, y = copies.enlarge(torch.zeros(5, 3), torch.arange(5), torch.Generator())
        >>> x.shape, y.tolist()
        (torch.Size([15, 3]), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4])

    Source: Goodfellow, Bengio, Courville 2016, Deep learning, section 7.5.
    """

    enlarges: ClassVar[bool] = True
    copies: int = integer(1, least=1, most=100, because=IN_MEMORY, why="twice the data")
    std: float = number(
        0.1,
        least=0,
        because="a standard deviation is not negative",
        why="a tenth of a standardised input",
    )

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        _require_room(self, "copies", self.copies, x, self.copies + 1)
        noisy = [
            x + self.std * torch.randn(x.shape, generator=generator) for _ in range(self.copies)
        ]
        return torch.cat([x, *noisy]), y.repeat(self.copies + 1, *[1] * (y.dim() - 1))


@dataclass(frozen=True, kw_only=True)
class ShiftCopies(Augment):
    """Add four copies of every image, moved by one pixel up, down, left and right: 50,000 digits
    become 250,000.

    Pixels that enter at the edge are 0.

    Example:
        >>> import netwise as nw, torch
        >>> x, y = torch.ones(2, 1, 8, 8), torch.tensor([3, 4])
        >>> x, y = nw.ShiftCopies().enlarge(x, y, torch.Generator())
        >>> x.shape, y.tolist()
        (torch.Size([10, 1, 8, 8]), [3, 4, 3, 4, 3, 4, 3, 4, 3, 4])

    Source: Nielsen 2015, Neural networks and deep learning, expand_mnist.py.
    """

    enlarges: ClassVar[bool] = True

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        as_images(x, self)
        _require_room(self, "", "", x, 5)
        copies = [x]
        for axis, step in ((2, -1), (2, 1), (3, -1), (3, 1)):
            copy = torch.roll(x, step, axis)
            copy.select(axis, 0 if step > 0 else -1).zero_()
            copies.append(copy)
        return torch.cat(copies), y.repeat(5, *[1] * (y.dim() - 1))


@dataclass(frozen=True, kw_only=True)
class Resample(Augment):
    """Replace the training part by samples drawn from it with replacement; optionally with equal
    numbers of each class.

    Args:
        factor: size of the new part relative to the old one, above 0. Default 1.0: a bootstrap.
        balanced: equal numbers of each class; for classification. Default true: oversamples rare
            classes.

    Example:
        >>> import netwise as nw, torch
        >>> x, y = torch.zeros(100, 2), (torch.arange(100) < 10).long()
        >>> _, resampled = nw.Resample().enlarge(x, y, torch.Generator().manual_seed(0))
        >>> torch.bincount(resampled).tolist()
        [50, 50]

    Source: Efron 1979 (bootstrap); random oversampling: Japkowicz, Stephen 2002, The class
    imbalance problem.
    """

    enlarges: ClassVar[bool] = True
    factor: float = number(1.0, above=0, most=100, because=IN_MEMORY, why="as many as before")
    balanced: bool = flag(True, why="rare classes are the usual reason to resample")

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        _require_room(self, "factor", self.factor, x, self.factor)
        count = max(1, round(self.factor * len(x)))
        if not self.balanced or y.is_floating_point() or y.dim() != 1:
            rows = torch.randint(len(x), (count,), generator=generator)
            return x[rows], y[rows]
        classes = y.unique().tolist()
        sizes = [count // len(classes) + (i < count % len(classes)) for i in range(len(classes))]
        drawn = []
        for label, size in zip(classes, sizes, strict=True):
            members = torch.nonzero(y == label).flatten()
            drawn.append(members[torch.randint(len(members), (size,), generator=generator)])
        rows = torch.cat(drawn)
        return x[rows], y[rows]


def _require_room(owner: Augment, field: str, given: object, x: Tensor, times: float) -> None:
    """Refuse a training part of `times` the samples of x that needs more memory than is free."""
    name = type(owner).__name__
    what = f"makes {round(times * len(x)):,} samples of {len(x):,}, which need"
    require_memory(round(times * x.numel()) * x.element_size(), name, field or name, given, what)


GAUSSIAN, KDE = "gaussian", "kde"


@dataclass(frozen=True, kw_only=True)
class FromDistribution(Augment):
    """Fit a distribution to the samples of each class and add draws from it.

    "gaussian": mean and covariance of each class; `ridge` times the mean variance of the features
    is added to the diagonal. "kde": a random sample of the class plus noise with the class's
    covariance times Scott's factor n^(-1/(d+4)), as in `scipy.stats.gaussian_kde`. With ten
    features d or more that factor is close to 1: use a smaller `width`.

    Args:
        form: "gaussian" or "kde". Default "gaussian".
        factor: draws per existing sample, above 0. Default 1.0: twice the data.
        width: factor on Scott's factor, above 0; for "kde". Default 1.0.
        ridge: share of the mean variance added to the covariance's diagonal, at least 0. Default
            0.001.

    Raises:
        DataError: the targets are not class numbers.

    Example:
        >>> import netwise as nw, torch
        >>> y = torch.arange(200) % 2
        >>> noise = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> x = y[:, None] * torch.tensor([10.0, 0.0]) + noise
        >>> new_x, new_y = nw.FromDistribution().enlarge(x, y, torch.Generator().manual_seed(1))
        >>> len(new_x), round(float(new_x[200:][new_y[200:] == 1].mean(0)[0]))
        (400, 10)

    Source: Scott 1992, Multivariate density estimation, section 6.3.
    """

    enlarges: ClassVar[bool] = True
    form: str = text(GAUSSIAN, among=(GAUSSIAN, KDE), why="mean and covariance need few samples")
    factor: float = number(1.0, above=0, most=100, because=IN_MEMORY, why="twice the data")
    width: float = number(1.0, above=0, because="it is a width", why="Scott's rule unchanged")
    ridge: float = number(
        0.001,
        least=0,
        because="variances are not negative",
        why="makes any covariance positive definite",
    )

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if y.is_floating_point() or y.dim() != 1:
            raise DataError(
                "FromDistribution fits one distribution to each class, and these targets are not"
                " class numbers: use NoiseCopies for regression"
            )
        _require_room(self, "factor", self.factor, x, self.factor + 1)
        inputs, targets = [x], [y]
        draw = self._gaussian if self.form == GAUSSIAN else self._kde
        for label in y.unique().tolist():
            members = x[y == label].flatten(1).double()
            count = max(1, round(self.factor * len(members)))
            drawn = draw(members, count, generator)
            inputs.append(drawn.to(x.dtype).reshape(count, *x.shape[1:]))
            targets.append(torch.full((count,), label, dtype=y.dtype))
        return torch.cat(inputs), torch.cat(targets)

    def _gaussian(self, members: Tensor, count: int, generator: torch.Generator) -> Tensor:
        drawn: Tensor = members.mean(0) + self._deviations(members, count, generator)
        return drawn

    def _kde(self, members: Tensor, count: int, generator: torch.Generator) -> Tensor:
        n, features = members.shape
        rows = torch.randint(n, (count,), generator=generator)
        factor = float(n) ** (-1 / (features + 4))
        noise: Tensor = self.width * factor * self._deviations(members, count, generator)
        return members[rows] + noise

    def _deviations(self, members: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """`count` draws with mean 0 and the covariance of the rows of `members`."""
        centred = members - members.mean(0)
        covariance = centred.T @ centred / max(len(members) - 1, 1)
        values, vectors = torch.linalg.eigh(covariance)
        std = (values.clamp_min(0) + self.ridge * covariance.diagonal().mean()).sqrt()
        normal = torch.randn((count, len(std)), generator=generator, dtype=members.dtype)
        drawn: Tensor = (normal * std) @ vectors.T
        return drawn
