"""The page of a search: the best trial and how far to trust it, pictures, every trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netwise.atomic import write_atomically
from netwise.recipe.writer import recipe_text
from netwise.report.page import render
from netwise.report.pictures.search_plots import search_pictures
from netwise.scoring.metrics import metric_named
from netwise.searches.plan_file import plan_text
from netwise.searches.result import SearchResult
from netwise.searches.trial_record import TrialRecord

MOST_RANKED, MOST_ROWS = 10, 500
STATES = ("complete", "pruned", "failed", "waiting", "running")


def write_search_report(result: SearchResult, path: str | Path) -> Path:
    """Write the report of a search as one self-contained HTML file.

    Args:
        result: of the search, which may still be running.
        path: of the file to write; an existing one is replaced.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> recipe = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2)
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> options = {"fresh": 0, "folder": home / "study", "jobs": 1}
        >>> result = nw.search(recipe, space, method=nw.Grid(2), **options)
        >>> path = nw.write_search_report(result, home / "search.html")
        >>> "Ranking" in path.read_text("utf-8")
        True
    """
    path = Path(path)
    write_atomically(path, search_page(result))
    return path


def search_page(result: SearchResult) -> str:
    """The page of a search."""
    axes = [axis.name for axis in result.plan.space.axes]
    count = len(axes)
    reason = ["reason"] if any(trial.reason for trial in result.trials) else []
    return render(
        "search.html",
        title=result.folder.name,
        heading=search_title(result),
        counts=trial_counts(result),
        resume="" if result.complete else f"netwise search --resume {result.folder}",
        best=_best_text(result),
        scores=_scores(result),
        notes=[as_sentence(note) for note in result.notes],
        columns=[*axes, result.value_title, "95 % interval", "epochs", "seconds", "state", *reason],
        numbers=(*range(count + 2), count + 3, count + 4),
        ranked=_rows(result, result.ranked[:MOST_RANKED], is_ranked=True),
        drawn=search_pictures(result),
        trials=_rows(result, result.trials[:MOST_ROWS]),
        left_out=max(0, len(result.trials) - MOST_ROWS),
        folder=str(result.folder),
        recipe="" if result.recipe is None else recipe_text(result.recipe),
        plan=plan_text(result.plan),
    )


def search_title(result: SearchResult) -> str:
    """The method and the axes of a search."""
    axes = ", ".join(axis.name for axis in result.plan.space.axes)
    return f"{type(result.plan.method).__name__} search over {axes}"


def trial_counts(result: SearchResult) -> str:
    """How many trials there are in each state."""
    numbers = {state: sum(t.state == state for t in result.trials) for state in STATES}
    states = ", ".join(f"{number} {state}" for state, number in numbers.items() if number)
    return f"{len(result.trials)} trials: {states}." if states else "No trials yet."


def _best_text(result: SearchResult) -> str:
    if result.best is None:
        return ""
    return f"Trial {result.best.number}: {result.best.point_text}."


def as_sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end."""
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _scores(result: SearchResult) -> list[tuple[str, str, str]]:
    """(what, value, interval) of the best trial in the search, over new seeds, on the test part."""
    rows = []
    if result.best_value is not None:
        trials = sum(trial.value is not None for trial in result.trials)
        falls = result.metric is not None and not metric_named(result.metric).higher_is_better
        most, too = ("lowest", "low") if falls else ("highest", "high")
        what = f"in the search; the {most} of {trials} values, so probably too {too}"
        rows.append((what, result.shown(result.best_value), ""))
    if result.mean is not None:
        interval = result.shown_interval(result.low, result.high)
        what = f"mean over {len(result.fresh_values)} new seeds, same validation part"
        rows.append((what, result.shown(result.mean), interval))
    if result.test is not None:
        interval = f"{result.test.low:.4f} to {result.test.high:.4f}"
        what = f"{result.test.name} on the test part, which was used for nothing else"
        rows.append((what, f"{result.test.value:.4f}", interval))
    return rows


def _rows(
    result: SearchResult, trials: Sequence[TrialRecord], is_ranked: bool = False
) -> list[tuple[str, ...]]:
    """A row per trial: its place or number, its point, its value and how it ended."""
    names = [axis.name for axis in result.plan.space.axes]
    has_reasons = any(trial.reason for trial in result.trials)
    rows = []
    for place, trial in enumerate(trials, start=1):
        point = [trial.point.get(name, "") for name in names]
        rows.append(
            (
                str(place if is_ranked else trial.number),
                *(f"{value:.4g}" if isinstance(value, float) else str(value) for value in point),
                result.shown(trial.value),
                result.shown_interval(trial.low, trial.high),
                str(trial.epochs),
                f"{trial.seconds:.1f}",
                trial.state,
                *([trial.reason[:200]] if has_reasons else []),
            )
        )
    return rows
