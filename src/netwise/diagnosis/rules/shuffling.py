"""Batches that are not drawn at random: with few classes in each, every batch undoes the last."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import finite_median, generalises
from netwise.history import History
from netwise.signals import BATCH_CLASSES
from netwise.tasks import task_named

SHARE = 0.5  # classes in a batch, as a share of those expected in a shuffled one
FEWEST_BATCHES = 10


def not_shuffled(history: History) -> Answer:
    """Find batches with few of the classes, in a run that does not generalise.

    A batch of n samples drawn at random from k equally frequent classes holds
    k (1 - (1 - 1/k)^n) of them on average.
    """
    facts, series = history.facts, history.of(BATCH_CLASSES)
    if task_named(facts.task).has_values:
        return None
    if series is None or not facts.classes or not facts.batch_size:
        return Unchecked("no class numbers were recorded: pass the targets to w.step(loss, y)")
    if len(series) < FEWEST_BATCHES:
        return Unchecked(
            f"{FEWEST_BATCHES} batches are needed, and {len(series)} recorded: train for longer"
        )
    classes, size = facts.classes, facts.batch_size
    if generalises(history) or classes < 3:
        return None
    present = finite_median(series.values) or 0.0
    expected = classes * (1 - (1 - 1 / classes) ** size)
    if present / expected >= SHARE or max(series.finite, default=0.0) > SHARE * expected:
        return None
    return Finding(
        rule="not_shuffled",
        sentence=(
            f"A batch of {size} samples holds {present:.0f} of {classes} classes; drawn at random "
            f"it would hold {expected:.1f}."
        ),
        steps=(0, series.steps[-1]),
        evidence=(
            Evidence(
                "classes in a batch, compared with a random one",
                present / expected,
                SHARE,
                above=False,
                percent=True,
            ),
        ),
        strength=SHARE / max(present / expected, 1e-3),
    )


NOT_SHUFFLED = Rule(
    name="not_shuffled",
    title="Unshuffled data",
    find=not_shuffled,
    explanation=(
        "Stochastic gradient descent needs batches that are similar to the whole data set. With "
        "sorted data the network learns one class after the other and forgets the earlier ones."
    ),
    healthy="A batch of 64 samples drawn at random from ten classes nearly always holds all ten.",
    source="Bottou 2012, Stochastic gradient descent tricks, section 5.1",
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
