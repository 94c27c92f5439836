"""Tracker of Accelerate, which has no callbacks."""

from __future__ import annotations

from typing import Any

from netwise.integrations.fit_watch import FitWatch, epoch_metrics, missing

try:
    from accelerate.tracking import GeneralTracker
except ImportError as error:
    raise missing(__name__, "Accelerate") from error


class Watch(FitWatch, GeneralTracker):
    """Record a training with Accelerate from `init_trackers` to `end_training`, and print the
    diagnosis at its end. What `accelerator.log` gets with the name of a validation loss or
    accuracy is recorded as an epoch.

    Args:
        folder: a new run folder for the history; `netwise show` reads it.
        every: watch one step of so many; by default the first steps, then fewer and fewer.
        report: whether the diagnosis is printed, by the first of several processes.

    Example:
        >>> from accelerate import Accelerator
        >>> from netwise.integrations.accelerate import Watch
        >>> accelerator = Accelerator(cpu=True, log_with=Watch(report=False))
        >>> accelerator.init_trackers("digits")
        >>> accelerator.log({"val_loss": 0.5})
        >>> accelerator.end_training()
    """

    name = "netwise"
    requires_logging_directory = False

    def start(self) -> None:
        self.pending_: dict[str, float] = {}
        self.begin()

    @property
    def tracker(self) -> Any:
        return self.watch

    def log(self, values: dict[str, Any], step: int | None = None, **others: Any) -> None:
        known = epoch_metrics(values)
        self.pending_.update(known)  # losses of training are often logged at each step
        if any(name.startswith("valid") for name in known):
            self.record(self.pending_)
            self.pending_ = {}

    def finish(self) -> None:
        self.end()
