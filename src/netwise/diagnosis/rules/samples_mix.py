"""Samples that influence each other: what a network answers for one depends on which others are in
the batch."""

from __future__ import annotations

import re

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import has_learned, opponents
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.first_batch import ATTENTION, RECURRENCE, SOFTMAX, STATISTICS, VIEW, FirstBatch
from netwise.history import History

# With these the facts leave one explanation; others may be meant.
MOST_SHARE = 100.0  # where its own outputs do not change at all, the ratio says nothing
CERTAIN = (VIEW, SOFTMAX, RECURRENCE, ATTENTION)


def samples_mix(history: History) -> Answer:
    """Find outputs of one sample that change, in evaluation mode, when another sample of the batch
    is replaced.

    Batch norm, graphs, similarities of samples and what may be one sequence are no finding. A
    statistic over the batch, or a product of samples, may be meant: it is none in a run that has
    learned, nor in a network with an opponent (a discriminator that looks at whole batches).
    """
    facts = first_batch_fact(history, "samples_mix")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.samples_mix:
        return _placed(facts)
    certain = facts.mixed_by in CERTAIN
    if not certain and (has_learned(history) or opponents(history)):
        return None
    share = facts.mixed_share
    known = share is not None and share < MOST_SHARE
    return Finding(
        rule="samples_mix",
        sentence=(
            f"The outputs for one sample change when another sample of the batch is replaced. "
            f"{_what(facts)}"
        ),
        layers=(facts.mixed_in,) if facts.mixed_in else (),
        evidence=(
            (Evidence("change of other samples' outputs / of its own", share or 0.0, 0.0),)
            if known
            else ()
        ),
        strength=2.0 if certain else 1.0,
        grade="cause" if certain else "suspect",
        change=_change(facts),
    )


def _placed(facts: FirstBatch) -> Finding | None:
    """What is joined with samples by their places in the batch."""
    if not facts.placed_by:
        return None
    where = f" ({facts.placed_at})" if facts.placed_at else ""
    return Finding(
        rule="samples_mix",
        sentence=(
            f"The outputs for a sample change with its place in the batch: the operation "
            f"{facts.placed_by}{where} takes another row of a fixed table for each sample. A "
            "positional encoding for inputs of shape (time, batch, features) does this to inputs "
            "of shape (batch, time, features): add it along the time, as `pe[None, : x.size(1)]`."
        ),
        evidence=(Evidence("samples with a row of their own", 1.0, 0.0),),
        grade="cause",
        change="x = x + self.pe[None, : x.size(1)]  # pe of shape (time, features)",
    )


def _where(facts: FirstBatch) -> str:
    layer = f" in `{facts.mixed_in}`" if facts.mixed_in else ""
    line = f" ({facts.mixed_at})" if facts.mixed_at else ""
    return layer + line


def _what(facts: FirstBatch) -> str:
    where, operation = _where(facts), facts.samples_mix
    layer = f"`{facts.mixed_in}`" if facts.mixed_in else "The recurrent layer"
    if facts.mixed_by == VIEW:
        return (
            f"`{operation}`{where} only counts the numbers anew, so that a row holds parts of "
            "several samples. To swap axes, write `transpose` or `permute`."
        )
    if facts.mixed_by == SOFTMAX:
        return f"The {operation}{where} runs over the samples instead of the classes."
    if facts.mixed_by == RECURRENCE:
        return (
            f"{layer} runs over the samples as if they were time steps: without "
            "`batch_first=True` it takes inputs of shape (time, batch, features)."
        )
    if facts.mixed_by == ATTENTION:
        layer = f"`{facts.mixed_in}`" if facts.mixed_in else "The attention"
        return (
            f"{layer} attends to the other samples: without `batch_first=True` it takes inputs of "
            "shape (time, batch, features)."
        )
    if facts.mixed_by == STATISTICS:
        return f"The {operation}{where} is taken over the samples."
    return f"They meet in the operation {operation}{where}."


def _change(facts: FirstBatch) -> str:
    if facts.mixed_by == VIEW:
        return _instead_of_view(facts.samples_mix or "")
    if facts.mixed_by == SOFTMAX:
        return "softmax(x, dim=-1)  # the last axis is that of the classes"
    if facts.mixed_by in (RECURRENCE, ATTENTION):
        name = facts.mixed_in or "layer"
        return (
            f"self.{name} = ...(..., batch_first=True)  # inputs of shape (batch, time, features)"
        )
    if facts.mixed_by == STATISTICS:
        return "x.mean(dim=1)  # over the parts of one sample, not over the samples (dim=0)"
    return ""


def _instead_of_view(operation: str) -> str:
    """The line with `permute` that has the result's shape; a general one where sizes repeat."""
    shapes = [
        tuple(int(n) for n in re.findall(r"\d+", group))
        for group in re.findall(r"\(([\d,\s]*)\)", operation)
    ]
    if len(shapes) == 2 and len(set(shapes[0])) == len(shapes[0]):
        before, after = shapes
        if sorted(before) == sorted(after):
            order = ", ".join(str(before.index(size)) for size in after)
            return f"x = x.permute({order})  # instead of view or reshape"
    return "x = x.transpose(0, 1)  # instead of view or reshape"


SAMPLES_MIX = Rule(
    name="samples_mix",
    title="Samples that influence each other",
    find=samples_mix,
    explanation=(
        "Each sample of a batch has its own target. Where its outputs depend on the samples beside "
        "it, which are others in every batch, the network learns from noise, and answers otherwise "
        "when it is used on one sample."
    ),
    healthy="In evaluation mode each row of the outputs depends on one sample alone.",
    source="Karpathy 2019, A recipe for training neural networks: backprop to chart dependencies",
    explains=CONSEQUENCES,
    own_loops=True,
)
