"""Evaluations of a training loop: their losses against those that the loop computes itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise import signals

Evaluate = Callable[[nn.Module, Tensor, Tensor], float]


def data(seed: int, rows: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


X, Y = data(0, 400)
X_VALID, Y_VALID = data(1, 200)


def net(momentum: float = 0.1) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(8, 32),
        nn.BatchNorm1d(32, momentum=momentum),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(32, 3),
    )


@dataclass
class Watched:
    """A history, and the losses that the loop measured itself."""

    history: nw.History
    measured: list[float]

    def values(self, signal: str) -> list[float]:
        series = self.history.of(signal)
        return [] if series is None else list(series.values)

    def found(self) -> tuple[str, ...]:
        return nw.diagnose(self.history).names


def train(
    evaluate: Evaluate,
    module: nn.Module | None = None,
    epochs: int = 6,
    x_valid: Tensor = X_VALID,
    evaluation_mode: bool = True,
    batch: int = 40,
) -> Watched:
    module = module or net()
    optimizer, measured = torch.optim.Adam(module.parameters(), 1e-2), []
    with nw.watch() as w:
        for _ in range(epochs):
            module.train()
            for i in torch.randperm(400).split(batch):
                optimizer.zero_grad()
                F.cross_entropy(module(X[i]), Y[i]).backward()
                optimizer.step()
            if evaluation_mode:
                module.eval()
            measured.append(evaluate(module, x_valid, Y_VALID))
    assert w.errors == ()
    return Watched(w.history(), measured)


def in_a_block(module: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.no_grad():
        losses = [
            F.cross_entropy(module(a), b).item()
            for a, b in zip(x.split(50), y.split(50), strict=True)
        ]
    return sum(losses) / len(losses)


@torch.no_grad()
def decorated(module: nn.Module, x: Tensor, y: Tensor) -> float:
    criterion = nn.CrossEntropyLoss(reduction="sum")
    losses = [criterion(module(a), b).item() for a, b in zip(x.split(30), y.split(30), strict=True)]
    return sum(losses) / len(x)


@torch.inference_mode()
def in_inference_mode(module: nn.Module, x: Tensor, y: Tensor) -> float:
    return F.nll_loss(module(x).log_softmax(1), y).item()


@torch.no_grad()
def one_batch(module: nn.Module, x: Tensor, y: Tensor) -> float:
    return F.cross_entropy(module(x), y).item()


def batch_by_batch(module: nn.Module, x: Tensor, y: Tensor) -> float:
    parts = zip(x.split(50), y.split(50), strict=True)
    return sum(one_batch(module, a, b) for a, b in parts) / 4


def after_the_block(module: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.no_grad():
        output = module(x)
    return nn.CrossEntropyLoss()(output, y).item()


def with_switches(module: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.set_grad_enabled(False):
        output = module(x)
        with torch.enable_grad():
            torch.ones(3, requires_grad=True).sum().backward()
        return F.cross_entropy(output, y).item()


@pytest.mark.parametrize(
    "evaluate",
    [in_a_block, decorated, in_inference_mode, batch_by_batch, after_the_block, with_switches],
    ids=lambda evaluate: evaluate.__name__,
)
def test_the_loss_of_each_evaluation(evaluate: Evaluate) -> None:
    watched = train(evaluate)
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured, rel=1e-5)
    assert len(watched.values(signals.VALID_ACCURACY)) == 6
    assert watched.values(signals.EVALUATION_MODE) == [1] * 6
    assert max(watched.values(signals.EVALUATION_INPUT_OFFSET)) < 0.2
    assert watched.found() == ()


def with_gradients(module: nn.Module, x: Tensor, y: Tensor) -> float:
    """As in programs that forget `torch.no_grad()`."""
    losses = [
        F.cross_entropy(module(a), b).item() for a, b in zip(x.split(50), y.split(50), strict=True)
    ]
    return sum(losses) / len(losses)


def test_evaluation_mode_alone_once_the_program_has_left_it_before() -> None:
    """The first one might be followed by training in evaluation mode."""
    watched = train(with_gradients)
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured[1:], rel=1e-5)
    assert len(watched.values(signals.VALID_ACCURACY)) == 5
    assert watched.found() == ()
    sick = train(with_gradients, net(momentum=0.99), batch=4)
    assert sick.values(signals.NORM_MEAN_OFFSET)[-1] > 0.5


def test_blocks_without_gradients_are_as_they_are_in_any_mode() -> None:
    def both(module: nn.Module, x: Tensor, y: Tensor) -> float:
        loss = in_a_block(module, x, y)
        with_gradients(module, x, y)
        return loss

    watched = train(both)
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured, rel=1e-5)


def test_training_goes_on_in_evaluation_mode() -> None:
    """An evaluation within each epoch, behind which `train()` is missing."""
    module = net()
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    with nw.watch() as w:
        for _ in range(6):
            module.train()
            for number, i in enumerate(torch.randperm(400).split(40)):
                optimizer.zero_grad()
                F.cross_entropy(module(X[i]), Y[i]).backward()
                optimizer.step()
                if number == 3:
                    with_gradients(module.eval(), X_VALID, Y_VALID)
    assert w.errors == ()
    assert [f.rule for f in nw.diagnose(w.history()).found] == ["evaluation_mode_in_training"]


def test_gradients_of_inputs_in_evaluation_mode() -> None:
    """As of an attack: backward passes in evaluation mode, and no step."""

    def attacked(module: nn.Module, x: Tensor, y: Tensor) -> float:
        x = x.clone().requires_grad_()
        F.cross_entropy(module(x), y).backward()
        module.zero_grad()
        return F.cross_entropy(module(x + 0.01 * x.grad.sign()), y).item()

    watched = train(attacked)
    assert watched.found() == ()


def test_an_evaluation_before_the_first_step_is_no_part_of_the_next_one() -> None:
    """As Lightning tries it."""
    module = net()
    with nw.watch() as w:
        in_a_block(module.eval(), X_VALID, Y_VALID)
        module.train()
        optimizer = torch.optim.Adam(module.parameters(), 1e-2)
        for i in torch.randperm(400).split(40):
            optimizer.zero_grad()
            F.cross_entropy(module(X[i]), Y[i]).backward()
            optimizer.step()
        measured = in_a_block(module.eval(), X_VALID, Y_VALID)
    assert w.history().of(signals.VALID_LOSS).values == pytest.approx((measured,), rel=1e-5)


def test_both_parts_are_evaluated() -> None:
    on_training_data: list[float] = []

    def both(module: nn.Module, x: Tensor, y: Tensor) -> float:
        with torch.no_grad():
            on_training_data.append(F.cross_entropy(module(X), Y).item())
            return F.cross_entropy(module(x), y).item()

    watched = train(both)
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured, rel=1e-5)
    assert watched.values(signals.TRAIN_LOSS) == pytest.approx(on_training_data, rel=1e-5)


def test_training_data_are_no_validation_data() -> None:
    watched = train(lambda module, x, y: in_a_block(module, X, Y))
    assert watched.values(signals.VALID_LOSS) == []
    assert watched.values(signals.TRAIN_LOSS) == pytest.approx(watched.measured, rel=1e-5)


def test_a_module_that_computes_its_loss_itself() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = net()

        def forward(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor] | Tensor:
            scores = self.body(x)
            if y is None:
                return scores
            return {"loss": F.cross_entropy(scores, y), "logits": scores}

    def evaluate(module: nn.Module, x: Tensor, y: Tensor) -> float:
        with torch.no_grad():
            losses = [
                module(a, b)["loss"].item() for a, b in zip(x.split(50), y.split(50), strict=True)
            ]
        return sum(losses) / 4

    watched = train(evaluate, Own())
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured, rel=1e-5)


def test_training_mode_left_on() -> None:
    watched = train(in_a_block, evaluation_mode=False)
    assert watched.values(signals.EVALUATION_MODE) == [0] * 6
    assert watched.found()[:1] == ("training_mode_in_evaluation",)


def test_inputs_that_are_scaled_otherwise() -> None:
    watched = train(in_a_block, x_valid=X_VALID * 20 + 30)
    assert min(watched.values(signals.EVALUATION_INPUT_OFFSET)) > 20
    assert min(watched.values(signals.EVALUATION_INPUT_RATIO)) > 15
    assert watched.found()[:1] == ("evaluation_prepared_otherwise",)


def test_a_module_may_scale_its_inputs_itself() -> None:
    """Inputs of the module are compared with each other, not with those of its first layer."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = net()

        def forward(self, x: Tensor) -> Tensor:
            return self.body((x - 128) / 64)

    module = Scaled()
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    with nw.watch() as w:
        for _ in range(5):
            module.train()
            for i in torch.arange(400).split(40):
                optimizer.zero_grad()
                F.cross_entropy(module(X[i] * 64 + 128), 2 - Y[i]).backward()
                optimizer.step()
            module.eval()
            in_a_block(module, X_VALID * 64 + 128, Y_VALID)  # labels that belong to no input
    assert "evaluation_prepared_otherwise" not in nw.diagnose(w.history()).names


