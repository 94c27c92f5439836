"""Curves and layers over time: what is drawn is what was recorded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netwise as nw
from netwise.report.pictures.history_plots import (
    batch_curves,
    before_and_after,
    curves,
    gradient_profile,
    layer_pictures,
    layers_by_time,
)

LAYERS = (nw.Layer("a", "Linear", 1, 1), nw.Layer("b", "Linear", 1, 1))


def history(rows: list[dict[str, float]], **facts: Any) -> nw.History:
    return nw.History.from_rows(rows, LAYERS, nw.RunFacts(**facts))


def epochs(**series: tuple[float, ...]) -> list[dict[str, float]]:
    """Rows of one value per signal; `train_loss` is "train.loss"."""
    count = len(next(iter(series.values())))
    return [
        {"step": i, **{name.replace("_", ".", 1): values[i] for name, values in series.items()}}
        for i in range(count)
    ]


def test_loss_and_accuracy_have_a_line_per_part(drawn: list[Any]) -> None:
    rows = epochs(
        train_loss=(2.0, 1.0, 0.5),
        valid_loss=(2.2, 1.5, 1.4),
        train_accuracy=(0.1, 0.6, 0.9),
        valid_accuracy=(0.1, 0.5, 0.7),
    )
    pictures = curves(history(rows, loss_of_guessing=2.3), "before")
    assert ['aria-label="Loss before"' in p for p in pictures] == [True, False]
    loss, accuracy = (figure.axes[0] for figure in drawn)
    assert [line.get_label() for line in loss.lines] == ["training", "validation", "guessing: 2.3"]
    assert list(loss.lines[0].get_ydata()) == [2.0, 1.0, 0.5]
    assert list(loss.lines[1].get_xdata()) == [1, 2, 3]
    assert set(loss.lines[2].get_ydata()) == {2.3}
    assert accuracy.get_title(loc="left") == "Accuracy"
    assert accuracy.get_ylim() == (0.0, 1.02)
    assert list(accuracy.lines[1].get_ydata()) == [0.1, 0.5, 0.7]
    assert all(tick == int(tick) for tick in loss.get_xticks())


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ((2.0, 1.0), "linear"),
        ((2.0, 0.01), "log"),
        ((2.0, -0.01), "linear"),
        ((2.0, 0.0), "linear"),
    ],
)
def test_a_loss_that_falls_far_is_drawn_on_a_logarithmic_axis(
    losses: tuple[float, ...], scale: str, drawn: list[Any]
) -> None:
    curves(history(epochs(train_loss=losses)))
    assert drawn[0].axes[0].get_yscale() == scale


def test_a_loop_without_epochs_is_drawn_by_step(drawn: list[Any]) -> None:
    rows = [{"step": step, "loss": 1 / (1 + step)} for step in (0, 10, 20)]
    assert len(curves(history(rows))) == 1
    axis = drawn[0].axes[0]
    assert list(axis.lines[0].get_xdata()) == [0, 10, 20]
    assert axis.get_xlabel() == "step"


def test_regression_has_r2_and_a_density_model_its_free_energy(drawn: list[Any]) -> None:
    curves(history(epochs(train_loss=(1.0, 0.5), valid_r2=(-3.0, 0.5))))
    assert drawn[1].axes[0].get_title(loc="left") == "R²"
    assert drawn[1].axes[0].get_ylim()[0] == -1.0  # far below 0 says no more
    assert (
        len(curves(history(epochs(train_loss=(1.0, 0.5), valid_loss=(1.0, 0.5)), task="density")))
        == 1
    )
    assert drawn[2].axes[0].get_title(loc="left").startswith("Free energy")
    assert len(drawn[2].axes[0].lines) == 1


def test_layers_are_rows_and_steps_columns(drawn: list[Any]) -> None:
    rows = [
        {"step": i, "gradient.rms|a": 10.0 ** -(i + 1), "gradient.rms|b": 1.0} for i in range(4)
    ]
    picture = layers_by_time(history(rows), "gradient.rms", "Gradient", True)
    assert picture.startswith("<svg")
    axis = drawn[0].axes[0]
    np.testing.assert_allclose(
        axis.images[0].get_array(), [[-1, -2, -3, -4], [0, 0, 0, 0]], atol=1e-9
    )
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert axis.get_ylim() == (1.5, -0.5)  # the input's layer on top


def test_fractions_are_drawn_from_0_to_1_and_gaps_keep_the_value_before(drawn: list[Any]) -> None:
    rows: list[dict[str, float]] = [{"step": i, "unit.dead|b": 0.25} for i in (0, 1, 2, 3)]
    signal = "activation.zeros"
    rows = [{"step": i, f"{signal}|b": 0.25} for i in range(4)]
    rows[0][f"{signal}|a"], rows[2][f"{signal}|a"] = 0.5, 0.75
    layers_by_time(history(rows), signal, "Zeros", False)
    image = drawn[0].axes[0].images[0]
    assert image.get_clim() == (0.0, 1.0)
    np.testing.assert_allclose(image.get_array(), [[0.5, 0.5, 0.75, 0.75], [0.25] * 4])


def test_a_signal_that_is_0_or_missing_has_no_picture(digits_run: nw.Run) -> None:
    assert layers_by_time(digits_run.history, "activation.saturated", "x", False) == ""
    assert layers_by_time(nw.History.from_rows([]), "gradient.rms", "x", True) == ""
    assert curves(nw.History.from_rows([])) == []
    assert layer_pictures(nw.History.from_rows([])) == []


def test_numbers_that_are_not_finite_do_not_stop_a_picture(drawn: list[Any]) -> None:
    rows = [
        {
            "step": i,
            "gradient.rms|a": math.nan if i % 2 else 1e-30,
            "gradient.rms|b": math.inf if i % 3 else 0.0,
        }
        for i in range(9)
    ]
    assert layers_by_time(history(rows), "gradient.rms", "Gradient", True).startswith("<svg")
    curves(history(epochs(train_loss=(math.inf, math.nan, 1.0))))
    assert len(drawn) == 2


def test_a_profile_has_a_point_per_layer(drawn: list[Any]) -> None:
    rows = [{"step": i, "gradient.rms|a": 0.01 * (1 + i), "gradient.rms|b": 1.0} for i in range(3)]
    gradient_profile([("before", history(rows)), ("after", history(rows))])
    axis = drawn[0].axes[0]
    assert [line.get_label() for line in axis.lines] == ["before", "after"]
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [[1, 0.02], [2, 1.0]])
    assert axis.get_yscale() == "log"


def test_before_and_after_draws_both_runs_twice(drawn: list[Any], tmp_path: Path) -> None:
    rows = epochs(valid_accuracy=(0.1, 0.9))
    for row in rows:
        row |= {"gradient.rms|a": 0.1, "gradient.rms|b": 0.2}
    before_and_after(history(rows), history(rows), tmp_path / "both.png")
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
    assert [len(axes.lines) for axes in drawn[0].axes] == [2, 2]


def test_a_loop_without_epochs_shows_validation_where_it_happened(drawn: list[Any]) -> None:
    rows = [{"step": step, "loss": 1.0, "accuracy": 0.5} for step in range(20)]
    rows += [{"step": step, "valid.loss": 2.0, "valid.accuracy": 0.4} for step in (9, 19)]
    assert len(curves(history(rows))) == 2
    for figure in drawn:
        lines = figure.axes[0].lines
        assert [line.get_label() for line in lines] == ["each recorded batch", "validation"]
        assert list(lines[1].get_xdata()) == [9, 19]
    assert batch_curves(history(rows)) == []


def test_batches_are_drawn_beside_epochs(drawn: list[Any]) -> None:
    rows: list[dict[str, Any]] = [{"step": step, "loss": 1.0, "accuracy": 0.5} for step in (0, 5)]
    rows.append({"step": 5, "train.loss": 1.0})
    recorded = history(rows, loss_of_guessing=2.3)
    assert len(batch_curves(recorded)) == 2
    loss, accuracy = (figure.axes[0] for figure in drawn)
    assert loss.get_title(loc="left") == "Loss of recorded batches"
    assert list(loss.lines[0].get_xdata()) == [0, 5]
    assert set(loss.lines[1].get_ydata()) == {2.3}
    assert list(accuracy.lines[0].get_ydata()) == [0.5, 0.5]
    assert accuracy.get_ylim() == (0.0, 1.02)
