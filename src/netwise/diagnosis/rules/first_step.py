"""A training program, or a first training step, that raises an error."""

from __future__ import annotations

from netwise.diagnosis.error_kinds import kind_of_error
from netwise.diagnosis.rules.finding import Answer, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.history import History
from netwise.program_error import ProgramError

MOST_TEXT = 200  # characters of an error's message


def step_fails(history: History) -> Answer:
    """Find an error that ended the program, or that a copy of the module raised in its first
    training step. A loss without a graph is a finding of `graph_cut`."""
    if history.error is not None:
        kind = kind_of_error(history.error)
        return None if kind is not None and kind.is_cut else error_finding(history, history.error)
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


def error_finding(history: History, error: ProgramError, rule: str = "step_fails") -> Finding:
    """The finding of an error: where it was raised, what torch said, and why, where that is
    known."""
    kind = kind_of_error(error)
    match = None if kind is None else kind.match(error)
    place = f" at {error.place}" if error.place else ""
    stage = f" in the {error.stage}" if error.stage else ""
    done = history.ended.step
    said = error.message[:MOST_TEXT].rstrip(".")
    steps = f" after {done} steps" if done else ""
    sentence = f"{error.kind}{place}{stage}{steps}: {said}."
    if kind is None or match is None:
        inside = f" It was raised in `{error.layer}`." if error.layer else ""
        return Finding(rule, sentence + inside, steps=(done, done), strength=2.0)
    why = kind.sentence(match, error)
    return Finding(
        rule=rule,
        sentence=f"{why[0].upper()}{why[1:]} ({sentence.rstrip('.')})",
        steps=(done, done),
        strength=2.0,
        change=kind.change(match, error),
    )


STEP_FAILS = Rule(
    name="step_fails",
    title="Step raises an error",
    find=step_fails,
    explanation=(
        "The forward pass, the loss, the backward pass or the optimizer's step raised an error, "
        "which ends the training: shapes, types or devices do not fit each other, or the graph of "
        "the loss is used twice."
    ),
    healthy="Each training step runs to its end.",
    source="PyTorch documentation, Training with PyTorch, and Autograd mechanics",
    own_loops=True,
    exact=True,
)
