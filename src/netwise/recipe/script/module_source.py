"""A network's module as an expression that makes it, with the sources that it needs."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from netwise.errors import WrongValue
from netwise.networks import Network
from netwise.networks.script_source import ScriptSource, script_source
from netwise.parts import activations

PARTS: dict[type[nn.Module], ScriptSource] = {
    activations.MaxPieces: ScriptSource()
}  # modules of activations, which are below networks


def module_text(network: Network) -> tuple[str, list[str]]:
    """(an expression that makes the network's module, the sources that it needs).

    Raises:
        WrongValue: it holds a module that is neither torch's nor netwise's.
    """
    with torch.random.fork_rng():
        module = network.build()
    needed: list[str] = []
    return constructed(module, needed, 0), needed


def constructed(module: nn.Module, needed: list[str], depth: int) -> str:
    kind, pad = type(module), "    " * (depth + 1)
    torch_own = kind.__module__.startswith("torch.")
    written = PARTS.get(kind) or script_source(module)
    if written is not None and written.expression:
        return written.expression
    if not torch_own:
        if written is None:
            reason = "is user-defined code: paste it into a script yourself"
            raise WrongValue.of("recipe", "network", kind.__name__, reason)
        for source in (*written.needs, kind):
            text = source if isinstance(source, str) else source_of(source)
            if text not in needed:
                needed.append(text)
    name = f"nn.{kind.__name__}" if torch_own else kind.__name__
    if isinstance(module, nn.Sequential):
        children = list(
            module._modules.items()
        )  # `named_children` leaves out a layer that stands in two places
        if all(label == str(i) for i, (label, _) in enumerate(children)):
            inner = [f"{pad}{constructed(child, needed, depth + 1)}," for _, child in children]
            return "\n".join([f"{name}(", *inner, f"{'    ' * depth})"])
        inner = [
            f'{pad}    ("{label}", {constructed(child, needed, depth + 2)}),'
            for label, child in children
        ]
        return "\n".join([f"{name}(OrderedDict([", *inner, f"{'    ' * depth}]))"])
    if written is not None and written.arguments is not None:
        arguments = [
            constructed(given, needed, depth + 1) if isinstance(given, nn.Module) else repr(given)
            for given in written.arguments(module)
        ]
        inner = [f"{pad}{argument}," for argument in arguments]
        return "\n".join([f"{name}(", *inner, f"{'    ' * depth})"])
    if isinstance(module, nn.ZeroPad2d):
        return f"nn.ZeroPad2d({module.padding})"
    if isinstance(module, nn.PReLU):
        return f"nn.PReLU(init={float(module.weight.detach()[0])!r})"
    if isinstance(module, nn.MaxPool2d):
        return f"nn.MaxPool2d({module.kernel_size}, {module.stride}, {module.padding}, ceil_mode={module.ceil_mode})"
    return f"{name}({module.extra_repr()})"


def source_of(thing: Any) -> str:
    """The source of a class or function, without the examples in its docstring, which speak of
    netwise."""
    kept: list[str] = []
    skipping = False
    for line in inspect.getsource(thing).splitlines():
        if line.strip() == "Example:":
            skipping = True
            while kept and not kept[-1].strip():
                kept.pop()
        elif skipping and (not line.strip() or line.strip() == '"""'):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept) + "\n"
