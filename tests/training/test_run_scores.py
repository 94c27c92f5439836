"""The scores of a run: of any part, in the units of its targets, equal to its final score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

import netwise as nw
from netwise.recipe.prepared import prepare
from netwise.training.run_scores import final_scores


@pytest.fixture(scope="module")
def digits() -> nw.Run:
    return nw.fit(nw.suggest(nw.data.digits(), epochs=2))


def test_the_score_of_the_run_is_one_of_them(digits: nw.Run) -> None:
    scores = nw.scores(digits)
    assert scores.of("accuracy") == digits.score
    assert [score.name for score in scores.scores] == [
        *("accuracy", "balanced_accuracy", "macro_f1", "auc", "log_loss", "ece")
    ]


def test_probabilities_are_those_of_predict_proba(digits: nw.Run) -> None:
    test = prepare(digits.recipe).samples.test
    shares = digits.recipe.loss.probabilities(digits.module(test.x).detach()).numpy()
    auc = roc_auc_score(test.y.numpy(), shares, multi_class="ovr")
    found = nw.scores(digits).of("auc")
    assert found is not None
    assert found.value == pytest.approx(auc, abs=1e-6)


def test_numbers_are_in_the_units_of_the_target(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    rows = [f"{a:.4f},{1e6 + 1000 * a:.1f}" for a in x]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["size,price", *rows]) + "\n", "utf-8")
    run = nw.fit(nw.suggest(nw.data.csv(path, target="price"), epochs=3))
    mae = nw.scores(run).of("mae")
    assert mae is not None
    assert 1 < mae.value < 1500
    mean = mean_absolute_error(1e6 + 1000 * x, np.full(200, 1e6 + 1000 * x.mean()))
    assert mae.value < 2 * mean


def test_a_run_without_a_test_part_is_scored_on_validation() -> None:
    recipe = nw.suggest(nw.data.iris(test=0.0), epochs=2)
    run = nw.fit(recipe)
    assert run.score is None
    found = final_scores(run, prepare(recipe))
    assert found is not None
    assert found.part == "validation"
    with pytest.raises(nw.WrongValue, match="no samples in these data"):
        nw.scores(run)


def test_an_unknown_part_is_refused_with_those_that_exist(digits: nw.Run) -> None:
    with pytest.raises(nw.WrongValue, match="'test' or 'validation' or 'training'"):
        nw.scores(digits, "tset")


def test_a_loss_without_probabilities_leaves_out_what_needs_them() -> None:
    run = nw.fit(nw.suggest(nw.data.iris(), epochs=2).but(loss=nw.Hinge()))
    names = [score.name for score in nw.scores(run).scores]
    assert names == ["accuracy", "balanced_accuracy", "macro_f1", "auc"]
    assert nw.scores(run).reliability == ()


def test_other_tasks_have_their_own_score_alone() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.digits(),
            network=nw.Autoencoder((64, 8)),
            loss=nw.MeanSquaredError(),
            epochs=1,
        )
    )
    scores = nw.scores(run)
    assert scores.scores == (run.score,)
    assert scores.majority_share is None
