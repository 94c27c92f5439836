"""The line of the program, from inside of torch and of the observer."""

from __future__ import annotations

import torch

from netwise.observe.program_place import program_place


def test_the_calling_line() -> None:
    place = program_place()
    name, line = place.split(":")
    assert name == "test_program_place.py"
    assert int(line) == test_the_calling_line.__code__.co_firstlineno + 1


def test_frames_of_torch_and_of_the_observer_are_skipped() -> None:
    places = []
    x = torch.ones(1, requires_grad=True)
    x.register_hook(lambda gradient: places.append(program_place()))
    x.sum().backward()  # the hook runs inside of torch
    assert [place.split(":")[0] for place in places] == ["test_program_place.py"]
