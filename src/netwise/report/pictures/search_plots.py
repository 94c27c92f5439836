"""Pictures of a search: best so far against cost, each axis against the value, pairs, parallel
coordinates, importance, the surrogate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netwise.report.pictures.drawing import BLUE, GREEN, GREY, INK, ORANGE, RED, figure, save, svg
from netwise.searches.axes import Axis, Choice, NumericAxis
from netwise.searches.result import SearchResult
from netwise.searches.surrogate import MIN_TRIALS, importance, surrogate
from netwise.searches.trial_record import COMPLETE, TrialRecord
from netwise.searches.validation import LearningCurve

MOST_AXES = 6  # drawn against each other; the most important ones of more
FEW_DECADES = 1e3  # an axis that spans less has too few powers of ten to be read by


def search_pictures(found: SearchResult) -> list[str]:
    """Every picture that the trials allow, as SVG."""
    return [
        each
        for each in (
            best_so_far(found),
            importances(found),
            *slices(found),
            parallel(found),
            *pairs(found),
            *surrogates(found),
        )
        if each
    ]


def _done(found: SearchResult) -> list[TrialRecord]:
    return [t for t in found.trials if t.state == COMPLETE and t.value is not None]


def _value(trial: TrialRecord) -> float:
    return trial.value if trial.value is not None else math.nan


def _ranked(found: SearchResult) -> list[Axis]:
    """The axes, the most important first."""
    weight = importance(found.plan.space, found.trials)
    return sorted(found.plan.space.axes, key=lambda axis: -weight.get(axis.name, 0.0))[:MOST_AXES]


def best_so_far(found: SearchResult) -> str:
    """Each trial's value and the best up to then, against the epochs that all trials had taken by
    then."""
    ended = [t for t in found.trials if t.value is not None]
    if not ended:
        return ""
    cost = np.cumsum([max(1, t.epochs) for t in ended])
    values = np.array([_value(t) for t in ended])
    whole = np.array([t.state == COMPLETE for t in ended])
    best = np.maximum.accumulate(np.where(whole, values, -np.inf))
    with figure() as (made, axes):
        axis = axes[0][0]
        axis.plot(
            cost[whole], values[whole], "o", color=GREY, markersize=3.5, alpha=0.7, label="trial"
        )
        if (~whole).any():
            axis.plot(cost[~whole], values[~whole], "x", color=ORANGE, markersize=4, label="pruned")
        axis.step(
            cost[np.isfinite(best)],
            best[np.isfinite(best)],
            where="post",
            color=BLUE,
            label="best so far",
        )
        if found.mean is not None:
            axis.axhline(
                found.mean, color=GREEN, linestyle="--", linewidth=1.2, label="winner, fresh seeds"
            )
        axis.set_xlabel("epochs of all trials so far")
        axis.set_ylabel("value")
        axis.set_title("Best so far against cost")
        axis.legend(fontsize=8, loc="lower right")
        return svg(made, "Best so far against cost")


def importances(found: SearchResult) -> str:
    """Share of the variance of the value that each axis explains."""
    weight = importance(found.plan.space, found.trials)
    if len(weight) < 2:
        return ""
    with figure(height=0.9 + 0.3 * len(weight)) as (made, axes):
        axis = axes[0][0]
        names = list(weight)
        axis.barh(range(len(names)), [weight[name] for name in names], color=BLUE, height=0.6)
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.set_xlabel("share of the variance that it explains (fANOVA)")
        axis.set_title("Which axes matter")
        return svg(made, "Which axes matter")


def slices(found: SearchResult) -> list[str]:
    """Each axis against the value, a dot for each complete trial, the later the darker."""
    drawn = []
    for each in _ranked(found):
        done = [t for t in _done(found) if each.name in t.point]
        if len(done) < 2:
            continue
        with figure() as (made, axes):
            axis = axes[0][0]
            shades = [0.25 + 0.75 * i / max(1, len(done) - 1) for i in range(len(done))]
            axis.scatter(
                _places(each, done),
                [_value(t) for t in done],
                c=[(*_rgb(BLUE), shade) for shade in shades],
                s=18,
            )
            if (
                found.best is not None
                and each.name in found.best.point
                and found.best.value is not None
            ):
                axis.scatter(
                    _places(each, [found.best]), [found.best.value], color=RED, marker="D", s=36
                )
            _scale(axis, each)
            axis.set_ylabel("value")
            axis.set_title(f"{each.name} against the value")
            drawn.append(svg(made, f"{each.name} against the value"))
    return drawn


def pairs(found: SearchResult) -> list[str]:
    """The two most important axes of every pair of the first three against each other, coloured by
    the value."""
    drawn = []
    for one, other in itertools.combinations(_ranked(found)[:3], 2):
        done = [t for t in _done(found) if one.name in t.point and other.name in t.point]
        if len(done) < MIN_TRIALS:
            continue
        with figure(height=3.2) as (made, axes):
            axis = axes[0][0]
            dots = axis.scatter(
                _places(one, done),
                _places(other, done),
                c=[_value(t) for t in done],
                s=24,
                cmap="viridis",
            )
            _scale(axis, one)
            _scale(axis, other, "y")
            made.colorbar(dots, ax=axis, label="value")
            axis.set_title(f"{one.name} and {other.name}")
            drawn.append(svg(made, f"{one.name} and {other.name}"))
    return drawn


def parallel(found: SearchResult) -> str:
    """Every complete trial as a line over all axes, the better the stronger."""
    done = _done(found)
    axes_of = [each for each in found.plan.space.axes if each.when is None]
    if len(done) < 2 or len(axes_of) < 2:
        return ""
    values = np.array([_value(t) for t in done])
    order = np.argsort(values)
    rank = np.empty(len(done))
    rank[order] = np.arange(len(done)) / max(1, len(done) - 1)
    with figure(height=3.2) as (made, axes):
        axis = axes[0][0]
        low, high = float(values.min()), float(values.max())
        for place in order:
            trial = done[place]
            shares = [each.fraction_of(trial.point[each.name]) for each in axes_of] + [
                (_value(trial) - low) / ((high - low) or 1.0)
            ]
            best = found.best is not None and trial.number == found.best.number
            axis.plot(
                range(len(shares)),
                shares,
                color=RED if best else BLUE,
                alpha=1.0 if best else 0.08 + 0.6 * rank[place] ** 3,
                linewidth=2 if best else 1,
            )
        for place, each in enumerate(axes_of):
            axis.text(place, -0.04, _word(each.value_at(0.0)), ha="center", va="top", fontsize=7)
            axis.text(place, 1.03, _word(each.value_at(1.0)), ha="center", va="bottom", fontsize=7)
        axis.text(len(axes_of), -0.04, f"{low:.3g}", ha="center", va="top", fontsize=7)
        axis.text(len(axes_of), 1.03, f"{high:.3g}", ha="center", va="bottom", fontsize=7)
        axis.set_xticks(
            range(len(axes_of) + 1), [each.name.split(".")[-1] for each in axes_of] + ["value"]
        )
        axis.tick_params(axis="x", pad=12)
        axis.set_yticks([])
        axis.set_ylim(-0.02, 1.02)
        axis.grid(visible=False)
        axis.set_title("All trials over all axes", pad=14)
        return svg(made, "All trials over all axes")


def surrogates(found: SearchResult) -> list[str]:
    """The model over the most important axis with its acquisition, and over the two most important
    ones."""
    ranked = [axis for axis in _ranked(found) if axis.when is None and not isinstance(axis, Choice)]
    done = _done(found)
    if len(done) < MIN_TRIALS or not ranked or len({_value(t) for t in done}) < 2:
        return []
    return [
        surrogate_line(found, ranked[0]),
        *([surrogate_map(found, ranked[0], ranked[1])] if len(ranked) > 1 else []),
    ]


def surrogate_line(found: SearchResult, axis_of: Axis) -> str:
    """Mean, 95 % band and expected improvement along one axis."""
    model = surrogate(found.plan.space, found.trials, (axis_of.name,), points=201)
    x = [axis_of.value_at(share) for share in model.grid[:, 0]]
    with figure(height=3.6, rows=2) as (made, axes):
        upper, lower = axes[0][0], axes[1][0]
        upper.fill_between(
            x,
            model.mean - 1.96 * model.std,
            model.mean + 1.96 * model.std,
            color=BLUE,
            alpha=0.2,
            linewidth=0,
        )
        upper.plot(x, model.mean, color=BLUE)
        upper.plot(
            [axis_of.value_at(share) for share in model.observed[:, 0]],
            model.values,
            "o",
            color=INK,
            markersize=3,
        )
        upper.set_ylabel("value")
        upper.set_title(f"A Gaussian process over {axis_of.name}")
        lower.plot(x, model.improvement, color=ORANGE)
        lower.axvline(x[int(model.improvement.argmax())], color=ORANGE, linestyle=":", linewidth=1)
        lower.set_ylabel("expected\nimprovement")
        for each in (upper, lower):
            _scale(each, axis_of)
        upper.set_xlabel("")
        return svg(made, f"Surrogate over {axis_of.name}")


def surrogate_map(found: SearchResult, one: Axis, other: Axis) -> str:
    """Mean and expected improvement over two axes."""
    points = 41
    model = surrogate(found.plan.space, found.trials, (one.name, other.name), points=points)
    with figure(height=2.7, columns=2) as (made, axes):
        for axis, values, title in (
            (axes[0][0], model.mean, "believed value"),
            (axes[0][1], model.improvement, "expected improvement"),
        ):
            shape = values.reshape(points, points).T
            axis.imshow(shape, origin="lower", extent=(0, 1, 0, 1), aspect="auto")
            axis.plot(
                model.observed[:, 0],
                model.observed[:, 1],
                "o",
                color="white",
                markersize=2.5,
                markeredgecolor="black",
                markeredgewidth=0.4,
            )
            axis.set_title(title)
            axis.grid(visible=False)
            axis.set_xticks(
                [0, 0.5, 1], [_word(one.value_at(s)) for s in (0.0, 0.5, 1.0)], fontsize=7
            )
            axis.set_yticks(
                [0, 0.5, 1], [_word(other.value_at(s)) for s in (0.0, 0.5, 1.0)], fontsize=7
            )
            axis.set_xlabel(one.name, fontsize=8)
        axes[0][0].set_ylabel(other.name, fontsize=8)
        return svg(made, f"Surrogate over {one.name} and {other.name}")


def _places(axis: Axis, trials: Sequence[TrialRecord]) -> list[Any]:
    if isinstance(axis, Choice):
        return [axis.options.index(t.point[axis.name]) for t in trials]
    return [t.point[axis.name] for t in trials]


def _scale(drawn: Any, axis: Axis, which: str = "x") -> None:
    """Label and scale of a drawn axis as the search's axis has them."""
    getattr(drawn, f"set_{which}label")(axis.name)
    if isinstance(axis, Choice):
        getattr(drawn, f"set_{which}ticks")(
            range(len(axis.options)), [_word(option) for option in axis.options]
        )
    elif isinstance(axis, NumericAxis) and axis.is_logarithmic:
        getattr(drawn, f"set_{which}scale")("log")
        if axis.high / axis.low < FEW_DECADES:
            _ticks_within(getattr(drawn, f"{which}axis"))


