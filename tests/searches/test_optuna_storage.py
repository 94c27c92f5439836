"""The journal of a study after a kill, and its lock."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from hypothesis import given, strategies as st

from netwise.searches.optuna_storage import JournalLock, open_storage, remove_partial_line
from netwise.storage.locks import is_locked


@pytest.mark.parametrize("text", ["", "a\n", "a\nb\n", "a\nb", "b", "a\n\nb"])
def test_what_follows_the_last_line_end_is_removed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal.log"
    path.write_text(text)
    remove_partial_line(path)
    assert path.read_text() == text[: text.rfind("\n") + 1]


@given(st.binary(max_size=200))
def test_whole_lines_stay_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.log"
    path.write_bytes(text)
    remove_partial_line(path)
    assert path.read_bytes() == text[: text.rfind(b"\n") + 1]


def test_a_study_is_read_after_a_write_was_cut_off(tmp_path: Path) -> None:
    storage = open_storage(tmp_path, None)
    study = optuna.create_study(storage=storage, study_name="s")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    journal = tmp_path / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')  # a worker was killed here
    again = optuna.load_study(storage=open_storage(tmp_path, None), study_name="s")
    again.add_trial(optuna.trial.create_trial(value=2.0))
    read = optuna.load_study(storage=open_storage(tmp_path, None), study_name="s")
    assert [trial.value for trial in read.trials] == [1.0, 2.0]


def test_the_lock_is_held_between_acquire_and_release(tmp_path: Path) -> None:
    journal = tmp_path / "journal.log"
    journal.write_text("")
    lock = JournalLock(journal)
    assert lock.acquire()
    assert is_locked(tmp_path / "journal.log.lock")
    lock.release()
    assert not is_locked(tmp_path / "journal.log.lock")
