"""The first value that is not finite."""

from __future__ import annotations

import math

import torch

from netwise.observe.finite_check import FiniteCheck


def test_the_first_loss_is_kept() -> None:
    check = FiniteCheck()
    x = torch.tensor([-1.0], requires_grad=True)
    loss = torch.log(x).sum()
    check.loss(loss, math.nan, "train.py:3", 7)
    check.loss(loss, math.inf, "train.py:9", 8)
    assert check.step == 7
    assert check.sentence.startswith("Step 7: The loss is nan at train.py:3. The cause: Log")


def test_a_gradient_of_a_risky_operation() -> None:
    check = FiniteCheck()
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    loss = torch.sqrt(x).sum()
    check.watch_place(loss, "train.py:5", [x])
    assert check.holds
    check.hold(loss)
    loss.backward()
    check.release(loss.item(), "train.py:5", 2)
    assert check.step == 2
    assert "Sqrt" in check.sentence
    assert "train.py:5" in check.sentence
    assert not check.holds


def test_a_finite_gradient_and_a_loss_without_risk() -> None:
    check = FiniteCheck()
    x = torch.tensor([1.0], requires_grad=True)
    loss = (x * 2).sum()
    check.watch_place(loss, "train.py:5", [x])
    assert not check.holds
    risky = torch.sqrt(x).sum()
    check.watch_place(risky, "train.py:6", [x])
    check.hold(risky)
    risky.backward()
    check.release(risky.item(), "train.py:6", 1)
    assert check.sentence == ""
