"""Preprocessing: fitted on the training part alone, then carried with the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.errors import DataError
from netwise.fields import Part, integer

Fitted = dict[str, Tensor]  # what a step learned from the training part


class Preprocess(Part):
    """What every step has: `fit` learns from the training inputs, `apply` is the same for all parts.

    Example:
        >>> import netwise as nw, torch
        >>> step, x = nw.Standardise(), torch.tensor([[1.0], [3.0]])
        >>> step.apply(torch.tensor([[2.0]]), step.fit(x)).tolist()
        [[0.0]]
    """

    called: ClassVar[str] = "preprocessing step"

    def fit(self, x: Tensor) -> Fitted:
        """What to remember of the training inputs `x`, shaped (samples, ...)."""
        return {}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        """The inputs, changed."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as Standardise()")


@dataclass(frozen=True)
class Standardise(Preprocess):
    """Each feature to mean 0 and spread 1; images by channel. A constant feature becomes 0.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[0.0, 5.0], [2.0, 5.0]])
        >>> nw.Standardise().apply(x, nw.Standardise().fit(x)).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]

    Source: note 001, claim P01.
    """

    def fit(self, x: Tensor) -> Fitted:
        axes = (0, 2, 3) if x.dim() == 4 else (0,)
        mean = x.mean(axes, keepdim=True)
        spread = x.std(axes, unbiased=False, keepdim=True)
        # A feature that never changes has a spread of rounding errors: far below its own size.
        constant = spread <= 1e-6 * mean.abs()
        return {"mean": mean, "scale": torch.where(constant | (spread == 0), torch.ones_like(spread), spread)}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return (x - fitted["mean"]) / fitted["scale"]


@dataclass(frozen=True)
class MinMax(Preprocess):
    """Each feature to the range from 0 to 1 of the training part; images by channel.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[2.0], [6.0]])
        >>> nw.MinMax().apply(torch.tensor([[4.0]]), nw.MinMax().fit(x)).tolist()
        [[0.5]]

    Source: note 001, claim P01.
    """

    def fit(self, x: Tensor) -> Fitted:
        axes = (0, 2, 3) if x.dim() == 4 else (0,)
        low, high = x.amin(axes, keepdim=True), x.amax(axes, keepdim=True)
        return {"low": low, "range": torch.where(high > low, high - low, torch.ones_like(low))}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return (x - fitted["low"]) / fitted["range"]


@dataclass(frozen=True)
class Resize(Preprocess):
    """Images to another size, bilinear; so that a network made for 28x28 takes 8x8 digits.

    Args:
        height, width: pixels, from 1 to 4096.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Resize(28, 28).apply(torch.zeros(5, 1, 8, 8), {}).shape
        torch.Size([5, 1, 28, 28])
    """

    height: int = integer(least=1, most=4096, because="an image has pixels", write="28")
    width: int = integer(least=1, most=4096, because="an image has pixels", write="28")

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        if x.dim() != 4:
            raise DataError(f"Resize takes images (samples, channels, height, width), not {tuple(x.shape)}")
        return F.interpolate(x, (self.height, self.width), mode="bilinear", align_corners=False)


PREPROCESSES: tuple[type[Preprocess], ...] = (Standardise, MinMax, Resize)
