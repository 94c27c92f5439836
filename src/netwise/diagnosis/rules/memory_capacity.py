"""Memories that store more patterns, or more similar ones, than their rule can keep apart."""

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

CAPACITY = 0.138  # random patterns per unit by Hebb's rule: Amit, Gutfreund, Sompolinsky 1985
LEAST_OVERLAP = 0.967  # of a recalled pattern with the stored one at that load (same paper)


def memory_overloaded(history: History) -> Answer:
    """Find a memory that does not recall a pattern even from the pattern itself."""
    load, overlap, noise = (
        history.of(name) for name in (MEMORY_LOAD, MEMORY_OVERLAP, MEMORY_NOISE)
    )
    if (
        load is None
        or overlap is None
        or noise is None
        or not overlap.finite
        or len(noise) != len(overlap)
    ):
        return Unchecked("no recall of stored patterns was recorded: train a Hopfield with `fit`")
    kept = overlap.values[0]
    if noise.values[0] != 0 or not kept < LEAST_OVERLAP:
        return None
    unstable, crosstalk = history.of(MEMORY_UNSTABLE), history.of(MEMORY_CROSSTALK)
    evidence = [
        Evidence("overlap of a recalled pattern with the stored one", kept, LEAST_OVERLAP, False),
        Evidence("patterns per unit", load.last, CAPACITY),
    ]
    if unstable is not None:
        what = "patterns that are no fixed points"
        evidence.append(Evidence(what, unstable.last, 0.5, percent=True))
    if crosstalk is not None:
        evidence.append(Evidence("largest crosstalk of a bit", crosstalk.last, 1.0))
    why = "there are too many" if load.last > CAPACITY else "they are too similar"
    return Finding(
        rule="memory_overloaded",
        sentence=(
            f"The memory does not recall its own patterns (overlap {kept:.2f} when recall starts "
            f"from the pattern itself, {load.last:.3f} patterns per unit): {why}."
        ),
        steps=(0, overlap.steps[-1]),
        evidence=tuple(evidence),
        strength=LEAST_OVERLAP / max(kept, 1e-3),
    )


MEMORY_OVERLOADED = Rule(
    name="memory_overloaded",
    title="Overloaded memory",
    find=memory_overloaded,
    tasks=(MEMORY,),
    explanation=(
        "By Hebb's rule each pattern adds its outer product to the weights, which disturbs the "
        "recall of all others (crosstalk). Where the crosstalk of a bit is larger than its own "
        "signal the bit flips, and others with it: recall ends in a mixture of patterns. Random "
        "patterns reach this at about 0.138 patterns per unit, similar ones, such as digits, with "
        "a handful."
    ),
    healthy="Recall from a stored pattern returns it, up to a few per cent of its bits.",
    source="Hopfield 1982; Amit, Gutfreund, Sompolinsky 1985; netwise lab L18",
    remedies=("use_pseudo_inverse", "use_storkey"),
)
