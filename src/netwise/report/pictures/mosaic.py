"""Many small images on one sheet: filters, samples, what a network gives back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netwise.report.pictures.drawing import WIDTH, figure, svg

GAP = 1  # pixels between images


def as_images(rows: np.ndarray, shape: Sequence[int]) -> np.ndarray | None:
    """Flat rows as (n, height, width) or (n, height, width, 3); None where they are no images.

    `shape` is that of one input: (channels, height, width), or (numbers,), of which a square number
    is taken for an image.
    """
    n = len(rows)
    if len(shape) == 3 and shape[0] in (1, 3) and rows[0].size == math.prod(shape):
        images: np.ndarray = rows.reshape(n, *shape)
        return images[:, 0] if shape[0] == 1 else images.transpose(0, 2, 3, 1)
    side = math.isqrt(rows[0].size)
    return rows.reshape(n, side, side) if side * side == rows[0].size and side > 2 else None


def mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """(height, width[, 3]): the images in rows of `columns`, with gaps that are not a number."""
    n, height, width = images.shape[:3]
    rows = -(-n // columns)
    sheet = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, *images.shape[3:]), np.nan
    )
    for i, image in enumerate(images):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def sheet(
    images: np.ndarray,
    title: str,
    *,
    columns: int = 10,
    signed: bool = False,
    rows: Sequence[str] = (),
    name: str = "",
    each: bool = False,
) -> str:
    """Images side by side under a title.

    Args:
        images: (n, height, width) or (n, height, width, 3).
        title: what to see.
        columns: in a row.
        signed: weights: white is 0, both signs alike strong.
        rows: a name for each row.
        name: to tell pictures of one page apart.
        each: scale every image by itself.
    """
    if not len(images):
        return ""
    if each:
        largest = (
            np.abs(images).reshape(len(images), -1).max(1).reshape(-1, *[1] * (images.ndim - 1))
        )
        images = images / np.maximum(largest, 1e-12)
    shown = mosaic(images.astype(float), columns)
    high, wide = shown.shape[:2]
    with figure(height=min(0.45 + WIDTH * high / wide, 7.0)) as (made, axes):
        axis = axes[0][0]
        if images.ndim == 4:
            axis.imshow(np.clip(np.nan_to_num(shown, nan=1.0), 0, 1), interpolation="nearest")
        else:
            low, top = float(np.nanmin(shown)), float(np.nanmax(shown))
            reach = max(abs(low), abs(top), 1e-12)
            bounds = (-reach, reach) if signed else (low, top if top > low else low + 1)
            axis.imshow(
                shown,
                cmap="RdBu_r" if signed else "gray_r",
                vmin=bounds[0],
                vmax=bounds[1],
                interpolation="nearest",
            )
        axis.set_xticks([])
        step = images.shape[1] + GAP
        axis.set_yticks([i * step + images.shape[1] / 2 for i in range(len(rows))], rows)
        axis.tick_params(length=0)
        axis.grid(False)
        for spine in axis.spines.values():
            spine.set_visible(False)
        axis.set_title(title)
        return svg(made, f"{title} {name}".strip())


def plane(codes: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], title: str) -> str:
    """Codes (n, 2) as dots, coloured by class where classes are known."""
    from netwise.report.pictures.drawing import BLUE, COLOURS

    with figure(height=3.6) as (made, axes):
        axis = axes[0][0]
        if labels is None or len(classes) > 12:
            axis.plot(codes[:, 0], codes[:, 1], ".", color=BLUE, markersize=3, alpha=0.6)
        else:
            import matplotlib

            many = matplotlib.colormaps["tab20"].colors  # type: ignore[attr-defined]
            palette = COLOURS if len(classes) <= len(COLOURS) else many
            for k, label in enumerate(classes):
                chosen = codes[labels == k]
                axis.plot(
                    chosen[:, 0],
                    chosen[:, 1],
                    ".",
                    color=palette[k],
                    markersize=3,
                    alpha=0.7,
                    label=str(label)[:12],
                )
            axis.legend(
                markerscale=3, fontsize=7, ncols=2, loc="center left", bbox_to_anchor=(1.0, 0.5)
            )
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(title)
        return svg(made, title)
