"""Losses: what training makes small. All are means over the samples of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.errors import interface_error
from netwise.part import Part, integer, number, numbers, text
from netwise.tasks import (
    CLASSIFICATION,
    OF_LOGITS,
    OF_PROBABILITIES,
    OF_SIGMOID_LOGITS,
    REGRESSION,
    SQUARED,
)


class Loss(Part):
    """What every loss has: a call on (output, target), the tasks it is for, and the output it goes
    with.

    `output_activation` names the activation that makes answers of the network's outputs: with it the
    gradient at the outputs is answer - target for `CrossEntropy`, `BinaryCrossEntropy` and
    `Quadratic` alike. `build()` gives the bare function of (output, target) that the training step
    calls.

    Attributes:
        tasks: those that the loss is for.
        takes: "values"; or "logits" or "scores": the network ends without an activation.
        output_activation: the activation that turns outputs into answers.
        is_negative_phase: it trains an energy model.
        allows_more_outputs: a network may give more outputs than there are classes.
        target_range: (lowest, highest) value of a target that is a number; None: any.

    Example:
        >>> import netwise as nw
        >>> nw.CrossEntropy().tasks, nw.CrossEntropy().takes
        (('classification',), 'logits')
    """

    family_name: ClassVar[str] = "loss"
    tasks: ClassVar[tuple[str, ...]] = (CLASSIFICATION, REGRESSION)
    takes: ClassVar[str] = "values"
    output_activation: ClassVar[str] = "Identity"
    is_negative_phase: ClassVar[bool] = False
    allows_more_outputs: ClassVar[bool] = False
    target_range: ClassVar[tuple[float, float] | None] = None

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        """A plain function (output, target) -> scalar."""
        raise interface_error(self, "CrossEntropy()")

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        """A function (output, target) -> (samples,): the loss of each sample by itself, for samples
        that count unequally."""
        whole = self.build()
        return torch.vmap(lambda output, target: whole(output[None], target[None]))

    def probabilities(self, output: Tensor) -> Tensor:
        """What a network's outputs say of each class: here the outputs themselves."""
        return output

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        """The loss with a sum over the outputs in place of a mean, for targets from `lowest` to
        `highest`; None where it has no mean over them."""
        return None

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return self.build()(output, target)


