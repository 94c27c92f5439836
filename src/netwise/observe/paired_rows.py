"""Batches of two views of each sample: whether the rows that a loss takes as pairs are those that
are alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch

FEWEST_BATCHES, FEWEST_ROWS, MOST_ROWS = 3, 8, 2048
NEIGHBOURS, HALVES = "neighbours", "halves"  # where the two views of a sample are


def paired_rows(batches: Sequence[KeptBatch]) -> tuple[float, float, str] | None:
    """How near the pairs of a loss are by their inputs, how near those of another order are, and
    which order that is; None where targets are no pairs of rows, always the same ones.

    A target is the number of the row that is the other one of a pair, as in a contrastive loss of
    similarities. Near is the share of all other rows that are nearer than it: 0 for the nearest
    one, 0.5 at random.

    Args:
        batches: of training.

    Example:
        >>> views = torch.randn(8, 1, 4).expand(8, 2, 4).flatten(0, 1)  # side by side
        >>> halves = torch.arange(16).roll(8)
        >>> batches = [KeptBatch((views,), {}, target=halves)] * 3
        >>> paired_rows(batches)[1:]
        (0.0, 'neighbours')
    """
    known = [(x, t) for batch in batches if (x := _rows(batch)) is not None
             and (t := batch.target) is not None]  # fmt: skip
    if len(known) < FEWEST_BATCHES:
        return None
    target = known[0][1]
    if not all(torch.equal(t, target) for _, t in known[:FEWEST_BATCHES]):
        return None
    known = [(x, t) for x, t in known if torch.equal(t, target)]  # a last batch may be smaller
    n = len(target)
    places = torch.arange(n)
    if not torch.equal(target.sort().values, places) or bool((target == places).any()):
        return None
    own = _nearness([x for x, _ in known], target)
    others = [
        (_nearness([x for x, _ in known], order), name)
        for name, order in _orders(n)
        if not torch.equal(order, target)
    ]
    nearest, name = min(others)
    return own, nearest, name


def _orders(n: int) -> Iterator[tuple[str, Tensor]]:
    places = torch.arange(n)
    yield NEIGHBOURS, places ^ 1
    yield HALVES, places.roll(n // 2)


def _rows(batch: KeptBatch) -> Tensor | None:
    """The rows of a batch of which the target may be numbers of."""
    target = batch.target
    inputs = [t for t in batch.inputs if t.is_floating_point() and t.dim() > 1]
    if target is None or target.is_floating_point() or target.dim() != 1 or not inputs:
        return None
    n = len(target)
    fits = len(inputs[0]) == n and n % 2 == 0 and FEWEST_ROWS <= n <= MOST_ROWS
    return inputs[0].flatten(1).float() if fits else None


def _nearness(batches: Sequence[Tensor], partners: Tensor) -> float:
    shares = []
    for rows in batches:
        distances = torch.cdist(rows, rows)
        own = distances.gather(1, partners[:, None])
        nearer = (distances < own).sum(1) - (distances.diagonal() < own[:, 0]).long()
        shares.append(float(nearer.float().mean()) / (len(rows) - 2))
    return sum(shares) / len(shares)
