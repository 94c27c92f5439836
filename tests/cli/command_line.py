"""Runs commands in this process, in the current folder."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from netwise.cli import main


def run(*words: str) -> Result:
    """The result of `netwise WORDS`; an error that is not an exit is raised."""
    result = CliRunner().invoke(main, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_folder() -> Path:
    """The one folder in `runs`."""
    (folder,) = (path for path in Path("runs").iterdir() if path.is_dir())
    return folder


def train(*words: str) -> Path:
    """The folder of a short run on iris."""
    result = run("train", "iris", "--epochs", "3", "--no-baselines", *words)
    assert result.exit_code == 0, result.output
    return run_folder()
