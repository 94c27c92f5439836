"""Losses against closed forms and torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

import netwise as nw
from netwise.losses import LOSSES, as_values, loss_of_guessing, loss_of_perfection

G = torch.Generator().manual_seed(0)
LOGITS, CLASSES = torch.randn(50, 4, generator=G, dtype=torch.float64), torch.randint(4, (50,), generator=G)
VALUES, TARGETS = torch.randn(50, 3, generator=G, dtype=torch.float64), torch.rand(50, 3, generator=G, dtype=torch.float64)


def test_cross_entropy_is_minus_log_of_the_right_probability() -> None:
    p = torch.softmax(LOGITS, 1)[torch.arange(50), CLASSES]
    assert nw.CrossEntropy()(LOGITS, CLASSES).item() == pytest.approx(-p.log().mean().item(), rel=1e-12)
    assert nw.CrossEntropy(label_smoothing=0.1)(LOGITS, CLASSES).item() == pytest.approx(F.cross_entropy(LOGITS, CLASSES, label_smoothing=0.1).item())


def test_binary_cross_entropy_sums_over_outputs() -> None:
    a = torch.sigmoid(VALUES)
    by_hand = -(TARGETS * a.log() + (1 - TARGETS) * (1 - a).log()).sum(1).mean()
    assert nw.BinaryCrossEntropy()(VALUES, TARGETS).item() == pytest.approx(by_hand.item(), rel=1e-12)


def test_quadratic_has_its_half_and_mean_squared_error_is_torchs() -> None:
    assert nw.Quadratic()(VALUES, TARGETS).item() == pytest.approx(((VALUES - TARGETS) ** 2).sum(1).mean().item() / 2, rel=1e-12)
    assert nw.Quadratic()(VALUES, TARGETS).item() == pytest.approx(nw.MeanSquaredError()(VALUES, TARGETS).item() * 3 / 2, rel=1e-12)
    assert nw.MeanAbsoluteError()(VALUES, TARGETS).item() == pytest.approx((VALUES - TARGETS).abs().mean().item(), rel=1e-12)


@pytest.mark.parametrize("loss", [nw.CrossEntropy(), nw.BinaryCrossEntropy()])
def test_losses_from_logits_are_stable(loss: nw.Loss) -> None:
    assert math.isfinite(loss(torch.tensor([[1e4, -1e4]]), torch.tensor([1])).item())
    assert loss(torch.tensor([[1e4, -1e4]]), torch.tensor([0])).item() == 0


def test_class_numbers_become_one_hot_rows_for_squared_error() -> None:
    assert nw.MeanSquaredError()(LOGITS, CLASSES).item() == pytest.approx(((LOGITS - F.one_hot(CLASSES, 4)) ** 2).mean().item())


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the network gives \(50, 3\) and the target is \(50, 1\)"):
        as_values(VALUES, TARGETS[:, :1])


def test_guessing_is_the_entropy_of_the_classes() -> None:
    y = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)
    entropy = -sum(p * math.log(p) for p in (0.7, 0.2, 0.1))
    assert loss_of_guessing(nw.CrossEntropy().build(), y, 3) == pytest.approx(entropy, rel=1e-5)
    assert loss_of_guessing(lambda p, t: -p[torch.arange(len(t)), t].log().mean(), y, 3) == pytest.approx(entropy, rel=1e-5)  # takes probabilities


def test_guessing_is_the_variance_of_the_targets() -> None:
    y = TARGETS[:, :1].float()
    assert loss_of_guessing(F.mse_loss, y, 1) == pytest.approx(float(y.var(unbiased=False)), rel=1e-5)
    assert loss_of_guessing(F.l1_loss, y, 1) == pytest.approx(float((y - y.median()).abs().mean()), rel=1e-5)


def test_perfection_is_zero_but_for_smoothed_and_grey_targets() -> None:
    assert loss_of_perfection(F.mse_loss, TARGETS, 3) == pytest.approx(0, abs=1e-12)
    assert loss_of_perfection(F.cross_entropy, CLASSES, 4) == pytest.approx(0, abs=1e-6)
    grey = float(F.binary_cross_entropy(TARGETS.float(), TARGETS.float()))
    assert loss_of_perfection(F.binary_cross_entropy_with_logits, TARGETS.float(), 3) == pytest.approx(grey, rel=1e-4)
    best = min(F.cross_entropy(s * F.one_hot(CLASSES, 4).double(), CLASSES, label_smoothing=0.1).item() for s in torch.linspace(1, 10, 500))
    assert loss_of_perfection(nw.CrossEntropy(label_smoothing=0.1).build(), CLASSES, 4) == pytest.approx(best, rel=0.02)


def test_a_loss_that_takes_none_of_them_is_unknown() -> None:
    def strange(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        raise ValueError("no")

    assert loss_of_guessing(strange, CLASSES, 4) is None


@pytest.mark.parametrize("cls", LOSSES)
def test_a_loss_has_a_gradient_that_falls(cls: type[nw.Loss]) -> None:
    loss, output = cls(), LOGITS.clone().requires_grad_()
    target = CLASSES if "classification" in cls.tasks else torch.rand(50, 4, dtype=torch.float64)
    before = loss(output, target)
    before.backward()
    assert output.grad is not None
    assert loss(output.detach() - 1e-3 * output.grad, target) < before
