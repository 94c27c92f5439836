"""Plain values of parts: what TOML writes of them is what TOML reads."""

from __future__ import annotations

import tomllib

import pytest
import torch

import netwise as nw
from netwise.recipe.plain import plain_of, toml_of

RECIPE = nw.Recipe(
    data=nw.data.Fold(data=nw.data.digits(), number=2),
    network=nw.MLP((64, 30, 10), activation=nw.LeakyReLU()),
    preprocess=(nw.Standardise(), nw.Scale(0.5)),
    init=nw.From(recipe=nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)))),
)


def test_toml_comes_back_as_the_plain_values() -> None:
    def lists(value: object) -> object:  # TOML has lists, fields have tuples
        if isinstance(value, dict):
            return {key: lists(item) for key, item in value.items()}
        return [lists(item) for item in value] if isinstance(value, list | tuple) else value

    assert tomllib.loads(toml_of(RECIPE)) == lists(plain_of(RECIPE))


def test_parts_have_their_kind_and_recipes_have_none() -> None:
    plain = plain_of(RECIPE)
    assert "kind" not in plain
    assert "kind" not in plain["init"]["recipe"]
    assert plain["data"]["kind"] == "fold"
    assert plain["data"]["data"]["kind"] == "digits"
    assert plain["network"]["activation"] == {"kind": "LeakyReLU", "slope": 0.01}
    assert [step["kind"] for step in plain["preprocess"]] == ["Standardise", "Scale"]


def test_none_and_empty_rows_are_left_out() -> None:
    plain = plain_of(RECIPE)
    assert "penalty" not in plain
    assert "augment" not in plain


def test_arrays_are_named_by_their_digest() -> None:
    data = nw.data.arrays(torch.rand(10, 3), [0, 1] * 5, valid=0.5)
    plain = plain_of(data)
    assert plain["digest"] == data.digest
    assert plain["valid"] == 0.5
    assert not {"X", "y", "classes", "weights"} & set(plain)


def test_every_field_is_written_so_that_a_new_default_changes_no_stored_recipe() -> None:
    text = toml_of(nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 10))))
    for line in ("batch_size = 64", "epochs = 20", "seed = 0", "[optimizer]", "beta1 = 0.9"):
        assert line in text


@pytest.mark.parametrize("kind", ["digits", "csv", "fold", "images"])
def test_data_are_named_as_users_call_them(kind: str) -> None:
    assert nw.data.DATA[kind].kind == kind
