"""`watch`: the history of a training loop of your own."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from netwise import signals
from netwise.history import FINISHED, RUNNING, History, Provenance, RunEnd, RunFacts
from netwise.observe.hooked_probe import HookedProbe
from netwise.parts.losses import least_loss, loss_kind, loss_of_guessing, target_facts
from netwise.tasks import CLASSIFICATION, REGRESSION, task_named

MOST_ROWS = 400  # watched steps to keep; beyond it every second is dropped and the distance doubled
MOST_TARGETS = 20_000  # targets to keep, for the loss of the best constant prediction


class watch:
    """Record a module while a loop of your own trains it. The numbers of the loop stay the same,
    bit for bit.

    Call `step` after `loss.backward()` and before `optimizer.step()`. On steps that are not watched
    no hook is registered, and none is left on the module after the block.

    Args:
        model: the module that is trained.
        optimizer: where given, its learning rate and weight decay are recorded.
        loss: the function (output, target) -> loss, where there is one; with it the loss of
            guessing is known, which most rules need.
        every: watch one step of so many. Default: each step at first, then fewer and fewer, about
            400 in all.

    Raises:
        TypeError: `model` is no module.
        ValueError: `every` is below 1.

    Example:
        >>> import netwise as nw, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> x, y = torch.randn(30, 4), torch.arange(30) % 3
        >>> with nw.watch(model, loss=nn.functional.cross_entropy) as w:
        ...     for _ in range(10):
        ...         optimizer.zero_grad()
        ...         loss = nn.functional.cross_entropy(model(x), y)
        ...         loss.backward()
        ...         w.step(loss, y)
        ...         optimizer.step()
        >>> len(w.history().of("loss")), [layer.activation for layer in w.history().layers]
        (10, ['ReLU', 'Identity'])
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        every: int | None = None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(
                f"watch takes a torch.nn.Module, and got a value of type {type(model).__name__}. "
                "Pass the module that is trained."
            )
        if every is not None and every < 1:
            raise ValueError(
                f"every = {every} must be at least 1: one step of so many is watched. Write 10."
            )
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._probe = HookedProbe(model)
        self._every, self._grows = every or 1, every is None
        self._steps, self._watched_step = 0, -1
        self._epochs = 0
        self._step_rows: list[dict[str, Any]] = []
        self._epoch_rows: list[dict[str, Any]] = []
        self._loss_kind: str | None = None
        self._targets: list[Tensor] = []
        self._outputs = 0  # of the module: the size of their last axis
        self._batch_size = 0  # the largest that was seen
        self._began, self._seconds, self._open = 0.0, 0.0, False

    def __enter__(self) -> watch:
        self._began, self._open = time.monotonic(), True
        self._probe.attach()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keep_row()
        self._probe.detach()
        self._seconds, self._open = time.monotonic() - self._began, False

    def step(self, loss: Tensor, target: Tensor | None = None) -> None:
        """Record one training step, between `loss.backward()` and `optimizer.step()`.

        Args:
            loss: of the batch: the tensor whose `backward` was called.
            target: of the batch; with it accuracy and the loss of guessing are known.

        Raises:
            RuntimeError: it is called outside of the `with` block.
        """
        if not self._open:
            raise RuntimeError(
                "w.step was called outside of its `with` block, where nothing is recorded. "
                "Write `with watch(model) as w:` around the loop."
            )
        self._keep_row()
        if self._probe.attached:
            self._record(loss, target)
        self._steps += 1
        if self._steps % self._every == 0:
            self._probe.attach()

    def _record(self, loss: Tensor, target: Tensor | None) -> None:
        output = self._probe.output
        if output is not None:
            self._outputs = output.shape[-1] if output.dim() > 1 else 1
        if target is not None:
            self._batch_size = max(self._batch_size, len(target) if target.dim() else 1)
            if self._loss_kind is None and self._loss is not None and output is not None:
                self._loss_kind = loss_kind(self._loss, output, target.detach())
            if sum(len(t) for t in self._targets) < MOST_TARGETS and target.dim():
                self._targets.append(target.detach().cpu())
        self._probe.record(loss.detach(), target)
        self._watched_step = self._steps

    def epoch(
        self,
        *,
        train_loss: float | None = None,
        train_accuracy: float | None = None,
        valid_loss: float | None = None,
        valid_accuracy: float | None = None,
    ) -> None:
        """Record the end of an epoch with what the loop measured. Overfitting can be seen in these
        numbers only.

        Args:
            train_loss, train_accuracy: over the epoch's batches.
            valid_loss, valid_accuracy: on data that are not trained on.
        """
        self._keep_row()
        given = {
            signals.TRAIN_LOSS: train_loss,
            signals.TRAIN_ACCURACY: train_accuracy,
            signals.VALID_LOSS: valid_loss,
            signals.VALID_ACCURACY: valid_accuracy,
        }
        row = {name: float(value) for name, value in given.items() if value is not None}
        if self._optimizer is not None:
            row[signals.RATE] = float(self._optimizer.param_groups[0]["lr"])
        self._epoch_rows.append({"step": max(self._steps - 1, 0), "epoch": self._epochs, **row})
        self._epochs += 1

    def _keep_row(self) -> None:
        """Keep the row of the last watched step: the optimizer has changed the weights since."""
        row = self._probe.finish_step()
        if row is None:
            return
        self._step_rows.append({"step": self._watched_step, **row})
        if self._grows and len(self._step_rows) >= MOST_ROWS:
            self._every *= 2
            self._step_rows = [row for row in self._step_rows if row["step"] % self._every == 0]

    def history(self) -> History:
        """What was recorded so far."""
        rows = sorted([*self._step_rows, *self._epoch_rows], key=lambda row: row["step"])
        ended = RunEnd(
            RUNNING if self._open else FINISHED, f"{self._steps} steps were recorded.", self._steps
        )
        seconds = time.monotonic() - self._began if self._open else self._seconds
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        device = next((str(p.device) for p in self._model.parameters()), "cpu")
        made_by = Provenance("", versions, device, torch.get_num_threads(), round(seconds, 3))
        return History.from_rows(rows, self._probe.layers, self._facts(), ended, made_by)

    def _all_targets(self) -> Tensor | None:
        """The targets that were kept; None without any, or where their shapes differ."""
        shapes = {target.shape[1:] for target in self._targets}
        return torch.cat(self._targets) if len(shapes) == 1 else None

    def _facts(self) -> RunFacts:
        target = self._all_targets()
        task, classes, guess, least = None, None, None, None
        if target is not None:
            task = REGRESSION if target.is_floating_point() else CLASSIFICATION
            # Not the width of the output layer, which may be larger.
            classes = len(target.unique()) if task_named(task).has_classes else None
            if self._loss is not None and self._outputs:
                guess = loss_of_guessing(self._loss, target, self._outputs)
                least = least_loss(self._loss, target, self._outputs)
        rates = [
            float(module.p)
            for module in self._model.modules()
            if isinstance(module, nn.modules.dropout._DropoutNd)
        ]
        group = None if self._optimizer is None else self._optimizer.param_groups[0]
        return RunFacts(
            **({} if target is None else target_facts(target)),
            loss_kind=self._loss_kind,
            task=task,
            classes=classes,
            batch_size=self._batch_size or None,
            loss_of_guessing=guess,
            least_loss=least,
            loss=_name(self._loss),
            optimizer=None if self._optimizer is None else type(self._optimizer).__name__,
            rate=None if group is None else float(group["lr"]),
            dropout=max(rates, default=0.0),
            weight_decay=None if group is None else float(group.get("weight_decay", 0.0)),
        )


def _name(loss: object) -> str | None:
    if loss is None:
        return None
    return getattr(loss, "__name__", type(loss).__name__)
