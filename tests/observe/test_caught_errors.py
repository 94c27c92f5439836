"""Errors of training steps that a program catches itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import netwise as nw

X, Y = torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 3


def network(width: int = 8) -> tuple[nn.Module, torch.optim.Optimizer]:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(width, 3))
    return module, torch.optim.SGD(module.parameters(), lr=0.1)


def layers_that_do_not_fit() -> None:
    module, optimizer = network(7)
    F.cross_entropy(module(X), Y).backward()
    optimizer.step()


def targets_that_do_not_fit() -> None:
    module, _ = network()
    nn.CrossEntropyLoss()(module(X), Y.float()[:, None]).backward()


def one_graph_twice() -> None:
    module, optimizer = network()
    loss = F.cross_entropy(module(X), Y)
    for _ in range(3):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def loss_without_a_graph() -> None:
    module, _ = network()
    F.cross_entropy(module(X), Y).detach().backward()


@pytest.mark.parametrize(
    ("program", "rule", "words"),
    [
        (layers_that_do_not_fit, "step_fails", "was made for 7 numbers of a sample, and gets 8"),
        (targets_that_do_not_fit, "step_fails", "one number of a class for each sample"),
        (one_graph_twice, "step_fails", "The graph of an earlier backward pass is needed again"),
        (loss_without_a_graph, "graph_cut", ".detach()"),
    ],
)
def test_a_caught_error_is_explained(program: Callable[[], None], rule: str, words: str) -> None:
    with nw.watch() as w, suppress(Exception):  # as programs do that write a line to their log
        program()
    first = nw.diagnose(w.history()).found[0]
    assert first.rule == rule
    assert words in first.sentence
    assert "test_caught_errors.py" in first.sentence
    assert w.histories()


def trains(steps: int = 12) -> None:
    module, optimizer = network()
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(module(X), Y).backward()
        optimizer.step()


def tries_shapes_first() -> None:
    for width in (5, 4):
        try:
            network()[0](torch.ones(2, width))
        except RuntimeError:
            continue
    trains()


def halves_the_batch_that_fails() -> None:
    module, optimizer = network()
    for size in (20, 10, 20, 10):
        try:
            optimizer.zero_grad()
            loss = F.cross_entropy(module(X[:size]), Y[:size])
            if size == 20:
                raise MemoryError
            loss.backward()
            optimizer.step()
        except MemoryError:
            continue


def looks_for_a_graph_first() -> None:
    module, _ = network()
    try:
        F.cross_entropy(module(X), Y).detach().backward()
    except RuntimeError:
        trains()


def is_asked_after_training() -> None:
    trains()
    with suppress(RuntimeError):
        network(7)[0](X)


@pytest.mark.parametrize(
    "program", [tries_shapes_first, halves_the_batch_that_fails, looks_for_a_graph_first]
)
def test_errors_after_which_the_training_went_on_are_none(program: Callable[[], None]) -> None:
    with nw.watch() as w:
        program()
    assert w.history().error is None


def test_what_fails_after_training_is_no_training_step() -> None:
    with nw.watch() as w:
        is_asked_after_training()
    assert w.history().error is None
