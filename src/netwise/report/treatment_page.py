"""The page of a treatment: the run before, the trials of remedies, the run after."""

from __future__ import annotations

from typing import Any

from netwise.diagnosis.report import diagnose
from netwise.diagnosis.report_text import rule_title
from netwise.recipe.prepared import Prepared
from netwise.recipe.writer import recipe_text
from netwise.report.finding_values import remedy_values, report_values
from netwise.report.page import render
from netwise.report.pictures.history_plots import curves, gradient_profile, layer_pictures
from netwise.report.pictures.trial_plots import gains
from netwise.report.run_page import data_title, prediction_pictures, prepared_data, provenance_text
from netwise.report.score_values import score_pictures
from netwise.training.run import Run
from netwise.training.run_scores import final_scores
from netwise.treatment.rounds import TreatmentResult, TreatmentRound
from netwise.treatment.trials import TrialResult, describe_changes


def treatment_page(treatment: TreatmentResult) -> str:
    """The page of a treatment."""
    before, after = treatment.before, treatment.run
    is_changed = treatment.recipe != before.recipe
    pictures_after: list[str] = []
    if is_changed:
        histories = [("before", before.history), ("after", after.history)]
        pictures_after = [
            gradient_profile(histories),
            *curves(after.history, "after"),
            *layer_pictures(after.history, "after"),
        ]
    return render(
        "treatment.html",
        title="Treatment",
        heading=f"Treatment of {type(before.recipe.network).__name__} on {data_title(before)}",
        cured=treatment.cured,
        sentence=treatment.sentence,
        scores=[
            (label, str(run.score))
            for label, run in (("before", before), ("after", after))
            if run.score is not None
        ],
        report_before=report_values(diagnose(before, treatment.rules), before.history, "before"),
        pictures_before=[
            *curves(before.history, "before"),
            *layer_pictures(before.history, "before"),
        ],
        rounds=[
            _round_values(each, number) for number, each in enumerate(treatment.rounds, start=1)
        ],
        changes=describe_changes(before.recipe, after.recipe) if is_changed else [],
        report_after=report_values(diagnose(after, treatment.rules), after.history, "after"),
        pictures_after=pictures_after,
        predictions=_predictions(after) if is_changed else [],
        recipe=recipe_text(treatment.recipe),
        provenance=provenance_text(after),
    )


def _round_values(treated: TreatmentRound, number: int) -> dict[str, Any]:
    """One finding and the trials of its remedies, as the template shows them."""
    picture = gains(treated.trials, f"round {number}")
    accepted = treated.accepted
    return {
        "title": treated.finding.title or rule_title(treated.finding.rule),
        "unit": treated.trials[0].unit if treated.trials else "points",
        "pictures": [picture] if picture else [],
        "trials": [_trial_row(trial, trial.remedy == accepted) for trial in treated.trials],
        "accepted": accepted,
        "by_hand": remedy_values(accepted)["by_hand"] if accepted else "",
    }


def _trial_row(trial: TrialResult, is_accepted: bool) -> tuple[str, ...]:
    """Remedy, gain, runs with the finding, relative time, result."""
    if trial.not_applicable:
        return trial.remedy, f"not applicable: {trial.not_applicable}", "", "", ""
    gain, low, high = (trial.display_scale * value for value in (trial.gain, trial.low, trial.high))
    pairs = len(trial.seeds)
    before, after = round(trial.sick_before * pairs), round(trial.sick_after * pairs)
    result = "accepted" if is_accepted else "helps" if trial.helps else trial.note
    return (
        trial.remedy,
        f"{gain:+.1f} ({low:+.1f} to {high:+.1f})",
        f"{before} of {pairs}, {after} of {pairs}",
        f"{trial.cost:.1f} x",
        result,
    )


def _predictions(run: Run) -> list[str]:
    """Pictures of what the treated run answers; [] where its data are not available any more."""
    data = prepared_data(run)
    if not isinstance(data, Prepared):
        return []
    scores = final_scores(run, data)
    drawn = [] if scores is None else score_pictures(run, data, scores)
    return [*drawn, *prediction_pictures(run, data)]
