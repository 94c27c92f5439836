"""Errors are told by their kind; those of no kind by their message, place and layer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from torch.nn import functional as F

import netwise as nw
from diagnosis.error_kinds.raising_programs import Case, X, Y, check
from netwise.diagnosis.error_kinds.kind import numbers_in, shape_text
from netwise.program_error import ProgramError


def test_an_error_of_no_kind_has_its_place() -> None:
    def program() -> str:
        return F.cross_entropy(X, Y).item() + ""  # type: ignore[operator]

    check(Case(program, ("TypeError", "test_kind.py"), ""))


def test_shapes_in_texts() -> None:
    assert shape_text(numbers_in("torch.Size([64, 1])")) == "64 x 1"


def test_the_error_of_a_script_is_explained(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nfrom torch import nn\n"
        "net = nn.Linear(4, 3)\noptimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for i in range(4):\n"
        "    x = torch.randn(6, 4 if i < 2 else 5)\n"
        "    loss = net(x).square().mean()\n"
        "    loss.backward()\n    optimizer.step()\n"
    )
    for words in (("check", "train.py"), ("watch", "train.py")):
        done = subprocess.run(
            [sys.executable, "-m", "netwise", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        assert done.returncode == 1
        assert "made for 4 numbers of a sample, and gets 5" in text
        assert "RuntimeError at train.py:7 in the forward pass after 2 steps" in text
        assert "Traceback (most recent call last)" in done.stderr
        assert "netwise/observe" not in done.stderr
    folder = next((tmp_path / "runs").iterdir())
    error = nw.load_history(folder).error
    assert error is not None
    assert error.tensors == {"x": "6 x 5 float32"}
    assert "made for 4 numbers" in str(nw.diagnose(nw.load_history(folder)))


def test_ctrl_c_and_the_end_of_a_program_are_no_errors() -> None:
    for error in (KeyboardInterrupt(), SystemExit(1)):
        with pytest.raises(BaseException), nw.watch() as watched:  # noqa: B017
            raise error
        assert watched.histories() == {}


@given(st.text(max_size=200))
def test_any_message_has_a_finding(message: str) -> None:
    error = ProgramError("RuntimeError", message)
    found = nw.diagnose(nw.History.from_rows([]).but(error=error)).found
    assert [each.rule for each in found] in (["step_fails"], ["graph_cut"])
