"""Memories: more patterns, or patterns more alike, than a rule can keep apart."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History
from netwise.signals import (
    MEMORY_CROSSTALK,
    MEMORY_LOAD,
    MEMORY_NOISE,
    MEMORY_OVERLAP,
    MEMORY_UNSTABLE,
)
from netwise.tasks import MEMORY

# what is left of a pattern at the critical load of 0.138: Amit, Gutfreund, Sompolinsky 1985
LEAST_OVERLAP = 0.967


def memory_overloaded(history: History) -> Answer:
    """Find a memory that does not even keep the patterns as they were stored."""
    load, overlap, noise = (
        history.of(MEMORY_LOAD),
        history.of(MEMORY_OVERLAP),
        history.of(MEMORY_NOISE),
    )
    if (
        load is None
        or overlap is None
        or noise is None
        or not overlap.finite
        or len(noise) != len(overlap)
    ):
        return Unchecked("no stored patterns were recalled: this is for memories")
    kept = overlap.values[0]
    if noise.values[0] != 0 or not kept < LEAST_OVERLAP:
        return None
    unstable, crosstalk = history.of(MEMORY_UNSTABLE), history.of(MEMORY_CROSSTALK)
    evidence = [
        Evidence(
            "overlap of a pattern with what recall makes of it", kept, LEAST_OVERLAP, above=False
        ),
        Evidence("patterns for each unit", load.last, 0.138),
    ]
    if unstable is not None:
        evidence.append(Evidence("share of patterns that are not fixed points", unstable.last, 0.5))
    if crosstalk is not None:
        evidence.append(Evidence("largest crosstalk of a bit", crosstalk.last, 1.0))
    why = "there are too many of them" if load.last > 0.138 else "they are too much alike"
    return Finding(
        rule="memory_overloaded",
        sentence=f"The memory loses its own patterns (overlap {kept:.2f} from the pattern itself, {load.last:.3f} of them for each unit): {why}.",
        steps=(0, overlap.steps[-1]),
        evidence=tuple(evidence),
        strength=LEAST_OVERLAP / max(kept, 1e-3),
    )


MEMORY_OVERLOADED = Rule(
    name="memory_overloaded",
    title="Memory overloaded",
    find=memory_overloaded,
    tasks=(MEMORY,),
    explanation=(
        "By Hebb's rule each pattern adds its outer product to the weights, and to each other's fields a crosstalk. Where that outweighs a bit's own "
        "signal the bit turns, and with it others: recall runs off to a mixture. For random patterns this happens from about 0.138 of them for "
        "each unit, for patterns that are alike, such as digits, from a handful."
    ),
    healthy="Recall from a stored pattern gives it back, or all but a few in a hundred of its bits.",
    source="Hopfield 1982; Amit, Gutfreund, Sompolinsky 1985; note 001, claims D11 and L18",
    remedies=("use_pseudo_inverse", "use_storkey"),
)
