"""Recipes are written whole or not at all, and read back equal."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch

import netwise as nw

RECIPE = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 10)))
ARRAYS = RECIPE.but(data=nw.data.arrays(torch.rand(20, 3), [0, 1] * 10), network=nw.MLP((3, 2)))


def test_a_recipe_is_one_file_and_arrays_lie_beside_it(tmp_path: Path) -> None:
    nw.write_recipe(RECIPE, tmp_path / "recipe.toml")
    assert os.listdir(tmp_path) == ["recipe.toml"]
    nw.write_recipe(ARRAYS, tmp_path / "recipe.toml")
    assert sorted(os.listdir(tmp_path)) == ["data.safetensors", "recipe.toml"]
    assert nw.read_recipe(tmp_path / "recipe.toml") == ARRAYS


def test_arrays_below_views_are_written_too(tmp_path: Path) -> None:
    recipe = ARRAYS.but(data=nw.data.Fewer(data=nw.data.Fold(data=ARRAYS.data), rows=6))
    nw.write_recipe(recipe, tmp_path / "recipe.toml")
    again = nw.read_recipe(tmp_path / "recipe.toml")
    assert again == recipe
    assert torch.equal(again.data.load().train.x, recipe.data.load().train.x)


def test_the_hash_is_that_of_the_text_with_the_words_of_the_first_version() -> None:
    recipe = RECIPE.but(network=nw.CustomNetwork("models:build"))
    text = nw.recipe_text(recipe)
    for now, first in (("CustomNetwork", "Own"), ("ModuleDefault", "ByNetwork")):
        assert f'kind = "{now}"' in text
        text = text.replace(f'kind = "{now}"', f'kind = "{first}"')
    assert recipe.hash == hashlib.sha256(text.encode()).hexdigest()[:12]


def test_weights_from_a_recipe_with_arrays_need_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    view = ARRAYS.but(data=nw.data.Fold(data=ARRAYS.data))
    for first in (ARRAYS, view):
        with pytest.raises(nw.WrongValue, match=r"into a folder and use init=From\(folder\)"):
            nw.write_recipe(RECIPE.but(init=nw.From(recipe=first)), path)
    assert not path.exists()
