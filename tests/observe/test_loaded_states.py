"""States that fit a module, a part of it, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import netwise as nw


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


def unmatched(*states: Mapping[str, object]) -> tuple[str, ...]:
    """What is known of a network that was given states and trained for a step."""
    module = net()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with nw.watch() as watched:
        for state in states:
            module.load_state_dict(state, strict=False)
        module(torch.rand(5, 4)).sum().backward()
        optimizer.step()
    wiring = watched.history().wiring
    assert wiring is not None
    return wiring.unmatched_states


STATE: Mapping[str, Tensor] = net().state_dict()
WRAPPED = {f"module.{name}": value for name, value in STATE.items()}


def test_names_of_a_wrapper_and_a_whole_checkpoint() -> None:
    assert unmatched(WRAPPED) == ("Sequential: 0 of 4: module.0.weight: 0.weight",)
    assert unmatched({"model": STATE, "epoch": 3}) == ("Sequential: 0 of 4: model: 0.weight",)


@pytest.mark.parametrize(
    "states",
    [
        (STATE,),
        ({name: value for name, value in STATE.items() if name[0] == "0"},),  # a part
        ({name: STATE[name] for name in ("0.weight", "0.bias")} | {"head.weight": 1, "head.b": 2},),
        ({},),
        (WRAPPED, STATE),
    ],
    ids=["all", "a part", "another head", "nothing", "mended"],
)
def test_healthy_neighbours(states: tuple[Mapping[str, object], ...]) -> None:
    assert unmatched(*states) == ()
