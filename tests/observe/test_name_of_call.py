"""The name by which a program calls a module."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import netwise as nw

X, Y = torch.randn(16, 4), torch.arange(16) % 3


def layer() -> nn.Linear:
    return nn.Linear(4, 3)


class Trainer:
    def __init__(self) -> None:
        self.critic = layer()

    def answer(self) -> torch.Tensor:
        return self.critic(X)


def named(answer: Callable[[], torch.Tensor], module: nn.Module) -> str:
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(3):
            optimizer.zero_grad()
            nn.functional.cross_entropy(answer(), Y).backward()
            optimizer.step()
    (name,) = w.histories()
    return name


def test_a_variable() -> None:
    généré = layer()
    assert named(lambda: généré(X), généré) == "généré"


def test_a_part_of_self() -> None:
    trainer = Trainer()
    assert named(trainer.answer, trainer.critic) == "critic"


def test_a_part_of_another_object() -> None:
    nets = SimpleNamespace(critic=layer())
    assert named(lambda: nets.critic(X), nets.critic) == "nets_critic"
    by_name = {"critic": layer(), "strange name": layer()}
    assert named(lambda: by_name["critic"](X), by_name["critic"]) == "by_name_critic"
    assert named(lambda: by_name["strange name"](X), by_name["strange name"]) == "Linear"


def test_a_call_over_several_lines_behind_other_text() -> None:
    net = layer()
    # fmt: off
    assert named(lambda: (1 * net(
        X,
    )), net) == "net"
    # fmt: on


@pytest.mark.parametrize("way", ["functional", "expression", "forward"])
def test_calls_without_a_name(way: str) -> None:
    net = layer()
    ways = {
        "functional": lambda: torch.func.functional_call(net, dict(net.named_parameters()), X),
        "expression": lambda: (net or net)(X),
        "forward": lambda: nn.Sequential(net)[0](X),
    }
    assert named(ways[way], net) == "Linear"


def test_a_class_of_the_programs_own_has_its_own_name() -> None:
    class Critic(nn.Linear):
        pass

    net = Critic(4, 3)
    assert named(lambda: net(X), net) == "Critic"


def test_nothing_that_the_program_deletes_is_kept() -> None:
    import weakref

    net = layer()
    net(X).sum().backward()
    with nw.watch():
        net(X).sum().backward()
        known = weakref.ref(net)
        del net
        assert known() is None
