"""Pairs of rows in contrastive losses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.paired_rows import paired_rows

G = torch.Generator().manual_seed(0)
HALVES = torch.arange(40).roll(20)
SIDES = torch.arange(40) ^ 1


def batches(by_sides: bool, target: Tensor, noise: float = 0.3) -> list[KeptBatch]:
    made = []
    for _ in range(4):
        x = torch.randn(20, 6, generator=G)
        first, second = (x + noise * torch.randn(20, 6, generator=G) for _ in range(2))
        rows = torch.stack([first, second], 1).flatten(0, 1) if by_sides else None
        rows = torch.cat([first, second]) if rows is None else rows
        made.append(KeptBatch((rows,), {}, target=target))
    return made


@pytest.mark.parametrize(
    ("by_sides", "target", "wanted"), [(True, HALVES, "neighbours"), (False, SIDES, "halves")]
)
def test_pairs_at_the_wrong_rows(by_sides: bool, target: Tensor, wanted: str) -> None:
    answer = paired_rows(batches(by_sides, target))
    assert answer is not None
    own, other, order = answer
    assert own > 0.4
    assert other < 0.1
    assert order == wanted


@pytest.mark.parametrize(("by_sides", "target"), [(True, SIDES), (False, HALVES)])
def test_pairs_at_the_right_rows(by_sides: bool, target: Tensor) -> None:
    answer = paired_rows(batches(by_sides, target))
    assert answer is not None
    assert answer[0] < 0.1
    assert answer[1] > 0.4


def test_views_that_inputs_do_not_show() -> None:
    answer = paired_rows(batches(True, HALVES, noise=30.0))
    assert answer is not None
    assert answer[1] > 0.4


def test_other_targets() -> None:
    assert paired_rows(batches(True, torch.arange(40))) is None  # texts and pictures
    assert paired_rows(batches(True, torch.arange(40) % 4)) is None  # classes
    assert paired_rows(batches(True, HALVES)[:2]) is None
