"""The bench: copies of a program's module, trained for some steps with one thing changed."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.kept_states import KeptOptimizer, KeptState
from netwise.observe.nested import tensors_in
from netwise.trials.grown_network import grown
from netwise.trials.measured import Measured, measured
from netwise.trials.rebuilt_loss import RebuiltLoss
from netwise.trials.sequences import add_positions

START, END, FRESH = "start", "end", "fresh"
SLOWEST = 4.0  # seconds for each second of the processor
NORMS = nn.modules.batchnorm._NormBase  # use the statistics of each batch in training


class OutOfTime(Exception):
    """The limit of the cost is reached."""


@dataclass(frozen=True)
class TrialSetup:
    """A short training. The defaults are those of the program.

    Args:
        begin: "start" (the program's first weights), "end" (its last ones) or "fresh" (new random
            ones for all layers that can draw them).
        rate: factor on the learning rates.
        decay: with the weight decay of the optimizer.
        dropout: with dropout.
        all_trainable: weights that are frozen or in no optimizer are trained too.
        clip: share of the gradient that is left, as by clipping.
        pieces: each batch is cut into so many.
        batches: to train on; None: those of the program.
        loss: another loss; None: that of the program.
        positions: embeddings add positions to rows of symbols.
        grown: "wider" or "deeper": more units or layers than the program's network has; "" for its
            own ones. Their weights are new, so `begin` is "fresh" and `all_trainable` is set.
    """

    begin: str = START
    rate: float = 1.0
    decay: bool = True
    dropout: bool = True
    all_trainable: bool = False
    pieces: int = 1
    batches: tuple[KeptBatch, ...] | None = None
    held: tuple[KeptBatch, ...] | None = None
    loss: RebuiltLoss | None = None
    positions: bool = False
    grown: str = ""


@dataclass(frozen=True)
class Reached:
    """What a short training reached.

    Args:
        fitted: on the batches that it was trained on.
        held: on batches that it was not trained on.
        steps: that were done.
    """

    fitted: Measured
    held: Measured
    steps: int


@dataclass
class Bench:
    """What trials need of a program.

    Args:
        module: of the program; it is copied, never changed.
        start, end: its first and last weights.
        optimizers: before their first step.
        rate: factor from the rate before the first step to that of the program: the largest that
            its schedule reached.
        names: of the parameters, by their ids.
        batches: of training, with targets.
        held: with targets, not trained on.
        loss: of the program.
        most_steps: of all trials together.
        most_seconds: of the processor, of all trials together.
        is_random: whether the module draws random numbers in training.
        loss_known: whether `loss` is that of the program; otherwise it is one that fits the
            targets.
        penalised: whether the program adds a penalty to it, which trials leave out.
    """

    module: nn.Module
    start: KeptState
    end: KeptState
    optimizers: Sequence[KeptOptimizer]
    rate: float
    names: Mapping[int, str]
    batches: tuple[KeptBatch, ...]
    held: tuple[KeptBatch, ...]
    loss: RebuiltLoss
    most_steps: int
    most_seconds: float
    steps: int = 0
    is_random: bool = False
    loss_known: bool = True
    penalised: bool = False
    began: float = field(default_factory=time.thread_time)
    began_by_clock: float = field(default_factory=time.monotonic)

    # ---- copies

    def copy(self, begin: str = START, seed: int = 0) -> nn.Module:
        """A copy of the module without hooks and gradients, in training mode.

        Raises:
            RuntimeError: it cannot be copied.
        """
        module = copied(self.module)
        state = self.end if begin == END else self.start
        put_state(module, state)
        if begin == FRESH:
            torch.manual_seed(seed)
            for layer in module.modules():
                reset = getattr(layer, "reset_parameters", None)
                if callable(reset):
                    reset()
        for name, p in module.named_parameters():
            p.requires_grad_(name in self.start.trainable)
        return module.train()

    def reach_of(self, begin: str) -> Reached:
        """What a state of the program reaches as it is."""
        module = self.copy(begin)
        return self._reached(module, self.batches, self.held, self.loss, 0)

    # ---- short training

    def train(self, setup: TrialSetup, steps: int, seed: int = 0) -> Reached:
        """Train a copy, and measure what it reaches.

        Args:
            setup: how.
            steps: at most.
            seed: of the order of the batches, and of all random draws of the module.

        Raises:
            OutOfTime: the limit of the cost is reached.
        """
        module = self.copy(setup.begin, seed)
        if setup.grown:
            made = grown(module, setup.grown, self.batches[0])
            assert made is not None, "such trials are for networks of which there is one"
            module = made.train()
        if setup.positions:
            add_positions(module)
        if not setup.dropout:
            for layer in module.modules():  # functions such as F.dropout ask the mode, too
                layer.training = isinstance(layer, NORMS)
        loss = setup.loss or self.loss
        chosen = self.batches if setup.batches is None else setup.batches
        held = self.held if setup.held is None else setup.held
        batches = [piece for batch in chosen for piece in pieces_of(batch, setup.pieces)]
        optimizers = self._optimizers(module, setup)
        done = self._steps(module, optimizers, batches, loss, steps, seed)
        return self._reached(module, chosen, held, loss, done)

    def _steps(
        self,
        module: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        batches: Sequence[KeptBatch],
        loss: RebuiltLoss,
        steps: int,
        seed: int,
    ) -> int:
        generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        order: list[int] = []
        for step in range(steps):
            if self.steps >= self.most_steps or (step % 8 == 0 and self._is_late()):
                raise OutOfTime
            if not order:
                order = torch.randperm(len(batches), generator=generator).tolist()
            batch = batches[order.pop()]
            self.steps += 1
            assert batch.target is not None
            for optimizer in optimizers:
                optimizer.zero_grad()
            value = loss(module(*batch.args, **batch.kwargs), batch.target)
            if not math.isfinite(float(value.detach())):
                return step
            value.backward()
            for optimizer in optimizers:
                optimizer.step()
        return steps

    def _is_late(self) -> bool:
        """Whether the limit is reached; on a busy machine the clock runs faster than the time of
        the processor."""
        used, passed = time.thread_time() - self.began, time.monotonic() - self.began_by_clock
        return used > self.most_seconds or passed > SLOWEST * self.most_seconds

    def _optimizers(self, module: nn.Module, setup: TrialSetup) -> list[torch.optim.Optimizer]:
        parameters = dict(module.named_parameters())
        left = dict(parameters)
        made = []
        for kept in self.optimizers:
            groups: list[dict[str, Any]] = []
            for ids, options in kept.groups:
                names = [self.names[key] for key in ids if key in self.names]
                chosen = [left.pop(name) for name in names if name in left]
                group = dict(options)
                group["lr"] = options.get("lr", 1e-3) * self.rate * setup.rate
                if not setup.decay and "weight_decay" in group:
                    group["weight_decay"] = 0.0
                groups.append({**group, "params": chosen})
            if setup.all_trainable and groups and kept is self.optimizers[-1]:
                groups[0]["params"] = [*groups[0]["params"], *left.values()]
                for p in parameters.values():
                    p.requires_grad_(True)
            groups = [group for group in groups if group["params"]]
            if groups:
                made.append(made_optimizer(kept.kind, groups))
        return made

    def _reached(
        self,
        module: nn.Module,
        fitted: Sequence[KeptBatch],
        held: Sequence[KeptBatch],
        loss: RebuiltLoss,
        steps: int,
    ) -> Reached:
        return Reached(measured(module, fitted, loss), measured(module, held, loss), steps)

    def but(self, **changes: Any) -> Bench:
        """A bench with these fields changed."""
        return replace(self, **changes)


def copied(module: nn.Module) -> nn.Module:
    """A deep copy without the program's hooks and gradients. Hooks of torch itself stay, such as
    those that normalise weights."""
    twin = copy.deepcopy(module).cpu()
    for part in twin.modules():
        for name in (
            "_forward_hooks",
            "_forward_pre_hooks",
            "_backward_hooks",
            "_backward_pre_hooks",
        ):
            hooks: Any = getattr(part, name, None) or {}
            for key in list(hooks):
                place = getattr(hooks[key], "__module__", "") or type(hooks[key]).__module__
                if not str(place).startswith("torch."):
                    del hooks[key]
    for p in twin.parameters():
        p.grad = None
    return twin


def put_state(module: nn.Module, state: KeptState) -> None:
    """Write weights and buffers into a module.

    Raises:
        RuntimeError: its weights have other names or shapes.
    """
    own: dict[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    if own.keys() != state.tensors.keys():
        raise RuntimeError("the module has other weights than at the start")
    with torch.no_grad():
        for name, value in state.tensors.items():
            if own[name].shape != value.shape:
                raise RuntimeError(f"{name} had another shape at the start")
            own[name].copy_(value)


def made_optimizer(
    kind: type[torch.optim.Optimizer], groups: list[dict[str, Any]]
) -> torch.optim.Optimizer:
    """An optimizer of a class with these groups.

    Raises:
        RuntimeError: the class needs other arguments.
    """
    try:
        return kind(groups, lr=groups[0].get("lr", 1e-3))  # type: ignore[call-arg]
    except (TypeError, ValueError) as error:
        raise RuntimeError(f"no {kind.__name__} could be made: {error}") from None


def pieces_of(batch: KeptBatch, pieces: int) -> list[KeptBatch]:
    """A batch cut along its first axis."""
    target = batch.target
    rows = {len(t) for t in (*batch.inputs, target) if t is not None and t.dim()}
    if pieces < 2 or target is None or len(rows) != 1:
        return [batch]
    (size,) = rows
    width = max(1, math.ceil(size / pieces))
    return [rows_of_batch(batch, slice(at, at + width)) for at in range(0, size, width)]


def rows_of_batch(batch: KeptBatch, rows: Any) -> KeptBatch:
    """A batch with these rows only; all its tensors have its rows as the first axis."""
    assert batch.target is not None
    args = _mapped(batch.args, rows)
    return replace(batch, args=args, kwargs=_mapped(batch.kwargs, rows), target=batch.target[rows])


def _mapped(value: Any, rows: Any) -> Any:
    if isinstance(value, Tensor):
        return value[rows]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(part, rows) for part in value))
    if isinstance(value, tuple | list):
        return type(value)(_mapped(part, rows) for part in value)
    if isinstance(value, Mapping):
        return {key: _mapped(part, rows) for key, part in value.items()}
    return value


def rows_agree(batch: KeptBatch) -> bool:
    """Whether all tensors of a batch have its samples as their first axis."""
    tensors = [*tensors_in((batch.args, batch.kwargs)), batch.target]
    sizes = {t.shape[0] if t is not None and t.dim() else -1 for t in tensors}
    return len(sizes) == 1 and -1 not in sizes
