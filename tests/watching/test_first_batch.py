"""`watch` asks copies about the first batch before the first step, and changes nothing."""

from __future__ import annotations

import gc
import weakref

import torch
from torch import nn

import netwise as nw

X = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
Y = torch.arange(12) % 3


def train(model: nn.Module, steps: int = 3, autocast: bool = False) -> list[float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = nn.functional.cross_entropy(model(X), Y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def model() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)
    )


def test_it_is_asked_once_for_each_module_and_unless_switched_off() -> None:
    with nw.watch() as w:
        train(model())
        train(nn.Sequential(nn.Linear(5, 3), nn.Softmax(0)))
    first, second = (history.first_batch for history in w.histories().values())
    assert first is not None
    assert second is not None
    assert (first.samples_mix, second.mixed_by) == ("", "softmax")
    with nw.watch(preflight=False) as w:
        train(model())
    assert w.history().first_batch is None


def test_the_weights_are_those_before_the_first_step() -> None:
    # After one step of this rate all units are dead; before it none is.
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    with nw.watch() as w:
        nn.functional.cross_entropy(net(X), Y).backward()
        net[0].bias.grad.fill_(1e4)
        optimizer.step()
    assert float(net[:2](X).detach().abs().max()) == 0
    assert w.history().first_batch.constant_output is False  # type: ignore[union-attr]


def test_losses_and_random_numbers_are_those_without_it() -> None:
    plain = train(model(), 6), torch.rand(3).tolist()
    with nw.watch() as w:
        watched = train(model(), 6), torch.rand(3).tolist()
    assert watched == plain
    assert w.history().first_batch.noise_share > 0  # type: ignore[union-attr, operator]
    assert w.errors == ()


def test_under_autocast_the_copy_is_called_likewise() -> None:
    with nw.watch() as w:
        train(nn.Sequential(nn.Linear(5, 3)).bfloat16(), autocast=True)
    facts = w.history().first_batch
    assert facts is not None
    assert facts.samples_mix == "", facts.not_known


def test_inputs_of_a_module_that_is_not_trained_are_not_kept() -> None:
    teacher = nn.Linear(5, 3)
    with nw.watch():
        inputs = torch.randn(4, 5)
        gone = weakref.ref(inputs.untyped_storage())
        teacher(inputs)
        del inputs
        train(model(), 20)
        gc.collect()
        assert gone() is None
