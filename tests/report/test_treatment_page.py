"""The page of a treatment: before, trials, after."""

from __future__ import annotations

import netwise as nw
from netwise.report.treatment_page import treatment_page
from report.html_page import check_page


def test_a_treatment_shows_before_trials_and_after() -> None:
    recipe = nw.gallery.sick["rate_too_low"].recipe
    treatment = nw.treat(recipe, seeds=(0, 1), jobs=1)
    text = treatment_page(treatment)
    check_page(text)
    accepted = treatment.rounds[0].accepted
    for expected in (
        "Treatment of MLP on Digits",
        "<h2>Before</h2>",
        "Trials 1: Learning rate too low",
        "Paired trials of remedies",
        f"Accepted: <strong>{accepted}</strong>. By hand: ",
        "<td>accepted</td>",
        "not applicable: ",
        "<h2>After</h2>",
        "Changes of the recipe",
        "Gradient of each layer",
        "<h2>Treated recipe</h2>",
        "<td>before</td><td>accuracy ",
    ):
        assert expected in text, expected
    for trial in treatment.rounds[0].trials:
        assert f"<td>{trial.remedy}</td>" in text
        if not trial.not_applicable:
            assert (
                f"{100 * trial.gain:+.1f} ({100 * trial.low:+.1f} to {100 * trial.high:+.1f})"
                in text
            )


def test_a_healthy_run_has_no_trials_and_no_changes(small: nw.Recipe) -> None:
    run = nw.fit(small)
    text = treatment_page(nw.TreatmentResult(run, run, (), None))
    check_page(text)
    assert "Trials 1" not in text
    assert "<h2>After</h2>" not in text
    assert "<h2>Recipe</h2>" in text
