"""Parameters of no module: the same ones at each step, or new ones."""

from __future__ import annotations

import torch
from torch import nn

from netwise.observe.outside_parameters import OutsideParameters


def test_parameters_that_stay() -> None:
    reader, kept = OutsideParameters(), nn.Parameter(torch.zeros(3))
    for _ in range(3):
        assert reader.read({id(kept): kept}, known=()) == {id(kept): "(3,)"}
        assert not reader.anew


def test_parameters_that_are_made_anew() -> None:
    reader, found = OutsideParameters(), []
    for _ in range(3):
        made = nn.Parameter(torch.zeros(2, 2))
        reader.read({id(made): made}, known=())
        found.append(reader.anew)
        del made
    assert found == [False, True, True]


def test_known_parameters_and_plain_tensors_are_not_outside() -> None:
    known, plain = nn.Parameter(torch.zeros(3)), torch.zeros(3, requires_grad=True)
    reader = OutsideParameters()
    assert not reader.read({id(known): known, id(plain): plain}, known={id(known)})
    assert not reader.anew
