"""What a loss expects, asked by calling it on rows of one's own: random logits, probabilities and
targets, never only the first outputs of a network."""

from __future__ import annotations

import copy
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOGITS = "logits"
SIGMOID_LOGITS = "sigmoid logits"
LOG_PROBABILITIES = "log-probabilities"
PROBABILITIES = "probabilities"
VALUES = "values"
SIGNS = "signs"  # targets of -1 and 1

MOST_ROWS = 32
_MOST_NUMBERS = 1 << 18
_PARALLEL = 0.9999  # cosine of two gradients that differ by rounding
_SPREAD = 3.0  # of random logits: some are beyond the margin of a hinge loss
_EQUAL = 1e-4  # relative difference of two losses that differ by rounding

Loss = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class _Rows:
    """Targets of one's own in the form of the program's.

    Args:
        shape: of the outputs.
        target: in the form of the program.
        y: the same as numbers of the shape of the outputs; None where they have another shape.
        classes: whether each sample has exactly one class, along `axis`.
        axis: of the classes in the outputs; None for single numbers.
        binary: whether all numbers are 0 or 1.
    """

    shape: tuple[int, ...]
    target: Tensor
    y: Tensor | None
    classes: bool = False
    axis: int | None = None
    binary: bool = False


def loss_answers(loss: Loss, output: Any, target: Any) -> dict[str, Any]:
    """What a loss takes, and how it behaves, as fields of `FirstBatch`.

    Neither the loss, the outputs nor a random generator is changed. A module is copied.

    Args:
        loss: a function (output, target) -> number, or a module.
        output: of the network for a batch: a tensor, whose shape and type count.
        target: of the same batch: a tensor.

    Returns:
        `loss_takes`, `loss_targets`, `loss_constant`, `loss_ignores_targets`,
        `loss_rewards_errors`, `loss_sums` and `loss_not_finite`, where they are known; {} where the
        loss cannot be asked.

    Example:
        >>> import torch
        >>> from torch.nn import functional as F
        >>> answers = loss_answers(F.cross_entropy, torch.zeros(8, 3), torch.arange(8) % 3)
        >>> answers["loss_takes"], answers["loss_constant"], answers["loss_rewards_errors"]
        ('logits', False, False)
    """
    if not isinstance(output, Tensor) or not isinstance(target, Tensor):
        return {}
    if not output.is_floating_point() or not output.dim() or not output.numel():
        return {}
    with _untouched(output.device), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            own = copy.deepcopy(loss) if isinstance(loss, nn.Module) else loss
            return _Questions(own, output.detach(), target.detach()).answers()
        except Exception:  # the loss is any code of the user's
            return {}


@contextmanager
def _untouched(device: torch.device) -> Iterator[None]:
    """Restores all random states that a loss may use."""
    numpy = sys.modules.get("numpy")
    state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy is not None else None
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices), torch.enable_grad():
            yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.random.set_state(numpy_state)


