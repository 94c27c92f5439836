"""Batches that are not drawn at random: with few classes in each, every batch undoes the last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    finite_median,
    generalises,
    no_baseline,
    opponents,
    outcome_known,
)
from netwise.history import History, RunFacts
from netwise.signals import BATCH_CLASSES, TARGET_MEAN, TARGETS_ALIKE, VALID_LOSS
from netwise.tasks import task_named

SHARE = 0.5  # classes in a batch, as a share of those expected in a shuffled one
MIXED = 0.2  # of the batches: where one class ends and the next begins
FEWEST_BATCHES = 10
# Of two classes: share of the batches with one class only, as recorded and as expected.
MOST_ALIKE = 0.5
FEW_ALIKE = 0.1
OF_MEANS = 0.5  # variance of the batches' means over that of all targets
FEWEST_ROWS = 8  # of a batch
GROWN = 10.0  # last means of targets over the first ones
EVEN = 0.95  # entropy of the classes over that of equal shares
LARGEST = 1e100  # in place of a ratio whose square is beyond the range of numbers
BINARY = 1e-3  # distance of a variance from that of targets which are all 0 or 1


def not_shuffled(history: History) -> Answer:
    """Find batches with few of the classes, in a run that does not generalise.

    A batch of n samples drawn at random from classes with the shares p holds the sum of
    1 - (1 - p)^n of them on average. Of two classes with shares p and 1 - p, p^n + (1 - p)^n
    of the batches hold a single one.
    """
    share = _share_of_a_class(history.facts)
    if share is not None and history.of(TARGETS_ALIKE) is not None:
        return _two_classes(history, share)
    facts, series = history.facts, history.of(BATCH_CLASSES)
    if series is None and facts.class_targets is False:
        return _sorted_values(history)
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
    if facts.class_shares is None and _uneven(facts):
        return Unchecked("the shares of the classes are not known, and they are not equal")
    shares = facts.class_shares or (1 / classes,) * classes
    expected = max(sum(1 - (1 - share) ** size for share in shares), 1.0)
    mixed = sum(count > SHARE * expected for count in series.values) / len(series)
    if present / expected >= SHARE or mixed > MIXED:
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


def _uneven(facts: RunFacts) -> bool:
    """Whether the classes do not have equal shares, as words of a text: guessing equal ones would
    cost the logarithm of their number."""
    guess, classes = facts.loss_of_guessing, facts.classes
    return guess is not None and bool(classes) and guess < EVEN * math.log(classes or 1)


def _two_classes(history: History, share: float) -> Answer:
    """The answer from batches that hold one class only, where one has this share of the samples."""
    series, size = history.of(TARGETS_ALIKE), history.facts.batch_size
    assert series is not None
    if len(series.finite) < FEWEST_BATCHES:
        return Unchecked(
            f"{FEWEST_BATCHES} batches are needed, and {len(series.finite)} recorded: train for "
            "longer"
        )
    if opponents(history) or _has_several_losses(history):
        return None  # real and generated samples, or source and target, have batches of their own
    if history.of(VALID_LOSS) is not None and generalises(history):
        return None
    if not size:
        return Unchecked("the size of a batch is not known")
    alike = sum(value > 0 for value in series.finite) / len(series.finite)
    expected = share**size + (1 - share) ** size
    if alike <= MOST_ALIKE or expected >= FEW_ALIKE:
        return None
    return Finding(
        rule="not_shuffled",
        sentence=(
            f"{100 * alike:.0f} % of the batches of {size} samples hold one of the two classes "
            f"only; drawn at random {100 * expected:.2g} % would."
        ),
        steps=(0, series.steps[-1]),
        evidence=(Evidence("batches of one class", alike, MOST_ALIKE, percent=True),),
        strength=alike / MOST_ALIKE,
    )


def _sorted_values(history: History) -> Answer:
    """The answer from the means of batches of numbers. Of n numbers drawn at random they have 1/n
    of the variance of all numbers; of sorted ones nearly all of it."""
    series, facts = history.of(TARGET_MEAN), history.facts
    if series is None or not facts.target_std or not facts.batch_size:
        return Unchecked("no targets were recorded: pass them to w.step(loss, y)")
    if facts.batch_size < FEWEST_ROWS:
        return Unchecked(f"batches of {FEWEST_ROWS} samples are needed to compare their means")
    if len(series.finite) < FEWEST_BATCHES:
        return Unchecked(
            f"{FEWEST_BATCHES} batches are needed, and {len(series.finite)} recorded: train for "
            "longer"
        )
    if opponents(history) or _has_several_losses(history) or generalises(history):
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))  # targets of a value function follow each other
    if history.wiring is not None and history.wiring.asks_networks:
        return None  # targets made of a network's answers change with it, in any order
    if _grow(series.finite):
        return None
    share = min(_spread(series.finite) / facts.target_std, LARGEST) ** 2
    if not share > OF_MEANS:
        return None
    return Finding(
        rule="not_shuffled",
        sentence=(
            f"Batches of {facts.batch_size} samples have very different targets: their means vary "
            f"with {100 * share:.0f} % of the variance of all targets, {100 / facts.batch_size:.2g}"
            " % if drawn at random. The data are sorted."
        ),
        steps=(0, series.steps[-1]),
        evidence=(
            Evidence(
                "variance of the batches' means / variance of all targets",
                share,
                OF_MEANS,
                percent=True,
            ),
        ),
        strength=share / OF_MEANS,
    )


def _grow(means: Sequence[float]) -> bool:
    """Whether targets grow manifold while the network is trained, as those that a program makes of
    its answers: given data come again in each epoch."""
    sizes = [abs(value) for value in means]
    part = len(sizes) // 4
    return median(sizes[-part:]) > GROWN * median(sizes[:part])


def _spread(values: Sequence[float]) -> float:
    """Standard deviation, of numbers of any size."""
    largest = max(map(abs, values))
    if not largest:
        return 0.0
    shares = [value / largest for value in values]
    mean = math.fsum(shares) / len(shares)
    return largest * math.sqrt(math.fsum((share - mean) ** 2 for share in shares) / len(shares))


def _has_several_losses(history: History) -> bool:
    """Whether losses of several places are minimised, each of batches of its own."""
    terms = () if history.wiring is None else history.wiring.losses
    return len({term.place for term in terms if not term.penalty}) > 1


def _share_of_a_class(facts: RunFacts) -> float | None:
    """Share of one of two classes; None where there are not two, or it is not known.

    It is the mean of targets 0 and 1, whose variance is mean (1 - mean) and of no other numbers
    between 0 and 1; or the share of the lower of two class numbers.
    """
    mean, std = facts.target_mean, facts.target_std
    if facts.target_low == 0 and facts.target_high == 1 and mean is not None and std is not None:
        return mean if 0 < mean < 1 and abs(std**2 - mean * (1 - mean)) < BINARY else None
    seen = [share for share in facts.class_shares or () if share > 0]
    return seen[0] if len(seen) == 2 else None


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
    change="DataLoader(dataset, batch_size=..., shuffle=True)   # or: for rows in "
    "torch.randperm(len(x)).split(batch_size)",
)
