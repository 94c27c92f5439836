"""Pictures of a history: its curves, and its layers over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from netwise import signals
from netwise.diagnosis.rules.outcome import finite_median
from netwise.history import History, Series
from netwise.report.pictures.drawing import BLUE, COLOURS, GREY, ORANGE, figure, svg
from netwise.tasks import task_named

MOST_COLUMNS = 120  # of a layers-by-time picture: more cannot be told apart


def curves(history: History, name: str = "") -> list[str]:
    """Loss and accuracy (or R²) of the training and the validation part, a picture each."""
    pictures = []
    losses = [
        ("training", history.of(signals.TRAIN_LOSS)),
        ("validation", history.of(signals.VALID_LOSS)),
    ]
    if losses[0][1] is None:
        losses = [("each watched batch", history.of(signals.LOSS)), losses[1]]
    guess = history.facts.loss_of_guessing
    if task_named(
        history.facts.task
    ).is_density:  # the gap between two free energies, and minus a likelihood, are not one axis
        return (
            [
                _lines(
                    "Free energy of data above that of the model's states",
                    [("training", losses[0][1]), ("", None)],
                    name,
                    "",
                    None,
                )
            ]
            if losses[0][1]
            else []
        )
    if any(series is not None for _, series in losses):
        pictures.append(
            _lines(
                "Loss", losses, name, f"guessing: {guess:.3g}" if guess is not None else "", guess
            )
        )
    shares = [
        ("training", history.of(signals.TRAIN_ACCURACY)),
        ("validation", history.of(signals.VALID_ACCURACY) or history.of(signals.VALID_R2)),
    ]
    if any(series is not None for _, series in shares):
        title = "R²" if history.of(signals.VALID_R2) is not None else "Accuracy"
        pictures.append(_lines(title, shares, name, "", None, top=1.0))
    return pictures


def _lines(
    title: str,
    lines: Sequence[tuple[str, Series | None]],
    name: str,
    level_name: str,
    level: float | None,
    top: float | None = None,
) -> str:
    with figure() as (made, axes):
        axis = axes[0][0]
        for (label, series), colour in zip(lines, (BLUE, ORANGE), strict=True):
            if series is None or not series.finite:
                continue
            # Series of epochs have one point an epoch; those of batches one a watched step.
            few = len(series) < 2
            axis.plot(
                range(1, len(series) + 1) if "batch" not in label else series.steps,
                series.values,
                color=colour,
                label=label,
                marker="o" if few else None,
            )
        if level is not None and math.isfinite(level):
            axis.axhline(level, color=GREY, linewidth=1, linestyle=":", label=level_name)
        if top is not None:
            low = min((min(s.finite) for _, s in lines if s is not None and s.finite), default=0.0)
            axis.set_ylim(min(0.0, max(low, -1.0)), top * 1.02)
        elif any(
            s is not None and len(s.finite) > 1 and max(s.finite) > 50 * max(min(s.finite), 1e-12)
            for _, s in lines
        ) and all(min(s.finite, default=1.0) > 0 for _, s in lines if s is not None):
            axis.set_yscale("log")
        axis.set_title(title)
        axis.set_xlabel("step" if "batch" in lines[0][0] else "epoch")
        axis.legend(loc="best")
        return svg(made, f"{title} {name}".strip())


_INSIDE: tuple[tuple[str, str, bool], ...] = (
    (signals.GRADIENT_RMS, "Gradient (rms, log scale)", True),
    (signals.UPDATE_RATIO, "A step over the weights (log scale)", True),
    (signals.ACTIVATION_STD, "Spread of activations", False),
    (signals.ACTIVATION_ZEROS, "Share of activations that are 0", False),
    (signals.ACTIVATION_SATURATED, "Share of saturated activations", False),
    (signals.DEAD_UNITS, "Share of dead units", False),
)


def inside(history: History, name: str = "") -> list[str]:
    """Layers (the input's side on top) by time, a picture for each signal that says anything."""
    return [
        picture
        for signal, title, log in _INSIDE
        if (picture := layers_by_time(history, signal, title, log, name))
    ]


def layers_by_time(history: History, signal: str, title: str, log: bool, name: str = "") -> str:
    """One signal of all layers over the steps; "" where nothing was recorded or it is 0
    throughout."""
    series = [(layer.name, history.of(signal, layer.name)) for layer in history.layers]
    live = [(layer, s) for layer, s in series if s is not None and len(s) > 1]
    if not live or not any(any(s.finite) for _, s in live):
        return ""
    import numpy as np

    steps = sorted({step for _, s in live for step in s.steps})
    edges = np.linspace(steps[0], steps[-1] + 1, min(MOST_COLUMNS, len(steps)) + 1)
    table = np.full((len(live), len(edges) - 1), math.nan)
    for row, (_, s) in enumerate(live):
        places = np.clip(
            np.searchsorted(edges, np.array(s.steps), side="right") - 1, 0, len(edges) - 2
        )
        values = np.array(s.values, dtype=float)
        values[~np.isfinite(values)] = math.nan
        if log:
            values = np.log10(np.where(values > 0, values, math.nan))
        for column in range(len(edges) - 1):
            chosen = values[places == column]
            chosen = chosen[~np.isnan(chosen)]
            if len(chosen):
                table[row, column] = chosen.mean()
        known = ~np.isnan(table[row])
        if known.any():  # between two counts of a slow signal the last one stands
            last = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
            table[row, last >= 0] = table[row, last[last >= 0]]
    with figure(height=0.95 + 0.28 * len(live)) as (made, axes):
        axis = axes[0][0]
        shown = np.ma.masked_invalid(table)
        bounds = {} if log or signal == signals.ACTIVATION_STD else {"vmin": 0.0, "vmax": 1.0}
        image = axis.imshow(
            shown,
            aspect="auto",
            interpolation="nearest",
            extent=(steps[0], steps[-1] + 1, len(live) - 0.5, -0.5),
            **bounds,
        )
        axis.set_yticks(range(len(live)), [_short(layer) for layer, _ in live])
        axis.grid(False)
        axis.set_xlabel("step")
        axis.set_title(title)
        bar = made.colorbar(image, ax=axis, pad=0.02)
        bar.outline.set_visible(False)
        if log:
            bar.ax.yaxis.set_major_formatter(lambda value, _: f"{10**value:.0e}")
        return svg(made, f"{title} {name}".strip())


def _short(layer: str, limit: int = 18) -> str:
    return layer if len(layer) <= limit else "…" + layer[1 - limit :]


def gradient_profile(histories: Sequence[tuple[str, History]]) -> str:
    """Median gradient of each layer, input to output: a line that falls to the left is a vanishing
    gradient."""
    with figure(height=2.9) as (made, axes):
        axis = axes[0][0]
        _profile(axis, histories)
        return svg(made, "Gradient of each layer")


def _profile(axis: Any, histories: Sequence[tuple[str, History]]) -> None:
    for (label, history), colour in zip(histories, COLOURS, strict=False):
        points = [
            (layer.name, finite_median(s.values))
            for layer in history.layers
            if (s := history.of(signals.GRADIENT_RMS, layer.name)) is not None
        ]
        live = [(i + 1, value) for i, (_, value) in enumerate(points) if value]
        axis.plot(
            [i for i, _ in live],
            [value for _, value in live],
            color=colour,
            marker="o",
            label=label,
        )
    axis.set_yscale("log")
    axis.set_xlabel("layer, from the input to the output")
    axis.set_title("Gradient of each layer (rms, median over the run)")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend()


def before_and_after(before: History, after: History, path: Any) -> None:
    """A sick run and its cure side by side as a PNG: gradients of the layers, and validation
    accuracy."""
    from netwise.report.pictures.drawing import save_png

    with figure(height=2.9, columns=2, width=9.4, paper=True) as (made, axes):
        _profile(axes[0][0], [("before", before), ("after", after)])
        for (label, history), colour in zip(
            (("before", before), ("after", after)), COLOURS, strict=False
        ):
            series = history.of(signals.VALID_ACCURACY)
            if series is not None:
                axes[0][1].plot(range(1, len(series) + 1), series.values, color=colour, label=label)
        axes[0][1].set_ylim(0, 1.02)
        axes[0][1].set_title("Validation accuracy")
        axes[0][1].set_xlabel("epoch")
        axes[0][1].legend()
        save_png(made, path)
