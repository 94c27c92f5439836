"""Loss functions. All are means over the samples of a batch."""

from __future__ import annotations

import math
import warnings
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
    """Interface of losses: a call with (output, target), the tasks it is for, and what it takes.

    Attributes:
        tasks: the tasks that it is for.
        takes: "values", or "logits" or "scores": the network then ends without an activation.
        output_activation: the activation that turns outputs into predictions. With it the gradient
            at the outputs is prediction - target for `CrossEntropy`, `BinaryCrossEntropy` and
            `Quadratic`.
        is_negative_phase: it trains an energy model.
        allows_more_outputs: the network may have more outputs than there are classes.
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
        """The function (output, target) -> scalar that training calls."""
        raise interface_error(self, "CrossEntropy()")

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        """A function (output, target) -> (samples,): the loss of each sample, for weighted
        samples."""
        loss = self.build()
        return torch.vmap(lambda output, target: loss(output[None], target[None]))

    def probabilities(self, output: Tensor) -> Tensor:
        """The probability of each class, of a network's outputs; here the outputs themselves."""
        return output

    def for_uneven_classes(
        self, *, weights: tuple[float, ...] = (), priors: tuple[float, ...] = ()
    ) -> Loss | str:
        """The loss with these weights or priors of the classes, or why it has none."""
        return f"{type(self).__name__} has no weights of classes: use CrossEntropy() first"

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        """The loss with a sum over the outputs in place of a mean, for targets from `lowest` to
        `highest`; None where it has no mean over them."""
        return None

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return self.build()(output, target)


