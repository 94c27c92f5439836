"""`preflight`: what one batch tells before the first training step."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from netwise.diagnosis.report import Report, diagnose
from netwise.diagnosis.rules import RULES, Rule
from netwise.errors import named
from netwise.first_batch import FirstBatch
from netwise.history import History
from netwise.observe.active_observers import paused
from netwise.observe.first_batch_probes import first_batch_of
from netwise.observe.loss_questions import loss_answers
from netwise.observe.module_copy import CannotCopy, clean, kept_tensors, require_copyable
from netwise.observe.nested import tensors_in, with_tensors
from netwise.observe.raised_error import program_error_of
from netwise.observe.readable import readable
from netwise.observe.undisturbed import CannotBeUndone, seed_all, undisturbed
from netwise.watching.watch import watch

STEPS = 3  # of a copy: some weights get no gradient in the first
MOST_BYTES = 4e9  # of weights and buffers to copy
MOST_SECONDS = 30.0  # for questions to copies, after the steps
# Rules about what the user's loop does between batches, in evaluation and over time. The steps made
# here are no such loop: they clear gradients, take the same batch each time, and evaluate nothing.
OF_THE_LOOP = (
    "state_not_loaded",
    "loss_without_step",
    "inner_steps_idle",
    "stale_gradients",
    "gradients_cleared_before_step",
    "accumulation_not_divided",
    "clipped_before_unscale",
    "optimizer_made_anew",
    "clipped_away",
    "warm_up_too_long",
    "rate_swings",
    "evaluation_mode_in_training",
    "training_mode_in_evaluation",
    "evaluation_prepared_otherwise",
    "evaluation_asks_otherwise",
    "evaluation_drawn_anew",
    "inputs_beyond_training",
    "score_misread",
    "same_batch_again",
    "not_shuffled",
    "random_numbers_repeat",
    "labels_change",
    "leak",
    "nothing_held_out",
    "too_few_steps",
    "too_short",
)
FAILED = "the first training step raised an error"
NO_OPTIMIZER = "no optimizer was given: write optimizer=..."
OF_OPTIMIZERS = ("weights_stand_still", "nothing_trainable", "graph_cut")
LATER = "one batch cannot show it: write `with nw.watch():` around the training loop"

Optimizers = torch.optim.Optimizer | Sequence[torch.optim.Optimizer] | None


def preflight(
    model: nn.Module,
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    optimizer: Optimizers = None,
    batch: Any = None,
    rules: Sequence[Rule] = RULES,
) -> Report:
    """Check a model, its loss and its optimizer on one batch, before the first training step.

    Three training steps and some evaluations are made on copies, in seconds. The model, its
    gradients, buffers and modes, the optimizer, and the random generators stay as they are, bit for
    bit.

    Args:
        model: to be trained.
        loss: function (output, target) -> number. Default: the model returns its loss itself.
        optimizer: of the model's weights, or a tuple of several. Without one, rules about it are
            not checked.
        batch: (inputs, targets), such as `next(iter(loader))`. The inputs are a tensor, a tuple of
            several arguments, or a dictionary of keyword arguments.
        rules: which rules. Default: all of netwise that are not about a loop.

    Returns:
        A report as of `diagnose`. What only a training run can show is not checked.

    Raises:
        TypeError: `model` is no module, `optimizer` no optimizer of torch, or `loss` no function.
        ValueError: `batch` is no pair of inputs and targets.

    Example:
        >>> import netwise as nw, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=0))
        >>> x, y = torch.randn(30, 4), torch.arange(30) % 3
        >>> optimizer = torch.optim.SGD(model[:2].parameters(), lr=0.1)
        >>> def loss(output, y):
        ...     return nn.functional.nll_loss(output.log(), y)
        >>> report = nw.preflight(model, loss=loss, optimizer=optimizer, batch=(x, y))
        >>> report.names
        ('weights_stand_still', 'softmax_over_batch', 'samples_mix')
    """
    optimizers = _checked(model, loss, optimizer)
    args, kwargs, target = _checked_batch(batch)
    history = _history(_Asked(model, loss, optimizers, args, kwargs, target))
    report = diagnose(history, [rule for rule in rules if _is_asked(rule)])
    return replace(report, unchecked=_short_reasons(report, history, bool(optimizers)))


def _is_asked(rule: Rule) -> bool:
    """Whether a rule is about the model, the loss, the optimizer or the batch. A gradient of
    exactly 0 is the one symptom that a single batch shows."""
    of_one_batch = rule.name == "gradient_zero" or not rule.symptom
    return of_one_batch and not rule.at_end and rule.name not in OF_THE_LOOP


@dataclass(frozen=True)
class _Asked:
    """What the user passed, checked."""

    model: nn.Module
    loss: Callable[[Any, Any], Any] | None
    optimizers: tuple[torch.optim.Optimizer, ...]
    args: Any
    kwargs: Any
    target: Any

    @property
    def samples(self) -> int | None:
        """How many there are, where the targets are one number for each."""
        target = self.target
        return len(target) if isinstance(target, Tensor) and target.dim() == 1 else None


def _checked(model: Any, loss: Any, optimizer: Any) -> tuple[torch.optim.Optimizer, ...]:
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"model is a value of type {type(model).__name__}, and must be a torch.nn.Module: "
            "write nw.preflight(model, loss=..., optimizer=..., batch=(x, y))."
        )
    if loss is not None and not callable(loss):
        raise TypeError(
            f"loss is a value of type {type(loss).__name__}, and must be a function (output, "
            "target) -> number: write loss=nn.CrossEntropyLoss()."
        )
    several = isinstance(optimizer, tuple | list)
    optimizers = () if optimizer is None else tuple(optimizer) if several else (optimizer,)
    for each in optimizers:
        if not isinstance(each, torch.optim.Optimizer):
            raise TypeError(
                f"optimizer is a value of type {type(each).__name__}, and must be a "
                "torch.optim.Optimizer, or a tuple of several: write "
                "optimizer=torch.optim.Adam(model.parameters())."
            )
    return optimizers


def _checked_batch(batch: Any) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """Arguments of the model, and the targets; copies of the batch's tensors."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        what = f"a {type(batch).__name__} of {len(batch)}" if isinstance(
            batch, tuple | list
        ) else f"a value of type {type(batch).__name__}"  # fmt: skip
        raise ValueError(
            f"batch is {what}, and must be a pair (inputs, targets): write "
            "batch=next(iter(loader)), or batch=((x1, x2), y) for a model of several inputs."
        )
    inputs, target = with_tensors(tuple(batch), lambda t: t.detach().clone())
    if isinstance(inputs, tuple | list):
        return tuple(inputs), {}, target
    if isinstance(inputs, dict):
        return (), inputs, target
    if not any(True for _ in tensors_in(inputs)):
        raise ValueError(
            f"the inputs of batch are a value of type {type(inputs).__name__}, and must be a "
            "tensor, a tuple of arguments, or a dictionary of keyword arguments. "
            "Write batch=(x, y)."
        )
    return (inputs,), {}, target


