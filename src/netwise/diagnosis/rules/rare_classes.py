"""Runs of `fit` that answer rare classes hardly ever, or nothing but the most frequent class."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History
from netwise.tasks import CLASSIFICATION

FEWEST = 5  # validation samples of the rare classes together
UNEVEN = 5.0  # share of the most frequent class over that of a rare one
HALF = 0.5  # how often rare classes are answered rightly, compared with the others
LEARNED = 0.5  # how often the other classes are, where the network has learned them
SHOWN = 6  # classes that are named


def answers_majority(history: History) -> Answer:
    """Find classes that are rare in training and hardly ever answered on the validation part, in
    runs of `fit`."""
    shares, rows = history.facts.class_shares, history.facts.valid_answers
    if not history.made_by.recipe or rows is None:
        return Unchecked("the answers to each class were not counted: fit counts them at the end")
    if shares is None or max(shares) <= UNEVEN * min(share for share in shares if share > 0):
        return None
    top = shares.index(max(shares))
    rare = [k for k, share in enumerate(shares) if 0 < share * UNEVEN < shares[top]]
    asked, right = (sum(rows[k][place] for k in rare) for place in (0, 2))
    others = [row[2] / row[0] for k, row in enumerate(rows) if k not in rare and row[0]]
    if asked < FEWEST or not others or sum(others) / len(others) < LEARNED:
        return None
    recall, usual = right / asked, sum(others) / len(others)
    if recall >= HALF * usual:
        return None
    total, answered = sum(row[0] for row in rows), rows[top][1]
    accuracy, majority = sum(row[2] for row in rows) / total, rows[top][0] / total
    words = history.facts.class_names or tuple(map(str, range(len(shares))))
    names = ", ".join(words[k] for k in rare[:SHOWN]) + (", ..." if len(rare) > SHOWN else "")
    word = "class" if len(rare) == 1 else "classes"
    sentence = (
        f"The rare {word} {names}: {right} of {asked} validation samples are answered rightly, of "
        f"the other classes {100 * usual:.0f} %. {100 * answered / total:.4g} % of all answers are "
        f"the most frequent class."
    )
    if accuracy <= majority:
        sentence += (
            f" The accuracy, {100 * accuracy:.1f} %, is that of always answering it "
            f"({100 * majority:.1f} %): the network answers the majority."
        )
    return Finding(
        rule="answers_majority",
        sentence=sentence,
        evidence=(
            Evidence(
                "right answers for rare classes / for the others",
                recall / usual,
                HALF,
                above=False,
                percent=True,
            ),
            Evidence(
                "share of the most frequent class / of the rarest",
                shares[top] / min(share for share in shares if share > 0),
                UNEVEN,
            ),
        ),
        strength=HALF / max(recall / usual, 0.05),
        grade="cause",
    )


ANSWERS_MAJORITY = Rule(
    name="answers_majority",
    title="Rare classes that are answered as the majority",
    find=answers_majority,
    explanation=(
        "A mean over the samples hardly counts a rare class: a network that never answers it has a "
        "low loss and a high accuracy. Balanced accuracy, which counts each class the same, shows "
        "it. Weights of the classes, more samples of the rare ones, or thresholds that do not ask "
        "for a probability above one half change what is answered; the probabilities themselves "
        "may have been right all along."
    ),
    healthy=(
        "Rare classes that are answered rightly nearly as often as the others, with a balanced "
        "accuracy far above that of guessing."
    ),
    source="He, Garcia 2009, Learning from imbalanced data",
    explains=("overfitting", "underfitting", "not_learning", "behind_baseline"),
    remedies=("move_threshold", "weight_classes", "resample_classes"),
    tasks=(CLASSIFICATION,),
    of_recipes=True,
)