SUM, MEAN = "sum", "mean"
NOTES = "the notes' convention; torch divides by the number of outputs too"


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross-entropy of softmax over logits (the notes' log-likelihood): -ln a_y, mean over samples.

    Takes logits `(samples, classes)` and class numbers `(samples,)`, or `(samples, classes, steps)`
    and `(samples, steps)`. The gradient at the logits is a - onehot(y): large when the answer is
    very wrong, unlike squared error.

    Args:
        label_smoothing: share of the target spread over all classes, from 0 to below 1. Default
            0.0.
        weights: what a sample of each class counts, one number above 0 for each, or none: all
            alike. Default none. The mean is then weighted too, as torch's is.

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.CrossEntropy()(torch.zeros(1, 10), torch.tensor([3])).item(), 4)  # ln 10: guessing
        2.3026

    Source: note 004, claims C03 and A09; label smoothing: Szegedy et al. 2015, arXiv 1512.00567,
    section 7.
    """

    tasks: ClassVar[tuple[str, ...]] = (CLASSIFICATION,)
    takes: ClassVar[str] = "logits"
    output_activation: ClassVar[str] = "Softmax"
    allows_more_outputs: ClassVar[bool] = True
    label_smoothing: float = number(
        0.0, least=0, below=1, because="it is a share", why="the plain loss"
    )
    weights: tuple[float, ...] = numbers(
        (), above=0, because="each is what a class counts", why="all classes alike"
    )

    def probabilities(self, output: Tensor) -> Tensor:
        return torch.softmax(output, 1)

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        smoothing = self.label_smoothing
        if not self.weights:
            if not smoothing:
                return F.cross_entropy
            return lambda output, target: F.cross_entropy(output, target, label_smoothing=smoothing)
        weights = torch.tensor(self.weights)

        def weighted(output: Tensor, target: Tensor) -> Tensor:
            if len(weights) != output.shape[1]:
                raise ValueError(
                    f"CrossEntropy has {len(weights)} weights, and the network gives {output.shape[1]} classes"
                )
            return F.cross_entropy(
                output, target, weight=weights.to(output), label_smoothing=smoothing
            )

        return weighted

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        smoothing, weights = (
            self.label_smoothing,
            torch.tensor(self.weights) if self.weights else None,
        )

        def of_each(output: Tensor, target: Tensor) -> Tensor:
            told = F.cross_entropy(
                output,
                target,
                weight=None if weights is None else weights.to(output),
                label_smoothing=smoothing,
                reduction="none",
            )
            return told if told.dim() == 1 else told.flatten(1).mean(1)

        return of_each


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of sigmoid outputs, from their logits: -[y ln a + (1 - y) ln(1 - a)], mean over
    samples.

    For one output, for classes by one output each as in note 004, and for several labels at once
    (multi-label): targets are numbers from 0 to 1 shaped like the output, or class numbers.

    Args:
        outputs: "sum" over them, the notes' convention, or "mean", as torch's `BCEWithLogitsLoss`.
            Default "sum".

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.BinaryCrossEntropy()(torch.zeros(1, 1), torch.zeros(1, 1)).item(), 4)  # ln 2
        0.6931

    Source: note 004, claim C02.
    """

    takes: ClassVar[str] = "logits"
    output_activation: ClassVar[str] = "Sigmoid"
    target_range: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    outputs: str = text(SUM, among=(SUM, MEAN), why=NOTES)

    def probabilities(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        return self.but(outputs=SUM) if self.outputs == MEAN else None

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        mean = self.outputs == MEAN

        def binary_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
            wanted = as_values(output, target)
            return F.binary_cross_entropy_with_logits(output, wanted, reduction="sum") / (
                output.numel() if mean else len(output)
            )

        return binary_cross_entropy


@dataclass(frozen=True)
class Quadratic(Loss):
    """Quadratic cost with its half: C = |y - a|^2 / 2, mean over samples.

    Through a sigmoid its gradient carries the factor f'(z): a unit that is very wrong learns
    slowly. For classes use `CrossEntropy`. torch's `MSELoss` (`MeanSquaredError`) is 2 / outputs
    times this.

    Args:
        outputs: "sum" over them, the notes' convention, or "mean". Default "sum".

    Example:
        >>> import netwise as nw, torch
        >>> nw.Quadratic()(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
        2.0

    Source: note 004, claim C01; note 001, claim C04.
    """

    outputs: str = text(SUM, among=(SUM, MEAN), why=NOTES)

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        return self.but(outputs=SUM) if self.outputs == MEAN else None

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        mean = self.outputs == MEAN

        def quadratic(output: Tensor, target: Tensor) -> Tensor:
            return (output - as_values(output, target)).square().sum() / (
                2 * (output.numel() if mean else len(output))
            )

        return quadratic


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """Mean squared error over samples and outputs, as torch has it.

    Class numbers are compared as one-hot rows; for classes `CrossEntropy` learns faster.

    Example:
        >>> import netwise as nw, torch
        >>> nw.MeanSquaredError()(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
        4.0
    """

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        # Pixels from 0 to 1 differ too little for the normal density of spread 1 that half the
        # sum of squares stands for.
        return BinaryCrossEntropy() if lowest >= 0 and highest <= 1 else Quadratic()

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: F.mse_loss(output, as_values(output, target))

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: (
            (output - as_values(output, target)).square().flatten(1).mean(1)
        )


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """Mean absolute error over samples and outputs: less moved by outliers than squared error.

    Example:
        >>> import netwise as nw, torch
        >>> nw.MeanAbsoluteError()(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
        2.0
    """

    tasks: ClassVar[tuple[str, ...]] = (REGRESSION,)

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: F.l1_loss(output, as_values(output, target))


@dataclass(frozen=True)
class Huber(Loss):
    """Squared near the target, straight beyond `delta`: e^2 / 2 within, delta (|e| - delta / 2)
    outside; mean over samples and outputs.

    Args:
        delta: where it turns straight, above 0. Default 1.0: one spread of standardised targets.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Huber()(torch.tensor([[3.0]]), torch.tensor([[0.0]])).item()
        2.5

    Source: Huber 1964, Robust estimation of a location parameter.
    """

    tasks: ClassVar[tuple[str, ...]] = (REGRESSION,)
    delta: float = number(
        1.0, above=0, because="it is a distance", why="one spread of standardised targets"
    )

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: F.huber_loss(
            output, as_values(output, target), delta=self.delta
        )


@dataclass(frozen=True)
class Hinge(Loss):
    """Multi-class hinge of scores: sum over the wrong classes of max(0, margin + s_j - s_y)^power,
    mean over samples.

    Asks that the right score lead by the margin and no more, so sure samples stop counting. torch's
    `MultiMarginLoss` is this over the number of classes.

    Args:
        margin: above 0. Default 1.0.
        power: 1 or 2. Default 1.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Hinge()(torch.tensor([[2.0, 1.5, -1.0]]), torch.tensor([0])).item()
        0.5

    Source: Weston, Watkins 1999; CS231n, linear classification.
    """

    tasks: ClassVar[tuple[str, ...]] = (CLASSIFICATION,)
    takes: ClassVar[str] = "scores"
    margin: float = number(
        1.0, above=0, because="a lead is positive", why="the scale of scores is free"
    )
    power: int = integer(
        1, least=1, most=2, because="torch's loss has these", why="the plain hinge"
    )

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: (
            F.multi_margin_loss(output, target, p=self.power, margin=self.margin) * output.shape[1]
        )

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: (
            F.multi_margin_loss(output, target, p=self.power, margin=self.margin, reduction="none")
            * output.shape[1]
        )


LOSSES: tuple[type[Loss], ...] = (
    CrossEntropy,
    BinaryCrossEntropy,
    Quadratic,
    MeanSquaredError,
    MeanAbsoluteError,
    Huber,
    Hinge,
)


def as_values(output: Tensor, target: Tensor) -> Tensor:
    """Targets as numbers shaped like the output: class numbers become one-hot rows.

    Raises:
        ValueError: the shapes differ; they would otherwise be broadcast against each other in
            silence.
    """
    if not target.is_floating_point():
        target = F.one_hot(target, output.shape[-1]).to(output.dtype)
    if target.shape != output.shape:
        raise ValueError(
            f"the network gives {tuple(output.shape)} and the target is {tuple(target.shape)}: they must be equal"
        )
    return target


def loss_of_guessing(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, outputs: int
) -> float | None:
    """The least loss that a constant answer gets on `target`: what a network has to beat to have
    learned.

    Tried for any callable: as logits, as probabilities, as the mean and the median of the targets.
    None where the loss takes none of them.
    """
    if target.is_floating_point():
        rows = target.reshape(len(target), -1).float()
        mean = rows.mean(0)
        share = mean.clamp(1e-6, 1 - 1e-6)
        answers = [mean, rows.median(0).values, torch.log(share / (1 - share))]
    else:
        target = target.reshape(-1)
        share = (torch.bincount(target, minlength=outputs).float() / target.numel()).clamp_min(
            1e-12
        )
        if len(share) != outputs:
            return None
        answers = [share.log(), share, torch.log(share / (1 - share).clamp_min(1e-12))]
    wide = [
        answer.expand(len(target), outputs).contiguous()
        for answer in answers
        if answer.numel() in (1, outputs)
    ]
    return _least(loss, target, wide)


def least_loss(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, outputs: int
) -> float | None:
    """The loss of an answer that is as right as can be: 0 for most, above it where targets are
    smoothed or grey.

    Tried for any callable: the targets themselves, their logits, and ever surer class scores.
    """
    if target.is_floating_point():
        share = target.float().clamp(1e-6, 1 - 1e-6)
        answers = [target.float(), torch.log(share / (1 - share))]
    else:
        if target.numel() and int(target.max()) >= outputs:
            return None
        target = target.reshape(-1)  # of sequences too: each place is an answer
        right = F.one_hot(target, outputs).float()
        answers = [
            right,
            *(right * sure for sure in (2, 3, 4, 5, 6, 8, 10, 20, 100)),
            *((2 * right - 1) * sure for sure in (10, 50)),
        ]
    return _least(loss, target, answers)


PARALLEL = 0.9999  # cosine: the same direction but for rounding


def loss_kind(loss: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor) -> str:
    """Which loss a callable computes, told by its gradient alone, so that it works for anyone's
    function; "" if unknown.

    Softmax with cross-entropy has the gradient softmax(out) - onehot, sigmoid with cross-entropy
    sigmoid(out) - y, a squared error out - y, and the logarithm of probabilities one with out in
    its denominator.
    """
    if (
        output.dim() == 3 and not target.is_floating_point()
    ):  # an answer at each place of a sequence
        output, target = output.transpose(1, 2).flatten(0, 1), target.flatten()
    if output.dim() != 2 or not len(output) or not bool(torch.isfinite(output).all()):
        return ""
    out = output.detach().double().requires_grad_()
    try:
        with torch.enable_grad():
            given = target if not target.is_floating_point() else target.double()
            (g,) = torch.autograd.grad(loss(out, given), out)
        y = as_values(out.detach(), target).double()
    except (RuntimeError, ValueError, IndexError, TypeError):
        return ""
    o = out.detach()
    wide = o.shape[1] > 1
    inside = bool((o > 0).all()) and bool((o < 1).all())
    candidates: list[tuple[str, Tensor]] = [
        (SQUARED, o - y),
        (OF_SIGMOID_LOGITS, torch.sigmoid(o) - y),
    ]
    if wide:
        candidates.insert(0, (OF_LOGITS, torch.softmax(o, 1) * y.sum(1, keepdim=True) - y))
    if inside:
        candidates += [
            (OF_PROBABILITIES, -y / o),
            (OF_PROBABILITIES, 1 / o.sum(1, keepdim=True) - y / o),
            (OF_PROBABILITIES, (o - y) / (o * (1 - o))),
        ]
    for kind, direction in candidates:
        size = float(direction.norm() * g.norm())
        if size > 0 and float((direction * g).sum()) / size > PARALLEL:
            return kind
    return ""


def are_classes(target: Tensor) -> bool:
    """Class numbers, or rows of zeros with a single one."""
    if not target.is_floating_point():
        return True
    return (
        target.dim() == 2
        and target.shape[1] > 1
        and bool(((target == 0) | (target == 1)).all())
        and bool((target.sum(1) == 1).all())
    )


def target_facts(target: Tensor) -> dict[str, Any]:
    """What rules ask about targets, as fields of `RunFacts`: are they classes, and where do they
    lie."""
    if are_classes(target):
        return {"class_targets": True}
    y = target.double()
    low, high, mean, std = (
        float(y.min()),
        float(y.max()),
        float(y.mean()),
        float(y.std(unbiased=False)),
    )
    return {
        "class_targets": False,
        "target_low": low,
        "target_high": high,
        "target_mean": mean,
        "target_std": std,
    }


def _least(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, answers: list[Tensor]
) -> float | None:
    found: list[float] = []
    with torch.no_grad():
        for answer in answers:
            if (
                target.is_floating_point()
                and target.shape != answer.shape
                and target.numel() == answer.numel()
            ):
                answer = answer.reshape(target.shape)
            try:
                value = float(loss(answer, target))
            except (RuntimeError, ValueError, IndexError, TypeError):
                continue
            if value == value:
                found.append(value)
    return min(found) if found else None
