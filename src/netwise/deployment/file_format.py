"""What the formats of exported files have in common, and their choice by the ending of a name."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwise.data.raw_inputs import RawInput
from netwise.errors import text_of

Feeds = Mapping[str, np.ndarray]  # values of the inputs of a file, by their names
Answers = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class FileContent:
    """What is written: a module, and what a reader of the file needs to know.

    Args:
        module: takes one tensor for each input, returns a dictionary of tensors.
        inputs: of the file.
        examples: one tensor for each input, from which shapes are read.
        outputs: names of what the module returns.
        classes: names of the classes; empty for other tasks.
        about: texts that are written into the file, by name.
    """

    module: nn.Module
    inputs: tuple[RawInput, ...]
    examples: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    classes: tuple[str, ...]
    about: Mapping[str, str]

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs in the file: with "_" where an input has the name."""
        taken = {each.name for each in self.inputs}
        return tuple(f"{name}_" if name in taken else name for name in self.outputs)


@dataclass(frozen=True)
class FileFormat:
    """A format of files.

    Args:
        ending: of the names of its files.
        reads_words: a file of it can take text; otherwise the codes of words.
        require: checks that its packages are installed.
        written: the content of the file of a program.
        answers: what a file answers to inputs, computed by the engine that others run it with.
    """

    ending: str
    reads_words: bool
    require: Callable[[], None]
    written: Callable[[FileContent], bytes]
    answers: Callable[[bytes, Feeds], Answers]


def traced(module: nn.Module, inputs: Sequence[RawInput], examples: Sequence[Tensor]) -> Any:
    """The module as a `torch.export.ExportedProgram` for any number of rows.

    Args:
        module: to trace, in evaluation mode.
        inputs: whose shapes say which sizes may differ.
        examples: one tensor for each of them; only their shapes count.
    """
    rows = torch.export.Dim("rows")
    shapes = [
        {0: rows}
        | {axis: torch.export.Dim.AUTO for axis, size in enumerate(each.shape, 1) if size is None}
        for each in inputs
    ]
    zeros = tuple(example.new_zeros((5, *example.shape[1:])) for example in examples)
    with torch.no_grad(), quiet():
        return torch.export.export(
            module, zeros, dynamic_shapes={"inputs": tuple(shapes)}, strict=False
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Without notes and warnings of exporters: what went wrong is in their errors."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def first_line(error: Exception) -> str:
    """Type and first line of an error, as reasons show it."""
    if "Constraints violated (rows)" in text_of(error):
        return "it works with one number of rows only, as with len(x): write x.shape[0] there"
    lines = [line.strip() for line in text_of(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or [''])[0][:200]}".rstrip(". ")
