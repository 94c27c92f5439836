"""Optimizers of torch without torch's compiler, whose import takes as long as that of torch itself.

Torch marks some methods of its optimizers as not to be compiled, and imports the compiler when the
first of them is called. As long as nothing else has imported it, nothing compiles them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim import optimizer as torch_optimizers

COMPILER = "torch._dynamo"
MARK = "__dynamo_disable"  # where torch keeps the form of a method that is not compiled


@contextmanager
def compiler_not_imported() -> Iterator[None]:
    """Inside, methods of torch's optimizers do not import the compiler.

    Example:
        >>> weight = torch.zeros(1, requires_grad=True)
        >>> with compiler_not_imported():
        ...     optimizer = torch.optim.SGD([weight], lr=0.1)
    """
    marked: list[Any] = []
    if COMPILER not in sys.modules:
        for method in vars(torch.optim.Optimizer).values():
            plain = getattr(method, "__wrapped__", None)
            if inspect.isfunction(plain) and MARK not in vars(plain):
                setattr(plain, MARK, plain)
                marked.append(plain)
    try:
        yield
    finally:
        for plain in marked:
            delattr(plain, MARK)


def plain_step(optimizer: torch.optim.Optimizer) -> Callable[[], object]:
    """A function that does what `optimizer.step()` does: without the compiler and the profiler,
    where the class is torch's own and nobody listens to its steps."""
    kind = type(optimizer)
    hooks: tuple[Any, ...] = (
        optimizer._optimizer_step_pre_hooks,
        optimizer._optimizer_step_post_hooks,
        torch_optimizers._global_optimizer_pre_hooks,
        torch_optimizers._global_optimizer_post_hooks,
    )
    step = inspect.unwrap(kind.step)
    own = kind.__module__.startswith("torch.optim.") and "step" not in vars(optimizer)
    if not own or any(hooks) or optimizer.defaults.get("differentiable"):
        return optimizer.step

    @torch.no_grad()
    def update() -> object:
        return step(optimizer)

    return update
