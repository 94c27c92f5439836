"""Pictures of a history: its curves, and its layers over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netwise import signals
from netwise.diagnosis.rules.outcome import finite_median
from netwise.history import History, Series
from netwise.report.pictures.drawing import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    figure,
    save_png,
    svg,
    use_log_scale,
    use_whole_ticks,
)
from netwise.scoring.metrics import metric_named
from netwise.tasks import task_named

MOST_COLUMNS = 120  # of a picture of layers over time; more cannot be told apart
LOG_RATIO = 50  # a curve that falls by more is drawn on a logarithmic axis
MOST_NAME_LENGTH = 18  # characters of a layer's name

Line = tuple[str, Series | None]


def curves(history: History, name: str = "") -> list[str]:
    """Loss and accuracy (or R²) of the training and the validation part, a picture each.

    Args:
        history: what was recorded.
        name: tells this history from others on the same page, such as "before".
    """
    train_loss = history.of(signals.TRAIN_LOSS)
    by_batch = train_loss is None
    first: Line = ("training", train_loss)
    if by_batch:
        first = ("each recorded batch", history.of(signals.LOSS))
    if task_named(history.facts.task).is_density:
        # The loss is a difference of free energies, which no validation likelihood compares with.
        title = "Free energy: data minus samples of the model"
        return [_curve_picture(title, [first], name, by_batch)] if first[1] else []
    pictures = []
    losses = [first, ("validation", history.of(signals.VALID_LOSS))]
    if any(series is not None for _, series in losses):
        baseline = history.facts.loss_of_guessing
        pictures.append(_curve_picture("Loss", losses, name, by_batch, baseline=baseline))
    valid_r2 = history.of(signals.VALID_R2)
    scores: list[Line] = [
        ("training", history.of(signals.TRAIN_ACCURACY)),
        ("validation", history.of(signals.VALID_ACCURACY) or valid_r2),
    ]
    if by_batch and scores[0][1] is None:
        scores[0] = ("each recorded batch", history.of(signals.ACCURACY))
    if any(series is not None for _, series in scores):
        title = "R²" if valid_r2 is not None else "Accuracy"
        pictures.append(_curve_picture(title, scores, name, by_batch, top=1.0))
    metric = history.facts.metric or ""
    chosen = history.of(signals.VALID_METRICS.get(metric, ""))
    if chosen is not None:
        title = metric_named(metric).title
        lines: list[Line] = [("validation", chosen)]
        guess = history.facts.metric_of_guessing
        picture = _curve_picture(title[0].upper() + title[1:], lines, name, False, baseline=guess)
        pictures.append(picture)
    return pictures


def batch_curves(history: History) -> list[str]:
    """Loss and accuracy of single batches over steps, where `curves` shows those of epochs."""
    if history.of(signals.TRAIN_LOSS) is None:
        return []
    drawn = [
        (
            "Loss of recorded batches",
            history.of(signals.LOSS),
            history.facts.loss_of_guessing,
            None,
        ),
        ("Accuracy of recorded batches", history.of(signals.ACCURACY), None, 1.0),
    ]
    return [
        _curve_picture(title, [("training", series)], "", True, baseline=baseline, top=top)
        for title, series, baseline, top in drawn
        if series is not None and series.finite
    ]


def _curve_picture(
    title: str,
    lines: Sequence[Line],
    name: str,
    by_batch: bool,
    *,
    baseline: float | None = None,
    top: float | None = None,
) -> str:
    """One or two series over epochs (or steps).

    Args:
        by_batch: values are drawn over steps, since the first series has one per recorded step.
        baseline: the loss of guessing, as a dotted line.
        top: upper end of the vertical axis. Default: by the values.
    """
    with figure() as (made, axes):
        axis = axes[0][0]
        drawn = [(label, series) for label, series in lines if series is not None and series.finite]
        for (label, series), colour in zip(drawn, (BLUE, ORANGE), strict=False):
            x = series.steps if by_batch else range(1, len(series) + 1)
            marker = "o" if len(series) < 2 else None
            axis.plot(x, series.values, color=colour, label=label, marker=marker)
        if baseline is not None and math.isfinite(baseline):
            label = f"guessing: {baseline:.3g}"
            axis.axhline(baseline, color=GREY, linewidth=1, linestyle=":", label=label)
        if top is not None:
            lowest = min((min(series.finite) for _, series in drawn), default=0.0)
            axis.set_ylim(min(0.0, max(lowest, -1.0)), top * 1.02)
        elif _needs_log_axis([series for _, series in drawn]):
            use_log_scale(axis, "y")
        axis.set_title(title)
        axis.set_xlabel("step" if by_batch else "epoch")
        use_whole_ticks(axis)
        axis.legend(loc="best")
        return svg(made, f"{title} {name}".strip())


def _needs_log_axis(drawn: Sequence[Series]) -> bool:
    """All values are positive, and one series spans more than a factor of `LOG_RATIO`."""
    if any(min(series.finite) <= 0 for series in drawn):
        return False
    return any(
        len(series.finite) > 1 and max(series.finite) > LOG_RATIO * max(min(series.finite), 1e-12)
        for series in drawn
    )


_LAYER_SIGNALS: tuple[tuple[str, str, bool], ...] = (  # (signal, title, logarithmic)
    (signals.GRADIENT_RMS, "Gradient (rms, log scale)", True),
    (signals.UPDATE_RATIO, "Update relative to the weights (log scale)", True),
    (signals.WEIGHT_DISTANCE, "Distance of the weights from their start", False),
    (signals.EFFECTIVE_RATE, "Learning rate that a weight gets (median, log scale)", True),
    (signals.GRADIENT_SIGN, "Agreement of the signs of a unit's gradient", False),
    (signals.WEIGHT_SMALL, "Fraction of weights that are nearly 0", False),
    (signals.ACTIVATION_STD, "Standard deviation of activations", False),
    (signals.ACTIVATION_ZEROS, "Fraction of activations that are 0", False),
    (signals.ACTIVATION_SATURATED, "Fraction of saturated activations", False),
    (signals.DEAD_UNITS, "Fraction of dead units", False),
)


def layer_pictures(history: History, name: str = "") -> list[str]:
    """A picture of all layers over time for each signal that is not 0 throughout."""
    pictures = [
        layers_by_time(history, signal, title, is_log, name)
        for signal, title, is_log in _LAYER_SIGNALS
    ]
    return [picture for picture in pictures if picture]


def layers_by_time(history: History, signal: str, title: str, is_log: bool, name: str = "") -> str:
    """One signal as an image: layers from the input (top) to the output, steps from left to right;
    "" where nothing was recorded or all values are 0."""
    recorded = [
        (layer.name, series)
        for layer in history.layers
        if (series := history.of(signal, layer.name)) is not None and len(series) > 1
    ]
    if not any(any(series.finite) for _, series in recorded):
        return ""
    steps = sorted({step for _, series in recorded for step in series.steps})
    first, end = steps[0], steps[-1] + 1
    edges = np.linspace(first, end, min(MOST_COLUMNS, len(steps)) + 1)
    values = np.array([_column_means(series, edges, is_log) for _, series in recorded])
    with figure(height=0.95 + 0.28 * len(recorded)) as (made, axes):
        axis = axes[0][0]
        is_fraction = not is_log and signal != signals.ACTIVATION_STD
        image = axis.imshow(
            np.ma.masked_invalid(values),
            aspect="auto",
            interpolation="nearest",
            extent=(first, end, len(recorded) - 0.5, -0.5),
            **({"vmin": 0.0, "vmax": 1.0} if is_fraction else {}),
        )
        axis.set_yticks(range(len(recorded)), [_short_name(layer) for layer, _ in recorded])
        axis.grid(False)
        axis.set_xlabel("step")
        axis.set_title(title)
        bar = made.colorbar(image, ax=axis, pad=0.02)
        bar.outline.set_visible(False)
        if is_log:
            bar.ax.yaxis.set_major_formatter(lambda value, _: f"{10**value:.0e}")
        return svg(made, f"{title} {name}".strip())


def _column_means(series: Series, edges: np.ndarray, is_log: bool) -> np.ndarray:
    """The mean of a series (or of its logarithm) between neighbouring edges; where nothing was
    recorded, the mean before."""
    columns = len(edges) - 1
    places = np.searchsorted(edges, np.array(series.steps), side="right") - 1
    places = np.clip(places, 0, columns - 1)
    values = np.array(series.values, dtype=float)
    values[~np.isfinite(values)] = math.nan
    if is_log:
        values = np.log10(np.where(values > 0, values, math.nan))
    means = np.full(columns, math.nan)
    for column in range(columns):
        inside = values[places == column]
        inside = inside[~np.isnan(inside)]
        if len(inside):
            means[column] = inside.mean()
    known = np.where(~np.isnan(means), np.arange(columns), -1)
    latest = np.maximum.accumulate(known)
    means[latest >= 0] = means[latest[latest >= 0]]
    return means


def _short_name(layer: str) -> str:
    """The end of a layer's name, which tells it from the others."""
    if len(layer) <= MOST_NAME_LENGTH:
        return layer
    return "…" + layer[1 - MOST_NAME_LENGTH :]


