"""Errors of losses: targets whose shape, type or values the loss does not take."""

from __future__ import annotations

import re

from netwise.diagnosis.error_kinds.kind import ErrorKind, named_tensors, numbers_in, shape_text
from netwise.program_error import ProgramError


def _sizes(m: re.Match[str], e: ProgramError) -> str:
    out, target = numbers_in(m["input"]), numbers_in(m["target"])
    return (
        f"The outputs are {shape_text(out)}, and the targets {shape_text(target)}."
        + named_tensors(e)
    )


def _fit_sizes(m: re.Match[str], e: ProgramError) -> str:
    out, target = numbers_in(m["input"]), numbers_in(m["target"])
    if out == (*target, 1):
        return "loss = criterion(output.squeeze(1), y)"
    if target == (*out, 1):
        return "loss = criterion(output, y.squeeze(1))"
    return "print(output.shape, y.shape)  # must be equal"


def _places(m: re.Match[str], e: ProgramError) -> str:
    return (
        f"The targets are {shape_text(numbers_in(m['got']))}, and the loss takes the second axis "
        f"of the outputs for the classes, so that it expects {shape_text(numbers_in(m['want']))}."
        + named_tensors(e)
    )


TARGETS = (
    ErrorKind(
        r"Expected input batch_size \((?P<a>\d+)\) to match target batch_size \((?P<b>\d+)\)",
        lambda m, e: (
            f"The loss gets {m['a']} rows of outputs for {m['b']} targets: a change of shape in "
            f"the model mixes samples, or a batch was cut.{named_tensors(e)}"
        ),
        lambda m, e: (
            "x = x.flatten(1)  # instead of x.view(-1, n), which takes numbers of other samples\n"
            "print(model(x).shape, y.shape)"
        ),
    ),
    ErrorKind(
        r"0D or 1D target tensor expected, multi-target not supported",
        lambda m, e: (
            "The loss of classes takes one number of a class for each sample." + named_tensors(e)
        ),
        lambda m, e: (
            "y = y.squeeze(1)  # of a column of class numbers\n"
            "y = y.argmax(1)  # of rows with a 1 at the class; or y.float() for the same loss"
        ),
    ),
    ErrorKind(
        r"Expected target size (?P<want>\[[\d, ]+\]), got (?P<got>\[[\d, ]+\])",
        _places,
        lambda m, e: (
            "loss = criterion(output.transpose(1, 2), y)  # samples, classes, places\n"
            "loss = criterion(output.flatten(0, 1), y.flatten())  # the same"
        ),
    ),
    ErrorKind(
        r"IndexError: Target (?P<value>-?\d+) is out of bounds",
        lambda m, e: (
            f"The targets hold class {m['value']}, and the outputs have no such place: classes are "
            "counted from 0, and there must be an output for each." + named_tensors(e)
        ),
        lambda m, e: (
            "y = y - 1  # of classes that are counted from 1\n"
            f"nn.Linear(n, {int(m['value']) + 1})  # or an output for each class"
        ),
    ),
    ErrorKind(
        r"device-side assert triggered",
        lambda m, e: (
            "An index is out of range on the device: most often a class number that has no output, "
            "or a symbol that has no embedding. The CPU names it."
        ),
        lambda m, e: (
            "assert 0 <= y.min() and y.max() < number_of_outputs\n"
            "# or run once with device = 'cpu', whose message has the value"
        ),
    ),
    ErrorKind(
        r"Using a target size \(torch\.Size\((?P<target>\[[\d, ]*\])\)\) that is different to the "
        r"input size \(torch\.Size\((?P<input>\[[\d, ]*\])\)\)",
        _sizes,
        _fit_sizes,
    ),
    ErrorKind(
        r"Target size \(torch\.Size\((?P<target>\[[\d, ]*\])\)\) must be the same as input size "
        r"\(torch\.Size\((?P<input>\[[\d, ]*\])\)\)",
        _sizes,
        _fit_sizes,
    ),
    ErrorKind(
        r"all elements of (input|target) should be between 0 and 1",
        lambda m, e: (
            "Binary cross-entropy takes probabilities, and a value is outside of 0 to 1, or is not "
            "a number: the outputs have no sigmoid, or the targets are no 0 and 1."
        ),
        lambda m, e: "criterion = nn.BCEWithLogitsLoss()  # takes outputs without a sigmoid",
    ),
    ErrorKind(
        r"expected scalar type Long but found (Float|Double|Int)|"
        r"not implemented for '(Float|Double|Int)'|"
        r"Expected floating point type for target with class probabilities, got (Long|Int)|"
        r"expected target d?type to be Long|expected target type Long",
        lambda m, e: "The loss of classes takes class numbers of type int64." + named_tensors(e),
        lambda m, e: "y = y.long()",
    ),
    ErrorKind(
        r"Found dtype Long but expected Float|result type Float can't be cast to the desired "
        r"output type Long|Found dtype Double but expected Float",
        lambda m, e: (
            "The loss compares float32 outputs with targets of another type." + named_tensors(e)
        ),
        lambda m, e: "y = y.float()",
    ),
)
