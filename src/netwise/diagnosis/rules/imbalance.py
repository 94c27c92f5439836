"""Classes that are rare in training and not answered."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.diagnosis.rules.outcome import has_just_begun, opponents
from netwise.history import History

RATIO = 10.0  # share of the most frequent class over that of a rare one
SHIFT = 4.0  # share of a class in evaluation over that in training, where it was made rare
MAJORITY = 0.99  # of the answers are the most frequent class
SHARE = 0.85  # of the most frequent class, in training
RANKED = 0.7  # probability that a linear model ranks a rare sample above another one
FEWEST = 5  # samples of the rare classes
FEWEST_TARGETS = 100  # of a batch, in which the shares of its classes are seen
MOST_TARGETS = 0.9  # of one class, from which on accuracy says little
LEARNED = 0.5  # how often the other classes are answered, where the network has learned them
HALF = 0.5  # how often rare classes are answered, compared with the others
Row = tuple[int, int, int]  # asked for, answered, rightly


@dataclass(frozen=True)
class _Compared:
    """How often rare and frequent classes are answered rightly."""

    rare: tuple[int, ...]
    share: float  # of the rarest in training
    recall: float
    others: float
    count: int


def class_imbalance(history: History) -> Answer:
    """Find classes that are rare in training and hardly ever answered: where evaluation asks for
    them much more often than training did, or where nearly all answers are the most frequent
    class."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data, shares = history.data, history.facts.class_shares or _binary_shares(history)
    if has_just_begun(history):
        return _of_targets(history, shares)
    if data is None or not shares or not (data.evaluation_answers or data.answers):
        return Unchecked("class numbers and scores of the classes were not both seen")
    if opponents(history) or _is_weighted(history):
        return None
    seen = [share for share in shares if share > 0]
    if len(seen) < 2 or max(seen) < RATIO * min(seen):
        return None
    if data.evaluation_answers:
        shifted = _shifted(shares, data.evaluation_answers)
        if shifted is not None and shifted.recall < HALF * shifted.others:
            if shifted.others < LEARNED:
                return None
            return _of_shift(shifted, shares)
    if data.rare_ranking is not None and data.rare_ranking < RANKED:
        return None  # an event that can hardly be foreseen
    return _majority(shares, data.evaluation_answers or data.answers or ())


def _of_targets(history: History, shares: tuple[float, ...]) -> Answer:
    """What the targets of the first batches alone say: nothing is answered yet."""
    count = history.facts.batch_size or 0
    if not shares or count < FEWEST_TARGETS:
        return Unchecked(f"{FEWEST_TARGETS} targets of a batch are needed, and {count} were seen")
    seen = [share for share in shares if share > 0]
    if opponents(history) or _is_weighted(history) or len(seen) < 2:
        return None
    if max(seen) < MOST_TARGETS or max(seen) < RATIO * min(seen):
        return None
    return Finding(
        rule="class_imbalance",
        sentence=(
            f"{100 * max(seen):.3g} % of the {count} targets are class {shares.index(max(seen))}: "
            "always answering it has this accuracy. Look at the answers to each class, or at a "
            "score such as balanced accuracy; weights make rare classes count."
        ),
        evidence=(
            Evidence("share of the most frequent class", max(seen), MOST_TARGETS, percent=True),
        ),
        strength=max(seen) / MOST_TARGETS,
    )


def _binary_shares(history: History) -> tuple[float, ...]:
    """Shares of 0 and 1 among targets that are nothing else."""
    facts = history.facts
    mean, std = facts.target_mean, facts.target_std
    if facts.target_low != 0 or facts.target_high != 1 or mean is None or std is None:
        return ()
    return (1 - mean, mean) if abs(std**2 - mean * (1 - mean)) < 1e-3 * mean else ()


def _is_weighted(history: History) -> bool:
    """Whether the loss has weights of classes or samples."""
    return history.facts.weighted_loss is True


