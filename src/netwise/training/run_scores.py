"""`scores`: all scores of a run on one part of its data."""

from __future__ import annotations

import torch

from netwise.data.dataset import Pairs, Samples
from netwise.errors import WrongValue
from netwise.recipe.prepared import Prepared, prepare
from netwise.scoring.answers import Answers
from netwise.scoring.scores import Scores, score_answers
from netwise.tasks import task_named
from netwise.training.chosen_metric import answers_of_outputs
from netwise.training.divergence import diverged
from netwise.training.evaluate import outputs_of, score
from netwise.training.run import Run

TRAINING, VALIDATION, TEST = "training", "validation", "test"


def scores(run: Run, part: str = TEST, prepared: Prepared | None = None) -> Scores:
    """All scores of a run on one part of its data, each with its 95 % interval.

    Of classes: accuracy, with the share of the most frequent class beside it, balanced accuracy,
    macro F1, AUC (each class against the rest), log loss and calibration error, recall of each
    class, confusion matrix and reliability. Of numbers: R², mean absolute error and root mean
    squared error in the units of the targets. They are computed by scikit-learn.

    Args:
        run: the trained network.
        part: "test", "validation" or "training". Default "test".
        prepared: the run's data, where they are prepared already. Default: they are loaded.

    Raises:
        WrongValue: there is no such part, or it is empty.
        DataMissing, DataError: the data cannot be loaded.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=30))
        >>> nw.scores(run).of("accuracy") == run.score
        True
    """
    data = prepare(run.recipe) if prepared is None else prepared
    samples = data.samples
    pairs = part_named(samples, part)
    known = run.score if part == TEST else None
    if known is None:
        known = score(run.module, _on_device(pairs, run), samples.task, run.recipe.seed)
    found = answers_of_run(run, pairs, samples)
    if found is None:  # of a task without targets of its own, the score is all there is
        return Scores(part, len(pairs), (known,))
    return score_answers(found, part, samples.classes, known)


def final_scores(run: Run, prepared: Prepared) -> Scores | None:
    """The scores that tell how good a run is in the end: those of the test part where it was
    scored, else of the validation part; None where there are none, or the run diverged."""
    valid = prepared.samples.valid
    if run.recipe.network.is_memory or diverged(run) or (run.score is None and not len(valid)):
        return None
    return scores(run, VALIDATION if run.score is None else TEST, prepared)


def part_named(samples: Samples, part: str) -> Pairs:
    """The part of this name.

    Raises:
        WrongValue: there is no such part, or it is empty.
    """
    parts = {TEST: samples.test, VALIDATION: samples.valid, TRAINING: samples.train}
    if part in parts and len(parts[part]):
        return parts[part]
    filled = [name for name, each in parts.items() if len(each)]
    reason = "has no samples in these data" if part in parts else "is no part of the data"
    raise WrongValue.of("scores", "part", repr(part), reason, " or ".join(map(repr, filled)))


def answers_of_run(run: Run, part: Pairs, samples: Samples) -> Answers | None:
    """What the run answers to a part of the samples, beside the targets; None for a task
    without classes or numbers of its own."""
    task = task_named(run.pipeline.task)
    if not len(part) or not (task.has_classes or task.has_values):
        return None
    outputs = outputs_of(run.module, _on_device(part, run).x).cpu()
    return answers_of_outputs(outputs, part.y, run.recipe.loss, samples, part.weight)


def _on_device(part: Pairs, run: Run) -> Pairs:
    device = next((p.device for p in run.module.parameters()), torch.device("cpu"))
    return part.to(device)
