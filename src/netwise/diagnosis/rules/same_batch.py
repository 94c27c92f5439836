"""Training on the same few samples in each step."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.history import History

MANY = 20  # steps
EACH = 0.9  # iterators of a loader for each step


def same_batch_again(history: History) -> Answer:
    """Find steps that all have the same samples, each from an iterator of its own of a loader that
    has further batches. Without a loader, so few samples may be all there are."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data, wiring, steps = history.data, history.wiring, history.ended.step
    if wiring is None or data is None or data.batches_alike is None:
        return Unchecked("few batches of training were kept")
    made = wiring.loader_iterators
    if not data.batches_alike or steps < MANY or made < EACH * steps:
        return None
    rows = f"{data.train_samples} " if data.train_samples else ""
    return Finding(
        rule="same_batch_again",
        sentence=(
            f"All {steps:,} steps have the same {rows}samples, and the loader that they come from "
            "has further batches. `next(iter(loader))` inside of a loop begins anew each time and "
            "gives the first batch again; make the iterator once for each epoch."
        ),
        steps=(0, steps),
        evidence=(Evidence("iterators of a loader for each step", made / steps, EACH),),
        grade="cause",
        change="for x, y in loader:  # one iterator for a whole epoch, with shuffle=True\n    ...",
    )


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
