"""Pictures of how good answers are: reliability of probabilities, predicted against true numbers,
and residuals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg
from netwise.scoring.answers import AnsweredNumbers
from netwise.scoring.scores import ReliabilityBin

MOST_POINTS = 2000  # of a scatter plot: more make a page large and show nothing new
MOST_TARGETS = 4  # that are drawn


def reliability(bins: Sequence[ReliabilityBin], part: str) -> str:
    """How often answers of about equal probability are right; "" without probabilities.

    Args:
        bins: as in `Scores.reliability`.
        part: name of the part.

    Source: DeGroot, Fienberg 1983; Guo et al. 2017, On calibration of modern neural networks.
    """
    if not bins:
        return ""
    certainty = [each.confidence for each in bins]
    right = [each.right for each in bins]
    samples = sum(each.samples for each in bins)
    with figure(height=3.3, rows=2) as (made, axes):
        axis, below = axes[0][0], axes[1][0]
        axis.get_subplotspec().get_gridspec().set_height_ratios([3, 1])
        axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="calibrated")
        axis.plot(certainty, right, color=BLUE, marker="o", markersize=4, label="network")
        axis.set_xlim(0, 1.02)
        axis.set_ylim(-0.02, 1.02)
        axis.tick_params(labelbottom=False)
        axis.set_ylabel("share that is right")
        axis.legend(loc="upper left")
        axis.set_title(f"Reliability ({part} part)")
        shares = [each.samples / samples for each in bins]
        below.bar(certainty, shares, width=0.045, color=ORANGE)
        below.set_xlim(0, 1.02)
        below.set_xlabel("probability that the network gives its answer")
        below.set_ylabel("samples")
        below.set_yticks([0, 1], ["0", "all"])
        return svg(made, f"Reliability, {part} part")


def numbers_pictures(answers: AnsweredNumbers, part: str) -> list[str]:
    """Predicted against true numbers, and residuals against predictions, of each target.

    Args:
        answers: in the units of the targets.
        part: name of the part.
    """
    pictures = []
    rows = _spread_rows(len(answers))
    several = answers.truth.shape[1] > 1
    for target in range(min(MOST_TARGETS, answers.truth.shape[1])):
        name = f", target {target + 1}" if several else ""
        truth, answer = answers.truth[rows, target], answers.answer[rows, target]
        pictures += [
            _predicted_against_true(truth, answer, f"{part} part{name}"),
            _residuals(truth, answer, f"{part} part{name}"),
        ]
    return pictures


def _spread_rows(samples: int) -> np.ndarray:
    """Row numbers of at most `MOST_POINTS` samples, evenly spaced."""
    return np.unique(np.linspace(0, samples - 1, min(samples, MOST_POINTS)).round().astype(int))


def _predicted_against_true(truth: np.ndarray, answer: np.ndarray, where: str) -> str:
    low = float(min(truth.min(), answer.min()))
    high = float(max(truth.max(), answer.max()))
    with figure(height=3.3) as (made, axes):
        axis = axes[0][0]
        axis.plot([low, high], [low, high], color=GREY, linestyle="--", linewidth=1)
        _scatter(axis, truth, answer)
        axis.set_xlabel("true")
        axis.set_ylabel("predicted")
        axis.set_title(f"Predicted against true ({where})")
        return svg(made, f"Predicted against true, {where}")


def _residuals(truth: np.ndarray, answer: np.ndarray, where: str) -> str:
    with figure(height=3.3) as (made, axes):
        axis = axes[0][0]
        axis.axhline(0, color=GREY, linestyle="--", linewidth=1)
        _scatter(axis, answer, truth - answer)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true - predicted")
        axis.set_title(f"Residuals ({where})")
        return svg(made, f"Residuals, {where}")


def _scatter(axis: object, x: np.ndarray, y: np.ndarray) -> None:
    opacity = float(np.clip(60 / np.sqrt(len(x)) / 10, 0.15, 0.8))
    axis.scatter(x, y, s=9, color=BLUE, alpha=opacity, linewidths=0)  # type: ignore[attr-defined]
