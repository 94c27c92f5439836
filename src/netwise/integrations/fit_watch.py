"""What the callbacks of all frameworks share: a watch from the start of a fit to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwise.diagnosis.report import diagnose
from netwise.errors import MissingPackage
from netwise.history import History
from netwise.watching import watch as watching

# Words in a metric's name that say on which data it was computed -> beginning of the argument of
# `watch.epoch`. Without such a word the data are those of training.
DATA_WORDS = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "eval": "valid",
}
# What is left of the name -> end of the argument. Frameworks name the accuracy by its kind of
# targets; a top-5 or balanced accuracy is another quantity.
QUANTITIES = {
    "loss": "loss",
    "acc": "accuracy",
    "accuracy": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
}


def missing(module: str, framework: str) -> MissingPackage:
    """The error of a module of callbacks whose framework is not installed."""
    return MissingPackage(module, framework, "integrations")


def epoch_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of an epoch as arguments of `watch.epoch`. Others are left out.

    Args:
        metrics: by the names that frameworks give them, such as "val_loss", "train/acc" or
            "eval_accuracy"; numbers, or tensors with one.

    Example:
        >>> from netwise.integrations.fit_watch import epoch_metrics
        >>> epoch_metrics({"loss": 0.5, "val/acc": 0.9, "val_top5_accuracy": 1.0, "lr": 0.1})
        {'train_loss': 0.5, 'valid_accuracy': 0.9}
    """
    found: dict[str, float] = {}
    for name, value in metrics.items():
        words = [word for word in re.split(r"[/_.\s-]+", name.lower()) if word != "epoch"]
        data = next((DATA_WORDS[word] for word in words if word in DATA_WORDS), "train")
        quantity = QUANTITIES.get("_".join(word for word in words if word not in DATA_WORDS))
        if quantity is not None:
            found[f"{data}_{quantity}"] = float(value)
    return found


class FitWatch:
    """Starts a watch where a fit begins, and stops it and prints the diagnosis where it ends.

    Args:
        folder: a new run folder for the history; `netwise show` reads it.
        every: watch one step of so many; by default the first steps, then fewer and fewer.
        report: whether the diagnosis is printed at the end.
    """

    def __init__(
        self, *, folder: str | Path | None = None, every: int | None = None, report: bool = True
    ) -> None:
        super().__init__()
        self.folder, self.every, self.report = folder, every, report
        # skorch takes attributes without an underscore at the end for arguments of `__init__`.
        self.watch_: watching.watch | None = None
        self.open_ = False

    @property
    def watch(self) -> watching.watch:
        """The watch of the last fit.

        Raises:
            RuntimeError: no fit has started.
        """
        if self.watch_ is None:
            raise RuntimeError(
                f"{type(self).__name__} has observed no fit, so there is no history. "
                "Pass it to the framework as a callback and start the training first."
            )
        return self.watch_

    def history(self, model: str | None = None) -> History:
        """The history of the last fit; of the module of this class name where several were
        trained."""
        return self.watch.history(model)

    def begin(self, first_process: bool = True) -> None:
        """Start a new watch; one that is still open, of a fit that failed, is stopped. The first of
        several processes writes the folder."""
        self.end(report=False)
        self.watch_ = watching.watch(
            folder=self.folder if first_process else None, every=self.every
        )
        self.watch_.start()
        self.open_ = True

    def record(self, metrics: Mapping[str, Any]) -> None:
        """Record the end of an epoch with those of its metrics that netwise knows."""
        if self.watch_ is not None:
            self.watch_.epoch(**epoch_metrics(metrics))

    def end(self, report: bool = True) -> None:
        """Stop the watch and print the diagnosis; nothing where no watch is open."""
        if self.watch_ is None or not self.open_:
            return
        self.watch_.stop()
        self.open_ = False
        if report and self.report:
            for name, history in self.watch_.histories().items():
                print(f"netwise, {name}:\n{diagnose(history)}")

    def __getstate__(self) -> dict[str, Any]:
        """Frameworks copy and save their callbacks: without the watch, which observes one
        process."""
        return {**self.__dict__, "watch_": None, "open_": False}
