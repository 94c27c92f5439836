"""Names of the files in the folders of runs and searches, and strict JSON for their contents.

A run folder:
    recipe.toml            the recipe that was trained; not in the folder of a watched program
    program.json           the program that `netwise watch` or `nw.watch(folder=...)` observed,
                           instead of a recipe
    about.json             facts, how the run ended, its score, how inputs are prepared, and the
                           checksums of the other files (`netwise.storage.seals`)
    history/rows.jsonl     append-only, one row per line; a last line without its end is ignored
    checkpoints/step-N/    model and optimizer as safetensors, the rest as JSON, SHA-256 sums
    weights.safetensors    the final weights, and what preprocessing was fitted to
    report.html            written on request

The folder of a watched program has no checkpoints and no weights. Its program.json has
    name       of the script or module, such as "train.py"
    command    the words of the command line
    script     path of the script; "" where there is none
    sha256     of the script's bytes; "" where there is no file
    folder     the current folder when the program was started
    model      class of the trained module
    versions   of Python, torch and netwise

A search folder has its own files (`netwise.searches.study`) and a run folder per trial.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwise.atomic import make_folder, make_new_folder
from netwise.file_errors import file_errors

RECIPE, ABOUT, WEIGHTS, REPORT = "recipe.toml", "about.json", "weights.safetensors", "report.html"
PROGRAM = "program.json"  # instead of a recipe, in the folder of a watched program
ROWS, CHECKPOINTS, LOCK = "history/rows.jsonl", "checkpoints", ".lock"
# In a folder whose creation has not ended: what lies in it besides is only a part of a run.
DRAFT = ".draft"
SEARCH, OUTCOME = "search.toml", "outcome.json"  # in the folder of a search


def is_present(path: Path) -> bool:
    """Whether there is a file at `path`. A path that cannot be looked at is not taken for an absent
    one.

    Raises:
        FileAccessError: it cannot be told, such as without permission to the folder.
    """
    with file_errors(path):
        try:
            return stat.S_ISREG(path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run, of a watched program, or of a search."""
    return is_present(folder / RECIPE) or is_present(folder / PROGRAM)


def is_draft(folder: Path) -> bool:
    """Whether the creation of a folder has not ended, so that it is no run yet."""
    return is_present(folder / DRAFT) and not is_run(folder)


def is_search(folder: Path) -> bool:
    """Whether a folder holds a search rather than one run."""
    return is_present(folder / SEARCH)


def new_folder(home: Path, name: str) -> Path:
    """Create a folder below `home` with an unused name: `name`, then `name-2`, `name-3` ..."""
    make_folder(home)
    count = 1
    path = home / name
    while not make_new_folder(path):
        count += 1
        path = home / f"{name}-{count}"
    return path


def strict_json(value: Any) -> Any:
    """The value with each non-finite number replaced by the text "nan", "inf" or "-inf", and each
    half of a surrogate pair in texts, such as a byte of a file name that is no UTF-8, by an escape.

    JSON has no such numbers; `float` reads the texts back. A reader of UTF-8 refuses such halves.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {strict_json(str(key)): strict_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [strict_json(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
