"""Errors of training steps that a program catches itself, so that none leaves its loop."""

from __future__ import annotations

import sys

from netwise.observe.raised_error import program_error_of
from netwise.program_error import ProgramError


class CaughtErrors:
    """The error of the last training step, as text: nothing of the program is kept alive.

    A step that succeeds later takes it back. What a program computes between its statements is not
    seen: only errors inside of modules, of losses that are modules, and of backward passes.
    """

    def __init__(self) -> None:
        self.error: ProgramError | None = None

    def add(self, error: BaseException | None) -> None:
        """An error leaves a backward pass, or the outermost module that was called."""
        if error is not None:
            self.error = program_error_of(error, below=sys._getframe())
