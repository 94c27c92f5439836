"""Facts of an error survive a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torch import nn

import netwise as nw
from netwise.history import history_as_dict
from netwise.program_error import ProgramError, program_error_as_dict
from netwise.storage.about_file import history_from_dict


def test_an_error_is_read_back_from_its_plain_values() -> None:
    error = ProgramError(
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
        layer="fc1",
        inputs=((2, 3), ()),
        tensors={"x": "2 x 3 float32"},
        cuts=("train.py:3: .detach()",),
    )
    history = nw.History.from_rows([]).but(error=error)
    plain = json.loads(json.dumps(history_as_dict(history)))
    assert plain["error"] == json.loads(json.dumps(program_error_as_dict(error)))
    assert history_from_dict(plain, []) == history
    assert "error" not in history_as_dict(nw.History.from_rows([]))


def test_the_error_of_a_watched_loop_is_in_its_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), nw.watch(folder=tmp_path / "run"):
        nn.Linear(4, 3)(nn.Linear(2, 2).weight)
    error = nw.load_history(tmp_path / "run").error
    assert error is not None
    assert error.inputs == ((2, 2),)
