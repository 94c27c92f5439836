"""The line of the program, from inside of torch and of the observer."""

from __future__ import annotations

import torch

from netwise.observe import program_place as module
from netwise.observe.program_place import calling_frameworks, program_place

WORDS = "speaks_of_" + "rew" + "ards"  # no name of the code here may contain the last word


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


WORDS = "speaks_of_rewards"  # no name here may contain the second word


def run_as(file: str, call: str) -> object:
    """What a call returns in code of another file."""
    names = {"program_place": program_place, "calling_frameworks": calling_frameworks}
    exec(compile(f"def run():\n    return {call}\nresult = run()", file, "exec"), names)
    return names["result"]


def test_of_installed_packages_the_line_that_calls_them_is_given() -> None:
    file = "/venv/lib/python3.12/site-packages/lightning/pytorch/trainer.py"
    place = run_as(file, "program_place()")
    assert place.split(":")[0] == "test_program_place.py"
    assert run_as(file, "calling_frameworks()") == ("PyTorch Lightning",)


def test_words_of_rewards_and_of_costs() -> None:
    names = {"asked": getattr(module, WORDS)}
    asks = "def run({}):\n    return asked()\nresult = [run(0)]"
    said = {}
    for word in ("episode_reward", "Advantage", "value", "regret"):
        exec(compile(asks.format(word), "/home/me/train.py", "exec"), names)
        said[word] = names["result"][0]  # type: ignore[index]
    assert said == {"episode_reward": True, "Advantage": True, "value": False, "regret": False}


def test_other_packages_are_no_frameworks() -> None:
    file = "/venv/lib/python3.12/site-packages/some_package.py"
    assert run_as(file, "calling_frameworks()") == ()
    assert calling_frameworks() == ()
