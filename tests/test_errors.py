"""Errors say what is wrong, what was seen, why, and what to write."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.errors import near, shown


def test_the_tree() -> None:
    for error in (
        nw.WrongValue,
        nw.UnknownName,
        nw.ShapeError,
        nw.DataMissing,
        nw.DataError,
        nw.RunFolderError,
    ):
        assert issubclass(error, nw.NetwiseError)
    assert issubclass(nw.RecipeFileError, nw.WrongValue)
    assert issubclass(nw.WrongValue, ValueError)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.lists(st.text())))
def test_a_shown_value_is_one_short_line(value: object) -> None:
    text = shown(value)
    assert len(text) <= 60
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "close"), [("optimiser", "`optimizer`"), ("OPTIMIZER", "`optimizer`"), ("xyz", "")]
)
def test_near_names(name: str, close: str) -> None:
    assert near(name, ["optimizer", "epochs"]) == close


def test_unknown_names_without_a_near_one_list_all() -> None:
    with pytest.raises(nw.UnknownName) as caught:
        nw.suggest(nw.data.iris(), "transformer")
    assert (
        str(caught.value)
        == "unknown network 'transformer'. There are: mlp, lenet5, convnet, resnet, lstm."
    )
