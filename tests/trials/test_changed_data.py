"""Kept batches with changed inputs or targets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.observe.kept_batches import KeptBatch
from netwise.trials.changed_data import (
    exchanged_targets,
    few_rows,
    mixed_rows,
    on_classes,
    standard_inputs,
    standard_targets,
)
from netwise.trials.rebuilt_loss import BITS, CLASSES, NUMBERS, RebuiltLoss

torch.manual_seed(0)
X, Y = torch.randn(40, 3), torch.randn(40, 1)


def bench(x: Tensor, y: Tensor, kind: str = NUMBERS) -> Any:
    batches = [KeptBatch((a,), {}, b) for a, b in zip(x.split(20), y.split(20), strict=True)]
    loss = RebuiltLoss("", F.mse_loss, kind=kind)
    return SimpleNamespace(batches=tuple(batches), held=tuple(batches[:1]), loss=loss)


def test_inputs_are_standardised_by_feature() -> None:
    made = standard_inputs(bench(500 * X + torch.tensor([0.0, 1000, 2000]), Y))
    assert made is not None
    inputs = torch.cat([batch.args[0] for batch in made[0]])
    torch.testing.assert_close(inputs.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(inputs.std(0), torch.ones(3))
    assert torch.equal(made[1][0].args[0], made[0][0].args[0])


def test_usual_inputs_and_symbols_stay() -> None:
    assert standard_inputs(bench(X, Y)) is None
    assert standard_inputs(bench(torch.rand(40, 3), Y)) is None  # grey values
    assert standard_inputs(bench(torch.randint(9, (40, 3)), Y)) is None


def test_targets_are_standardised() -> None:
    made = standard_targets(bench(X, 100 * Y + 700))
    assert made is not None
    targets = torch.cat([batch.target for batch in made[0] if batch.target is not None])
    assert abs(float(targets.mean())) < 1e-4
    assert standard_targets(bench(X, Y)) is None
    assert standard_targets(bench(X, (Y > 0).float() * 100, BITS)) is None


def test_classes_as_rows_get_a_cross_entropy() -> None:
    classes = torch.arange(40) % 4
    made = on_classes(bench(X, F.one_hot(classes, 4).float(), CLASSES))
    assert made is not None
    batches, _, loss = made
    logits = torch.randn(20, 4)
    assert batches[0].target is not None
    torch.testing.assert_close(
        loss(logits, batches[0].target), F.cross_entropy(logits, classes[:20])
    )
    assert on_classes(bench(X, Y)) is None


def test_few_rows_are_the_first() -> None:
    made = few_rows(bench(X, Y))
    assert made is not None
    assert torch.equal(made[0].args[0], X[:16])
    assert few_rows(bench(X[:20].expand(20, 3), Y[:20])) is not None
    assert few_rows(bench(X[:4], Y[:4])) is None


def test_sorted_rows_are_mixed_and_random_ones_stay() -> None:
    classes = torch.arange(120) % 4
    inputs = torch.arange(120.0)[:, None]
    assert mixed_rows(bench(inputs, classes, CLASSES)) is None  # all classes in each batch
    made = mixed_rows(bench(inputs, classes.sort().values, CLASSES))
    assert made is not None
    x = torch.cat([batch.args[0] for batch in made[0]])[:, 0]
    y = torch.cat([batch.target for batch in made[0] if batch.target is not None])
    assert [len(batch.args[0]) for batch in made[0]] == [20] * 6
    assert torch.equal(x.sort().values, inputs[:, 0])
    assert torch.equal(y, classes.sort().values[x.long()])  # each row with its own target
    assert all(len(set(batch.target.tolist())) > 1 for batch in made[0])


def test_a_row_that_occurs_again_gets_the_same_exchanged_target() -> None:
    x = torch.randn(20, 3).repeat(2, 1)
    y = torch.arange(20.0).repeat(2)[:, None]
    made = exchanged_targets(bench(x, y))
    assert made is not None
    first, again = (batch.target for batch in made)
    assert first is not None
    assert again is not None
    assert torch.equal(first, again)
    assert torch.equal(first.sort(0).values, y[:20])
    assert not torch.equal(first, y[:20])


def test_batches_that_cannot_be_joined_stay() -> None:
    made = bench(X, Y)
    made.batches = (KeptBatch((X[:20], X[:20]), {}, Y[:20]), *made.batches)
    assert exchanged_targets(made) is None
    assert mixed_rows(made) is None
