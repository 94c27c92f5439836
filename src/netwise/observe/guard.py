"""Calls of the observer's parts that never stop the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from netwise.errors import named
from netwise.observe.torch_hooks import QUIET


class Guard:
    """Calls parts of an observer, without gradients. An error is never raised: it switches the part
    off.

    Args:
        on_error: called with the name of a part that fails.

    Example:
        >>> guard = Guard(print)
        >>> guard.safely("division", lambda: 1 / 0)
        division
        >>> guard.switched_off
        {'division': 'ZeroDivisionError: division by zero'}
    """

    def __init__(self, on_error: Callable[[str], None]) -> None:
        self.switched_off: dict[str, str] = {}  # parts that failed, with their error
        self._on_error = on_error

    def safely(self, part: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call a part of the observer by its name."""
        if part in self.switched_off:
            return None
        if QUIET.depth:  # inside of another part: gradients are off
            try:
                return function(*args)
            except Exception as error:
                self.switch_off(part, error)
                return None
        QUIET.depth += 1
        before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)
        try:
            return function(*args)
        except Exception as error:
            self.switch_off(part, error)
            return None
        finally:
            torch._C._set_grad_enabled(before)
            QUIET.depth -= 1

    def switch_off(self, part: str, error: Exception) -> None:
        """Record an error, and call the part no more."""
        self.switched_off.setdefault(part, named(error))
        self._on_error(part)
