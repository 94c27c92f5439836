"""Stacks of machines."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.networks.energy.dbn import DeepBelief
from netwise.networks.energy.likelihood import binary_states


def recipe(**changes: object) -> nw.Recipe:
    base = nw.Recipe(
        data=nw.data.digits(),
        preprocess=(nw.MinMax(),),
        network=nw.DBN((64, 24, 12)),
        loss=nw.CD(),
        optimizer=nw.SGD(lr=0.1, momentum=0.5),
        epochs=8,
    )
    return base.but(**changes)


def test_layers_learn_one_after_the_other_and_the_rest_stands_still() -> None:
    halves = {}
    for epochs in (4, 8):  # the first half of 8 epochs is the whole of the first layer
        halves[epochs] = nw.fit(recipe(epochs=epochs)).module
    first = halves[8].machine1
    alone = nw.fit(recipe(network=nw.RBM(64, 24), epochs=4)).module
    torch.testing.assert_close(
        first.layer1.weight, alone.layer1.weight
    )  # as the machine alone: nothing moved it afterwards
    torch.testing.assert_close(first.back1.bias, alone.back1.bias)


def test_the_bound_is_below_the_likelihood_and_equal_for_one_layer() -> None:
    torch.manual_seed(0)
    made = nw.DBN((4, 3, 2), std=1.0).build().eval()
    assert isinstance(made, DeepBelief)
    v = binary_states(4, torch.zeros(0))
    low, high = made.machine1, made.machine2
    # p(v) = sum over h of p_top(h) p(v | h), by enumeration
    h = binary_states(3, torch.zeros(0))
    top = nw.energy.log_likelihood(high, h)
    logits = low.visible_input(h).detach()
    given = v[:, None] * logits - torch.nn.functional.softplus(logits)
    exact = torch.logsumexp(given.sum(2) + top, 1)
    bounds = torch.stack([made.estimate_log_likelihood(v, seed)[0] for seed in range(4000)]).mean(0)
    # the mean over draws is E_Q[...]: below, by KL(Q, P)
    assert bool((bounds <= exact + 0.02).all())
    q = torch.sigmoid(low.hidden_input(v).detach())
    every = (h[None] * q[:, None].log() + (1 - h[None]) * (1 - q[:, None]).log()).sum(2)
    wanted = (every.exp() * (given.sum(2) + top - every)).sum(1)
    torch.testing.assert_close(bounds, wanted, rtol=0, atol=0.05)
    assert made.bounds(v)[0] == pytest.approx(
        float(nw.energy.log_likelihood(low, v).mean()), abs=1e-4
    )


def test_it_starts_a_classifier_and_an_autoencoder_with_its_weights(tmp_path: Path) -> None:
    run = nw.fit(recipe(), folder=tmp_path / "dbn")
    stack = run.module
    mlp = nw.fit(
        recipe(
            network=nw.MLP((64, 24, 12, 10), activation=nw.Sigmoid()),
            loss=nw.CrossEntropy(),
            init=nw.From(str(tmp_path / "dbn")),
            optimizer=nw.SGD(lr=1e-9),
            epochs=1,
        )
    ).module
    torch.testing.assert_close(mlp.layer1.weight, stack.machine1.layer1.weight)
    torch.testing.assert_close(mlp.layer2.bias, stack.machine2.layer1.bias)
    x = nw.data.digits().load().test.x
    torch.testing.assert_close(mlp[:5](x), stack.encode(x))
    for tied in (True, False):
        network = nw.Autoencoder((64, 24, 12), tied=tied)
        both = nw.fit(
            recipe(
                network=network,
                loss=nw.BinaryCrossEntropy(),
                init=nw.From(recipe=recipe()),
                optimizer=nw.SGD(lr=1e-12),
                epochs=1,
            )
        ).module
        torch.testing.assert_close(both.back1.bias, stack.machine1.back1.bias)
        torch.testing.assert_close(both.reconstruct(x), stack.reconstruct(x), rtol=1e-4, atol=1e-5)


def test_a_stop_in_any_stage_changes_nothing(tmp_path: Path) -> None:
    whole = nw.fit(recipe(loss=nw.PCD()), folder=tmp_path / "whole")
    asked = {"count": 0}

    class Stop(nw.Silent):
        def epoch(self, epoch: int, row: object) -> None:
            asked["count"] += 1
            if asked["count"] in (3, 6):
                os.kill(os.getpid(), signal.SIGTERM)

    run = nw.fit(recipe(loss=nw.PCD()), folder=tmp_path / "parts", progress=Stop())
    while run.history.ended.how == "interrupted":
        run = nw.resume(tmp_path / "parts", progress=Stop())
    assert asked["count"] == 8
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, run.module.state_dict()[name]), name
    assert run.score == whole.score


def test_label_units_at_the_top_classify_and_a_class_can_be_drawn() -> None:
    run = nw.fit(
        recipe(
            network=nw.DBN((64, 60, 60), labels=10),
            batch_size=20,
            optimizer=nw.SGD(lr=0.2, momentum=0.5),
            epochs=40,
        )
    )
    assert run.score is not None
    assert run.score.name == "accuracy"
    assert run.score.value > 0.75
    drawn = run.module.sample(50, steps=100, label=0)
    # a drawn 0 is a 0 to the stack itself
    assert float((run.module(drawn).argmax(1) == 0).float().mean()) > 0.6
