"""Tests of programs that train one network with several optimizers, one after the other or in
turn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise import signals
from netwise.diagnosis.rules import wiring

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))


def step(net: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(X), Y)
    loss.backward()
    optimizer.step()
    return loss.item()


def of(history: nw.History, signal: str) -> nw.Series:
    series = history.of(signal)
    assert series is not None
    return series


@pytest.mark.parametrize(
    ("case", "weights"),
    [
        ("attached", ("head.weight", "head.bias")),
        ("nowhere", ("of shape (2, 16)", "of shape (2,)")),
        ("replaced", ("of shape (2, 16)", "of shape (2,)")),
        ("used", ()),
        ("used later", ()),
        ("beside another one", ()),
        ("by hand", ()),
        ("no loss", ()),
    ],
)
def test_a_second_optimizer_whose_weights_no_loss_reaches(
    case: str, weights: tuple[str, ...]
) -> None:
    net, head = network(), nn.Linear(16, 2)
    with nw.watch() as w:
        first = torch.optim.SGD(net.parameters(), lr=0.2)
        for _ in range(30):
            step(net, first)
        held: nn.Module = head
        if case == "attached":
            net.head = head
            net.forward = lambda x: net[2](net[1](net[0](x)))  # type: ignore[method-assign]
        if case == "replaced":
            held, net[2] = net[2], head
        if case == "used":
            net[2] = head
        second = torch.optim.Adam(held.parameters(), lr=0.01)
        for number in range(40):
            if case == "no loss":
                second.step()
                continue
            if case == "used later" and number == 30:
                net[2] = head
            step(net, second)
            if case == "beside another one":
                step(net, first)
            if case == "by hand":
                for p in net.parameters():
                    assert p.grad is not None
                    p.data -= 0.1 * p.grad
                    p.grad = None
    history = w.history()
    assert w.errors == ()
    assert history.wiring is not None
    assert history.wiring.idle_weights == weights
    finding = wiring.weights_stand_still(history)
    assert isinstance(finding, nw.Finding) is bool(weights)


@pytest.mark.parametrize("other_line", [False, True])
def test_an_optimizer_that_goes_on_where_another_one_has_stopped(other_line: bool) -> None:
    net = network()
    losses = []
    with nw.watch() as w:
        first = torch.optim.SGD(net.parameters(), lr=0.2)
        losses += [step(net, first) for _ in range(20)]
        second = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(60):
            if other_line:
                second.zero_grad()
                loss = nn.functional.cross_entropy(net(X), Y)
                loss.backward()
                second.step()
                losses.append(loss.item())
            else:
                losses.append(step(net, second))
    history = w.history()
    recorded = of(history, signals.LOSS)
    # The first step of an optimizer that was not known is not watched.
    assert set(range(80)) - set(recorded.steps) <= {20}
    assert list(recorded.values) == pytest.approx([losses[at] for at in recorded.steps])
    rates = of(history, signals.RATE)
    assert {rate for at, rate in zip(rates.steps, rates.values, strict=True) if at < 20} == {0.2}
    assert {rate for at, rate in zip(rates.steps, rates.values, strict=True) if at >= 20} == {0.01}
    assert (history.facts.optimizer, history.facts.rate) == ("Adam", 0.01)
    assert history.facts.classes == 2
    assert history.facts.loss_of_guessing == pytest.approx(0.69, abs=0.01)


def test_a_new_optimizer_for_each_epoch() -> None:
    net = network()
    with nw.watch() as w:
        for _ in range(4):
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            for _ in range(10):
                step(net, optimizer)
    assert set(range(40)) - set(of(w.history(), signals.LOSS).steps) <= {10, 20, 30}


def test_optimizers_in_turn_have_the_losses_of_the_first() -> None:
    net = network()
    with nw.watch() as w:
        one = torch.optim.SGD(net[0].parameters(), lr=0.1)
        other = torch.optim.SGD(net[2].parameters(), lr=0.05)
        losses = []
        for _ in range(30):
            losses.append(step(net, one))
            step(net, other)
    history = w.history()
    assert list(of(history, signals.LOSS).values) == pytest.approx(losses)
    assert history.facts.rate == 0.1


def test_losses_of_the_same_form_in_turn_are_not_one() -> None:
    """Real and generated samples, each with a backward pass of its own."""
    torch.manual_seed(0)
    critic = nn.Linear(6, 1)
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(critic(X), torch.ones(64, 1)).backward()
            nn.functional.binary_cross_entropy_with_logits(
                critic(-X), torch.zeros(64, 1)
            ).backward()
            optimizer.step()
    history = w.history()
    assert history.facts.loss_of_guessing is None
    assert "one_class" not in {f.rule for f in nw.diagnose(history).found}
