"""Errors say what is wrong, the given value, why, and what to write."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

import netwise as nw
from netwise.errors import close_matches, short_repr


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
    text = short_repr(value)
    assert len(text) <= 60
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "close"), [("optimiser", "`optimizer`"), ("OPTIMIZER", "`optimizer`"), ("xyz", "")]
)
def test_near_names(name: str, close: str) -> None:
    assert close_matches(name, ["optimizer", "epochs"]) == close


def test_unknown_names_without_a_near_one_list_all() -> None:
    with pytest.raises(nw.UnknownName) as caught:
        nw.suggest(nw.data.iris(), "transformer")
    assert (
        str(caught.value)
        == "unknown network 'transformer'. There are: mlp, ensemble, lenet5, convnet, resnet, lstm."
    )


def test_an_error_with_one_problem() -> None:
    error = nw.WrongValue.of("search", "trials", 0, "must be at least 1", "20")
    assert str(error) == str(
        nw.WrongValue("search", [nw.Problem("trials", "0", "must be at least 1", "20")])
    )
    # A text is taken as it is shown; None and the like by their repr.
    assert nw.WrongValue.of("a", "b", "digits", "c").problems[0].given == "digits"
    assert nw.WrongValue.of("a", "b", None, "c").problems[0].given == "None"
    assert type(nw.RecipeFileError.of("recipe.toml", "batch_size")) is nw.RecipeFileError
