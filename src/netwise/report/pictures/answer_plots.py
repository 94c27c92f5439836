"""Pictures of predicted classes: the confusion matrix, and the worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netwise.report.pictures.drawing import INK, figure, svg

MOST_CLASSES = 30  # a matrix of more cannot be read
MOST_IMAGES, COLUMNS = 10, 5
_DARK_INK = "#22303c"


def confusion_matrix(counts: Sequence[Sequence[int]], classes: Sequence[str], part: str) -> str:
    """Counts by true class (rows) and predicted class (columns); "" for more than 30 classes.

    Args:
        counts: a row for each class.
        classes: their names.
        part: name of the part of the data.
    """
    count = len(classes)
    if count > MOST_CLASSES or not counts:
        return ""
    table = np.array(counts, dtype=int)
    fraction = table / np.maximum(table.sum(1, keepdims=True), 1)
    with figure(height=min(1.4 + 0.29 * count, 6.5)) as (made, axes):
        axis = axes[0][0]
        axis.imshow(fraction, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in zip(*np.nonzero(table), strict=True):
            colour = "white" if fraction[row, column] > 0.5 else _DARK_INK
            number = str(table[row, column])
            axis.text(column, row, number, ha="center", va="center", fontsize=8, color=colour)
        names = [str(name)[:12] for name in classes]
        is_turned = max(map(len, names)) > 3
        axis.set_xticks(
            range(count),
            names,
            rotation=60 if is_turned else 0,
            ha="right" if is_turned else "center",
            rotation_mode="anchor" if is_turned else "default",
        )
        axis.set_yticks(range(count), names)
        axis.set_xlabel("predicted class")
        axis.set_ylabel("true class")
        axis.grid(False)
        axis.set_title(f"Confusion matrix ({part} part)")
        return svg(made, "Confusion matrix")


def worst_mistakes(
    images: np.ndarray, truth: Sequence[str], predicted: Sequence[str], probability: np.ndarray
) -> str:
    """Misclassified images with both classes and the probability of the predicted one; "" where
    there are none.

    Args:
        images: `(images, channels, height, width)`; the first ten are drawn.
        truth, predicted: names of classes.
        probability: of the predicted class `(images,)`.
    """
    count = min(len(images), MOST_IMAGES)
    if not count:
        return ""
    rows = -(-count // COLUMNS)
    with figure(height=1.5 * rows + 0.35, columns=COLUMNS, rows=rows) as (made, axes):
        made.suptitle(
            "Most confident mistakes (validation part): true class → predicted class",
            x=0.01,
            ha="left",
            fontsize=10,
            fontweight="bold",
            color=INK,
        )
        for axis in axes.flat:
            axis.axis("off")
        for place, axis in zip(range(count), axes.flat, strict=False):
            _draw_image(axis, images[place])
            title = (
                f"{str(truth[place])[:15]}\n→ {str(predicted[place])[:13]}\n"
                f"at {100 * probability[place]:.0f} %"
            )
            axis.set_title(title, fontsize=8, loc="center", fontweight="normal")
        return svg(made, "Worst mistakes")


def _draw_image(axis: Any, image: np.ndarray) -> None:
    """One image `(channels, height, width)`, scaled to its own range."""
    low, high = float(image.min()), float(image.max())
    scaled = (image - low) / (high - low or 1.0)
    is_colour = len(scaled) == 3
    axis.imshow(
        scaled.transpose(1, 2, 0) if is_colour else scaled[0],
        cmap=None if is_colour else "gray_r",
        interpolation="nearest",
    )
