"""What losses expect is found by calling them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.loss_questions import loss_answers

Loss = Callable[[Tensor, Tensor], Tensor]
N, C = 16, 5
SCORES, CLASSES = torch.zeros(N, C), torch.arange(N) % C
ROWS, ONE, BINARY = F.one_hot(CLASSES, C).float(), torch.zeros(N, 1), torch.arange(N)[:, None] % 2
VALUES = torch.linspace(-2, 3, N)


def focal(output: Tensor, target: Tensor) -> Tensor:
    logs = F.log_softmax(output, 1).gather(1, target[:, None]).squeeze(1)
    return (-((1 - logs.exp()) ** 2) * logs).mean()


def by_hand(output: Tensor, target: Tensor) -> Tensor:
    shares = output.exp() / output.exp().sum(1, keepdim=True)
    return -shares.gather(1, target[:, None]).log().mean()


def dice(output: Tensor, target: Tensor) -> Tensor:
    shares = output.sigmoid()
    return 1 - 2 * (shares * target).sum() / (shares.sum() + target.sum())


def hinge(output: Tensor, target: Tensor) -> Tensor:
    return (1 - target * output).clamp(min=0).mean()


def quantile(output: Tensor, target: Tensor) -> Tensor:
    return torch.max(0.9 * (target - output), 0.1 * (output - target)).mean()


TAKES: dict[str, tuple[Loss, Tensor, Tensor, str]] = {
    "cross entropy": (F.cross_entropy, SCORES, CLASSES, "logits"),
    "of rows": (F.cross_entropy, SCORES, ROWS, "logits"),
    "weighted": (nn.CrossEntropyLoss(torch.rand(C) + 0.1), SCORES, CLASSES, "logits"),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), SCORES, CLASSES, "logits"),
    "focal": (focal, SCORES, CLASSES, "logits"),
    "softmax by hand": (by_hand, SCORES, CLASSES, "logits"),
    "of pixels": (F.cross_entropy, torch.zeros(4, 3, 2, 2), torch.ones(4, 2, 2).long(), "logits"),
    "likelihood": (F.nll_loss, SCORES, CLASSES, "log-probabilities"),
    "divergence": (F.kl_div, SCORES, torch.rand(N, C).softmax(1), "log-probabilities"),
    "log of rows": (lambda p, t: -p[range(N), t].log().mean(), SCORES, CLASSES, "probabilities"),
    "binary": (F.binary_cross_entropy, ONE, BINARY.float(), "probabilities"),
    "sigmoid": (F.binary_cross_entropy_with_logits, ONE, BINARY.float(), "sigmoid logits"),
    "dice": (dice, ONE, BINARY.float(), "sigmoid logits"),
    "hinge": (hinge, ONE, BINARY.float(), "signs"),
    "soft margin": (F.soft_margin_loss, ONE, BINARY.float(), "signs"),
    "squared": (F.mse_loss, VALUES, VALUES, "values"),
    "absolute": (F.l1_loss, VALUES, VALUES, "values"),
    "Huber": (F.huber_loss, VALUES, VALUES, "values"),
    "quantile": (quantile, VALUES, VALUES, "values"),
    "squared error of rows": (F.mse_loss, SCORES, ROWS, "values"),
}


@pytest.mark.parametrize("name", TAKES)
def test_what_a_loss_takes(name: str) -> None:
    loss, output, target, takes = TAKES[name]
    answers = loss_answers(loss, output, target)
    assert (answers["loss_takes"], answers["loss_constant"]) == (takes, False)
    assert answers.get("loss_rewards_errors") is False


@pytest.mark.parametrize("name", ["cross entropy", "sigmoid", "squared", "focal", "smoothed"])
def test_a_wrong_sign_rewards_errors(name: str) -> None:
    loss, output, target, takes = TAKES[name]
    answers = loss_answers(lambda o, t: -loss(o, t), output, target)
    assert answers["loss_takes"] == takes
    assert answers["loss_rewards_errors"] is True


@pytest.mark.parametrize(
    "loss", [lambda o, t: (o.argmax(1) != t).float().mean(), lambda o, t: (0 * o).sum()]
)
def test_a_loss_without_a_slope_is_constant(loss: Loss) -> None:
    assert loss_answers(loss, SCORES, CLASSES)["loss_constant"] is True


@pytest.mark.parametrize(("reduction", "sums"), [("mean", False), ("sum", True)])
def test_sums(reduction: str, sums: bool) -> None:
    answers = loss_answers(nn.CrossEntropyLoss(reduction=reduction), SCORES, CLASSES)
    assert answers["loss_sums"] is sums


def test_forms_of_targets() -> None:
    answers = loss_answers(F.nll_loss, SCORES, CLASSES)
    assert answers["loss_targets"] == "class numbers"
    answers = loss_answers(F.mse_loss, SCORES, ROWS)
    assert answers["loss_targets"] == "one-hot rows"


def test_where_a_loss_is_not_finite() -> None:
    assert loss_answers(by_hand, SCORES, CLASSES)["loss_not_finite"] == "outputs of 200"
    loss, output, target, _ = TAKES["log of rows"]
    assert loss_answers(loss, output, target)["loss_not_finite"] == "probabilities of exactly 0"
    assert loss_answers(F.cross_entropy, SCORES, CLASSES)["loss_not_finite"] == ""


def test_classes_that_are_missing_in_a_batch_do_not_matter() -> None:
    answers = loss_answers(F.cross_entropy, SCORES, torch.zeros(N).long())
    assert answers["loss_takes"] == "logits"


def raises(output: Tensor, target: Tensor) -> Tensor:
    raise KeyError("nothing")


@pytest.mark.parametrize(
    ("loss", "output", "target"),
    [(raises, SCORES, CLASSES), (F.cross_entropy, (SCORES,), CLASSES), (F.mse_loss, SCORES, None)],
)
def test_what_cannot_be_asked_has_no_answer(loss: Loss, output: Any, target: Any) -> None:
    assert loss_answers(loss, output, target) == {}


class Drawing(nn.Module):
    """A loss that draws random numbers and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        noise = random.random() + np.random.rand()
        return self.weight * F.cross_entropy(output + torch.randn_like(output) * noise, target)


