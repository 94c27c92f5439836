"""Wiring of observed loops, whose truth is known."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from netwise.observe.observed_history import history_of
from tests.observe.observed_loops import batch, classifier, observed, train


def history_of_loop(loop: Any) -> Any:
    observer = observed(loop)
    return history_of(observer.models[0], observer.program({}))


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)).detach())


def test_a_cut_graph() -> None:
    wiring = history_of_loop(lambda: train(Cut())).wiring
    assert wiring.not_reached == ("first.bias", "first.weight")
    assert wiring.cut_between == ("first", "second")
    assert wiring.linear is None


def test_an_optimizer_that_lacks_a_layer() -> None:
    model = classifier()
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1)
    wiring = history_of_loop(lambda: train(model, optimizer=optimizer)).wiring
    assert wiring.in_no_optimizer == ("2.bias", "2.weight")
    assert wiring.not_reached == ()


def test_frozen_weights_are_no_fault() -> None:
    model = classifier()
    model[0].requires_grad_(False)
    wiring = history_of_loop(lambda: train(model)).wiring
    assert wiring.frozen == ("0.bias", "0.weight")
    assert wiring.not_reached == wiring.in_no_optimizer == ()
    assert wiring.trainable == 2


class Listed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(6, 6)]  # not registered
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.hidden[0](x)))


def test_layers_in_a_list() -> None:
    wiring = history_of_loop(lambda: train(Listed())).wiring
    assert sorted(wiring.outside_module) == ["(6, 6)", "(6,)"]


class MadeInForward(nn.Module):
    """A norm and a layer that each call makes anew."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(6, 7), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.LayerNorm(7)(torch.relu(self.first(x)))
        return self.head(nn.Linear(7, 5)(x))


def test_layers_that_forward_makes_are_told_from_those_in_a_list() -> None:
    wiring = history_of_loop(lambda: train(MadeInForward())).wiring
    assert wiring.outside_anew
    assert sorted(wiring.outside_module) == ["(5, 7)", "(5,)", "(7,)", "(7,)"]  # of one step
    assert not history_of_loop(lambda: train(Listed())).wiring.outside_anew


def test_two_lists_of_layers_in_turn_are_not_new_at_each_step() -> None:
    models = [Listed(), Listed()]

    def loop() -> None:
        optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in models]
        for step in range(8):
            x, y = batch(step)
            optimizers[step % 2].zero_grad()
            F.cross_entropy(models[step % 2](x), y).backward()
            optimizers[step % 2].step()

    assert not history_of_loop(loop).wiring.outside_anew


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 3), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"class": self.one(x), "value": self.two(x)}


def test_an_output_that_no_loss_uses() -> None:
    model = TwoHeads()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for step in range(6):
            x, y = batch(step)
            optimizer.zero_grad()
            F.cross_entropy(model(x)["class"], y).backward()
            optimizer.step()

    wiring = history_of_loop(loop).wiring
    assert wiring.unused_output
    assert wiring.not_reached == ("two.bias", "two.weight")
