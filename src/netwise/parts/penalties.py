"""Penalties (regularisers): a term on the weights or activations that is added to the loss, or a
constraint on the weights. Biases and normalisation layers are not penalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from netwise.errors import interface_error
from netwise.part import Part, integer, number, parts


class Penalty(Part):
    """Interface of penalties: a term of the loss (`value`), or a constraint (`project`).

    Attributes:
        adds_to_loss: `value` is added to the loss. False for a constraint alone.
        needs_activations: `value` uses the outputs of all
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
        """The term of the loss.

        Args:
            weights: the penalised weight tensors of the network; at least one.
            activations: outputs of its activation modules, (samples, ...).

        Returns:
            a scalar, differentiable in weights and activations.
        """
        raise interface_error(self, "L2(strength=1e-4)")

    def project(self, weights: list[Tensor]) -> None:
        """Project the weights onto the constraint set, in place, after each step; most penalties
        have none."""


NEGATIVE = "a negative penalty rewards large weights"


@dataclass(frozen=True, kw_only=True)
class L2(Penalty):
    """Half the sum of squared weights: strength / 2 * sum w^2, so its gradient is strength * w.

    Nielsen writes lambda / (2 n) sum w^2 with n training samples: strength = lambda / n.

    Args:
        strength: at least 0. Default 1e-4.

    Example:
        >>> import netwise as nw
        >>> nw.L2(strength=5 / 50_000)  # lambda = 5 on 50 000 images
        L2(strength=0.0001)

    Source: Krogh, Hertz 1992, A simple weight decay can improve generalization; the convention with
    lambda: Nielsen 2015, Neural networks and deep learning, chapter 3.
    """

    strength: float = number(
        1e-4, least=0, because=NEGATIVE, why="lambda = 5 on 50 000 samples, as in Nielsen 2015"
    )

    @staticmethod
    def by_lambda(strength: float, *, samples: int) -> L2:
        """The convention lambda / (2 n) sum w^2: `strength` is lambda, `samples` is n, the number
        of training samples.

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
    """Sum of absolute weights: strength * sum |w|; drives the least useful ones to 0.

    Nielsen writes lambda / n sum |w| with n training samples: strength = lambda / n.

    Args:
        strength: at least 0. Default 1e-5.

    Example:
        >>> import netwise as nw, torch
        >>> nw.L1(strength=0.5).value([torch.tensor([[-1.0, 3.0]])]).item()
        2.0

    Source: Tibshirani 1996, Regression shrinkage and selection via the lasso; the convention with
    lambda: Nielsen 2015, Neural networks and deep learning, chapter 3.
    """

    strength: float = number(
        1e-5, least=0, because=NEGATIVE, why="light: a sum of |w| outgrows one of w^2"
    )

    @staticmethod
    def by_lambda(strength: float, *, samples: int) -> L1:
        """The convention lambda / n sum |w|: `strength` is lambda, `samples` is n, the number of
        training samples.

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

    Source: Zou, Hastie 2005, Regularization and variable selection via the elastic net.
    """

    l1: float = number(1e-5, least=0, because=NEGATIVE, why="as L1 alone")
    l2: float = number(1e-4, least=0, because=NEGATIVE, why="as L2 alone")

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        return L1(strength=self.l1).value(weights) + L2(strength=self.l2).value(weights)


@dataclass(frozen=True, kw_only=True)
class MaxNorm(Penalty):
    """A constraint: after each step the incoming weights of each unit are scaled to a 2-norm of at
    most `norm`.

    Often used with dropout and large learning rates. A unit's weights are one row of a linear
    layer, one filter of a convolution.

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
            norms = torch.linalg.vector_norm(w.flatten(1), dim=1).clamp_min(self.norm)
            w.mul_((self.norm / norms).reshape(-1, *[1] * (w.dim() - 1)))


@dataclass(frozen=True, kw_only=True)
class ActivityPenalty(Penalty):
    """A penalty on the activations of hidden units, not on weights: strength * sum |a|^power, mean
    over samples.

    With power 1 most units are 0 for most samples: a sparse code. Uses the outputs of all
    activation modules (`nn.ReLU()`); activations called as functions (`torch.relu(x)`) are not
    seen.

    Args:
        strength: at least 0. Default 1e-5.
        power: 1 or 2. Default 1.

    Example:
        >>> import netwise as nw, torch
        >>> outputs = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
        >>> nw.ActivityPenalty(strength=1.0).value([], [outputs]).item()
        2.0

    Source: Glorot, Bordes, Bengio 2011, Deep sparse rectifier neural networks, section 3.
    """

    needs_activations: ClassVar[bool] = True
    strength: float = number(
        1e-5,
        least=0,
        because="a negative penalty rewards large activations",
        why="light: it sums over all units",
    )
    power: int = integer(
        1,
        least=1,
        most=2,
        because="the penalty is on |a| or a^2",
        why="sparse codes are the usual purpose",
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
    """Several penalties at once: values are added, all constraints applied.

    Args:
        members: the penalties.

    Example:
        >>> import netwise as nw
        >>> nw.SumOfPenalties((nw.L2(strength=1e-4), nw.MaxNorm(norm=3.0))).needs_activations
        False
    """

    members: tuple[Penalty, ...] = parts(Penalty, why="none: no penalty")

    @property
    def adds_to_loss(self) -> bool:  # type: ignore[override]
        return any(member.adds_to_loss for member in self.members)

    @property
    def needs_activations(self) -> bool:  # type: ignore[override]
        return any(member.needs_activations for member in self.members)

    def value(self, weights: list[Tensor], activations: Sequence[Tensor] = ()) -> Tensor:
        values = [
            member.value(weights, activations) for member in self.members if member.adds_to_loss
        ]
        return torch.stack(values).sum() if values else weights[0].new_zeros(())

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
