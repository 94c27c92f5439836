"""Snapshots of everything that a step changes: weights, buffers, the state of the optimizer, and
torch's random generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from netwise.parts.optimizers.without_compiler import compiler_not_imported
from netwise.training.ranks.sharding import is_sharded, own_part, shared_out


def module_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers by name: the tensors of `state_dict`."""
    return {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}


def load_module(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `module_tensors` returned, or the whole tensors of a module whose weights are
    shared out."""
    live = module_tensors(module)
    module.load_state_dict(
        {name: shared_out(tensor, live.get(name)) for name, tensor in tensors.items()}
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of the optimizer, by `number.name`. Numbers and lists of tensors (L-BFGS) have
    their type in the name, as `0.step:int` or `0.old_dirs:3`."""
    tensors: dict[str, Tensor] = {}
    with compiler_not_imported():
        present = optimizer.state_dict()
    for number, state in present["state"].items():
        for name, value in state.items():
            tensors.update(_as_tensors(f"{number}.{name}", value))
    return tensors


def _as_tensors(key: str, value: Any) -> dict[str, Tensor]:
    if isinstance(value, Tensor):
        return {key: value}
    if isinstance(value, bool | int | float):
        return {f"{key}:{type(value).__name__}": torch.tensor(float(value), dtype=torch.float64)}
    if isinstance(value, list):
        items = [
            item for i, each in enumerate(value) for item in _as_tensors(f"{key}:{i}", each).items()
        ]
        return {
            f"{key}:length": torch.tensor(float(len(value)), dtype=torch.float64),
            **dict(items),
        }
    return {}  # None: loading does not change it


_NUMBERS: dict[str, Callable[[float], Any]] = {"bool": bool, "int": int, "float": float}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` returned."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        values = state.setdefault(int(number), {})
        name, *suffix = name.split(":")
        if not suffix:
            values[name] = value.clone()
        elif suffix == ["length"]:
            items = [tensors.get(f"{key[: -len('length')]}{i}") for i in range(int(value))]
            values[name] = [None if item is None else item.clone() for item in items]
        elif suffix[0] in _NUMBERS:
            values[name] = _NUMBERS[suffix[0]](float(value))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for place, saved in state.items():
        saved |= {
            name: shared_out(value, parameters[place])
            for name, value in saved.items()
            if isinstance(value, Tensor)
        }
    with compiler_not_imported():
        present = optimizer.state_dict()
    # momentum_buffer is None before the first step and absent from the file
    for number, values in present["state"].items():
        for name, value in values.items():
            if value is None:
                state.setdefault(number, {}).setdefault(name, None)
    with compiler_not_imported():
        optimizer.load_state_dict({"state": state, "param_groups": present["param_groups"]})
    _lay_out_as_parameters(optimizer)


def _lay_out_as_parameters(optimizer: torch.optim.Optimizer) -> None:
    """Give the state of each parameter the parameter's own layout in memory, as the optimizer made
    it: fused kernels go through both side by side, whatever their strides say."""
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if (
                isinstance(value, Tensor)
                and value.shape == parameter.shape
                and not is_sharded(value)
                and value.stride() != parameter.stride()
            ):
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def rng_state(device: torch.device) -> list[Tensor]:
    """The states of torch's global random generators: of the CPU, and of a CUDA device."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return states


def set_rng_state(states: list[Tensor], device: torch.device) -> None:
    """Put back what `rng_state` returned."""
    torch.set_rng_state(states[0].cpu())
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1].cpu(), device)


class Keeper:
    """Keeps one snapshot of a module, its optimizer and the random generators of its device."""

    def __init__(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
    ) -> None:
        self.module, self.optimizer, self.device = module, optimizer, device
        self._model: dict[str, Tensor] = {}
        self._optimizer: dict[str, Tensor] = {}
        self._rng: list[Tensor] = []

    def take(self) -> None:
        """Replace the snapshot by the present state."""
        self._model = _copied(module_tensors(self.module), self._model)
        self._optimizer = _copied(optimizer_tensors(self.optimizer), self._optimizer)
        self._rng = rng_state(self.device)

    def restore(self) -> None:
        """Go back to the snapshot."""
        self.module.load_state_dict(self._model)
        if self._optimizer:
            load_optimizer(self.optimizer, self._optimizer)
        else:
            self.optimizer.state.clear()
        set_rng_state(self._rng, self.device)


@torch.no_grad()
def _copied(live: dict[str, Tensor], buffers: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy of the tensors in `live`, in the memory of `buffers` where names and shapes agree."""
    if live.keys() != buffers.keys() or any(
        value.shape != buffers[key].shape for key, value in live.items()
    ):
        return {key: value.detach().clone() for key, value in live.items()}
    if live:
        torch._foreach_copy_(
            [own_part(buffers[key]) for key in live], [own_part(each) for each in live.values()]
        )
    return buffers
