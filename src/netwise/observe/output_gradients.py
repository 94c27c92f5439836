"""Gradients of all outputs of a copy at once, of weights that are frozen, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def random_sum(outputs: Iterable[Tensor]) -> Tensor | None:
    """The sum of all outputs, each number times a random one, so that none cancels another; None
    where none of them has a graph and is finite.

    >>> x = torch.ones(3, requires_grad=True)
    >>> random_sum([x, torch.ones(2)]).shape, random_sum([torch.ones(2)])
    (torch.Size([]), None)
    """
    generator = torch.Generator().manual_seed(0)
    sums = [
        (t * torch.randn(t.shape, generator=generator).to(t)).sum()
        for t in outputs
        if t.requires_grad and bool(t.isfinite().all())
    ]
    return torch.stack([each.double() for each in sums]).sum() if sums else None


@contextmanager
def all_trained(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Inside of it gradients are on, and frozen parameters get one as well."""
    frozen = [p for p in parameters if not p.requires_grad and p.is_floating_point()]
    with torch.enable_grad():
        for p in frozen:
            p.requires_grad_(True)
        try:
            yield
        finally:
            for p in frozen:
                p.requires_grad_(False)
