"""Runs beside which a simple model was trained, and was better."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History
from netwise.scoring.score import WORDS, number_text, value_text
from netwise.tasks import CLASSIFICATION, REGRESSION


def behind_baseline(history: History) -> Answer:
    """Find a network that is worse on the validation part than a simple model of scikit-learn, by
    more than chance explains."""
    beside = history.facts.baseline
    if beside is None:
        return Unchecked("no baselines were measured beside this run: nw.baselines(run)")
    lead, reach = beside.lead, max(beside.reach, 1e-12)
    if lead <= reach:
        return None
    return Finding(
        rule="behind_baseline",
        sentence=(
            f"{beside.name[0].upper()}{beside.name[1:]} is better than the network on the same "
            f"split: {WORDS[beside.metric][0]} {value_text(beside.metric, beside.score)} against "
            f"{value_text(beside.metric, beside.network)} (95 % interval "
            f"{number_text(beside.metric, beside.low)} to "
            f"{number_text(beside.metric, beside.high)}; validation part)."
        ),
        evidence=(
            Evidence("lead of the baseline / the lead that chance explains", lead / reach, 1.0),
        ),
        strength=lead / reach,
    )


BEHIND_BASELINE = Rule(
    name="behind_baseline",
    title="Worse than a simple model",
    find=behind_baseline,
    explanation=(
        "A model that trains in seconds, with its defaults, on the same rows, is better. The data "
        "hold more than the network has found: its inputs may be in units that it cannot use, its "
        "learning rate or its size may not fit, or it learns the training rows by heart. Where "
        "nothing closes the gap, use the simple model."
    ),
    healthy="A score that is at least that of the best simple model.",
    source="Grinsztajn, Oyallon, Varoquaux 2022, Why do tree-based models still outperform deep "
    "learning on tabular data",
    remedies=(
        "standardise_inputs",
        "search_rate",
        "widen",
        "stop_early",
        "add_weight_decay",
        "add_dropout",
    ),
    tasks=(CLASSIFICATION, REGRESSION),
    of_recipes=True,
)
