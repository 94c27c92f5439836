"""Clipping: a limit on the gradient before the optimizer's step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwise.errors import interface_error
from netwise.part import Part, number


class Clipping(Part):
    """What every clipping has: it changes the gradients in place.

    Example:
        >>> import netwise as nw
        >>> isinstance(nw.Clip(1.0), nw.Clipping)
        True
    """

    family_name: ClassVar[str] = "clipping"

    def apply(self, parameters: Sequence[Tensor]) -> None:
        """Limit `.grad` of these parameters, in place."""
        raise interface_error(self, "Clip(1.0)")


@dataclass(frozen=True)
class Clip(Clipping):
    """Scale all gradients together so that their norm is at most `norm`; the direction stays.

    Args:
        norm: largest length of the whole gradient, above 0. Default 1.0.

    Example:
        >>> import netwise as nw, torch
        >>> p = torch.zeros(2, requires_grad=True); p.grad = torch.tensor([3.0, 4.0])
        >>> nw.Clip(1.0).apply([p])
        >>> [round(g, 4) for g in p.grad.tolist()]
        [0.6, 0.8]

    Source: Pascanu, Mikolov, Bengio 2013, arXiv 1211.5063; note 000, claim G05.
    """

    norm: float = number(1.0, above=0, because="a limit of 0 stops learning", why="the usual value")

    def apply(self, parameters: Sequence[Tensor]) -> None:
        torch.nn.utils.clip_grad_norm_(parameters, self.norm)


@dataclass(frozen=True)
class ClipValue(Clipping):
    """Force each number of the gradient into [-value, value]; the direction may change.

    Args:
        value: largest size of each number, above 0. Default 1.0.

    Example:
        >>> import netwise as nw, torch
        >>> p = torch.zeros(2, requires_grad=True); p.grad = torch.tensor([3.0, -0.5])
        >>> nw.ClipValue(1.0).apply([p])
        >>> p.grad.tolist()
        [1.0, -0.5]

    Source: note 000, claim G05.
    """

    value: float = number(
        1.0, above=0, because="a limit of 0 stops learning", why="the usual value"
    )

    def apply(self, parameters: Sequence[Tensor]) -> None:
        torch.nn.utils.clip_grad_value_(parameters, self.value)


CLIPPINGS: tuple[type[Clipping], ...] = (Clip, ClipValue)
