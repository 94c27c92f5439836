"""Calls inside of `undisturbed` leave random states, hooks and outside values as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from netwise.observe.undisturbed import CannotBeUndone, seed_all, undisturbed

SEEN: list[Tensor] = []
COUNTS = {"calls": 0}
CALLS = 0
GENERATOR = torch.Generator().manual_seed(3)
FILES: Any = None


class WithSideEffects(nn.Module):
    """Changes a list, a dictionary, a number and a generator of its file, and a class attribute."""

    passes = 0

    def forward(self, x: Tensor) -> Tensor:
        global CALLS
        CALLS += 1
        SEEN.append(x)
        COUNTS["calls"] += 1
        type(self).passes += 1
        print("forward pass")
        return x + torch.randn(x.shape, generator=GENERATOR)


class Writes(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        FILES.write("a line")
        return x


@pytest.fixture
def clean() -> Iterator[None]:
    yield
    SEEN.clear()


def test_values_outside_of_the_module_are_put_back(clean: None, capsys: Any) -> None:
    module, kept = WithSideEffects(), torch.ones(1)
    SEEN.append(kept)
    state = GENERATOR.get_state()
    with undisturbed(module):
        module(torch.ones(2))
        assert (CALLS, COUNTS["calls"], len(SEEN)) == (1, 1, 2)
    assert CALLS == COUNTS["calls"] == 0
    assert [id(value) for value in SEEN] == [id(kept)]
    assert WithSideEffects.passes == 0
    assert torch.equal(state, GENERATOR.get_state())
    assert capsys.readouterr().out == ""


def test_random_generators_go_on_as_before() -> None:
    def draws() -> tuple[float, float, float]:
        return torch.rand(()).item(), float(np.random.rand()), random.random()

    seed_all(4)
    expected = [draws(), draws()]
    seed_all(4)
    first = draws()
    with undisturbed(nn.Identity()):
        seed_all(9)
        draws()
    assert [first, draws()] == expected


def test_hooks_of_all_modules_are_off_inside() -> None:
    calls = []
    handle = nn.modules.module.register_module_forward_hook(lambda *_: calls.append(1))
    try:
        module = nn.Identity()
        with undisturbed(module):
            module(1)
        assert calls == []
        module(1)
        assert calls == [1]
    finally:
        handle.remove()


def test_code_with_an_open_file_is_not_called(tmp_path: Path, monkeypatch: Any) -> None:
    with open(tmp_path / "log.txt", "w") as file:
        monkeypatch.setitem(globals(), "FILES", file)
        with pytest.raises(CannotBeUndone, match="open file"), undisturbed(Writes()):
            raise AssertionError
