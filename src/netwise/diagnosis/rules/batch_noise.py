"""Steps that follow one or two samples each."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    NO_BASELINE,
    final_loss_share,
    finite_median,
    has_learned,
)
from netwise.history import DIVERGED, History
from netwise.signals import BACKWARD_PASSES

FEW = 2  # samples of one step
MANY = 200  # steps, after which the loss should be below that of guessing
NO_BATCH = "the size of the batches was not seen"


def batch_too_small(history: History) -> Answer:
    """Find steps of one or two samples in a run whose loss is above that of the best constant
    prediction after hundreds of them: each step follows its samples, and undoes the last ones.

    Runs that learn with such steps, or whose loss has come down to that of guessing, are no
    finding.
    """
    facts = history.facts
    if facts.batch_size is None:
        return Unchecked(NO_BATCH)
    left = final_loss_share(history)
    if left is None:
        return Unchecked(NO_BASELINE)
    passes = history.of(BACKWARD_PASSES)
    samples = facts.batch_size * ((finite_median(passes.values) if passes else None) or 1.0)
    rows = history.data.training_seen if history.data is not None else None
    if samples > FEW or history.ended.step < MANY or left <= 1 or history.ended.how == DIVERGED:
        return None
    if has_learned(history) or rows == 1.0:
        return None  # the batches may be all rows that there are
    return Finding(
        rule="batch_too_small",
        sentence=(
            f"Each step is made of {samples:.0f} sample{'s' * (samples > 1)}, and after "
            f"{history.ended.step:,} of them the loss is {left:.2g} times that of the best "
            "constant prediction: the steps follow the noise."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("samples of a step", samples, FEW + 1, above=False),
            Evidence("loss at the end / of the best constant", left, 1.0),
        ),
        strength=left,
    )


BATCH_TOO_SMALL = Rule(
    name="batch_too_small",
    title="Batches of one or two samples",
    find=batch_too_small,
    explanation=(
        "The gradient of one sample is mostly noise, and adaptive optimizers make a step of full "
        "length of it. The mean over a batch has less noise at the same cost for each sample."
    ),
    healthy="Batches of 8 and more; of one sample with a small rate.",
    source="Bottou, Curtis, Nocedal 2018, Optimization methods for large-scale machine learning",
    explains=("not_learning",),
    tasks=WITH_TARGETS,
    change="loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)",
    remedies=("larger_batch", "lower_rate"),
)
