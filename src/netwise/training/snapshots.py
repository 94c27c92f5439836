"""Everything that a step changes, taken out and put back: weights, buffers, optimizer, torch's
random generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def module_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers by name: what `state_dict` has, without what is not a tensor."""
    return {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimizer remembers, as `number.name`; numbers and rows of tensors (L-BFGS) under
    names that say so."""
    found: dict[str, Tensor] = {}
    for number, memory in optimizer.state_dict()["state"].items():
        for name, value in memory.items():
            found.update(_plain(f"{number}.{name}", value))
    return found


def _plain(key: str, value: Any) -> dict[str, Tensor]:
    if isinstance(value, Tensor):
        return {key: value}
    if isinstance(value, bool | int | float):
        return {f"{key}:{type(value).__name__}": torch.tensor(float(value), dtype=torch.float64)}
    if isinstance(value, list):
        items = [
            item for i, each in enumerate(value) for item in _plain(f"{key}:{i}", each).items()
        ]
        return {
            f"{key}:length": torch.tensor(float(len(value)), dtype=torch.float64),
            **dict(items),
        }
    return {}  # None, which loading leaves as it is


_NUMBERS: dict[str, Callable[[float], Any]] = {"bool": bool, "int": int, "float": float}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        memory = state.setdefault(int(number), {})
        name, *way = name.split(":")
        if not way:
            memory[name] = value.clone()
        elif way == ["length"]:
            memory[name] = [tensors.get(f"{key[: -len('length')]}{i}") for i in range(int(value))]
            memory[name] = [each if each is None else each.clone() for each in memory[name]]
        elif way[0] in _NUMBERS:
            memory[name] = _NUMBERS[way[0]](float(value))
    plain = optimizer.state_dict()
    # momentum_buffer is None before the first step and absent from the file
    for number, memory in plain["state"].items():
        for name, value in memory.items():
            if value is None:
                state.setdefault(number, {}).setdefault(name, None)
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

    def __init__(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
    ) -> None:
        self.module, self.optimizer, self.device = module, optimizer, device
        self._model: dict[str, Tensor] = {}
        self._memory: dict[str, Tensor] = {}
        self._rng: list[Tensor] = []

    def take(self) -> None:
        """Copy the present state into the buffers."""
        self._model = _copied(module_tensors(self.module), self._model)
        self._memory = _copied(optimizer_tensors(self.optimizer), self._memory)
        self._rng = rng_state(self.device)

    def restore(self) -> None:
        """Go back to the snapshot."""
        self.module.load_state_dict(self._model)
        if self._memory:
            load_optimizer(self.optimizer, self._memory)
        else:
            self.optimizer.state.clear()
        set_rng_state(self._rng, self.device)


@torch.no_grad()
def _copied(live: dict[str, Tensor], buffers: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `live` copied, into `buffers` where these have the same names and shapes."""
    if live.keys() != buffers.keys() or any(
        value.shape != buffers[key].shape for key, value in live.items()
    ):
        return {key: value.detach().clone() for key, value in live.items()}
    for key, value in live.items():
        buffers[key].copy_(value)
    return buffers
