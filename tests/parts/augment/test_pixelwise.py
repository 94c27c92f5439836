"""Augmentations of single values and blends: distributions and definitions."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

import netwise as nw


def g(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_has_its_spread_and_masks_their_share() -> None:
    x = torch.full((200, 200), 0.5)
    noise = nw.Noise(std=0.3).apply(x, g()) - x
    assert stats.kstest((noise / 0.3).flatten().numpy(), "norm").pvalue > 0.01
    masked = nw.Mask(share=0.2).apply(x, g()) == 0
    assert stats.binomtest(int(masked.sum()), x.numel(), 0.2).pvalue > 0.01
    salted = nw.SaltAndPepper(share=0.4, low=-1.0, high=2.0).apply(x, g())
    for value, share in ((-1.0, 0.2), (2.0, 0.2), (0.5, 0.6)):
        count = int((salted == value).sum())
        assert stats.binomtest(count, x.numel(), share).pvalue > 0.01


def test_drawn_bits_are_bernoulli_draws_of_the_inputs() -> None:
    x = torch.tensor([0.0, 0.25, 0.9, 1.0]).expand(10_000, 4)
    bits = nw.DrawBits().apply(x, g())
    assert sorted(bits.unique().tolist()) == [0.0, 1.0]
    for column, share in enumerate(x[0].tolist()):
        count = int(bits[:, column].sum())
        assert stats.binomtest(count, len(x), share).pvalue > 0.01


def test_colour_jitter_takes_grey_and_colour_images_alone() -> None:
    with pytest.raises(nw.DataError, match="1 or 3 channels, not 2: remove it from augment"):
        nw.ColourJitter().apply(torch.zeros(1, 2, 4, 4), g())


def test_an_erasure_is_one_rectangle_of_limited_size() -> None:
    x = torch.rand(2000, 1, 8, 8, generator=g(1))
    erased = nw.Erase(chance=0.5, share=0.5, value=-1.0).apply(x, g(3)) == -1
    touched = erased.flatten(1).any(1)
    assert float(touched.float().mean()) == pytest.approx(0.5, abs=0.05)
    for mask in erased[touched][:200, 0]:
        rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
        assert mask[
            rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
        ].all()  # a rectangle, whole
        assert len(rows) <= 4
        assert len(columns) <= 4


def test_colour_jitter_keeps_means_where_it_says() -> None:
    x = torch.rand(50, 3, 6, 6, generator=g(1))
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]

    def grey(images: torch.Tensor) -> torch.Tensor:
        return (images * weights).sum(1)

    bright = nw.ColourJitter(brightness=0.3, contrast=0, saturation=0).apply(x, g())
    assert float((bright / x).flatten(1).std(1).max()) < 1e-4
    contrast = nw.ColourJitter(brightness=0, contrast=0.5, saturation=0).apply(x, g())
    assert torch.allclose(grey(contrast).mean((1, 2)), grey(x).mean((1, 2)), atol=1e-5)
    saturation = nw.ColourJitter(brightness=0, contrast=0, saturation=0.5).apply(x, g())
    assert torch.allclose(grey(saturation), grey(x), atol=1e-5)


def test_mixup_blends_inputs_and_targets_in_the_same_shares() -> None:
    x = torch.randn(6, 4, generator=g())
    blended, other, share = nw.Mixup(alpha=1.0).mix(x, g(1))
    assert torch.allclose(blended, share * x + (1 - share) * x[other])
    shares = [nw.Mixup(alpha=0.4).mix(x, g(seed))[2] for seed in range(2000)]
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).pvalue > 0.01
    recipe = nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 64, 10)),
        optimizer=nw.Adam(lr=0.01),
        augment=(nw.Mixup(),),
        epochs=5,
    )
    run = nw.fit(recipe)
    assert run.score is not None
    assert run.score.value > 0.9
