"""Tests of finding classes of evaluation that training does not have."""

from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import netwise as nw
from histories import found
from netwise.diagnosis.rules.unseen_classes import classes_unseen

DIGITS = load_digits()
X = torch.tensor(DIGITS.data / 16).float()
Y = torch.tensor(DIGITS.target)


def rules_of(order: torch.Tensor, shuffled: bool = True) -> dict[str, nw.Finding]:
    torch.manual_seed(0)
    x, y = X[order], Y[order]
    train, valid = torch.arange(1400), torch.arange(1400, len(y))
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    with nw.watch() as w:
        for _ in range(4):
            rows = train[torch.randperm(1400)] if shuffled else train
            for part in rows.split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x[part]), y[part]).backward()
                optimizer.step()
            with torch.no_grad():
                nn.functional.cross_entropy(net(x[valid]), y[valid])
    return {f.rule: f for f in nw.diagnose(w).found}


def test_a_split_in_the_order_of_the_classes() -> None:
    finding = rules_of(Y.argsort())["classes_unseen"]
    assert finding.grade == "cause"
    assert "classes 8, 9" in finding.sentence


@pytest.mark.parametrize("shuffled", [True, False])
def test_a_split_of_shuffled_rows(shuffled: bool) -> None:
    order = torch.randperm(len(Y), generator=torch.Generator().manual_seed(0))
    assert "classes_unseen" not in rules_of(order, shuffled)


def test_classes_that_are_answered_by_a_few_samples() -> None:
    """Prototypes of new classes, as of few-shot learning."""
    history = nw.History.from_rows(
        [{"step": at, "batch.classes": 5.0} for at in range(30)],
        wiring=nw.Wiring(module="Net"),
        facts=nw.RunFacts(class_shares=(0.5, 0.5), batch_size=20),
    )
    few_shot = nw.DataFacts(evaluation_answers=((0, 0, 0), (0, 0, 0), (60, 50, 50)))
    assert classes_unseen(history.but(data=few_shot)) is None
    never = nw.DataFacts(evaluation_answers=((0, 30, 0), (0, 30, 0), (60, 0, 0)))
    assert "class 2" in found(classes_unseen(history.but(data=never))).sentence
