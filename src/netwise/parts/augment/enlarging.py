"""More training samples, made once before training: shifted and noisy copies, resampling, draws
from a fitted distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise.errors import DataError
from netwise.part import flag, integer, number, text
from netwise.parts.augment.augment import Augment, images

MOST = "each copy is held in memory"


@dataclass(frozen=True, kw_only=True)
class NoiseCopies(Augment):
    """Add `copies` of every training sample, each with normal noise of its own; targets are copied.

    Args:
        copies: of each sample, at least 1. Default 1.
        std: spread of the noise in units of the inputs, at least 0. Default 0.1.

    Example:
        >>> import netwise as nw, torch
        >>> x, y = nw.NoiseCopies(copies=2).enlarge(torch.zeros(5, 3), torch.arange(5), torch.Generator())
        >>> x.shape, y.tolist()
        (torch.Size([15, 3]), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4])

    Source: note 000, claim G01.
    """

    enlarges: ClassVar[bool] = True
    copies: int = integer(1, least=1, most=100, because=MOST, why="twice the data")
    std: float = number(
        0.1, least=0, because="a spread is not negative", why="a tenth of a standardised input"
    )

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        noisy = [
            x + self.std * torch.randn(x.shape, generator=generator) for _ in range(self.copies)
        ]
        return torch.cat([x, *noisy]), y.repeat(self.copies + 1, *[1] * (y.dim() - 1))


@dataclass(frozen=True, kw_only=True)
class ShiftCopies(Augment):
    """Add four copies of every image, moved by one pixel up, down, left and right: 50,000 digits
    become 250,000.

    What comes in at the edge is 0.

    Example:
        >>> import netwise as nw, torch
        >>> x, y = nw.ShiftCopies().enlarge(torch.ones(2, 1, 8, 8), torch.tensor([3, 4]), torch.Generator())
        >>> x.shape, y.tolist()
        (torch.Size([10, 1, 8, 8]), [3, 4, 3, 4, 3, 4, 3, 4, 3, 4])

    Source: Nielsen 2015, Neural networks and deep learning, expand_mnist.py; note 004, claim G04.
    """

    enlarges: ClassVar[bool] = True

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        images(x, self)
        moved = [x]
        for axis, step in ((2, -1), (2, 1), (3, -1), (3, 1)):
            copy = torch.roll(x, step, axis)
            copy.select(axis, 0 if step > 0 else -1).zero_()
            moved.append(copy)
        return torch.cat(moved), y.repeat(5, *[1] * (y.dim() - 1))


@dataclass(frozen=True, kw_only=True)
class Resample(Augment):
    """Draw the training samples anew, with replacement; by class in equal numbers, where asked for.

    Args:
        factor: size of the new part in sizes of the old one, above 0. Default 1.0: a bootstrap.
        balanced: every class equally often; for classes. Default true: rare classes are repeated.

    Example:
        >>> import netwise as nw, torch
        >>> x, y = torch.zeros(100, 2), (torch.arange(100) < 10).long()
        >>> torch.bincount(nw.Resample().enlarge(x, y, torch.Generator().manual_seed(0))[1]).tolist()
        [50, 50]

    Source: note 000, claim G02.
    """

    enlarges: ClassVar[bool] = True
    factor: float = number(1.0, above=0, most=100, because=MOST, why="as many as before")
    balanced: bool = flag(True, why="rare classes are the usual reason to resample")

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        wanted = max(1, round(self.factor * len(x)))
        if not self.balanced or y.is_floating_point() or y.dim() != 1:
            rows = torch.randint(len(x), (wanted,), generator=generator)
            return x[rows], y[rows]
        kinds = y.unique().tolist()
        sizes = [wanted // len(kinds) + (i < wanted % len(kinds)) for i in range(len(kinds))]
        drawn = []
        for kind, size in zip(kinds, sizes, strict=True):
            own = torch.nonzero(y == kind).flatten()
            drawn.append(own[torch.randint(len(own), (size,), generator=generator)])
        rows = torch.cat(drawn)
        return x[rows], y[rows]


GAUSSIAN, KDE = "gaussian", "kde"


@dataclass(frozen=True, kw_only=True)
class FromDistribution(Augment):
    """Fit a distribution to the samples of each class and add draws from it.

    "gaussian": mean and covariance of each class, with a share of the features' mean variance added
    along the diagonal. "kde": a random sample of the class plus noise of the class's covariance
    times Scott's factor n^(-1/(d+4)), as `scipy.stats.gaussian_kde` has it; from some ten features
    up that factor nears 1, so lower `width`.

    Args:
        form: "gaussian" or "kde". Default "gaussian".
        factor: draws for each sample there is, above 0. Default 1.0: twice the data.
        width: factor on Scott's width, above 0; for "kde". Default 1.0.
        ridge: share added to the covariance's diagonal, at least 0. Default 0.001.

    Raises:
        DataError: targets that are no classes.

    Example:
        >>> import netwise as nw, torch
        >>> y = torch.arange(200) % 2
        >>> x = y[:, None] * torch.tensor([10.0, 0.0]) + torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> more, kinds = nw.FromDistribution().enlarge(x, y, torch.Generator().manual_seed(1))
        >>> len(more), round(float(more[200:][kinds[200:] == 1].mean(0)[0]))
        (400, 10)

    Source: note 000, claim G03; Scott 1992, Multivariate density estimation, section 6.3.
    """

    enlarges: ClassVar[bool] = True
    form: str = text(
        GAUSSIAN, among=(GAUSSIAN, KDE), why="two numbers a feature are known well from few samples"
    )
    factor: float = number(1.0, above=0, most=100, because=MOST, why="twice the data")
    width: float = number(1.0, above=0, because="it is a width", why="Scott's rule as it is")
    ridge: float = number(
        0.001,
        least=0,
        because="variances are not negative",
        why="makes any covariance one that can be drawn from",
    )

    def enlarge(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if y.is_floating_point() or y.dim() != 1:
            raise DataError(
                "FromDistribution fits one distribution to each class, and these targets are no classes"
            )
        drawn, kinds = [x], [y]
        for kind in y.unique().tolist():
            own = x[y == kind].flatten(1).double()
            wanted = max(1, round(self.factor * len(own)))
            new = (
                self._gaussian(own, wanted, generator)
                if self.form == GAUSSIAN
                else self._kde(own, wanted, generator)
            )
            drawn.append(new.to(x.dtype).reshape(wanted, *x.shape[1:]))
            kinds.append(torch.full((wanted,), kind, dtype=y.dtype))
        return torch.cat(drawn), torch.cat(kinds)

    def _gaussian(self, own: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
        drawn: Tensor = own.mean(0) + self._spread(own, wanted, generator)
        return drawn

    def _kde(self, own: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
        n, features = own.shape
        rows = torch.randint(n, (wanted,), generator=generator)
        factor = float(n) ** (-1 / (features + 4))
        moved: Tensor = self.width * factor * self._spread(own, wanted, generator)
        return own[rows] + moved

    def _spread(self, own: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
        """Draws of mean 0 with the covariance of the rows of `own`."""
        centred = own - own.mean(0)
        covariance = centred.T @ centred / max(len(own) - 1, 1)
        values, vectors = torch.linalg.eigh(covariance)
        spread = (values.clamp_min(0) + self.ridge * covariance.diagonal().mean()).sqrt()
        drawn: Tensor = (
            torch.randn((wanted, len(spread)), generator=generator, dtype=own.dtype) * spread
        ) @ vectors.T
        return drawn
