"""Evaluated classes of which training has no row: data that were split in the order of their
classes."""

from __future__ import annotations

from statistics import median

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.history import History
from netwise.signals import BATCH_CLASSES

MANY = 0.1  # of the evaluated rows: a few may be of a class that is too rare for training
RIGHT = 0.02  # of these rows: classes that were never trained are not answered
FEWEST_ROWS = 30  # that were evaluated
FEWEST_SEEN = 200  # rows of training whose classes were read
MIXED = 0.5  # classes of a batch over all: fewer in sorted data, of which some were not read


def classes_unseen(history: History) -> Answer:
    """Find evaluated rows of classes that no row of training has."""
    data, shares = history.data, history.facts.class_shares
    if history.wiring is None or data is None:
        return Unchecked(NOT_OBSERVED)
    answers, batches = data.evaluation_answers, history.of(BATCH_CLASSES)
    if not answers or not shares or batches is None:
        return Unchecked("no classes of training and of evaluation were read")
    asked = [row[0] for row in answers]
    total, seen = sum(asked), len(batches) * (history.facts.batch_size or 0)
    if total < FEWEST_ROWS or seen < FEWEST_SEEN:
        return Unchecked(f"{FEWEST_SEEN} rows of training are needed, and {seen} were read")
    trained = {number for number, share in enumerate(shares) if share > 0}
    unseen = [c for c, count in enumerate(asked) if count and c not in trained]
    share = sum(asked[c] for c in unseen) / total
    if sum(answers[c][2] for c in unseen) > RIGHT * share * total:
        return None  # they can be answered, as by the nearest of a few samples
    if len(trained) < 2 or share <= MANY or median(batches.values) < MIXED * len(trained):
        return None
    names = ", ".join(map(str, unseen[:8])) + (" ..." if len(unseen) > 8 else "")
    several = len(unseen) > 1
    return Finding(
        rule="classes_unseen",
        sentence=(
            f"{100 * share:.0f} % of the evaluated rows are of class{'es' if several else ''} "
            f"{names}, of which training has no row: such an answer cannot be learned. If the rows "
            "lie in the order of their classes, shuffle them before they are split, or split by "
            "class (`stratify=y`)."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("evaluated rows of classes without training", share, MANY, percent=True),
        ),
        strength=share / MANY,
        change=(
            "from sklearn.model_selection import train_test_split\n"
            "train, valid = train_test_split(range(len(y)), test_size=0.2, stratify=y)"
        ),
    )


CLASSES_UNSEEN = Rule(
    name="classes_unseen",
    title="Classes of evaluation that training does not have",
    find=classes_unseen,
    explanation=(
        "Files are read folder by folder, and tables are often sorted. A split of such rows at one "
        "place gives all rows of the last classes to evaluation and none of them to training."
    ),
    healthy="All classes in training and in evaluation, in about the same shares.",
    source="scikit-learn documentation, train_test_split: shuffle and stratify",
    explains=("labels_suspect", "overfitting", "class_imbalance", "best_was_earlier"),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
)