def _history(asked: _Asked) -> History:
    """What the copies show."""
    empty = History.from_rows([])
    try:
        require_copyable(asked.model, MOST_BYTES)
        with paused(), undisturbed(asked.model), _untouched(asked), torch.enable_grad():
            history = _trained_copy(asked)
    except (CannotCopy, CannotBeUndone) as reason:
        history = empty.but(first_batch=FirstBatch(not_known={"error": str(reason)}))
    return history.but(first_batch=_with_probes(asked, history.first_batch or FirstBatch()))


def _with_probes(asked: _Asked, known: FirstBatch) -> FirstBatch:
    """What the steps showed, and what copies answer."""
    model = asked.model if asked.model.training else _in_training_mode(asked.model)
    with paused():
        probes = first_batch_of(
            model,
            asked.args,
            asked.kwargs,
            samples=asked.samples,
            seconds=MOST_SECONDS,
            most_bytes=MOST_BYTES,
        )
    found = {
        name: value
        for name, value in vars(known).items()
        if name != "not_known" and value not in (None, "", (), 0)
    }
    reasons = {**probes.not_known, **known.not_known}
    return replace(probes, **found, not_known=reasons)


def _in_training_mode(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(model, kept_tensors(model)).train()
    except Exception:  # `first_batch_of` says why
        return model


@contextmanager
def _untouched(asked: _Asked) -> Iterator[None]:
    """Put back what a loss that holds the user's own model could change."""
    kept = [(p, p.grad) for p in asked.model.parameters()]
    buffers = [(b, b.detach().clone()) for b in asked.model.buffers()]
    for p, _ in kept:
        p.grad = None
    try:
        yield
    finally:
        for p, gradient in kept:
            p.grad = gradient
        for buffer, before in buffers:
            if not torch.equal(buffer, before):
                with torch.no_grad():
                    buffer.copy_(before)


def _trained_copy(asked: _Asked) -> History:
    """The history of some training steps of a copy on the batch."""
    memo = kept_tensors(asked.model)
    try:
        model, optimizers, loss = copy.deepcopy((asked.model, asked.optimizers, asked.loss), memo)
    except Exception as error:
        raise CannotCopy(f"model and optimizer cannot be copied ({named(error, 100)})") from error
    clean(model)
    if not model.training:
        model.train()
    seed_all(0)
    steps = _Steps(model, loss, optimizers, asked)
    problem, raised = "", None
    with watch(model, loss=loss, preflight=False) as w:
        try:
            for _ in range(STEPS):
                steps.run(w)
        except Exception as error:
            problem = named(error, 300)
            raised = program_error_of(error)
        history = w.history()
    facts = FirstBatch(
        error="" if raised is not None else problem,  # it is the error of the history
        backward_seconds=steps.backward_seconds,
        bytes=_bytes(model, optimizers),
        not_known={"error": steps.no_loss} if steps.no_loss else {},
    )
    if loss is not None and steps.output is not None:
        facts = replace(facts, **loss_answers(loss, steps.output, asked.target))
    if raised is not None:
        trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
        frozen = sum(p.numel() for p in model.parameters()) - trainable
        raised = replace(raised, trainable=trainable, frozen=frozen)
    return _without_places(history).but(first_batch=facts, error=raised)


def _without_places(history: History) -> History:
    """The history without lines of this file, where `backward` was called."""
    wiring = history.wiring
    if wiring is None:
        return history
    losses = tuple(replace(each, place="") for each in wiring.losses)
    not_finite = re.sub(rf" at {Path(__file__).name}:\d+", "", wiring.not_finite)
    return history.but(wiring=replace(wiring, losses=losses, not_finite=not_finite))


@dataclass
class _Steps:
    """Training steps of a copy.

    Args:
        model, loss, optimizers: the copies.
        asked: has the batch.
        output: of the last step.
        backward_seconds: of the last step.
        no_loss: why there is none; "" where there is one.
    """

    model: nn.Module
    loss: Callable[[Any, Any], Any] | None
    optimizers: tuple[torch.optim.Optimizer, ...]
    asked: _Asked
    output: Any = None
    backward_seconds: float | None = None
    no_loss: str = ""

    def run(self, observer: watch) -> None:
        """One step."""
        self.model.zero_grad(set_to_none=True)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        output = self.model(*self.asked.args, **self.asked.kwargs)
        value = self._loss_of(output)
        if value is None:
            return
        began = time.perf_counter()
        value.backward()
        self.backward_seconds = round(time.perf_counter() - began, 6)
        if self.loss is not None:
            observer.step(value.detach(), self.asked.target)
        for optimizer in self.optimizers:
            optimizer.step()
        self.output = output.detach() if isinstance(output, Tensor) else None

    def _loss_of(self, output: Any) -> Tensor | None:
        if self.loss is not None:
            value = self.loss(output, self.asked.target)
        else:
            value = getattr(output, "loss", output)
        if isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad:
            return value
        if self.loss is None:
            self.no_loss = "no loss was given: write loss=..."
            return None
        if isinstance(value, Tensor):
            return value  # its backward pass says what is wrong
        raise TypeError(
            f"the loss is a value of type {type(value).__name__}, and must be a tensor with one "
            "element that depends on the outputs. Write loss=lambda output, target: ..., such as "
            "loss=torch.nn.functional.cross_entropy."
        )


def _bytes(model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> int:
    states = [t for o in optimizers for state in o.state.values() for t in tensors_in(state)]
    gradients = tensors_in([getattr(p, "grad", None) for p in model.parameters()])
    held: list[Tensor] = [*model.parameters(), *model.buffers(), *states, *gradients]
    known = [t for t in map(readable, held) if t is not None]
    return sum(t.numel() * t.element_size() for t in known)


def _short_reasons(
    report: Report, history: History, has_optimizer: bool
) -> tuple[tuple[str, str], ...]:
    """Reasons of the first batch as they are; for all else, why there was no step, or that it takes
    a training run."""
    facts = history.first_batch or FirstBatch()
    own = set(facts.not_known.values())
    later = facts.not_known.get("error", FAILED if facts.error or history.error else LATER)
    reasons = {} if has_optimizer else dict.fromkeys(OF_OPTIMIZERS, NO_OPTIMIZER)
    return tuple(
        (name, why if why in own else reasons.get(name, later)) for name, why in report.unchecked
    )
