"""What every augmentation of a batch promises."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.parts.augment import AUGMENTS


def g(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


PER_BATCH = [cls for cls in AUGMENTS.values() if not cls.mixes and not cls.enlarges]


@pytest.mark.parametrize("cls", PER_BATCH)
def test_a_change_keeps_shape_and_kind_and_depends_on_its_generator_alone(
    cls: type[nw.Augment],
) -> None:
    x = torch.rand(20, 3, 12, 10, generator=g(5))
    kept = x.clone()
    one, again, other = cls().apply(x, g(1)), cls().apply(x, g(1)), cls().apply(x, g(2))
    assert one.shape == x.shape
    assert one.dtype == x.dtype
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(x, kept)


@pytest.mark.parametrize(
    "cls",
    [cls for cls in PER_BATCH if cls not in (nw.Noise, nw.Mask, nw.SaltAndPepper, nw.DrawBits)],
)
def test_a_change_of_images_refuses_rows_and_treats_each_image_by_itself(
    cls: type[nw.Augment],
) -> None:
    with pytest.raises(nw.DataError, match="takes images"):
        cls().apply(torch.zeros(4, 7), g())
    alike = torch.rand(1, 3, 12, 12, generator=g(6)).expand(40, 3, 12, 12).clone()
    changed = cls().apply(alike, g(7))
    assert len({tuple(image.flatten().tolist()) for image in changed}) > 1
