"""Facts and wiring of observed loops, whose truth is known."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw
from netwise import signals
from netwise.history import DIVERGED, FINISHED, history_as_dict, history_rows
from netwise.observe.observed_history import history_of, loss_kind_of
from netwise.storage.about_file import history_from_dict
from netwise.tasks import OF_LOGITS, OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED
from tests.observe.observed_loops import X, Y, classifier, observed, train


def history_of_loop(loop: Any, **given: Any) -> Any:
    observer = observed(loop)
    return history_of(observer.models[0], observer.program(given))


def test_facts_of_a_classifier() -> None:
    history = history_of_loop(lambda: train(classifier(), steps=10))
    facts = history.facts
    share = torch.bincount(Y[:200]).double() / len(Y)
    assert facts.loss_of_guessing == pytest.approx(float(-(share * share.log()).sum()), rel=1e-3)
    assert facts.least_loss == 0.0
    assert (facts.classes, facts.class_targets, facts.batch_size) == (3, True, 20)
    assert (facts.optimizer, facts.rate, facts.loss_kind) == ("SGD", 0.1, OF_LOGITS)
    assert history.ended.how == FINISHED


def test_facts_of_a_regression_with_a_constant_factor() -> None:
    model = nn.Linear(6, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    target = X[:, :1] * 3

    def loop() -> None:
        for step in range(10):
            rows = (torch.arange(20) + 20 * step) % 200
            optimizer.zero_grad()
            (0.5 * F.mse_loss(model(X[rows]), target[rows])).backward()
            optimizer.step()

    facts = history_of_loop(loop).facts
    assert facts.loss_of_guessing == pytest.approx(0.5 * float(target.var()), rel=0.02)
    assert facts.loss_kind == SQUARED
    assert facts.target_std == pytest.approx(float(target.std()), rel=0.02)


def test_stated_facts_come_first() -> None:
    """All but the loss of guessing, where the graph shows what the loss is."""
    history = history_of_loop(
        lambda: train(classifier()), batch_size=9, rate=None, loss_of_guessing=9.0
    )
    assert history.facts.batch_size == 9
    assert history.facts.loss_of_guessing == pytest.approx(math.log(3), rel=0.1)
    assert history.facts.rate == 0.1


def test_a_run_that_ends_with_values_that_are_not_finite() -> None:
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=float("inf"))
    history = history_of_loop(lambda: train(model, optimizer=optimizer))
    assert history.ended.how == DIVERGED
    assert history.ended.sentence == history.wiring.not_finite
    assert not math.isfinite(history.of(signals.LOSS).last)


def test_kinds_of_losses() -> None:
    assert loss_kind_of("cross entropy", ("LogSoftmax", "Addmm")) == OF_LOGITS
    assert loss_kind_of("cross entropy", ("Log", "Softmax", "Addmm")) == OF_PROBABILITIES
    assert loss_kind_of("cross entropy", ("?",)) is None
    assert loss_kind_of("binary cross entropy of logits", ()) == OF_SIGMOID_LOGITS
    assert loss_kind_of("Huber loss", ()) == ""
    assert loss_kind_of("", ()) is None


def test_shares_of_classes_and_shape_of_targets() -> None:
    facts = history_of_loop(lambda: train(classifier(), steps=10)).facts
    shares = torch.bincount(Y).double() / len(Y)
    assert facts.class_shares == pytest.approx(shares.tolist(), abs=1e-5)
    assert facts.target_shape == (20,)


def test_moments_of_each_input_feature() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for _ in range(3):
            train(model, steps=10, optimizer=optimizer)
            with torch.no_grad():
                F.cross_entropy(model(X * 2 + 1), Y)

    history = history_of_loop(loop)
    training_mean, _, mean, std = history.wiring.features
    assert training_mean == pytest.approx(X.mean(0).tolist(), abs=0.15)
    assert mean == pytest.approx((X.mean(0) * 2 + 1).tolist(), abs=1e-3)
    assert std == pytest.approx((2 * X.std(0)).tolist(), rel=0.02)
    again = json.loads(json.dumps(history_as_dict(history)))
    assert history_from_dict(again, history_rows(history)) == history


def test_the_loss_of_guessing_of_log_probabilities_is_the_entropy_of_the_classes() -> None:
    """`nll_loss` alone has no lowest value over arbitrary rows; the stated loss is not asked."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.LogSoftmax(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    with nw.watch(model, loss=nn.NLLLoss()) as w:
        for _ in range(6):
            optimizer.zero_grad()
            loss = nn.functional.nll_loss(model(x), y)
            loss.backward()
            w.step(loss, y)
            optimizer.step()
    facts = w.history().facts
    assert facts.loss_of_guessing == pytest.approx(math.log(3), rel=1e-4)
    assert facts.least_loss == 0
    assert facts.loss_kind == "cross-entropy of logits"
    assert facts.loss == "NLLLoss"


