"""Arrays in memory as a file beside the recipe that uses them."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from netwise.atomic import link_file, write_atomically
from netwise.data import Arrays
from netwise.data.content import FileKey, files_key
from netwise.data.in_memory import OPTIONAL
from netwise.data.lazy_rows import are_lazy
from netwise.errors import Problem, WrongValue, short_repr
from netwise.part import field_rule
from netwise.recipe.mapped_array_file import mapped_inputs, write_mapped_arrays
from netwise.schema import parse_json, typed

ARRAYS_FILE = "data.safetensors"
WRITE_AGAIN = "write the recipe again with netwise.write_recipe, from the arrays"


class ArrayFiles:
    """Files of arrays that this process has written or read, by the digest of their content.

    The runs of a study all use the same arrays: each run folder after the first gets a hard link
    instead of a copy. A file that was changed or deleted since is no longer used.

    Args:
        capacity: files that are remembered, the latest ones.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._files: OrderedDict[str, tuple[Path, FileKey]] = OrderedDict()

    def remember(self, digest: str, path: Path) -> None:
        """Note that `path` holds the arrays of this digest now."""
        if path.is_file():
            self._files[digest] = path, _key(path)
            self._files.move_to_end(digest)
        while len(self._files) > self._capacity:
            self._files.popitem(last=False)

    def find(self, digest: str) -> Path | None:
        """An unchanged file with the arrays of this digest, or None."""
        path, key = self._files.get(digest, (None, None))
        return path if path is not None and path.is_file() and _key(path) == key else None


def _key(path: Path) -> FileKey:
    [key] = files_key([path])
    return key


ARRAY_FILES = ArrayFiles()


def write_arrays(data: Arrays, path: Path, files: ArrayFiles = ARRAY_FILES) -> None:
    """Write the arrays to a safetensors file, atomically; a hard link where `files` has them."""
    from safetensors.torch import save

    known = files.find(data.digest)
    if known is not None and link_file(known, path):
        return
    if are_lazy(data.X):
        write_mapped_arrays(data, path)
        files.remember(data.digest, path)
        return
    held = {name: getattr(data, name) for name in ("X", "y", *OPTIONAL)}
    tensors = {name: tensor for name, tensor in held.items() if tensor is not None}
    content = save(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        {"classes": json.dumps(data.classes)},
    )
    write_atomically(path, content)
    files.remember(data.digest, path)


def read_arrays(
    table: Mapping[str, Any], folder: Path | None, files: ArrayFiles = ARRAY_FILES
) -> Arrays:
    """The data that a recipe's table of kind "arrays" describes, from the file in `folder`.

    Raises:
        WrongValue: the file is absent, damaged or another one, or the table has wrong fields.
    """
    from safetensors import SafetensorError, safe_open

    path = (folder or Path()) / ARRAYS_FILE
    if not path.is_file():
        raise WrongValue.of(
            "data",
            "",
            "arrays",
            f"lie in {ARRAYS_FILE} beside the recipe, and {path} is absent: "
            "copy that file too, or name data that lie in files, such as data.csv",
        )
    settings = [field.name for field in fields(Arrays) if field_rule(field) is not None]
    unknown = sorted(set(table) - {*settings, "digest", "mapped"})
    if unknown:
        problems = [
            Problem(name[:60], "", f"unknown field. There are: digest, {', '.join(settings)}.")
            for name in unknown
        ]
        raise WrongValue("data", problems)
    try:
        with safe_open(path, "pt") as file:
            mapped = table.get("mapped") is True
            x = mapped_inputs(path) if mapped else file.get_tensor("X")
            y = file.get_tensor("y")
            names = set(file.keys())  # the file itself is no dict
            more = {name: file.get_tensor(name) for name in OPTIONAL if name in names}
            words = (file.metadata() or {})["classes"]
            classes = typed(tuple[str, ...], parse_json(words.encode()), "classes")
    except (SafetensorError, KeyError, ValueError) as error:
        raise WrongValue.of(
            "data", "", "arrays", f"cannot be read from {path} ({error}): {WRITE_AGAIN}"
        ) from None
    given = {name: table[name] for name in settings if name in table}
    data = Arrays(X=x, y=y, classes=classes, **more, **given)
    if data.digest != table.get("digest"):
        raise WrongValue.of(
            "data",
            "digest",
            short_repr(table.get("digest")),
            f"is not {data.digest}, the digest of {path}, which holds other arrays: {WRITE_AGAIN}",
        )
    files.remember(data.digest, path)
    return data
