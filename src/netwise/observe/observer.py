"""The observer: receives the events of a training program, and records what they show.

Every event costs little while no step is watched: a backward pass reads its loss, a step is
counted. On watched steps module calls, the autograd graph of the loss and norms of gradients are
read too. Which steps those are is decided by `netwise.observe.sampling`.

Nothing of it may stop or change the program: each part runs inside `safely`, which records an
error once and switches that part off.
"""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe import autograd_graph, loss_graph, non_finite
from netwise.observe.evaluation_passes import EvaluationLosses
from netwise.observe.gradient_ledger import BackwardPass, account as account_of, gradient_norms
from netwise.observe.nested import tensors_in
from netwise.observe.observed_history import ProgramFacts
from netwise.observe.observed_model import LossSite, ObservedModel
from netwise.observe.observed_parts import CallRecord, OptimizerAccount, PassNumbers, Root
from netwise.observe.program_place import program_place
from netwise.observe.sampling import Sampling
from netwise.observe.torch_hooks import QUIET, TorchHooks

MOST_MODELS = 20  # models with a history of their own
MOST_PASSES = 256  # backward passes of one window
LONGEST_WINDOW = 64  # optimizer steps that one window may last
SEEN = 0.5  # share of training samples in an evaluation that is taken for one of training data
EMPTY_BLOCKS = 3  # blocks without gradients and without a forward pass, before they are ignored
WITHOUT_STEP = 8  # backward passes without any optimizer step, each of which is then a step


