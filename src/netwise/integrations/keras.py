"""Callback of Keras 3 with the torch backend."""

from __future__ import annotations

from typing import Any

from netwise.integrations.fit_watch import FitWatch, missing

try:
    from keras.backend import backend
    from keras.callbacks import Callback
except ImportError as error:
    if (
        str(error.name).split(".")[0] != "keras"
    ):  # it imports its backend, which is TensorFlow by default
        raise ImportError(
            f"Keras could not be imported: {error}. Set the environment variable "
            "KERAS_BACKEND=torch before it is imported.",
            name=error.name,
        ) from error
    raise missing(__name__, "Keras") from error


class Watch(FitWatch, Callback):
    """Record `model.fit` of Keras on torch, with its metrics, and print the diagnosis at its end.

    The optimizers of Keras are none of torch's, so steps, learning rates and updates are not
    observed; the report names what it could not check.

    Args:
        folder: a new run folder for the history; `netwise show` reads it.
        every: watch one step of so many; by default the first steps, then fewer and fewer.
        report: whether the diagnosis is printed.

    Raises:
        RuntimeError: Keras runs on another backend, when the fit starts.

    Example:
        >>> from netwise.integrations.keras import Watch
        >>> callbacks = [Watch()]  # for model.fit(..., callbacks=callbacks)
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if backend() != "torch":
            raise RuntimeError(
                f"netwise observes torch, and Keras runs on {backend()}. Set the environment "
                "variable KERAS_BACKEND=torch before Keras is imported."
            )
        self.begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.record(logs or {})

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.end()
