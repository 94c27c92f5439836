"""Signals of an epoch, and the rules that see it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import netwise as nw
from netwise import signals

REGULARISED = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 24, 10)),
    penalty=nw.L2(strength=0.1),
    optimizer=nw.AdamW(lr=0.005),
    batch_size=50,
    epochs=1,
)


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


def test_the_training_loss_is_without_the_penalty() -> None:
    history = nw.fit(REGULARISED, watch_every=1).history
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


def test_the_training_loss_of_an_epoch_is_the_mean_over_samples() -> None:
    recipe = REGULARISED.but(penalty=None, batch_size=400)  # batches of 400, 400 and 278
    history = nw.fit(recipe, watch_every=1).history
    losses, train_loss = history.of(signals.LOSS), history.of(signals.TRAIN_LOSS)
    assert losses is not None
    assert train_loss is not None
    assert train_loss.last == pytest.approx(np.average(losses.values, weights=[400, 400, 278]))


def test_training_accuracy_counts_the_answers_before_each_step() -> None:
    recipe = REGULARISED.but(batch_size=2000, penalty=None)  # one step: the first weights
    history = nw.fit(recipe).history
    accuracy = history.of(signals.TRAIN_ACCURACY)
    assert accuracy is not None
    assert accuracy.last < 0.3  # of ten classes


def test_layers_of_a_stack_train_in_equal_shares_of_the_epochs() -> None:
    network = nw.DBN((64, 20, 10))
    run = nw.fit(nw.Recipe(data=nw.data.digits(), network=network, loss=nw.CD(), epochs=5))
    stages = run.history.of(signals.STAGE)
    assert stages is not None
    assert list(stages.values) == [1, 1, 1, 2, 2]


def test_a_schedule_may_end_a_run() -> None:
    recipe = REGULARISED.but(schedule=nw.HalveUntil(until=0.5), epochs=60)
    run = nw.fit(recipe)
    assert run.history.ended.how == "stopped early"
    assert run.history.ended.sentence.startswith("Stopped after epoch")
