"""A terminal gets no control characters from the names in files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

import netwise as nw
from netwise.cli import main
from netwise.cli.display import runs_table
from netwise.cli.output import echo_table
from netwise.cli.terminal import echo, echo_data
from netwise.training.progress import RunProgress
from tools.source import PACKAGE

HOSTILE = "\x1b]0;title\x07 \x9b31m \x1b[2J \u202egnp \r over \x00"


# Lines of numbers on stderr; rows of a CSV file.
EXCEPT = {"display.py": {"print("}, "predict.py": {".write("}}


def obeyed(text: str) -> set[str]:
    """The characters that a terminal would act upon."""
    return {c for c in text if (not c.isprintable() and c not in "\n\t") and ord(c) < 0x20AC}


def test_a_table_keeps_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    echo_table([("run", "data"), ("a\nb", HOSTILE)])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_data_for_a_program_stay_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    echo_data(HOSTILE)
    assert capsys.readouterr().out == HOSTILE
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    echo_data(HOSTILE)
    echo(HOSTILE)
    assert not obeyed(capsys.readouterr().out)


def test_names_of_runs_are_no_markup_and_no_escapes() -> None:
    out = io.StringIO()
    runs = [RunProgress(f"[red]{HOSTILE}[/]", 1, 2, 0.5, f"[/]{HOSTILE}")]
    Console(file=out, width=200).print(runs_table(f"[bold]{HOSTILE}", runs))
    text = out.getvalue()
    assert "[red]" in text
    assert "[/]" in text
    assert "[bold]" in text
    assert not obeyed(text)


def test_names_of_columns_are_escaped_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({f"x{HOSTILE}": [1, 3], "y": [2, 4]}).write_parquet(path)
    for words in (["train", str(path)], ["train", str(path), "--target", "absent"]):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2
        assert "title" in result.output
        assert not obeyed(result.output)


def test_the_sentences_of_a_run_are_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    nw.fit(nw.suggest(nw.data.iris(), epochs=1), folder=folder)
    about = folder / "about.json"
    about.write_text(about.read_text().replace("epochs done", "\\u001b[2J\\u009b31m"))
    for words in (["show", "a"], ["diagnose", "a"], ["runs"]):
        result = CliRunner().invoke(main, [*words, "--runs", str(tmp_path / "runs")])
        assert not obeyed(result.output)


def test_all_output_of_commands_goes_through_one_place() -> None:
    for path in (PACKAGE / "cli").rglob("*.py"):
        if path.name != "terminal.py":
            written = re.findall(r"click\.echo\(|(?<![.\w])print\(|\.write\(", path.read_text())
            assert set(written) <= EXCEPT.get(path.name, set()), path
