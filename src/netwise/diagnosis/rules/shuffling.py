"""Batches that are not drawn at random: few classes at a time, so that each undoes what the last
one taught."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import carries_over, finite_median
from netwise.history import History
from netwise.signals import BATCH_CLASSES

SHARE = 0.5  # classes in a batch over those that a shuffled one would hold
FEWEST = 10  # batches


def not_shuffled(history: History) -> Answer:
    """Find batches that hold few of the classes, in a run whose learning does not carry over."""
    series, classes, size = (
        history.of(BATCH_CLASSES),
        history.facts.classes,
        history.facts.batch_size,
    )
    if history.facts.task == "regression":
        return None
    if series is None or not classes or not size:
        return Unchecked("no class numbers were given: pass the targets to w.step")
    if len(series) < FEWEST:
        return Unchecked(f"{len(series)} batches were watched; {FEWEST} needed")
    if carries_over(history) or classes < 3:
        return None
    seen = finite_median(series.values) or 0.0
    expected = classes * (1 - (1 - 1 / classes) ** size)
    if seen / expected >= SHARE or max(series.finite, default=0.0) > SHARE * expected:
        return None
    return Finding(
        rule="not_shuffled",
        sentence=f"A batch of {size} holds {seen:.0f} of {classes} classes; drawn at random it would hold {expected:.1f}.",
        steps=(0, series.steps[-1]),
        evidence=(Evidence("classes in a batch / expected", seen / expected, SHARE, above=False),),
        strength=SHARE / max(seen / expected, 1e-3),
    )


NOT_SHUFFLED = Rule(
    name="not_shuffled",
    title="Data not shuffled",
    find=not_shuffled,
    explanation=(
        "Stochastic gradient descent relies on batches that look like the whole. Sorted data teach one class after the other, and each unlearns the one before."
    ),
    healthy="A batch of 64 drawn at random from ten classes holds all ten of them nearly always.",
    source="Bottou 2012, Stochastic gradient descent tricks, section 5.1; note 001, claim O06",
    explains=(
        "rate_too_high",
        "dead_relu",
        "saturation",
        "exploding_gradient",
        "overfitting",
        "underfitting",
        "not_learning",
    ),
    tasks=WITH_TARGETS,
    remedies=("shuffle",),
)
