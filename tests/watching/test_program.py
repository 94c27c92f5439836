"""What is known of the running program."""

from __future__ import annotations

import hashlib
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import torch

from netwise.watching.program import NOTEBOOK, SESSION, program_facts


def become(monkeypatch: pytest.MonkeyPatch, *argv: str, **attributes: object) -> None:
    """Let this process look as if another program ran."""
    module = ModuleType("__main__")
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.setattr(sys, "argv", list(argv))


def test_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    become(monkeypatch, "train.py", "--lr", "0.1", __file__="train.py", __spec__=None)
    facts = program_facts("Net")
    assert facts["name"] == "train.py"
    assert facts["command"] == ["python", "train.py", "--lr", "0.1"]
    assert facts["script"] == str(tmp_path / "train.py")
    assert facts["sha256"] == hashlib.sha256(b"print(1)\n").hexdigest()
    assert facts["folder"] == str(tmp_path)
    assert facts["model"] == "Net"
    assert facts["versions"]["torch"] == torch.__version__


@pytest.mark.parametrize("name", ["package.train", "package.__main__"])
def test_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file = tmp_path / "train.py"
    become(monkeypatch, str(file), "-x", __file__=str(file), __spec__=ModuleSpec(name, loader=None))
    facts = program_facts()
    shown = name.removesuffix(".__main__")
    assert (facts["name"], facts["command"]) == (shown, ["python", "-m", shown, "-x"])
    assert facts["sha256"] == ""  # there is no such file


def test_a_session_and_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, "")
    facts = program_facts()
    assert (facts["name"], facts["command"], facts["script"]) == (SESSION, [], "")
    become(monkeypatch, "launcher", __file__="/lib/ipykernel_launcher.py")
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    facts = program_facts()
    assert (facts["name"], facts["command"], facts["script"]) == (NOTEBOOK, [], "")
