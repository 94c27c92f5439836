"""Hidden states that go from one step's batch to the next, and whether they tell anything of it.

A recurrent layer carries a state where it begins a step with the numbers that it ended the step
before with. What that state is worth a copy of the module shows: its outputs with each row's own
state, and with the states of other rows. Of outputs a and b with these, and targets y, the mean of
(b - y)² - (a - y)² is the mean of (b - a)² where the state is used as well as it can be, since then
a - y has nothing to do with b - a; and it is 0 where the states tell nothing of the targets.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.module_copy import copy_of, outputs_of
from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.readable import readable
from netwise.observe.undisturbed import undisturbed
from netwise.wiring import BINARY_CROSS_ENTROPY_OF_LOGITS, CROSS_ENTROPY

FEWEST_CARRIED = 3  # steps in a row
FEWEST_ROWS = 8  # of a batch
FEWEST = 8  # steps in which a copy was asked, of the later half
MOST_SECONDS = 5.0  # for all copies
MOST_BYTES = 50_000_000
SAME = 0.8  # correlation of the copy's outputs with those that the loss was computed of


@dataclass(frozen=True)
class StateValue:
    """What a carried state is worth.

    Args:
        layer: name of the recurrent layer.
        noise: variance of outputs over the states of other rows, over their whole variance.
        worth: how much worse the outputs are with these, over what it would be if the state were
            used as well as it can be.
        error: standard error of that.
        unexplained: mean squared error of the outputs over the variance of the targets.
    """

    layer: str
    noise: float
    worth: float
    error: float
    unexplained: float


@dataclass(frozen=True)
class _Asked:
    worse: float
    moved: float
    noise: float
    unexplained: float


class CarriedStates:
    """Reads the recurrent layers of one module in watched steps."""

    def __init__(self) -> None:
        self._layer = ""  # the first that carries a state
        self._given: Any = None  # the state at the first call of that layer in this step
        self._firsts: dict[str, Any] = {}
        self._ends: dict[str, Tensor] = {}  # last states of each layer
        self._before: dict[str, Tensor] = {}  # of the step before
        self._step, self._carried, self._seconds = -1, 0, 0.0
        self._is_first = False
        self._waiting: tuple[list[Tensor], list[Tensor]] | None = None
        self._asked: list[_Asked] = []

    def layer_called(
        self, name: str, layer: nn.Module, args: Any, kwargs: Any, output: Any
    ) -> None:
        """A recurrent layer of the module, or a cell of one, has returned in a pass of training."""
        if name not in self._firsts:
            self._firsts[name] = args[1] if len(args) > 1 else kwargs.get("hx")
        is_cell = isinstance(layer, nn.RNNCellBase)
        last = next(tensors_in(output if is_cell else output[1:]), None)
        values = None if last is None else readable(last)
        if values is not None:
            self._ends[name] = values.detach().clone()

    def pass_ended(self, module: nn.Module, args: Any, kwargs: Any, steps: int) -> None:
        """A pass of training has ended.

        Args:
            module: it.
            args, kwargs: of its call.
            steps: that have been taken.
        """
        firsts, self._firsts = self._firsts, {}
        ends, self._ends = self._ends, {}
        self._waiting = None
        if steps == self._step:  # a further pass of the same step
            self._before |= ends
            return
        follows, self._step = steps == self._step + 1, steps
        before, self._before = self._before, ends
        for name, state in firsts.items():
            if not _is_free(state):
                continue
            if follows and not self._asked:
                first, end = next(tensors_in(state)), before.get(name)
                if end is not None and end.shape == first.shape and bool((end == first).all()):
                    self._layer = self._layer or name
                    self._carried += name == self._layer
            if name == self._layer and self._carried >= FEWEST_CARRIED:
                self._ask(module, args, kwargs, state)

    def _ask(self, module: nn.Module, args: Any, kwargs: Any, state: Any) -> None:
        if self._seconds > MOST_SECONDS:
            return
        began = time.perf_counter()
        try:
            with torch.no_grad(), undisturbed(module):
                copied = copy_of(module, MOST_BYTES)
                own = _with_state(copied, self._layer, state, args, kwargs)
                other = with_tensors(state, lambda t: t.roll(1, max(t.dim() - 2, 0)))
                self._waiting = own, _with_state(copied, self._layer, other, args, kwargs)
        except Exception:  # no copy can be made of it, or its code takes no second call
            self._seconds = MOST_SECONDS + 1
        self._seconds += time.perf_counter() - began

    def loss_read(self, output: Tensor, target: Tensor, operation: str) -> None:
        """The loss of the last pass was read.

        Args:
            output, target, operation: as in `TermReading`.
        """
        waiting, self._waiting = self._waiting, None
        values, wanted = readable(output), readable(target)
        if waiting is None or values is None or wanted is None:
            return
        for a, b in zip(*waiting, strict=True):
            if a.numel() == values.numel() and a.shape == b.shape and _is_like(a, values):
                shape = values.shape
                asked = _asked(a.reshape(shape), b.reshape(shape), wanted, operation)
                self._asked += [] if asked is None else [asked]
                return

    @property
    def found(self) -> StateValue | None:
        """What the state is worth in the later half of the training; None without one that is
        carried, and where it is not known."""
        late = self._asked[len(self._asked) // 2 :]
        moved = sum(each.moved for each in late)
        if len(late) < FEWEST or not moved > 0:
            return None
        worth = sum(each.worse for each in late) / moved
        apart = [each.worse - worth * each.moved for each in late]
        return StateValue(
            layer=self._layer,
            noise=mean(each.noise for each in late),
            worth=worth,
            error=stdev(apart) * len(late) ** 0.5 / moved,
            unexplained=mean(each.unexplained for each in late),
        )


def _is_free(state: Any) -> bool:
    """Whether a state is numbers without a graph that differ between the rows: no weights, and not
    what this batch was encoded to."""
    tensors = list(tensors_in(state))
    if not tensors or any(t.requires_grad or readable(t) is None or t.dim() < 2 for t in tensors):
        return False
    first = tensors[0]
    rows = first.transpose(0, first.dim() - 2)
    return len(rows) >= FEWEST_ROWS and bool((rows != rows[:1]).any())


def _with_state(module: nn.Module, layer: str, state: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """Outputs of a copy whose layer begins with this state."""
    left = [state]

    def put(part: nn.Module, given: Any, named: Any) -> Any:
        return ((given[0], left.pop()), {}) if left and given else None

    handle = module.get_submodule(layer).register_forward_pre_hook(put, with_kwargs=True)
    try:
        return outputs_of(module, args, kwargs, training=False)
    finally:
        handle.remove()


def _is_like(first: Tensor, second: Tensor) -> bool:
    both = torch.stack([first.flatten().double(), second.detach().flatten().double()])
    return bool((both.std(1) > 0).all()) and bool(torch.corrcoef(both)[0, 1] > SAME)


def _asked(own: Tensor, other: Tensor, target: Tensor, operation: str) -> _Asked | None:
    """Compare both outputs with the targets of the loss; None for losses of other forms."""
    a, b, y = own.double(), other.double(), target
    if operation == CROSS_ENTROPY and not y.is_floating_point():
        if a.dim() != 2 or y.shape != a.shape[:1] or not bool(((y >= 0) & (y < len(a[0]))).all()):
            return None
        a, b = a.softmax(1), b.softmax(1)
        y = nn.functional.one_hot(y.long(), a.shape[1])
    elif y.numel() != a.numel():
        return None
    elif operation == BINARY_CROSS_ENTROPY_OF_LOGITS:
        a, b = a.sigmoid(), b.sigmoid()
    y = y.double().reshape(a.shape)
    spread, wanted = float(a.var(0).mean()), float(y.var(0).mean())
    moved = float((b - a).square().mean())
    if not spread > 0 or not wanted > 0:
        return None
    error = float((a - y).square().mean())
    worse = float((b - y).square().mean()) - error
    return _Asked(worse / wanted, moved / wanted, moved / 2 / spread, error / wanted)
