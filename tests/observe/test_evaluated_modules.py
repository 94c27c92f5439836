"""Which modules a program evaluates in the place of the trained one."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import netwise as nw

STEPS = 60


def make() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))


def data() -> tuple[Tensor, Tensor]:
    x = torch.randn(64, 8)
    return x, (x[:, 0] + x[:, 1] > 0).long()


def evaluate(net: nn.Module, x: Tensor) -> None:
    net.eval()
    with torch.no_grad():
        net(x).argmax(1)
    net.train()


def watched(
    each_step: Callable[[nn.Module, int], object],
    at_end: Callable[[nn.Module, Tensor], object],
    rate: float = 3e-2,
) -> nw.Wiring:
    """A training with something done after each step, and an end."""
    torch.manual_seed(0)
    with nw.watch() as w:
        net, (x, y) = make(), data()
        optimizer = torch.optim.Adam(net.parameters(), lr=rate)
        for step in range(STEPS):
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
            each_step(net, step)
        at_end(net, x)
    wiring = next(iter(w.histories().values())).wiring
    assert wiring is not None
    return wiring


def nothing(net: nn.Module, step: int) -> None:
    pass


def loaded(net: nn.Module, x: Tensor) -> None:
    other = make()
    other.load_state_dict(net.state_dict())
    evaluate(other, x)


def test_a_short_training_in_small_steps_whose_weights_are_loaded() -> None:
    assert watched(nothing, loaded, rate=1e-6).evaluated_fresh == ""
    assert watched(nothing, lambda net, x: evaluate(make(), x), rate=1e-6).evaluated_fresh


@pytest.mark.parametrize(
    ("at_end", "name"),
    [
        (lambda net, x: evaluate(make(), x), "net"),
        (lambda net, x: evaluate(net, x), ""),
        (lambda net, x: [evaluate(make(), x), evaluate(net, x)], ""),  # a comparison
        (lambda net, x: evaluate(copy.deepcopy(net), x), ""),
        (lambda net, x: None, ""),
    ],
)
def test_new_modules_at_the_end(at_end: Callable[[nn.Module, Tensor], object], name: str) -> None:
    assert watched(nothing, at_end).evaluated_fresh == name


def test_a_next_fold_and_a_network_of_another_shape() -> None:
    def fold(net: nn.Module, x: Tensor) -> None:
        other = make()
        evaluate(other, x)
        optimizer = torch.optim.Adam(other.parameters(), lr=3e-2)
        for _ in range(20):
            other(x).square().mean().backward()
            optimizer.step()

    assert watched(nothing, fold).evaluated_fresh == ""
    assert watched(nothing, lambda net, x: evaluate(nn.Linear(8, 30), x)).evaluated_fresh == ""


def average(every: int, decay: float = 0.9) -> nw.Wiring:
    """An average of the weights that is evaluated ten times."""
    held: list[AveragedModel] = []
    x = torch.randn(4, 8)

    def each_step(net: nn.Module, step: int) -> None:
        if not held:
            torch.manual_seed(0)
            held.append(AveragedModel(make(), multi_avg_fn=get_ema_multi_avg_fn(decay)))
            held[0].n_averaged += 1
        if step % every == 0:
            held[0].update_parameters(net)
        if step % 6 == 5:
            evaluate(held[0], x)

    return watched(each_step, lambda net, _: evaluate(held[0], x))


def test_averages() -> None:
    lags = average(every=20, decay=0.95)
    assert lags.evaluated_average
    assert lags.average_follows is not None
    assert 0.02 < lags.average_follows < 0.25
    follows = average(every=1)
    assert follows.average_follows is not None
    assert follows.average_follows > 0.8
    assert watched(nothing, lambda net, x: evaluate(copy.deepcopy(net), x)).average_follows is None
