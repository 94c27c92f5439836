"""Pictures of a search: the best value against cost, axes against the value, pairs of axes,
parallel coordinates, importance, the surrogate model; and the learning curve."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netwise.report.pictures.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    figure,
    save,
    svg,
    use_log_scale,
)
from netwise.scoring.metrics import own_value
from netwise.searches.axes import Axis, Choice, NumericAxis
from netwise.searches.result import SearchResult
from netwise.searches.surrogate import MIN_TRIALS, importance, surrogate
from netwise.searches.trial_record import COMPLETE, TrialRecord
from netwise.searches.validation import LearningCurve

MOST_AXES = 6  # drawn against the value; the most important ones of more
MOST_PAIRED_AXES = 3  # drawn against each other
FEW_DECADES = 1e3  # an axis that spans less has too few powers of ten for its labels
LINE_POINTS, MAP_POINTS = 201, 41  # of the surrogate model: along a line, along a side of a map


def search_pictures(result: SearchResult) -> list[str]:
    """Every picture that the trials allow, as SVG."""
    pictures = (
        best_so_far(result),
        importances(result),
        *slices(result),
        parallel_coordinates(result),
        *pairs(result),
        *surrogates(result),
    )
    return [picture for picture in pictures if picture]


def _complete(result: SearchResult) -> list[TrialRecord]:
    return [t for t in result.trials if t.state == COMPLETE and t.value is not None]


def _value(trial: TrialRecord) -> float:
    return trial.value if trial.value is not None else math.nan


def _ranked_axes(result: SearchResult) -> list[Axis]:
    """The axes, the most important first."""
    weights = importance(result.plan.space, result.trials)
    axes = sorted(result.plan.space.axes, key=lambda axis: -weights.get(axis.name, 0.0))
    return axes[:MOST_AXES]


def best_so_far(result: SearchResult) -> str:
    """Each trial's value, and the best one so far, against the epochs of all trials so far; ""
    where no trial has a value."""
    trials = [t for t in result.trials if t.value is not None]
    if not trials:
        return ""
    cost = np.cumsum([max(1, t.epochs) for t in trials])
    values = np.array([_value(t) for t in trials])
    is_complete = np.array([t.state == COMPLETE for t in trials])
    best = np.maximum.accumulate(np.where(is_complete, values, -np.inf))
    with figure() as (made, axes):
        axis = axes[0][0]
        x, y = cost[is_complete], values[is_complete]
        axis.plot(x, y, "o", color=GREY, markersize=3.5, alpha=0.7, label="trial")
        if not is_complete.all():
            x, y = cost[~is_complete], values[~is_complete]
            axis.plot(x, y, "x", color=ORANGE, markersize=4, label="stopped early")
        has_best = np.isfinite(best)
        axis.step(cost[has_best], best[has_best], where="post", color=BLUE, label="best so far")
        if result.mean is not None:
            label = "best trial, new seeds"
            axis.axhline(result.mean, color=GREEN, linestyle="--", linewidth=1.2, label=label)
        axis.set_xlabel("epochs of all trials so far")
        _label_values(axis, result)
        axis.set_title("Best value so far against cost")
        axis.legend(fontsize=8, loc="best")
        return svg(made, "Best value so far against cost")


def _label_values(axis: Any, result: SearchResult) -> None:
    """Name the values on the vertical axis: those of the metric itself, the better ones above."""
    axis.set_ylabel(result.value_title)
    axis.yaxis.set_major_formatter(lambda value, _: f"{own_value(result.metric, value):.4g}")


def importances(result: SearchResult) -> str:
    """Fraction of the variance of the value that each axis explains; "" for fewer than two axes."""
    weights = importance(result.plan.space, result.trials)
    if len(weights) < 2:
        return ""
    with figure(height=0.9 + 0.3 * len(weights)) as (made, axes):
        axis = axes[0][0]
        names = list(weights)
        axis.barh(range(len(names)), [weights[name] for name in names], color=BLUE, height=0.6)
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.set_xlabel("fraction of the variance explained (fANOVA)")
        axis.set_title("Importance of the axes")
        return svg(made, "Importance of the axes")


def slices(result: SearchResult) -> list[str]:
    """Each axis against the value, a dot per complete trial; later ones are darker, the best one
    is red."""
    pictures = []
    for axis in _ranked_axes(result):
        trials = [t for t in _complete(result) if axis.name in t.point]
        if len(trials) < 2:
            continue
        title = f"{axis.name} against the value"
        with figure() as (made, axes):
            ax = axes[0][0]
            shades = [0.25 + 0.75 * i / (len(trials) - 1) for i in range(len(trials))]
            colours = [(*_rgb(BLUE), shade) for shade in shades]
            ax.scatter(_places(axis, trials), [_value(t) for t in trials], c=colours, s=18)
            best = result.best
            if best is not None and axis.name in best.point and best.value is not None:
                ax.scatter(_places(axis, [best]), [best.value], color=RED, marker="D", s=36)
            _label_axis(ax, axis)
            _label_values(ax, result)
            ax.set_title(title)
            pictures.append(svg(made, title))
    return pictures


def pairs(result: SearchResult) -> list[str]:
    """The three most important axes against each other, coloured by the value."""
    pictures = []
    for first, second in itertools.combinations(_ranked_axes(result)[:MOST_PAIRED_AXES], 2):
        trials = [t for t in _complete(result) if first.name in t.point and second.name in t.point]
        if len(trials) < MIN_TRIALS:
            continue
        title = f"{first.name} and {second.name}"
        with figure(height=3.2) as (made, axes):
            ax = axes[0][0]
            x, y, values = _places(first, trials), _places(second, trials), map(_value, trials)
            dots = ax.scatter(x, y, c=list(values), s=24, cmap="viridis")
            _label_axis(ax, first)
            _label_axis(ax, second, "y")
            _label_values(made.colorbar(dots, ax=ax).ax, result)
            ax.set_title(title)
            pictures.append(svg(made, title))
    return pictures


def parallel_coordinates(result: SearchResult) -> str:
    """Every complete trial as a line over all axes, better ones stronger, the best one red; "" for
    fewer than two trials or axes."""
    trials = _complete(result)
    axes_drawn = [axis for axis in result.plan.space.axes if axis.when is None]
    if len(trials) < 2 or len(axes_drawn) < 2:
        return ""
    values = np.array([_value(t) for t in trials])
    low, high = float(values.min()), float(values.max())
    order = np.argsort(values)  # the best line is drawn last, on top
    with figure(height=3.2) as (made, axes):
        ax = axes[0][0]
        for rank, place in enumerate(order):
            trial = trials[place]
            heights = [axis.fraction_of(trial.point[axis.name]) for axis in axes_drawn]
            heights.append((_value(trial) - low) / ((high - low) or 1.0))
            is_best = result.best is not None and trial.number == result.best.number
            strength = 0.08 + 0.6 * (rank / (len(trials) - 1)) ** 3
            ax.plot(
                range(len(heights)),
                heights,
                color=RED if is_best else BLUE,
                alpha=1.0 if is_best else strength,
                linewidth=2 if is_best else 1,
            )
        ends = [(_short(a.value_at(0.0)), _short(a.value_at(1.0))) for a in axes_drawn]
        values_ends = tuple(f"{own_value(result.metric, end):.3g}" for end in (low, high))
        for place, (lowest, highest) in enumerate([*ends, values_ends]):
            ax.text(place, -0.05, lowest, ha="center", va="top", fontsize=7)
            ax.text(place, 1.03, highest, ha="center", va="bottom", fontsize=7)
        names = [*(axis.name.split(".")[-1] for axis in axes_drawn), result.value_title]
        ax.set_xticks(range(len(names)), names)
        ax.tick_params(axis="x", pad=12)
        ax.set_yticks([])
        ax.set_ylim(-0.02, 1.02)
        ax.spines["bottom"].set_visible(False)
        ax.grid(visible=False)
        ax.set_title("All trials over all axes", pad=14)
        return svg(made, "All trials over all axes")


def surrogates(result: SearchResult) -> list[str]:
    """A Gaussian process over the most important numeric axis, and over the two most important
    ones; [] where there are too few trials."""
    ranked = [
        axis for axis in _ranked_axes(result) if axis.when is None and not isinstance(axis, Choice)
    ]
    trials = _complete(result)
    if len(trials) < MIN_TRIALS or not ranked or len({_value(t) for t in trials}) < 2:
        return []
    pictures = [surrogate_line(result, ranked[0])]
    if len(ranked) > 1:
        pictures.append(surrogate_map(result, ranked[0], ranked[1]))
    return pictures


def surrogate_line(result: SearchResult, axis: Axis) -> str:
    """Mean, 95 % interval and expected improvement of the model along one axis."""
    model = surrogate(result.plan.space, result.trials, (axis.name,), points=LINE_POINTS)
    x = [axis.value_at(fraction) for fraction in model.grid[:, 0]]
    observed = [axis.value_at(fraction) for fraction in model.observed[:, 0]]
    low, high = model.mean - 1.96 * model.std, model.mean + 1.96 * model.std
    with figure(height=3.6, rows=2) as (made, axes):
        upper, lower = axes[0][0], axes[1][0]
        upper.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
        upper.plot(x, model.mean, color=BLUE)
        upper.plot(observed, model.values, "o", color=INK, markersize=3)
        _label_values(upper, result)
        upper.set_title(f"Gaussian process over {axis.name}")
        lower.plot(x, model.improvement, color=ORANGE)
        lower.axvline(x[int(model.improvement.argmax())], color=ORANGE, linestyle=":", linewidth=1)
        lower.set_ylabel("expected\nimprovement")
        for ax in (upper, lower):
            _label_axis(ax, axis)
        upper.set_xlabel("")
        return svg(made, f"Surrogate model over {axis.name}")


def surrogate_map(result: SearchResult, first: Axis, second: Axis) -> str:
    """Mean and expected improvement of the model over two axes."""
    names = (first.name, second.name)
    model = surrogate(result.plan.space, result.trials, names, points=MAP_POINTS)
    fractions = (0.0, 0.5, 1.0)
    with figure(height=2.7, columns=2) as (made, axes):
        maps = (model.mean, "predicted value"), (model.improvement, "exp. improvement")
        for ax, (values, title) in zip(axes[0], maps, strict=True):
            image = values.reshape(MAP_POINTS, MAP_POINTS).T
            ax.imshow(image, origin="lower", extent=(0, 1, 0, 1), aspect="auto")
            ax.plot(
                model.observed[:, 0],
                model.observed[:, 1],
                "o",
                color="white",
                markersize=2.5,
                markeredgecolor="black",
                markeredgewidth=0.4,
            )
            ax.set_title(title)
            ax.grid(visible=False)
            ax.set_xticks(fractions, [_short(first.value_at(f)) for f in fractions], fontsize=7)
            ax.set_yticks(fractions, [_short(second.value_at(f)) for f in fractions], fontsize=7)
            ax.set_xlabel(first.name, fontsize=8)
        axes[0][0].set_ylabel(second.name, fontsize=8)
        return svg(made, f"Surrogate model over {first.name} and {second.name}")


def _places(axis: Axis, trials: Sequence[TrialRecord]) -> list[Any]:
    """Where trials are along an axis: their values, or the numbers of their options."""
    if isinstance(axis, Choice):
        return [axis.options.index(t.point[axis.name]) for t in trials]
    return [t.point[axis.name] for t in trials]


def _label_axis(ax: Any, axis: Axis, side: str = "x") -> None:
    """Give the "x" or "y" side of axes the name, the scale and the ticks of a search's axis."""
    getattr(ax, f"set_{side}label")(axis.name)
    if isinstance(axis, Choice):
        options = [_short(option) for option in axis.options]
        getattr(ax, f"set_{side}ticks")(range(len(options)), options)
    elif isinstance(axis, NumericAxis) and axis.is_logarithmic:
        getattr(ax, f"set_{side}scale")("log")
        if axis.high / axis.low < FEW_DECADES:
            _use_plain_ticks(getattr(ax, f"{side}axis"))


