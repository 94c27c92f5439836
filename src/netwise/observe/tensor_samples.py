"""Values of the user's tensors, read without copying large ones."""

from __future__ import annotations

from functools import lru_cache
from math import prod

import torch
from torch import Tensor

USUAL = (Tensor, torch.nn.Parameter)  # classes whose values need no conversion
MOST_COLUMNS = 4096  # numbers of a sample that are read; of more, evenly distributed ones
MOST_NUMBERS = 65_536  # numbers of a tensor that are read; of more, rows from all of its parts


def plain(value: Tensor) -> Tensor | None:
    """`value` as an ordinary tensor without gradient, or None where its numbers cannot be read.

    Sparse, complex, quantized and nested tensors, those without data (on the meta device, or while
    a program is traced) and those that a transformation such as `torch.vmap` replaces cannot be
    read. Subclasses that only add attributes can. Nothing is read while a dispatch mode is active,
    such as one that counts operations.

    >>> plain(torch.zeros(2, device="meta")) is None
    True
    """
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return None
    if torch._C._len_torch_dispatch_stack():
        return None
    is_usual = type(value) in USUAL
    if not is_usual and type(value).__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return None
    if torch._C._functorch.is_functorch_wrapped_tensor(value):
        return None
    if value.layout != torch.strided or value.is_nested or value.is_meta or value.is_quantized:
        return None
    if value.is_complex():
        return None
    if is_usual:  # nothing but the graph is to be taken away
        return value.detach()
    with torch._C.DisableTorchFunction():
        return value.detach().as_subclass(Tensor)


def rows_of(
    values: Tensor, most_columns: int = MOST_COLUMNS, most_numbers: int = MOST_NUMBERS
) -> Tensor:
    """`values` as a matrix (samples, numbers of a sample), of large tensors a part.

    Which columns are read depends on the shape of a sample alone, so batches have the same ones.
    No more than `most_numbers` are copied, but for a single row.

    Args:
        values: any tensor that `plain` returns; a scalar is one sample.
        most_columns: numbers of a sample that are read.
        most_numbers: numbers that are read.

    >>> rows_of(torch.arange(6).reshape(2, 3)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    >>> rows_of(torch.zeros(1).expand(10**9)).shape
    torch.Size([65536, 1])
    """
    if not values.dim():
        values = values.reshape(1)
    steps = steps_of(tuple(values.shape[1:]), most_columns)
    if any(step > 1 for step in steps):
        values = values[(slice(None), *(slice(None, None, step) for step in steps))]
    columns = prod(values.shape[1:])
    most_rows = max(1, most_numbers // max(1, columns))
    if len(values) > most_rows:
        values = values.index_select(0, _rows(len(values), most_rows).to(values.device))
    return values.reshape(len(values), columns)


def steps_of(shape: tuple[int, ...], most: int) -> list[int]:
    """Distances along each axis with which at most `most` numbers of a sample are read.

    >>> steps_of((3, 100, 100), 1000)
    [1, 8, 4]
    """
    steps = [1] * len(shape)
    sizes = list(shape)
    while prod(sizes) > most:
        axis = sizes.index(max(sizes))
        steps[axis] *= 2
        sizes[axis] = -(-shape[axis] // steps[axis])
    return steps


@lru_cache(maxsize=64)
def _rows(rows: int, most: int) -> Tensor:
    """One row of each of `most` equal parts of the samples.

    Its place within the part follows a golden ratio sequence: equal distances would meet only one
    class of targets that repeat.
    """
    part = torch.arange(most, dtype=torch.float64, device="cpu")
    place = part * 0.6180339887498949 % 1
    return ((part + place) * (rows / most)).long().clamp_max(rows - 1)
