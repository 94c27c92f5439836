"""The same steps twice: what a step changes is put back, and results are compared bit by bit."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class Before:
    """The present values of tensors that a step changes, and the state of torch's generator.

    Example:
        >>> weight = torch.ones(2)
        >>> before = Before([weight])
        >>> _ = weight.zero_()
        >>> before.restore()
        >>> weight.tolist()
        [1.0, 1.0]
    """

    @torch.no_grad()
    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self._values = [(each, each.clone()) for each in tensors]
        self._random = torch.get_rng_state()

    @torch.no_grad()
    def restore(self) -> None:
        """Put them back, in the same memory."""
        for tensor, value in self._values:
            tensor.copy_(value)
        torch.set_rng_state(self._random)


def same_bits(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two tensors are equal bit by bit, also where they are not numbers.

    Example:
        >>> same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
        False
    """
    if one is None or other is None:
        return one is other
    if one.dtype != other.dtype:
        return False
    whole = {2: torch.int16, 4: torch.int32, 8: torch.int64}.get(one.element_size())
    if not one.is_floating_point() or whole is None:
        return torch.equal(one, other)
    return torch.equal(one.detach().view(whole), other.detach().view(whole))