SUM, MEAN = "sum", "mean"
NIELSEN = "the convention of Nielsen 2015; torch also divides by the number of outputs"


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross-entropy of softmax over logits (negative log-likelihood): -ln a_y, mean over samples.

    Takes logits `(samples, classes)` and class numbers `(samples,)`, or `(samples, classes, steps)`
    and `(samples, steps)`. The gradient at the logits is a - onehot(y): large when the prediction
    is very wrong, unlike that of squared error.

    Args:
        label_smoothing: share of the target spread over all classes, from 0 to below 1. Default
            0.0.
        weights: one weight above 0 for each class, or none: equal weights. Default none. The mean
            over samples is weighted as in torch.
        priors: the share of each class in the training part, or none. The loss then adds ln priors
            to the outputs, so that a network answers the class whose probability is highest over
            its share (threshold moving): rare classes too. `probabilities` add them as well, and
            stay those of the classes. Default none.

    Example:
        >>> import netwise as nw, torch
        >>> loss = nw.CrossEntropy()(torch.zeros(1, 10), torch.tensor([3]))
        >>> round(loss.item(), 4)  # ln 10: all classes equally likely
        2.3026

    Source: Goodfellow, Bengio, Courville 2016, Deep learning, section 6.2.2.3; label smoothing:
    Szegedy et al. 2015, arXiv 1512.00567, section 7; priors: Menon et al. 2021, arXiv 2007.07314.
    """

    tasks: ClassVar[tuple[str, ...]] = (CLASSIFICATION,)
    takes: ClassVar[str] = "logits"
    output_activation: ClassVar[str] = "Softmax"
    allows_more_outputs: ClassVar[bool] = True
    label_smoothing: float = number(
        0.0, least=0, below=1, because="it is a share", why="the plain loss"
    )
    weights: tuple[float, ...] = numbers(
        (), above=0, because="each is the weight of a class", why="equal weights"
    )
    priors: tuple[float, ...] = numbers(
        (), above=0, because="each is the share of a class", why="the likeliest class is answered"
    )

    def probabilities(self, output: Tensor) -> Tensor:
        return torch.softmax(self._with_priors(output), 1)

    def for_uneven_classes(
        self, *, weights: tuple[float, ...] = (), priors: tuple[float, ...] = ()
    ) -> Loss | str:
        if self.weights or self.priors:
            return "the loss has weights of the classes, or their shares, already"
        return self.but(weights=weights, priors=priors)

    def _with_priors(self, output: Tensor) -> Tensor:
        """The outputs plus ln of the share of each class."""
        if not self.priors:
            return output
        if len(self.priors) != output.shape[1]:
            raise ValueError(
                f"CrossEntropy has {len(self.priors)} priors and the network {output.shape[1]}"
                " outputs, one for each class: write one prior for each output"
            )
        log = torch.tensor(self.priors, dtype=output.dtype, device=output.device).log()
        return output + log.reshape(1, -1, *[1] * (output.dim() - 2))

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        smoothing = self.label_smoothing
        if self.priors:
            plain = self.but(priors=()).build()
            return lambda output, target: plain(self._with_priors(output), target)
        if not self.weights:
            if not smoothing:
                return F.cross_entropy
            return lambda output, target: F.cross_entropy(output, target, label_smoothing=smoothing)
        weights = torch.tensor(self.weights)

        def weighted(output: Tensor, target: Tensor) -> Tensor:
            if len(weights) != output.shape[1]:
                raise ValueError(
                    f"CrossEntropy has {len(weights)} weights and the network {output.shape[1]}"
                    " outputs, one for each class: write one weight for each output"
                )
            return F.cross_entropy(
                output, target, weight=weights.to(output), label_smoothing=smoothing
            )

        return weighted

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        smoothing = self.label_smoothing
        weights = torch.tensor(self.weights) if self.weights else None

        def per_sample(output: Tensor, target: Tensor) -> Tensor:
            output = self._with_priors(output)
            losses = F.cross_entropy(
                output,
                target,
                weight=None if weights is None else weights.to(output),
                label_smoothing=smoothing,
                reduction="none",
            )
            return losses if losses.dim() == 1 else losses.flatten(1).mean(1)

        return per_sample


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of sigmoid outputs, from their logits: -[y ln a + (1 - y) ln(1 - a)], mean over
    samples.

    For one output, for classes with one sigmoid output each, and for several labels at once
    (multi-label): targets are numbers from 0 to 1 of the output's shape, or class numbers.

    Args:
        outputs: "sum" over the outputs, as in Nielsen 2015, or "mean", as in torch's
            `BCEWithLogitsLoss`. Default "sum".

    Example:
        >>> import netwise as nw, torch
        >>> round(nw.BinaryCrossEntropy()(torch.zeros(1, 1), torch.zeros(1, 1)).item(), 4)  # ln 2
        0.6931

    Source: Nielsen 2015, Neural networks and deep learning, chapter 3, eq. 63.
    """

    takes: ClassVar[str] = "logits"
    output_activation: ClassVar[str] = "Sigmoid"
    target_range: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    outputs: str = text(SUM, among=(SUM, MEAN), why=NIELSEN)

    def probabilities(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        return self.but(outputs=SUM) if self.outputs == MEAN else None

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        mean = self.outputs == MEAN

        def binary_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
            values = as_values(output, target)
            return F.binary_cross_entropy_with_logits(output, values, reduction="sum") / (
                output.numel() if mean else len(output)
            )

        return binary_cross_entropy


@dataclass(frozen=True)
class Quadratic(Loss):
    """Quadratic cost with the factor 1/2: C = |y - a|^2 / 2, mean over samples.

    Behind a sigmoid its gradient has the factor f'(z), so a saturated unit that is very wrong
    learns slowly. For classes use `CrossEntropy`. torch's `MSELoss` (`MeanSquaredError`) is
    2 / outputs times this.

    Args:
        outputs: "sum" over the outputs, as in Nielsen 2015, or "mean". Default "sum".

    Example:
        >>> import netwise as nw, torch
        >>> nw.Quadratic()(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
        2.0

    Source: Nielsen 2015, Neural networks and deep learning, chapter 1, eq. 6.
    """

    outputs: str = text(SUM, among=(SUM, MEAN), why=NIELSEN)

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
    """Mean squared error over samples and outputs, as in torch.

    Class numbers become one-hot rows; for classes prefer `CrossEntropy`, which trains faster.

    Example:
        >>> import netwise as nw, torch
        >>> nw.MeanSquaredError()(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
        4.0
    """

    def summed_over_outputs(self, lowest: float, highest: float) -> Loss | None:
        # Half the sum of squares is the negative log of a normal density with variance 1, far too
        # large for pixels from 0 to 1.
        return BinaryCrossEntropy() if lowest >= 0 and highest <= 1 else Quadratic()

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: F.mse_loss(output, as_values(output, target))

    def per_sample(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: (
            (output - as_values(output, target)).square().flatten(1).mean(1)
        )


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """Mean absolute error over samples and outputs: less sensitive to outliers than squared error.

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
    """Squared for small errors, linear beyond `delta`: e^2 / 2 within, delta (|e| - delta / 2)
    outside; mean over samples and outputs.

    Args:
        delta: where it becomes linear, above 0. Default 1.0: one standard deviation of
            standardised targets.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Huber()(torch.tensor([[3.0]]), torch.tensor([[0.0]])).item()
        2.5

    Source: Huber 1964, Robust estimation of a location parameter.
    """

    tasks: ClassVar[tuple[str, ...]] = (REGRESSION,)
    delta: float = number(
        1.0,
        above=0,
        because="it is a distance",
        why="one standard deviation of standardised targets",
    )

    def build(self) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: F.huber_loss(
            output, as_values(output, target), delta=self.delta
        )


@dataclass(frozen=True)
class Hinge(Loss):
    """Multi-class hinge loss of scores: sum over the wrong classes of
    max(0, margin + s_j - s_y)^power, mean over samples.

    0 for samples whose correct score leads by the margin, so they do not change the weights.
    torch's `MultiMarginLoss` is this divided by the number of classes.

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
        1.0, above=0, because="a margin is positive", why="the scale of scores is free"
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
    """Targets as numbers of the output's shape: class numbers become one-hot rows.

    Raises:
        ValueError: the shapes differ. Without this check they would be broadcast.
    """
    if not target.is_floating_point():
        # As `F.one_hot`, which reads the largest number back, so that no step could be captured.
        rows = output.new_zeros((*target.shape, output.shape[-1]))
        target = rows.scatter(-1, target.unsqueeze(-1), 1.0)
    if target.shape != output.shape:
        raise ValueError(
            f"the network's output has shape {tuple(output.shape)} and the target"
            f" {tuple(target.shape)}, which must be equal: change the last layer of the network,"
            " or reshape the targets"
        )
    return target


def loss_of_guessing(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, outputs: int
) -> float | None:
    """The lowest loss of a constant prediction on `target`: the baseline that a network must beat.

    Works for any function: tries logits, probabilities, and mean and median of the targets. None
    where the loss takes none of them.
    """
    if target.is_floating_point():
        rows = target.reshape(len(target), -1).float()
        mean = rows.mean(0)
        share = mean.clamp(1e-6, 1 - 1e-6)
        predictions = [mean, rows.median(0).values, torch.log(share / (1 - share))]
    else:
        target = target.reshape(-1)
        share = (torch.bincount(target, minlength=outputs).float() / target.numel()).clamp_min(
            1e-12
        )
        if len(share) != outputs:
            return None
        predictions = [share.log(), share, torch.log(share / (1 - share).clamp_min(1e-12))]
    expanded = [
        prediction.expand(len(target), outputs).contiguous()
        for prediction in predictions
        if prediction.numel() in (1, outputs)
    ]
    return _lowest(loss, target, expanded)


def least_loss(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, outputs: int
) -> float | None:
    """The loss of a perfect prediction: 0 for most losses, above 0 where targets are smoothed or
    probabilities.

    Works for any function: tries the targets themselves, their logits, and class scores of growing
    size.
    """
    if target.is_floating_point():
        share = target.float().clamp(1e-6, 1 - 1e-6)
        predictions = [target.float(), torch.log(share / (1 - share))]
    else:
        if target.numel() and int(target.max()) >= outputs:
            return None
        target = target.reshape(-1)  # of sequences too: each position has a prediction
        one_hot = F.one_hot(target, outputs).float()
        predictions = [
            one_hot,
            *(one_hot * scale for scale in (2, 3, 4, 5, 6, 8, 10, 20, 100)),
            *((2 * one_hot - 1) * scale for scale in (10, 50)),
        ]
    return _lowest(loss, target, predictions)


PARALLEL = 0.9999  # cosine of two gradients whose directions differ by rounding only


def loss_kind(loss: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor) -> str:
    """Which loss a function computes, by its gradient alone, so that it works for any function; ""
    if unknown.

    The gradient of cross-entropy is softmax(out) - onehot for softmax and sigmoid(out) - y for
    sigmoid, that of a squared error is out - y, and that of the logarithm of probabilities has out
    in its denominator.
    """
    # A sequence has a prediction at each position.
    if output.dim() == 3 and not target.is_floating_point():
        output, target = output.transpose(1, 2).flatten(0, 1), target.flatten()
    if output.dim() != 2 or not len(output) or not bool(torch.isfinite(output).all()):
        return ""
    out = output.detach().double().requires_grad_()
    try:
        with torch.enable_grad():
            converted = target if not target.is_floating_point() else target.double()
            (g,) = torch.autograd.grad(loss(out, converted), out)
        y = as_values(out.detach(), target).double()
    except (RuntimeError, ValueError, IndexError, TypeError):
        return ""
    o = out.detach()
    several_outputs = o.shape[1] > 1
    may_be_probabilities = bool((o > 0).all()) and bool((o < 1).all())
    candidates: list[tuple[str, Tensor]] = [
        (SQUARED, o - y),
        (OF_SIGMOID_LOGITS, torch.sigmoid(o) - y),
    ]
    if several_outputs:
        candidates.insert(0, (OF_LOGITS, torch.softmax(o, 1) * y.sum(1, keepdim=True) - y))
    if may_be_probabilities:
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
    """Whether targets are class numbers or one-hot rows."""
    if not target.is_floating_point():
        return True
    return (
        target.dim() == 2
        and target.shape[1] > 1
        and bool(((target == 0) | (target == 1)).all())
        and bool((target.sum(1) == 1).all())
    )


def target_facts(target: Tensor) -> dict[str, Any]:
    """Fields of `RunFacts` about the targets: whether they are classes, and their range, mean and
    standard deviation."""
    if are_classes(target):
        return {"class_targets": True}
    y = target.double()
    return {
        "class_targets": False,
        "target_low": float(y.min()),
        "target_high": float(y.max()),
        "target_mean": float(y.mean()),
        "target_std": float(y.std(unbiased=False)),
    }


def _lowest(
    loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, predictions: list[Tensor]
) -> float | None:
    """The lowest loss of the predictions that the loss accepts; None where it accepts none."""
    losses: list[float] = []
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A target that torch has to widen is none of this prediction.
        warnings.filterwarnings("error", "Using a target size")
        for prediction in predictions:
            if (
                target.is_floating_point()
                and target.shape != prediction.shape
                and target.numel() == prediction.numel()
            ):
                prediction = prediction.reshape(target.shape)
            try:
                value = float(loss(prediction, target))
            except Exception:  # any function of the user's
                continue
            if not math.isnan(value):
                losses.append(value)
    return min(losses) if losses else None
