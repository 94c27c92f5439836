"""The check of line coverage names files below the limit, and reasons that are stale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.line_coverage import main, percentages, unexplained


def report(folder: Path, files: dict[str, float]) -> Path:
    """A report as coverage.py writes it, reduced to what is read."""
    path = folder / "coverage.json"
    path.write_text(
        json.dumps(
            {
                "files": {
                    name: {"summary": {"percent_covered": percent}}
                    for name, percent in files.items()
                },
                "totals": {"percent_covered": 91.0},
            }
        )
    )
    return path


def test_a_file_below_the_limit_is_named(tmp_path: Path) -> None:
    covered = percentages(report(tmp_path, {"a.py": 79.9, "b.py": 80.0}))
    assert [line.split(":")[0] for line in unexplained(covered, {})] == ["a.py"]


def test_a_reason_excuses_a_file_and_must_be_needed() -> None:
    assert unexplained({"a.py": 10.0}, {"a.py": "needs a GPU"}) == []
    assert "remove its reason" in unexplained({"a.py": 90.0}, {"a.py": "needs a GPU"})[0]


def test_the_exit_code_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(report(tmp_path, {"a.py": 95.0}))]) == 0
    assert "91.0 %  of all lines, 1 files" in capsys.readouterr().out
    assert main([str(report(tmp_path, {"a.py": 5.0}))]) == 1
    assert main([]) == 2


def test_a_run_without_coverage_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run NETWISE_COVERAGE="):
        percentages(report(tmp_path, {}))
