"""Which activation function is between the outputs of a layer and a later tensor.

The autograd graph shows the operations between them. Where it does not, as in frozen layers or in
functions that are written by hand, numbers are compared with known formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from netwise.parts.activations import KNOWN_FORMULAS

MOST_NODES = 1000  # of the graph between two layers
MOST_COMPARED = 2**14  # values of a layer's outputs that are compared with formulas
SHARE_OF_ZEROS = 0.01  # a rectifier leaves at least so many exact zeros

# Operations that only move numbers.
_MOVES = {
    *("View", "UnsafeView", "Reshape", "ReshapeAlias", "AsStrided", "Alias", "Clone", "ToCopy"),
    *("T", "Transpose", "Permute", "Unsqueeze", "Squeeze", "Expand"),
    *("Slice", "Select", "Split", "SplitWithSizes", "Unbind"),
}
_NORMS = {
    *("NativeBatchNorm", "CudnnBatchNorm", "NativeLayerNorm", "FusedRmsNorm", "NativeGroupNorm")
}
# Operations that leave the outputs of an activation function what they are: sums, norms, pooling.
_NEUTRAL = {
    *_NORMS,
    *("Add", "Sub", "Neg", "Mean", "Sum", "Cat", "Stack", "NativeDropout", "CopySlices"),
    *("MaxPool2DWithIndices", "MaxPool3DWithIndices", "AvgPool2D", "AvgPool3D"),
    *("AdaptiveAvgPool2D", "AdaptiveAvgPool3D", "MkldnnAdaptiveAvgPool2D"),
    *("AdaptiveMaxPool2D", "AdaptiveMaxPool3D", "UpsampleNearest2D", "UpsampleBilinear2D"),
    *("ConstantPadNd", "IndexSelect", "Index", "Gather"),
}
_FUNCTIONS = {
    "Relu": "ReLU",
    "LeakyRelu": "LeakyReLU",
    "PreluKernel": "PReLU",
    "RreluWithNoise": "RReLU",
    "Elu": "ELU",
    "Gelu": "GELU",
    "Silu": "SiLU",
    "Mish": "Mish",
    "Sigmoid": "Sigmoid",
    "Tanh": "Tanh",
    "Hardsigmoid": "Hardsigmoid",
    "Hardtanh": "Hardtanh",
    "Hardswish": "Hardswish",
    "Softplus": "Softplus",
    "Softmax": "Softmax",
    "LogSoftmax": "LogSoftmax",
    "LogSigmoid": "LogSigmoid",
}


@dataclass(frozen=True)
class Way:
    """The operations between a tensor and the outputs of a layer that it is computed from, on all
    ways between them.

    Args:
        functions: the activation functions.
        moves: all others only move numbers.
        neutral: all others keep the outputs of an activation function what they are.
        normalised: a normalisation is among them.
    """

    functions: frozenset[str] = frozenset()
    moves: bool = True
    neutral: bool = True
    normalised: bool = False

    @property
    def kind(self) -> str:
        """The activation function, "Identity" without one, "" where it is not known."""
        if len(self.functions) == 1 and self.neutral:
            return next(iter(self.functions))
        return "Identity" if self.moves and not self.functions else ""

    def joined(self, other: Way) -> Way:
        """Of this way and another one."""
        return Way(
            self.functions | other.functions,
            self.moves and other.moves,
            self.neutral and other.neutral,
            self.normalised and other.normalised,
        )

    def through(self, operation: str, inputs: int) -> Way:
        """This way, and one more operation, with so many inputs that have a graph."""
        if operation in _FUNCTIONS:
            return replace(self, functions=self.functions | {_FUNCTIONS[operation]})
        if operation in _MOVES:
            return self
        # A product or quotient with a number or a mask, as in a dropout.
        by_constant = operation in ("Mul", "Div") and inputs == 1
        return replace(
            self,
            moves=False,
            neutral=self.neutral and (operation in _NEUTRAL or by_constant),
            normalised=self.normalised or operation in _NORMS,
        )


NOT_KNOWN = Way(moves=False, neutral=False)


def ways_to_outputs(
    node: Any, outputs: Mapping[Any, int], owner: Callable[[Tensor], int | None]
) -> dict[int, Way]:
    """The layer calls that a tensor is computed from, and the ways to them.

    Args:
        node: `grad_fn` of the tensor. The search ends at the outputs of layers.
        outputs: numbers of calls by the `grad_fn` of their outputs.
        owner: the last call of the layer that owns a weight; None where there is none. Reached
            where an operation in place has replaced the node of an output.

    Returns:
        Nothing where the graph between has more than `MOST_NODES` nodes.
    """
    found: dict[int, Way] = {}
    seen: dict[Any, Way] = {}
    pending = [(node, Way())]
    while pending:
        node, way = pending.pop()
        call = outputs.get(node)
        if call is None and type(node).__name__ == "AccumulateGrad":
            call = owner(node.variable)
            if call is None:
                continue
            way = NOT_KNOWN
        if call is not None:
            found[call] = found[call].joined(way) if call in found else way
            continue
        if node in seen:
            joined = seen[node].joined(way)
            if joined == seen[node]:
                continue
            way = joined
        seen[node] = way
        if len(seen) > MOST_NODES:
            return {}
        inputs = [each for each, _ in node.next_functions if each is not None]
        operation = type(node).__name__.partition("Backward")[0]
        further = way.through(operation, len(inputs))
        pending += [(each, further) for each in inputs]
    return found


def some_rows(output: Tensor) -> Tensor:
    """A copy of the first rows of a layer's output, at most `MOST_COMPARED` values or one row."""
    per_row = max(output.numel() // max(len(output), 1), 1)
    return output[: max(MOST_COMPARED // per_row, 1)].clone()


def kind_by_numbers(raw: Tensor, shape: tuple[int, ...], values: Tensor, last: bool) -> str:
    """The activation function whose formula gives these values; "" where none does.

    Args:
        raw: `some_rows` of a layer's output.
        shape: of the whole output.
        values: a later tensor.
        last: whether it is an output of the module, where a softmax may be.
    """
    if values.numel() != math.prod(shape) or not raw.numel() or not values.is_floating_point():
        return ""
    a = values.reshape(shape)
    z, a = raw.float(), a[: len(raw)].float()
    if torch.equal(z, a):
        return "Identity"
    coarse = min(raw.element_size(), values.element_size()) < 4
    rtol, atol = (1e-2, 1e-3) if coarse else (1e-4, 1e-6)
    for name, formula in KNOWN_FORMULAS.items():
        if name == "Identity" or (name in ("Softmax", "LogSoftmax") and not last):
            continue
        if torch.allclose(formula(z), a, rtol=rtol, atol=atol):
            return name
    return ""


def is_rectified(raw: Tensor, values: Tensor) -> bool:
    """Whether a rectifier is between. With a norm or pooling layer between, it still leaves exact
    zeros and nothing below."""
    if not raw.numel() or not values.numel() or not values.is_floating_point():
        return False
    if float(values.min()) != 0 or not float(raw.min()) < 0:
        return False
    return 1 - float(torch.count_nonzero(values)) / values.numel() > SHARE_OF_ZEROS
