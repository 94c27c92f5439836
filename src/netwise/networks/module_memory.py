"""How much memory the module of a network needs, from its shapes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from netwise.memory import require_memory

NUMBER = 4  # bytes of a float32


@dataclass(frozen=True)
class ModuleSize:
    """Sizes of the tensors of a module.

    Args:
        trained: bytes of its parameters.
        other: bytes of its buffers.
        largest: its largest tensor in words, such as "layer1.weight of 300 x 784".
    """

    trained: int
    other: int
    largest: str

    @property
    def total(self) -> int:
        return self.trained + self.other


def within_memory(build: Callable[[Any], nn.Module]) -> Callable[[Any], nn.Module]:
    """`build` of a network, which is refused where its module needs more memory than is free."""

    @wraps(build)
    def bounded(network: Any) -> nn.Module:
        if torch.get_default_device().type != "meta":
            size = size_of(network, build)
            require_memory(size.total, "recipe", "network", type(network).__name__, needs(size))
        return build(network)

    return bounded


def needs(size: ModuleSize) -> str:
    """The reason of a network that is too large, up to the number of bytes."""
    return f"has {size.total // NUMBER:,} weights (its largest tensor: {size.largest}), which need"


def size_of(network: Any, build: Callable[[Any], nn.Module] | None = None) -> ModuleSize:
    """The sizes of the module that a network builds: its shapes are computed and nothing is
    allocated.

    Args:
        network: a network of netwise.
        build: its function. Default: its method.
    """
    try:
        module = shapes_of(network, build)
    except RuntimeError as error:
        if "overflow" not in str(error):
            raise
        return ModuleSize(2**63, 0, "of more numbers than 64 bits count")
    parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    tensors = (*parameters.items(), *buffers.items())
    name, largest = max(tensors, key=lambda item: item[1].numel(), default=("", torch.zeros(0)))
    return ModuleSize(
        sum(map(_bytes, parameters.values())),
        sum(map(_bytes, buffers.values())),
        f"{name} of {' x '.join(f'{side:,}' for side in largest.shape)}",
    )


_DRAWS = (torch.Tensor.normal_, nn.init.normal_)
_PRODUCTS = (torch.Tensor.mul, torch.Tensor.__rmul__)


class _NoNumbers(TorchFunctionMode):
    """Draws of a normal distribution and products with a number leave shapes as they are, and
    "meta" has nothing else; torch would import its compiler for them, which takes as long as
    importing torch itself."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        is_draw = function in _DRAWS
        if is_draw or (function in _PRODUCTS and isinstance(args[1], float)):
            tensor: Tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta and tensor.is_floating_point():
                return tensor if is_draw else tensor.detach()
        if function is torch.randn and not kwargs:
            function = torch.empty
        return function(*args, **kwargs)


def shapes_of(network: Any, build: Callable[[Any], nn.Module] | None = None) -> nn.Module:
    """The module of a network on torch's device "meta", where tensors have a shape and no
    memory. Leaves the state of the random number generator as it was."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"), _NoNumbers():
        return network.build() if build is None else build(network)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
