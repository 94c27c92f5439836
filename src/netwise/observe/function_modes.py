"""The stack of modes through which calls of torch's functions pass in this thread."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._device import DeviceContext


def has_to_be_lowest(mode: Any) -> bool:
    """`set_default_device` calls `__enter__`, `with torch.device(...)` pushes without it."""
    return isinstance(mode, DeviceContext) and hasattr(mode, "old_device")


def all_modes() -> list[Any]:
    """This thread's modes, the bottom one first."""
    count: int = torch._C._len_torch_function_stack()
    return [torch._C._get_function_stack_at(i) for i in range(count)]


def enter_mode(mode: Any) -> None:
    """Put a mode at the bottom of the stack, where it is not in it: contexts which the program
    enters before and leaves afterwards remove their own modes. Only that of `set_default_device`,
    which looks for itself there, has to be below it."""
    modes = all_modes()
    if mode not in modes:
        at = 1 if modes and has_to_be_lowest(modes[0]) else 0
        set_modes([*modes[:at], mode, *modes[at:]])


def leave_mode(mode: Any) -> None:
    """Take a mode out of the stack, wherever it is."""
    modes = all_modes()
    if mode in modes:
        set_modes([each for each in modes if each is not mode])


def set_modes(modes: list[Any]) -> None:
    """Replace this thread's modes."""
    for _ in range(torch._C._len_torch_function_stack()):
        torch._C._pop_torch_function_stack()
    for mode in modes:
        torch._C._push_on_torch_function_stack(mode)
