"""Blocks without gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from netwise import signals
from netwise.observe.observed_history import history_of
from tests.observe.observed_loops import X, Y, batch, classifier, observed


def test_blocks_without_a_forward_pass_are_ignored_after_three() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(8):
            x, y = batch(step)
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                model[0].weight.clamp_(-1.0, 1.0)

    observer = observed(loop)
    counts = list(observer._blocks._empty.values())
    assert max(counts) == 3
    assert observer.models[0].events == []


def test_passes_of_a_target_network_are_no_evaluation() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.Dropout(0.1), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(12):
            x, _ = batch(step)
            with torch.no_grad():
                labels = model(x).argmax(1)
            optimizer.zero_grad()
            F.cross_entropy(model(x), labels).backward()
            optimizer.step()

    observer = observed(loop)
    history = history_of(observer.models[0], observer.program({}))
    assert history.of(signals.EVALUATION_MODE) is None
    assert history.wiring is not None
    assert "evaluation" in history.wiring.not_observed


def test_an_evaluation_of_training_data_is_no_validation() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for _ in range(2):
            for step in range(7):
                x, y = batch(step)
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                F.cross_entropy(model(X[:140]), Y[:140])

    observer = observed(loop)
    history = history_of(observer.models[0], observer.program({}))
    assert history.of(signals.VALID_LOSS) is None
    assert history.of(signals.TRAIN_LOSS) is not None


def test_stated_scores_replace_observed_ones() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(6):
            x, y = batch(step)
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            F.cross_entropy(model(X[150:]), Y[150:])

    observer = observed(loop)
    observer.state_epoch({signals.VALID_LOSS: 0.5}, 0)
    history = history_of(observer.models[0], observer.program({}))
    series = history.of(signals.VALID_LOSS)
    assert series is not None
    assert series.values == (0.5,)


def test_accuracy_of_training_batches_beside_that_of_an_evaluation() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)  # so accuracy stays

    def loop() -> None:
        for step in range(7):
            x, y = batch(step)
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            F.cross_entropy(model(X[150:]), Y[150:])

    observer = observed(loop)
    history = history_of(observer.models[0], observer.program({}))
    accuracy = history.of(signals.TRAIN_ACCURACY)
    assert accuracy is not None
    right = model(X[:140]).argmax(1) == Y[:140]
    assert accuracy.last == pytest.approx(float(right.float().mean()))