def test_neither_random_states_nor_the_loss_change() -> None:
    loss, output = Drawing(), torch.zeros(N, C, requires_grad=True)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # type: ignore[union-attr]
    with torch.no_grad():
        loss_answers(loss, output, CLASSES)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()  # type: ignore[index]
    assert float(loss.calls) == 0
    assert loss.weight.grad is None
    assert output.grad is None


def _moments(output: Tensor, target: Tensor) -> Tensor:
    """Compares distributions: the same when samples exchange their targets."""
    return (output.mean() - target.mean()) ** 2 + (output.std() - target.std()) ** 2


@pytest.mark.parametrize(
    ("loss", "ignores"),
    [
        (F.cross_entropy, False),
        (lambda output, target: F.cross_entropy(output, output.argmax(1)), True),
        (lambda output, target: F.cross_entropy(output, torch.zeros_like(target)), True),
        (lambda output, target: output.square().mean(), True),
        (
            lambda output, target: torch.cdist(output, output)[target[:, None] == target].mean(),
            None,
        ),
        (lambda output, target: torch.cdist(output, output).exp().neg().mean(), None),
        (lambda output, target: F.dropout(output, 0.5).square().mean(), None),
    ],
    ids=[
        "cross entropy",
        "own answers",
        "one class",
        "outputs alone",
        "pairs",
        "no targets",
        "random",
    ],
)
def test_a_loss_that_ignores_its_targets(loss: Loss, ignores: bool | None) -> None:
    assert loss_answers(loss, SCORES, CLASSES).get("loss_ignores_targets") is ignores


def test_a_loss_of_distributions_does_not_ignore_its_targets() -> None:
    values = torch.linspace(-1, 1, 16)[:, None]
    assert not loss_answers(_moments, values, values).get("loss_ignores_targets")
    assert loss_answers(F.mse_loss, values, values)["loss_ignores_targets"] is False
