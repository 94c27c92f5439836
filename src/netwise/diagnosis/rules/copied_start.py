"""Weights that were copied from another run, and pass on less of the inputs than drawn ones."""

from __future__ import annotations

from math import isfinite

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import has_learned, no_baseline, outcome_known
from netwise.history import History
from netwise.signals import COPIED_VARIATION, DRAWN_VARIATION

# Copied over drawn variation of the outputs. Stacks of machines and of autoencoders that were
# trained for 20 epochs and more have 10 and more, autoencoders of one epoch 1, machines of one
# epoch, whose weights are near the 0.01 that they begin with, 0.03.
FADED = 0.3


def copied_start_fades(history: History) -> Answer:
    """Find copied weights with which the outputs depend far less on the inputs than with drawn
    ones, in a run that has not learned."""
    copied, drawn = (history.of(signal) for signal in (COPIED_VARIATION, DRAWN_VARIATION))
    if copied is None or drawn is None:
        return Unchecked("the weights were drawn, not copied from another run")
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    share = copied.last / drawn.last if drawn.last > 0 else 1.0
    if not isfinite(share) or share >= FADED or has_learned(history):
        return None
    return Finding(
        rule="copied_start_fades",
        sentence=(
            f"With the weights copied from the other run the first outputs vary over the samples "
            f"by {100 * share:.2g} % of what they vary by with drawn weights: the other run has "
            "hardly learned, and is a worse start than none."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("variation of the outputs, copied / drawn", share, FADED, False, percent=True),
        ),
        strength=min(FADED / share, 1e6) if share > 0 else 1e6,
        grade="cause",
    )


COPIED_START_FADES = Rule(
    name="copied_start_fades",
    title="Copied weights that are a worse start than drawn ones",
    find=copied_start_fades,
    explanation=(
        "Weights of another run are a good start where that run has learned something. Stacks of "
        "Boltzmann machines and of autoencoders begin with tiny weights; after a few epochs they "
        "are still near those, and signal and gradient shrink with each layer. Train the other run "
        "for longer or with a larger rate, or draw the weights."
    ),
    healthy="Outputs that vary over the samples at least as much as with drawn weights.",
    source=(
        "Erhan et al. 2010, Why does unsupervised pre-training help deep learning; Glorot, Bengio "
        "2010"
    ),
    explains=(
        "vanishing_gradient",
        "saturation",
        "rate_too_high",
        "rate_too_low",
        "start_too_small",
        "underfitting",
        "not_learning",
    ),
    remedies=("use_fitting_init", "use_relu", "use_batch_norm"),
    of_recipes=True,
)
