"""What a sample of a program's data shows: how well simple models predict the targets, rows that
are repeated or leaked, features that are constant. Rules read it without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class DataFacts:
    """What a sample of the training and evaluation data shows; None where it is not known.

    Scores are accuracies for classes and R² for numbers, of samples that the simple model was not
    fitted to.

    Args:
        train_samples, evaluation_samples: rows in the sample.
        features: numbers of one input.
        chance_score: of the best constant prediction.
        linear_score, neighbour_score: of a linear model and of the nearest neighbour, fitted to one
            part of the training sample and measured on the rest.
        evaluation_linear_score, evaluation_neighbour_score: the same, measured on the evaluation
            sample.
        repeated_rows: share of the training rows that occur more than once.
        leaked_rows: share of the evaluation rows that are training rows, too.
        constant_features, duplicated_features: how many.
        smallest_std, largest_std: of the standard deviations of the features that are not constant.
        target_feature: index of a feature that is the target itself; None without one.
        not_known: for each field that could not be found, the reason.

    Example:
        >>> import netwise as nw
        >>> nw.DataFacts(train_samples=200, linear_score=0.93).leaked_rows is None
        True
    """

    train_samples: int = 0
    evaluation_samples: int = 0
    features: int | None = None
    chance_score: float | None = None
    linear_score: float | None = None
    neighbour_score: float | None = None
    evaluation_linear_score: float | None = None
    evaluation_neighbour_score: float | None = None
    repeated_rows: float | None = None
    leaked_rows: float | None = None
    constant_features: int | None = None
    duplicated_features: int | None = None
    smallest_std: float | None = None
    largest_std: float | None = None
    target_feature: int | None = None
    not_known: Mapping[str, str] = field(default_factory=dict)


def data_facts_as_dict(facts: DataFacts | None) -> dict[str, Any] | None:
    """All fields as plain values for a JSON file; None for None."""
    return None if facts is None else {**asdict(facts), "not_known": dict(facts.not_known)}


def data_facts_from_dict(plain: Mapping[str, Any] | None) -> DataFacts | None:
    """The facts from what `data_facts_as_dict` returned, also after a trip through JSON."""
    return None if plain is None else DataFacts(**plain)