def _ticks_within(ruler: Any) -> None:
    """Ticks of an axis too short for powers of ten alone: 1, 2 and 5 of each, in plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    ruler.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ruler.set_major_formatter(StrMethodFormatter("{x:g}"))
    ruler.set_minor_formatter(NullFormatter())


def _word(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)[:16]


def _rgb(colour: str) -> tuple[float, float, float]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def picture_curve(curve: LearningCurve, path: Path) -> Path:
    """The learning curve as a PNG or SVG: training and validation values against the number of
    samples, every run a dot."""
    with figure(paper=True) as (made, axes):
        axis = axes[0][0]
        for values, colour, name in (
            (curve.train, GREY, "samples it learned from"),
            (curve.valid, BLUE, "validation part"),
        ):
            for count, each in zip(curve.rows, values, strict=True):
                axis.plot([count] * len(each), each, "o", color=colour, markersize=3, alpha=0.6)
            axis.plot(
                curve.rows, [sum(each) / len(each) for each in values], color=colour, label=name
            )
        axis.set_xscale("log")
        axis.set_xticks(curve.rows, [f"{count:,}" for count in curve.rows])
        axis.set_xticks([], minor=True)
        axis.set_xlabel("training samples")
        axis.set_ylabel("value")
        axis.set_title("Learning curve")
        axis.legend(fontsize=8)
        return save(made, path, "Learning curve")
