"""The line of the program that is being observed, and the framework that runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType

import torch

# Code of torch and of netwise is not the program's.
NETWISE = str(Path(__file__).parent.parent.resolve()) + os.sep
FOREIGN = (str(Path(torch.__file__).parent.resolve()) + os.sep, f"{NETWISE}observe{os.sep}")

# Of installed packages neither, where code of the program called them.
INSTALLED = ("site-packages", "dist-packages")
_REWARDS = ("reward", "advantage", "returns")
_COSTS = ("cost", "regret")
MOST_FRAMES = 3  # of functions that call each other
MOST_PARTS = 64  # of a list or an object, among which names of tensors are looked for
LIBRARY = str(Path(os.__file__).parent) + os.sep
# Packages that run a training loop themselves.
FRAMEWORKS = {
    "lightning": "PyTorch Lightning",
    "pytorch_lightning": "PyTorch Lightning",
    "transformers": "Hugging Face Trainer",
    "accelerate": "Accelerate",
    "keras": "Keras",
    "skorch": "skorch",
    "fastai": "fastai",
}


def program_place() -> str:
    """File and line of the innermost code of the program, such as "train.py:31": not that of torch,
    of the observer, or of installed packages. Where all code is installed, that of the innermost
    package but torch.

    >>> program_place()[:10] != ""
    True
    """
    installed = ""
    for frame in _frames():
        file = frame.f_code.co_filename
        place = f"{_name(file)}:{frame.f_lineno}"
        if _package(file) is None:
            return place
        installed = installed or place
    return installed


def names_of_tensors() -> dict[int, str]:
    """Names of tensors in the innermost code of the program, by id: of its variables, also of those
    that belong to a list or to an object, such as `layers_0`; of several names the shortest.

    >>> import torch
    >>> first = torch.ones(2)
    >>> isinstance(names_of_tensors(), dict)
    True
    """
    frame = next((f for f in _frames() if _package(f.f_code.co_filename) is None), None)
    if frame is None:
        return {}
    found: dict[int, str] = {}
    variables = {**{k: v for k, v in frame.f_globals.items() if k[:1] != "_"}, **frame.f_locals}
    for name, value in variables.items():
        if isinstance(value, list | tuple):
            parts = list(enumerate(value[:MOST_PARTS]))
        elif isinstance(value, dict):
            parts = list(value.items())[:MOST_PARTS]
        else:
            parts = list(getattr(value, "__dict__", {}).items())[:MOST_PARTS]
        for key, each in [(None, value), *parts]:
            if isinstance(each, torch.Tensor):
                own = name if key is None else f"{name}_{key}"
                own = "".join(c if c.isalnum() else "_" for c in own)
                if id(each) not in found or len(own) < len(found[id(each)]):
                    found[id(each)] = own
    return found


def speaks_of_rewards() -> bool:
    """Whether the names in the innermost code of the program are those of rewards that are to rise,
    and not of costs.

    >>> reward = 1.0
    >>> speaks_of_rewards() in (True, False)
    True
    """
    frames = [f for f in _frames() if _package(f.f_code.co_filename) is None][:MOST_FRAMES]
    names = {
        name.lower()
        for frame in frames
        for name in (*frame.f_code.co_varnames, *frame.f_code.co_names)
    }
    said = {word for name in names for word in (*_REWARDS, *_COSTS) if word in name}
    return bool(said & set(_REWARDS)) and not said & set(_COSTS)


def rewards_of_program(count: int) -> list[torch.Tensor]:
    """Rows of numbers in the innermost code of the program whose names are those of rewards.

    Args:
        count: of numbers in a row.

    >>> reward = [1.0, 0.0]
    >>> isinstance(rewards_of_program(2), list)
    True
    """
    frames = [f for f in _frames() if _package(f.f_code.co_filename) is None][:MOST_FRAMES]
    found = []
    for frame in frames:
        for name, value in frame.f_locals.items():
            if not any(word in name.lower() for word in (*_REWARDS, "adv")):
                continue
            if isinstance(value, list | tuple) and len(value) == count:
                if not all(isinstance(each, int | float) for each in value):
                    continue
                value = torch.tensor(value)
            if isinstance(value, torch.Tensor) and value.numel() == count:
                found.append(value.detach().flatten().double())
    return found


def calling_frameworks() -> tuple[str, ...]:
    """The frameworks in which the program runs, the innermost first, such as ("skorch",).

    >>> calling_frameworks()
    ()
    """
    packages = (_package(frame.f_code.co_filename) for frame in _frames())
    return tuple(dict.fromkeys(FRAMEWORKS[each] for each in packages if each in FRAMEWORKS))


def is_of_program(file: str) -> bool:
    """Whether a file of code is the program's: not of torch, the observer, Python's library, or an
    installed package.

    >>> is_of_program("/home/me/train.py"), is_of_program(torch.__file__)
    (True, False)
    """
    return not file.startswith(FOREIGN) and _package(file) is None


def _frames() -> Iterator[FrameType]:
    """The running frames, innermost first, but those of torch and of the observer."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(FOREIGN):
            yield frame
        frame = frame.f_back


def is_installed(file: str) -> bool:
    """Whether a file of code belongs to an installed package, or to Python itself."""
    return _package(file) is not None


@lru_cache(maxsize=4096)
def _name(file: str) -> str:
    return Path(file).name


@lru_cache(maxsize=4096)
def _package(file: str) -> str | None:
    """The package that a file was installed with; None for a file of the program."""
    parts = Path(file).parts
    for i, part in enumerate(parts[:-1]):
        if part in INSTALLED:
            return parts[i + 1].removesuffix(".py")
    return "" if file.startswith((LIBRARY, "<frozen ")) else None
