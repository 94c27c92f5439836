"""A run predicts from raw inputs, also after it was loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise.training.run import build_module, require_no_foreign_code

PREPARED_DIGITS = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 24, 10), batch_norm=True, dropout=0.3),
    preprocess=(nw.Standardise(),),
    optimizer=nw.AdamW(lr=0.005),
    batch_size=50,
    epochs=3,
)


def test_a_regression_is_scored_and_predicts_in_its_own_units() -> None:
    run = nw.fit(nw.suggest(nw.data.diabetes(), epochs=30))
    raw = nw.data.diabetes(scale_target=False).load()
    assert run.score is not None
    assert run.score.name == "r2"
    assert run.score.low < run.score.value < run.score.high
    answer = run.predict(raw.test.x.numpy())
    y = raw.test.y[:, 0].numpy()
    assert 1 - ((answer - y) ** 2).sum() / ((y - y.mean()) ** 2).sum() == pytest.approx(
        run.score.value, abs=1e-3
    )
    with pytest.raises(TypeError, match="use predict"):
        run.predict_proba(raw.test.x.numpy())


def test_a_loaded_run_predicts_from_raw_inputs_as_before(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    run = nw.fit(PREPARED_DIGITS, folder=tmp_path / "run")
    loaded = nw.load(tmp_path / "run")
    raw = load_digits().data[:50]
    np.testing.assert_array_equal(run.predict(raw), loaded.predict(raw))
    np.testing.assert_array_equal(run.predict_proba(raw), loaded.predict_proba(raw))
    np.testing.assert_allclose(loaded.predict_proba(raw).sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(loaded.predict(raw[3]), loaded.predict(raw[3:4]))
    np.testing.assert_array_equal(loaded.predict(raw.reshape(-1, 8, 8)), loaded.predict(raw))
    assert loaded.predict(raw[:0]).shape == (0,)
    assert loaded.score == run.score
    assert loaded.history == run.history
    for wrong, text in (
        (raw[:, :5], r"the network takes \(samples, 1, 8, 8\)"),
        ([["a"] * 64], "no array of numbers"),
        (raw * np.nan, "are not finite numbers"),
    ):
        with pytest.raises(nw.DataError, match=text):
            loaded.predict(wrong)


class Net(nn.Module):
    """A network of the user's own, with functional activations and a draw of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(64, 20), nn.Linear(20, 10)

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.b(F.dropout(F.relu(self.a(x.flatten(1))), 0.2, self.training))


def test_a_network_of_ones_own_trains_and_loads_when_handed_over(tmp_path: Path) -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(), network=nw.CustomNetwork(Net), optimizer=nw.Adam(lr=0.01), epochs=8
    )
    run = nw.fit(recipe, folder=tmp_path / "run")
    assert run.score is not None
    assert run.score.value > 0.8
    assert [layer.activation for layer in run.history.layers] == [
        "ReLU",
        "Identity",
    ]  # recognised by its zeros, although dropout lies between
    with pytest.raises(nw.RunFolderError, match="loading imports no code: pass it"):
        nw.load(tmp_path / "run")
    assert nw.load(tmp_path / "run", nw.CustomNetwork(Net)).score == run.score
    with pytest.raises(nw.RunFolderError, match="its network is"):
        nw.load(tmp_path / "run", nw.CustomNetwork("torch.nn:Flatten"))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    tensors = nw.MLP((64, 5, 10)).build().state_dict()
    with pytest.raises(nw.RunFolderError, match="not those of the network in its recipe"):
        build_module(PREPARED_DIGITS, dict(tensors), tmp_path)


def test_a_recipe_whose_first_weights_need_code_is_not_trained_from_a_folder(
    tmp_path: Path,
) -> None:
    origin = PREPARED_DIGITS.but(network=nw.CustomNetwork("torch.nn:Flatten"))
    recipe = PREPARED_DIGITS.but(init=nw.From(recipe=origin))
    with pytest.raises(nw.RunFolderError, match="torch.nn:Flatten.*Train that recipe first"):
        require_no_foreign_code(recipe, tmp_path)


def test_codes_are_of_networks_with_a_code(small: nw.Recipe) -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.iris(),
            network=nw.Autoencoder((4, 2)),
            loss=nw.MeanSquaredError(),
            epochs=1,
        )
    )
    assert run.codes([[5.1, 3.5, 1.4, 0.2]]).shape == (1, 2)
    assert run.predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1, 4)
    with pytest.raises(TypeError, match="MLP has no code.*Use outputs"):
        nw.fit(small.but(epochs=1)).codes([[5.1, 3.5, 1.4, 0.2]])


def test_a_printed_run_is_one_line(small: nw.Recipe) -> None:
    run = nw.fit(small.but(epochs=1))
    kind = type(run.recipe.network).__name__
    assert str(run) == f"{kind}: All 1 epochs done. Test part: {run.score}."
    assert str(nw.fit(small.but(epochs=1), test=False)).endswith("No score.")
