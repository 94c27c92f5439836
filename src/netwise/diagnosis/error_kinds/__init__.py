"""Kinds of errors that training programs raise, by their messages in torch."""

from __future__ import annotations

from netwise.diagnosis.error_kinds.graphs import GRAPHS
from netwise.diagnosis.error_kinds.kind import ErrorKind
from netwise.diagnosis.error_kinds.programs import PROGRAMS
from netwise.diagnosis.error_kinds.shapes import SHAPES
from netwise.diagnosis.error_kinds.targets import TARGETS
from netwise.diagnosis.error_kinds.types import TYPES
from netwise.program_error import ProgramError

ERROR_KINDS: tuple[ErrorKind, ...] = (*GRAPHS, *SHAPES, *TARGETS, *TYPES, *PROGRAMS)


def kind_of_error(error: ProgramError) -> ErrorKind | None:
    """The first kind whose pattern the error has; None for others.

    >>> kind_of_error(ProgramError("KeyError", "'x'")) is None
    True
    """
    return next((kind for kind in ERROR_KINDS if kind.match(error)), None)
