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
    """Interface of clippings: change the gradients in place, before the optimizer's step.

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
    """Scale all gradients together so that their norm is at most `norm`; the direction is kept.

    Args:
        norm: largest 2-norm of the gradient over all parameters together, above 0. Default 1.0.

    Example:
        >>> import netwise as nw, torch
        >>> p = torch.zeros(2, requires_grad=True); p.grad = torch.tensor([3.0, 4.0])
        >>> nw.Clip(1.0).apply([p])
        >>> [round(g, 4) for g in p.grad.tolist()]
        [0.6, 0.8]

    Source: Pascanu, Mikolov, Bengio 2013, arXiv 1211.5063.
    """

    norm: float = number(1.0, above=0, because="a limit of 0 stops learning", why="the usual value")

    def apply(self, parameters: Sequence[Tensor]) -> None:
        torch.nn.utils.clip_grad_norm_(parameters, self.norm)


@dataclass(frozen=True)
class ClipValue(Clipping):
    """Clamp each component of the gradient to [-value, value]; the direction may change.

    Args:
        value: largest absolute value of a component, above 0. Default 1.0.

    Example:
        >>> import netwise as nw, torch
        >>> p = torch.zeros(2, requires_grad=True); p.grad = torch.tensor([3.0, -0.5])
        >>> nw.ClipValue(1.0).apply([p])
        >>> p.grad.tolist()
        [1.0, -0.5]

    Source: Mikolov 2012, Statistical language models based on neural networks; torch's
    `clip_grad_value_`.
    """

    value: float = number(
        1.0, above=0, because="a limit of 0 stops learning", why="the usual value"
    )

    def apply(self, parameters: Sequence[Tensor]) -> None:
        torch.nn.utils.clip_grad_value_(parameters, self.value)


CLIPPINGS: tuple[type[Clipping], ...] = (Clip, ClipValue)
