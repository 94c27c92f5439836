"""Whether a file answers as its run does, on raw rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from netwise.deployment.answering import CLASS, CODE, PREDICTION, PROBABILITIES, RECONSTRUCTION
from netwise.deployment.file_format import Answers
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.tasks import task_named
from netwise.training.run import Run

# Largest difference that counts as equal: of probabilities; of numbers in spreads of the target,
# or of the values where they have none. Engines add float32 numbers in other orders.
TOLERANCE = 1e-4


def answers_of(run: Run, raw: Any) -> Answers:
    """What the run itself answers to raw rows, by the names of the outputs."""
    task = task_named(run.pipeline.task)
    if task.has_classes:
        return {CLASS: run.predict(raw), PROBABILITIES: run.predict_proba(raw)}
    if not (task.inputs_are_targets or task.is_density):
        return {PREDICTION: run.predict(raw)}
    answers = {RECONSTRUCTION: run.predict(raw)}
    if isinstance(run.module, UnsupervisedModule) and run.module.has_code:
        answers[CODE] = run.codes(raw).numpy()
    return answers


def difference(run: Run, expected: Answers, answers: Answers) -> float:
    """The largest difference between answers of the run and of the file, in the units of
    `TOLERANCE`; infinite where shapes differ, or a class although its probability is clear."""
    largest = 0.0
    for name, right in expected.items():
        given = answers[name]
        if given.shape != right.shape:
            return float("inf")
        if name == CLASS:
            continue  # follows from the probabilities; compared by them below
        a, b = np.asarray(right, np.float64), np.asarray(given, np.float64)
        if not np.array_equal(np.isnan(a), np.isnan(b)):
            return float("inf")
        with np.errstate(invalid="ignore"):
            gap = np.nan_to_num(np.where(a == b, 0.0, np.abs(a - b) / _unit(run, name, a)))
        largest = max(largest, float(gap.max(initial=0.0)))
    if CLASS in expected and largest <= TOLERANCE and _another_class(expected, answers):
        return float("inf")
    return largest


def _unit(run: Run, name: str, values: np.ndarray) -> Any:
    if name == PROBABILITIES:
        return 1.0
    if name == PREDICTION:
        scale = run.pipeline.target_scale.double().cpu().numpy()
        return scale if values.ndim > 1 else scale[0]
    return np.maximum(1.0, np.abs(values))


def _another_class(expected: Answers, answers: Answers) -> bool:
    """Whether a class differs although the two best probabilities are not nearly equal."""
    ordered = np.sort(expected[PROBABILITIES], axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 2 * TOLERANCE
    return bool((clear & (expected[CLASS] != answers[CLASS])).any())
