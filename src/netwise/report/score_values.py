"""The scores of a run as the templates of pages show them."""

from __future__ import annotations

import math
from typing import Any

from netwise.recipe.prepared import Prepared
from netwise.report.pictures.answer_plots import confusion_matrix
from netwise.report.pictures.score_plots import numbers_pictures, reliability
from netwise.scoring.answers import AnsweredNumbers
from netwise.scoring.metrics import metric_named
from netwise.scoring.score import Score
from netwise.scoring.scores import Scores
from netwise.training.run import Run
from netwise.training.run_scores import answers_of_run, part_named
from netwise.training.simple_baselines import TITLES, Baselines

MOST_ROWS = 30  # of the table of classes; of more, those that are answered worst

# What each score says, for a reader who has not met it.
MEANINGS = {
    "accuracy": "share of the answers that are right",
    "balanced_accuracy": "mean of the recalls: each class counts the same",
    "macro_f1": "mean over the classes of precision and recall together",
    "auc": "how well each class is ranked above the rest: 0.5 is chance, 1 is perfect",
    "log_loss": "how far the probabilities are off: 0 is perfect",
    "ece": "how far probabilities and shares of right answers differ: 0 is calibrated",
    "r2": "share of the targets' variance that is predicted: 0 is the mean, 1 is perfect",
    "mae": "mean absolute error, in the units of the target",
    "rmse": "root of the mean squared error, in the units of the target",
}


def score_values(scores: Scores) -> dict[str, Any]:
    """The tables of scores and of classes.

    Args:
        scores: of one part.
    """
    rows = [
        (
            score.title[0].upper() + score.title[1:],
            score.value_text,
            f"{score.low_text} to {score.high_text}",
            MEANINGS.get(score.name, ""),
        )
        for score in scores.scores
    ]
    if scores.majority_share is not None:
        about = f"accuracy of always answering {scores.majority!r}, the most frequent class"
        rows.insert(1, ("Majority", scores.majority_text, "", about))
    worst = sorted(scores.classes, key=lambda each: (not each.samples, each.recall))
    shown = scores.classes if len(scores.classes) <= MOST_ROWS else worst[:MOST_ROWS]
    return {
        "part": scores.part,
        "majority": scores.majority_sentence,
        "samples": f"{scores.samples:,}",
        "rows": rows,
        "classes": [
            (
                each.name,
                f"{each.samples:,}",
                f"{each.answers:,}",
                f"{100 * each.recall:.1f} %" if each.samples else "",
                f"{100 * each.low:.1f} to {100 * each.high:.1f}" if each.samples else "",
                "" if each.precision is None else f"{100 * each.precision:.1f} %",
            )
            for each in shown
        ],
        "left_out": len(scores.classes) - len(shown),
    }


def baseline_values(baselines: Baselines) -> dict[str, Any]:
    """The network and the simple models beside it, best first, on one part."""
    part, metric = baselines.part, metric_named(baselines.metric)
    rows: list[tuple[str, str, Score | None, str, str]] = [
        ("this network", "", baselines.network.get(part), "", "")
    ]
    for each in baselines.models:
        seconds = "" if each.left_out else f"{each.seconds:.1f}"
        score = each.score(part, metric.name)
        rows.append((TITLES[each.name], each.model, score, each.left_out, seconds))
    rows.sort(key=lambda row: math.inf if row[2] is None else -metric.goal(row[2].value))
    return {
        "sentence": baselines.sentence,
        "is_better": baselines.is_better,
        "head": ("model", "of scikit-learn", metric.title, "95 % interval", "seconds"),
        "rows": [
            (name, model, "", left_out, seconds)
            if score is None
            else (name, model, score.value_text, f"{score.low_text} to {score.high_text}", seconds)
            for name, model, score, left_out, seconds in rows
        ],
    }


def score_pictures(run: Run, data: Prepared, scores: Scores) -> list[str]:
    """Reliability and confusion matrix of classes; predicted against true and residuals of
    numbers."""
    if scores.classes:
        names = [each.name for each in scores.classes]
        matrix = confusion_matrix(scores.confusion, names, scores.part)
        return [each for each in (matrix, reliability(scores.reliability, scores.part)) if each]
    answers = answers_of_run(run, part_named(data.samples, scores.part), data.samples)
    return numbers_pictures(answers, scores.part) if isinstance(answers, AnsweredNumbers) else []
