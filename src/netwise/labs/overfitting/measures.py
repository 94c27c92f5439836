"""Numbers of several seeds, and accuracies by epoch as a figure, for labs on overfitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from netwise.intervals import of_mean
from netwise.labs.digit_networks import POINTS
from netwise.labs.stacked_training import Curve, Floats
from netwise.report.pictures.drawing import COLOURS, figure, svg

Numbers = Mapping[str, float]


def percent(values: Floats | Sequence[float]) -> list[float]:
    return [POINTS * float(value) for value in values]


def summary(name: str, values: Sequence[float]) -> dict[str, float]:
    """Mean, lowest and highest of one number for each seed."""
    return {
        f"{name}: mean": fmean(values),
        f"{name}: lowest": min(values),
        f"{name}: highest": max(values),
    }


def interval(name: str, values: Sequence[float]) -> dict[str, float]:
    """Mean of one number for each seed with its 95 % interval."""
    mean, low, high = of_mean(values)
    return {f"{name}: mean": mean, f"{name}: low": low, f"{name}: high": high}


def accuracy_by_epoch(curves: Mapping[str, Curve], title: str) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            values = POINTS * curve.accuracy
            axis.plot(curve.epochs, values.mean(1), color=colour, label=name)
            axis.fill_between(
                curve.epochs, values.min(1), values.max(1), color=colour, alpha=0.2, linewidth=0
            )
        axis.set_ylim(bottom=min(70, POINTS * min(c.accuracy.mean(1)[-1] for c in curves.values())))
        axis.set_xlabel("epoch")
        axis.set_ylabel("test accuracy, %")
        axis.set_title(f"{title}: mean and range of the seeds")
        axis.legend()
        return svg(drawing, title)
