"""Train a guess and enter it in the log of settings tried by hand."""

from __future__ import annotations

from pathlib import Path

from netwise.atomic import make_folder
from netwise.recipe.recipe import Recipe, recipe_diff
from netwise.searches.guess_log import GuessEntry, guess_folder, read_guesses, write_entry
from netwise.searches.trial_run import accuracy_interval
from netwise.storage.run_folder import RunFolder
from netwise.training.divergence import diverged, warn_not_converged
from netwise.training.fit import fit
from netwise.training.interrupt import uninterrupted
from netwise.treatment.goals import goal


def log_guess(book: str | Path, recipe: Recipe, reason: str) -> GuessEntry:
    """Train a guess and enter it in the log: the recipe, the reason and the value. The test part is
    not used.

    Args:
        book: folder of the log; made where there is none.
        recipe: the guess.
        reason: why; without one nothing can be concluded from the value.

    Raises:
        ValueError: `reason` is empty.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> book = pathlib.Path(tempfile.mkdtemp()) / "book"
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=3)
        >>> _ = nw.log_guess(book, recipe, "a first look")
        >>> nw.log_guess(book, nw.with_learning_rate(recipe, 0.1), "the loss fell slowly").changed
        ('optimizer.lr: 0.001 -> 0.1',)
    """
    if not reason.strip():
        raise ValueError(
            "reason is empty: without one nothing can be concluded from the value. "
            'Write why you try this, such as reason="the loss falls slowly"'
        )
    before = read_guesses(book)
    number = max((entry.number for entry in before), default=0) + 1
    while (guess_folder(book, number) / "run").exists():  # of a guess that was interrupted
        number += 1
    folder = guess_folder(book, number)
    make_folder(folder.parent)
    run = uninterrupted(fit(recipe, folder=folder / "run", test=False))
    changed: tuple[str, ...] = ()
    if before:
        last = RunFolder.open(before[-1].folder).recipe()
        changed = tuple(
            f"{name}: {old} -> {new}" for name, (old, new) in recipe_diff(last, recipe).items()
        )
    value = goal(run)
    low, high = (None, None) if diverged(run) else accuracy_interval(run.history, value)
    entry = GuessEntry(
        number,
        changed,
        reason.strip(),
        value,
        low,
        high,
        run.history.ended.sentence,
        "",
        str(folder / "run"),
        recipe.metric,
    )
    write_entry(book, entry)
    if diverged(run):
        text = f"guess {number}: {run.history.ended.sentence} Its value is that of guessing."
        warn_not_converged(f"{text} Lower the learning rate in the next one.")
    return entry
