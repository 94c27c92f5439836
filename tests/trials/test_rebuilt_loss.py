"""Losses are rebuilt from an operation, a target and a recorded number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.trials.rebuilt_loss import loss_for_classes, rebuilt_loss
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    SQUARED_ERROR,
)

torch.manual_seed(0)
LOGITS, CLASSES = torch.randn(12, 4), torch.arange(12) % 4
WORDS, LETTERS = torch.randn(6, 5, 7), torch.randint(7, (6, 5))
ONE, BITS = torch.randn(12, 1), (torch.arange(12) % 2).float()
NUMBERS = torch.randn(12)

Loss = Callable[[Tensor, Tensor], Tensor]
CASES: dict[str, tuple[str, Tensor, Tensor, Tensor, Loss]] = {
    "cross-entropy": (CROSS_ENTROPY, LOGITS, CLASSES, CLASSES, F.cross_entropy),
    "double softmax": (
        CROSS_ENTROPY,
        LOGITS,
        CLASSES,
        CLASSES,
        lambda o, y: F.cross_entropy(o.softmax(1), y),
    ),
    "likelihood": (CROSS_ENTROPY, LOGITS.log_softmax(1), CLASSES, CLASSES, F.nll_loss),
    "letters of words": (
        CROSS_ENTROPY,
        WORDS,
        LETTERS.flatten(),
        LETTERS,
        lambda o, y: F.cross_entropy(o.flatten(0, 1), y.flatten()),
    ),
    "last position": (
        CROSS_ENTROPY,
        WORDS,
        LETTERS[:, 0],
        LETTERS[:, 0],
        lambda o, y: F.cross_entropy(o[:, -1], y),
    ),
    "bits": (
        BINARY_CROSS_ENTROPY_OF_LOGITS,
        ONE,
        BITS,
        BITS,
        lambda o, y: F.binary_cross_entropy_with_logits(o.squeeze(1), y),
    ),
    "bits of a sigmoid": (
        BINARY_CROSS_ENTROPY,
        ONE,
        BITS[:, None],
        BITS[:, None],
        lambda o, y: F.binary_cross_entropy(o.sigmoid(), y),
    ),
    "squares": (SQUARED_ERROR, ONE, NUMBERS, NUMBERS, lambda o, y: F.mse_loss(o[:, 0], y)),
    "absolute": (ABSOLUTE_ERROR, NUMBERS, BITS, BITS, F.l1_loss),
}


@pytest.mark.parametrize("name", CASES)
def test_the_loss_that_gives_the_number_is_found(name: str) -> None:
    operation, output, kept, target, loss = CASES[name]
    recorded = float(loss(output, target))
    found = rebuilt_loss([(output, kept)], operation, "mean", None, recorded, is_random=False)
    assert found is not None
    other = output + 0.1 * torch.sin(torch.arange(output.numel())).reshape(output.shape)
    if name == "likelihood":
        other = other.log_softmax(1)
    torch.testing.assert_close(found(other, kept), loss(other, target))


def test_another_number_is_no_loss() -> None:
    passes = [(LOGITS, CLASSES)]
    assert rebuilt_loss(passes, CROSS_ENTROPY, "mean", None, 77.0, is_random=False) is None
    assert rebuilt_loss(passes, CROSS_ENTROPY, "mean", None, None, is_random=True) is None
    assert rebuilt_loss(passes, "", "", None, 1.0, is_random=False) is None


def test_random_modules_and_penalties_leave_room() -> None:
    value = float(F.cross_entropy(LOGITS, CLASSES))
    passes = [(LOGITS, CLASSES)]
    near = rebuilt_loss(passes, CROSS_ENTROPY, "mean", None, 1.1 * value, is_random=True)
    assert near is not None
    penalised = rebuilt_loss(
        passes, CROSS_ENTROPY, "mean", None, 3 * value, is_random=False, penalised=True
    )
    assert penalised is not None
    assert float(penalised(LOGITS, CLASSES)) == pytest.approx(value)


def test_the_stated_function_is_used() -> None:
    def stated(output: Tensor, y: Tensor) -> Tensor:
        return (output[:, 0] - y).abs().max()

    value = float(stated(LOGITS, CLASSES))
    found = rebuilt_loss([(LOGITS, CLASSES)], "", "", None, value, is_random=False, stated=stated)
    assert found is not None
    assert found.kind == "classes"


def test_a_loss_for_classes_fits_outputs_and_targets() -> None:
    found = loss_for_classes(LOGITS, CLASSES)
    assert found is not None
    torch.testing.assert_close(found(LOGITS, CLASSES), F.cross_entropy(LOGITS, CLASSES))
    rows = loss_for_classes(LOGITS, F.one_hot(CLASSES, 4))
    assert rows is not None
    torch.testing.assert_close(
        rows(LOGITS, F.one_hot(CLASSES, 4)), F.cross_entropy(LOGITS, CLASSES)
    )
    assert loss_for_classes(LOGITS, CLASSES + 4) is None
    assert loss_for_classes(ONE, CLASSES) is None
    assert loss_for_classes(LOGITS, NUMBERS) is None


def test_classes_by_number_in_evaluation_are_rows_for_a_loss_of_rows() -> None:
    from netwise.trials.rebuilt_loss import _elementwise

    loss = _elementwise(F.mse_loss, lambda o: o, "mean")
    output, numbers = torch.randn(5, 3), torch.tensor([0, 2, 1, 1, 0])
    assert torch.equal(loss(output, numbers), loss(output, F.one_hot(numbers, 3).float()))
    with pytest.raises(ValueError, match="pass loss="):
        loss(output, torch.randn(5))
