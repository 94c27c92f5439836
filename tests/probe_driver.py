"""Calls a probe as an observer does: from hooks on all modules, and around backward and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks

from netwise.observe.probe import Probe


@contextmanager
def forwards_to(probe: Probe, root: nn.Module) -> Iterator[None]:
    """While open, forward passes of `root` with gradients are passed to the probe."""
    running = False

    def before(module: nn.Module, args: Any) -> None:
        nonlocal running
        if module is root and torch.is_grad_enabled():
            running = True
            probe.forward_begins()

    def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        nonlocal running
        if running:
            probe.module_called(module, args, kwargs, output)
            if module is root:
                running = False
                probe.forward_ends(output)

    handles = [
        module_hooks.register_module_forward_pre_hook(before),
        module_hooks.register_module_forward_hook(after, with_kwargs=True),  # type: ignore[arg-type]
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
            # torch 2.13 leaves the number of a removed hook here, for ever.
            module_hooks._global_forward_hooks_with_kwargs.pop(handle.id, None)


def watched_step(
    probe: Probe,
    root: nn.Module,
    compute_loss: Callable[[], Tensor],
    optimizer: torch.optim.Optimizer | None = None,
    between: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """One watched step of SGD.

    Args:
        between: called after the backward pass.
    """
    optimizer = optimizer or torch.optim.SGD(root.parameters(), lr=0.1)
    optimizer.zero_grad()
    with forwards_to(probe, root):
        loss = compute_loss()
    loss.backward()
    probe.backward_ends()
    between()
    probe.step_begins()
    optimizer.step()
    return probe.step_ends()