class Observer:
    """Records one program.

    Args:
        model: the module to record; None: every module that is trained.
        every: watch one step of so many; None: first all, then fewer and fewer.
        on_rows: called with a model and its new rows, to write them to files.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        every: int | None = None,
        on_rows: Callable[[ObservedModel], None] | None = None,
    ) -> None:
        self._given = None if model is None else weakref.ref(model)
        self._sampling = Sampling(every)
        self._reads_losses = every is None
        self._on_rows = on_rows
        self._hooks = TorchHooks(self)
        self._thread = 0
        self.models: list[ObservedModel] = []
        self.switched_off: dict[str, str] = {}
        self.not_finite, self.not_finite_step = "", None
        self.explicit_epochs = False  # the program reports its validation itself
        self._early_epochs: list[tuple[dict[str, float], int]] = []  # before the first step
        self.explicit: list[tuple[float, dict[str, float]]] = []  # losses and signals of the step
        self.last_root: Root | None = None  # of the last forward pass with gradients
        self._began, self._ended = 0.0, 0.0
        self.running = False
        # Modules and optimizers by id; each knows a weak reference to its object.
        self._roots: dict[int, Root] = {}
        self._accounts: dict[int, OptimizerAccount] = {}
        self._model_of: dict[int, ObservedModel] = {}  # by id of the account
        # The watched window.
        self.watching = False
        self._window_ticks = 0
        self._ticks, self._next_tick = 0, 0
        self._passes = PassNumbers()
        self._sites: dict[Any, LossSite] = {}
        self._first_window = True
        # Steps of a loop in which no torch optimizer steps.
        self._loop: OptimizerAccount | None = None
        # Of the running event.
        self._depth = 0  # inside of a backward pass
        self._stack: list[tuple[int, Root | None]] = []
        self._outputs: list[weakref.ref[Tensor]] = []
        self._scaler: weakref.ref[Any] | None = None  # that has just scaled a loss
        self._stepping: OptimizerAccount | None = None
        self._pending_loss, self._pending_count = 0.0, 0
        self._risky_places: set[str] = set()
        self._held: list[tuple[str, Tensor]] = []
        # Blocks without gradients.
        self._empty_blocks: dict[object, int] = {}
        self._block: object | None = None
        self._block_losses: EvaluationLosses | None = None
        self._block_roots: set[int] = set()

    # ---- start and end

    def start(self) -> None:
        """Begin to listen, in the thread that calls this."""
        self._thread = threading.get_ident()
        self._began, self.running = time.monotonic(), True
        _ACTIVE.add(self)
        self._hooks.install()
        self._open_window()

    def stop(self) -> None:
        """Finish the last row and remove everything from torch."""
        if not self.running:
            return
        self.safely("rows", self._finish_rows, True)
        if self._block is not None:
            self.safely("evaluation", self._close_block)
        self._hooks.remove()
        _ACTIVE.discard(self)
        self.watching, self.running = False, False
        self._ended = time.monotonic()
        self._stack, self._outputs, self._held = [], [], []
        for root in self._roots.values():
            self.safely("layers", root.probe.detach)

    @property
    def seconds(self) -> float:
        """Time since the start, or up to the end."""
        return (time.monotonic() if self.running else self._ended) - self._began

    def main_model(self) -> ObservedModel | None:
        """The model of the given module, or the one with the most weights."""
        given = None if self._given is None else self._given()
        for model in self.models:
            if given is not None and any(root.module is given for root in model.roots):
                return model
        return max(self.models, key=lambda model: model.weights, default=None)

    def state_epoch(self, row: dict[str, float], epoch: int) -> None:
        """Record what the program reports at the end of an epoch."""
        model = self.main_model()
        if model is None:
            self._early_epochs.append((row, epoch))
            return
        if row and not self.explicit_epochs:
            self.explicit_epochs = True
            for each in self.models:
                each.drop_observed_scores()
        self._finish_rows(False)
        account = model.accounts[0] if model.accounts else None
        if account is not None and account.rate is not None:
            row = {**row, signals.RATE: account.rate}
        model.add_event({"epoch": epoch, **row})

    def program(self, given: Mapping[str, Any]) -> ProgramFacts:
        """What is known of the program as a whole."""
        device = "cpu"
        for root in self._roots.values():
            module = root.module
            if module is not None:
                device = next((str(p.device) for p in module.parameters()), device)
                break
        return ProgramFacts(
            self.running,
            self.seconds,
            device,
            self.not_finite,
            self.not_finite_step,
            _frameworks(),
            {part: f"the observer failed: {error}" for part, error in self.switched_off.items()},
            given,
        )

    def safely(self, part: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call a part of the observer; an error switches it off and is never raised."""
        if part in self.switched_off:
            return None
        QUIET.depth += 1
        try:
            with torch.no_grad():
                return function(*args)
        except Exception as error:
            self._switch_off(part, error)
            return None
        finally:
            QUIET.depth -= 1

    def _switch_off(self, part: str, error: Exception) -> None:
        self.switched_off.setdefault(part, f"{type(error).__name__}: {str(error)[:200]}")

    def _foreign(self) -> bool:
        """Whether an event is not of the observed thread, or is one of an observer's own."""
        return (
            QUIET.depth > 0
            or threading.get_ident() != self._thread
            or torch.compiler.is_compiling()
            or torch._C._get_tracing_state() is not None
        )

    # ---- windows

    def _open_window(self) -> None:
        self.watching, self._window_ticks = True, 0
        self._passes.clear()
        for account in self._all_accounts():
            account.since = self._passes.next
            account.whole_steps = 0
        for root in self._roots.values():
            root.new_row()
        self._hooks.listen_to_modules(True)

    def _close_window(self) -> None:
        self.watching = False
        self._passes.clear()
        self._outputs = []
        if self._block is None:
            self._hooks.listen_to_modules(False)
            self._stack = []
        for account in self._all_accounts():
            account.complete = False
        self._first_window = False

    def _all_accounts(self) -> list[OptimizerAccount]:
        return [*self._accounts.values(), *([] if self._loop is None else [self._loop])]

    def _active(self) -> list[OptimizerAccount]:
        """The optimizers that still step."""
        recent = 2 * max(8, len(self._accounts))
        return [
            a
            for a in self._accounts.values()
            if a.last_tick > self._ticks - recent and a.optimizer is not None
        ]

    def _consider_closing(self, account: OptimizerAccount) -> None:
        """Close the window once each optimizer that still steps has a whole step in it."""
        self._window_ticks += 1
        active = self._active() or [account]
        done = all(a.whole_steps for a in active)
        if not done and self._window_ticks < LONGEST_WINDOW:
            return
        steps = min(a.steps for a in active)
        distance = self._sampling.distance(steps)
        if distance <= 1:
            self._window_ticks = 0
            for each in active:
                each.whole_steps = 0
            return
        self._finish_rows(False)
        # The window opens after the step before the watched one.
        self._next_tick = self._ticks + max(1, (distance - 1) * len(active))
        self._close_window()

    # ---- backward passes

    def backward(self, run: Callable[..., Any], tensors: Any, args: Any, kwargs: Any) -> Any:
        """See `Listener`."""
        if self._depth or QUIET.depth or threading.get_ident() != self._thread:
            return run(tensors, *args, **kwargs)
        held: BackwardPass | None = None
        if kwargs.get("accumulate_grad", True):
            if self.watching:
                held = self.safely("gradients", self._before_backward, tensors)
            else:
                try:
                    if self._reads_losses:
                        self._read_loss(tensors)
                    if self._loop is not None:
                        self._count_loop_step(self._loop)
                except Exception as error:
                    self._reads_losses, self._loop = False, None
                    self._switch_off("losses of unwatched steps", error)
        self._depth = 1
        try:
            return run(tensors, *args, **kwargs)
        finally:
            self._depth = 0
            if held is not None:
                self.safely("gradients", self._after_backward, held)

    def _read_loss(self, tensors: Any) -> None:
        """Add up the loss of a step that is not watched."""
        loss = tensors if isinstance(tensors, Tensor) else tensors[0]
        if self._scaler is not None:
            self._scaler = None
            return
        if type(loss) is not Tensor or loss.dim() or not loss.is_cpu:
            return
        value = loss.item()
        self._pending_loss += value
        self._pending_count += 1
        if not (-math.inf < value < math.inf) and not self.not_finite:
            self.safely("non-finite values", self._note_loss_not_finite, loss, value)

    def _before_backward(self, tensors: Any) -> BackwardPass | None:
        loss = next((t for t in tensors_in(tensors)), None)
        if loss is None or loss.grad_fn is None:
            return None
        self._finish_rows(False, before_backward=True)
        place = program_place()
        scale = self._take_scale()
        value = float(loss.item()) if loss.numel() == 1 else math.nan
        if loss.numel() == 1 and not math.isfinite(value) and not self.not_finite and scale == 1:
            self.safely("non-finite values", self._note_loss_not_finite, loss, value)
        graph = autograd_graph.read_graph(loss)
        outputs = [t for t in (ref() for ref in self._outputs) if t is not None]
        reading = self.safely("losses", loss_graph.read_loss, loss, place, outputs)
        reached = frozenset(graph.leaves)
        known = {key for root in self._roots.values() for key in root.parameters}
        held = {key for account in self._accounts.values() for key in account.ids}
        outside = {
            key: str(tuple(leaf.shape))
            for key, leaf in graph.leaves.items()
            if isinstance(leaf, nn.Parameter) and key not in known and key not in held
        }
        entry = BackwardPass(
            begins={},
            value=value / scale,
            factor=1.0 if reading is None else reading.factor / scale,
            scale=scale,
            place=place,
            reached=reached,
            in_step=self._stepping is not None,
            number=self._passes.next,
            modules=frozenset(module for module, _ in graph.outputs),
            complete=graph.complete,
            opaque=graph.opaque,
            widened=graph.widened,
            softmax_over_batch=graph.softmax_over_batch,
            outside=outside,
        )
        if reading is not None:
            self.safely("losses", self._read_site, entry, reading)
        entry.begins = gradient_norms(self._compared(graph.leaves))
        if not self._accounts:
            self._end_loop_step(entry.begins)
            entry.number = self._passes.next
            if not self.watching and self._loop is not None:  # this step is not watched
                self._pending_loss, self._pending_count = entry.value, 1
                self._count_loop_step(self._loop)
                return None
        if place in self._risky_places and not self.not_finite:
            self._held = self.safely("non-finite values", non_finite.risky_inputs, loss) or []
        elif not self.not_finite and len(self._risky_places) < 32:
            if self.safely("non-finite values", non_finite.risky_inputs, loss):
                self._risky_places.add(place)
        self._note_outputs(graph.outputs)
        return entry

    def _take_scale(self) -> float:
        """The scale of the gradient scaler that the loss went through; 1 without one."""
        scaler = None if self._scaler is None else self._scaler()
        self._scaler = None
        return 1.0 if scaler is None else float(scaler.get_scale())

    def _compared(self, leaves: Mapping[int, Tensor]) -> list[Tensor]:
        """The parameters whose gradients are compared: those of the optimizers, and of unknown
        ones those that the loss reaches."""
        compared = {id(p): p for a in self._accounts.values() for p in a.chosen()}
        held = {key for a in self._accounts.values() for key in a.ids}
        new = [leaf for key, leaf in leaves.items() if key not in held]
        for leaf in new[:64]:
            compared.setdefault(id(leaf), leaf)
        return list(compared.values())

    def _read_site(self, entry: BackwardPass, reading: Any) -> None:
        key = LossSite.key(entry.place, reading)
        site = self._sites.get(key)
        if site is None:
            if len(self._sites) >= 64:
                return
            site = self._sites[key] = LossSite(entry.place, ())
        site.read(reading)
        site.terms = tuple(replace(term, factor=term.factor / entry.scale) for term in site.terms)
        entry.site_key, entry.site, entry.signals = key, site, dict(site.signals)

    def _note_outputs(self, marks: Any) -> None:
        for root_id, number in marks:
            root = self._roots.get(root_id)
            if root is not None:
                root.reached = True
                root.used.add(number)

    def _after_backward(self, entry: BackwardPass) -> None:
        parameters = {id(p): p for a in self._accounts.values() for p in a.chosen()}
        for root in self._roots.values():
            module = root.module
            if module is not None and (entry.reached & root.parameters.keys() or entry.opaque):
                root.reached = True
                self.safely("layers", root.probe.backward_ends)
                if not self._accounts and not root.stepping:
                    root.stepping = True
                    self.safely("layers", root.probe.step_begins)
                for p in module.parameters():
                    if id(p) in entry.begins:
                        parameters.setdefault(id(p), p)
        entry.ends = gradient_norms(p for key, p in parameters.items() if key in entry.begins)
        if len(self._passes.passes) >= MOST_PASSES:
            self._passes.drop_before(self._passes.next - MOST_PASSES // 2)
        self._passes.passes.append(entry)
        if self._held and not self.not_finite:
            if entry.scale == 1 and any(not math.isfinite(v) for v in entry.ends.values()):
                cause = non_finite.cause_of_gradient(self._held)
                self._note_not_finite(
                    f"The first gradient that is not finite came from the loss {entry.value:.4g}"
                    f" at {entry.place}" + (f": {cause}." if cause else ".")
                )
        self._held = []
        if self._stepping is not None:
            self._stepping.passes_in_step += 1

    def _count_loop_step(self, loop: OptimizerAccount) -> None:
        """A backward pass of a loop without a torch optimizer, on a step that is not watched."""
        self._ticks += 1
        if self._pending_count:
            loop.losses.add(loop.steps, self._pending_loss * loop.normaliser)
            self._pending_loss, self._pending_count = 0.0, 0
        loop.steps += 1
        loop.last_tick = self._ticks
        if self._ticks >= self._next_tick:
            self.safely("steps", self._open_window)
            loop.complete = True

    def _end_loop_step(self, begins: Mapping[int, float]) -> None:
        """Close a step before a backward pass, where no torch optimizer is seen to step: the last
        gradients were set to zero, or backward passes go on and on."""
        passes = self._passes.since(0 if self._loop is None else self._loop.since)
        if not passes:
            return
        ends = passes[-1].ends
        cleared = any(end and not begins.get(key) for key, end in ends.items())
        if not cleared and len(passes) < WITHOUT_STEP:
            return
        if self._loop is None:
            self._loop = OptimizerAccount(None, 0)
            self._loop.complete = True
        loop = self._loop
        loop.ids |= {key for each in passes for key in each.reached}
        loop.at_step = ends
        self._record_step(loop, passes, list(ends))

    def _note_loss_not_finite(self, loss: Tensor, value: float) -> None:
        cause = non_finite.cause_of_loss(loss)
        self._note_not_finite(
            f"The loss is {value} at {program_place()}" + (f": {cause}." if cause else ".")
        )

    def _note_not_finite(self, sentence: str) -> None:
        step = max((a.steps for a in self._accounts.values()), default=0)
        self.not_finite, self.not_finite_step = f"Step {step}: {sentence}", step

    # ---- optimizer steps

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("steps", self._begin_step, optimizer)

    def _begin_step(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._account(optimizer)
        model = self._model_of.get(id(account))
        if model is not None and model.waiting and id(account) in model.pending:
            self._finish_row(model)
        account.read_groups()
        account.at_step = gradient_norms(account.chosen())
        account.passes_in_step = 0
        self._stepping = account
        for root in self._roots.values():
            if not root.stepping and account.ids & root.parameters.keys():
                root.stepping = True
                self.safely("layers", root.probe.step_begins)

    def _account(self, optimizer: torch.optim.Optimizer) -> OptimizerAccount:
        account = self._accounts.get(id(optimizer))
        if account is None or account.optimizer is not optimizer:
            account = OptimizerAccount(optimizer, len(self._accounts))
            account.complete = self._first_window and self.watching
            self._forget_loop()
            self._accounts[id(optimizer)] = account
            account.read_groups()
        return account

    def _forget_loop(self) -> None:
        """A torch optimizer steps after all."""
        if self._loop is not None:
            for model in self.models:
                model.accounts = [a for a in model.accounts if a is not self._loop]
            self._loop = None

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if threading.get_ident() != self._thread or QUIET.depth:
            return
        self._ticks += 1
        if not self.watching:
            try:
                if self._count_step(optimizer):
                    return
            except Exception as error:
                self._switch_off("steps", error)
        if not torch.compiler.is_compiling():
            self.safely("steps", self._end_step, optimizer)

    def _count_step(self, optimizer: torch.optim.Optimizer) -> bool:
        """Count a step that is not watched; false where the optimizer is not known."""
        account = self._accounts.get(id(optimizer))
        if account is None or account.optimizer is not optimizer:
            return False
        if self._pending_count:
            account.losses.add(account.steps, self._pending_loss * account.normaliser)
            self._pending_loss, self._pending_count = 0.0, 0
        account.steps += 1
        account.last_tick = self._ticks
        rate = optimizer.param_groups[0].get("lr")
        if rate is not account.rate and type(rate) is float:
            account.note_rate(rate)
        if self._ticks >= self._next_tick:
            self.safely("steps", self._open_window)
            account.complete = True
        return True

    def _end_step(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._account(optimizer)
        self._stepping = None
        if not self.watching:  # an optimizer that was not known
            account.steps += 1
            account.last_tick = self._ticks
            self._open_window()
            account.complete = True
            return
        self._read_rates(account, optimizer)
        passes = self._passes.since(account.since)
        if account.passes_in_step:  # a closure: gradients were computed inside of the step
            account.at_step = gradient_norms(account.chosen())
        self._record_step(account, passes, [id(p) for p in account.chosen()])

    def _record_step(
        self, account: OptimizerAccount, passes: list[BackwardPass], weights: list[int]
    ) -> None:
        """Record a step that has just been done, and close the window if it was the last."""
        account.row = account_of(passes, weights, account.at_step)
        account.counted = {each.number for each in account.row.counted}
        model = self._model(account)
        account.steps += 1
        account.last_tick = self._ticks
        self._pending_loss, self._pending_count = 0.0, 0
        if model is not None:
            self._note_step(model, account, passes)
        account.whole_steps += account.complete
        account.since, account.passes_in_step, account.complete = self._passes.next, 0, True
        self._consider_closing(account)

    def _note_step(
        self, model: ObservedModel, account: OptimizerAccount, passes: list[BackwardPass]
    ) -> None:
        if self.explicit:
            model.explicit_loss = [loss for loss, _ in self.explicit]
            for _, row in self.explicit:
                model.explicit_signals.update(row)
            self.explicit = []
        loss = model.step_loss(account)
        if loss is not None:
            account.losses.add(account.steps - 1, loss)
        own = [p for p in passes if p.reached & account.ids or p.opaque]
        model.note_passes(own)
        for root in model.roots:
            root.read_names()
            model.weights = max(model.weights, sum(map(math.prod, root.shapes.values())))
            prefix = model.prefix(root)
            for each in self._accounts.values():
                names = {prefix + name for name in root.names_of(each.ids)}
                model.owned |= names
            model.trainable |= {prefix + name for name in root.trainable}
        if model.trainable & model.owned - model.reached:
            model.note_gradients()
            for root in model.roots:
                model.note_cut(root.calls)
        self._note_opponents(model, account, own)
        model.cycles += 1
        model.pending.add(id(account))
        model.waiting = True
        if model.cycles > 1 and len(model.pending) >= len(model.accounts):
            self._finish_row(model)

    def _read_rates(self, account: OptimizerAccount, optimizer: torch.optim.Optimizer) -> None:
        rates: dict[str, float] = {}
        for number, group in enumerate(optimizer.param_groups):
            rate = group.get("lr")
            if rate is None:
                continue
            rates[f"{signals.GROUP_RATE}|{account.name}.{number}"] = float(rate)
            if number == 0 and account.rate != float(rate):
                account.note_rate(float(rate))
        account.group_rates = [rates] if len(optimizer.param_groups) > 1 else []

    def _note_opponents(
        self, model: ObservedModel, account: OptimizerAccount, passes: list[BackwardPass]
    ) -> None:
        """Find models that a loss of another model runs through without training them."""
        for each in passes:
            if each.number not in account.counted:
                continue
            for other in self.models:
                if other is model:
                    continue
                runs_through = any(
                    each.reached & root.parameters.keys() or id(root) in each.modules
                    for root in other.roots
                )
                if not runs_through:
                    continue
                trained_by_it = any(
                    each.number in a.counted or a.row is None for a in other.accounts
                )
                if not trained_by_it:
                    model.opponents.add(other.name)
                    other.opponents.add(model.name)

    def _model(self, account: OptimizerAccount) -> ObservedModel | None:
        """The model that an optimizer updates."""
        model = self._model_of.get(id(account))
        if model is not None and all(root.module is not None for root in model.roots):
            return model
        given = None if self._given is None else self._given()
        roots = [
            root
            for root in self._roots.values()
            if account.ids & root.parameters.keys() and not self._encloses_given(root, given)
        ]
        if model is None:
            model = next((m for m in self.models if set(m.roots) & set(roots)), None)
        if model is None:
            if not roots or len(self.models) >= MOST_MODELS:
                return None
            model = ObservedModel(self._unique_name(roots[0].kind))
            self.models.append(model)
            early, self._early_epochs = self._early_epochs, []
            for row, epoch in early:
                self.state_epoch(row, epoch)
        taken = {id(root) for each in self.models for root in each.roots}
        model.roots += [root for root in roots if id(root) not in taken]
        if account not in model.accounts:
            model.accounts.append(account)
        self._model_of[id(account)] = model
        return model

    def _encloses_given(self, root: Root, given: nn.Module | None) -> bool:
        module = root.module
        if given is None or module is None or module is given:
            return False
        return any(part is given for part in module.modules())

    def _unique_name(self, kind: str) -> str:
        names = {model.name for model in self.models}
        name, number = kind, 2
        while name in names:
            name, number = f"{kind}-{number}", number + 1
        return name

    # ---- rows

    def _finish_rows(self, all_models: bool, before_backward: bool = False) -> None:
        """Finish the rows of models whose step is done: before anything new begins."""
        for model in self.models:
            if model.waiting and (all_models or not before_backward or self._stepping is None):
                self._finish_row(model)

    def _finish_row(self, model: ObservedModel) -> None:
        model.finish_row()
        if self._on_rows is not None:
            self._on_rows(model)

    # ---- gradient scaler

    def loss_scales(self, scaler: Any) -> None:
        """See `Listener`."""
        if not QUIET.depth and scaler.is_enabled():
            self._scaler = weakref.ref(scaler)

    def gradients_unscale(self, scaler: Any, optimizer: torch.optim.Optimizer) -> None:
        """See `Listener`."""
        if self.watching and not self._foreign():
            self.safely("gradient scaler", self._compare_before_unscale, optimizer)

    def _compare_before_unscale(self, optimizer: torch.optim.Optimizer) -> None:
        account = self._accounts.get(id(optimizer))
        if account is None or account.optimizer is not optimizer:
            return
        now = gradient_norms(account.chosen())
        row = account_of(self._passes.since(account.since), list(now), now)
        if row.counted and row.factor is not None:
            change = row.factor / row.counted[-1].scale
            if abs(change - 1) > 1e-4:
                account.clipped_before_unscale += 1

    # ---- modules

    def module_begins(self, module: nn.Module) -> None:
        """See `Listener`."""
        if self._foreign() or self._depth:
            return
        root: Root | None = None
        given = None if self._given is None else self._given()
        if not self._stack or (module is given):
            root = self.safely("modules", self._root, module)
        self._stack.append((id(module), root))
        if root is not None and torch.is_grad_enabled() and self.watching:
            self.safely("rows", self._finish_rows, False)
            self.safely("layers", root.probe.forward_begins)
            root.calls = []

    def _root(self, module: nn.Module) -> Root | None:
        root = self._roots.get(id(module))
        if root is None or root.module is not module:
            if next(module.parameters(), None) is None or len(self._roots) >= 4 * MOST_MODELS:
                return None
            root = self._roots[id(module)] = Root(module)
        return root

    def module_ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """See `Listener`."""
        if not self._stack or self._foreign() or self._depth:
            return
        root: Root | None = None
        while self._stack:
            key, root = self._stack.pop()
            if key == id(module):
                break
        if output is None:  # an exception, or a module that returns nothing
            return
        current = root or next((r for _, r in reversed(self._stack) if r is not None), None)
        if current is None:
            return
        with_gradients = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        if with_gradients and self.watching:
            self.safely("layers", current.probe.module_called, module, args, kwargs, output)
            self.safely("modules", self._note_call, current, module, args, kwargs, output)
        elif not with_gradients and isinstance(module, nn.modules.batchnorm._BatchNorm):
            first = next(tensors_in(args), None)
            if first is not None:
                self.safely("evaluation", current.evaluation.norm_called, module, first)
        if root is not None:
            self.safely("modules", self._root_ended, root, args, kwargs, output, with_gradients)

    def _note_call(
        self, root: Root, module: nn.Module, args: Any, kwargs: Any, output: Any
    ) -> None:
        if next(module.children(), None) is not None:
            return
        root.calls.append(
            CallRecord(
                root.name_of(module),
                any(t.requires_grad for t in tensors_in((args, kwargs))),
                any(t.requires_grad for t in tensors_in(output)),
                next(module.parameters(recurse=False), None) is not None,
            )
        )

    def _root_ended(
        self, root: Root, args: Any, kwargs: Any, output: Any, with_gradients: bool
    ) -> None:
        inputs = list(tensors_in((args, kwargs)))
        outputs = [t for t in tensors_in(output) if t.is_floating_point()]
        if with_gradients and any(t.requires_grad for t in outputs):
            if not self.watching:
                return
            module = root.module
            root.trained = True
            self.last_root = root
            root.training_mode = module.training if module is not None else None
            for number, tensor in enumerate(outputs):
                if tensor.grad_fn is not None and tensor.dim():
                    root.marked.add(number)
                    tensor.grad_fn.metadata[autograd_graph.MARK] = (id(module), number)
                    self._outputs = [weakref.ref(tensor), *self._outputs[:3]]
            if not root.linear_read:
                root.linear_read = True
                root.linear = self.safely("losses", _linear, outputs)
            self.safely("evaluation", root.evaluation.training_pass, inputs)
            self.safely("layers", root.probe.forward_ends, output)
        elif not with_gradients:
            self._block_roots.add(id(root.module))
            root.evaluated = True
            self.safely("evaluation", root.evaluation.evaluation_pass, inputs, output)

    # ---- blocks without gradients

    def gradients_off(self, place: object) -> None:
        """See `Listener`."""
        if (
            self._block is not None
            or self._depth
            or threading.get_ident() != self._thread
            or self._empty_blocks.get(place, 0) >= EMPTY_BLOCKS
            or torch.compiler.is_compiling()
        ):
            return
        self.safely("evaluation", self._open_block, place)

    def _open_block(self, place: object) -> None:
        self._finish_rows(False)
        self._block, self._block_roots = place, set()
        self._hooks.listen_to_modules(True)
        self._block_losses = EvaluationLosses()
        self._block_losses.__enter__()

    def gradients_on(self) -> None:
        """See `Listener`."""
        if self._block is not None and threading.get_ident() == self._thread and not self._depth:
            self.safely("evaluation", self._close_block)

    def _close_block(self) -> None:
        place, self._block = self._block, None
        losses, self._block_losses = self._block_losses, None
        if losses is not None:
            losses.__exit__(None, None, None)
        if not self.watching:
            self._hooks.listen_to_modules(False)
            self._stack = []
        if not self._block_roots:
            self._empty_blocks[place] = self._empty_blocks.get(place, 0) + 1
            return
        self._empty_blocks[place] = 0
        for model in self.models:
            self._record_evaluation(model, losses)

    def _record_evaluation(self, model: ObservedModel, losses: EvaluationLosses | None) -> None:
        row: dict[str, float] = {}
        known = 0.0  # share of the evaluated samples that are training samples
        for root in model.roots:
            if id(root.module) in self._block_roots:
                row.update(root.evaluation.window_ends())
                known = max(known, root.evaluation.evaluation_rows_seen_in_training)
        scores = {} if losses is None else losses.row()
        if not row and not scores:
            return
        # Without a loss or a score it may be a part of the training step, such as the pass of a
        # target network.
        certain = bool(scores)
        if not self.explicit_epochs and known < SEEN:
            row.update(scores)
            account = model.accounts[0] if model.accounts else None
            mean = None if account is None else account.losses.take_mean()
            if signals.VALID_LOSS in row and mean is not None:
                row[signals.TRAIN_LOSS] = mean
        model.add_evaluation(row, certain)
        if self._on_rows is not None:
            self._on_rows(model)


def _linear(outputs: list[Tensor]) -> bool | None:
    answers = [
        autograd_graph.is_linear(t) for t in outputs if t.grad_fn is not None and t.dim() > 0
    ]
    if any(answer is False for answer in answers):
        return False
    return True if answers and all(answers) else None


def _frameworks() -> tuple[str, ...]:
    """What distributes the program."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return (f"{distributed.get_world_size()} processes",)
    return ()


_ACTIVE: weakref.WeakSet[Observer] = weakref.WeakSet()


def _stop_in_child() -> None:
    """In a forked process, such as a worker that loads data, nothing is observed."""
    for observer in list(_ACTIVE):
        observer._thread = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_stop_in_child)
