"""Energy models: hidden units that say nothing, and a negative phase that sees too little of what
the model believes."""

from __future__ import annotations

from math import isfinite
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.history import History, Series
from netwise.signals import (
    BASE_RATE_LIKELIHOOD,
    CHAIN_AUTOCORRELATION,
    FREE_ENERGY_GAP,
    LOG_LIKELIHOOD,
    PSEUDO_LIKELIHOOD,
    RECONSTRUCTION,
    STAGE,
)
from netwise.tasks import DENSITY

# Binary machines of 16 to 500 units on MNIST, silhouettes and digits end at 0.15 to 0.65 of the way
# from the base rates to certainty; after
# one epoch at a usual rate at 0.03. Those whose biases start at 0, at the rates that scikit-learn
# has, end within 0.005.
LEAST_GAIN = 0.02
# Chains of machines that mix resemble themselves ten steps later by 0.0 to 0.5; stuck ones by 0.95
# and more.
STUCK = 0.9
# of what independent inputs leave: a model that is so much worse uses its hidden units, wrongly
WORSE = 0.1
FALLEN, FALLEN_PSEUDO = (
    0.1,
    0.3,
    # of what was gained over the base rates: an estimate on a few hundred samples moves by a tenth of
    # it by chance
)


def hidden_unused(history: History) -> Answer:
    """Find a machine that is no better than the model in which all inputs are independent."""
    likelihood, base = _likelihood(history), _late(history, BASE_RATE_LIKELIHOOD)
    if likelihood is None or base is None or not likelihood.finite or not base.finite:
        return Unchecked(
            "no likelihood was recorded: it is known for binary units, at the ends of epochs"
        )
    best, alone = max(likelihood.finite), base.finite[-1]
    share = (best - alone) / max(abs(alone), 1e-12)
    if share > LEAST_GAIN or (alone - likelihood.finite[-1]) / max(abs(alone), 1e-12) > WORSE:
        return None
    return Finding(
        rule="hidden_unused",
        sentence=f"At its best the model gives an input {best:.1f} nats, and independent inputs alone {alone:.1f}: the hidden units say nothing.",
        steps=(likelihood.steps[0], likelihood.steps[-1]),
        evidence=(
            Evidence(
                "gain over independent inputs, as a share of what they leave",
                share,
                LEAST_GAIN,
                above=False,
            ),
        ),
        strength=LEAST_GAIN / max(share, 1e-3),
    )


