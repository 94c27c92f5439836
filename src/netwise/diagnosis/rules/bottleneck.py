"""A layer too narrow for the number of classes."""

from __future__ import annotations

import math

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History


def bottleneck(history: History) -> Answer:
    """Find a layer with fewer numbers for each sample than bits in a class number, through which
    all goes that the outputs depend on. In a run that has learned it did no harm."""
    facts = first_batch_fact(history, "narrowest")
    if isinstance(facts, Unchecked):
        return facts
    width, classes = facts.narrowest_width, history.facts.classes
    if not facts.narrowest or width is None:
        return None
    if not classes or not history.facts.class_targets:
        return Unchecked("the number of classes is not known")
    bits = math.log2(classes)
    if width >= bits or has_learned(history):
        return None
    return Finding(
        rule="bottleneck",
        sentence=(
            f"All that the outputs depend on goes through `{facts.narrowest}`, which has {width} "
            f"unit{'s' * (width > 1)} for {classes} classes. Make it wider."
        ),
        layers=(facts.narrowest,),
        evidence=(Evidence("units of the narrowest layer", float(width), round(bits, 2), False),),
        strength=bits / max(width, 1),
    )


BOTTLENECK = Rule(
    name="bottleneck",
    title="Layer too narrow for the classes",
    find=bottleneck,
    explanation=(
        "A layer with fewer units than bits in a class number can hardly tell the classes apart: "
        "C classes need at least log2(C) units that are on or off."
    ),
    healthy="Each layer has more units than log2 of the classes, mostly many more.",
    source="Goodfellow, Bengio, Courville 2016, section 6.4",
    explains=("layer_too_narrow", "underfitting", "too_short", "not_learning"),
    remedies=("widen",),
    tasks=WITH_TARGETS,
    own_loops=True,
    change="nn.Linear(width, 4 * classes)  # a layer with more units than classes",
)
