"""Inner steps, as of meta-learning, that have no effect on the loss."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def inner_steps_idle(history: History) -> Answer:
    """Find gradients that are taken of weights, with a graph to go backwards through, in each step,
    and that no loss is computed of; or that are multiplied by 0 before."""
    wiring = observed(history, "optimizers", "inner gradients")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.idle_gradients:
        return None
    place, _, what = wiring.idle_gradients[0].rpartition(": ")
    reached = "reach no" in what
    meaning = (
        "the weights that are computed of them are not those that the loss is computed with"
        if reached
        else "the inner rate is 0, and the weights after the inner step are those before it"
    )
    return Finding(
        rule="inner_steps_idle",
        sentence=f"The gradients of weights that {place} takes {what}: {meaning}.",
        steps=(0, history.ended.step),
        evidence=(Evidence("lines without effect", float(len(wiring.idle_gradients)), 0.0),),
        change=(
            "fast = {name: w - inner_rate * g for (name, w), g in zip(weights.items(), gradients)}"
            "\nloss = criterion(functional_call(model, fast, (x,)), y)  # fast, not weights"
            if reached
            else "inner_rate = 0.01  # above 0, so that an inner step changes the weights"
        ),
    )


INNER_STEPS_IDLE = Rule(
    name="inner_steps_idle",
    title="Inner steps without effect",
    find=inner_steps_idle,
    explanation=(
        "Meta-learning takes a step of gradient descent inside of its loss, and goes backwards "
        "through it. Where the loss is computed with the weights before that step, or the step has "
        "the length 0, the program trains an ordinary network on all tasks together, without any "
        "error."
    ),
    healthy="The loss of each step is computed of the gradients that were taken for it.",
    source="Finn, Abbeel, Levine 2017, Model-agnostic meta-learning, algorithm 1",
    explains=CONSEQUENCES,
    own_loops=True,
    exact=True,
)
