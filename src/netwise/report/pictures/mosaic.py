"""Many small images in one picture (filters, samples, reconstructions), and codes as dots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netwise.report.pictures.drawing import BLUE, COLOURS, WIDTH, figure, svg

GAP = 1  # pixels between images
MOST_HEIGHT = 7.0  # inches
MOST_CLASSES = 12  # of codes; more colours cannot be told apart


def as_images(rows: np.ndarray, shape: Sequence[int]) -> np.ndarray | None:
    """Flat rows as images `(n, height, width)` or `(n, height, width, 3)`; None where they are no
    images.

    Args:
        rows: `(n, numbers)`.
        shape: of one input: `(channels, height, width)`, or `(numbers,)`, of which a square number
            is taken for a square image.
    """
    count = len(rows)
    if len(shape) == 3 and shape[0] in (1, 3) and rows[0].size == math.prod(shape):
        images: np.ndarray = rows.reshape(count, *shape)
        return images[:, 0] if shape[0] == 1 else images.transpose(0, 2, 3, 1)
    side = math.isqrt(rows[0].size)
    is_square = side * side == rows[0].size and side > 2
    return rows.reshape(count, side, side) if is_square else None


def mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """Images in rows of `columns`, with gaps of NaN between them: `(height, width[, 3])`."""
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    whole = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, *images.shape[3:])
    pixels = np.full(whole, np.nan)
    for i, image in enumerate(images):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        pixels[top : top + height, left : left + width] = image
    return pixels


def image_sheet(
    images: np.ndarray,
    title: str,
    *,
    columns: int = 10,
    signed: bool = False,
    rows: Sequence[str] = (),
    name: str = "",
    scale_each: bool = False,
) -> str:
    """Images side by side under a title; "" where there are none.

    Args:
        images: `(n, height, width)`, or `(n, height, width, 3)` with values from 0 to 1.
        title: what the images are.
        columns: images in a row. Default 10.
        signed: white is 0 and the colours are signs, as for weights. Default false: from white
            (lowest) to black.
        rows: a name for each row. Default: none.
        name: tells this picture from others on the same page.
        scale_each: divide every image by its own largest absolute value. Default false.
    """
    if not len(images):
        return ""
    if scale_each:
        largest = np.abs(images).reshape(len(images), -1).max(1)
        images = images / np.maximum(largest.reshape(-1, *[1] * (images.ndim - 1)), 1e-12)
    pixels = mosaic(images.astype(float), columns)
    height, width = pixels.shape[:2]
    with figure(height=min(0.45 + WIDTH * height / width, MOST_HEIGHT)) as (made, axes):
        axis = axes[0][0]
        if images.ndim == 4:
            axis.imshow(np.clip(np.nan_to_num(pixels, nan=1.0), 0, 1), interpolation="nearest")
        else:
            low, high = _grey_range(pixels, signed)
            cmap = "RdBu_r" if signed else "gray_r"
            axis.imshow(pixels, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        axis.set_xticks([])
        step = images.shape[1] + GAP
        axis.set_yticks([i * step + images.shape[1] / 2 for i in range(len(rows))], rows)
        axis.tick_params(length=0)
        axis.grid(False)
        for spine in axis.spines.values():
            spine.set_visible(False)
        axis.set_title(title)
        return svg(made, f"{title} {name}".strip())


def _grey_range(pixels: np.ndarray, signed: bool) -> tuple[float, float]:
    """The values of the lightest and the darkest pixel; symmetric around 0 where signed."""
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    if signed:
        largest = max(abs(low), abs(high), 1e-12)
        return -largest, largest
    return low, high if high > low else low + 1


def scatter_codes(
    codes: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], title: str
) -> str:
    """Codes as dots, coloured by class where there are at most twelve.

    Args:
        codes: `(samples, 2)`.
        labels: class numbers `(samples,)`, or None.
        classes: names of the classes.
        title: what the codes are.
    """
    with figure(height=3.6) as (made, axes):
        axis = axes[0][0]
        style = {"marker": ".", "linestyle": "", "markersize": 3}
        if labels is None or len(classes) > MOST_CLASSES:
            axis.plot(codes[:, 0], codes[:, 1], color=BLUE, alpha=0.6, **style)
        else:
            import matplotlib  # heavy

            many_colours = matplotlib.colormaps["tab20"].colors  # type: ignore[attr-defined]
            colours = COLOURS if len(classes) <= len(COLOURS) else many_colours
            for number, label in enumerate(classes):
                x, y = codes[labels == number].T
                colour = colours[number]
                axis.plot(x, y, color=colour, alpha=0.7, label=str(label)[:12], **style)
            axis.legend(
                markerscale=3, fontsize=7, ncols=2, loc="center left", bbox_to_anchor=(1.0, 0.5)
            )
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(title)
        return svg(made, title)
