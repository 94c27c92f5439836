"""All scores of the answers to one part of the data, as a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from netwise.intervals import wilson
from netwise.printed_text import printable
from netwise.scoring.answers import AnsweredClasses, Answers
from netwise.scoring.metrics import BINS, METRICS, bins_of, calibration, confidence, weights_of
from netwise.scoring.score import Score

MOST_CLASSES = 100  # of a confusion matrix


@dataclass(frozen=True)
class ClassScore:
    """How one class was answered.

    Args:
        name: of the class.
        samples: with this class.
        answers: how often it was answered.
        right: how often rightly.
        recall: right / samples, with its 95 % interval (Wilson) `low` to `high`; nan without
            samples.

    Example:
        >>> import netwise as nw
        >>> nw.ClassScore("setosa", 10, 9, 9, 0.9, 0.6, 0.98).precision
        1.0
    """

    name: str
    samples: int
    answers: int
    right: int
    recall: float
    low: float
    high: float

    @property
    def precision(self) -> float | None:
        """right / answers; None where the class was never answered."""
        return self.right / self.answers if self.answers else None


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of about equal probability.

    Args:
        samples: how many.
        confidence: mean probability that the model gave its answers.
        right: share of these that are right: equal to `confidence` for a calibrated model.

    Example:
        >>> import netwise as nw
        >>> nw.ReliabilityBin(samples=40, confidence=0.95, right=0.7).right
        0.7
    """

    samples: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Scores:
    """All scores of a model on one part of the data.

    Args:
        part: "test", "validation" or "training".
        samples: how many it has.
        scores: each with its interval, the usual one first; those that could not be computed are
            left out.
        majority: the class that is most frequent in the part; "" for numbers.
        majority_share: its share of the samples, by their weights: the accuracy of always answering
            it; None for numbers.
        classes: recall of each class, of samples that count the same; empty for numbers.
        confusion: counts by true class (rows) and answered class; empty for more than 100 classes.
        reliability: bins of the probability of the answer; empty without probabilities.

    Example:
        >>> import netwise as nw
        >>> scores = nw.scores(nw.fit(nw.suggest(nw.data.iris(), epochs=30)))
        >>> scores.majority_share, [score.name for score in scores.scores][:3]
        (0.3333333333333333, ['accuracy', 'balanced_accuracy', 'macro_f1'])
    """

    part: str
    samples: int
    scores: tuple[Score, ...]
    majority: str = ""
    majority_share: float | None = None
    classes: tuple[ClassScore, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()

    def __str__(self) -> str:
        lines = [str(score) for score in self.scores]
        if self.majority_share is not None and lines:
            lines.insert(1, f"always answering {self.majority!r}: {self.majority_text}")
        return printable("\n".join(lines))

    @property
    def majority_text(self) -> str:
        """The accuracy of always answering the most frequent class, as text."""
        return "" if self.majority_share is None else f"{100 * self.majority_share:.1f} %"

    @property
    def majority_sentence(self) -> str:
        """What always answering the most frequent class would score, and the balanced accuracy of
        the network beside that of chance; "" for numbers."""
        balanced = self.of("balanced_accuracy")
        if self.majority_share is None or balanced is None:
            return ""
        chance = 1 / max(1, sum(each.samples > 0 for each in self.classes))
        return (
            f"Always answering {self.majority!r} would score {self.majority_text}; balanced "
            f"accuracy {balanced.value_text} (chance {100 * chance:.1f} %)."
        )

    def of(self, name: str) -> Score | None:
        """The score of this name, such as "auc"; None where it was not computed."""
        return next((score for score in self.scores if score.name == name), None)

    @property
    def answers_majority(self) -> bool:
        """Whether the model knows no more than which class is the most frequent: its accuracy is
        not above that of always answering it."""
        accuracy = self.of("accuracy")
        if accuracy is None or self.majority_share is None:
            return False
        return accuracy.value <= self.majority_share

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {
            "part": self.part,
            "samples": self.samples,
            **{score.name: _plain(asdict(score)) for score in self.scores},
            "majority": self.majority or None,
            "majority_share": self.majority_share,
            "classes": [
                _plain({**asdict(each), "precision": each.precision}) for each in self.classes
            ],
            "confusion": [list(row) for row in self.confusion],
            "reliability": [asdict(each) for each in self.reliability],
        }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers that JSON has no word for as None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def score_answers(
    answers: Answers, part: str, classes: Sequence[str] = (), known: Score | None = None
) -> Scores:
    """All scores of these answers.

    Args:
        answers: at least one.
        part: the name of the part that they are of.
        classes: names of the classes, for answers that are classes.
        known: a score that was measured already, in place of the one of its name.
    """
    measured = [each.score(answers) for each in METRICS if each.can_measure(answers)]
    scores = tuple(
        known if known is not None and known.name == score.name else score
        for score in measured
        if math.isfinite(score.value)
    )
    scores = tuple(_without_nan(score) for score in scores)
    if not isinstance(answers, AnsweredClasses):
        return Scores(part, len(answers), scores)
    weight = np.bincount(answers.truth, weights_of(answers), len(classes))
    most = int(weight.argmax())
    return Scores(
        part,
        len(answers),
        scores,
        str(classes[most]),
        float(weight[most] / weight.sum()),
        _class_scores(answers, classes),
        _confusion(answers, len(classes)),
        () if answers.probability is None else _reliability(answers),
    )


def _without_nan(score: Score) -> Score:
    ends = (score.value if math.isnan(end) else end for end in (score.low, score.high))
    low, high = ends
    return replace(score, low=low, high=high)


def _class_scores(answers: AnsweredClasses, classes: Sequence[str]) -> tuple[ClassScore, ...]:
    asked, said, right = (
        np.bincount(row, minlength=len(classes)).tolist()
        for row in (answers.truth, answers.answer, answers.truth[answers.right])
    )
    rows = []
    for name, n, a, k in zip(classes, asked, said, right, strict=True):
        low, high = wilson(k, n) if n else (math.nan, math.nan)
        rows.append(ClassScore(str(name), n, a, k, k / n if n else math.nan, low, high))
    return tuple(rows)


def _confusion(answers: AnsweredClasses, classes: int) -> tuple[tuple[int, ...], ...]:
    from sklearn.metrics import confusion_matrix  # heavy

    if classes > MOST_CLASSES:
        return ()
    matrix = confusion_matrix(answers.truth, answers.answer, labels=range(classes))
    return tuple(tuple(int(count) for count in row) for row in matrix)


def _reliability(answers: AnsweredClasses) -> tuple[ReliabilityBin, ...]:
    counts = np.bincount(bins_of(confidence(answers)), minlength=BINS)
    rows = zip(counts.tolist(), *(sums.tolist() for sums in calibration(answers)), strict=True)
    return tuple(
        ReliabilityBin(count, said / total, right / total)
        for count, total, said, right in rows
        if total > 0
    )