class _Questions:
    """A loss with rows to ask it about."""

    def __init__(self, loss: Loss, output: Tensor, target: Tensor) -> None:
        self._loss = loss
        self._generator = torch.Generator().manual_seed(0)
        each = max(1, output.numel() // max(1, len(output)))
        few = max(2, min(MOST_ROWS, _MOST_NUMBERS // each, len(output)))
        output = output[:few]
        target = target[:few] if target.dim() else target
        self._device = output.device
        half = output.dtype in (torch.float16, torch.bfloat16)
        self._type = torch.float32 if half else output.dtype
        self._rows = self._own_rows(output, target)
        shape = self._rows.shape
        self._logits = _SPREAD * self._random(shape)
        axis = self._rows.axis
        many = axis is not None and shape[axis] > 1
        self._shares = self._logits.softmax(axis or 0) if many else self._logits.sigmoid()

    def _random(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self._generator).to(self._device, self._type)

    def _own_rows(self, output: Tensor, target: Tensor) -> _Rows:
        """Targets of the program's form in which all classes occur."""
        shape = tuple(output.shape)
        whole = not target.is_floating_point() and target.dtype != torch.bool
        axis = _class_axis(shape, tuple(target.shape)) if whole else None
        if axis is not None:
            numbers = self._classes(target.numel(), shape[axis]).reshape(target.shape)
            y = F.one_hot(numbers, shape[axis]).movedim(-1, axis).to(self._type)
            return _Rows(shape, numbers.to(target.dtype), y, classes=True, axis=axis)
        if target.numel() != output.numel() or target.is_complex():
            return _Rows(shape, target, None)
        values = target.to(self._type)
        binary = bool(((values == 0) | (values == 1)).all())
        several = len(shape) > 1 and shape[1] > 1 and tuple(target.shape) == shape
        if binary and several and bool((values.sum(1) == 1).all()):
            count = values.numel() // shape[1]
            rows = F.one_hot(self._classes(count, shape[1]), shape[1])
            y = rows.reshape(shape[0], *shape[2:], shape[1]).movedim(-1, 1).to(self._type)
            return _Rows(shape, y.to(target.dtype), y, classes=True, axis=1, binary=True)
        if binary:
            values = (self._random(tuple(target.shape)) > 0).to(self._type)
        axis = 1 if several else None
        own = values.to(target.dtype)
        return _Rows(shape, own, values.reshape(shape), axis=axis, binary=binary)

    def _classes(self, count: int, classes: int) -> Tensor:
        order = torch.randperm(count, generator=self._generator)
        return (order % classes).to(self._device)

    # ---- questions

    def ask(self, rows: Tensor, target: Tensor | None = None) -> tuple[float, Tensor] | None:
        """The loss of these outputs and its slope; None where it refuses them."""
        out = rows.detach().clone().requires_grad_()
        try:
            value: Any = self._loss(out, self._rows.target if target is None else target)
            total: Tensor = value.sum() if value.numel() != 1 else value.reshape(())
            if not total.requires_grad:
                return float(total), torch.zeros_like(out)
            slopes: tuple[Any, ...] = torch.autograd.grad(total, out, allow_unused=True)
        except Exception:  # the loss is any code of the user's
            return None  # refused, or no tensor
        return float(total), torch.zeros_like(out) if slopes[0] is None else slopes[0].detach()

    def answers(self) -> dict[str, Any]:
        found: dict[str, Any] = {"loss_constant": self._constant()}
        if found["loss_constant"] is None:
            return {}
        takes, rewards = ("", None) if found["loss_constant"] else self._takes()
        found["loss_takes"], found["loss_rewards_errors"] = takes, rewards
        found["loss_sums"] = self._sums(takes)
        found["loss_targets"] = self._forms(takes)
        found["loss_ignores_targets"] = None if found["loss_constant"] else self._ignores_targets()
        found["loss_not_finite"] = self._not_finite(takes)
        return {name: value for name, value in found.items() if value is not None}

    def _constant(self) -> bool | None:
        """Whether no slope reaches the outputs, of whatever kind they are."""
        answers = [self.ask(rows) for rows in (self._logits, self._shares, self._shares.log())]
        known = [answer for answer in answers if answer is not None]
        return None if not known else not any(bool((slope != 0).any()) for _, slope in known)

    def _ignores_targets(self) -> bool | None:
        """Whether value and slope stay the same to the bit for other targets: exchanged among the
        samples, and of other values, as a loss may compare means of a batch. None for a loss that
        compares the outputs of samples with each other, as in contrastive learning: it needs no
        targets."""
        target = self._rows.target
        if not target.dim() or len(target) < 2 or not bool((target != target[:1]).any()):
            return None
        others = [target.roll(1, 0), torch.zeros_like(target)]
        if target.is_floating_point():
            others.append(1 - target)
        compared = False
        for rows in (self._logits, self._shares, self._shares.log()):
            first, again = self.ask(rows), self.ask(rows)
            if first is None or again is None or not _is_equal(first, again):
                continue  # refused, or a loss that draws random numbers
            if self._compares_samples(rows, first[1]):
                return None
            for other in others:
                answer = self.ask(rows, other)
                if answer is not None and not _is_equal(first, answer):
                    return False
                compared = compared or answer is not None
        return True if compared else None

    def _compares_samples(self, rows: Tensor, slope: Tensor) -> bool:
        """Whether the slope of one sample depends on the outputs of others."""
        others = rows.clone()
        others[1:] = rows[1:].flip(0).roll(1, -1)
        answer = self.ask(others)
        return answer is not None and not torch.allclose(answer[1][0], slope[0], rtol=1e-4)

    def _takes(self) -> tuple[str, bool | None]:
        """What the loss takes, and whether it is lower for wrong outputs than for right ones."""
        y = self._rows.y
        if y is None:
            return "", None
        if self._takes_signs():
            return SIGNS, False
        for kind, rows, directions in self._candidates(y):
            answer = self.ask(rows)
            if answer is None or not _finite(answer[1]):
                continue
            if kind == LOG_PROBABILITIES and not self._has_one_slope(answer[1]):
                continue
            for direction in directions:
                if self._parallel(answer[1], direction):
                    return kind, False
                if self._parallel(answer[1], -direction):
                    return kind, True
        kind = self._by_behaviour(y)
        return kind, self._rewards(kind, y) if kind else None

    def _candidates(self, y: Tensor) -> Iterator[tuple[str, Tensor, list[Tensor]]]:
        """Kinds of outputs with the slope of the loss that takes them."""
        o, axis = self._logits, self._rows.axis
        many = axis is not None and o.shape[axis] > 1
        if many and axis is not None:
            yield LOGITS, o, [o.softmax(axis) * y.sum(axis, keepdim=True) - y]
        yield SIGMOID_LOGITS, o, [o.sigmoid() - y]
        yield VALUES, o, [o - y, (o - y).sign()]
        if many and axis is not None:
            yield LOG_PROBABILITIES, o.log_softmax(axis), [-y]
        p = self._shares
        if self._rows.classes or bool(((y >= 0) & (y <= 1)).all()):
            directions = [(p - y) / (p * (1 - p))]
            if self._rows.classes and axis is not None:
                directions += [-y / p, 1 / p.sum(axis, keepdim=True) - y / p]
            yield PROBABILITIES, p, directions

    def _has_one_slope(self, slope: Tensor) -> bool:
        """Whether the loss is linear in the outputs: its slope is the same for all of them."""
        other = self.ask(self._shares)
        return other is not None and torch.allclose(slope, other[1], rtol=1e-4)

    def _parallel(self, slope: Tensor, direction: Tensor) -> bool:
        """Whether two slopes have one direction. Samples that each have a class may have weights of
        their own, as in a focal loss."""
        axis = self._rows.axis
        if self._rows.classes and axis is not None:
            a, b = slope.movedim(axis, -1).flatten(0, -2), direction.movedim(axis, -1)
            b = b.flatten(0, -2)
            norms = a.norm(dim=1)
            used = norms > 1e-6 * norms.max()
            if not bool(used.any()):
                return False
            cosines = F.cosine_similarity(a[used], b[used], dim=1, eps=1e-30)
            return bool((cosines > _PARALLEL).all())
        size = float(slope.norm() * direction.norm())
        return size > 0 and float((slope * direction).sum()) / size > _PARALLEL

    def _takes_signs(self) -> bool:
        """A hinge loss: targets of 0 have no slope, those of -1 and 1 have, and outputs far on the
        right side cost nothing."""
        rows = self._rows
        if rows.y is None or rows.target.dtype == torch.bool or rows.target.shape != rows.shape:
            return False
        if rows.classes and not rows.binary:
            return False
        signs = (2 * (self._random(rows.shape) > 0).to(self._type) - 1).to(rows.target.dtype)
        none = torch.zeros_like(signs)
        far = 50 * signs.to(self._type)
        with_signs, without = self.ask(self._logits, signs), self.ask(self._logits, none)
        right, wrong = self.ask(far, signs), self.ask(-far, signs)
        if with_signs is None or without is None or right is None or wrong is None:
            return False
        flat = not bool((without[1] != 0).any())
        sides = [with_signs[1][signs == side] for side in (-1, 1)]
        slopes = all(bool((side != 0).any()) for side in sides)
        return flat and slopes and abs(right[0]) < 1e-3 < wrong[0]

    def _by_behaviour(self, y: Tensor) -> str:
        """What a loss takes whose slope has no known direction: by what leaves it unchanged."""
        o, p, rows = self._logits, self._shares, self._rows
        at = self.ask(o)
        if at is not None and _is_number(at[0]):
            if rows.axis is not None and o.shape[rows.axis] > 1 and (rows.classes or rows.binary):
                shift = 2 * self._random((len(o), *[1] * (o.dim() - 1)))
                if self._same(at, self.ask(o + shift)):
                    return LOGITS
            is_numbers = not rows.classes and rows.target.is_floating_point()
            if is_numbers and self._same(at, self.ask(o + 0.7, rows.target + 0.7)):
                return VALUES
        shares = self.ask(p)
        if shares is None or not _is_number(shares[0]):
            return ""
        negative = self.ask(-p)
        if negative is None or not _is_number(negative[0]):
            return PROBABILITIES
        if rows.classes and self._same(shares, self.ask(2 * p)):
            return PROBABILITIES
        return SIGMOID_LOGITS if rows.binary and self._saturates(y) else ""

    def _same(self, first: tuple[float, Tensor], second: tuple[float, Tensor] | None) -> bool:
        if second is None or not _is_number(second[0]):
            return False
        return abs(first[0] - second[0]) <= _EQUAL * max(abs(first[0]), abs(second[0]), 1e-6)

    def _saturates(self, y: Tensor) -> bool:
        """A loss that falls, the farther outputs are on the right side, towards a limit."""
        side = 2 * y - 1
        answers = [self.ask(size * side) for size in (-20.0, -2.0, 0.0, 2.0, 10.0, 20.0)]
        if any(answer is None for answer in answers):
            return False
        values = [answer[0] for answer in answers if answer is not None]
        falls = all(a > b for a, b in pairwise(values[:5]))
        return falls and abs(values[4] - values[5]) < 1e-3 * abs(values[0] - values[4])

    def _rewards(self, kind: str, y: Tensor) -> bool | None:
        """Whether wrong outputs cost less than right ones; None where it is not clear."""
        right, wrong = y, self._wrong(y)
        if kind in (LOGITS, SIGMOID_LOGITS):
            right, wrong = 4 * (2 * right - 1), 4 * (2 * wrong - 1)
        elif kind == PROBABILITIES:
            right, wrong = 0.05 + 0.9 * right, 0.05 + 0.9 * wrong
        if bool((right == wrong).all()):
            return None
        first, second = self.ask(right), self.ask(wrong)
        if first is None or second is None or self._same(first, second):
            return None
        return first[0] > second[0]

    def _wrong(self, y: Tensor) -> Tensor:
        """Each sample with the class, or the number, of another."""
        return y.roll(1, (self._rows.axis or 0) if self._rows.classes else 0)

    def _accepted(self, kind: str) -> Tensor:
        if kind == PROBABILITIES:
            return self._shares
        if kind == LOG_PROBABILITIES:
            return self._logits.log_softmax(self._rows.axis or 0)
        return self._logits

    def _sums(self, kind: str) -> bool | None:
        """Whether a batch of twice the samples has twice the loss."""
        target = self._rows.target
        if not target.dim() or len(target) != self._rows.shape[0]:
            return None
        rows = self._accepted(kind)
        one, two = self.ask(rows), self.ask(torch.cat([rows, rows]), torch.cat([target, target]))
        if one is None or two is None or not _is_number(one[0]) or not abs(one[0]) > 1e-6:
            return None
        ratio = two[0] / one[0]
        return True if abs(ratio - 2) < 1e-3 else False if abs(ratio - 1) < 1e-3 else None

    def _forms(self, kind: str) -> str | None:
        """Whether targets are class numbers, rows of them, or both are taken."""
        rows = self._rows
        if not rows.classes or rows.y is None or not kind:
            return None
        as_rows = rows.binary
        numbers = rows.y.movedim(rows.axis or 0, -1).argmax(-1)
        first = self.ask(self._accepted(kind))
        other = self.ask(self._accepted(kind), numbers if as_rows else rows.y)
        if first is None:
            return None
        if other is not None and self._same(first, other):
            return "class numbers or one-hot rows"
        return "one-hot rows" if as_rows else "class numbers"

    def _not_finite(self, kind: str) -> str | None:
        """Outputs at which the loss or its slope is not finite; "" where it always is."""
        y = self._rows.y
        if y is None or kind not in (LOGITS, SIGMOID_LOGITS, PROBABILITIES):
            return None
        wrong = self._wrong(y) if self._rows.classes else 1 - y.clamp(0, 1)
        if kind == PROBABILITIES:
            cases = [("probabilities of exactly 0", wrong), ("probabilities of exactly 1", y)]
        else:
            far = 2 * wrong - 1
            cases = [("outputs of 200", 200 * far), ("outputs of 200", -200 * far)]
        for text, rows in cases:
            answer = self.ask(rows)
            if answer is not None and not (_is_number(answer[0]) and _finite(answer[1])):
                return text
        return ""


def _is_equal(first: tuple[float, Tensor], second: tuple[float, Tensor]) -> bool:
    return first[0] == second[0] and torch.equal(first[1], second[1])


def _class_axis(shape: tuple[int, ...], target: tuple[int, ...]) -> int | None:
    """The axis of outputs along which class numbers choose; None without one."""
    if len(shape) < 2:
        return None
    if shape[:1] + shape[2:] == target and shape[1] > 1:
        return 1
    if shape[:-1] == target and shape[-1] > 1:
        return len(shape) - 1
    return None


def _is_number(value: float) -> bool:
    return value - value == 0


def _finite(values: Tensor) -> bool:
    return bool(torch.isfinite(values).all())
