"""A network's module as an expression that makes it, with the sources that it needs."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from netwise import networks
from netwise.errors import WrongValue
from netwise.networks import alexnet, inception, lenet, recurrent, resnet, sizes
from netwise.networks.layers import dropconnect, flatten, pooling, residual, stack
from netwise.parts import activations

# What the source of a module's class needs around it, in order.
SOURCES: dict[type[nn.Module], tuple[Any, ...]] = {
    pooling.MaxPool2: (),
    stack.ImageStack: (),
    activations.MaxPieces: (),
    dropconnect.DropConnectLinear: (),
    residual.Residual: (),
    sizes.SameConv2d: (sizes._positive, sizes.same, sizes.same_padding),
    alexnet.FeaturesHead: (),
    lenet.ScaledTanh: (),
    lenet.Subsample: (),
    lenet.PartlyConnected: (f"CONNECTIONS = {lenet.CONNECTIONS}",),
    lenet.Distances: (f"GLYPHS = {lenet.GLYPHS}", lenet.class_codes),
    recurrent.Sequencer: ('LAST = "last"', recurrent.as_rows),
    resnet.ResNetModule: (
        'AFTER, BEFORE = "after", "before"',
        residual.kept,
        resnet.Shortcut,
        resnet.ResidualBlock,
    ),
    inception.GoogLeNetModule: (
        f"BLOCKS = {inception.BLOCKS}",
        inception.Conv,
        inception.InceptionBlock,
        inception.AuxiliaryHead,
    ),
}


def module_text(network: networks.Network) -> tuple[str, list[str]]:
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
    if kind is flatten.FlattenIfNeeded:
        return "nn.Flatten()"  # the same numbers
    if not torch_own:
        if kind not in SOURCES:
            reason = "is user-defined code: paste it into a script yourself"
            raise WrongValue.of("recipe", "network", kind.__name__, reason)
        for source in (*SOURCES[kind], kind):
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
    if isinstance(module, alexnet.FeaturesHead):
        first, last = (
            constructed(child, needed, depth + 1) for child in (module.features, module.classifier)
        )
        return f"FeaturesHead(\n{pad}{first},\n{pad}{module.avgpool.output_size},\n{pad}{last},\n{'    ' * depth})"
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
