"""Axes of a sample that a change of shape scrambles."""

from __future__ import annotations

import re

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import has_learned
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def axes_scrambled(history: History) -> Answer:
    """Find a `view` that gives an axis the place of another one, in a run that has not learned."""
    facts = first_batch_fact(history, "scrambled_view")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.scrambled_view or facts.samples_mix or has_learned(history):
        return None
    where = f" ({facts.scrambled_at})" if facts.scrambled_at else ""
    return Finding(
        rule="axes_scrambled",
        sentence=(
            f"`{facts.scrambled_view}`{where} only counts the numbers anew, so that a place of the "
            "new axes holds parts of several places, such as time steps or channels. To swap axes, "
            "write `transpose` or `permute`, before `reshape` where they are joined."
        ),
        evidence=(Evidence("axes that a view has moved", 1.0, 0.0),),
        grade="cause",
        change=_change(facts.scrambled_view),
    )


def _change(operation: str) -> str:
    """The line with `permute` that has the result's shape; a general one where axes are joined."""
    shapes = [
        tuple(int(n) for n in re.findall(r"\d+", group))
        for group in re.findall(r"\(([\d,\s]*)\)", operation)
    ]
    if len(shapes) == 2 and sorted(shapes[0]) == sorted(shapes[1]) == sorted(set(shapes[0])):
        order = ", ".join(str(shapes[0].index(size)) for size in shapes[1])
        return f"x = x.permute({order})  # instead of view or reshape"
    return "x = x.permute(0, 2, 1, 3).reshape(batch, time, -1)  # the axes in their new order first"


AXES_SCRAMBLED = Rule(
    name="axes_scrambled",
    title="Axes scrambled by a change of shape",
    find=axes_scrambled,
    explanation=(
        "`view` and `reshape` keep the order of the numbers in memory. A result of the shape that "
        "was wanted may still hold other numbers: of (batch, time, classes) viewed as (batch, "
        "classes, time) a row is no class, but some classes of a few time steps."
    ),
    healthy="Views that split an axis, or join neighbours.",
    source="PyTorch documentation, Tensor views",
    explains=("target_in_inputs", *CONSEQUENCES),
    own_loops=True,
)
