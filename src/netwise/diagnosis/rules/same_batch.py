"""Training on the same few samples in each step."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.history import History

MANY = 20  # steps
WORSE = 0.05  # accuracy that an evaluation lacks


def same_batch_again(history: History) -> Answer:
    """Find steps that all have the same samples, fewer than are evaluated, and an evaluation that
    is worse than training. A part that is trained on as a whole in each step is usually larger."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data, steps = history.data, history.ended.step
    if data is None or data.batches_alike is None:
        return Unchecked("few batches of training were kept")
    rows = data.train_samples
    if not data.batches_alike or not rows or steps < MANY or (data.evaluated_rows or 0) <= rows:
        return None
    trained, evaluated = _accuracy(data.answers), data.evaluation_accuracy
    if trained is None or evaluated is None or trained - evaluated < WORSE:
        return None
    return Finding(
        rule="same_batch_again",
        sentence=(
            f"All {steps:,} steps have the same {rows} samples, and {data.evaluated_rows} others "
            f"are evaluated: accuracy {trained:.3g} on the former, {evaluated:.3g} on the latter. "
            "`next(iter(loader))` inside of a loop begins anew each time and gives the first "
            "batch again; make the iterator once for each epoch."
        ),
        steps=(0, steps),
        evidence=(
            Evidence("different samples in training", rows, data.evaluated_rows or 0, False),
        ),
        grade="cause",
        change="for x, y in loader:  # one iterator for a whole epoch, with shuffle=True\n    ...",
    )


def _accuracy(answers: tuple[tuple[int, int, int], ...] | None) -> float | None:
    asked = sum(row[0] for row in answers or ())
    return sum(row[2] for row in answers or ()) / asked if asked else None


SAME_BATCH_AGAIN = Rule(
    name="same_batch_again",
    title="The same samples in each step",
    find=same_batch_again,
    explanation=(
        "The loss falls quickly to 0, because a few samples are learned by heart, and nothing is "
        "learned of the others."
    ),
    healthy="Other samples in each step, and all of them in an epoch.",
    source="PyTorch documentation, torch.utils.data.DataLoader",
    explains=("overfitting", "best_was_earlier", "labels_suspect"),
    own_loops=True,
)
