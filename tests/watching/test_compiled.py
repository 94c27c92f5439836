"""Compiled modules inside of a watched block: the same numbers, no more graph breaks, and exact
facts about weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters
from torch.nn import functional as F

import netwise as nw
from watching.loops.samples import batches, classes, mlp

X, Y = classes()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing that another test compiled."""
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()
    counters.clear()


def train(call: Callable[..., torch.Tensor], model: nn.Module, parts: int = 4) -> list[float]:
    """60 steps with 15 batches of 40 rows an epoch, and a validation after each."""
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(list(model.parameters())[:parts], lr=1e-2)
    losses = []
    for epoch in range(4):
        for rows in batches(600, 40):
            optimizer.zero_grad()
            loss = F.cross_entropy(call(X[rows]), Y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 2:
            with torch.no_grad():
                losses.append(F.cross_entropy(call(X[:40]), Y[:40]).item())
    return losses


def breaks() -> int:
    """How often the compiler gave up in the middle of a function."""
    return sum(counters["graph_break"].values())


@pytest.mark.parametrize("sick", [False, True], ids=["healthy", "head_in_no_optimizer"])
@pytest.mark.parametrize("when", ["before", "inside"])
def test_a_compiled_module_is_observed(when: str, sick: bool) -> None:
    parts = 2 if sick else 4
    plain = mlp()
    expected = train(torch.compile(plain, backend="aot_eager", fullgraph=True), plain, parts)
    torch._dynamo.reset()
    counters.clear()
    model = mlp()
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    if when == "before":
        compiled(X[:40])
    with nw.watch() as w:
        if when == "inside":
            compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
        losses = train(compiled, model, parts)
    assert losses == expected
    assert w.errors == ()
    assert breaks() == 0
    (history,) = w.histories().values()
    wiring = history.wiring
    assert wiring is not None
    found = nw.diagnose(history).found
    if sick:
        assert [finding.rule for finding in found] == ["weights_stand_still"]
        assert {name.removeprefix("_orig_mod.") for name in wiring.in_no_optimizer} == {
            "2.weight",
            "2.bias",
        }
    else:
        assert found == ()
        assert wiring.in_no_optimizer == wiring.not_reached == wiring.frozen == ()


def test_a_module_that_is_compiled_in_place_stays_so() -> None:
    plain, model = mlp(), mlp()
    plain.compile(backend="aot_eager")
    expected = train(plain, plain)
    torch._dynamo.reset()
    model.compile(backend="aot_eager")
    with nw.watch() as w:
        assert train(model, model) == expected
    assert w.errors == ()
    for history in w.histories().values():
        assert nw.diagnose(history).found == ()


def test_a_compiled_function_with_the_loss_in_it() -> None:
    def losses() -> list[float]:
        torch._dynamo.reset()
        model, out = mlp(), []
        optimizer = torch.optim.SGD(model.parameters(), lr=0.2)

        @torch.compile(backend="aot_eager")
        def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(model(x), y)

        torch.manual_seed(0)
        for rows in batches(600, 40, epochs=2):
            optimizer.zero_grad()
            loss = loss_of(X[rows], Y[rows])
            loss.backward()
            optimizer.step()
            out.append(loss.item())
        return out

    expected = losses()
    with nw.watch() as w:
        assert losses() == expected
    assert w.errors == ()
    for history in w.histories().values():
        assert nw.diagnose(history).found == ()