def gradient_profile(histories: Sequence[tuple[str, History]]) -> str:
    """Median gradient of each layer from the input to the output, a line per labelled history. A
    line that rises to the right is a vanishing gradient."""
    with figure(height=2.9) as (made, axes):
        _draw_profile(axes[0][0], histories)
        return svg(made, "Gradient of each layer")


def _draw_profile(axis: Any, histories: Sequence[tuple[str, History]]) -> None:
    for (label, history), colour in zip(histories, COLOURS, strict=False):
        recorded = [history.of(signals.GRADIENT_RMS, layer.name) for layer in history.layers]
        medians = [finite_median(series.values) for series in recorded if series is not None]
        points = [(place, value) for place, value in enumerate(medians, start=1) if value]
        x, y = [place for place, _ in points], [value for _, value in points]
        axis.plot(x, y, color=colour, marker="o", label=label)
    use_log_scale(axis, "y")
    axis.set_xlabel("layer, from the input to the output")
    axis.set_title("Gradient of each layer (rms, median over the run)")
    use_whole_ticks(axis)
    axis.legend()


def before_and_after(before: History, after: History, path: str | Path) -> None:
    """The run before and after a treatment as a PNG: gradients of the layers, and validation
    accuracy."""
    histories = [("before", before), ("after", after)]
    with figure(height=2.9, columns=2, width=9.4, paper=True) as (made, axes):
        profile, accuracy = axes[0]
        _draw_profile(profile, histories)
        for (label, history), colour in zip(histories, COLOURS, strict=False):
            series = history.of(signals.VALID_ACCURACY)
            if series is not None:
                epochs = range(1, len(series) + 1)
                accuracy.plot(epochs, series.values, color=colour, label=label)
        accuracy.set_ylim(0, 1.02)
        accuracy.set_title("Validation accuracy")
        accuracy.set_xlabel("epoch")
        use_whole_ticks(accuracy)
        accuracy.legend()
        save_png(made, path)
