"""Everything that a step changes, taken out and put back: weights, buffers, optimizer, torch's random generator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def module_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers by name: what `state_dict` has, without what is not a tensor."""
    return {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimizer remembers, as `number.name`."""
    found: dict[str, Tensor] = {}
    for number, memory in optimizer.state_dict()["state"].items():
        for name, value in memory.items():
            if isinstance(value, Tensor):
                found[f"{number}.{name}"] = value
    return found


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value.clone()
    plain = optimizer.state_dict()
    # momentum_buffer is None before the first step and absent from the file
    for number, memory in plain["state"].items():
        for name, value in memory.items():
            if not isinstance(value, Tensor):
                state.setdefault(number, {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": plain["param_groups"]})


def rng_state(device: torch.device) -> list[Tensor]:
    """The state of torch's global generators: the CPU's, and the device's where it has its own."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return states


def set_rng_state(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0].cpu())
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1].cpu(), device)


class Keeper:
    """Keeps one snapshot of a module and its optimizer, and can go back to it."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        self.module, self.optimizer, self.device = module, optimizer, device
        self._model: list[Tensor] = []
        self._memory: dict[str, Tensor] = {}
        self._rng: list[Tensor] = []

    def take(self) -> None:
        """Copy the present state into the buffers."""
        live = [value.detach() for value in module_tensors(self.module).values()]
        if len(self._model) != len(live):
            self._model = [value.clone() for value in live]
        elif live:
            for buffer, value in zip(self._model, live, strict=True):
                buffer.copy_(value)
        memory = optimizer_tensors(self.optimizer)
        if memory.keys() != self._memory.keys():
            self._memory = {key: value.detach().clone() for key, value in memory.items()}
        else:
            for key, value in memory.items():
                self._memory[key].copy_(value)
        self._rng = rng_state(self.device)

    def restore(self) -> None:
        """Go back to the snapshot."""
        with torch.no_grad():
            for value, buffer in zip(module_tensors(self.module).values(), self._model, strict=True):
                value.copy_(buffer)
        if self._memory:
            load_optimizer(self.optimizer, self._memory)
        else:
            self.optimizer.state.clear()
        set_rng_state(self._rng, self.device)
