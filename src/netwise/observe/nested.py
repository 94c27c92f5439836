"""Tensors in the arguments and outputs of modules: alone, or in tuples, dictionaries and
dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
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
