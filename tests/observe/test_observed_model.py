"""Rows and connections of one observed model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise import signals
from netwise.observe.call_record import CallRecord
from netwise.observe.loss_graph import read_loss
from netwise.observe.observed_model import (
    MOST_ROWS,
    LossSite,
    ObservedModel,
    batch_accuracy,
    target_signals,
)
from tests.observe.observed_loops import batch, classifier, observed, train


def test_rows_are_bounded_and_events_keep_their_order() -> None:
    model = ObservedModel("Net")
    for step in range(3 * MOST_ROWS):
        model._keep({"step": step})
    assert len(model.rows) < MOST_ROWS
    assert [row["step"] for row in model.rows] == sorted(row["step"] for row in model.rows)
    assert model.rows[0]["step"] == 0


def test_new_rows_are_taken_once_with_their_losses() -> None:
    net = classifier()
    rows: list[dict[str, object]] = []
    observer = observed(lambda: train(net))
    model = observer.models[0]
    assert model.take_new_rows() == []  # nobody writes them, so they are not kept
    model.add_event({"valid.loss": 0.5})
    rows += model.take_new_rows()
    assert rows == [{"step": 7, "valid.loss": 0.5}]


def test_where_gradients_are_cut() -> None:
    model = ObservedModel("Net")
    model.note_cut([CallRecord("a", False, True, True), CallRecord("b", True, True, True)])
    assert model.cut == ()
    model.note_cut([CallRecord("a", False, True, True), CallRecord("b", False, True, True)])
    assert model.cut == ("a", "b")


def test_signals_of_targets() -> None:
    target = torch.tensor([0, 0, 0, -100])
    row = target_signals(target, -100)
    assert row[signals.TARGETS_IGNORED] == 0.25
    assert row[signals.TARGETS_ALIKE] == 1.0
    assert row[signals.BATCH_CLASSES] == 1.0
    assert signals.BATCH_CLASSES not in target_signals(torch.randn(4))


def test_accuracy_of_a_batch() -> None:
    scores = torch.tensor([[2.0, 1.0], [0.0, 1.0]])
    assert batch_accuracy(scores, torch.tensor([0, 0])) == 0.5
    assert batch_accuracy(scores, torch.tensor([0.0, 0.0])) is None
    assert batch_accuracy(scores[:, :1], torch.tensor([0, 0])) is None


def test_a_site_collects_the_targets_of_its_batches() -> None:
    net = classifier()
    site = LossSite("train.py:3", ())
    for step in range(3):
        x, y = batch(step)
        site.read(read_loss(F.cross_entropy(net(x), y), "train.py:3"))
    assert site.batch_size == 20
    assert site.targets[0].facts()["classes"] == 3
    assert site.terms[0].reduction == "mean"


@pytest.mark.parametrize("often", [True, False])
def test_passes_that_may_belong_to_training(often: bool) -> None:
    observer = observed(lambda: train(classifier()))
    model = observer.models[0]
    model.add_evaluation({signals.EVALUATION_MODE: 0.0}, certain=False)
    model.add_evaluation({signals.VALID_LOSS: 1.0}, certain=True)
    if often:
        model.roots[0].evaluation.steps_with_evaluation = 8
    assert len(model.evaluations) == (1 if often else 2)


def test_a_penalty_in_the_loss_is_recorded_with_its_value() -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x, y = torch.arange(24.0).reshape(8, 3), torch.arange(8) % 2

    def penalty() -> Tensor:
        return 0.1 * (model.weight.abs().sum() + model.bias.abs().sum())

    with nw.watch() as w:
        for _ in range(6):
            optimizer.zero_grad()
            (F.cross_entropy(model(x), y) + penalty()).backward()
            optimizer.step()
    expected = penalty().item()
    series = w.history().of(signals.PENALTY)
    assert series is not None
    assert series.last == pytest.approx(expected, rel=1e-4)