def negative_phase_stuck(history: History) -> Answer:
    """Find chains that do not move, or a likelihood that falls while reconstructions improve."""
    chains, likelihood, back = (
        _late(history, CHAIN_AUTOCORRELATION),
        _likelihood(history),
        _late(history, RECONSTRUCTION),
    )
    if back is None or not back.finite:
        return Unchecked("no reconstruction error was recorded at the ends of epochs")
    steps = (back.steps[0], back.steps[-1])
    if chains is not None and chains.finite:
        late = median(chains.finite[-max(1, len(chains.finite) // 3) :])
        if late > STUCK:
            return Finding(
                rule="negative_phase_stuck",
                sentence=f"Ten Gibbs steps leave the chains {100 * late:.0f} % like themselves: they do not see what the model believes elsewhere.",
                steps=steps,
                evidence=(Evidence("autocorrelation of the chains after ten steps", late, STUCK),),
                strength=late / STUCK,
            )
    base = _late(history, BASE_RATE_LIKELIHOOD)
    if likelihood is None or base is None or len(likelihood.finite) < 2 or not base.finite:
        return (
            None
            if chains is not None
            else Unchecked("neither chains nor a likelihood were recorded")
        )
    # Of the training part: a machine that has learned it by heart loses validation likelihood too,
    # but its chains are well.
    apart = _late(history, FREE_ENERGY_GAP)
    known = apart is not None and apart.steps == likelihood.steps
    values = (
        [v + g for v, g in zip(likelihood.values, apart.values, strict=True)]
        if apart is not None and known
        else list(likelihood.values)
    )
    if not all(isfinite(value) for value in values):
        return Unchecked("the likelihood was no number at times")
    best, last, alone = max(values), values[-1], base.finite[-1]
    below = (alone - last) / max(abs(alone), 1e-12)
    if below > WORSE:
        return Finding(
            rule="negative_phase_stuck",
            sentence=f"The model gives an input {last:.1f} nats, less than independent inputs would ({alone:.1f}): it believes in what is not there.",
            steps=steps,
            evidence=(
                Evidence(
                    "loss against independent inputs, as a share of what they leave", below, WORSE
                ),
            ),
            strength=below / WORSE,
        )
    at = values.index(best)
    gained = max(best - alone, 1e-12)
    fallen = (best - last) / gained
    improved = len(back.values) == len(values) and back.values[-1] < back.values[at]
    limit = FALLEN if history.of(LOG_LIKELIHOOD) is not None else FALLEN_PSEUDO
    if fallen <= limit or not improved:
        return None
    return Finding(
        rule="negative_phase_stuck",
        sentence=(
            f"Since its best the likelihood of the training part has fallen from {best:.1f} to {last:.1f} nats, while the reconstruction error fell from "
            f"{back.values[at]:.3g} to {back.values[-1]:.3g}."
        ),
        steps=(likelihood.steps[at], likelihood.steps[-1]),
        evidence=(
            Evidence(
                "fall of the likelihood, as a share of its gain over independent inputs",
                fallen,
                limit,
            ),
        ),
        strength=fallen / limit,
    )


def _likelihood(history: History) -> Series | None:
    """The exact one where it is known, else the pseudo-likelihood."""
    return _late(history, LOG_LIKELIHOOD) or _late(history, PSEUDO_LIKELIHOOD)


def _late(history: History, signal: str) -> Series | None:
    """The signal since the last layer of a stack began to learn: machines of different layers do
    not compare."""
    series, stage = history.of(signal), history.of(STAGE)
    if series is None or stage is None or not len(stage):
        return series
    since = next(
        step
        for step, value in zip(stage.steps, stage.values, strict=True)
        if value == stage.values[-1] or value != value
    )
    kept = [
        (step, value)
        for step, value in zip(series.steps, series.values, strict=True)
        if step >= since
    ]
    return (
        Series(tuple(step for step, _ in kept), tuple(value for _, value in kept)) if kept else None
    )


HIDDEN_UNUSED = Rule(
    name="hidden_unused",
    title="Hidden units unused",
    find=hidden_unused,
    tasks=(DENSITY,),
    explanation=(
        "The model believes what one gets by counting how often each input is on, and nothing more. Where visible biases start at 0 the hidden "
        "units first learn the means of the inputs together, alike and slowly; with a low rate or few epochs it stays at that."
    ),
    healthy="A machine of 16 hidden units on MNIST gains 60 of 205 nats over independent pixels, one of 500 units 120.",
    source="measured with scikit-learn's BernoulliRBM, whose visible biases start at 0; Hinton 2012, practical guide, section 8",
    explains=("negative_phase_stuck",),
    remedies=("begin_at_base_rates", "centre_units", "raise_rate"),
)
NEGATIVE_PHASE_STUCK = Rule(
    name="negative_phase_stuck",
    title="Negative phase stuck",
    find=negative_phase_stuck,
    tasks=(DENSITY,),
    explanation=(
        "Learning pulls the energy of the data down and lifts that of the states the chains are in. Chains that do not mix lift the same few states "
        "again and again, and contrastive divergence never leaves the data: elsewhere the model keeps what it believes, or believes more and "
        "more of it. Reconstructions do not show it."
    ),
    healthy="Ten Gibbs steps leave chains less than half alike, and the likelihood rises as long as the reconstruction error falls.",
    source="Tieleman 2008; Fischer, Igel 2010, on the divergence of contrastive divergence; note 001, claims R12 and R13",
    remedies=("centre_units", "use_persistent_chains", "more_gibbs_steps", "slow_down"),
)
