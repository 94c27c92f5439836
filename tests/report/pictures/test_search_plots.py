"""Pictures of a search, from trials made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netwise as nw
from netwise.report.pictures.drawing import BLUE, RED
from netwise.report.pictures.search_plots import (
    best_so_far,
    importances,
    pairs,
    parallel_coordinates,
    plot_learning_curve,
    search_pictures,
    slices,
    surrogate_line,
    surrogate_map,
    surrogates,
)

SPACE = nw.Space(
    (
        nw.axes.Log("optimizer.lr", 1e-3, 1.0),
        nw.axes.Integer("batch_size", 8, 64),
        nw.axes.Choice("network.activation", ("ReLU", "Tanh")),
    )
)


def result(trials: list[nw.TrialRecord], **fields: Any) -> nw.SearchResult:
    plan = nw.SearchPlan(space=SPACE, method=nw.Random(), trials=max(1, len(trials)))
    best = max((t for t in trials if t.value is not None), key=lambda t: t.value, default=None)
    return nw.SearchResult(Path("study"), plan, tuple(trials), best, **fields)


def trial(number: int, rate: float, value: float | None, **fields: Any) -> nw.TrialRecord:
    point = {
        "optimizer.lr": rate,
        "batch_size": 8 + 7 * (number % 8),
        "network.activation": ("ReLU", "Tanh")[number % 2],
    }
    return nw.TrialRecord(number, 0, point, value, epochs=5, **fields)


@pytest.fixture
def found() -> nw.SearchResult:
    """Twenty trials whose value is highest at a rate of 0.03."""
    rates = np.geomspace(1e-3, 1.0, 20)
    values = 0.9 - 0.1 * np.log10(rates / 0.03) ** 2
    trials = [
        trial(i, float(r), float(v)) for i, (r, v) in enumerate(zip(rates, values, strict=True))
    ]
    return result(trials, mean=0.85)


def test_the_best_so_far_rises_with_the_epochs_of_complete_trials(drawn: list[Any]) -> None:
    trials = [
        trial(0, 0.1, 0.5),
        trial(1, 0.2, 0.9, state="pruned", reason="pruned at epoch 5"),
        trial(2, 0.3, 0.4),
        trial(3, 0.4, 0.7),
        trial(4, 0.5, None, state="running"),
    ]
    assert best_so_far(result(trials, mean=0.6)).startswith("<svg")
    lines = {line.get_label(): line for line in drawn[0].axes[0].lines}
    assert lines["trial"].get_xydata().tolist() == [[5, 0.5], [15, 0.4], [20, 0.7]]
    assert lines["stopped early"].get_xydata().tolist() == [[10, 0.9]]
    assert lines["best so far"].get_ydata().tolist() == [0.5, 0.5, 0.5, 0.7]
    assert set(lines["best trial, new seeds"].get_ydata()) == {0.6}


def test_importance_is_drawn_for_each_axis(found: nw.SearchResult, drawn: list[Any]) -> None:
    importances(found)
    axis = drawn[0].axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names[0] == "optimizer.lr"  # the value depends on it alone
    widths = [bar.get_width() for bar in axis.patches]
    assert widths == sorted(widths, reverse=True)
    assert sum(widths) <= 1.0 + 1e-6


def test_each_axis_is_drawn_against_the_value(found: nw.SearchResult, drawn: list[Any]) -> None:
    assert len(slices(found)) == 3
    for figure in drawn:
        axes = figure.axes[0]
        dots, best = axes.collections
        assert len(dots.get_offsets()) == 20
        assert dots.get_offsets()[:, 1].tolist() == [t.value for t in found.trials]
        assert best.get_offsets()[0, 1] == found.best.value
        if axes.get_xlabel() == "optimizer.lr":
            assert axes.get_xscale() == "log"
        if axes.get_xlabel() == "network.activation":
            assert [label.get_text() for label in axes.get_xticklabels()] == ["ReLU", "Tanh"]


def test_pairs_have_a_dot_per_trial_coloured_by_value(
    found: nw.SearchResult, drawn: list[Any]
) -> None:
    assert len(pairs(found)) == 3
    dots = drawn[0].axes[0].collections[0]
    assert len(dots.get_offsets()) == 20
    assert dots.get_array().tolist() == [t.value for t in found.trials]


def test_parallel_coordinates_draw_the_best_trial_last(
    found: nw.SearchResult, drawn: list[Any]
) -> None:
    parallel_coordinates(found)
    lines = drawn[0].axes[0].lines
    assert len(lines) == 20
    assert [line.get_color() for line in lines] == [BLUE] * 19 + [RED]
    assert lines[-1].get_ydata()[-1] == 1.0  # the highest value
    labels = [label.get_text() for label in drawn[0].axes[0].get_xticklabels()]
    assert labels == ["lr", "batch_size", "activation", "value"]


def test_the_surrogate_is_highest_near_the_best_rate(
    found: nw.SearchResult, drawn: list[Any]
) -> None:
    surrogate_line(found, SPACE.axes[0])
    upper, lower = drawn[0].axes
    mean, observed = upper.lines
    x, y = np.asarray(mean.get_xdata()), np.asarray(mean.get_ydata())
    assert 0.01 < x[y.argmax()] < 0.1
    assert len(observed.get_xdata()) == 20
    assert upper.get_xscale() == lower.get_xscale() == "log"


def test_the_map_has_both_axes(found: nw.SearchResult, drawn: list[Any]) -> None:
    surrogate_map(found, SPACE.axes[0], SPACE.axes[1])
    left, right = drawn[0].axes
    assert left.get_xlabel() == "optimizer.lr"
    assert left.get_ylabel() == "batch_size"
    assert [label.get_text() for label in left.get_yticklabels()] == ["8", "36", "64"]
    assert len(right.lines[0].get_xdata()) == 20


def test_pictures_that_the_trials_do_not_allow_are_left_out() -> None:
    assert search_pictures(result([])) == []
    few = result([trial(0, 0.1, 0.5), trial(1, 0.2, 0.5)])
    assert surrogates(few) == []
    assert pairs(few) == []
    assert all(picture.startswith("<svg") for picture in search_pictures(few))


def test_a_learning_curve_has_a_dot_per_run_and_a_line_of_means(
    drawn: list[Any], tmp_path: Path
) -> None:
    train, valid = ((1.0, 0.9), (0.8, 0.8)), ((0.5, 0.7), (0.6, 0.8))
    curve = nw.LearningCurve((10, 1000), train, valid, train, valid)
    path = plot_learning_curve(curve, tmp_path / "curve.svg")
    assert path.read_text("utf-8").startswith("<svg")
    axis = drawn[0].axes[0]
    lines = [line for line in axis.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in lines] == ["training samples", "validation part"]
    np.testing.assert_allclose(lines[1].get_ydata(), [0.6, 0.7])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "1,000"]
    assert axis.get_xscale() == "log"
