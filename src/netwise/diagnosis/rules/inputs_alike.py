"""Inputs that are the same for all samples, so that no target can be told from another."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import FEWEST
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History
from netwise.signals import INPUT_MEAN, INPUT_STD

MANY = 100  # targets that were seen beside one input
TARGETS = 2  # classes among the targets, from which on equal inputs are a fault


def inputs_alike(history: History) -> Answer:
    """Find training inputs that are all equal, while their targets are of several classes."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    data, shares = history.data, history.facts.class_shares or ()
    one = _one_number(history) or _one_row(history)
    if one is not None:
        return one
    if data is None or data.features is None or data.constant_features is None:
        return Unchecked("no batches of training were kept together with their targets")
    classes = sum(share > 0 for share in shares)
    if data.constant_features < data.features or not data.features or classes < TARGETS:
        return None
    return Finding(
        rule="inputs_alike",
        sentence=(
            f"All training inputs that were seen are equal in all of their {data.features:,} "
            f"numbers, and their targets are of {classes} classes."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("different inputs", 1.0, 2.0, above=False),),
        strength=float(classes),
    )


def _one_number(history: History) -> Finding | None:
    """Inputs of several rows and columns that are one and the same number in all of them, on every
    watched step, whatever the targets are."""
    data, means, spreads = history.data, history.of(INPUT_MEAN), history.of(INPUT_STD)
    if data is None or not data.constant_features or means is None or spreads is None:
        return None
    if data.constant_features < 2 or len(means) < FEWEST or any(spreads.values):
        return None
    if len(set(means.values)) > 1:
        return None
    return Finding(
        rule="inputs_alike",
        sentence=(
            f"All numbers of all training inputs that were seen are {means.values[0]:.4g}: nothing "
            "tells one sample from another. Look at what is passed to the model."
        ),
        steps=(means.steps[0], means.steps[-1]),
        evidence=(Evidence("standard deviation of the inputs", 0.0, 0.0, above=False),),
        strength=float(data.constant_features),
    )


def _one_row(history: History) -> Finding | None:
    """Inputs of several classes, such as rows of symbols, that are one and the same row."""
    data = history.data
    asked = () if data is None else data.answers or ()
    classes, rows = sum(row[0] > 0 for row in asked), sum(row[0] for row in asked)
    if data is None or data.train_samples != 1 or classes < TARGETS or rows < MANY:
        return None
    return Finding(
        rule="inputs_alike",
        sentence=(
            f"All training inputs that were seen are one and the same row, and their targets are "
            f"of {classes} classes. Look at what is passed to the model: symbols that the "
            "vocabulary does not know all become one."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("different inputs", 1.0, 2.0, above=False),),
        strength=float(classes),
    )


INPUTS_ALIKE = Rule(
    name="inputs_alike",
    title="Inputs that are all the same",
    find=inputs_alike,
    explanation=(
        "The network is shown one and the same sample again and again, with other targets: it can "
        "learn no more than how frequent each class is. A data set whose `__getitem__` ignores its "
        "index, an iterator that is made anew in each step, or preprocessing that sets all numbers "
        "to the same value does this."
    ),
    healthy="Inputs that differ between samples.",
    source="Breck, Polyzotis, Roy, Whang, Zinkevich 2019, Data validation for machine learning",
    explains=("plateau", "one_answer", "labels_suspect", "outputs_collapse", *CONSEQUENCES),
    own_loops=True,
    change=(
        "for x, y in loader:  # one iterator for the whole epoch\n"
        "    assert (x[0] != x[1]).any()  # __getitem__(i) has to use i"
    ),
)