def _use_plain_ticks(ruler: Any) -> None:
    """Ticks at 1, 2 and 5 of each power of ten, as plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter  # heavy

    ruler.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ruler.set_major_formatter(StrMethodFormatter("{x:g}"))
    ruler.set_minor_formatter(NullFormatter())


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)[:16]


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def plot_learning_curve(curve: LearningCurve, path: Path) -> Path:
    """Draw training and validation values against the number of training samples, a dot per run.

    Args:
        curve: as `learning_curve` returns it.
        path: a file whose name ends in .png or .svg.
    """
    with figure(paper=True) as (made, axes):
        axis = axes[0][0]
        for values, colour, label in (
            (curve.train, GREY, "training samples"),
            (curve.valid, BLUE, "validation part"),
        ):
            for count, runs in zip(curve.rows, values, strict=True):
                axis.plot([count] * len(runs), runs, "o", color=colour, markersize=3, alpha=0.6)
            means = [sum(runs) / len(runs) for runs in values]
            axis.plot(curve.rows, means, color=colour, label=label)
        use_log_scale(axis, "x")
        axis.set_xticks(curve.rows, [f"{count:,}" for count in curve.rows])
        axis.set_xticks([], minor=True)
        axis.set_xlabel("number of training samples")
        axis.set_ylabel("value" if curve.metric is None else curve.metric.replace("_", " "))
        axis.yaxis.set_major_formatter(lambda value, _: f"{own_value(curve.metric, value):.4g}")
        axis.set_title("Learning curve")
        axis.legend(fontsize=8)
        return save(made, path, "Learning curve")
