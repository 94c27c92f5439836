"""A program gives the bits of the steps that it was written from, in one call."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.training.captured.recorded_operations import Recording
from netwise.training.captured.step_program import CannotBeWritten, StepProgram

G = torch.Generator().manual_seed(0)
X, Y = torch.randn(40, 6, generator=G), torch.randint(3, (40,), generator=G)
ROWS = torch.randperm(40, generator=G).view(8, 5)
RATES = [0.1 / (1 + i) for i in range(8)]
UPDATES: dict[str, Callable[[list[nn.Parameter]], torch.optim.Optimizer]] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, fused=True),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, fused=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.1, fused=True),
}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)
    )


def step(model: nn.Module, optimizer: torch.optim.Optimizer, rows: Tensor, rate: float) -> Tensor:
    optimizer.param_groups[0]["lr"] = rate
    loss = F.cross_entropy(model(X[rows]), Y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def state(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[Tensor]:
    kept = [each for values in optimizer.state.values() for each in values.values()]
    return [*model.parameters(), *model.buffers(), *(k for k in kept if isinstance(k, Tensor))]


@pytest.mark.parametrize("make", UPDATES.values(), ids=UPDATES)
def test_rounds_are_the_steps_of_torch(
    make: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
) -> None:
    one, other = network(), network()
    first, second = make(list(one.parameters())), make(list(other.parameters()))
    for model, optimizer in ((one, first), (other, second)):
        torch.manual_seed(1)
        step(model, optimizer, ROWS[0], RATES[0])
    x, y = X[ROWS[1]], Y[ROWS[1]]
    first.param_groups[0]["lr"] = RATES[1]
    torch.manual_seed(2)
    with Recording(state(one, first)) as recording:
        output = one(x)
        loss = F.cross_entropy(output, y)
        found = torch.autograd.grad(loss, list(one.parameters()))
        for parameter, gradient in zip(one.parameters(), found, strict=True):
            parameter.grad = gradient
        first.step()
    assert recording.reason == ""
    program = StepProgram(recording.operations, [(X, x), (Y, y)], output.detach(), loss.detach())
    outputs, losses = program.run(ROWS[2:], RATES[2:])
    torch.manual_seed(2)
    expected = [step(other, second, ROWS[i], RATES[i]) for i in range(1, 8)]
    assert outputs.shape == (6, 5, 3)
    assert torch.equal(losses, torch.stack(expected[1:]))
    assert torch.equal(outputs[-1], output)
    assert program.uses_rate
    assert all(map(torch.equal, state(one, first), state(other, second)))


@pytest.mark.parametrize(
    "constant", [2, -3, True, 0.1, -1e-30, 1e300, -0.0], ids=lambda value: repr(value)
)
def test_constants_keep_their_bits(constant: float) -> None:
    x = X[:2].double()
    with Recording() as recording:
        y = x * constant
    program = StepProgram(recording.operations, [(X.double(), x)], y, y.sum())
    outputs, _ = program.run(torch.tensor([[4, 5]]), [0.0])
    expected = X[4:6].double() * constant
    assert torch.equal(outputs[0].view(torch.int64), expected.view(torch.int64))


def test_results_that_are_lists_are_taken_apart() -> None:
    x = X[:2].clone()
    with Recording() as recording:
        parts = torch._foreach_norm([x, x * 2])
        y = torch.stack(parts)
    program = StepProgram(recording.operations, [(X, x)], y, y.sum())
    outputs, _ = program.run(torch.tensor([[4, 5], [6, 7]]), [0.0, 0.0])
    assert torch.equal(outputs[1], torch.stack([X[6:8].norm(), (X[6:8] * 2).norm()]))


def test_what_the_text_cannot_hold_is_an_error() -> None:
    x, own = X[:2].clone(), torch.Generator().manual_seed(0)
    with Recording() as recording:
        y = torch.bernoulli(x.sigmoid(), generator=own)
    with pytest.raises(CannotBeWritten, match="random generator of its own"):
        StepProgram(recording.operations, [(X, x)], y, y.sum())
    for value in (math.inf, 5e-324):
        with Recording() as recording:
            y = x.clamp(max=value)
        with pytest.raises(CannotBeWritten, match=repr(value)):
            StepProgram(recording.operations, [(X, x)], y, y.sum())


def test_some_rounds_keep_more_than_their_outputs() -> None:
    x, done = X[:2].clone(), torch.zeros(())
    with Recording([done]) as recording:
        y = x * 2
        with recording.optional():
            done += 1
            whole, turned = y.sum(), y.t()
        z = y + 1
    kept = [[whole, turned], [done.long()]]
    program = StepProgram(recording.operations, [(X, x)], z, z.sum(), kept[:1])
    rows = torch.arange(8).view(4, 2)
    outputs, _, numbers = program.run(rows, [0.0] * 4, [False, True, False, True])
    assert done == 1 + 2  # when it was recorded, and in two rounds
    assert torch.equal(outputs[3], X[6:8] * 2 + 1)
    for row, of in zip(numbers, (X[2:4] * 2, X[6:8] * 2), strict=True):
        assert torch.equal(row, torch.cat((of.sum()[None], of.t().reshape(-1))))
    _, _, none = program.run(rows, [0.0] * 4)
    assert (none.shape, done) == ((0, 13), 3)
