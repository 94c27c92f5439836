"""The page of a search: the winner and how far to trust it, the leaders, the pictures, every
trial."""

from __future__ import annotations

from pathlib import Path

from netwise.atomic import write_atomically
from netwise.recipe.writer import recipe_text
from netwise.report.page import Html, figures, page, table, tag
from netwise.report.pictures.search_plots import search_pictures
from netwise.searches.plan_file import plan_text
from netwise.searches.result import SearchResult
from netwise.searches.trial_record import TrialRecord

LEADERS, ROWS = 10, 500


def write_search_report(found: SearchResult, path: str | Path) -> Path:
    """Write the report of a search as one HTML file that needs nothing else.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> recipe, home = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 8, 3)), epochs=2), pathlib.Path(tempfile.mkdtemp())
        >>> space = nw.Space((nw.axes.Log("optimizer.lr", 1e-4, 1.0),))
        >>> found = nw.search(recipe, space, method=nw.Grid(2), fresh=0, folder=home / "study", jobs=1)
        >>> "Leaders" in nw.write_search_report(found, home / "search.html").read_text("utf-8")
        True
    """
    path = Path(path)
    states = {
        state: sum(t.state == state for t in found.trials)
        for state in ("complete", "pruned", "failed", "waiting", "running")
    }
    counted = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    body: list[Html | str] = [
        tag(
            "h1",
            f"{type(found.plan.method).__name__} search over {', '.join(axis.name for axis in found.plan.space.axes)}",
        ),
        tag(
            "p",
            f"{len(found.trials)} trials: {counted}."
            + ("" if found.complete else " Interrupted: netwise search --resume goes on with it."),
            kind="soft",
        ),
        tag("h2", "The winner"),
        *_winner(found),
        *[
            tag("p", note[0].upper() + note[1:] + ("" if note.endswith(".") else "."), kind="soft")
            for note in found.notes
        ],
        tag("h2", "Leaders"),
        _rows(found, found.ranked[:LEADERS], ranked=True),
        figures(search_pictures(found)),
        tag("h2", "All trials"),
        _rows(found, list(found.trials[:ROWS])),
    ]
    if found.recipe is not None:
        body += [tag("h2", "The winner's recipe"), tag("pre", recipe_text(found.recipe))]
    body += [tag("h2", "The plan"), tag("pre", plan_text(found.plan))]
    write_atomically(path, page(f"{found.folder.name}: netwise", *body))
    return path


def _winner(found: SearchResult) -> list[Html | str]:
    if found.best is None:
        return [tag("p", "No trial was completed.", kind="bad")]
    told: list[Html | str] = [
        tag("p", f"Trial {found.best.number}: {found.best.point_text}.", kind="good")
    ]
    rows = [
        (
            "in the search (the highest of all, so it flatters)",
            f"{found.best_value:.4f}" if found.best_value is not None else "",
            "",
        )
    ]
    if found.mean is not None:
        interval = (
            ""
            if found.low is None or found.high is None
            else f"{found.low:.4f} to {found.high:.4f}"
        )
        rows.append(
            (
                f"over {len(found.fresh_values)} fresh seeds, the same validation part",
                f"{found.mean:.4f}",
                interval,
            )
        )
    if found.test is not None:
        rows.append(
            (
                f"{found.test.name} on the test part, touched once",
                f"{found.test.value:.4f}",
                f"{found.test.low:.4f} to {found.test.high:.4f}",
            )
        )
    return [*told, table(("score", "value", "95 % interval"), rows, numbers=(1,))]


def interval_text(trial: TrialRecord) -> str:
    """The interval of a trial's value, where one is known."""
    return "" if trial.low is None or trial.high is None else f"{trial.low:.4f} to {trial.high:.4f}"


def _rows(found: SearchResult, trials: list[TrialRecord], ranked: bool = False) -> Html:
    names = [axis.name for axis in found.plan.space.axes]
    rows = []
    for place, t in enumerate(trials, start=1):
        cells = [
            f"{v:.4g}" if isinstance(v := t.point.get(name, ""), float) else str(v)
            for name in names
        ]
        value = "" if t.value is None else f"{t.value:.4f}"
        rows.append(
            (
                str(place if ranked else t.number),
                *cells,
                value,
                interval_text(t),
                str(t.epochs),
                f"{t.seconds:.1f}",
                t.state,
                t.reason[:200],
            )
        )
    head = (
        "place" if ranked else "trial",
        *names,
        "value",
        "95 % interval",
        "epochs",
        "seconds",
        "state",
        "",
    )
    return table(head, rows, numbers=(*range(len(names) + 2), len(names) + 3, len(names) + 4))