def test_running_statistics_of_the_last_batch() -> None:
    sick = train(in_a_block, net(momentum=0.99), batch=4)
    assert sick.values(signals.NORM_MEAN_OFFSET)[-1] > 0.5
    assert sick.values(signals.NORM_VARIANCE_RATIO)[-1] > 0.8
    healthy = train(in_a_block, net(momentum=0.01), batch=4, epochs=10)
    assert healthy.values(signals.NORM_MEAN_OFFSET)[-1] < 0.2
    assert healthy.values(signals.NORM_VARIANCE_RATIO)[-1] < 0.5


def test_passes_of_a_teacher_are_no_evaluation() -> None:
    module, teacher = net(), net()
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    with nw.watch() as w:
        for i in torch.randperm(400).repeat(3).split(40):
            with torch.no_grad():
                target = teacher(X[i]).softmax(1)
                own = module(X[i]).softmax(1)
            optimizer.zero_grad()
            F.cross_entropy(module(X[i]), (target + own) / 2).backward()
            optimizer.step()
    history = w.history()
    assert history.of(signals.VALID_LOSS) is None
    assert history.of(signals.EVALUATION_MODE) is None
    assert "training_mode_in_evaluation" not in nw.diagnose(history).names


def test_new_statistics_of_batch_norm_are_no_evaluation() -> None:
    module = net()
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    with nw.watch() as w:
        for _ in range(4):
            for i in torch.randperm(400).split(40):
                optimizer.zero_grad()
                F.cross_entropy(module(X[i]), Y[i]).backward()
                optimizer.step()
            torch.optim.swa_utils.update_bn(X.split(40), module)
    assert w.history().of(signals.EVALUATION_MODE) is None


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_module_is_evaluated() -> None:
    torch._dynamo.reset()
    compiled = torch.compile(net(), backend="aot_eager", fullgraph=True)
    counter = torch._dynamo.utils.counters
    counter.clear()
    watched = train(in_a_block, compiled)
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured, rel=1e-5)
    assert not counter["graph_break"]
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_function_is_evaluated() -> None:
    torch._dynamo.reset()
    module = net()

    @torch.compile(backend="aot_eager", fullgraph=True)
    def loss_of(x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(module(x), y)

    def evaluate(module: nn.Module, x: Tensor, y: Tensor) -> float:
        with torch.no_grad():
            in_a_block(module, x, y)
            return float(loss_of(x, y))

    watched = train(evaluate, module)
    assert watched.values(signals.VALID_LOSS) == pytest.approx(watched.measured, rel=0.1)
    torch._dynamo.reset()


def test_the_mode_that_is_set_is_not_left_replaced() -> None:
    before = nn.Module.train
    train(with_gradients)
    assert nn.Module.train is before


def test_numbers_are_those_without_observation() -> None:
    def losses(observed: bool) -> list[float]:
        module, values = net(), []
        optimizer = torch.optim.Adam(module.parameters(), 1e-2)
        w = nw.watch()
        if observed:
            w.start()
        torch.manual_seed(3)
        for _ in range(4):
            module.train()
            for i in torch.randperm(400).split(40):
                optimizer.zero_grad()
                loss = F.cross_entropy(module(X[i]), Y[i])
                loss.backward()
                optimizer.step()
                values.append(loss.item())
            values.append(after_the_block(module, X_VALID, Y_VALID))
            module.eval()
            values.append(in_inference_mode(module, X_VALID, Y_VALID))
        if observed:
            w.stop()
        return [*values, torch.rand(1).item()]

    assert losses(True) == losses(False)
    assert torch._C._len_torch_function_stack() == 0