def _shifted(shares: tuple[float, ...], answers: tuple[Row, ...]) -> _Compared | None:
    """Classes that evaluation asks for much more often than training, against the others."""
    total = sum(row[0] for row in answers)
    most = max(shares)
    rare = [
        number
        for number, row in enumerate(answers)
        if number < len(shares)
        and row[0] > SHIFT * total * shares[number] + 3 * sqrt(total * shares[number])
        and shares[number] * RATIO < most
    ]
    others = [row for number, row in enumerate(answers) if number not in rare and row[0]]
    count = sum(answers[number][0] for number in rare)
    if count < FEWEST or not others:
        return None
    return _Compared(
        tuple(rare),
        min(shares[number] for number in rare),
        sum(answers[number][2] / answers[number][0] for number in rare) / len(rare),
        sum(row[2] / row[0] for row in others) / len(others),
        count,
    )


def _of_shift(found: _Compared, shares: tuple[float, ...]) -> Finding:
    names = ", ".join(map(str, found.rare[:6]))
    word = "Class" if len(found.rare) == 1 else "Classes"
    return Finding(
        rule="class_imbalance",
        sentence=(
            f"{word} {names}: at the least {100 * found.share:.2g} % of the training targets, and "
            f"answered in {100 * found.recall:.0f} % of the {found.count} evaluation samples of "
            f"{'it' if len(found.rare) == 1 else 'them'}; the other classes in "
            f"{100 * found.others:.0f} %."
        ),
        evidence=(
            Evidence(
                "share of the most frequent class / of the rarest",
                max(shares) / min(share for share in shares if share > 0),
                RATIO,
            ),
            Evidence(
                "right answers for rare classes / for the others",
                found.recall / max(found.others, 1e-9),
                HALF,
                above=False,
                percent=True,
            ),
        ),
        strength=HALF / max(found.recall / max(found.others, 1e-9), 0.05),
        grade="cause",
    )


def _majority(shares: tuple[float, ...], answers: tuple[Row, ...]) -> Finding | None:
    """The finding that nearly all answers are the most frequent class."""
    top = shares.index(max(shares))
    asked, answered = sum(row[0] for row in answers), sum(row[1] for row in answers)
    if shares[top] < SHARE or not answered or top >= len(answers):
        return None
    said = answers[top][1] / answered
    rare = asked - answers[top][0]
    right = sum(row[2] for number, row in enumerate(answers) if number != top)
    if said < MAJORITY or rare < FEWEST or right > rare * (1 - SHARE):
        return None
    return Finding(
        rule="class_imbalance",
        sentence=(
            f"{100 * said:.4g} % of the answers are class {top}, which is {100 * shares[top]:.3g} "
            f"% of the training targets; of {rare} targets of other classes {right} were answered. "
            "The accuracy is that of always answering the same."
        ),
        evidence=(
            Evidence(
                "share of the most frequent class among the answers", said, MAJORITY, percent=True
            ),
            Evidence(
                "share of the most frequent class / of the rarest",
                max(shares) / max(min(shares), 1e-9),
                RATIO,
            ),
        ),
        strength=shares[top] / SHARE,
        grade="cause",
    )


CLASS_IMBALANCE = Rule(
    name="class_imbalance",
    title="Rare classes that are not answered",
    find=class_imbalance,
    explanation=(
        "A mean over the samples hardly counts a rare class: a network that never answers it has a "
        "low loss and a high accuracy. More epochs help less than weights do."
    ),
    healthy=(
        "Rare classes that are answered nearly as often as the others, or classes with weights."
    ),
    source="He, Garcia 2009, Learning from imbalanced data",
    explains=("overfitting", "underfitting", "not_learning"),
    tasks=WITH_TARGETS,
    own_loops=True,
    change=(
        "weights = len(y) / (classes * y.bincount(minlength=classes))\n"
        "loss = nn.CrossEntropyLoss(weight=weights)   # two classes: "
        "BCEWithLogitsLoss(pos_weight=negatives / positives)"
    ),
)
