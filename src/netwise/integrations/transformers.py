"""Callback of the Trainer of Hugging Face transformers."""

from __future__ import annotations

from typing import Any

from netwise.integrations.fit_watch import FitWatch, missing

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise missing(__name__, "transformers") from error


class Watch(FitWatch, TrainerCallback):
    """Record a training of `transformers.Trainer`, with the loss that it logs and the metrics of
    its evaluations, and print the diagnosis at its end. Each evaluation is recorded as an epoch;
    without evaluations, each epoch is.

    Args:
        folder: a new run folder for the history; `netwise show` reads it.
        every: watch one step of so many; by default the first steps, then fewer and fewer.
        report: whether the diagnosis is printed, by the first of several processes.

    Example:
        >>> from netwise.integrations.transformers import Watch
        >>> callbacks = [Watch(every=10)]  # for Trainer(..., callbacks=callbacks)
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.pending_: dict[str, Any] = {}
        self.evaluates_ = False
        self.begin(state.is_world_process_zero)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any], **others: Any
    ) -> None:
        if "loss" in logs:  # of training: the last log has the mean of all steps instead
            self.pending_["loss"] = logs["loss"]

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, Any], **others: Any
    ) -> None:
        if self.open_:  # not where it is called before the training or after it
            self.evaluates_ = True
            self.record({**self.pending_, **metrics})
            self.pending_ = {}

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._record_epoch()  # here and not at the epoch's end: its evaluation follows that

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._record_epoch()
        self.end(state.is_world_process_zero)

    def _record_epoch(self) -> None:
        if self.pending_ and not self.evaluates_:
            self.record(self.pending_)
            self.pending_ = {}
