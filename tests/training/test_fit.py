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
    recorded = run.history.of(signals.LOSS)
    assert recorded is not None
    assert recorded.values == pytest.approx(losses, abs=1e-6)
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
