"""The step of an optimizer without its overhead: the same fused kernel on the same state.

`torch.optim` spends more time on hooks, grouping and checks than the update of a small network
takes. In plain cases the kernel is called directly on the optimizer's own state; in all other cases
its `step` is called. Tests compare both to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from netwise.parts.optimizers.without_compiler import plain_step


def updater(optimizer: torch.optim.Optimizer) -> Callable[[], object]:
    """A function that does what `optimizer.step()` does, without its overhead where possible."""
    kernels = {
        torch.optim.SGD: ("_fused_sgd_", _sgd),
        torch.optim.Adam: ("_fused_adam_", _adam),
        torch.optim.AdamW: ("_fused_adamw_", _adam),
    }
    name, make_update = kernels.get(type(optimizer), ("", None))
    groups = optimizer.param_groups
    kernel = getattr(torch, name, None) if name else None
    plain = (
        len(groups) == 1
        and groups[0].get("fused")
        and not any(
            groups[0].get(option)
            for option in ("maximize", "amsgrad", "differentiable", "capturable")
        )
    )
    if make_update is None or kernel is None or not plain:
        return plain_step(optimizer)
    return make_update(optimizer, kernel)


def _sgd(optimizer: torch.optim.Optimizer, kernel: Callable[..., None]) -> Callable[[], object]:
    # For what is fixed. The rate is read at each step: `load_state_dict` replaces this dictionary.
    group = optimizer.param_groups[0]
    parameters: list[Tensor] = group["params"]
    settings = {
        key: group[key] for key in ("momentum", "weight_decay", "dampening", "nesterov", "maximize")
    }
    has_momentum = bool(group["momentum"])

    @torch.no_grad()
    def update() -> object:
        gradients = [p.grad for p in parameters]
        buffers = (
            [
                optimizer.state[p].get("momentum_buffer") if p in optimizer.state else None
                for p in parameters
            ]
            if has_momentum
            else []
        )
        if any(g is None for g in gradients) or any(b is None for b in buffers):
            return plain_step(optimizer)()  # the first step, or a parameter without a gradient
        kernel(
            parameters,
            gradients,
            buffers,
            lr=optimizer.param_groups[0]["lr"],
            is_first_step=False,
            **settings,
        )
        return None

    return update


def _adam(optimizer: torch.optim.Optimizer, kernel: Callable[..., None]) -> Callable[[], object]:
    group = optimizer.param_groups[0]
    parameters: list[Tensor] = group["params"]
    settings: dict[str, Any] = {
        "beta1": group["betas"][0],
        "beta2": group["betas"][1],
        "eps": group["eps"],
        "weight_decay": group["weight_decay"],
        "amsgrad": False,
        "maximize": False,
    }

    @torch.no_grad()
    def update() -> object:
        gradients = [p.grad for p in parameters]
        state = [optimizer.state.get(p) for p in parameters]
        if any(g is None for g in gradients) or any(not s for s in state):
            return plain_step(optimizer)()
        steps = [s["step"] for s in state if s]
        torch._foreach_add_(steps, 1)
        averages, squares = (
            [s["exp_avg"] for s in state if s],
            [s["exp_avg_sq"] for s in state if s],
        )
        kernel(
            parameters,
            gradients,
            averages,
            squares,
            [],
            steps,
            lr=optimizer.param_groups[0]["lr"],
            grad_scale=None,
            found_inf=None,
            **settings,
        )
        return None

    return update
