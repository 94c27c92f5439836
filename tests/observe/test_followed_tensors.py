"""Targets that outputs are compared with by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from observe.observed_loops import X, Y, batch, classifier, observed

SCORES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "argmax": lambda output, y: (output.argmax(1) == y).float().mean(),
    "max": lambda output, y: y.eq(torch.max(output, dim=1)[1]).sum(),
    "softmax": lambda output, y: (output.softmax(1).argmax(dim=1) == y).sum(),
    "error": lambda output, y: (torch.argmax(output, -1) != y).float().mean(),
    "reversed": lambda output, y: (y == output.argmax(1)).float().mean(),
}


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_the_target_of_a_score_by_hand(score: Callable[[Tensor, Tensor], Tensor]) -> None:
    model = classifier()

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for step in range(3):
            x, y = batch(step)
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            score(model(X[100:160]), Y[100:160])

    observer = observed(loop)
    (kept,) = observer.models[0].roots[0].kept.evaluation
    assert kept.target is not None
    assert torch.equal(kept.target, Y[100:160])


def test_the_target_of_an_error_by_hand() -> None:
    torch.manual_seed(0)
    model, y = nn.Linear(6, 1), X[:, :1] * 2

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            F.mse_loss(model(X[:50]), y[:50]).backward()
            optimizer.step()
        with torch.no_grad():
            (model(X[50:]) - y[50:]).square().mean()

    observer = observed(loop)
    (kept,) = observer.models[0].roots[0].kept.evaluation
    assert kept.target is not None
    assert torch.equal(kept.target, y[50:])


def test_a_difference_of_outputs_is_no_comparison_with_a_target() -> None:
    model = classifier()

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(X[:50]), Y[:50]).backward()
        optimizer.step()
        with torch.no_grad():
            output = model(X[50:])
            (output - output.mean(0)).square().mean()

    observer = observed(loop)
    (kept,) = observer.models[0].roots[0].kept.evaluation
    assert kept.target is None


ERRORS: dict[str, Callable[[Tensor], object]] = {
    "squares": lambda d: (d**2).mean(),
    "products": lambda d: (d * d).sum(),
    "absolute": lambda d: torch.abs(d).max(),
    "norm": lambda d: d.norm(dim=1),
    "mean": lambda d: d.mean(),
}


def compared(use: Callable[[Tensor, Tensor, Tensor], object]) -> Tensor | None:
    """The target that is seen in an evaluation after training steps.

    Args:
        use: what the program does with input, outputs and targets.
    """
    torch.manual_seed(0)
    model, y = nn.Linear(6, 6), X.flip(1)

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            F.mse_loss(model(X[:50]), y[:50]).backward()
            optimizer.step()
        with torch.no_grad():
            use(X[50:], model(X[50:]), y[50:])

    (kept,) = observed(loop).models[0].roots[0].kept.evaluation
    return kept.target


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_the_size_of_a_difference_is_an_error(error: Callable[[Tensor], object]) -> None:
    target = compared(lambda x, out, y: error(out - y))
    assert target is not None
    assert torch.equal(target, X.flip(1)[50:])


def test_a_difference_that_is_a_step_is_no_error() -> None:
    # Samplers of diffusion models, and Euler's method.
    assert compared(lambda x, out, y: 1.2 * x - 0.4 * out) is None
    assert compared(lambda x, out, y: (1.2 * x - 0.4 * out) / 0.9 + torch.randn_like(x)) is None
