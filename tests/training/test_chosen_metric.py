"""The metric of a recipe: recorded, what early stopping and trials look at, and refused where it
does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

import netwise as nw
from netwise.data import arrays
from netwise.treatment.goals import gain_unit, goal, goal_of, goal_text


def uneven(share: float = 0.9, rows: int = 400) -> nw.Data:
    """Two classes, one of them rare, that inputs tell apart to some degree."""
    rng = np.random.default_rng(0)
    y = (rng.random(rows) > share).astype(int)
    return arrays(rng.normal(size=(rows, 3)) + y[:, None], np.array(["no", "yes"])[y])


def recipe(data: nw.Data, **changes: object) -> nw.Recipe:
    return nw.suggest(data, epochs=4).but(**changes)


def test_even_classes_have_no_metric_and_keep_their_rows_and_hash() -> None:
    plain = recipe(nw.data.iris())
    history = nw.fit(plain).history
    assert history.facts.metric is None
    assert not [name for name, _ in history.series if name.startswith("valid.b")]
    assert "metric" not in nw.recipe_text(plain)


def test_uneven_classes_are_judged_by_balanced_accuracy_and_train_the_same() -> None:
    run = nw.fit(recipe(uneven()))
    assert run.history.facts.metric == "balanced_accuracy"
    assert run.history.facts.metric_of_guessing == 0.5
    series = run.history.of("valid.balanced_accuracy")
    assert series is not None
    assert goal(run) == series.last
    valid = nw.scores(run, "validation").of("balanced_accuracy")
    assert valid is not None
    assert valid.value == pytest.approx(series.last)
    assert run.score is not None
    assert run.score.name == "accuracy"


@pytest.mark.parametrize("metric", ["auc", "log_loss", "macro_f1", "balanced_accuracy"])
def test_the_epoch_with_the_best_metric_is_kept(metric: str) -> None:
    patient = recipe(uneven(), metric=metric, epochs=8, stopping=nw.Patience(3))
    run = nw.fit(patient)
    series = run.history.of(f"valid.{metric}")
    assert series is not None
    best = min(series.values) if metric == "log_loss" else max(series.values)
    found = nw.scores(run, "validation").of(metric)
    assert found is not None
    assert found.value == pytest.approx(best, abs=1e-6)
    assert abs(goal(run)) == best
    assert run.score is not None
    assert run.score.name == metric


def test_errors_are_in_the_units_of_the_target_and_less_is_better(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=200)
    path = tmp_path / "prices.csv"
    lines = ["size,price", *(f"{a:.4f},{1e6 + 1000 * a:.1f}" for a in x)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    data = nw.data.csv(path, target="price")
    run = nw.fit(recipe(data, metric="mae", epochs=8, stopping=nw.Patience(3)))
    series = run.history.of("valid.mae")
    assert series is not None
    assert goal(run) == -min(series.values)
    guessing = run.history.facts.metric_of_guessing
    assert guessing is not None
    assert 500 < guessing < 1200
    assert goal_text(run.history, goal(run)).startswith("MAE ")
    assert gain_unit(run.history) == "less MAE"
    diverged = run.history.but(ended=nw.RunEnd("diverged", "", 1))
    assert goal_of(diverged, run.recipe) == -guessing


def test_patience_says_which_metric_it_waited_for() -> None:
    rule = nw.Patience(1)
    state, reason = rule.init(), None
    for epoch, value in enumerate([0.7, 0.6]):
        result = nw.EpochResult(epoch, loss=1 - epoch, metric="macro_f1", value=value)
        reason, state = rule.next(state, result)
    assert reason == "validation macro f1 found no new best in 1 epochs; its best, 0.7, was epoch 1"
    own = nw.Patience(1, by="accuracy")  # what the rule itself names comes first
    assert own.next(own.init(), nw.EpochResult(0, 1, quality=0.5, metric="auc", value=0.9))[1] == {
        "best": -0.5,
        "epoch": 0,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "mae"}, "targets that are numbers, and these are classes"),
        ({"metric": "log_loss", "loss": nw.Hinge()}, "needs probabilities"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(nw.WrongValue, match=message):
        nw.fit(recipe(nw.data.iris(), **changes))


def test_an_unknown_metric_is_refused_with_those_that_exist() -> None:
    with pytest.raises(nw.WrongValue, match="balanced_accuracy, macro_f1"):
        recipe(nw.data.iris(), metric="f1")


def test_a_recipe_with_a_metric_is_read_as_it_was_written(tmp_path: Path) -> None:
    chosen = recipe(nw.data.iris(), metric="auc")
    nw.write_recipe(chosen, tmp_path / "recipe.toml")
    assert nw.read_recipe(tmp_path / "recipe.toml") == chosen


def test_a_trial_measures_the_metric() -> None:
    poor = recipe(uneven(), metric="log_loss", optimizer=nw.SGD(lr=1e-4))
    result = nw.trial(poor, nw.remedy("use_adam"), seeds=(0, 1), jobs=1)
    assert max(result.before) < 0
    assert result.unit == "nats less log loss"
    assert "nats less log loss" in result.sentence


def test_values_of_epochs_are_those_of_scikit_learn() -> None:
    run = nw.fit(recipe(uneven(), metric="auc"))
    valid = nw.scores(run, "validation")
    data = run.recipe.data.load().valid
    share = run.recipe.loss.probabilities(run.module(_prepared(run, data.x)).detach()).numpy()
    assert valid.of("auc") is not None
    assert valid.of("auc").value == pytest.approx(roc_auc_score(data.y, share[:, 1]), abs=1e-6)  # type: ignore[union-attr]
    expected = balanced_accuracy_score(data.y, share.argmax(1))
    assert valid.of("balanced_accuracy").value == pytest.approx(expected)  # type: ignore[union-attr]


def _prepared(run: nw.Run, x):
    for step, fitted in zip(run.recipe.preprocess, run.pipeline.fitted, strict=True):
        x = step.apply(x, fitted)
    return x
