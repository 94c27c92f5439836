"""What a network takes when its encoder is part of it: the inputs of an exported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class RawInput:
    """One input of a network with its encoder: a column of a table, or a whole array.

    An encoder works in two halves. `numbers` reads raw data, one tensor for each of its inputs;
    `computed` makes the inputs of the network of these tensors by torch alone, so that an
    exported file computes the same. What only the first half can do is described here.

    Args:
        name: of the column, or of the array.
        shape: of one sample; None where a size may differ from sample to sample.
        dtype: of the tensor that `computed` takes.
        codes: for words: the code of each known word. A file that reads text looks them up; for
            one that does not, this step is left to the caller. None: the input is numbers.
        unknown: code of all other words.
        unit: of the numbers, such as "microseconds since 1970-01-01"; "": as in training.
        left: what the caller has to do before, such as "n-grams of the text", where no file can;
            "": nothing.

    Example:
        >>> import netwise as nw
        >>> encoder = nw.data.iris().load().encoder
        >>> [(each.name, each.shape) for each in encoder.raw_inputs()]
        [('input', (4,))]
    """

    name: str
    shape: tuple[int | None, ...] = ()
    dtype: torch.dtype = torch.float32
    codes: Mapping[str, int] | None = field(default=None, repr=False)
    unknown: int = -1
    unit: str = ""
    left: str = ""
