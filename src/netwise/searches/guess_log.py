"""A log of settings tried by hand: what was guessed, why, and what came of it.

Each guess is a run of its own. Reading the log and noting an outcome load no torch; training a
guess (`netwise.searches.guess_training`) does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from netwise.atomic import write_atomically
from netwise.errors import RunFolderError
from netwise.file_errors import file_errors
from netwise.schema import read_json, typed
from netwise.signals import SIGNALS
from netwise.storage.layout import strict_json

GUESSES = "guesses"
NOTE = "guess.json"


@dataclass(frozen=True)
class GuessEntry:
    """One entry of the log.

    Args:
        number: from 1.
        changed: what differs from the guess before, as `field: before -> after`.
        reason: why it was guessed.
        value: on the validation part; low, high: its 95 % interval, where one is known.
        ended: how the run ended, as a sentence.
        outcome: the conclusion, in the user's words, or "".
        folder: of the run.
        metric: that the value is of, as in `Recipe.metric`; of a loss or an error it is the
            negative. Default none: accuracy, R², or the goal of the task.

    Example:
        >>> import netwise as nw
        >>> folder = "book/guesses/001/run"
        >>> entry = nw.GuessEntry(1, (), "a first look", 0.9, None, None, "Done.", "", folder)
        >>> entry.reason
        'a first look'
    """

    number: int
    changed: tuple[str, ...]
    reason: str
    value: float
    low: float | None
    high: float | None
    ended: str
    outcome: str
    folder: str
    metric: str | None = None


def log_outcome(book: str | Path, number: int, words: str) -> GuessEntry:
    """Note the conclusion from a guess.

    Args:
        book: folder of the log.
        number: of the guess.
        words: the conclusion.

    Raises:
        RunFolderError: the log has no such guess.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> book = pathlib.Path(tempfile.mkdtemp()) / "book"
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2)
        >>> _ = nw.log_guess(book, recipe, "a first look")
        >>> nw.log_outcome(book, 1, "too short to tell").outcome
        'too short to tell'
    """
    entries = {entry.number: entry for entry in read_guesses(book)}
    if number not in entries:
        known = f"There are: {', '.join(map(str, entries))}." if entries else "There is none yet."
        raise RunFolderError(
            f"{book} has no guess {number}. {known} Write netwise log {book} to list them"
        )
    entry = replace(entries[number], outcome=words.strip())
    write_entry(book, entry)
    return entry


def read_guesses(book: str | Path) -> list[GuessEntry]:
    """All entries of a log, the oldest first.

    Example:
        >>> import netwise as nw
        >>> nw.read_guesses("no/such/book")
        []

    Raises:
        RunFolderError: an entry is damaged.
    """
    entries = []
    with file_errors(book):
        notes = sorted((Path(book) / GUESSES).glob(f"*/{NOTE}"))
    for path in notes:
        otherwise = f"delete {path.parent} with its run."
        plain = read_json(path, GuessEntry, otherwise)
        entries.append(replace(typed(GuessEntry, plain), folder=str(path.parent / "run")))
    return entries


def guess_table(entries: Sequence[GuessEntry]) -> list[str]:
    """The log as lines of text."""
    lines = []
    for entry in entries:
        interval = (
            ""
            if entry.low is None or entry.high is None
            else f" ({entry.low:.4f} to {entry.high:.4f})"
        )
        value = f"{_own_value(entry):.4f}"
        of = "" if entry.metric is None else f" {entry.metric}"
        lines.append(f"{entry.number:>3}  {value}{of}{interval}  because {entry.reason}")
        lines += [f"       {change}" for change in entry.changed]
        if entry.outcome:
            lines.append(f"       -> {entry.outcome}")
    return lines


def write_entry(book: str | Path, entry: GuessEntry) -> None:
    """Write an entry into the folder of its guess."""
    text = json.dumps(strict_json(asdict(entry)), indent=1) + "\n"
    write_atomically(guess_folder(book, entry.number) / NOTE, text)


def guess_folder(book: str | Path, number: int) -> Path:
    """The folder of one guess, with its entry and its run."""
    return Path(book) / GUESSES / f"{number:03d}"


def _own_value(entry: GuessEntry) -> float:
    """The value of the metric: losses and errors are compared by their negatives. Without the
    metrics themselves, which need numpy."""
    signal = SIGNALS.get(f"valid.{entry.metric}")
    is_loss = signal is not None and signal.good == "low"
    return 0.0 - entry.value if is_loss else entry.value
