"""Augmentations against scipy.ndimage and by what each promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

import netwise as nw
from netwise.parts.augment import AUGMENTS
from netwise.parts.augment.geometric import smooth_field, transform, warp

X = torch.rand(3, 2, 12, 12, generator=torch.Generator().manual_seed(0))
ZERO = torch.zeros(3)


def g(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("degrees", [0.0, 10.0, 45.0, 90.0, -30.0])
def test_a_turn_is_scipys(degrees: float) -> None:
    ours = transform(
        X, torch.full((3,), math.radians(degrees)), torch.ones(3), ZERO, ZERO, ZERO, "zeros"
    )
    for i in range(3):
        for channel in range(2):
            # ndimage turns the other way round, since its second axis goes to the right and its
            # first one down
            theirs = ndimage.rotate(
                X[i, channel].double().numpy(),
                -degrees,
                reshape=False,
                order=1,
                mode="grid-constant",
            )
            np.testing.assert_allclose(ours[i, channel].numpy(), theirs, atol=1e-5)


def test_scale_shear_and_shift_are_scipys_affine_transform_on_images_that_are_not_square() -> None:
    x = torch.rand(1, 1, 10, 16, generator=g(1))
    turn, size, shear, across, down = 0.3, 1.2, 0.2, 0.25, -0.2
    ours = transform(x, *(torch.tensor([v]) for v in (turn, size, shear, across, down)), "zeros")[
        0, 0
    ].numpy()
    height, width = 10, 16
    cos, sin = math.cos(turn) / size, math.sin(turn) / size
    # from output pixel to input pixel, in pixels about the middle: (across, down) -> (across, down)
    A = np.array([[cos, sin + shear * cos], [-sin, cos - shear * sin]])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    moves = np.array([-across * width / 2, -down * height / 2])
    theirs = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            place = A @ (np.array([column, row]) - middle) + middle + moves
            theirs[row, column] = ndimage.map_coordinates(
                x[0, 0].double().numpy(), [[place[1]], [place[0]]], order=1, mode="grid-constant"
            )[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_elastic_bending_is_scipys_map_coordinates() -> None:
    field = 2 * smooth_field(3, 12, 12, 2.0, g(3))
    ours = warp(X, field, "zeros")
    rows, columns = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
    for i in range(3):
        places = [rows + field[i, 1].numpy(), columns + field[i, 0].numpy()]
        for channel in range(2):
            theirs = ndimage.map_coordinates(
                X[i, channel].double().numpy(), places, order=1, mode="grid-constant"
            )
            np.testing.assert_allclose(ours[i, channel].numpy(), theirs, atol=1e-4)


def test_the_elastic_field_is_smooth_and_of_spread_one() -> None:
    field = smooth_field(200, 16, 16, 3.0, g())
    assert float(field.std()) == pytest.approx(1.0, rel=0.05)
    assert float(field[:, :, :2].std()) == pytest.approx(
        1.0, rel=0.1
    )  # at the edge as in the middle
    kernel = np.exp(-0.5 * (np.arange(-9, 10) / 3.0) ** 2)
    neighbours = float((kernel[1:] * kernel[:-1]).sum() / (kernel**2).sum())
    assert float((field[:, :, :, 1:] * field[:, :, :, :-1]).mean()) == pytest.approx(
        neighbours, abs=0.05
    )


PER_BATCH = [cls for cls in AUGMENTS if not cls.mixes and not cls.enlarges]


@pytest.mark.parametrize("cls", PER_BATCH)
def test_a_change_keeps_shape_and_kind_and_hangs_on_its_generator_alone(
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


def test_a_shift_moves_each_image_by_whole_pixels_in_both_directions() -> None:
    x = torch.zeros(400, 1, 9, 9)
    x[:, :, 4, 4] = 1
    y = nw.Shift(pixels=2).apply(x, g())
    places = {tuple(place.tolist()) for place in torch.nonzero(y[:, 0])[:, 1:]}
    assert places == {(row, column) for row in range(2, 7) for column in range(2, 7)}
    border = nw.Shift(pixels=2, fill="border").apply(torch.ones(5, 1, 6, 6), g())
    assert bool((border == 1).all())


def test_flips_erasures_and_crops_by_their_definitions() -> None:
    x = torch.rand(2000, 1, 8, 8, generator=g(1))
    y = nw.Flip().apply(x, g(2))
    mirrored = (y == x.flip(3)).flatten(1).all(1)
    assert bool((mirrored | (y == x).flatten(1).all(1)).all())
    assert float(mirrored.float().mean()) == pytest.approx(0.5, abs=0.05)
    assert torch.equal(nw.Flip(chance=1.0, vertical=True).apply(x, g()), x.flip(2))
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
    crop = nw.Crop(least=0.5).apply(torch.arange(8.0).expand(50, 1, 8, 8), g(4))
    assert float(crop.min()) >= 0
    assert float(crop.max()) <= 7
    assert bool((crop[..., 1:] >= crop[..., :-1] - 1e-5).all())  # enlarged, nothing turned


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


def test_copies_hold_the_old_samples_first_and_their_targets() -> None:
    x, y = X, torch.tensor([4, 5, 6])
    more, targets = nw.NoiseCopies(copies=2, std=0.5).enlarge(x, y, g())
    assert torch.equal(more[:3], x)
    assert targets.tolist() == [4, 5, 6] * 3
    assert float((more[3:] - x.repeat(2, 1, 1, 1)).std()) == pytest.approx(0.5, rel=0.1)
    more, targets = nw.ShiftCopies().enlarge(x, y, g())
    assert len(more) == 15
    assert torch.equal(more[3:6, :, :-1], x[:, :, 1:])  # up by one
    assert not more[3:6, :, -1].any()
    assert torch.equal(more[12:15, :, :, 1:], x[:, :, :, :-1])  # right by one


def test_resampling_balances_classes_or_bootstraps() -> None:
    x = torch.arange(100.0)[:, None]
    y = (torch.arange(100) < 90).long()
    rows, kinds = nw.Resample(factor=2.0).enlarge(x, y, g())
    assert torch.bincount(kinds).tolist() == [100, 100]
    assert bool(((rows[:, 0] < 90).long() == kinds).all())
    _, plain = nw.Resample(balanced=False).enlarge(x, y, g())
    assert len(plain) == 100
    assert 80 < int(plain.sum()) < 98
    numbers = nw.Resample(factor=0.5).enlarge(x, x.clone(), g())
    assert torch.equal(numbers[0], numbers[1])


@pytest.mark.parametrize("form", ["gaussian", "kde"])
def test_draws_from_a_fitted_distribution_have_its_moments(form: str) -> None:
    base = torch.randn(400, 3, generator=g(1)) @ torch.tensor(
        [[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 0.3]]
    )
    y = (torch.arange(400) % 2).long()
    x = base + 5 * y[:, None]
    more, kinds = nw.FromDistribution(form=form, factor=20).enlarge(x, y, g(2))
    for kind in (0, 1):
        own, drawn = x[y == kind].numpy(), more[400:][kinds[400:] == kind].numpy()
        assert len(drawn) == 4000
        np.testing.assert_allclose(drawn.mean(0), own.mean(0), atol=0.12)
        wide = (
            1.0 if form == "gaussian" else 1 + float(stats.gaussian_kde(own.T).factor) ** 2
        )  # kde adds its own width
        np.testing.assert_allclose(np.cov(drawn.T), wide * np.cov(own.T), atol=0.15)
    with pytest.raises(nw.DataError, match="are not class numbers"):
        nw.FromDistribution().enlarge(x, x, g())


def test_a_run_learns_from_what_was_added() -> None:
    recipe = nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 3)),
        augment=(nw.NoiseCopies(copies=3),),
        batch_size=10,
        epochs=1,
    )
    steps = nw.fit(recipe).history.ended.step
    assert steps == -(-len(nw.data.iris().load().train) * 4 // 10)
