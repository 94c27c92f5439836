"""Geometric augmentations against scipy.ndimage and their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

import netwise as nw
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


def test_a_shift_moves_each_image_by_whole_pixels_in_both_directions() -> None:
    x = torch.zeros(400, 1, 9, 9)
    x[:, :, 4, 4] = 1
    y = nw.Shift(pixels=2).apply(x, g())
    places = {tuple(place.tolist()) for place in torch.nonzero(y[:, 0])[:, 1:]}
    assert places == {(row, column) for row in range(2, 7) for column in range(2, 7)}
    border = nw.Shift(pixels=2, fill="border").apply(torch.ones(5, 1, 6, 6), g())
    assert bool((border == 1).all())


def test_shift_moves_pixels_and_loses_none_inside() -> None:
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    places = set()
    for seed in range(60):
        y = nw.Shift(pixels=2).apply(x, torch.Generator().manual_seed(seed))
        assert float(y.sum()) == 1
        places.add(tuple(torch.nonzero(y[0, 0])[0].tolist()))
    assert len(places) > 15
    assert all(2 <= row <= 6 and 2 <= column <= 6 for row, column in places)


def test_a_flip_mirrors_each_image_or_leaves_it() -> None:
    x = torch.rand(2000, 1, 8, 8, generator=g(1))
    y = nw.Flip().apply(x, g(2))
    mirrored = (y == x.flip(3)).flatten(1).all(1)
    assert bool((mirrored | (y == x).flatten(1).all(1)).all())
    assert float(mirrored.float().mean()) == pytest.approx(0.5, abs=0.05)
    assert torch.equal(nw.Flip(chance=1.0, vertical=True).apply(x, g()), x.flip(2))


def test_a_crop_enlarges_a_window_without_turning_it() -> None:
    crop = nw.Crop(least=0.5).apply(torch.arange(8.0).expand(50, 1, 8, 8), g(4))
    assert float(crop.min()) >= 0
    assert float(crop.max()) <= 7
    assert bool((crop[..., 1:] >= crop[..., :-1] - 1e-5).all())  # enlarged, nothing turned
