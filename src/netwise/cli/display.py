"""Progress on the terminal: a live line where someone looks on, plain lines where the output goes
elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from netwise import signals
from netwise.history import RunEnd
from netwise.training.progress import Progress, RunProgress, monitor_runs


def display() -> Progress:
    """The display that fits: rich on a terminal, plain lines otherwise. All of it goes to
    stderr."""
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

    def end(self, ended: RunEnd) -> None: ...


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
        self._task = self._bar.add_task(
            "", total=steps, completed=done, epoch=done * epochs // max(steps, 1), told=""
        )
        self._bar.start()

    def step(self, done: int) -> None:
        self._bar.update(self._task, completed=done)

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        self._bar.update(self._task, epoch=epoch, told=told(row))

    def end(self, ended: RunEnd) -> None:
        self._bar.stop()


@contextmanager
def show_progress() -> Iterator[Callable[[str], None]]:
    """Inside, whatever trains many runs shows all that are at work in one table on the terminal;
    where stderr is none, nothing is shown.

    Yields:
        A function that writes a line to stderr, above the table.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=2)
        >>> with nw.show_progress():
        ...     found = nw.cross_validate(recipe, folds=3, jobs=1)
        >>> len(found.values)
        3
    """
    if not sys.stderr.isatty():
        yield lambda line: print(line, file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.live import Live as Screen

    console = Console(stderr=True)
    screen = Screen(
        console=console, refresh_per_second=4, transient=True, redirect_stdout=sys.stdout.isatty()
    )
    with screen, monitor_runs(lambda words, runs: screen.update(table_of(words, runs))):
        yield lambda line: console.print(line, highlight=False, markup=False)


def table_of(words: str, runs: Sequence[RunProgress]) -> Any:
    """Runs at work as a table of rich."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("run", "epoch", "valid", "with"):
        table.add_column(
            name, justify="right" if name in ("epoch", "valid") else "left", no_wrap=name != "with"
        )
    for each in runs:
        value = "" if each.value is None else f"{each.value:.4f}"
        table.add_row(
            each.name,
            f"{each.epoch}/{each.epochs}" if each.epochs else "begins",
            value,
            Text(each.about[:200]),
        )
    return Group(Text(words), table)
