"""Operations of a gradient: by all paths, in forward mode, and in backward mode."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Operations:
    """Multiplications that the gradient of one output by all weights of a network takes.

    Args:
        paths: by the sum over all paths from each weight to the output, each path on its own.
        forward: by forward mode, one pass for each weight.
        backward: by backward mode, one pass, which uses every product again.

    Example:
        >>> import netwise as nw
        >>> nw.learning_rules.count_operations((2, 1)).backward
        3
    """

    paths: int
    forward: int
    backward: int


def count_operations(widths: tuple[int, ...]) -> Operations:
    """Multiplications for the derivatives of the sum of a layered network's outputs by all of its
    weights.

    Layers of `widths` units, fully connected; the slopes of the activations are known from the
    forward pass. Each factor on an edge or of a slope is one multiplication.

        paths:    each weight of layer l has (product of the widths behind it) paths; each
                  multiplies its input by its slope, and then by an edge and a slope for each
                  layer behind
        forward:  for each weight, a pass through the layers behind it: one product for each
                  edge and one for each unit
        backward: one pass: one product for each edge and unit, then one for each weight

    Args:
        widths: inputs, hidden layers, outputs; at least two.

    Raises:
        ValueError: fewer than two layers, or a width below 1.

    Example:
        >>> import netwise as nw
        >>> nw.learning_rules.count_operations((3, 3, 3, 3))
        Operations(paths=495, forward=243, backward=54)

    Source: Griewank, Walther 2008, Evaluating derivatives, chapter 3.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(
            f"widths = {widths} must be at least two numbers of at least 1, such as (784, 30, 10)"
        )
    paths = forward = backward = 0
    for layer, (ins, outs) in enumerate(pairwise(widths)):
        behind = widths[layer + 1 :]
        ways = 1
        for width in behind[1:]:
            ways *= width
        later = list(pairwise(behind))
        # the input times the slope, then an edge and a slope for each layer behind
        paths += ins * outs * ways * (1 + 2 * len(later))
        # the first unit alone, then whole layers
        pass_ = 1
        for i, (a, b) in enumerate(later):
            pass_ += (b if i == 0 else a * b) + b
        forward += ins * outs * pass_
        edges = ins * outs if layer > 0 else 0  # nothing is carried back to the inputs
        backward += edges + outs + ins * outs
    return Operations(paths, forward, backward)
