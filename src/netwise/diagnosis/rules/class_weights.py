"""Weights of classes in a loss that are larger the more frequent a class is."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History
from netwise.tasks import CLASSIFICATION
from netwise.wiring import LossTerm

UNEVEN = 2.0  # share of the most frequent class over that of the rarest one, and their weights
IN_ORDER = 0.9  # share of the pairs of classes whose weights are in the order of their frequencies
MANY = 50  # targets that were counted


def class_weights_flipped(history: History) -> Answer:
    """Find a loss whose weights of classes rise with how frequent the classes are, which makes rare
    ones count even less.

    Classes of weight 0 are left out on purpose.
    """
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    term = next((each for each in wiring.losses if each.class_weights), None)
    if term is None:
        return None
    shares = _shares(history, len(term.class_weights))
    if shares is None:
        return Unchecked("the targets of each class were not counted")
    known = [(s, w) for s, w in zip(shares, term.class_weights, strict=True) if s > 0 and w > 0]
    if len(known) < 2:
        return None
    (least, of_rare), (most, of_frequent) = min(known), max(known)
    if most < UNEVEN * least or of_frequent < UNEVEN * of_rare:
        return None
    pairs = [(a, b) for a in known for b in known if a[0] < b[0]]
    if sum(a[1] <= b[1] for a, b in pairs) < IN_ORDER * len(pairs):
        return None
    return Finding(
        rule="class_weights_flipped",
        sentence=(
            f"The weights of the classes in the loss{_at(term)} are larger the more frequent a "
            f"class is: {of_frequent:.3g} for one of {100 * most:.2g} % of the targets, and "
            f"{of_rare:.3g} for one of {100 * least:.2g} %. Rare classes count even less than "
            "without weights. Weights are to fall with the frequency."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("weight of the most frequent class / of the rarest", of_frequent / of_rare,
                     UNEVEN),
        ),
        strength=of_frequent / of_rare / UNEVEN,
        change=(
            "weights = counts.sum() / (len(counts) * counts)  # not counts / counts.sum()\n"
            "# of a loss of bits: pos_weight = zeros / ones, their numbers among the targets"
        ),
    )  # fmt: skip


def _shares(history: History, classes: int) -> tuple[float, ...] | None:
    """The share of each class among the targets."""
    shares, data = history.facts.class_shares, history.data
    if shares is not None and len(shares) == classes:
        return shares
    asked = [row[0] for row in (data.answers if data is not None else None) or ()]
    if len(asked) != classes or sum(asked) < MANY:
        return None
    return tuple(count / sum(asked) for count in asked)


def _at(term: LossTerm) -> str:
    return f" of {term.place}" if term.place else ""


CLASS_WEIGHTS_FLIPPED = Rule(
    name="class_weights_flipped",
    title="Weights of classes the wrong way round",
    find=class_weights_flipped,
    explanation=(
        "Weights of classes are to make rare classes count as much as frequent ones. Shares of the "
        "classes, instead of their inverses, do the opposite: the network answers the majority."
    ),
    healthy="Weights that fall with the frequency of a class, or none.",
    source="He, Garcia 2009, Learning from imbalanced data; PyTorch documentation, "
    "torch.nn.BCEWithLogitsLoss (pos_weight)",
    explains=("class_imbalance", "one_answer", "answers_majority", "not_learning", "plateau"),
    tasks=(CLASSIFICATION,),
    own_loops=True,
    exact=True,
)
