"""What an object prints holds no character that a terminal obeys, whoever chose its names."""

from __future__ import annotations

import ast
import re

import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

import netwise as nw
from netwise.errors import DataError, DataMissing, FileAccessError, Problem
from netwise.printed_text import one_line, printable
from tools.source import PACKAGE

HOSTILE = "\x1b]0;title\x07 \x9b31m \x1b[2J \u202egnp \r over \x00"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
NO_NAMES = {"score.py"}  # names of metrics, and numbers


@given(st.text())
def test_what_is_printed_can_be_encoded_and_has_no_control_character(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert not OBEYED.search(shown)
    assert printable(shown) == shown
    assert len(one_line(text).split("\n")) == 1


def test_other_texts_stay_as_they_are() -> None:
    text = "größer 数字 🧨 e\u0301 R² ‰\n\ttabs"
    assert printable(text) == text
    assert printable(HOSTILE).startswith("\\x1b]0;title\\x07 \\x9b31m")


@pytest.mark.parametrize(
    "error",
    [
        DataError(f"column {HOSTILE}"),
        DataMissing(HOSTILE),
        FileAccessError(HOSTILE, 2, HOSTILE),
        nw.WrongValue("SGD", [Problem("lr", HOSTILE, HOSTILE)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_prints_no_control_character(error: nw.NetwiseError) -> None:
    assert not OBEYED.search(str(error))
    assert "\\x1b]0;title" in str(error)
    assert any(HOSTILE in str(arg) for arg in error.args) or HOSTILE in vars(error).values()


def test_a_report_of_layers_with_such_names_prints_none() -> None:
    module = nn.Sequential()
    module.add_module(f"a{HOSTILE.replace('.', '')}", nn.Linear(3, 4))
    module.add_module("out", nn.Linear(4, 2))
    other = nn.Linear(3, 2)
    report = nw.preflight(
        module,
        loss=nn.CrossEntropyLoss(),
        optimizer=torch.optim.SGD(other.parameters(), lr=0.1),
        batch=(torch.randn(8, 3), torch.randint(2, (8,))),
    )
    assert report.found
    for text in (str(report), report.details):
        assert "\\x1b]0;title" in text
        assert not OBEYED.search(text)


def test_each_text_of_an_object_is_printable() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        if "def __str__" not in text or path.name in NO_NAMES:
            continue
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef) and function.name == "__str__":
                for part in ast.walk(function):
                    if isinstance(part, ast.Return):
                        assert ast.unparse(part.value).startswith("printable("), path  # type: ignore[arg-type]