def test_the_loss_of_guessing_of_several_terms_is_their_sum() -> None:
    """Classes and a number from one body: what is known of each is added, with its factor."""
    body, number = nn.Linear(6, 3), nn.Linear(6, 1)
    weights = [*body.parameters(), *number.parameters()]
    optimizer = torch.optim.SGD(weights, lr=0.01)

    def loop(penalised: bool) -> None:
        for step in range(10):
            rows = (torch.arange(20) + 20 * step) % 200
            optimizer.zero_grad()
            classes = F.cross_entropy(body(X[rows]), Y[rows])
            loss = classes + 0.5 * F.mse_loss(number(X[rows]), X[rows, :1])
            if penalised:
                loss = loss + 0.1 * body.weight.square().sum()
            loss.backward()
            optimizer.step()

    facts = history_of_loop(lambda: loop(False)).facts
    share = torch.bincount(Y[:200]).double() / len(Y[:200])
    entropy = float(-(share * share.log()).sum())
    wanted = entropy + 0.5 * float(X[:200, :1].var())
    assert facts.loss_of_guessing == pytest.approx(wanted, rel=0.02)
    assert facts.least_loss == pytest.approx(0.0)
    assert facts.classes is None  # those of one of both terms
    assert history_of_loop(lambda: loop(True)).facts.loss_of_guessing is None


def test_terms_that_ask_for_the_same_classes_share_their_facts() -> None:
    one, other = nn.Linear(6, 3), nn.Linear(6, 3)
    optimizer = torch.optim.SGD([*one.parameters(), *other.parameters()], lr=0.01)

    def loop() -> None:
        for step in range(10):
            rows = (torch.arange(20) + 20 * step) % 200
            optimizer.zero_grad()
            (F.cross_entropy(one(X[rows]), Y[rows])
             + F.cross_entropy(other(X[rows]), Y[rows])).backward()  # fmt: skip
            optimizer.step()

    facts = history_of_loop(loop).facts
    assert (facts.classes, facts.class_targets) == (3, True)


def test_r2_of_outputs_that_are_logits() -> None:
    """A decoder that answers the mean of binary targets explains nothing of them: an R² of 0."""
    bias = nn.Linear(6, 6)
    nn.init.zeros_(bias.weight)
    wanted = (X[:200] > 0.3).float()
    with torch.no_grad():
        bias.bias.copy_(torch.logit(wanted.mean(0)))
    optimizer = torch.optim.SGD(bias.parameters(), lr=1e-9)

    def loop() -> None:
        for step in range(10):
            rows = (torch.arange(20) + 20 * step) % 200
            optimizer.zero_grad()
            errors = F.binary_cross_entropy_with_logits(bias(X[rows]), wanted[rows])
            (errors + bias(X[rows]).square().mean()).backward()
            optimizer.step()

    series = history_of_loop(loop).of(signals.BATCH_R2)
    assert series is not None
    assert all(-0.3 < value < 0.05 for value in series.values)
