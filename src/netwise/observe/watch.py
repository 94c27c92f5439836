"""`watch`: the ears of netwise in a loop of the user's own."""

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
from netwise.observe.probe import Probe
from netwise.parts.losses import least_loss, loss_kind, loss_of_guessing, target_facts
from netwise.tasks import CLASSIFICATION, REGRESSION, task_named

MOST_POINTS = (
    400  # watched steps that are kept; then every second is dropped and the distance doubles
)
KEPT_TARGETS = 20_000  # targets remembered to know what a constant answer would score


class watch:
    """Listen to a module while a loop of the user's own trains it. The user's numbers stay as they
    are, bit for bit.

    Call `step` after `loss.backward()` and before `optimizer.step()`. On steps that are not watched
    nothing is attached; after the block nothing is left on the module.

    Args:
        model: the module that is trained.
        optimizer: where given, its learning rate is recorded.
        loss: the function (output, target) -> loss, where there is one; with it the history knows
            the loss of guessing.
        every: watch one step of so many. Default: every step at first, then ever fewer, about 400
            in all.

    Example:
        >>> import netwise as nw, torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> x, y = torch.randn(30, 4), torch.arange(30) % 3
        >>> with nw.watch(model, loss=torch.nn.functional.cross_entropy) as w:
        ...     for _ in range(10):
        ...         optimizer.zero_grad()
        ...         loss = torch.nn.functional.cross_entropy(model(x), y)
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
            raise TypeError(f"watch takes a torch.nn.Module, not {type(model).__name__}")
        if every is not None and every < 1:
            raise ValueError(
                f"every = {every} must be at least 1: one step of so many is watched. Write 10."
            )
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._probe = Probe(model)
        self._every, self._grows = every or 1, every is None
        self._steps, self._epochs, self._rows, self._ends = (
            0,
            0,
            list[dict[str, Any]](),
            list[dict[str, Any]](),
        )
        self._heard_at = -1
        self._kind: str | None = None
        self._targets: list[Tensor] = []
        self._outputs, self._batch = 0, 0
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
        self._complete()
        self._probe.detach()
        self._seconds, self._open = time.monotonic() - self._began, False

    def step(self, loss: Tensor, target: Tensor | None = None) -> None:
        """One training step: gradients are ready, the optimizer has not moved yet.

        Args:
            loss: of the batch, as it was given to `backward`.
            target: of the batch; with it accuracy and the loss of guessing are known.
        """
        if not self._open:
            raise RuntimeError(
                "w.step was called outside of `with watch(model) as w:`, where nothing is heard"
            )
        self._complete()
        if self._probe.attached:
            output = self._probe.output
            if output is not None:
                self._outputs = output.shape[-1] if output.dim() > 1 else 1
            if target is not None:
                self._batch = max(self._batch, len(target) if target.dim() else 1)
                if self._kind is None and self._loss is not None and output is not None:
                    self._kind = loss_kind(self._loss, output, target.detach())
                if sum(len(t) for t in self._targets) < KEPT_TARGETS and target.dim():
                    self._targets.append(target.detach().cpu())
            self._probe.record(loss.detach(), target)
            self._heard_at = self._steps
        self._steps += 1
        if self._steps % self._every == 0:
            self._probe.attach()

    def epoch(
        self,
        *,
        train_loss: float | None = None,
        train_accuracy: float | None = None,
        valid_loss: float | None = None,
        valid_accuracy: float | None = None,
    ) -> None:
        """The end of an epoch, with what the loop measured: overfitting is seen in nothing else.

        Args:
            train_loss, train_accuracy: over the epoch.
            valid_loss, valid_accuracy: on data that are not trained on.
        """
        self._complete()
        given = {
            signals.TRAIN_LOSS: train_loss,
            signals.TRAIN_ACCURACY: train_accuracy,
            signals.VALID_LOSS: valid_loss,
            signals.VALID_ACCURACY: valid_accuracy,
        }
        row = {name: float(value) for name, value in given.items() if value is not None}
        if self._optimizer is not None:
            row[signals.RATE] = float(self._optimizer.param_groups[0]["lr"])
        self._ends.append({"step": max(self._steps - 1, 0), "epoch": self._epochs, **row})
        self._epochs += 1

    def _complete(self) -> None:
        """The optimizer has moved since the last watched step: its row is whole now."""
        row = self._probe.finish_step()
        if row is None:
            return
        self._rows.append({"step": self._heard_at, **row})
        if self._grows and len(self._rows) >= MOST_POINTS:
            self._every *= 2
            self._rows = [row for row in self._rows if row["step"] % self._every == 0]

    def history(self) -> History:
        """What was heard so far."""
        rows = sorted([*self._rows, *self._ends], key=lambda row: row["step"])
        ended = RunEnd(
            RUNNING if self._open else FINISHED, f"{self._steps} steps were heard.", self._steps
        )
        seconds = time.monotonic() - self._began if self._open else self._seconds
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        device = next((str(p.device) for p in self._model.parameters()), "cpu")
        return History.from_rows(
            rows,
            self._probe.layers,
            self._facts(),
            ended,
            Provenance("", versions, device, torch.get_num_threads(), round(seconds, 3)),
        )

    def _target_facts(self) -> dict[str, Any]:
        if not self._targets or any(
            t.shape[1:] != self._targets[0].shape[1:] for t in self._targets
        ):
            return {}
        return target_facts(torch.cat(self._targets))

    def _facts(self) -> RunFacts:
        drops = [
            float(m.p)
            for m in self._model.modules()
            if isinstance(m, nn.modules.dropout._DropoutNd)
        ]
        rate = float(self._optimizer.param_groups[0]["lr"]) if self._optimizer is not None else None
        task, classes, guess, least = None, None, None, None
        if self._targets and all(t.shape[1:] == self._targets[0].shape[1:] for t in self._targets):
            target = torch.cat(self._targets)
            task = REGRESSION if target.is_floating_point() else CLASSIFICATION
            classes = (
                len(target.unique()) if task_named(task).has_classes else None
            )  # an output layer may be wider than the task
            if self._loss is not None and self._outputs:
                guess, least = (
                    known(self._loss, target, self._outputs)
                    for known in (loss_of_guessing, least_loss)
                )
        return RunFacts(
            **self._target_facts(),
            loss_kind=self._kind,
            task=task,
            classes=classes,
            batch_size=self._batch or None,
            loss_of_guessing=guess,
            least_loss=least,
            loss=_name(self._loss),
            optimizer=type(self._optimizer).__name__ if self._optimizer is not None else None,
            rate=rate,
            dropout=max(drops, default=0.0),
            weight_decay=float(self._optimizer.param_groups[0].get("weight_decay", 0.0))
            if self._optimizer is not None
            else None,
        )


def _name(loss: object) -> str | None:
    if loss is None:
        return None
    return getattr(loss, "__name__", type(loss).__name__)
