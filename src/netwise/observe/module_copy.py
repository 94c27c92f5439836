"""Copies of a module that can be called as often as one likes, apart from the program."""

from __future__ import annotations

import contextlib
import copy
import types
from typing import Any

import torch
from torch import Tensor, nn

from netwise.errors import named
from netwise.observe.nested import tensors_in
from netwise.observe.readable import readable
from netwise.observe.undisturbed import seed_all

MOST_VALUES = 64  # of a list or dictionary that is looked through
MOST_BYTES = 200_000_000  # of weights and buffers that are copied while a program is observed
# Classes whose copies would hold more than a network: their trainer, their engine.
_HEAVY = ("lightning", "pytorch_lightning", "keras", "deepspeed")

_WITHOUT_TENSORS = (bool, int, float, str, type(None))  # classes of most attributes


class CannotCopy(Exception):
    """A module that is not copied; the message is the reason, as a part of a sentence."""


def copy_of(module: nn.Module, most_bytes: float = MOST_BYTES) -> nn.Module:
    """A copy of a module, without hooks of the program and without gradients.

    Hooks of torch itself, such as those of `weight_norm` and of pruning, are kept.

    Args:
        module: any module.
        most_bytes: of its weights and buffers.

    Raises:
        CannotCopy: it is too large, compiled, distributed, or of a class that cannot be copied.

    Example:
        >>> from torch import nn
        >>> module = nn.Linear(3, 2)
        >>> copied = copy_of(module)
        >>> copied is module, bool((copied.weight == module.weight).all())
        (False, True)
    """
    require_copyable(module, most_bytes)
    try:
        copied = copy.deepcopy(module, kept_tensors(module))
    except Exception as error:
        raise CannotCopy(f"the module cannot be copied ({named(error, 100)})") from error
    clean(copied)
    return copied


def require_copyable(module: nn.Module, most_bytes: float = MOST_BYTES) -> None:
    """Check what `copy_of` checks before it copies.

    Raises:
        CannotCopy: as `copy_of`.
    """
    if isinstance(module, torch.jit.ScriptModule):
        raise CannotCopy("the module is compiled")
    for part in module.modules():
        compiled = getattr(part, "_compiled_call_impl", None) is not None
        if compiled or type(part).__name__ == "OptimizedModule":
            raise CannotCopy("the module is compiled")
        heavy = {base.__module__.split(".")[0] for base in type(part).__mro__} & set(_HEAVY)
        if heavy:
            raise CannotCopy(f"copies of modules of {heavy.pop()} are not made")
    for name, part in module.named_modules():
        for attribute, value in vars(part).items():
            if "_hooks" not in attribute and _holds_a_module(value):
                raise CannotCopy(
                    f"`{f'{name}.' * bool(name)}{attribute}` is a function that holds a layer, "
                    "which copies of the module would share"
                )
    held = [*module.parameters(), *module.buffers(), *_attributes(module)]
    if any(hasattr(t, "to_local") for t in held):
        raise CannotCopy("the module is distributed over several processes")
    size = sum(t.numel() * t.element_size() for t in held if readable(t) is not None)
    if size > most_bytes:
        raise CannotCopy(f"a copy of the module takes {size / 1e6:,.0f} MB")


def _holds_a_module(value: Any) -> bool:
    """Whether a value is a function that was made around a module, which `deepcopy` leaves as it
    is, such as `lambda x: layer(x)`."""
    if isinstance(value, list | tuple) and len(value) <= MOST_VALUES:
        return any(map(_holds_a_module, value))
    if isinstance(value, dict) and len(value) <= MOST_VALUES:
        return any(map(_holds_a_module, value.values()))
    if not isinstance(value, types.FunctionType):
        return False
    held = list(value.__defaults__ or ())
    for cell in value.__closure__ or ():
        with contextlib.suppress(ValueError):  # an empty cell
            held.append(cell.cell_contents)
    return any(
        isinstance(getattr(each, "__self__", each), nn.Module) or _holds_a_module(each)
        for each in held
        if each is not value
    )


def _attributes(module: nn.Module) -> list[Tensor]:
    """Tensors that parts of the module keep besides their weights and buffers."""
    inner = ("_parameters", "_buffers", "_modules")
    return [
        tensor
        for part in module.modules()
        for name, value in vars(part).items()
        if name not in inner and value.__class__ not in _WITHOUT_TENSORS
        for tensor in tensors_in(value)
    ]


def kept_tensors(module: nn.Module) -> dict[int, Any]:
    """Copies of tensors with a graph that the module keeps, such as its last output: those torch
    does not copy."""
    kept = {id(t): t.detach().clone() for t in _attributes(module) if t.grad_fn is not None}
    for part in module.modules():
        kept |= {
            id(b): b.detach().clone()
            for b in part._buffers.values()
            if b is not None and b.grad_fn is not None
        }
    return kept


def clean(module: nn.Module) -> None:
    """Remove the program's hooks and the gradients of a copy."""
    for part in module.modules():
        for name, hooks in vars(part).items():
            if name.endswith("_hooks") and isinstance(hooks, dict):
                for key, hook in list(hooks.items()):
                    owner = getattr(hook, "__module__", None) or type(hook).__module__
                    if not owner.startswith("torch."):
                        del hooks[key]
    for parameter in module.parameters():
        parameter.grad = None


def outputs_of(
    module: nn.Module, args: Any, kwargs: Any, *, training: bool | None, seed: int = 0
) -> list[Tensor]:
    """The floating-point outputs of a copy; only inside of `undisturbed`.

    Args:
        module: a copy.
        args, kwargs: of its call.
        training: mode of all its layers; None: each as it is.
        seed: of the random generators, so that equal calls give equal numbers.
    """
    if training is not None:
        modes = [part.training for part in module.modules()]
        module.train(training)
    seed_all(seed)
    try:
        output = module(*args, **kwargs)
    finally:
        if training is not None:
            for part, mode in zip(module.modules(), modes, strict=True):
                part.training = mode
    return [t for t in tensors_in(output) if t.is_floating_point() and readable(t) is not None]
