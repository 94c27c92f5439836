"""Treatment: diagnosis, trials, a gain that holds on fresh seeds, the test part scored once at the
end."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def treatment() -> nw.TreatmentResult:
    return nw.treat(nw.gallery.DEEP_SIGMOID, seeds=SEEDS, jobs=2)


def test_a_deep_sigmoid_network_is_cured(treatment: nw.TreatmentResult) -> None:
    assert treatment.cured
    first = treatment.rounds[0]
    assert first.finding.rule == "vanishing_gradient"
    assert first.accepted in ("use_relu", "use_batch_norm")
    assert nw.diagnose(treatment.run).found == ()
    assert treatment.before.score is not None
    assert treatment.run.score is not None
    assert treatment.run.score.low > treatment.before.score.high + 0.5


def test_the_cure_is_confirmed_on_seeds_that_no_remedy_was_chosen_on(
    treatment: nw.TreatmentResult,
) -> None:
    assert treatment.confirmed is not None
    assert not set(treatment.confirmed.seeds) & set(SEEDS)
    assert treatment.confirmed.helps
    assert treatment.confirmed.low > 0.5


def test_the_best_of_those_that_help_is_accepted(treatment: nw.TreatmentResult) -> None:
    for each in treatment.rounds:
        helping = [v for v in each.trials if v.helps]
        best = max(
            helping, key=lambda v: (v.low > 0, v.gain if v.low > 0 else v.loss_gain), default=None
        )
        assert each.accepted == (best.remedy if best else "")
        assert {v.remedy for v in each.trials} >= set(each.finding.remedies)


def test_the_final_recipe_differs_by_the_accepted_remedies_alone(
    treatment: nw.TreatmentResult,
) -> None:
    recipe = nw.gallery.DEEP_SIGMOID
    for each in treatment.rounds:
        assert each.recipe == recipe
        if each.accepted:
            treated = nw.remedy(each.accepted).apply(recipe)
            assert isinstance(treated, nw.Recipe)
            recipe = treated
    assert treatment.recipe == recipe


def test_a_healthy_run_gets_no_treatment() -> None:
    treatment = nw.treat(nw.gallery.healthy["relu_adam"].recipe, jobs=1)
    assert treatment.rounds == ()
    assert treatment.sentence == "No problem found: no treatment is needed."


def test_a_treatment_without_a_cure_keeps_the_recipe(tmp_path: Path) -> None:
    treatment = nw.treat(
        nw.gallery.sick["not_learning"].recipe.but(epochs=4),
        seeds=(0, 1),
        jobs=1,
        folder=tmp_path / "run",
    )
    assert not treatment.cured
    assert treatment.sentence == "No remedy was shown to help against not learning."
    assert treatment.recipe == nw.gallery.sick["not_learning"].recipe.but(epochs=4)
    assert treatment.confirmed is None
    assert nw.load(tmp_path / "run").recipe == treatment.recipe


@pytest.mark.parametrize("name", ["rate_too_high", "inputs_not_normalised"])
def test_other_findings_get_better(name: str) -> None:
    treatment = nw.treat(nw.gallery.sick[name].recipe, seeds=SEEDS, jobs=2)
    assert treatment.rounds[0].accepted, treatment.sentence
    assert treatment.confirmed is not None
    assert treatment.confirmed.gain > 0 or treatment.confirmed.loss_low > 0


def test_what_two_dozen_rows_do_not_hold_no_remedy_brings_back() -> None:
    """A gap of the scores is cured by rows, which no remedy has: none is accepted."""
    treatment = nw.treat(nw.gallery.sick["overfitting"].recipe, seeds=(0, 1), jobs=2)
    assert treatment.sentence == "No remedy was shown to help against overfitting."
    assert not treatment.cured


def too_few_epochs(history: nw.History) -> nw.Finding | None:
    """Find a run of fewer than five epochs."""
    epochs = history.facts.epochs or 0
    if epochs >= 5:
        return None
    return nw.Finding(
        "too_few_epochs",
        f"It ran for {epochs} epochs.",
        evidence=(nw.Evidence("epochs", epochs, 5, above=False),),
    )


TOO_FEW_EPOCHS = nw.Rule(
    "too_few_epochs",
    "Too few epochs",
    too_few_epochs,
    explanation="The run ended before the network could learn.",
    source="this test",
    remedies=("train_longer",),
)
TRAIN_LONGER = nw.Remedy(
    "train_longer",
    "Ten epochs",
    lambda recipe: recipe.but(epochs=10),
    by_hand="for epoch in range(10):",
    source="this test",
)


def test_rules_and_remedies_of_ones_own_work_together() -> None:
    recipe = nw.suggest(nw.data.digits(), epochs=1)
    messages: list[str] = []
    treatment = nw.treat(
        recipe,
        seeds=(0, 1, 2),
        jobs=1,
        on_message=messages.append,
        rules=(TOO_FEW_EPOCHS,),
        remedies=(*nw.REMEDIES, TRAIN_LONGER),
    )
    assert treatment.rounds[0].accepted == "train_longer"
    assert treatment.rounds[0].trials[0].sick_after == 0.0
    assert treatment.recipe == recipe.but(epochs=10)
    assert treatment.cured
    assert messages[0] == "Found: too few epochs. It ran for 1 epochs."
    assert "too few epochs found in 3 of 3 runs without it, 0 of 3 with it" in messages[2]
    with pytest.raises(nw.UnknownName, match="unknown remedy 'train_longer'"):
        nw.treat(recipe, rules=(TOO_FEW_EPOCHS,), jobs=1, seeds=(0, 1))


def test_a_printed_treatment_lists_its_trials(treatment: nw.TreatmentResult) -> None:
    lines = str(treatment).splitlines()
    assert lines[0] == treatment.sentence
    for trial in treatment.rounds[0].trials:
        assert f"    {trial.remedy}: {trial.sentence}" in lines
