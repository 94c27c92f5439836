"""Progress on stderr: a live display on a terminal, plain lines where the output is redirected."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from netwise import signals
from netwise.cli.terminal import echo
from netwise.history import RunEnd
from netwise.printed_text import one_line, printable
from netwise.training.progress import Progress, RunProgress, monitor_runs

MOST_LINES = 50  # of one run whose output is redirected


def display() -> Progress:
    """The display of one run: live on a terminal, plain lines otherwise."""
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()


def epoch_text(row: Mapping[str, float]) -> str:
    """The most important signals of an epoch as one line."""
    parts = [f"loss {row[signals.TRAIN_LOSS]:.4g}"]
    if signals.STAGE in row:
        parts.append(f"layer {row[signals.STAGE]:.0f}")
    if signals.LOG_LIKELIHOOD in row:
        parts.append(f"likelihood {row[signals.LOG_LIKELIHOOD]:.2f} nats")
    elif signals.PSEUDO_LIKELIHOOD in row:
        parts.append(f"pseudo-likelihood {row[signals.PSEUDO_LIKELIHOOD]:.1f} nats")
    elif signals.RECONSTRUCTION in row:
        parts.append(f"reconstruction error {row[signals.RECONSTRUCTION]:.4g}")
    for name in signals.VALID_METRICS.values():
        if name in row:
            parts.append(f"{name.replace('.', ' ').replace('_', ' ')} {row[name]:.4g}")
    if signals.VALID_ACCURACY in row:
        parts.append(f"valid {100 * row[signals.VALID_ACCURACY]:.1f} %")
    elif signals.VALID_R2 in row:
        parts.append(f"valid R² {row[signals.VALID_R2]:.3f}")
    elif signals.TRAIN_ACCURACY in row:
        parts.append(f"train {100 * row[signals.TRAIN_ACCURACY]:.1f} %")
    return "  ".join(parts)


class PlainDisplay:
    """Prints one line per epoch, at most about fifty."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        self.epochs, self.every = epochs, max(1, -(-epochs // MOST_LINES))

    def step(self, done: int) -> None: ...

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        if epoch % self.every == 0 or epoch in (1, self.epochs):
            print(f"epoch {epoch}/{self.epochs}  {epoch_text(row)}", file=sys.stderr, flush=True)

    def end(self, ended: RunEnd) -> None: ...


class LiveDisplay:
    """A progress bar with the latest signals and the time left."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        from rich.console import Console  # heavy
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns: tuple[Any, ...] = (
            TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        first = done * epochs // max(steps, 1)
        self._task = self._bar.add_task("", total=steps, completed=done, epoch=first, numbers="")
        self._bar.start()

    def step(self, done: int) -> None:
        self._bar.update(self._task, completed=done)

    def epoch(self, epoch: int, row: Mapping[str, float]) -> None:
        self._bar.update(self._task, epoch=epoch, numbers=epoch_text(row))

    def end(self, ended: RunEnd) -> None:
        self._bar.stop()


@contextmanager
def show_progress() -> Iterator[Callable[[str], None]]:
    """Show all running runs in one table while the block trains many; only where stderr is a
    terminal.

    Yields:
        A function that writes a line to stderr, above the table.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.suggest(nw.data.iris(), epochs=2)
        >>> with nw.show_progress():
        ...     validation = nw.cross_validate(recipe, folds=3, jobs=1)
        >>> len(validation.values)
        3
    """
    if not sys.stderr.isatty():
        yield lambda line: echo(line, err=True)
        return
    from rich.console import Console  # heavy
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    screen = Live(
        console=console, refresh_per_second=4, transient=True, redirect_stdout=sys.stdout.isatty()
    )
    with screen, monitor_runs(lambda summary, runs: screen.update(runs_table(summary, runs))):
        yield lambda line: console.print(Text(printable(line)), highlight=False)


def runs_table(summary: str, runs: Sequence[RunProgress]) -> Any:
    """Running runs as a table of rich, under a line of summary."""
    from rich.console import Group  # heavy
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("run", "epoch", "valid", "settings"):
        is_number = name in ("epoch", "valid")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=name != "settings")
    for run in runs:
        epoch = f"{run.epoch}/{run.epochs}" if run.epochs else "starting"
        value = "" if run.value is None else f"{run.value:.4f}"
        table.add_row(Text(one_line(run.name)), epoch, value, Text(one_line(run.about[:200])))
    return Group(Text(printable(summary)), table)
