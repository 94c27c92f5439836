"""Tensors are found in whatever modules take and return."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import torch
from torch import Tensor

from netwise.observe.nested import tensors_in, with_tensors

ONE, TWO = torch.ones(1), torch.zeros(2)
Pair = namedtuple("Pair", "first second")


@dataclass
class Output:
    logits: Tensor
    loss: Tensor | None = None


def test_containers_of_modules() -> None:
    values = [ONE, (ONE,), [[ONE]], {"x": ONE}, OrderedDict(x=ONE), Output(ONE), Pair(ONE, None)]
    for value in values:
        assert [id(t) for t in tensors_in(value)] == [id(ONE)]


def test_order_and_other_values() -> None:
    found = tensors_in(((ONE, "text", 3), {"states": [TWO, None]}, object()))
    assert [id(t) for t in found] == [id(ONE), id(TWO)]


def test_a_container_in_itself_ends() -> None:
    loop: list[object] = [ONE]
    loop.append(loop)
    assert len(list(tensors_in(loop))) == 4


def test_containers_with_changed_tensors() -> None:
    """Each keeps its class; the values given are not touched."""
    values = [ONE, (ONE,), [[ONE]], {"x": ONE}, OrderedDict(x=ONE), Output(ONE), Pair(ONE, None)]
    for value in values:
        changed = with_tensors(value, lambda t: t + 1)
        assert type(changed) is type(value)
        assert [t.item() for t in tensors_in(changed)] == [2]
        assert [t.item() for t in tensors_in(value)] == [1]
    deep = [[[[[ONE]]]]]
    assert with_tensors(deep, lambda t: t + 1)[0][0][0][0] is deep[0][0][0][0]
