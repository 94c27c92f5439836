"""Progress on the terminal: a live line where someone looks on, plain lines where the output goes elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from netwise import signals
from netwise.engine.progress import Progress
from netwise.history import Ended


def display() -> Progress:
    """The display that fits: rich on a terminal, plain lines otherwise. All of it goes to stderr."""
    return Live() if sys.stderr.isatty() else Plain()


def told(row: Mapping[str, float]) -> str:
    """An epoch's numbers in a few words."""
    parts = [f"loss {row[signals.TRAIN_LOSS]:.4g}"]
    if signals.STAGE in row:
        parts.append(f"layer {row[signals.STAGE]:.0f}")
    if signals.LOG_LIKELIHOOD in row:
        parts.append(f"likelihood {row[signals.LOG_LIKELIHOOD]:.2f} nats")
    elif signals.PSEUDO_LIKELIHOOD in row:
        parts.append(f"pseudo-likelihood {row[signals.PSEUDO_LIKELIHOOD]:.1f} nats")
    elif signals.RECONSTRUCTION in row:
        parts.append(f"reconstruction error {row[signals.RECONSTRUCTION]:.4g}")
    if signals.VALID_ACCURACY in row:
        parts.append(f"valid {100 * row[signals.VALID_ACCURACY]:.1f} %")
    elif signals.VALID_R2 in row:
        parts.append(f"valid R² {row[signals.VALID_R2]:.3f}")
    elif signals.TRAIN_ACCURACY in row:
        parts.append(f"train {100 * row[signals.TRAIN_ACCURACY]:.1f} %")
    return "  ".join(parts)


class Plain:
    """One line for each epoch, at most fifty of them."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        self.epochs, self.every = epochs, max(1, -(-epochs // 50))

    def step(self, done: int) -> None: ...

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        if epoch % self.every == 0 or epoch in (1, self.epochs):
            print(f"epoch {epoch}/{self.epochs}  {told(row)}", file=sys.stderr, flush=True)

    def end(self, ended: Ended) -> None: ...


class Live:
    """A bar with the latest numbers and the time left."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns: tuple[Any, ...] = (
            TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=steps, completed=done, epoch=done * epochs // max(steps, 1), told="")
        self._bar.start()

    def step(self, done: int) -> None:
        self._bar.update(self._task, completed=done)

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        self._bar.update(self._task, epoch=epoch, told=told(row))

    def end(self, ended: Ended) -> None:
        self._bar.stop()
