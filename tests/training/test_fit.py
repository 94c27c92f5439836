"""`fit` computes what an independent loop computes, repeatably, and leaves the process as it
was."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise import random_streams, signals


def by_hand(recipe: nw.Recipe) -> tuple[nn.Module, list[float]]:
    """A plain loop that a reader can check: (trained module, loss of every batch)."""
    samples = recipe.data.load()
    with random_streams.global_seed(recipe.seed, random_streams.INIT):
        module = recipe.network.build()
    optimizer = torch.optim.SGD(module.parameters(), lr=recipe.optimizer.lr, momentum=0.9)
    losses = []
    for epoch in range(recipe.epochs):
        order = torch.randperm(
            len(samples.train),
            generator=random_streams.generator(recipe.seed, random_streams.ORDER, epoch),
        )
        for start in range(0, len(order), recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            loss = F.cross_entropy(module(samples.train.x[rows]), samples.train.y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return module, losses


def test_fit_computes_what_a_plain_loop_computes(small: nw.Recipe) -> None:
    run = nw.fit(small, watch_every=1)
    module, losses = by_hand(small)
    heard = run.history.of(signals.LOSS)
    assert heard is not None
    assert heard.values == pytest.approx(losses, abs=1e-6)
    for ours, theirs in zip(run.module.parameters(), module.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


EVERYTHING = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 24, 10), batch_norm=True, dropout=0.3),
    preprocess=(nw.Standardise(),),
    augment=(nw.Noise(std=0.05), nw.Shift()),
    init=nw.He(),
    loss=nw.CrossEntropy(label_smoothing=0.1),
    penalty=nw.L2(strength=1e-3),
    optimizer=nw.AdamW(lr=0.005),
    schedule=nw.Cosine(),
    clip=nw.Clip(0.5),
    batch_size=50,
    epochs=4,
    stopping=nw.Patience(2),
)


def equal(one: nw.Run, other: nw.Run) -> None:
    assert one.history.series.keys() == other.history.series.keys()
    for key, series in one.history.series.items():
        assert series == other.history.series[key], key
    for (name, a), b in zip(
        one.module.state_dict().items(), other.module.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name
    assert one.score == other.score


def test_equal_recipes_give_equal_numbers_to_the_last_bit() -> None:
    equal(nw.fit(EVERYTHING), nw.fit(EVERYTHING))


def test_another_seed_gives_other_numbers(small: nw.Recipe) -> None:
    one, other = nw.fit(small), nw.fit(small.but(seed=1))
    assert one.history.of("train.loss") != other.history.of("train.loss")


def test_watching_and_saving_change_no_number(tmp_path: Path) -> None:
    plain = nw.fit(EVERYTHING, watch_every=0)
    for run in (
        nw.fit(EVERYTHING, watch_every=1),
        nw.fit(EVERYTHING, watch_every=7, folder=tmp_path / "r", checkpoint_every=5),
    ):
        assert run.score == plain.score
        assert run.history.of("train.loss") == plain.history.of("train.loss")
        assert all(
            torch.equal(a, b)
            for a, b in zip(
                run.module.state_dict().values(), plain.module.state_dict().values(), strict=True
            )
        )


def test_fit_leaves_the_process_as_it_was(small: nw.Recipe) -> None:
    import signal

    state = (
        torch.get_rng_state(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_num_threads(),
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM),
    )  # type: ignore[index]
    nw.fit(small, threads=2 if torch.get_num_threads() == 1 else 1)
    after = (
        torch.get_rng_state(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_num_threads(),
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM),
    )  # type: ignore[index]
    assert torch.equal(state[0], after[0])
    assert state[1:] == after[1:]


def test_the_users_generator_does_not_matter(small: nw.Recipe) -> None:
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        runs.append(nw.fit(EVERYTHING.but(epochs=1)))
    equal(*runs)


def test_the_test_part_is_touched_by_nothing_but_the_score() -> None:
    """Runs on data whose test targets were all changed are equal but for the score."""
    samples = nw.data.digits().load()

    class Changed(type(nw.data.digits())):  # type: ignore[misc]
        def read(self):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            from netwise.data import Pairs

            return replace(samples, test=Pairs(samples.test.x.flip(0) * 3, samples.test.y.flip(0)))

    recipe = EVERYTHING.but(epochs=2)
    one, other = nw.fit(recipe), nw.fit(recipe.but(data=Changed()))
    assert one.history.series == other.history.series
    assert one.score != other.score


def test_early_stopping_keeps_the_best_weights() -> None:
    recipe = nw.Recipe(
        data=nw.data.digits(valid=0.45, test=0.5),
        network=nw.MLP((64, 128, 10)),
        optimizer=nw.Adam(lr=0.01),
        batch_size=16,
        epochs=100,
        stopping=nw.Patience(3),
    )
    run = nw.fit(recipe)
    assert run.history.ended.how == "stopped early"
    losses = run.history.of(signals.VALID_LOSS)
    assert losses is not None
    assert len(losses) < 100
    best = min(losses.values)
    assert losses.values.index(best) == len(losses) - 4
    samples = recipe.data.load()
    with torch.no_grad():
        assert float(
            F.cross_entropy(run.module(samples.valid.x), samples.valid.y)
        ) == pytest.approx(best, rel=1e-5)
    assert run.history.ended.sentence.startswith(
        f"Stopped after epoch {len(losses)} of 100: validation loss found no new best in 3 epochs"
    )


def test_a_schedule_sets_the_rate_of_each_epoch() -> None:
    rates = nw.fit(EVERYTHING.but(stopping=nw.Never())).history.of(signals.RATE)
    assert rates is not None
    assert rates.values == pytest.approx(
        [0.005 * (1 + np.cos(np.pi * e / 4)) / 2 for e in range(4)]
    )


def test_clipping_limits_the_step() -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 3)),
        optimizer=nw.SGD(lr=1.0),
        clip=nw.Clip(1e-3),
        epochs=1,
        batch_size=10,
    )
    history = nw.fit(recipe, watch_every=1).history
    moved, norm = (
        history.of(signals.UPDATE_RATIO, "layer1"),
        history.of(signals.WEIGHT_NORM, "layer1"),
    )
    assert moved is not None
    assert norm is not None
    assert max(m * n for m, n in zip(moved.values, norm.values, strict=True)) <= 1.001e-3


def test_the_penalty_is_heard_and_kept_out_of_the_training_loss() -> None:
    history = nw.fit(EVERYTHING.but(penalty=nw.L2(strength=0.1), epochs=1), watch_every=1).history
    loss, price, plain = (
        history.of(signals.LOSS),
        history.of(signals.PENALTY),
        history.of(signals.TRAIN_LOSS),
    )
    assert loss is not None
    assert price is not None
    assert plain is not None
    assert plain.last == pytest.approx(
        np.mean(np.array(loss.values) - np.array(price.values)), rel=0.05
    )


def test_a_last_batch_of_one_joins_the_one_before() -> None:
    data = nw.data.arrays(
        np.random.default_rng(0).normal(size=(21, 3)), [0, 1, 1] * 7, valid=0, test=0
    )
    recipe = nw.Recipe(
        data=data, network=nw.MLP((3, 4, 2), batch_norm=True), batch_size=5, epochs=2
    )
    run = nw.fit(recipe)
    assert run.history.ended.step == 8
    assert run.score is None


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

    run = nw.fit(EVERYTHING, folder=tmp_path / "run")
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
    ]  # told by its zeros, though dropout lies between
    with pytest.raises(nw.RunFolderError, match="loading imports no code: pass it"):
        nw.load(tmp_path / "run")
    assert nw.load(tmp_path / "run", nw.CustomNetwork(Net)).score == run.score
    with pytest.raises(nw.RunFolderError, match="its network is"):
        nw.load(tmp_path / "run", nw.CustomNetwork("torch.nn:Flatten"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"threads": 0}, "threads = 0  must be at least 1"),
        ({"watch_every": -1}, "watch_every = -1  must be at least 0"),
        ({"device": "gpu"}, 'device = gpu  is no device of torch. Write "cpu".'),
        ({"checkpoint_every": -2}, "checkpoint_every = -2"),
    ],
)
def test_wrong_arguments_are_told(
    small: nw.Recipe, arguments: dict[str, object], text: str
) -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.fit(small, **arguments)  # type: ignore[arg-type]
    assert text in str(caught.value)


def test_a_network_without_weights_is_told() -> None:
    recipe = nw.Recipe(
        data=nw.data.arrays(np.zeros((20, 2)), [0, 1] * 10),
        network=nw.CustomNetwork("torch.nn:Flatten"),
    )
    with pytest.raises(nw.WrongValue, match="has no weights that can be trained"):
        nw.fit(recipe)
