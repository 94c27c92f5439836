"""A network's module as an expression that makes it, and the sources of its classes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from netwise.errors import WrongValue
from netwise.networks import Network
from netwise.networks.script_source import ScriptSource, script_source
from netwise.parts import activations

# Modules of activations, which lie below networks.
ACTIVATION_SOURCES: Mapping[type[nn.Module], ScriptSource] = {activations.MaxPieces: ScriptSource()}


def module_text(network: Network) -> tuple[str, list[str]]:
    """(an expression that makes the network's module, the definitions that it needs).

    Raises:
        WrongValue: it has a module that is neither torch's nor netwise's.
    """
    with torch.random.fork_rng():
        module = network.build()
    sources: list[str] = []
    return _expression(module, sources, 0), sources


def _expression(module: nn.Module, sources: list[str], depth: int) -> str:
    """An expression that makes the module, indented by `depth`; sources that are new are added."""
    cls = type(module)
    is_torch = cls.__module__.startswith("torch.")
    name = f"nn.{cls.__name__}" if is_torch else cls.__name__
    source = ACTIVATION_SOURCES.get(cls) or script_source(module)
    if source is not None and source.expression:
        return source.expression
    if not is_torch:
        _add_sources(cls, source, sources)
    if isinstance(module, nn.Sequential):
        return _sequential(name, module, sources, depth)
    if source is None or source.arguments is None:
        return _layer(name, module)
    pad, end = "    " * (depth + 1), "    " * depth
    arguments = [
        _expression(value, sources, depth + 1) if isinstance(value, nn.Module) else repr(value)
        for value in source.arguments(module)
    ]
    return "\n".join([f"{name}(", *(f"{pad}{argument}," for argument in arguments), f"{end})"])


def _add_sources(cls: type[nn.Module], source: ScriptSource | None, sources: list[str]) -> None:
    if source is None:
        reason = "is user-defined code: paste it into a script yourself"
        raise WrongValue.of("recipe", "network", cls.__name__, reason)
    for definition in (*source.needs, cls):
        text = definition if isinstance(definition, str) else source_of(definition)
        if text not in sources:
            sources.append(text)


def _sequential(name: str, module: nn.Sequential, sources: list[str], depth: int) -> str:
    # `named_children` leaves out a layer that occurs twice
    children = list(module._modules.items())
    pad, end = "    " * (depth + 1), "    " * depth
    if all(label == str(i) for i, (label, _) in enumerate(children)):
        lines = [f"{pad}{_expression(child, sources, depth + 1)}," for _, child in children]
        return "\n".join([f"{name}(", *lines, f"{end})"])
    lines = [
        f'{pad}    ("{label}", {_expression(child, sources, depth + 2)}),'
        for label, child in children
    ]
    return "\n".join([f"{name}(OrderedDict([", *lines, f"{end}]))"])


def _layer(name: str, module: nn.Module) -> str:
    """A layer without layers inside."""
    if isinstance(module, nn.ZeroPad2d):
        return f"{name}({module.padding})"
    if isinstance(module, nn.PReLU):
        return f"{name}(init={float(module.weight.detach()[0])!r})"
    if isinstance(module, nn.MaxPool2d):
        sizes = f"{module.kernel_size}, {module.stride}, {module.padding}"
        return f"{name}({sizes}, ceil_mode={module.ceil_mode})"
    return f"{name}({module.extra_repr()})"


def source_of(definition: Any) -> str:
    """The source of a class or function, without the examples in its docstring, which import
    netwise."""
    kept: list[str] = []
    skipping = False
    for line in inspect.getsource(definition).splitlines():
        if line.strip() == "Example:":
            skipping = True
            while kept and not kept[-1].strip():
                kept.pop()
        elif skipping and (not line.strip() or line.strip() == '"""'):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept) + "\n"
