"""Calls of a copied module that leave no trace in the program: random states, hooks, output, and
values outside of the module that its code changes are as before."""

from __future__ import annotations

import contextlib
import dis
import io
import logging
import random
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_modules

_HOOKS = (
    "_global_forward_hooks",
    "_global_forward_pre_hooks",
    "_global_backward_hooks",
    "_global_backward_pre_hooks",
)
_CONTAINERS = (list, dict, set, deque)
_PLAIN = (int, float, str, bool, type(None))
_MOST_ITEMS = 100_000  # of a container that is put back


class CannotBeUndone(Exception):
    """The module's code uses something whose state cannot be put back, such as an open file."""


@contextlib.contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Inside, code of the module may be called on a copy of it. Afterwards the program's random
    generators, hooks of all modules, and the lists, dictionaries and numbers outside of the module
    that its code uses are as before; what it printed and logged is lost.

    Args:
        module: whose code will be called.

    Raises:
        CannotBeUndone: the code uses an open file.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> module, before = nn.Dropout(), torch.get_rng_state()
        >>> with undisturbed(module):
        ...     _ = module(torch.ones(3))
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    restores = [*_random_states(), *_values_of_code(module), *_hooks_off()]
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        for restore in restores:
            restore()


def seed_all(seed: int) -> None:
    """Seed the generators that forward passes draw from; only inside of `undisturbed`. A device
    that was not used yet stays so."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        for generator in torch.cuda.default_generators:
            generator.manual_seed(seed)
    random.seed(seed)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed)


def drawn_since_seed(seed: int) -> bool:
    """Whether random numbers were drawn since `seed_all` of this seed; it is seeded again.

    >>> import torch
    >>> from torch import nn
    >>> with undisturbed(nn.Identity()):
    ...     seed_all(3)
    ...     before = drawn_since_seed(3)
    ...     _ = torch.rand(1)
    ...     after = drawn_since_seed(3)
    >>> before, after
    (False, True)
    """
    found = _generators()
    seed_all(seed)
    return found != _generators()


def _generators() -> list[object]:
    """The states of all generators that `seed_all` seeds."""
    states: list[object] = [torch.get_rng_state().numpy().tobytes(), random.getstate()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states += [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        name, keys, *rest = numpy.random.get_state()
        states += [name, keys.tobytes(), *rest]
    return states


def _random_states() -> Iterator[Callable[[], object]]:
    cpu = torch.get_rng_state()
    yield lambda: torch.set_rng_state(cpu)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        devices = torch.cuda.get_rng_state_all()
        yield lambda: torch.cuda.set_rng_state_all(devices)
    python = random.getstate()
    yield lambda: random.setstate(python)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        state = numpy.random.get_state()
        yield lambda: numpy.random.set_state(state)


def _hooks_off() -> Iterator[Callable[[], object]]:
    """Empty the hooks of all modules, also those of the program's own."""
    for name in _HOOKS:
        hooks = getattr(torch_modules, name, None)
        if hooks:
            kept = dict(hooks)
            hooks.clear()
            yield lambda hooks=hooks, kept=kept: hooks.update(kept)  # type: ignore[misc]


def _values_of_code(module: nn.Module) -> Iterator[Callable[[], object]]:
    """How to put back what the methods of the module's classes change outside of it."""
    seen: set[int] = set()
    for cls in {base for part in module.modules() for base in type(part).__mro__}:
        if _is_foreign(cls.__module__):
            continue
        for name, value in list(vars(cls).items()):
            if isinstance(value, FunctionType) and name not in ("__init__", "__init_subclass__"):
                yield from _values_of_function(value, seen)
            elif not name.startswith("__") and isinstance(value, (*_PLAIN, *_CONTAINERS)):
                yield from _restores(value, seen)
                yield lambda c=cls, n=name, v=value: _set(c, n, v)  # type: ignore[misc]


def _is_foreign(name: str) -> bool:
    return name.split(".")[0] in ("torch", "builtins", "typing", "abc", "collections", "netwise")


def _set(cls: type, name: str, value: object) -> None:
    if vars(cls).get(name) is not value:
        setattr(cls, name, value)


def _values_of_function(
    function: FunctionType, seen: set[int], deepest: int = 3
) -> Iterator[Callable[[], object]]:
    if id(function) in seen or not deepest:
        return
    seen.add(id(function))
    space = function.__globals__
    for code in _codes(function.__code__):
        stored = {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_GLOBAL"}
        for name in code.co_names:
            if name not in space:
                continue
            value = space[name]
            yield from _restores(value, seen)
            if name in stored:
                yield lambda s=space, n=name, v=value: s.__setitem__(n, v)  # type: ignore[misc]
            if isinstance(value, FunctionType) and not _is_foreign(value.__module__ or ""):
                yield from _values_of_function(value, seen, deepest - 1)
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # an empty cell
            value = cell.cell_contents
            yield from _restores(value, seen)
            yield lambda c=cell, v=value: setattr(c, "cell_contents", v)  # type: ignore[misc]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _restores(value: Any, seen: set[int]) -> Iterator[Callable[[], object]]:
    """How to put back one value that code uses; nothing for what is not changed in place."""
    if id(value) in seen or isinstance(value, ModuleType):
        return
    if isinstance(value, io.IOBase):
        if value not in (sys.stdout, sys.stderr, sys.stdin):
            raise CannotBeUndone("its forward pass uses an open file")
        return
    if isinstance(value, _CONTAINERS):
        seen.add(id(value))
        if len(value) > _MOST_ITEMS:
            raise CannotBeUndone("its forward pass uses a very long list or dictionary")
        kept = value.copy()
        yield lambda: _refill(value, kept)
    elif isinstance(value, torch.Generator):
        state = value.get_state()
        yield lambda: value.set_state(state)
    elif isinstance(value, random.Random):
        own = value.getstate()
        yield lambda: value.setstate(own)
    else:
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.random.Generator):
            bits = value.bit_generator.state
            yield lambda: setattr(value.bit_generator, "state", bits)
        elif numpy is not None and isinstance(value, numpy.random.RandomState):
            old = value.get_state()
            yield lambda: value.set_state(old)


def _refill(container: Any, kept: Any) -> None:
    """Put back the contents of a container that was changed in place."""
    if len(container) == len(kept) and all(
        a is b for a, b in zip(_items(container), _items(kept), strict=True)
    ):
        return
    container.clear()
    (container.extend if isinstance(container, list | deque) else container.update)(kept)


def _items(container: Any) -> Iterator[Any]:
    if isinstance(container, dict):
        for key, value in container.items():
            yield key
            yield value
    else:
        yield from container
