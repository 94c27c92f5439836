"""Importing torch without Python's garbage collector.

The import makes half a million objects that live as long as the process. The collector walks
through all of them several times while they are made, and at each full collection of a run after
that: measured, a seventh of the time until the first step.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Nothing is collected inside; what is there at its end is never looked at again. Where torch
    has been imported before, the collector is left as it is.

    Example:
        >>> with quick_imports():
        ...     import torch
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if "torch" in sys.modules:
            gc.freeze()
        gc.enable()
