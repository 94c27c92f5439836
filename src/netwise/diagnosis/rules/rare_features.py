"""One learning rate for features that are seldom other than 0."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import SKILFUL, has_learned, no_baseline, outcome_known
from netwise.history import DIVERGED, History

RARE = 0.05  # share of the rows in which a feature is not 0; of pixels of digits it is 0.2
MANY = 50  # features: of fewer a linear model is learned at any rate
ONE_RATE = ("SGD", "ASGD")  # optimizers whose step is the gradient times one rate
NO_FEATURES = "the features of the inputs were not seen"


def one_rate_for_rare_features(history: History) -> Answer:
    """Find plain gradient descent on inputs whose features are seldom other than 0, in a run that
    has not learned what a simple model of the same rows predicts.

    The weights of a feature get a gradient only in the rows that have it: of counts of words most
    move a hundredth as far as others. Adaptive optimizers divide by the size of these gradients.
    """
    data, facts = history.data, history.facts
    if data is None or data.features_in_use is None or not data.features:
        return Unchecked(NO_FEATURES)
    if facts.optimizer not in ONE_RATE or data.features < MANY or data.features_in_use > RARE:
        return None
    if has_learned(history) or history.ended.how == DIVERGED:
        return None
    best, chance = data.best_score, data.chance_score
    if best is None or chance is None or best - chance < SKILFUL * (1 - chance):
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    return Finding(
        rule="one_rate_for_rare_features",
        sentence=(
            f"A usual feature of the inputs is other than 0 in {100 * data.features_in_use:.1f} % "
            f"of the rows, and {facts.optimizer} has one rate for all weights: those of rare "
            "features hardly move. Use Adam or AdamW."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence(
                "rows in which a feature is not 0", data.features_in_use, RARE, False, percent=True
            ),
        ),
        strength=min(RARE / max(data.features_in_use, 1e-9), 1e9),
    )


ONE_RATE_FOR_RARE_FEATURES = Rule(
    name="one_rate_for_rare_features",
    title="One rate for rare and frequent features",
    find=one_rate_for_rare_features,
    explanation=(
        "The weights of a feature that is 0 get no gradient. Where most features are 0 in most "
        "rows, as counts of words, the steps of gradient descent follow the frequent ones alone. "
        "Adaptive optimizers give each weight a step of its own size."
    ),
    healthy="Adam, AdamW or Adagrad on sparse inputs; gradient descent on dense ones.",
    source="Duchi, Hazan, Singer 2011, Adaptive subgradient methods",
    tasks=WITH_TARGETS,
    remedies=("use_adam",),
    change="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # instead of SGD",
)
