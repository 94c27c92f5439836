"""Penalties: a price on large weights, added to the loss. Weights only: biases and norm layers are free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from netwise.fields import Part, number


class Penalty(Part):
    """What every penalty has: its price for the weights of a network.

    Example:
        >>> import netwise as nw, torch
        >>> nw.L2(strength=0.5).price([torch.ones(2, 2)]).item()
        1.0
    """

    called: ClassVar[str] = "penalty"

    def price(self, weights: list[Tensor]) -> Tensor:
        """A scalar, differentiable in the weights."""
        raise TypeError(f"{type(self).__name__} is an interface: write one of its members, such as L2(strength=1e-4)")


@dataclass(frozen=True, kw_only=True)
class L2(Penalty):
    """Half the squared weights: strength / 2 * sum w^2, so its gradient is strength * w.

    The notes write lambda / (2 n) sum w^2 with n training samples: strength = lambda / n.

    Args:
        strength: at least 0. Default 1e-4.

    Example:
        >>> import netwise as nw
        >>> nw.L2(strength=5 / 50_000)  # the notes' lambda = 5 on 50 000 images
        L2(strength=0.0001)

    Source: note 004, claim C06.
    """

    strength: float = number(1e-4, least=0, because="a negative price rewards large weights", why="lambda = 5 on 50 000 samples, as in note 004")

    def price(self, weights: list[Tensor]) -> Tensor:
        return self.strength / 2 * sum((w.square().sum() for w in weights[1:]), weights[0].square().sum())


@dataclass(frozen=True, kw_only=True)
class L1(Penalty):
    """The absolute weights: strength * sum |w|; drives the least useful ones to 0.

    The notes write lambda / n sum |w| with n training samples: strength = lambda / n.

    Args:
        strength: at least 0. Default 1e-5.

    Example:
        >>> import netwise as nw, torch
        >>> nw.L1(strength=0.5).price([torch.tensor([[-1.0, 3.0]])]).item()
        2.0

    Source: note 004, claim C07.
    """

    strength: float = number(1e-5, least=0, because="a negative price rewards large weights", why="light: a sum of |w| outgrows one of w^2")

    def price(self, weights: list[Tensor]) -> Tensor:
        return self.strength * sum((w.abs().sum() for w in weights[1:]), weights[0].abs().sum())


PENALTIES: tuple[type[Penalty], ...] = (L2, L1)


def penalised(module: nn.Module) -> list[Tensor]:
    """The weights a penalty applies to: trainable parameters of two dimensions or more."""
    return [p for p in module.parameters() if p.requires_grad and p.dim() > 1]
