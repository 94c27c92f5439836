"""How target maps lie against their pictures."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.turned_targets import TURNS, TurnedTargets, turned_targets

torch.manual_seed(0)


def maps(height: int = 12, width: int = 12, rows: int = 40) -> Tensor:
    """A bar at some place."""
    made = torch.zeros(rows, height, width)
    for row, (y, x) in enumerate(torch.randint(0, height - 4, (rows, 2)).tolist()):
        made[row, y : y + 2, x : x + 4] = 1.0
    return made


def asked(target: Tensor, drawn: Tensor) -> TurnedTargets | None:
    """Of pictures on which the bars are brighter by one, with noise."""
    pictures = drawn[:, None] + 0.1 * torch.randn(len(drawn), 2, *drawn.shape[1:])
    return turned_targets([KeptBatch((pictures,), {}, target=target, rows=len(target))])


@pytest.mark.parametrize("how", TURNS)
def test_a_turn_of_all_maps_is_found(how: str) -> None:
    drawn = maps()
    found = asked(TURNS[how](drawn)[:, None], drawn)
    assert found is not None
    # A turn by 90 degrees is taken back by one of 270, which is the other name for it.
    names = {how, *([n for n in TURNS if "90" in n or "270" in n] if "by 90" in how or "270" in how
                    else [])}  # fmt: skip
    assert found.how in names
    assert found.share > 0.8
    assert found.turned > 0.8


def test_pictures_that_are_mirrored_at_random_without_their_maps() -> None:
    drawn = maps(12, 16)
    target = drawn.clone()
    target[::2] = target[::2].flip(-1)
    found = asked(target.long(), drawn)
    assert found is not None
    assert found.how == "mirrored left to right"
    assert 0.3 < found.share < 0.6
    assert found.best > 0.8


def test_maps_as_their_pictures() -> None:
    drawn = maps()
    found = asked(drawn, drawn)
    assert found is not None
    assert found.share == 0
    noise = asked(torch.rand(40, 12, 12), drawn)
    assert noise is not None
    assert noise.best < 0.3


def test_other_targets_have_no_places() -> None:
    drawn = maps()
    assert asked(torch.zeros(40), drawn) is None
    assert asked(torch.zeros(40, 6, 6), drawn) is None
    assert turned_targets([]) is None
