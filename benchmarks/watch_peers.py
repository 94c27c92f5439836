"""W&B's and Lightning's own watching, as contestants of `benchmarks/watch.py`.

W&B runs offline: its service, a process of its own, is not counted. Both log the loss too, as
their users do; watching is compared with the loop of the same package without it.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import netwise as nw

if TYPE_CHECKING:
    from watch import Batches, Contestant, Timed

WANDB_ROWS = 5  # `log_freq`, for as many records of a run as netwise makes
WANDB, LIGHTNING = "W&B, logs the loss", "Lightning"  # the loops of these packages without watching


def peers() -> tuple[dict[str, Contestant], list[str]]:
    """The contestants that are installed, and the reasons for those that are left out."""
    found: dict[str, Contestant] = {}
    left_out = []
    for package, contestants in (("wandb", wandb_contestants), ("lightning", lightning_ones)):
        if find_spec(package) is None:
            left_out.append(f"{package} is not installed: pip install -r benchmarks/peers.txt")
        else:
            try:
                found |= contestants()
            except Exception as error:  # such as a torchvision of another build than torch
                left_out.append(f"{package} is left out: {type(error).__name__}: {error}")
    return found, left_out


def own_loop(name: str) -> str | None:
    """The loop that a contestant of this file adds its watching to; None for other contestants."""
    if name in (WANDB, LIGHTNING):
        return None
    return next((loop for loop in (WANDB, LIGHTNING) if name.startswith(loop.split(",")[0])), None)


def recorded_steps(history: nw.History) -> int:
    """Steps of which netwise has recorded the layers; losses are recorded of all."""
    return max((len(series) for (_, layer), series in history.series.items() if layer), default=0)


# ---- W&B


def wandb_contestants() -> dict[str, Contestant]:
    os.environ["WANDB_SILENT"] = "true"
    return {
        WANDB: wandb_run(None),
        'W&B, watch(log="gradients")': wandb_run("gradients"),
        'W&B, watch(log="all")': wandb_run("all"),
        f'W&B, watch(log="all", log_freq={WANDB_ROWS})': wandb_run("all", WANDB_ROWS),
    }


def wandb_run(what: str | None, every: int = 1000) -> Contestant:
    """The bare loop with `run.log` of the loss, and with `wandb.watch`; 1000 is its default."""

    def run(model: nn.Module, batches: Batches, steps: int, first: int) -> Timed:
        import wandb
        from watch import Timed, train  # not at the top: that file imports this one

        with tempfile.TemporaryDirectory() as folder:
            record = wandb.init(project="bench", mode="offline", dir=folder)
            if what is not None:
                record.watch(model, log=what, log_freq=every)  # type: ignore[arg-type]

            def log(loss: Tensor, target: Tensor) -> None:
                record.log({"loss": loss.detach()})

            seconds = train(model, batches, steps, first, log)
            if what is not None:
                record.unwatch(model)
            record.finish()
        return Timed(seconds, 0 if what is None else steps // every)

    return run


# ---- Lightning


class Repeated:
    """An iterable over so many batches."""

    def __init__(self, batches: Batches, steps: int) -> None:
        self._batches, self._steps = batches, steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return islice(cycle(self._batches), self._steps)


def lightning_ones() -> dict[str, Contestant]:
    import lightning.pytorch  # noqa: F401  # it sets the levels of its loggers, so it comes first

    warnings.simplefilter("ignore")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return {
        LIGHTNING: lightning_run(norms=False, observed=False),
        "Lightning, gradient norms logged": lightning_run(norms=True, observed=False),
        "Lightning, nw.watch()": lightning_run(norms=False, observed=True),
    }


def lightning_run(norms: bool, observed: bool) -> Contestant:
    """Lightning's loop with its CSV logger, every 50th step as by default; and with a callback that
    logs the norms of all gradients, as Lightning's documents have it."""

    def run(model: nn.Module, batches: Batches, steps: int, first: int) -> Timed:
        import lightning.pytorch as lightning
        from lightning.pytorch.loggers import CSVLogger
        from watch import Timed  # not at the top: that file imports this one

        module = _module(model, first)
        with tempfile.TemporaryDirectory() as folder:
            trainer = lightning.Trainer(
                max_steps=steps,
                accelerator="cpu",
                logger=CSVLogger(folder),
                callbacks=[_norm_callback()] if norms else [],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            rows = steps // 50 if norms else 0
            if observed:
                with nw.watch() as w:
                    trainer.fit(module, Repeated(batches, steps))
                rows = recorded_steps(w.history())
            else:
                trainer.fit(module, Repeated(batches, steps))
        return Timed(module.ended - module.begun, rows)

    return run


def _module(network: nn.Module, first: int) -> Any:
    import lightning.pytorch as lightning

    class Classifier(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.loss = network, nn.CrossEntropyLoss()
            self.begun, self.ended = 0.0, 0.0

        def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
            if number == first:
                self.begun = time.thread_time()
            x, y = batch
            loss: Tensor = self.loss(self.network(x), y)
            self.log("loss", loss)
            return loss

        def on_train_end(self) -> None:
            self.ended = time.thread_time()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.01)

    return Classifier()


def _norm_callback() -> Any:
    import lightning.pytorch as lightning
    from lightning.pytorch.utilities import grad_norm

    class GradientNorms(lightning.Callback):
        def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
            module.log_dict(grad_norm(module.network, norm_type=2))

    return GradientNorms()
