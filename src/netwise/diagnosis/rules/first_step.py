"""A first training step that raises an error."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.history import History


def step_fails(history: History) -> Answer:
    """Find an error that a copy of the module raised in its first training step."""
    facts = first_batch_fact(history, "error")
    if isinstance(facts, Unchecked):
        return facts
    if "error" in facts.not_known:
        return Unchecked(facts.not_known["error"])
    if not facts.error:
        return None
    return Finding(
        rule="step_fails",
        sentence=f"The first training step of a copy raised {facts.error}",
        strength=2.0,
    )


STEP_FAILS = Rule(
    name="step_fails",
    title="First step raises an error",
    find=step_fails,
    explanation=(
        "The forward pass, the loss, the backward pass or the optimizer's step raised an error, "
        "as the training program would: shapes, types or devices do not fit each other."
    ),
    healthy="A training step on one batch runs to its end.",
    source="PyTorch documentation, Training with PyTorch",
    own_loops=True,
    exact=True,
)
