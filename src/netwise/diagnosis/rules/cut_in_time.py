"""A recurrence through which no gradient goes back in time."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def state_detached_each_step(history: History) -> Answer:
    """Find a network whose outputs change with earlier places of a sequence, and whose gradient
    ends at the last one."""
    facts = first_batch_fact(history, "cut_in_time")
    if isinstance(facts, Unchecked):
        return facts
    places = facts.cut_in_time or 0
    if places < 2:
        return None
    return Finding(
        rule="state_detached_each_step",
        sentence=(
            f"The last output changes with all {places} places of the sequence, and its gradient "
            "reaches the last place alone: the state is cut off from the graph at each step, by "
            "`detach()`, `.data` or `torch.no_grad()`, so nothing that came earlier can be "
            "learned. Detach the state between batches, not inside of the sequence."
        ),
        evidence=(Evidence("places with a gradient", 1.0, float(places), above=False),),
        strength=float(places),
        change=(
            "for t in range(x.shape[1]):\n"
            "    h = self.cell(x[:, t], h)  # no h.detach() here\n"
            "# h = h.detach()  # between two batches, where a state is carried over"
        ),
    )


CUT_IN_TIME = Rule(
    name="state_detached_each_step",
    title="State that is detached at each step of a sequence",
    find=state_detached_each_step,
    explanation=(
        "A recurrent network learns what to remember by the gradient that goes back through its "
        "states. Without it the last step learns from what it is given, and the earlier ones do "
        "not learn to give it."
    ),
    healthy="A gradient at each place of the sequence that the output changes with.",
    source="Williams, Peng 1990, An efficient gradient-based algorithm for on-line training",
    explains=(*CONSEQUENCES, "plateau", "underfitting", "behind_baseline"),
    own_loops=True,
    exact=True,
)
