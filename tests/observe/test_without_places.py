"""Scores of simple models that do not know where something is."""

from __future__ import annotations

import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.without_places import score_without_places

torch.manual_seed(0)
PLACE = torch.randint(0, 10, (160, 2))
KIND = torch.randint(0, 2, (160,))


def pictures() -> Tensor:
    """A square, or a cross, at some place."""
    made = torch.zeros(160, 1, 12, 12)
    for row, ((y, x), kind) in enumerate(zip(PLACE.tolist(), KIND.tolist(), strict=True)):
        made[row, 0, y : y + 3, x : x + 3] = 1.0
        if kind:
            made[row, 0, y + 1, x + 1] = -1.0
    return made


def batch(x: Tensor, y: Tensor) -> KeptBatch:
    return KeptBatch((x,), {}, target=y, rows=len(x))


def test_what_a_picture_holds_is_known_and_where_it_is_not() -> None:
    x = pictures()
    kind = score_without_places([batch(x, KIND)], None)
    place = score_without_places([batch(x, PLACE / 9.0)], None)
    assert kind is not None
    assert place is not None
    assert kind > 0.95
    assert place < 0.4


def test_other_inputs_have_no_places() -> None:
    assert score_without_places([batch(torch.randn(40, 5), torch.randn(40, 1))], None) is None
    assert score_without_places([], None) is None
