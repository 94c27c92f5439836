"""Callback of PyTorch Lightning."""

from __future__ import annotations

from typing import Any

from netwise.integrations.fit_watch import FitWatch, missing

try:
    from lightning.pytorch import Callback
except ImportError:
    try:
        from pytorch_lightning import Callback
    except ImportError as error:
        raise missing(__name__, "Lightning") from error


class Watch(FitWatch, Callback):
    """Record a fit of a Lightning trainer, with the metrics that the module logs (`val_loss`,
    `val_acc`), and print the diagnosis at its end.

    Args:
        folder: a new run folder for the history; `netwise show` reads it.
        every: watch one step of so many; by default the first steps, then fewer and fewer.
        report: whether the diagnosis is printed, by the first of several processes.

    Example:
        >>> import lightning.pytorch as pl
        >>> from netwise.integrations.lightning import Watch
        >>> trainer = pl.Trainer(
        ...     callbacks=[Watch()], logger=False, enable_checkpointing=False, accelerator="cpu"
        ... )
    """

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        self.begin(trainer.is_global_zero)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.record(trainer.callback_metrics)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        self.end(trainer.is_global_zero)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.end(trainer.is_global_zero)
