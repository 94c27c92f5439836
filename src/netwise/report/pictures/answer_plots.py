"""Pictures of what a network answers: the confusion matrix, and the images it got most wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netwise.report.pictures.drawing import INK, figure, svg

MOST_CLASSES = 30  # a matrix of more cannot be read


def confusion(truth: np.ndarray, answer: np.ndarray, classes: Sequence[str]) -> str:
    """Counts of (true class, answer); "" for too many classes."""
    count = len(classes)
    if count > MOST_CLASSES:
        return ""
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (truth, answer), 1)
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    with figure(height=min(1.4 + 0.29 * count, 6.5)) as (made, axes):
        axis = axes[0][0]
        axis.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in zip(*np.nonzero(table), strict=True):
            dark = share[row, column] > 0.5
            axis.text(
                column,
                row,
                str(table[row, column]),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "#22303c",
            )
        names = [str(name)[:12] for name in classes]
        wide = max(map(len, names)) > 3
        axis.set_xticks(
            range(count),
            names,
            rotation=60 if wide else 0,
            ha="right" if wide else "center",
            rotation_mode="anchor" if wide else "default",
        )
        axis.set_yticks(range(count), names)
        axis.set_xlabel("answer")
        axis.set_ylabel("truth")
        axis.grid(False)
        axis.set_title("Answers on the validation part")
        return svg(made, "Confusion matrix")


def worst_mistakes(
    images: np.ndarray, truth: Sequence[str], answer: Sequence[str], sure: np.ndarray
) -> str:
    """The images (n, channels, height, width) that were answered wrong, each with truth, answer and
    how sure it was."""
    count = min(len(images), 10)
    if not count:
        return ""
    with figure(height=1.5 * ((count + 4) // 5) + 0.35, columns=5, rows=(count + 4) // 5) as (
        made,
        axes,
    ):
        made.suptitle(
            "Most sure and wrong (validation part)",
            x=0.01,
            ha="left",
            fontsize=10,
            fontweight="bold",
            color=INK,
        )
        for place, axis in enumerate(axes.flat):
            axis.axis("off")
            if place >= count:
                continue
            image = images[place]
            low, high = float(image.min()), float(image.max())
            image = (image - low) / (high - low or 1.0)
            axis.imshow(
                image[0] if len(image) != 3 else image.transpose(1, 2, 0),
                cmap="gray_r" if len(image) != 3 else None,
                interpolation="nearest",
            )
            axis.set_title(
                f"{str(truth[place])[:11]}\nas {str(answer[place])[:11]}\n{100 * sure[place]:.0f} % sure",
                fontsize=8,
                loc="center",
                fontweight="normal",
            )
        return svg(made, "Worst mistakes")
