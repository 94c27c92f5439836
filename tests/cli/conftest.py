"""Every test of the command line runs in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def empty_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are written with an empty page: drawing it takes most of the time of `netwise train` on
    few rows. `test_train_scores.py` looks at pages."""
    monkeypatch.setattr("netwise.report.report_file.run_page", lambda *_: "")
