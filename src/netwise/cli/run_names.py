"""Words for runs: a path, a name in the folder of runs, `@last` or `@best`."""

from __future__ import annotations

import math
from pathlib import Path

from netwise.errors import RunFolderError, UnknownName
from netwise.storage.index import RunEntry, list_runs
from netwise.storage.layout import PROGRAM, RECIPE, is_draft, is_run

LAST, BEST = "@last", "@best"


def find_run(run: str, home: Path, *, searches: bool = False) -> Path:
    """The folder of a run.

    Args:
        run: its path, its name in `home`, "@last" (the newest run in `home`) or "@best" (the
            highest test score). Scores of different kinds cannot be compared, so "@best" chooses
            among the runs with the kind of score that the newest scored run has.
        home: the folder of runs.
        searches: searches count as runs, too.

    Raises:
        RunFolderError: there are no runs, or none with a test score.
        UnknownName: there is no such run; the message names similar ones.
    """
    if run.startswith("@"):
        return _run_by_alias(run, home, searches)
    for path in (Path(run), home / run):
        if is_run(path) or is_draft(path):  # the error of a draft says what to do with it
            return path
    files = [*home.glob(f"*/{RECIPE}"), *home.glob(f"*/{PROGRAM}")]
    names = sorted(path.parent.name for path in files)
    if not names:
        raise RunFolderError(
            f"there is no run {run}, because {home} holds no runs yet. "
            "Train one: netwise train digits. Or use the folder of your runs: --runs FOLDER"
        )
    raise UnknownName(f"run in {home}:", run, [*names, LAST, BEST])


def find_search(search: str, home: Path) -> Path:
    """The folder of a search: a path, a name in `home`, or "@last" for the newest search."""
    if search != LAST:
        return Path(search) if Path(search).exists() else home / search
    entries = [entry for entry in list_runs(home) if entry.is_search]
    if not entries:
        raise RunFolderError(
            f"{LAST}: {home} holds no search. Start one: netwise search SPACE.toml. "
            "Or use the folder of your searches: --runs FOLDER"
        )
    return Path(entries[-1].folder)


def _run_by_alias(alias: str, home: Path, searches: bool) -> Path:
    if alias not in (LAST, BEST):
        raise UnknownName("short name of a run", alias, (LAST, BEST))
    entries = [entry for entry in list_runs(home) if searches or not entry.is_search]
    if not entries:
        raise RunFolderError(
            f"{alias}: {home} holds no runs yet. Train one: netwise train digits. "
            "Or use the folder of your runs: --runs FOLDER"
        )
    if alias == LAST:
        return Path(entries[-1].folder)
    scored = [entry for entry in entries if entry.test_score is not None]
    if not scored:
        raise RunFolderError(
            f"{alias}: none of the {len(entries)} runs in {home} has a test score, because they "
            f"have not ended, diverged, have no test part or are watched programs. "
            f"Use {LAST}, or a name of: netwise runs"
        )
    comparable = [entry for entry in scored if entry.metric == scored[-1].metric]
    return Path(max(comparable, key=_score).folder)


def _score(entry: RunEntry) -> float:
    score = entry.test_score
    return -math.inf if score is None or math.isnan(score) else score
