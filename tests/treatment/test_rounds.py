"""Treatment: diagnosis, trials, a cure that holds on fresh seeds, the test part touched once at the
end."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def course() -> nw.TreatmentResult:
    return nw.treat(nw.gallery.DEEP_SIGMOID, seeds=SEEDS, jobs=2)


def test_a_deep_sigmoid_network_is_cured(course: nw.TreatmentResult) -> None:
    assert course.cured
    first = course.rounds[0]
    assert first.finding.rule == "vanishing_gradient"
    assert first.accepted in ("use_relu", "use_batch_norm")
    assert nw.diagnose(course.run).found == ()
    assert course.before.score is not None
    assert course.run.score is not None
    assert course.run.score.low > course.before.score.high + 0.5


def test_the_cure_is_confirmed_on_seeds_that_chose_nothing(course: nw.TreatmentResult) -> None:
    assert course.confirmed is not None
    assert not set(course.confirmed.seeds) & set(SEEDS)
    assert course.confirmed.helps
    assert course.confirmed.low > 0.5


def test_the_best_of_those_that_help_is_accepted(course: nw.TreatmentResult) -> None:
    for each in course.rounds:
        helping = [v for v in each.verdicts if v.helps]
        best = max(
            helping, key=lambda v: (v.low > 0, v.gain if v.low > 0 else v.loss_gain), default=None
        )
        assert each.accepted == (best.remedy if best else "")
        assert {v.remedy for v in each.verdicts} >= set(each.finding.remedies)


def test_the_final_recipe_differs_by_the_accepted_remedies_alone(
    course: nw.TreatmentResult,
) -> None:
    recipe = nw.gallery.DEEP_SIGMOID
    for each in course.rounds:
        assert each.recipe == recipe
        if each.accepted:
            treated = nw.remedy(each.accepted).apply(recipe)
            assert isinstance(treated, nw.Recipe)
            recipe = treated
    assert course.recipe == recipe


def test_a_healthy_run_gets_no_treatment() -> None:
    course = nw.treat(nw.gallery.healthy["relu_adam"].recipe, jobs=1)
    assert course.rounds == ()
    assert course.sentence == "Nothing found: no treatment needed."


def test_what_no_remedy_cures_is_said(tmp_path: Path) -> None:
    course = nw.treat(
        nw.gallery.sick["not_learning"].recipe.but(epochs=4),
        seeds=(0, 1),
        jobs=1,
        folder=tmp_path / "run",
    )
    assert not course.cured
    assert course.sentence == "No remedy was proved to help against not learning."
    assert course.recipe == nw.gallery.sick["not_learning"].recipe.but(epochs=4)
    assert course.confirmed is None
    assert nw.load(tmp_path / "run").recipe == course.recipe


@pytest.mark.parametrize("name", ["overfitting", "rate_too_high", "inputs_not_normalised"])
def test_other_illnesses_get_better(name: str) -> None:
    course = nw.treat(nw.gallery.sick[name].recipe, seeds=SEEDS, jobs=2)
    assert course.rounds[0].accepted, course.sentence
    assert course.confirmed is not None
    assert course.confirmed.gain > 0 or course.confirmed.loss_low > 0
