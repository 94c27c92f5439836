"""Losses of evaluations against the same losses computed over all samples at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy  # a name of its own is recorded, too
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

from netwise.observe.evaluation_losses import EvaluationLosses
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    CROSS_ENTROPY,
    KL_DIVERGENCE,
    OTHER_LOSS,
    SQUARED_ERROR,
)


def draw(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


SCORES, CLASSES = draw(100, 4), torch.arange(100) % 4
OUT, TARGET = draw(100, 3), draw(100, 3, seed=4)
SHARES = torch.sigmoid(TARGET)
MAPS = torch.arange(600).view(100, 2, 3) % 4


@pytest.fixture
def losses() -> Iterator[EvaluationLosses]:
    mode = EvaluationLosses()
    mode.start()
    with torch.no_grad():
        yield mode
    mode.stop()
    assert mode.error == ""
    assert torch._C._len_torch_function_stack() == 0


CASES: dict[str, tuple[Callable[..., Tensor], Tensor, Tensor]] = {
    "cross_entropy": (F.cross_entropy, SCORES, CLASSES),
    "cross_entropy of shares": (F.cross_entropy, SCORES, SCORES.softmax(1)),
    "cross_entropy of maps": (F.cross_entropy, draw(100, 4, 2, 3), MAPS),
    "nll_loss": (F.nll_loss, SCORES.log_softmax(1), CLASSES),
    "mse_loss": (F.mse_loss, OUT, TARGET),
    "l1_loss": (F.l1_loss, OUT, TARGET),
    "binary_cross_entropy": (F.binary_cross_entropy, torch.sigmoid(OUT), SHARES),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, OUT, SHARES),
    "huber_loss": (F.huber_loss, OUT, TARGET),
    "smooth_l1_loss": (F.smooth_l1_loss, OUT, TARGET),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), SCORES, CLASSES),
    "NLLLoss": (nn.NLLLoss(), SCORES.log_softmax(1), CLASSES),
    "MSELoss": (nn.MSELoss(), OUT, TARGET),
    "L1Loss": (nn.L1Loss(), OUT, TARGET),
    "BCELoss": (nn.BCELoss(), torch.sigmoid(OUT), SHARES),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), OUT, SHARES),
    "HuberLoss": (nn.HuberLoss(), OUT, TARGET),
    "SmoothL1Loss": (nn.SmoothL1Loss(), OUT, TARGET),
    "one's own name": (cross_entropy, SCORES, CLASSES),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_mean_over_batches_is_that_of_all_samples(losses: EvaluationLosses, name: str) -> None:
    loss, output, target = CASES[name]
    values = [loss(o, t) for o, t in zip(output.split(30), target.split(30), strict=True)]
    row = losses.window_ends()
    losses.stop()
    assert row["valid.loss"] == pytest.approx(float(loss(output, target)), rel=1e-6)
    assert [v.shape for v in values] == [()] * 4
    if target.dtype == torch.long:
        right = (output.argmax(1) == target).double().mean()
        assert row["valid.accuracy"] == pytest.approx(float(right))
    else:
        assert "valid.accuracy" not in row
    assert losses.window_ends() == {}


@pytest.mark.parametrize("old", [False, True], ids=["reduction", "older arguments"])
@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_other_reductions_become_means_of_a_sample(
    losses: EvaluationLosses, reduction: str, old: bool
) -> None:
    def given() -> dict[str, Any]:
        if not old:
            return {"reduction": reduction}
        return {"size_average": False} if reduction == "sum" else {"reduce": False}

    for part in range(0, 100, 30):
        F.cross_entropy(SCORES[part : part + 30], CLASSES[part : part + 30], **given())
    row = losses.window_ends()
    assert row["valid.loss"] == pytest.approx(float(F.cross_entropy(SCORES, CLASSES)), rel=1e-6)
    total = float((OUT - TARGET).square().sum())
    losses.window_ends()
    for trained, divisor in (("sum", 100), ("mean", 300), ("", 100)):
        losses.trained_with(SQUARED_ERROR, trained)
        for part in range(0, 100, 30):
            F.mse_loss(OUT[part : part + 30], TARGET[part : part + 30], **given())
        expected = total / (divisor if reduction == "sum" else 300)
        assert losses.window_ends()["valid.loss"] == pytest.approx(expected, rel=1e-6)


pytestmark = pytest.mark.filterwarnings("ignore:size_average and reduce args")


def test_divergence_by_batches(losses: EvaluationLosses) -> None:
    logs, shares = SCORES.log_softmax(1), draw(100, 4, seed=7).softmax(1)
    for part in range(0, 100, 30):
        F.kl_div(logs[part : part + 30], shares[part : part + 30], reduction="batchmean")
    expected = float(F.kl_div(logs, shares, reduction="batchmean"))
    losses.trained_with(KL_DIVERGENCE, "batchmean")
    assert losses.window_ends()["valid.loss"] == pytest.approx(expected, rel=1e-6)


def test_ignored_targets_do_not_count(losses: EvaluationLosses) -> None:
    target = CLASSES.clone()
    target[::3] = -100
    target[60:90] = -100
    values = [
        F.cross_entropy(o, t) for o, t in zip(SCORES.split(30), target.split(30), strict=True)
    ]
    assert values[2].isnan()
    row = losses.window_ends()
    assert row["valid.loss"] == pytest.approx(float(F.cross_entropy(SCORES, target)), rel=1e-6)
    used = target >= 0
    assert row["valid.accuracy"] == pytest.approx(
        float((SCORES.argmax(1) == target)[used].double().mean())
    )
    F.cross_entropy(SCORES, torch.full((100,), 255), ignore_index=255)
    losses.window_ends()
    assert losses.window_ends() == {}


def test_the_loss_of_training_is_chosen_and_else_the_first(losses: EvaluationLosses) -> None:
    def window() -> dict[str, float]:
        F.l1_loss(OUT, TARGET)
        F.mse_loss(OUT, TARGET)
        F.binary_cross_entropy(torch.sigmoid(OUT), SHARES)
        return losses.window_ends()

    first, squared = float(F.l1_loss(OUT, TARGET)), float(F.mse_loss(OUT, TARGET))
    losses.window_ends()
    assert window() == {"valid.loss": pytest.approx(first)}
    losses.trained_with(SQUARED_ERROR, "mean")
    assert window() == {"valid.loss": pytest.approx(squared)}
    losses.trained_with("binary cross entropy of logits", "mean")
    binary = float(F.binary_cross_entropy(torch.sigmoid(OUT), SHARES))
    losses.window_ends()
    assert window() == {"valid.loss": pytest.approx(binary)}
    losses.trained_with(CROSS_ENTROPY, "mean")
    assert window() == {}  # none of them can be compared with the training loss
    assert BINARY_CROSS_ENTROPY != OTHER_LOSS


def test_training_data_and_other_data_are_told_apart(losses: EvaluationLosses) -> None:
    losses.pass_ends(on_training_rows=True)
    F.cross_entropy(SCORES, CLASSES)
    losses.pass_ends(on_training_rows=False)
    F.cross_entropy(SCORES * 0, CLASSES)
    losses.pass_ends(root=1)
    F.mse_loss(OUT, TARGET)
    row = losses.window_ends()
    assert set(losses.window_ends(1)) == {"valid.loss"}
    assert row["valid.loss"] == pytest.approx(1.386294, abs=1e-6)
    assert row["train.loss"] == pytest.approx(float(F.cross_entropy(SCORES, CLASSES)))
    assert row["train.accuracy"] == pytest.approx(
        float((SCORES.argmax(1) == CLASSES).double().mean())
    )


@dataclass
class Answer:
    """What a model of transformers returns."""

    loss: Tensor
    logits: Tensor


def test_losses_that_a_module_computes_itself(losses: EvaluationLosses) -> None:
    losses.trained_with(CROSS_ENTROPY, "mean")
    losses.pass_ends(output=Answer(torch.tensor(3.0), SCORES[:30]), rows=30)
    losses.pass_ends(output={"loss": torch.tensor(1.0), "logits": SCORES[:10]}, rows=10)
    assert losses.window_ends() == {"valid.loss": 2.5}
    losses.pass_ends(output=(torch.tensor(3.0), SCORES[:30]), rows=30)
    losses.pass_ends(output=torch.tensor(1.0), rows=10)
    assert losses.window_ends() == {"valid.loss": 2.5}
    losses.pass_ends(output=Answer(torch.ones(2), SCORES))
    losses.pass_ends(output={"loss": 3.0})
    losses.pass_ends(output=SCORES)
    losses.pass_ends(output=(SCORES, SCORES))
    assert losses.window_ends() == {}


def test_losses_with_gradients_are_not_recorded(losses: EvaluationLosses) -> None:
    with torch.enable_grad():
        F.mse_loss(OUT.clone().requires_grad_(), TARGET).backward()
    assert losses.window_ends() == {}
    with torch.enable_grad():  # outputs of `no_grad`, their loss after the block
        F.mse_loss(OUT, TARGET)
    assert "valid.loss" in losses.window_ends()


def test_inference_mode_and_autocast(losses: EvaluationLosses) -> None:
    with torch.inference_mode():
        F.mse_loss(OUT + 0, TARGET + 0)
    expected = float(F.mse_loss(OUT, TARGET))
    assert losses.window_ends()["valid.loss"] == pytest.approx(expected)
    linear = nn.Linear(4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = F.cross_entropy(linear(SCORES), CLASSES)
    assert losses.window_ends()["valid.loss"] == pytest.approx(float(value))


def test_calls_that_fail_fail_as_before(losses: EvaluationLosses) -> None:
    with pytest.raises((RuntimeError, ValueError)):
        F.cross_entropy(SCORES, CLASSES[:7])
    with pytest.raises(TypeError):
        F.mse_loss(OUT)  # type: ignore[call-arg]
    assert losses.window_ends() == {}


def test_an_error_of_its_own_switches_it_off() -> None:
    losses = EvaluationLosses()
    losses._means = None  # type: ignore[assignment]
    losses.start()
    with torch.no_grad():
        assert torch.equal(F.mse_loss(OUT, OUT), torch.tensor(0.0))
        assert "TypeError" in losses.error
        F.mse_loss(OUT, OUT)
    losses.stop()


class Counting(TorchFunctionMode):
    """A mode of a program of its own."""

    calls = 0  # of losses

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += func is F.mse_loss
        return func(*args, **(kwargs or {}))


def test_modes_of_the_program_are_entered_and_left_as_before() -> None:
    losses, counting = EvaluationLosses(), Counting()
    with counting:
        losses.start()
        losses.start()
        assert torch._C._len_torch_function_stack() == 2
        with torch.no_grad():
            F.mse_loss(OUT, TARGET)
        assert counting.calls == 1
    with torch.no_grad():
        F.mse_loss(OUT, TARGET)
    assert counting.calls == 1
    with torch.device("meta"):
        assert torch.zeros(2).is_meta
        losses.stop()
        losses.start()
        assert torch.zeros(2).is_meta
    assert not torch.zeros(2).is_meta
    losses.stop()
    losses.stop()
    assert torch._C._len_torch_function_stack() == 0
    for context in (torch.device("meta"), DeviceContext("meta")):
        losses.stop()
        with context:
            losses.start()
    assert not torch.zeros(2).is_meta
    losses.stop()
    assert "valid.loss" in losses.window_ends()


def test_the_default_device_can_be_set_while_losses_are_recorded() -> None:
    losses = EvaluationLosses()
    try:
        losses.start()
        torch.set_default_device("meta")
        losses.stop()
        losses.start()
        assert torch.zeros(2).is_meta
        with torch.device("cpu"):
            losses.stop()
            losses.start()
            assert not torch.zeros(2).is_meta
        assert torch.zeros(2).is_meta
    finally:
        torch.set_default_device(None)
    assert not torch.zeros(2).is_meta
    assert torch._C._len_torch_function_stack() == 1
    losses.stop()


def test_other_threads_are_not_recorded(losses: EvaluationLosses) -> None:
    thread = threading.Thread(target=F.mse_loss, args=(OUT, TARGET))
    thread.start()
    thread.join()
    assert losses.window_ends() == {}


@pytest.mark.filterwarnings("ignore")
def test_compiled_models_are_not_broken() -> None:
    torch._dynamo.reset()
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)

    @torch.compile(backend="aot_eager", fullgraph=True)
    def inside(x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(net(x), y)

    with torch.no_grad():
        expected = F.cross_entropy(net(SCORES), CLASSES)
        losses = EvaluationLosses()
        for _ in range(3):
            losses.start()
            value = F.cross_entropy(compiled(SCORES), CLASSES)
            whole = inside(SCORES, CLASSES)
            losses.stop()
            inside(SCORES, CLASSES)
    assert torch.equal(value, expected)
    assert torch.allclose(whole, expected)
    assert losses.error == ""
    assert losses.window_ends()["valid.loss"] == pytest.approx(float(expected))
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore")
def test_transformed_and_traced_losses_are_left_out(losses: EvaluationLosses) -> None:
    torch.vmap(F.mse_loss)(OUT, TARGET)
    torch.func.grad(F.mse_loss)(OUT, TARGET)
    torch.jit.trace(F.mse_loss, (OUT, TARGET), check_trace=False)
    F.mse_loss(OUT.to("meta"), TARGET.to("meta"))
    assert losses.window_ends() == {}


@pytest.mark.parametrize("with_logits", [True, False])
def test_the_accuracy_of_answers_of_yes_or_no(losses: EvaluationLosses, with_logits: bool) -> None:
    logits = torch.tensor([[2.0], [-1.0], [0.5], [-3.0]])
    target = torch.tensor([[1.0], [1.0], [0.0], [0.0]])
    losses.start()
    with torch.no_grad():
        if with_logits:
            F.binary_cross_entropy_with_logits(logits, target)
        else:
            F.binary_cross_entropy(logits.sigmoid(), target)
    losses.stop()
    assert losses.window_ends()["valid.accuracy"] == 0.5


def test_no_accuracy_of_uncertain_targets_or_of_several_labels(losses: EvaluationLosses) -> None:
    losses.start()
    with torch.no_grad():
        F.binary_cross_entropy_with_logits(torch.zeros(4, 1), torch.full((4, 1), 0.3))
        F.binary_cross_entropy_with_logits(torch.zeros(4, 3), torch.ones(4, 3))
    losses.stop()
    assert set(losses.window_ends()) == {"valid.loss"}
