"""Arrays that lie in a mapped file, as a safetensors file beside the recipe that uses them: written
and read in pieces."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from netwise.atomic import delete_file, new_file_in_pieces, replace_file
from netwise.data import Arrays
from netwise.data.in_memory import OPTIONAL
from netwise.data.lazy_rows import LazyRows, pieces_of
from netwise.data.mapped_array import MappedRows

TYPES = {"float32": "F32", "float64": "F64", "int64": "I64"}
LONGEST = 1_000_000  # bytes of a header


def write_mapped_arrays(data: Arrays, path: Path) -> None:
    """Write arrays as `safetensors.torch.save` does, in memory that does not grow with them.

    Raises:
        FileAccessError: the file cannot be written.

    Source: the format of safetensors: 8 bytes of the length of a header, the header in JSON, the
    numbers.
    """
    names = ("X", "y", *OPTIONAL)
    tensors = {name: each for name in names if (each := getattr(data, name)) is not None}
    header: dict[str, Any] = {"__metadata__": {"classes": json.dumps(data.classes)}}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.numel() * tensor.element_size()
        kind = TYPES[str(tensor.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    delete_file(draft)
    with new_file_in_pieces(draft) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            for piece in pieces_of(tensor) if tensor.numel() else ():
                file.write(np.ascontiguousarray(piece.numpy()).data.cast("B"))
    replace_file(draft, path)


def mapped_inputs(path: Path) -> LazyRows:
    """The inputs of such a file, which stay in it.

    Raises:
        KeyError, ValueError: it is another file.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LONGEST:
            raise ValueError("it has no header of safetensors: write it again")
        about = json.loads(file.read(length))["X"]
    shape, kind = tuple(map(int, about["shape"])), about["dtype"]
    if kind != "F32":
        raise ValueError("its inputs are no 32-bit numbers: write it again")
    offset = 8 + length + int(about["data_offsets"][0])
    return LazyRows.of(MappedRows(np.memmap(path, np.float32, "r", offset, shape)))
