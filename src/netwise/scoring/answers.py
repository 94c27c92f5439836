"""The answers of a model beside the true targets: what all metrics are computed of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AnsweredClasses:
    """Answers to samples that have a class each.

    Args:
        truth: class numbers `(samples,)`.
        answer: the classes that were answered `(samples,)`.
        ranking: any number for each class, the higher the likelier `(samples, classes)`.
        probability: of each class, rows with the sum 1 `(samples, classes)`; None where the model
            gives none.
        weight: of each sample in all metrics `(samples,)`, with a sum above 0; None: all are equal.
    """

    truth: Ints
    answer: Ints
    ranking: Floats
    probability: Floats | None = None
    weight: Floats | None = None

    @staticmethod
    def of_probabilities(
        truth: Ints, probability: Floats, weight: Floats | None = None
    ) -> AnsweredClasses:
        """Those of a model that answers the likeliest class.

        >>> AnsweredClasses.of_probabilities(np.array([1]), np.array([[0.2, 0.8]])).answer
        array([1])
        """
        return AnsweredClasses(truth, probability.argmax(1), probability, probability, weight)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right `(samples,)`."""
        right: NDArray[np.bool_] = self.truth == self.answer
        return right


@dataclass(frozen=True, eq=False)
class AnsweredNumbers:
    """Answers to samples with numbers as targets, in the units of the targets.

    Args:
        truth, answer: `(samples, targets)`.
        weight: of each sample in all metrics `(samples,)`, with a sum above 0; None: all are equal.
    """

    truth: Floats
    answer: Floats
    weight: Floats | None = None

    def __len__(self) -> int:
        return len(self.truth)


Answers = AnsweredClasses | AnsweredNumbers
