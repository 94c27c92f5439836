"""Losses against closed forms and torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

import netwise as nw
from netwise.parts.losses import LOSSES, as_values, least_loss, loss_kind, loss_of_guessing

G = torch.Generator().manual_seed(0)
LOGITS, CLASSES = (
    torch.randn(50, 4, generator=G, dtype=torch.float64),
    torch.randint(4, (50,), generator=G),
)
VALUES, TARGETS = (
    torch.randn(50, 3, generator=G, dtype=torch.float64),
    torch.rand(50, 3, generator=G, dtype=torch.float64),
)


def test_cross_entropy_is_minus_log_of_the_right_probability() -> None:
    p = torch.softmax(LOGITS, 1)[torch.arange(50), CLASSES]
    assert nw.CrossEntropy()(LOGITS, CLASSES).item() == pytest.approx(
        -p.log().mean().item(), rel=1e-12
    )
    assert nw.CrossEntropy(label_smoothing=0.1)(LOGITS, CLASSES).item() == pytest.approx(
        F.cross_entropy(LOGITS, CLASSES, label_smoothing=0.1).item()
    )


def test_binary_cross_entropy_sums_over_outputs() -> None:
    a = torch.sigmoid(VALUES)
    by_hand = -(TARGETS * a.log() + (1 - TARGETS) * (1 - a).log()).sum(1).mean()
    assert nw.BinaryCrossEntropy()(VALUES, TARGETS).item() == pytest.approx(
        by_hand.item(), rel=1e-12
    )


def test_quadratic_has_its_half_and_mean_squared_error_is_torchs() -> None:
    assert nw.Quadratic()(VALUES, TARGETS).item() == pytest.approx(
        ((VALUES - TARGETS) ** 2).sum(1).mean().item() / 2, rel=1e-12
    )
    assert nw.Quadratic()(VALUES, TARGETS).item() == pytest.approx(
        nw.MeanSquaredError()(VALUES, TARGETS).item() * 3 / 2, rel=1e-12
    )
    assert nw.MeanAbsoluteError()(VALUES, TARGETS).item() == pytest.approx(
        (VALUES - TARGETS).abs().mean().item(), rel=1e-12
    )


@pytest.mark.parametrize("loss", [nw.CrossEntropy(), nw.BinaryCrossEntropy()])
def test_losses_from_logits_are_stable(loss: nw.Loss) -> None:
    assert math.isfinite(loss(torch.tensor([[1e4, -1e4]]), torch.tensor([1])).item())
    assert loss(torch.tensor([[1e4, -1e4]]), torch.tensor([0])).item() == 0


def test_class_numbers_become_one_hot_rows_for_squared_error() -> None:
    assert nw.MeanSquaredError()(LOGITS, CLASSES).item() == pytest.approx(
        ((LOGITS - F.one_hot(CLASSES, 4)) ** 2).mean().item()
    )


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"output has shape \(50, 3\) and the target \(50, 1\).*: change the last"
    ):
        as_values(VALUES, TARGETS[:, :1])


def test_guessing_is_the_entropy_of_the_classes() -> None:
    y = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)
    entropy = -sum(p * math.log(p) for p in (0.7, 0.2, 0.1))
    assert loss_of_guessing(nw.CrossEntropy().build(), y, 3) == pytest.approx(entropy, rel=1e-5)
    assert loss_of_guessing(
        lambda p, t: -p[torch.arange(len(t)), t].log().mean(), y, 3
    ) == pytest.approx(entropy, rel=1e-5)  # takes probabilities


def test_guessing_is_the_variance_of_the_targets() -> None:
    y = TARGETS[:, :1].float()
    assert loss_of_guessing(F.mse_loss, y, 1) == pytest.approx(
        float(y.var(unbiased=False)), rel=1e-5
    )
    assert loss_of_guessing(F.l1_loss, y, 1) == pytest.approx(
        float((y - y.median()).abs().mean()), rel=1e-5
    )


def test_perfection_is_zero_but_for_smoothed_and_grey_targets() -> None:
    assert least_loss(F.mse_loss, TARGETS, 3) == pytest.approx(0, abs=1e-12)
    assert least_loss(F.cross_entropy, CLASSES, 4) == pytest.approx(0, abs=1e-6)
    grey = float(F.binary_cross_entropy(TARGETS.float(), TARGETS.float()))
    assert least_loss(F.binary_cross_entropy_with_logits, TARGETS.float(), 3) == pytest.approx(
        grey, rel=1e-4
    )
    best = min(
        F.cross_entropy(s * F.one_hot(CLASSES, 4).double(), CLASSES, label_smoothing=0.1).item()
        for s in torch.linspace(1, 10, 500)
    )
    assert least_loss(nw.CrossEntropy(label_smoothing=0.1).build(), CLASSES, 4) == pytest.approx(
        best, rel=0.02
    )


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


def test_huber_and_hinge_are_their_formulas() -> None:
    error = (VALUES - TARGETS).abs()
    by_hand = torch.where(error <= 0.5, error.square() / 2, 0.5 * (error - 0.25)).mean()
    assert nw.Huber(delta=0.5)(VALUES, TARGETS).item() == pytest.approx(by_hand.item(), rel=1e-12)
    sums = []
    for s, y in zip(LOGITS.tolist(), CLASSES.tolist(), strict=True):
        sums.append(sum(max(0.0, 0.7 + s[j] - s[y]) ** 2 for j in range(4) if j != y))
    assert nw.Hinge(margin=0.7, power=2)(LOGITS, CLASSES).item() == pytest.approx(
        sum(sums) / 50, rel=1e-12
    )


def test_class_weights_are_torchs_and_their_number_is_checked() -> None:
    weights = (1.0, 2.0, 0.5, 4.0)
    expected = F.cross_entropy(
        LOGITS, CLASSES, weight=torch.tensor(weights, dtype=torch.float64), label_smoothing=0.1
    )
    assert nw.CrossEntropy(weights=weights, label_smoothing=0.1)(
        LOGITS, CLASSES
    ).item() == pytest.approx(expected.item(), rel=1e-12)
    with pytest.raises(
        ValueError,
        match="has 2 weights and the network 4 outputs.*: write one weight for each output",
    ):
        nw.CrossEntropy(weights=(1.0, 2.0))(LOGITS, CLASSES)
    recipe = nw.Recipe(
        data=nw.data.iris(), network=nw.MLP((4, 3)), loss=nw.CrossEntropy(weights=(1.0, 2.0))
    )
    assert "2 numbers, and the data have 3 classes" in str(nw.check(recipe)[0])


def test_the_mean_over_outputs_is_torchs_convention() -> None:
    bce, half = nw.BinaryCrossEntropy(outputs="mean"), nw.Quadratic(outputs="mean")
    assert bce(VALUES, TARGETS).item() == pytest.approx(
        F.binary_cross_entropy_with_logits(VALUES, TARGETS).item(), rel=1e-12
    )
    assert half(VALUES, TARGETS).item() == pytest.approx(
        F.mse_loss(VALUES, TARGETS).item() / 2, rel=1e-12
    )


@pytest.mark.parametrize(
    ("loss", "answer", "target"),
    [
        (nw.CrossEntropy(), lambda z: torch.softmax(z, 1), F.one_hot(CLASSES, 4).double()),
        (nw.BinaryCrossEntropy(), torch.sigmoid, F.one_hot(CLASSES, 4).double()),
        (nw.Quadratic(), lambda z: z, F.one_hot(CLASSES, 4).double()),
    ],
    ids=lambda v: type(v).__name__,
)
def test_with_the_output_that_it_goes_with_the_error_is_answer_minus_target(
    loss: nw.Loss, answer: object, target: torch.Tensor
) -> None:
    z = LOGITS.clone().requires_grad_()
    given = CLASSES if isinstance(loss, nw.CrossEntropy) else target
    (g,) = torch.autograd.grad(loss(z, given), z)
    assert torch.allclose(50 * g, answer(z.detach()) - target, atol=1e-12)  # type: ignore[operator]  # delta = a - y


@pytest.mark.parametrize("cls", LOSSES)
def test_huge_outputs_give_finite_losses_and_gradients(cls: type[nw.Loss]) -> None:
    z = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], requires_grad=True)
    y = (
        torch.tensor([1, 0])
        if "classification" in cls.tasks and cls().takes != "values"
        else torch.ones(2, 3)
    )
    value = cls()(z, y)
    (g,) = torch.autograd.grad(value, z)
    assert math.isfinite(value.item())
    assert torch.isfinite(g).all()


def test_several_labels_at_once_are_learned() -> None:
    z = torch.zeros(1, 3)
    assert nw.BinaryCrossEntropy()(z, torch.tensor([[1.0, 0.0, 1.0]])).item() == pytest.approx(
        3 * math.log(2), rel=1e-6
    )


def test_a_target_at_each_step_of_a_sequence() -> None:
    z, y = torch.randn(5, 4, 7, generator=G), torch.randint(4, (5, 7), generator=G)
    flat = nw.CrossEntropy()(z.transpose(1, 2).reshape(35, 4), y.flatten())
    assert nw.CrossEntropy()(z, y).item() == pytest.approx(flat.item(), rel=1e-6)
    assert loss_of_guessing(nw.CrossEntropy().build(), y, 4) == pytest.approx(
        loss_of_guessing(nw.CrossEntropy().build(), y.flatten(), 4)
    )


def test_the_kind_of_a_loss_is_recognised_by_its_gradient() -> None:
    g = torch.Generator().manual_seed(0)
    out, classes = torch.randn(30, 4, generator=g), torch.randint(4, (30,), generator=g)
    onehot, p = F.one_hot(classes, 4).float(), torch.softmax(out, 1)
    assert loss_kind(F.cross_entropy, out, classes) == "cross-entropy of logits"
    assert (
        loss_kind(lambda o, t: F.nll_loss(F.log_softmax(o, 1), t), out, classes)
        == "cross-entropy of logits"
    )
    assert (
        loss_kind(lambda o, t: ((o - F.one_hot(t, 4)) ** 2).sum(), out, classes) == "squared error"
    )
    assert loss_kind(F.mse_loss, out, onehot) == "squared error"
    assert (
        loss_kind(F.binary_cross_entropy_with_logits, out, onehot)
        == "cross-entropy of sigmoid logits"
    )
    assert loss_kind(lambda o, t: F.nll_loss(o.log(), t), p, classes) == "log of probabilities"
    assert loss_kind(F.binary_cross_entropy, torch.sigmoid(out), onehot) == "log of probabilities"
    assert loss_kind(F.l1_loss, out, torch.rand(30, 4, generator=g)) == ""
    assert loss_kind(lambda o, t: o.new_zeros(()), out, classes) == ""
