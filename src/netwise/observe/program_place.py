"""The line of the program that is being observed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

import torch

# Code of torch and of netwise is not the program's.
FOREIGN = tuple(
    str(Path(folder).resolve()) + os.sep
    for folder in (Path(torch.__file__).parent, Path(__file__).parent.parent / "observe")
)


def program_place() -> str:
    """File and line of the innermost code that is neither torch's nor the observer's, such as
    "train.py:31"; "" where there is none.

    >>> program_place()[:10] != ""
    True
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(FOREIGN):
        frame = frame.f_back
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
