"""Suggestions: recipes that pass all checks, for every shape of data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netwise as nw


def test_a_suggestion_stops_by_itself_unless_epochs_are_given() -> None:
    assert nw.suggest(nw.data.iris()).stopping == nw.Patience(10)
    assert nw.suggest(nw.data.iris(), epochs=7).epochs == 7
    assert nw.suggest(nw.data.iris(), epochs=7).stopping == nw.Never()
    assert nw.suggest(nw.data.iris(valid=0.0)).stopping == nw.Never()


def test_a_suggestion_runs_for_every_bundled_set() -> None:
    for data in (
        nw.data.digits(),
        nw.data.iris(),
        nw.data.wine(),
        nw.data.breast_cancer(),
        nw.data.diabetes(),
    ):
        assert nw.check(nw.suggest(data)) == []
    assert nw.check(nw.suggest(nw.data.digits(), "lenet5")) == []


@pytest.mark.parametrize("network", ["mlp", "lenet5", "convnet", "resnet", "lstm"])
@pytest.mark.parametrize("side", [8, 28, 40])
def test_every_network_fits_images_of_every_size(network: str, side: int) -> None:
    x = np.random.default_rng(0).random((30, 3, side, side), dtype=np.float32)
    recipe = nw.suggest(nw.data.arrays(x, np.arange(30) % 3), network)
    assert nw.check(recipe) == []


def test_a_text_is_predicted_character_by_character(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("la la lo " * 40)
    recipe = nw.suggest(nw.data.text(tmp_path / "t.txt", length=9))
    assert isinstance(recipe.network, nw.LSTM)
    assert (recipe.network.symbols, recipe.network.answers) == (4, "each")
    assert nw.check(recipe) == []


def test_inputs_out_of_range_are_standardised() -> None:
    x = np.random.default_rng(0).normal(size=(60, 4))
    y = np.arange(60) % 2
    assert nw.suggest(nw.data.arrays(x, y)).preprocess == ()
    assert nw.suggest(nw.data.arrays(100 * x, y)).preprocess == (nw.Standardise(),)


def test_the_loss_follows_the_task() -> None:
    assert nw.suggest(nw.data.iris()).loss == nw.CrossEntropy()
    assert nw.suggest(nw.data.diabetes()).loss == nw.MeanSquaredError()


def test_another_network_is_refused_with_those_there_are() -> None:
    with pytest.raises(nw.UnknownName, match="unknown network 'convnett'. Did you mean `convnet`"):
        nw.suggest(nw.data.digits(), "convnett")


def test_a_table_of_a_file_is_learned_by_an_ensemble_with_embedded_numbers(tmp_path: Path) -> None:
    rows = "\n".join(f"{i * 0.37:.2f},{'red' if i % 3 else 'blue'},{i % 2}" for i in range(60))
    (tmp_path / "t.csv").write_text(f"size,colour,kind\n{rows}\n")
    recipe = nw.suggest(nw.data.csv(tmp_path / "t.csv", "kind"))
    assert nw.check(recipe) == []
    assert isinstance(recipe.network, nw.MLP)
    assert (recipe.network.members, recipe.network.periodic) == (8, (0,))
    assert recipe.stopping == nw.Patience(recipe.epochs)
    assert nw.suggest(nw.data.csv(tmp_path / "t.csv", "kind"), "mlp").network.members == 1
