"""`watch`: the history of a training loop of your own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.diagnosis.rules import Finding
from netwise.first_batch import FirstBatch
from netwise.history import History
from netwise.observe.loss_questions import loss_answers
from netwise.observe.nested import tensors_in
from netwise.observe.observed_history import history_of, knows_guessing, untrained_history
from netwise.observe.observed_model import ObservedModel, batch_accuracy, target_signals
from netwise.observe.observer import Observer
from netwise.observe.raised_error import program_error_of
from netwise.observe.target_statistics import TargetStatistics
from netwise.parts.losses import least_loss, loss_kind, loss_of_guessing
from netwise.program_error import ProgramError
from netwise.tasks import OF_LOGITS, OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED
from netwise.trials.program_trials import ProgramTrials
from netwise.watching.live_checks import LiveChecks
from netwise.watching.program_folders import ProgramFolders

UNTRAINED = "program"  # name of the history of a program that trained no model
KEPT_BYTES = 1_000_000  # of targets, for the loss of the best constant prediction
KINDS = {
    "logits": OF_LOGITS,
    "sigmoid logits": OF_SIGMOID_LOGITS,
    "probabilities": OF_PROBABILITIES,
}  # `RunFacts.loss_kind` of what a loss takes
KEPT_TARGETS = 128  # the loss is called on no more: some need memory cubic in them


class watch:
    """Record every network that a loop of your own trains. The numbers of the loop stay the same,
    bit for bit.

    Write `with nw.watch():` around the loop; nothing else needs to be called. Forward passes,
    backward passes with their autograd graphs, optimizer steps, gradient scalers and passes
    without gradients are observed. Nothing is attached to your modules, optimizers or tensors.

    Args:
        model: the module to record. Default: each module that an optimizer updates.
        optimizer: whose learning rate and weight decay are recorded, where it cannot be observed.
        loss: the function (output, target) -> loss, where its kind cannot be observed.
        every: watch one step of so many. Default: the first steps, then fewer and fewer: about 40
            of 2,000 steps.
        folder: write a run folder there while the loop runs. With several models, the others get
            folders beside it.
        live: check the rules while the loop runs, at growing distances, and print each finding to
            stderr: once when it begins to hold, and once when it has healed. `findings` has those
            that hold.
        stop_on: grades that end the loop: `("cause",)` raises `TrainingStopped` when a finding is
            a cause, or proved. Default: no finding ends it.
        preflight: ask a copy of each module about its first batch before its first step, as
            `nw.preflight` does: whether samples are mixed, outputs constant, and so on. Modules
            that are large, compiled, or cannot be copied are not asked.
        trials: keep the modules alive for `diagnose(w, trials=True)`, also where the loop is in a
            function that ends, and states of up to 512 MiB instead of 64.

    Raises:
        TypeError: `model` is no module.
        ValueError: `every` is below 1, or `stop_on` holds another word than a grade.
        RunFolderError: `folder` is a file, or a folder that is not empty.

    Example:
        >>> import netwise as nw, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> x, y = torch.randn(30, 4), torch.arange(30) % 3
        >>> with nw.watch() as w:
        ...     for _ in range(10):
        ...         optimizer.zero_grad()
        ...         loss = nn.functional.cross_entropy(model(x), y)
        ...         loss.backward()
        ...         optimizer.step()
        >>> len(w.history().of("loss")), [layer.activation for layer in w.history().layers]
        (10, ['ReLU', 'Identity'])
        >>> w.history().wiring.optimizers, w.history().facts.loss_kind
        (('SGD',), 'cross-entropy of logits')
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        loss: Callable[[Any, Any], Any] | None = None,
        every: int | None = None,
        folder: str | Path | None = None,
        live: bool = False,
        stop_on: Collection[str] = (),
        preflight: bool = True,
        trials: bool = False,
    ) -> None:
        if model is not None and not isinstance(model, nn.Module):
            raise TypeError(
                f"watch takes a torch.nn.Module, and got a value of type {type(model).__name__}. "
                "Pass the module that is trained, or nothing to record all of them."
            )
        if every is not None and every < 1:
            raise ValueError(
                f"every = {every} must be at least 1: one step of so many is watched. Write 10."
            )
        self._folders = None if folder is None else ProgramFolders(Path(folder))
        self._live: LiveChecks | None = None
        if live or stop_on:
            self._live = LiveChecks(
                self._live_models,
                self._safely,
                prints=live,
                stop_on=stop_on,
                failed=lambda: bool(self._observer.finite.sentence),
            )
        self._observer = Observer(
            model,
            every,
            None if folder is None else self._write,
            None if self._live is None else self._live.after_step,
            first_batch=preflight,
        )
        self._observer.passes.keeps_output = loss is not None
        self._observer.passes.for_trials = trials
        self._optimizer_facts = _facts_of_optimizer(optimizer)
        self._loss = loss
        self._loss_kind: str | None = None
        self._loss_answers: dict[str, Any] | None = None
        self._targets = TargetStatistics()
        self._kept: list[Tensor] = []
        self._kept_bytes = 0
        self._outputs, self._batch_size = 0, 0
        self._epochs = 0
        self._epoch_rows: list[tuple[int, dict[str, float]]] = []
        self._error: ProgramError | None = None

    # ---- start and end

    def start(self) -> watch:
        """Begin to record; returns itself. `with` calls it."""
        if self._observer.running:
            raise RuntimeError("this watch is running already. Call stop() before start().")
        self._observer.start()
        return self

    def stop(self) -> None:
        """End the recording, and remove everything from torch. `with` calls it."""
        observer = self._observer
        if not observer.running:
            return
        observer.stop()
        if self._folders is not None:
            observer.safely("files", lambda folders: folders.close(self.histories()), self._folders)

    def _write(self, model: ObservedModel) -> None:
        """Write the new rows of a model."""
        if self._folders is not None:
            rows = model.take_new_rows()
            self._observer.safely(
                "files", self._folders.write, model.name, rows, lambda: self._history(model)
            )

    def _live_models(self) -> list[tuple[ObservedModel, History]]:
        return [(model, self._history(model)) for model in self._observer.models]

    def _safely(self, part: str, function: Callable[..., Any]) -> object:
        return self._observer.safely(part, function)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What `live` or `stop_on` has found and has not healed; empty without both."""
        return () if self._live is None else self._live.findings

    @property
    def folders(self) -> dict[str, Path]:
        """Run folders by name of the model; empty without `folder`, and before the first step."""
        return {} if self._folders is None else self._folders.folders

    def __enter__(self) -> watch:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.ended_by(error)
        elif self._error is None:
            self._error = self._observer.caught.error  # it ended the training all the same
        self.stop()

    def ended_by(self, error: BaseException) -> None:
        """State the error that ended the loop, so that the diagnosis explains it. `with` calls it.

        Args:
            error: as it was caught. Ctrl-C and `sys.exit` do not count.
        """
        self._error = self._observer.safely("errors of the program", program_error_of, error)

    @property
    def errors(self) -> tuple[str, ...]:
        """Errors of the observer itself, each once. The part of it that failed was switched off,
        and the loop was not affected."""
        return tuple(f"{part}: {error}" for part, error in self._observer.switched_off.items())

    # ---- what cannot be observed

    def step(self, loss: Tensor | float, target: Any = None) -> None:
        """State the loss and the targets of a training step, between `loss.backward()` and
        `optimizer.step()`. Needed only where they cannot be observed.

        Args:
            loss: of the batch.
            target: of the batch: a tensor, or a tuple or dictionary of tensors.

        Raises:
            RuntimeError: it is called while the watch is not running.
        """
        observer = self._observer
        if not observer.running:
            raise RuntimeError(
                "w.step was called outside of its `with` block, where nothing is recorded. "
                "Write `with nw.watch() as w:` around the loop."
            )
        observer.passes.keeps_output = True
        if observer.watching:
            observer.safely("stated losses", self._state_step, loss, target)

    def _state_step(self, loss: Tensor | float, target: Any) -> None:
        row: dict[str, float] = {}
        output = self._observer.passes.output
        first = next(tensors_in(target), None)
        if first is not None:
            self._targets.add(first, () if output is None else tuple(output.shape))
            row = target_signals(first) if first.numel() else {}
            self._batch_size = max(self._batch_size, len(first) if first.dim() else 1)
            accuracy = None if output is None else batch_accuracy(output, first)
            if accuracy is not None:
                row[signals.ACCURACY] = accuracy
            if output is not None and output.dim():
                self._outputs = output.shape[-1] if output.dim() > 1 else 1
            if isinstance(target, Tensor):
                self._keep_target(target)
            if self._loss_kind is None and self._loss is not None and output is not None:
                few = min(len(output), len(first), 64) if first.dim() and output.dim() else 0
                if few and isinstance(target, Tensor):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        self._loss_kind = _kind_of(self._loss, output[:few], target[:few])
        self._observer.stated.append((float(loss), row))

    def _keep_target(self, target: Tensor) -> None:
        """Keep some targets, of at most `KEPT_BYTES`."""
        kept = sum(len(t) for t in self._kept)
        if not target.dim() or not target.numel() or kept >= KEPT_TARGETS:
            return
        size = target[:1].numel() * target.element_size()
        room = (KEPT_BYTES - self._kept_bytes) // max(size, 1)
        if room < 1:
            return
        part = target[: min(room, KEPT_TARGETS)].detach().cpu().clone()
        self._kept_bytes += part.numel() * part.element_size()
        self._kept.append(part)

    def epoch(
        self,
        *,
        train_loss: float | None = None,
        train_accuracy: float | None = None,
        valid_loss: float | None = None,
        valid_accuracy: float | None = None,
    ) -> None:
        """State what the loop measured at the end of an epoch. It is used instead of what is
        observed in passes without gradients.

        Args:
            train_loss, train_accuracy: over the epoch's batches.
            valid_loss, valid_accuracy: on data that are not trained on.
        """
        given = {
            signals.TRAIN_LOSS: train_loss,
            signals.TRAIN_ACCURACY: train_accuracy,
            signals.VALID_LOSS: valid_loss,
            signals.VALID_ACCURACY: valid_accuracy,
        }
        row = {name: float(value) for name, value in given.items() if value is not None}
        self._observer.state_epoch(row, self._epochs)
        self._epochs += 1

    # ---- what was recorded

    def histories(self) -> dict[str, History]:
        """The history of each model that was trained, by its name: the class of its module, or the
        program's variable where that is a class of torch, and a number where there are several. A
        program that an error ended before it trained one has a history of the name "program"."""
        found = {model.name: self._with_trials(model) for model in self._observer.models}
        if not found:
            functional = self._observer.functional.histories(self._observer.program({}))
            found = {name: history.but(error=self._error) for name, history in functional.items()}
        return found or ({} if self._error is None else {UNTRAINED: self.history()})

    def history(self, model: str | None = None) -> History:
        """What was recorded so far of one model.

        Args:
            model: its name in `histories()`. Default: the watched module, or the model with the
                most weights.

        Raises:
            KeyError: there is no model of this name.
        """
        models = self._observer.models
        if model is not None:
            for each in models:
                if each.name == model:
                    return self._with_trials(each)
            known = ", ".join(each.name for each in models) or "none yet"
            raise KeyError(f"no model {model!r} was trained. Use one of: {known}.")
        best = self._observer.table.main_model()
        if best is not None:
            return self._with_trials(best)
        program = self._observer.program({})
        for functional in self._observer.functional.histories(program).values():
            return functional.but(error=self._error)
        return untrained_history(self._error, running=program.running)

    def _with_trials(self, model: ObservedModel) -> History:
        """The history with what short trials need; `diagnose(..., trials=True)` runs them."""
        loss = self._loss if model is self._observer.table.main_model() else None
        return self._history(model).but(trials=ProgramTrials(model, loss))

    def _history(self, model: ObservedModel) -> History:
        main = model is self._observer.table.main_model()
        program = self._observer.program(self._stated_facts(model) if main else {})
        self._observer.complete_rows()
        history = history_of(model, program)
        if main and self._error is not None:
            history = history.but(error=self._error)
        if not main or self._loss is None:
            return history
        if self._loss_answers is None:
            asked = self._observer.safely(
                "questions to the loss", self._ask, self._loss, model, history
            )
            self._loss_answers = asked or {}
        first = replace(history.first_batch or FirstBatch(), **self._loss_answers)
        return history.but(first_batch=first) if self._loss_answers else history

    def _ask(
        self, loss: Callable[[Any, Any], Any], model: ObservedModel, history: History
    ) -> dict[str, Any]:
        """What the stated loss expects, for outputs and targets of the shapes that were seen."""
        terms = () if history.wiring is None else history.wiring.losses
        shape = next((term.output_shape for term in terms if term.output_shape), ())
        kept = (batch.target for root in model.roots for batch in root.kept.training)
        target = next((t for t in kept if t is not None), None)
        if self._kept:
            target = self._kept[0]
            shape = shape or (len(target), *((self._outputs,) if self._outputs > 1 else ()))
        if target is None or not shape or not target.dim():
            return {}
        rows = min(shape[0], len(target))
        return loss_answers(loss, torch.zeros(rows, *shape[1:]), target[:rows])

    def _stated_facts(self, model: ObservedModel) -> dict[str, Any]:
        facts: dict[str, Any] = dict(self._optimizer_facts)
        if self._loss is not None:
            facts["loss"] = getattr(self._loss, "__name__", type(self._loss).__name__)
            facts["loss_kind"] = self._loss_kind
        if self._kept:
            facts.update(self._targets.facts())
            facts["batch_size"] = self._batch_size or None
            if not model.opponents and not knows_guessing(model):
                facts |= self._observer.safely("stated losses", self._losses_of_guessing) or {}
        return facts

    def _losses_of_guessing(self) -> dict[str, Any]:
        """The loss of the best constant prediction and the least loss, by calling the loss."""
        target = self._kept_targets()
        if target is None or self._loss is None or not self._outputs:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # predictions of other shapes are tried, too
            return {
                "loss_of_guessing": loss_of_guessing(self._loss, target, self._outputs),
                "least_loss": least_loss(self._loss, target, self._outputs),
            }

    def _kept_targets(self) -> Tensor | None:
        """The targets that were kept; None where their shapes differ, or some are ignored."""
        if len({target.shape[1:] for target in self._kept}) != 1:
            return None
        target = torch.cat(self._kept)[:KEPT_TARGETS]
        if target.dtype == torch.bool:
            return target.float()
        if not target.is_floating_point():
            target = target.long()
            kept = (target >= 0) & (target < max(self._outputs, 1))
            return target[kept.reshape(len(target), -1).all(1)]
        return target


def _kind_of(loss: Callable[[Any, Any], Any], output: Tensor, target: Tensor) -> str:
    """The kind of a loss in `netwise.tasks`: asked about rows of its own, since several losses look
    alike where all outputs are equal."""
    takes = loss_answers(loss, output.detach(), target.detach()).get("loss_takes")
    if takes in KINDS:
        return KINDS[takes]
    by_outputs = loss_kind(loss, output.detach(), target.detach())
    return by_outputs if takes is None or by_outputs == SQUARED else ""


def _facts_of_optimizer(optimizer: Any) -> dict[str, Any]:
    """Facts of an optimizer that the user passes; of a tuple of several, those of the first."""
    first = optimizer[0] if isinstance(optimizer, tuple | list) and optimizer else optimizer
    groups = getattr(first, "param_groups", None)
    if not groups:
        return {}
    return {
        "optimizer": type(first).__name__,
        "rate": float(groups[0].get("lr", 0.0)),
        "weight_decay": float(groups[0].get("weight_decay", 0.0)),
    }
