"""Batches that are kept of a program: copies with their targets, in bounded memory."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.kept_batches import KeptBatches
from observe.observed_loops import X, Y, batch, classifier, observed


def train(model: nn.Module, steps: int = 3, **arguments: Any) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(steps):
        x, y = batch(step)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y, **arguments).backward()
        optimizer.step()


def kept_of(observer: Any) -> KeptBatches:
    (root,) = (root for model in observer.models for root in model.roots)
    return root.kept


def test_batches_of_training_have_the_targets_of_their_losses() -> None:
    model = classifier()
    kept = kept_of(observed(lambda: train(model, ignore_index=2)))
    assert [each.step for each in kept.training] == [0, 1, 2]
    for step, each in enumerate(kept.training):
        x, y = batch(step)
        assert torch.equal(each.args[0], x)
        assert each.target is not None
        assert torch.equal(each.target, y)
        assert (each.operation, each.reduction, each.ignore_index) == ("cross entropy", "mean", 2)
        assert each.training


def test_batches_of_evaluation_have_the_targets_of_their_losses_once() -> None:
    model = classifier()

    def loop() -> None:
        for _ in range(2):
            train(model)
            with torch.inference_mode():
                for rows in (slice(100, 140), slice(140, 180)):
                    F.cross_entropy(model(X[rows]), Y[rows])

    kept = kept_of(observed(loop))
    assert len(kept.evaluation) == 2
    assert [each.rows for each in kept.evaluation] == [40, 40]
    assert torch.equal(torch.cat([b.args[0] for b in kept.evaluation]), X[100:180])
    targets = [each.target for each in kept.evaluation]
    assert torch.equal(torch.cat([t for t in targets if t is not None]), Y[100:180])
    assert not any(each.training or each.args[0].is_inference() for each in kept.evaluation)


def test_copies_do_not_change_with_the_tensors_of_the_program() -> None:
    kept = KeptBatches()
    x, y = torch.ones(4, 2), torch.zeros(4)
    kept.training_pass((x,), {}, 0)
    kept.loss_read(y, "", "", None)
    x.zero_()
    y.fill_(5)
    (only,) = kept.training
    assert only.args[0].sum() == 8
    assert only.target is not None
    assert only.target.sum() == 0


def test_nothing_random_is_drawn_and_gradients_are_not_kept() -> None:
    before = torch.random.get_rng_state()
    kept = KeptBatches(limit=10_000)
    for step in range(100):
        kept.training_pass((torch.ones(10, 4, requires_grad=True),), {}, step)
        kept.loss_read(torch.ones(10), "", "", None)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not any(each.args[0].requires_grad for each in kept.training)


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_memory_is_bounded_and_kept_batches_are_spread(count: int) -> None:
    kept = KeptBatches(limit=20_000)
    for step in range(count):
        kept.training_pass((torch.full((10, 9), float(step)),), {}, step)
        kept.loss_read(torch.ones(10), "", "", None)
    assert sum(each.bytes for each in kept.training) <= 12_000
    steps = [each.step for each in kept.training]
    assert steps[0] == 0
    assert steps[-1] >= 0.6 * count
    distances = {b - a for a, b in pairwise(steps)}
    assert len(distances) == 1


def test_large_batches_keep_their_first_rows() -> None:
    kept = KeptBatches(limit=8_000)
    x, y = torch.randn(100, 10), torch.arange(100)
    kept.training_pass((x,), {"other": x + 1}, 0)
    kept.loss_read(y, "", "", None)
    (only,) = kept.training
    assert only.rows == 100
    assert only.target is not None
    count = len(only.target)
    assert 0 < count < 100
    assert torch.equal(only.args[0], x[:count])
    assert torch.equal(only.kwargs["other"], x[:count] + 1)
    assert torch.equal(only.target, y[:count])


def test_a_large_batch_of_training_rows_is_kept_where_it_is_evaluated() -> None:
    """With its target, in the smallest part of the store."""
    kept = KeptBatches()
    rows = torch.randn(2000, 784)
    kept.evaluation_pass((rows,), {}, step=0, on_training_rows=True)
    kept.evaluation_loss(rows, "squared error")
    (batch,) = kept.evaluation
    assert batch.target is not None
    assert len(batch.target) == len(batch.inputs[0]) > 400


def test_large_batches_without_a_common_first_axis_are_left_out() -> None:
    kept = KeptBatches(limit=8_000)
    kept.training_pass((torch.zeros(100, 10), torch.zeros(3)), {}, 0)
    kept.loss_read(torch.zeros(100), "", "", None)
    assert kept.training == ()


def test_several_passes_of_one_loss_have_no_known_target() -> None:
    kept = KeptBatches()
    kept.training_pass((torch.zeros(4, 2),), {}, 0)
    kept.training_pass((torch.ones(4, 2),), {}, 0)
    kept.loss_read(torch.zeros(4), "squared error", "mean", None)
    assert [each.target for each in kept.training] == [None, None]


@dataclass
class Pair:
    """Arguments of a module in a dataclass."""

    first: Tensor
    scale: float = 2.0


Named = namedtuple("Named", "first second")


@pytest.mark.parametrize(
    "argument",
    [[torch.ones(3)], {"a": {"b": torch.ones(3)}}, Pair(torch.ones(3)), Named(torch.ones(3), None)],
    ids=["list", "dictionary", "dataclass", "named tuple"],
)
def test_containers_are_copied(argument: Any) -> None:
    kept = KeptBatches()
    kept.training_pass((argument, 3, "text"), {}, 0)
    kept.loss_read(torch.ones(3), "", "", None)
    (only,) = kept.training
    assert type(only.args[0]) is type(argument)
    assert only.args[1:] == (3, "text")
    assert [t.sum().item() for t in only.inputs] == [3.0]


def test_objects_that_cannot_be_copied_are_left_out() -> None:
    kept = KeptBatches()
    kept.training_pass((torch.ones(3), object()), {}, 0)
    kept.loss_read(torch.ones(3), "", "", None)
    assert kept.training == ()


def test_tokens_of_an_embedding_are_kept() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 2))
    tokens, y = torch.randint(9, (8, 5)), torch.randint(2, (8,))

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(tokens), y).backward()
        optimizer.step()

    (only,) = kept_of(observed(loop)).training
    assert torch.equal(only.args[0], tokens)


def test_accumulated_batches_have_their_own_targets() -> None:
    model = classifier()

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for number in range(4):
            x, y = batch(number)
            (F.cross_entropy(model(x), y) / 2).backward()
            if number % 2:
                optimizer.step()
                optimizer.zero_grad()

    kept = kept_of(observed(loop))
    targets = [each.target for each in kept.training if each.target is not None]
    assert torch.equal(torch.cat(targets), torch.cat([batch(n)[1] for n in range(4)]))
