"""The loss of a program, rebuilt from what its graph shows and checked against recorded values.

The function itself is not known where a program is only observed. Its operation and target are: so
the few usual ways to come from an output to such a loss are tried on a kept batch, and the one that
gives the recorded number is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwise.observe.nested import tensors_in
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HUBER,
    SQUARED_ERROR,
)

EXACT = 1e-3  # largest relative difference from the recorded loss
LOOSE = 0.25  # the same, where the module draws random numbers
MOST_OUTPUTS = 4  # tensors among the outputs of a module that are tried

LOGITS = "cross-entropy of logits"
CLASSES, BITS, NUMBERS = "classes", "bits", "numbers"

Function = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class RebuiltLoss:
    """A loss as a function of outputs and target.

    Args:
        name: of the operation and of what is done to the output before it.
        function: the loss of (prediction, target) as tensors of equal meaning.
        number: which tensor among the outputs it takes.
        shaped: from that tensor to the one that is compared.
        factor: that the loss is multiplied by.
        kind: "classes" (the largest of a row), "bits" or "numbers".
        middle: of bits, the output between the two answers.
    """

    name: str
    function: Function
    number: int = 0
    shaped: str = "as it is"
    factor: float = 1.0
    kind: str = NUMBERS
    middle: float = 0.0

    def prediction(self, output: Any, target: Tensor) -> Tensor:
        """What is compared with the target."""
        tensor = _outputs(output)[self.number]
        return SHAPES[self.shaped](tensor, target)

    def __call__(self, output: Any, target: Tensor) -> Tensor:
        return self.function(self.prediction(output, target), target) * self.factor


# From an output to what is compared with the target.
SHAPES: dict[str, Function] = {
    "as it is": lambda o, t: o,
    "without the last axis": lambda o, t: o.squeeze(-1) if o.dim() > 1 else o,
    "as the target": lambda o, t: o.reshape(t.shape),
    "positions as samples": lambda o, t: o.flatten(0, -2) if o.dim() > 2 else o,
    "classes second": lambda o, t: o.movedim(-1, 1) if o.dim() > 2 else o,
    "last position": lambda o, t: o[:, -1] if o.dim() > 2 else o,
    "first position": lambda o, t: o[:, 0] if o.dim() > 2 else o,
    "mean of positions": lambda o, t: o.mean(1) if o.dim() > 2 else o,
}


def _outputs(output: Any) -> list[Tensor]:
    return [t for t in tensors_in(output) if t.is_floating_point() and t.dim()]


def _likelihood(of: Callable[[Tensor], Tensor], reduction: str, ignored: int | None) -> Function:
    """Negative log-likelihood of classes, by number or as rows of probabilities."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        logs = of(output)
        if target.is_floating_point():
            each = -(target * logs).sum(1)
            return each.sum() if reduction == "sum" else each.mean()
        if target.dim() == output.dim() and target.shape[1] == 1:
            target = target.squeeze(1)
        return F.nll_loss(
            logs,
            target.long(),
            ignore_index=-100 if ignored is None else ignored,
            reduction=reduction,
        )

    return loss


def _elementwise(function: Any, of: Callable[[Tensor], Tensor], reduction: str) -> Function:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        numbers = not target.is_floating_point() and target.shape == output.shape[:-1]
        if numbers and target.numel() and int(target.min()) >= 0:
            target = _as_rows(target, output)  # in evaluation classes may be given by number
        if output.shape != target.shape:
            raise ValueError(
                f"the outputs have the shape {tuple(output.shape)} and the targets "
                f"{tuple(target.shape)}: pass loss=... to `nw.watch`"
            )
        value: Tensor = function(of(output), target.to(output.dtype), reduction=reduction)
        return value

    return loss


def _as_rows(numbers: Tensor, output: Tensor) -> Tensor:
    """Class numbers as rows with one 1; as they are where there are more classes than outputs."""
    if int(numbers.max()) >= output.shape[-1]:
        return numbers
    return F.one_hot(numbers.long(), output.shape[-1]).to(output.dtype)


def _same(output: Tensor) -> Tensor:
    return output


def _softmax(output: Tensor) -> Tensor:
    return output.softmax(1)


Candidate = tuple[str, Function, str, float]


