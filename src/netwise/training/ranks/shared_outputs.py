"""Outputs of a network on many rows, which several processes share out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwise.training.evaluate import outputs_of
from netwise.training.ranks.ranks import Ranks


def shared_outputs(ranks: Ranks, module: nn.Module, x: Tensor) -> Tensor:
    """`outputs_of` all rows of `x`: each process computes as many of them as the others, and gets
    those of all."""
    if ranks.alone or len(x) < ranks.size:
        return outputs_of(module, x)
    count = -(-len(x) // ranks.size)
    # The rows of the last processes overlap those before, so that all have as many.
    begins = [min(rank * count, len(x) - count) for rank in range(ranks.size)]
    own = outputs_of(module, x[begins[ranks.rank] : begins[ranks.rank] + count])
    pieces = enumerate(zip(ranks.tensors_of_all(own), begins, strict=True))
    return torch.cat([piece[rank * count - begin :] for rank, (piece, begin) in pieces])
