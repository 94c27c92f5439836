"""The table of trained networks: made cell by cell as `fit` would, read as it was written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import netwise as nw
from netwise.labs.tuning import landscape
from netwise.labs.tuning.landscape import (
    accuracies,
    distribution_figure,
    landscape_arms,
    read_landscape,
)


def test_the_recorded_table_is_of_the_present_recipes_and_axes() -> None:
    table = landscape.landscape()
    assert table.recipe == landscape_arms()["landscape"].hash
    assert table.values.shape == (10, 4, 4, 3, landscape.EPOCHS)
    assert np.array_equal(table.final, table.values[..., -1])
    written = json.loads(landscape.TABLE.read_text("utf-8"))["axes"]
    assert written == {name: list(values) for name, values in landscape.AXES.items()}


def test_a_cell_is_the_recipe_of_its_indices() -> None:
    recipe = landscape.recipe_at(4, 1, 2, 1)
    assert isinstance(recipe.optimizer, nw.SGD)
    assert recipe.optimizer.lr == 0.03
    assert recipe.penalty == nw.L2(strength=1e-4)
    assert recipe.network == nw.MLP((784, 72, 10), dropout=0.25)


def test_a_table_holds_what_fit_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: nw.Recipe
) -> None:
    def recipe_at(rate: int, width: int) -> nw.Recipe:
        return small.but(
            optimizer=nw.SGD(lr=(0.01, 1e6)[rate]), network=nw.MLP((4, (3, 5)[width], 3))
        )

    monkeypatch.setattr(landscape, "AXES", {"rate": (0.01, 1e6), "width": (3, 5)})
    monkeypatch.setattr(landscape, "EPOCHS", small.epochs)
    monkeypatch.setattr(landscape, "recipe_at", lambda *cell: recipe_at(*(*cell, 0, 0)[:2]))
    table = read_landscape(landscape.make(jobs=1, path=tmp_path / "table.json"))
    assert table.values.shape == (2, 2, small.epochs)
    for width in (0, 1):
        run = nw.fit(recipe_at(0, width))
        assert run.score is not None
        assert table.values[0, width] == pytest.approx(accuracies(run), abs=1e-4)
        assert table.test[0, width] == pytest.approx(run.score.value, abs=1e-4)
    assert np.isfinite(table.values).all()
    assert table.values[1, 0, -1] < table.values[0, 0].max()  # a rate of a million learns nothing


def test_a_missing_table_is_an_error_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        read_landscape(tmp_path / "none.json")
    assert str(error.value) == (
        f"{tmp_path / 'none.json'} is missing: the table of trained networks was not computed. "
        "Run `python -m netwise.labs.tuning.landscape`; it takes about ten minutes."
    )


def test_a_picture_names_its_samples() -> None:
    picture = distribution_figure(
        (([0.1, 0.3], "#3b82c4", "one way"), (np.array([0.2]), "#d9822b", "another")),
        "best value",
        "Two ways",
        "Ways",
    )
    assert picture.startswith("<svg")
    assert 'aria-label="Ways"' in picture
    for text in ("one way", "another", "best value", "Two ways"):
        assert text in picture
