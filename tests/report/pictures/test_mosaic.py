"""Many small images in one picture, and codes as dots."""

from __future__ import annotations

from typing import Any

import numpy as np

from netwise.report.pictures.mosaic import as_images, image_sheet, mosaic, scatter_codes


def test_a_mosaic_puts_images_in_rows_with_gaps() -> None:
    images = np.arange(3 * 2 * 2, dtype=float).reshape(3, 2, 2)
    made = mosaic(images, 2)
    assert made.shape == (5, 5)
    np.testing.assert_array_equal(made[:2, :2], images[0])
    np.testing.assert_array_equal(made[:2, 3:], images[1])
    np.testing.assert_array_equal(made[3:, :2], images[2])
    assert np.isnan(made[2]).all()


def test_rows_are_images_where_their_shape_says_so_or_they_are_squares() -> None:
    assert as_images(np.zeros((4, 12)), (3, 2, 2)).shape == (4, 2, 2, 3)
    assert as_images(np.zeros((4, 12)), (1, 3, 4)).shape == (4, 3, 4)
    assert as_images(np.zeros((4, 64)), (64,)).shape == (4, 8, 8)
    assert as_images(np.zeros((4, 13)), (13,)) is None
    colour = np.arange(12.0).reshape(1, 12)
    assert as_images(colour, (3, 2, 2))[0, 0, 1].tolist() == [1.0, 5.0, 9.0]  # channels last


def test_a_sheet_is_black_at_its_highest_value(drawn: list[Any]) -> None:
    images = np.stack([np.full((2, 2), 3.0), np.full((2, 2), -1.0)])
    image_sheet(images, "Images", columns=2, rows=("first",))
    axis = drawn[0].axes[0]
    assert axis.images[0].get_clim() == (-1.0, 3.0)
    assert axis.images[0].get_cmap().name == "gray_r"
    assert [label.get_text() for label in axis.get_yticklabels()] == ["first"]


def test_signed_images_are_white_at_0_and_scaled_ones_end_at_1(drawn: list[Any]) -> None:
    images = np.stack([np.full((2, 2), 3.0), np.full((2, 2), -1.0)])
    image_sheet(images, "Weights", signed=True)
    image_sheet(images, "Weights", signed=True, scale_each=True)
    assert drawn[0].axes[0].images[0].get_clim() == (-3.0, 3.0)
    assert drawn[1].axes[0].images[0].get_clim() == (-1.0, 1.0)
    assert drawn[1].axes[0].images[0].get_array()[0, 3] == -1.0


def test_equal_images_and_none_can_be_drawn() -> None:
    assert image_sheet(np.zeros((0, 2, 2)), "nothing") == ""
    assert image_sheet(np.ones((2, 3, 3)), "equal").startswith("<svg")
    assert image_sheet(np.ones((2, 3, 3, 3)), "colour").startswith("<svg")


def test_codes_have_a_colour_per_class(drawn: list[Any]) -> None:
    codes, labels = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])
    scatter_codes(codes, labels, ("cat", "dog"), "Codes")
    lines = drawn[0].axes[0].lines
    assert [line.get_label() for line in lines] == ["cat", "dog"]
    np.testing.assert_array_equal(lines[1].get_xydata(), codes[labels == 1])
    scatter_codes(codes, None, (), "Codes")
    assert len(drawn[1].axes[0].lines) == 1
    many = tuple(str(i) for i in range(13))
    scatter_codes(codes, labels, many, "Codes")
    assert len(drawn[2].axes[0].lines) == 1
