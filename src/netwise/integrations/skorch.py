"""Callback of skorch."""

from __future__ import annotations

from typing import Any

from netwise.integrations.fit_watch import FitWatch, missing

try:
    from skorch.callbacks import Callback
except ImportError as error:
    raise missing(__name__, "skorch") from error


class Watch(FitWatch, Callback):
    """Record `net.fit` of skorch, with the losses and scores of its history, and print the
    diagnosis at its end.

    Args:
        folder: a new run folder for the history; `netwise show` reads it.
        every: watch one step of so many; by default the first steps, then fewer and fewer.
        report: whether the diagnosis is printed.

    Example:
        >>> from skorch import NeuralNetClassifier
        >>> from torch import nn
        >>> from netwise.integrations.skorch import Watch
        >>> net = NeuralNetClassifier(
        ...     nn.Linear(4, 3), criterion=nn.CrossEntropyLoss, callbacks=[Watch()]
        ... )
    """

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **others: Any) -> None:
        self.begin()

    def on_epoch_end(self, net: Any, **others: Any) -> None:
        self.record(
            {name: value for name, value in net.history[-1].items() if isinstance(value, float)}
        )

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **others: Any) -> None:
        self.end()
