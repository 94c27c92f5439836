"""Networks that are trained together are those that `fit` trains one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import netwise as nw
from netwise.labs.stacked_training import TEST, TRAIN, VALID, train_stack, untrained_stack

PLAIN = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 20, 10), activation=nw.Sigmoid()),
    init=nw.LeCun(bias_std=1.0),
    loss=nw.BinaryCrossEntropy(),
    optimizer=nw.SGD(lr=0.5),
    batch_size=25,
    epochs=2,
)


SQUARES = nw.data.arrays(
    np.random.default_rng(0).random((60, 1, 4, 4)), np.arange(60) % 2, test=0.2
)
MLP = nw.MLP((64, 12, 8, 10))
RELU = PLAIN.but(network=MLP, loss=nw.CrossEntropy(), optimizer=nw.SGD(lr=0.05))


@pytest.mark.parametrize(
    "recipe",
    [
        PLAIN,
        PLAIN.but(penalty=nw.L2(strength=1e-2)),
        PLAIN.but(penalty=nw.L1(strength=1e-3)),
        RELU.but(penalty=nw.ElasticNet(l1=1e-3, l2=1e-2)),
        RELU.but(network=MLP.but(dropout=0.5)),
        PLAIN.but(
            network=nw.MLP((64, 20, 10), activation=nw.Tanh(), output=nw.Sigmoid()),
            loss=nw.Quadratic(),
        ),
        PLAIN.but(data=SQUARES, augment=(nw.ShiftCopies(),), network=nw.MLP((16, 5, 2))),
        PLAIN.but(schedule=nw.StepDecay(every=1), penalty=nw.L2(strength=1e-2)),
    ],
    ids=["plain", "L2", "L1", "elastic net", "dropout", "quadratic", "copies", "schedule"],
)
def test_each_network_is_that_of_fit(recipe: nw.Recipe) -> None:
    last = [recipe.epochs]
    trained = train_stack(recipe, (3, 4), {TEST: last, VALID: last, TRAIN: last})
    for place, seed in enumerate(trained.seeds):
        run = nw.fit(recipe.but(seed=seed), watch_every=0)
        layers = [layer for layer in run.module.modules() if isinstance(layer, nn.Linear)]
        for layer, weight, bias in zip(layers, trained.weights, trained.biases, strict=True):
            torch.testing.assert_close(layer.weight.detach(), weight[place], atol=1e-4, rtol=1e-3)
            torch.testing.assert_close(layer.bias.detach(), bias[place, 0], atol=1e-4, rtol=1e-3)
        assert run.score is not None
        assert run.score.value == pytest.approx(trained.curves[TEST].accuracy[-1, place], abs=0.01)
        loss = run.history.of("valid.loss")
        assert loss is not None
        assert loss.last == pytest.approx(trained.curves[VALID].loss[-1, place], rel=1e-3)


def test_a_schedule_ends_each_network_when_it_ends_its_run() -> None:
    recipe = PLAIN.but(
        schedule=nw.HalveUntil(until=0.3), optimizer=nw.SGD(lr=1.5), batch_size=10, epochs=40
    )
    trained = train_stack(recipe, (0, 1), {VALID: [1, 40]})
    for place, seed in enumerate(trained.seeds):
        losses = nw.fit(recipe.but(seed=seed), watch_every=0).history.of("valid.loss")
        assert losses is not None
        assert trained.epochs[place] == len(losses.values) < 40
        assert trained.curves[VALID].loss[-1, place] == pytest.approx(losses.last, rel=1e-3)


def test_outputs_are_probabilities_of_the_trained_networks() -> None:
    samples = PLAIN.data.load()
    trained = train_stack(PLAIN, (0, 1), {TEST: [1, 2]})
    right = (trained.outputs(samples.test.x).argmax(-1) == samples.test.y).double().mean(1)
    curve = trained.curves[TEST]
    np.testing.assert_allclose(right.numpy(), curve.accuracy[-1])
    assert curve.epochs == (1, 2)
    np.testing.assert_array_equal(curve.at(2), curve.accuracy[1])
    np.testing.assert_array_equal(curve.best, curve.accuracy.max(0))


def test_an_untrained_stack_has_the_start_of_each_seed() -> None:
    stack = untrained_stack(PLAIN, (5,))
    run = nw.fit(PLAIN.but(seed=5, optimizer=nw.SGD(lr=1e-30), epochs=1), watch_every=0)
    first = next(layer for layer in run.module.modules() if isinstance(layer, nn.Linear))
    assert torch.equal(first.weight.detach(), stack.weights[0][0])


def test_what_only_fit_trains_is_an_error() -> None:
    with pytest.raises(nw.WrongValue, match=r"optimizer.*nw.fit\(recipe\) for each seed"):
        train_stack(PLAIN.but(optimizer=nw.Adam()), (0,), {})
    with pytest.raises(nw.WrongValue, match="augment"):
        train_stack(PLAIN.but(augment=(nw.NoiseCopies(),)), (0, 1), {})
