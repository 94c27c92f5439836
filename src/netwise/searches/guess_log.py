"""The babysitter's log: what was guessed, why, and what came of it; each guess a run of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from netwise.atomic import write_atomically
from netwise.errors import RunFolderError
from netwise.history import DIVERGED
from netwise.recipe.recipe import Recipe, recipe_diff
from netwise.searches.worker import interval_of
from netwise.storage.layout import strict_json
from netwise.storage.run_folder import RunFolder
from netwise.training.fit import fit
from netwise.treatment.trials import goal

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
        outcome: what was learned from it, in the babysitter's words, or "".
        folder: of the run.

    Example:
        >>> import netwise as nw
        >>> nw.GuessEntry(1, (), "a first look", 0.9, None, None, "All 5 epochs done.", "", "book/guesses/001/run").reason
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


def log_guess(book: str | Path, recipe: Recipe, reason: str) -> GuessEntry:
    """Train a guess and enter it: the recipe, why, and what came of it. The test part is not looked
    at.

    Args:
        book: folder of the log; made where there is none.
        recipe: the guess.
        reason: why; a guess without a reason teaches nothing.

    Raises:
        ValueError: no reason.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> book = pathlib.Path(tempfile.mkdtemp()) / "book"
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> _ = nw.log_guess(book, recipe, "a first look")
        >>> nw.log_guess(book, nw.with_learning_rate(recipe, 0.1), "the loss fell slowly").changed
        ('optimizer.lr: 0.001 -> 0.1',)

    Source: note 002, claim H01.
    """
    if not reason.strip():
        raise ValueError("reason is empty: say why this guess, or nothing is learned from it")
    home = Path(book) / GUESSES
    home.mkdir(parents=True, exist_ok=True)
    before = read_guesses(book)
    number = len(before) + 1
    place = home / f"{number:03d}"
    run = fit(recipe, folder=place / "run", test=False)
    changed: tuple[str, ...] = ()
    if before:
        last = RunFolder.open(before[-1].folder).recipe()
        changed = tuple(
            f"{name}: {old} -> {new}" for name, (old, new) in recipe_diff(last, recipe).items()
        )
    value = goal(run)
    low, high = (
        (None, None) if run.history.ended.how == DIVERGED else interval_of(run.history, value)
    )
    entry = GuessEntry(
        number,
        changed,
        reason.strip(),
        value,
        low,
        high,
        run.history.ended.sentence,
        "",
        str(place / "run"),
    )
    write_atomically(place / NOTE, json.dumps(strict_json(asdict(entry)), indent=1) + "\n")
    return entry


def log_outcome(book: str | Path, number: int, words: str) -> GuessEntry:
    """Enter what was learned from a guess.

    Raises:
        RunFolderError: the log has no such guess.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> book = pathlib.Path(tempfile.mkdtemp()) / "book"
        >>> _ = nw.log_guess(book, nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2), "a first look")
        >>> nw.log_outcome(book, 1, "too short to tell").outcome
        'too short to tell'
    """
    from dataclasses import replace

    found = {entry.number: entry for entry in read_guesses(book)}
    if number not in found:
        raise RunFolderError(
            f"{book} has no guess {number}: it has {', '.join(map(str, found)) or 'none'}"
        )
    entry = replace(found[number], outcome=words.strip())
    write_atomically(
        Path(book) / GUESSES / f"{number:03d}" / NOTE,
        json.dumps(strict_json(asdict(entry)), indent=1) + "\n",
    )
    return entry


def read_guesses(book: str | Path) -> list[GuessEntry]:
    """All entries of a log, the first first.

    Example:
        >>> import netwise as nw
        >>> nw.read_guesses("no/such/book")
        []
    """
    found = []
    for path in sorted((Path(book) / GUESSES).glob(f"*/{NOTE}")):
        plain = json.loads(path.read_text("utf-8"))
        found.append(
            GuessEntry(
                **{**plain, "changed": tuple(plain["changed"]), "folder": str(path.parent / "run")}
            )
        )
    return found


def guess_table(entries: Sequence[GuessEntry]) -> list[str]:
    """The log as lines of text."""
    lines = []
    for entry in entries:
        interval = (
            ""
            if entry.low is None or entry.high is None
            else f" ({entry.low:.4f} to {entry.high:.4f})"
        )
        lines.append(f"{entry.number:>3}  {entry.value:.4f}{interval}  because {entry.reason}")
        lines += [f"       {change}" for change in entry.changed]
        if entry.outcome:
            lines.append(f"       -> {entry.outcome}")
    return lines
