"""Tensors in the arguments and outputs of modules: alone, or in tuples, dictionaries and
dataclasses."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

DEEPEST = 4  # levels of containers; arguments of modules have fewer


def tensors_in(value: Any, deepest: int = DEEPEST) -> Iterator[Tensor]:
    """All tensors in a value, in order.

    Args:
        value: a tensor, or tuples, lists, mappings and dataclasses of them; anything else has none.
        deepest: how many levels of containers are read.

    >>> import torch
    >>> [t.item() for t in tensors_in({"a": torch.tensor(1), "b": [torch.tensor(2), None]})]
    [1, 2]
    """
    if isinstance(value, Tensor):
        yield value
    elif deepest:
        for part in _parts(value):
            yield from tensors_in(part, deepest - 1)


def _parts(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return value
    if isinstance(value, Mapping):
        return value.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, f.name, None) for f in dataclasses.fields(value)]
    return ()


def with_tensors(value: Any, change: Callable[[Tensor], Tensor], deepest: int = DEEPEST) -> Any:
    """The same tuples, lists, dictionaries and dataclasses with changed tensors. What `tensors_in`
    does not read is passed on as it is.

    >>> import torch
    >>> with_tensors({"a": (torch.tensor(1), "text")}, lambda t: t + 1)
    {'a': (tensor(2), 'text')}
    """
    if isinstance(value, Tensor):
        return change(value)
    if not deepest:
        return value
    if isinstance(value, tuple | list):
        parts = [with_tensors(part, change, deepest - 1) for part in value]
        if hasattr(value, "_fields"):
            return type(value)(*parts)
        return parts if isinstance(value, list) else tuple(parts)
    if type(value) is dict:
        return {key: with_tensors(part, change, deepest - 1) for key, part in value.items()}
    if isinstance(value, Mapping):
        return _mapping_with_tensors(value, change, deepest)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.init]
        changed = {n: with_tensors(getattr(value, n), change, deepest - 1) for n in names}
        return dataclasses.replace(value, **changed)
    return value


def _mapping_with_tensors(value: Any, change: Callable[[Tensor], Tensor], deepest: int) -> Any:
    """A mapping of a class of its own, such as a batch of a tokenizer."""
    made = copy.copy(value)
    for key, part in value.items():
        made[key] = with_tensors(part, change, deepest - 1)
    return made


def exchanged(old: Tensor, new: Tensor, tensor: Tensor) -> Tensor:
    """The new tensor in the place of the old one, and any other as it is: a change for
    `with_tensors`, once the first two are given."""
    return new if tensor is old else tensor