def _candidates(operation: str, reduction: str, ignored: int | None) -> Iterator[Candidate]:
    """Name, function, kind and middle of losses with this operation, the most usual first."""
    if operation == CROSS_ENTROPY:
        for name, of in (
            (LOGITS, lambda o: o.log_softmax(1)),
            ("likelihood of log-probabilities", _same),
            ("cross-entropy of probabilities", torch.log),
            ("cross-entropy of a softmax", lambda o: o.softmax(1).log_softmax(1)),
            ("logarithm of a softmax", lambda o: o.softmax(1).log()),
        ):
            yield name, _likelihood(of, reduction, ignored), CLASSES, 0.0
    elif operation == BINARY_CROSS_ENTROPY_OF_LOGITS:
        logits = F.binary_cross_entropy_with_logits
        yield "of logits", _elementwise(logits, _same, reduction), BITS, 0.0
        yield "of a sigmoid, again", _elementwise(logits, torch.sigmoid, reduction), BITS, 0.0
    elif operation == BINARY_CROSS_ENTROPY:
        function = F.binary_cross_entropy
        yield "of probabilities", _elementwise(function, _same, reduction), BITS, 0.5
        yield "of a sigmoid", _elementwise(function, torch.sigmoid, reduction), BITS, 0.0
    else:
        functions = {SQUARED_ERROR: F.mse_loss, ABSOLUTE_ERROR: F.l1_loss, HUBER: F.smooth_l1_loss}
        function_of = functions.get(operation)
        if function_of is None:
            return
        for name, of in (("", _same), (" of a sigmoid", torch.sigmoid), (" of tanh", torch.tanh)):
            yield operation + name, _elementwise(function_of, of, reduction), NUMBERS, 0.0
        yield (
            f"{operation} of a softmax",
            _elementwise(function_of, _softmax, reduction),
            NUMBERS,
            0,
        )


def is_one_hot(target: Tensor) -> bool:
    """Whether the target is rows with a single 1 each."""
    if target.dim() != 2 or target.shape[1] < 2 or not target.is_floating_point():
        return False
    return bool(((target == 0) | (target == 1)).all()) and bool((target.sum(1) == 1).all())


def _is_bits(target: Tensor) -> bool:
    return bool(((target == 0) | (target == 1)).all())


def rebuilt_loss(
    passes: Sequence[tuple[Any, Tensor]],
    operation: str,
    reduction: str,
    ignored: int | None,
    recorded: float | None,
    is_random: bool,
    stated: Callable[[Any, Any], Any] | None = None,
    penalised: bool = False,
    factor: float = 1.0,
) -> RebuiltLoss | None:
    """The loss that gives the recorded number; None where none does.

    Args:
        passes: output and target of the batches of one step.
        operation, reduction, ignored: of its loss, as in `KeptBatch`.
        recorded: its mean over them; None where it is not known.
        is_random: whether the module draws random numbers, so that another pass differs.
        stated: the function of the loss, where the user stated it.
        penalised: whether the recorded number has a penalty on the weights in it.
        factor: that the graph shows the loss to be multiplied by.
    """
    if recorded is None or not passes:
        return None
    output, target = passes[0]
    best: tuple[float, RebuiltLoss] | None = None
    options: list[Candidate] = list(_candidates(operation, reduction or "mean", ignored))
    if stated is not None:
        kind = _stated_kind(target)
        options.insert(0, ("the stated loss", stated, kind, 0.0))
    for number in range(min(len(_outputs(output)), MOST_OUTPUTS)):
        for name, function, kind, middle in options:
            for shaped in SHAPES:
                kind_now = CLASSES if is_one_hot(target) else kind
                if kind == BITS and not _is_bits(target):
                    kind_now = NUMBERS
                for times in dict.fromkeys((1.0, factor)):
                    form = RebuiltLoss(name, function, number, shaped, times, kind_now, middle)
                    difference = _difference(form, passes, recorded)
                    if difference is None:
                        continue
                    if abs(difference) < EXACT or (penalised and difference < 0):
                        return form
                    if best is None or abs(difference) < best[0]:
                        best = abs(difference), form
    return best[1] if best is not None and is_random and best[0] < LOOSE else None


def _stated_kind(target: Tensor) -> str:
    if not target.is_floating_point() and target.dtype != torch.bool:
        return CLASSES
    return BITS if _is_bits(target) else NUMBERS


def _difference(
    form: RebuiltLoss, passes: Sequence[tuple[Any, Tensor]], recorded: float
) -> float | None:
    """Relative difference of a loss from the recorded one, negative where it is lower; None where
    it cannot be computed."""
    try:
        with torch.no_grad():
            value = sum(float(form(output, target)) for output, target in passes) / len(passes)
    except (RuntimeError, ValueError, IndexError, TypeError):
        return None
    if value != value:
        return None
    return (value - recorded) / max(abs(recorded), 1e-8)


def loss_for_classes(output: Any, target: Tensor) -> RebuiltLoss | None:
    """Cross-entropy of the first output as logits, for targets that are class numbers or one-hot
    rows; None where output and target do not fit."""
    outputs = _outputs(output)
    if not outputs or outputs[0].dim() != 2 or len(target) != len(outputs[0]):
        return None
    logits, wide = outputs[0], outputs[0].shape[1] > 1
    rows = target.float() if target.dim() == 2 and target.shape == logits.shape else target
    if wide and is_one_hot(rows):
        return RebuiltLoss(LOGITS, lambda o, t: F.cross_entropy(o, t.float()), kind=CLASSES)
    numbers = target.dim() == 1 and not target.is_floating_point()
    if wide and numbers and int(target.min()) >= 0 and int(target.max()) < logits.shape[1]:
        return RebuiltLoss(LOGITS, F.cross_entropy, kind=CLASSES)
    return None
