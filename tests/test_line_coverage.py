"""The check of line coverage names files below the limit, and reasons that are stale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import line_coverage
from tools.line_coverage import line_counts, main, percent, unexplained


def report(folder: Path, files: dict[str, tuple[int, int]]) -> Path:
    """A report as coverage.py writes it, reduced to what is read."""
    path = folder / "coverage.json"
    summaries = {
        name: {"summary": {"covered_lines": covered, "num_statements": lines}}
        for name, (covered, lines) in files.items()
    }
    path.write_text(json.dumps({"files": summaries}))
    return path


def test_a_file_below_the_limit_is_named(tmp_path: Path) -> None:
    path = report(
        tmp_path,
        {"src/netwise/a.py": (79, 100), "src/netwise/b.py": (8, 10), "/tmp/copy/c.py": (0, 9)},
    )
    covered = {name: percent(*count) for name, count in line_counts(path).items()}
    assert [line.split(":")[0] for line in unexplained(covered, {})] == ["src/netwise/a.py"]


def test_a_reason_excuses_a_file_and_must_be_needed() -> None:
    assert unexplained({"a.py": 10.0}, {"a.py": "needs a GPU"}) == []
    assert unexplained({"a.py": 83.0}, {"a.py": "needs a GPU"}) == []
    assert "remove its reason" in unexplained({"a.py": 91.0}, {"a.py": "needs a GPU"})[0]


def test_the_exit_code_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_coverage, "BELOW_LIMIT", {})
    good = {"src/netwise/a.py": (90, 100), "src/netwise/b.py": (100, 100)}
    assert main([str(report(tmp_path, good))]) == 0
    assert "95.0 %  of all lines, 2 files" in capsys.readouterr().out
    assert main([str(report(tmp_path, {"src/netwise/a.py": (1, 20)}))]) == 1
    assert main([]) == 2


def test_a_run_without_coverage_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run NETWISE_COVERAGE="):
        line_counts(report(tmp_path, {"/tmp/copy/c.py": (0, 9)}))
