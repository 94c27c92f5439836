"""Whether simple models of standardised data are better than the network: the harm of scales."""

from __future__ import annotations

from netwise.diagnosis.rules.labels import skill
from netwise.diagnosis.rules.outcome import has_learned, valid_score
from netwise.history import History

BETTER = 0.1  # skill that a simple model has more


def scale_may_harm(history: History) -> bool:
    """Whether unusual scales may do harm: the run has not learned, or a simple model, which gets
    the same data in usual units, is clearly better on evaluation rows."""
    if not has_learned(history):
        return not matched_by_simple_models(history)
    return beaten_by_simple_models(history)


def beaten_by_simple_models(history: History) -> bool:
    """Whether the best simple model is clearly better than the network on evaluation rows; False
    where it is not known."""
    lead = _lead(history)
    return lead is not None and lead > BETTER


def matched_by_simple_models(history: History) -> bool:
    """Whether the network is as good as the best simple model of data that can be predicted; False
    where it is not known."""
    lead, data = _lead(history), history.data
    if lead is None or data is None:
        return False
    return lead <= 0 and skill(data.best_evaluation_score, data.evaluation_chance_score) > BETTER


def _lead(history: History) -> float | None:
    """How much more skill the best simple model has."""
    data = history.data
    if data is None or data.best_evaluation_score is None:
        return None
    score = data.evaluation_accuracy if data.class_targets else data.evaluation_r2
    score = valid_score(history) if score is None else score
    if score is None:
        return None
    chance = data.evaluation_chance_score
    return skill(data.best_evaluation_score, chance) - skill(score, chance)
