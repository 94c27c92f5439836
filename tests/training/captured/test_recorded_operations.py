"""A recorded computation gives the same bits for new inputs in the same memory, or says why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.parts.activations import ACTIVATIONS as ACTIVATIONS_OF_NETWISE
from netwise.parts.losses import LOSSES
from netwise.training.captured.recorded_operations import Recording

G = torch.Generator().manual_seed(0)
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "silu": F.silu,
    "elu": F.elu,
    "leaky": F.leaky_relu,
    "softplus": F.softplus,
    "selu": F.selu,
    "exp": torch.exp,
    "used twice": lambda x: x * torch.sigmoid(x) + x.square().mean(),
}
# A hinge takes classes only, and Maxout an even number of units.
PARTS = [each for each in (*LOSSES, *ACTIVATIONS_OF_NETWISE) if each not in (nw.Hinge, nw.Maxout)]
NORM = nn.BatchNorm1d(3)
ENDING: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "a number": (lambda x: x * float(x.sum()), "gives a number to Python"),
    "a mask": (lambda x: x[x > 0], "shape depends on their values"),
    "a buffer": (NORM, "as a buffer"),
    "a shape": (lambda x: (x * 2).t_(), "changes the shape of a tensor in place"),
    "an input": (lambda x: x.zero_(), "did not compute"),
    "large": (lambda x: torch.cdist(x.repeat(50, 1), x.repeat(50, 1)), "no kernel that writes"),
    "memory": (lambda x: x.repeat(6_000_000, 1), "would keep more than 256 MiB"),
}


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=G)


@pytest.mark.parametrize("bend", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_gradients_of_new_inputs_have_the_same_bits(bend: Callable[[Tensor], Tensor]) -> None:
    weight, x = drawn(5, 4).requires_grad_(), drawn(7, 4)

    def gradient() -> tuple[Tensor, Tensor]:
        loss = bend(F.linear(x, weight)).square().mean()
        return loss.detach(), torch.autograd.grad(loss, weight)[0]

    with Recording() as recording:
        loss, found = gradient()
    assert recording.reason == ""
    for _ in range(3):
        x.copy_(drawn(7, 4))
        weight.data.copy_(drawn(5, 4))
        recording.replay()
        expected = gradient()
        assert torch.equal(loss, expected[0])
        assert torch.equal(found, expected[1])


@pytest.mark.parametrize(("computation", "reason"), ENDING.values(), ids=ENDING)
def test_what_cannot_be_repeated_ends_the_recording_and_not_the_computation(
    computation: Callable[[Tensor], Tensor], reason: str
) -> None:
    x = drawn(4, 3)
    torch.manual_seed(1)
    expected = computation(x.clone())
    torch.manual_seed(1)
    with Recording() as recording:
        found = computation(x)
    assert torch.equal(found, expected)
    assert reason in recording.reason
    assert recording.operations == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_no_loss_or_activation_makes_torch_print_warnings(
    part: type[nw.Loss | nw.Activation], capfd: pytest.CaptureFixture[str]
) -> None:
    layer, x, y = nn.Linear(4, 3), drawn(8, 4), torch.rand(8, 3, generator=G)
    built = part().build()
    torch.manual_seed(0)
    with Recording() as recording:
        output = layer(x)
        loss = built(output, y) if issubclass(part, nw.Loss) else built(output).square().mean()
        gradients = torch.autograd.grad(loss, list(layer.parameters()))
    before = [each.clone() for each in gradients]
    torch.manual_seed(0)
    recording.replay()
    assert capfd.readouterr().err == ""
    if not recording.reason:
        assert all(map(torch.equal, gradients, before))


REPEATED: dict[str, Callable[[Tensor], Tensor]] = {
    "dropout": lambda x: F.dropout(x, 0.5),
    "noise": lambda x: x + torch.randn_like(x) * torch.rand(3),
    "a constant": lambda x: x + torch.arange(3),
    "a changed constant": lambda x: torch.zeros_like(x).add_(x).mul_(2),
    "two changed constants": lambda x: torch.ones(3).add_(x[0]) * torch.zeros(3).add_(x[1]).exp(),
    "convolution": lambda x: F.conv1d(x[None], torch.ones(4, 4, 1)),
    "layer norm": lambda x: F.layer_norm(x, (3,)),
    "scatter": lambda x: torch.zeros_like(x).scatter_(1, x.argmax(1, keepdim=True), 1.0) * x,
}


@pytest.mark.parametrize("computation", REPEATED.values(), ids=REPEATED)
def test_results_and_draws_are_those_of_the_computation(
    computation: Callable[[Tensor], Tensor],
) -> None:
    x = drawn(4, 3)
    with Recording() as recording:
        found = computation(x)
    assert recording.reason == ""
    for seed in range(3):
        x.copy_(drawn(4, 3))
        torch.manual_seed(seed)
        expected = computation(x)
        after = torch.rand(2)
        torch.manual_seed(seed)
        recording.replay()
        assert torch.equal(found, expected)
        assert torch.equal(torch.rand(2), after)


def test_running_statistics_are_part_of_the_state() -> None:
    layer, x = nn.BatchNorm1d(3), drawn(8, 3)
    other = nn.BatchNorm1d(3)
    with Recording(layer.buffers()) as recording:
        found = layer(x)
    expected = other(x)
    for _ in range(2):
        x.copy_(drawn(8, 3))
        recording.replay()
        expected = other(x)
    assert recording.reason == ""
    assert torch.equal(found, expected)
    assert all(map(torch.equal, layer.buffers(), other.buffers()))


def test_a_copy_at_the_end_is_part_of_it() -> None:
    x, target = drawn(3), torch.zeros(3)
    with Recording() as recording:
        y = x * 2
    recording.copy_at_end(target, y)
    x.fill_(4.0)
    recording.replay()
    assert target.tolist() == [8.0, 8.0, 8.0]


def test_an_optional_operation_that_cannot_be_repeated_ends_the_optional_ones_alone() -> None:
    x = drawn(3, 4)
    with Recording() as recording:
        y = x * 2
        with recording.optional():
            y.sum()
            y.unique()
            y.mean()
        z = y + 1
    assert recording.reason == ""
    assert "unique" in recording.not_optional
    assert [each.optional for each in recording.operations] == [False, True, False]
    expected = drawn(3, 4)
    x.copy_(expected)
    recording.replay()
    assert torch.equal(z, expected * 2 + 1)
