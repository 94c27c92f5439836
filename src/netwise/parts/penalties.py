"""Penalties: a price on large weights, added to the loss, or a limit on them. Weights only: biases
and norm layers are free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.errors import interface_error
from netwise.part import Part, integer, number, parts


class Penalty(Part):
    """What every penalty has: its price for the weights of a network, or a limit that weights are
    put back into.

    Attributes:
        adds_to_loss: it adds a price to the loss. One that only limits does not.
        needs_activations: its price is for what the units give, so the engine hands over the outputs of all
            activations.

    Example:
        >>> import netwise as nw, torch
        >>> nw.L2(strength=0.5).value([torch.ones(2, 2)]).item()
        1.0
    """

    family_name: ClassVar[str] = "penalty"
    adds_to_loss: ClassVar[bool] = True
    needs_activations: ClassVar[bool] = False

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        """A scalar, differentiable in the weights; `activations` are the outputs of the activations,
        (samples, ...)."""
        raise interface_error(self, "L2(strength=1e-4)")

    def project(self, weights: list[Tensor]) -> None:
        """Put the weights back within the limit, in place, after a step; most penalties have
        none."""


NEGATIVE = "a negative price rewards large weights"


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

    strength: float = number(
        1e-4, least=0, because=NEGATIVE, why="lambda = 5 on 50 000 samples, as in note 004"
    )

    @staticmethod
    def by_lambda(strength: float, *, samples: int) -> L2:
        """The notes' convention, lambda / (2 n) sum w^2: `strength` is their lambda, `samples`
        their n, the size of the training part.

        Example:
            >>> import netwise as nw
            >>> nw.L2.by_lambda(5, samples=50_000)
            L2(strength=0.0001)
        """
        return L2(strength=strength / samples)

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        return (
            self.strength
            / 2
            * sum((w.square().sum() for w in weights[1:]), weights[0].square().sum())
        )


@dataclass(frozen=True, kw_only=True)
class L1(Penalty):
    """The absolute weights: strength * sum |w|; drives the least useful ones to 0.

    The notes write lambda / n sum |w| with n training samples: strength = lambda / n.

    Args:
        strength: at least 0. Default 1e-5.

    Example:
        >>> import netwise as nw, torch
        >>> nw.L1(strength=0.5).value([torch.tensor([[-1.0, 3.0]])]).item()
        2.0

    Source: note 004, claim C07.
    """

    strength: float = number(
        1e-5, least=0, because=NEGATIVE, why="light: a sum of |w| outgrows one of w^2"
    )

    @staticmethod
    def by_lambda(strength: float, *, samples: int) -> L1:
        """The notes' convention, lambda / n sum |w|: `strength` is their lambda, `samples` their n,
        the size of the training part.

        Example:
            >>> import netwise as nw
            >>> nw.L1.by_lambda(5, samples=50_000)
            L1(strength=0.0001)
        """
        return L1(strength=strength / samples)

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        return self.strength * sum((w.abs().sum() for w in weights[1:]), weights[0].abs().sum())


@dataclass(frozen=True, kw_only=True)
class ElasticNet(Penalty):
    """L1 and L2 together: l1 * sum |w| + l2 / 2 * sum w^2.

    Args:
        l1, l2: at least 0. Defaults 1e-5 and 1e-4.

    Example:
        >>> import netwise as nw, torch
        >>> nw.ElasticNet(l1=1.0, l2=1.0).value([torch.tensor([[-1.0, 3.0]])]).item()
        9.0

    Source: Zou, Hastie 2005.
    """

    l1: float = number(1e-5, least=0, because=NEGATIVE, why="as L1 alone")
    l2: float = number(1e-4, least=0, because=NEGATIVE, why="as L2 alone")

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        return L1(strength=self.l1).value(weights) + L2(strength=self.l2).value(weights)


@dataclass(frozen=True, kw_only=True)
class MaxNorm(Penalty):
    """No price, a limit: after each step the incoming weights of every unit are scaled back to
    length `norm` at most.

    Goes with dropout and large rates. A unit's weights are one row of a linear layer, one filter of
    a convolution.

    Args:
        norm: above 0. Default 3.0; 2 to 4 are usual.

    Example:
        >>> import netwise as nw, torch
        >>> w = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
        >>> nw.MaxNorm(norm=1.0).project([w])
        >>> [[round(v, 2) for v in row] for row in w.tolist()]
        [[0.6, 0.8], [0.3, 0.4]]

    Source: Srebro, Shraibman 2005; Srivastava et al. 2014, Dropout, section 5.1.
    """

    adds_to_loss: ClassVar[bool] = False
    norm: float = number(
        3.0, above=0, because="a limit of 0 stops learning", why="in the middle of the usual range"
    )

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        return weights[0].new_zeros(())

    @torch.no_grad()
    def project(self, weights: list[Tensor]) -> None:
        for w in weights:
            long = torch.linalg.vector_norm(w.flatten(1), dim=1).clamp_min(self.norm)
            w.mul_((self.norm / long).reshape(-1, *[1] * (w.dim() - 1)))


@dataclass(frozen=True, kw_only=True)
class ActivityPenalty(Penalty):
    """A price on what the hidden units give, not on the weights: strength * sum |a|^power, mean
    over samples.

    With power 1 most units fall silent for most samples: a sparse code. Taken over the outputs of
    all activation modules; activations written as functions inside a module of your own are not
    heard.

    Args:
        strength: at least 0. Default 1e-5.
        power: 1 or 2. Default 1.

    Example:
        >>> import netwise as nw, torch
        >>> nw.ActivityPenalty(strength=1.0).value([], [torch.tensor([[1.0, 2.0], [0.0, 1.0]])]).item()
        2.0

    Source: Glorot, Bordes, Bengio 2011, Deep sparse rectifier neural networks, section 3.
    """

    needs_activations: ClassVar[bool] = True
    strength: float = number(
        1e-5,
        least=0,
        because="a negative price rewards loud units",
        why="light: it sums over all units",
    )
    power: int = integer(
        1,
        least=1,
        most=2,
        because="the price is of |a| or a^2",
        why="sparse codes are the usual wish",
    )

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        if not activations:
            return weights[0].new_zeros(())
        return self.strength * sum(
            (a.abs().pow(self.power).sum() / len(a) for a in activations[1:]),
            activations[0].abs().pow(self.power).sum() / len(activations[0]),
        )


@dataclass(frozen=True)
class SumOfPenalties(Penalty):
    """Several penalties at once: prices are added, limits all kept.

    Args:
        members: the penalties.

    Example:
        >>> import netwise as nw
        >>> nw.SumOfPenalties((nw.L2(strength=1e-4), nw.MaxNorm(norm=3.0))).needs_activations
        False
    """

    members: tuple[Penalty, ...] = parts(Penalty, why="none: no price")

    @property
    def adds_to_loss(self) -> bool:  # type: ignore[override]
        return any(member.adds_to_loss for member in self.members)

    @property
    def needs_activations(self) -> bool:  # type: ignore[override]
        return any(member.needs_activations for member in self.members)

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        prices = [
            member.value(weights, activations) for member in self.members if member.adds_to_loss
        ]
        return torch.stack(prices).sum() if prices else weights[0].new_zeros(())

    def project(self, weights: list[Tensor]) -> None:
        for member in self.members:
            member.project(weights)


PENALTIES: tuple[type[Penalty], ...] = (
    L2,
    L1,
    ElasticNet,
    MaxNorm,
    ActivityPenalty,
    SumOfPenalties,
)


def penalised(module: nn.Module) -> list[Tensor]:
    """The weights a penalty applies to: trainable parameters of two dimensions or more."""
    return [p for p in module.parameters() if p.requires_grad and p.dim() > 1]
