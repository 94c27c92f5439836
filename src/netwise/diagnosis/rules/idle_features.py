"""Features of a table that tell nothing, or nothing that another one does not tell."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, listed, loop_observed
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History


def idle_features(history: History) -> Answer:
    """Find features of a table that have one value, which no other feature has, and pairs that are
    equal in all rows, in a run that has not learned."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or data.constant_features is None:
        return Unchecked("no inputs of numbers were kept")
    alone, pairs = data.idle_features, data.equal_features
    if not (alone or pairs) or has_learned(history):
        return None
    parts = []
    if alone:
        one = len(alone) == 1
        parts.append(
            f"Feature{'' if one else 's'} {listed([str(n) for n in alone])} of the inputs "
            f"{'has' if one else 'have'} the same value in all rows that were seen."
        )
    if pairs:
        named = [f"{first} and {second}" for first, second in pairs]
        more = " and others" if len(named) > 4 else ""
        parts.append(
            f"Features {'; '.join(named[:4])}{more} of the inputs are equal in all rows "
            "that were seen."
        )
    count = float(len(alone) + len(pairs))
    return Finding(
        rule="idle_features",
        sentence=" ".join(parts),
        steps=(0, history.ended.step),
        evidence=(Evidence("features that add nothing", count, 0.0),),
    )


IDLE_FEATURES = Rule(
    name="idle_features",
    title="Constant or repeated features",
    find=idle_features,
    explanation=(
        "A measured feature that never changes, or is a copy of another one, teaches nothing. It "
        "is often a slip: a column that was overwritten, filled with a default or joined twice, in "
        "the place of one that would tell something."
    ),
    healthy=(
        "Measured features that differ from row to row and from each other. Margins of pictures, "
        "absent words and a column of ones are usual."
    ),
    source="Breck et al. 2017, The ML test score, section II",
    explains=("behind_baseline",),
    own_loops=True,
    change="print(x.std(0), torch.corrcoef(x.t()))  # then look where these columns are made",
)
