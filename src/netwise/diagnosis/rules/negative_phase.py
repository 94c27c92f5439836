"""Energy models: hidden units that are not used, and Gibbs chains that do not follow the model."""

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

# Gain of log-likelihood over independent inputs, as a share of |log-likelihood of those|. RBMs of
# 16 to 500 hidden units on MNIST, silhouettes and digits end at 0.15 to 0.65, and are at 0.03 after
# one epoch at a usual rate. Those with visible biases of 0 at the start, at the learning rates of
# scikit-learn, end within 0.005.
LEAST_GAIN = 0.02
# Autocorrelation of the chains after ten Gibbs steps. Chains that mix have 0.0 to 0.5, stuck ones
# 0.95 and more.
STUCK = 0.9
# Loss against independent inputs, as the same share: a model that is so much worse uses its hidden
# units, but wrongly.
WORSE = 0.1
# Fall of the log-likelihood since its best, as a share of its gain over independent inputs. The
# pseudo-likelihood, estimated on a few hundred samples, varies by a tenth of the gain by chance.
FALLEN, FALLEN_PSEUDO = 0.1, 0.3


def hidden_unused(history: History) -> Answer:
    """Find an energy model that is no better than a model of independent inputs."""
    likelihood, base = _likelihood(history), _last_stage(history, BASE_RATE_LIKELIHOOD)
    if likelihood is None or base is None or not likelihood.finite or not base.finite:
        return Unchecked(
            "no log-likelihood was recorded at the ends of epochs: it is known for binary units"
        )
    best, independent = max(likelihood.finite), base.finite[-1]
    gain = (best - independent) / max(abs(independent), 1e-12)
    if gain > LEAST_GAIN or _loss_of(likelihood.finite[-1], independent) > WORSE:
        return None
    return Finding(
        rule="hidden_unused",
        sentence=(
            f"The best log-likelihood of an input is {best:.1f} nats, and that of a model of "
            f"independent inputs {independent:.1f}: the hidden units are not used."
        ),
        steps=(likelihood.steps[0], likelihood.steps[-1]),
        evidence=(
            Evidence(
                "gain of log-likelihood over independent inputs",
                gain,
                LEAST_GAIN,
                above=False,
                percent=True,
            ),
        ),
        strength=LEAST_GAIN / max(gain, 1e-3),
    )


def negative_phase_stuck(history: History) -> Answer:
    """Find chains that do not move, or a log-likelihood that falls while the reconstruction error
    falls too."""
    chains, likelihood, errors = (
        _last_stage(history, CHAIN_AUTOCORRELATION),
        _likelihood(history),
        _last_stage(history, RECONSTRUCTION),
    )
    if errors is None or not errors.finite:
        return Unchecked("no reconstruction error was recorded at the ends of epochs")
    if chains is not None and chains.finite:
        late = median(chains.finite[-max(1, len(chains.finite) // 3) :])
        if late > STUCK:
            return _stuck_chains(late, errors)
    base = _last_stage(history, BASE_RATE_LIKELIHOOD)
    if likelihood is None or base is None or len(likelihood.finite) < 2 or not base.finite:
        if chains is not None:
            return None
        return Unchecked("neither chains nor a log-likelihood were recorded at the ends of epochs")
    values = _of_training_part(history, likelihood)
    if not all(isfinite(value) for value in values):
        return Unchecked("the log-likelihood was infinite or nan in some epochs")
    independent = base.finite[-1]
    loss = _loss_of(values[-1], independent)
    if loss > WORSE:
        return _worse_than_independent(values[-1], independent, loss, errors)
    limit = FALLEN if history.of(LOG_LIKELIHOOD) is not None else FALLEN_PSEUDO
    return _falling(values, independent, limit, likelihood, errors)


def _stuck_chains(autocorrelation: float, errors: Series) -> Finding:
    return Finding(
        rule="negative_phase_stuck",
        sentence=(
            f"After ten Gibbs steps the chains' autocorrelation is still "
            f"{100 * autocorrelation:.0f} %: they do not reach other states of the model."
        ),
        steps=(errors.steps[0], errors.steps[-1]),
        evidence=(
            Evidence(
                "autocorrelation of the chains after ten Gibbs steps",
                autocorrelation,
                STUCK,
                percent=True,
            ),
        ),
        strength=autocorrelation / STUCK,
    )


def _worse_than_independent(
    value: float, independent: float, loss: float, errors: Series
) -> Finding:
    return Finding(
        rule="negative_phase_stuck",
        sentence=(
            f"The log-likelihood of an input is {value:.1f} nats, less than that of a model of "
            f"independent inputs ({independent:.1f}): the model gives high probability to states "
            "unlike the data."
        ),
        steps=(errors.steps[0], errors.steps[-1]),
        evidence=(
            Evidence(
                "loss of log-likelihood against independent inputs", loss, WORSE, percent=True
            ),
        ),
        strength=loss / WORSE,
    )


def _falling(
    values: list[float], independent: float, limit: float, likelihood: Series, errors: Series
) -> Finding | None:
    """A log-likelihood that has fallen since its best, while reconstructions improved."""
    best, last = max(values), values[-1]
    place = values.index(best)
    fallen = (best - last) / max(best - independent, 1e-12)
    improved = len(errors.values) == len(values) and errors.values[-1] < errors.values[place]
    if fallen <= limit or not improved:
        return None
    return Finding(
        rule="negative_phase_stuck",
        sentence=(
            f"The log-likelihood of the training part has fallen from {best:.1f} to {last:.1f} "
            f"nats since its best epoch, while the reconstruction error fell from "
            f"{errors.values[place]:.3g} to {errors.values[-1]:.3g}."
        ),
        steps=(likelihood.steps[place], likelihood.steps[-1]),
        evidence=(
            Evidence(
                "fall of the log-likelihood, as a share of its gain over independent inputs",
                fallen,
                limit,
                percent=True,
            ),
        ),
        strength=fallen / limit,
    )


def _loss_of(likelihood: float, independent: float) -> float:
    """How far a log-likelihood is below that of independent inputs, as a share of the latter."""
    return (independent - likelihood) / max(abs(independent), 1e-12)


def _of_training_part(history: History, likelihood: Series) -> list[float]:
    """The log-likelihood of the training part, from that of the validation part and the gap of free
    energies: a model that overfits loses validation likelihood too, though its chains are right."""
    gap = _last_stage(history, FREE_ENERGY_GAP)
    if gap is None or gap.steps != likelihood.steps:
        return list(likelihood.values)
    return [v + g for v, g in zip(likelihood.values, gap.values, strict=True)]


def _likelihood(history: History) -> Series | None:
    """The exact log-likelihood where it is known, else the pseudo-likelihood."""
    return _last_stage(history, LOG_LIKELIHOOD) or _last_stage(history, PSEUDO_LIKELIHOOD)


def _last_stage(history: History, signal: str) -> Series | None:
    """The signal since the last layer of a stack began training: values of different layers cannot
    be compared."""
    series, stage = history.of(signal), history.of(STAGE)
    if series is None or stage is None or not len(stage):
        return series
    since = next(
        step
        for step, value in zip(stage.steps, stage.values, strict=True)
        if value == stage.values[-1] or value != value
    )
    pairs = zip(series.steps, series.values, strict=True)
    kept = [(step, value) for step, value in pairs if step >= since]
    if not kept:
        return None
    return Series(tuple(step for step, _ in kept), tuple(value for _, value in kept))


HIDDEN_UNUSED = Rule(
    name="hidden_unused",
    title="Unused hidden units",
    find=hidden_unused,
    tasks=(DENSITY,),
    explanation=(
        "The model knows how often each input is on, and nothing more. With visible biases that "
        "start at 0, all hidden units first learn these means, together and slowly; with a low "
        "learning rate or few epochs the model stays there."
    ),
    healthy=(
        "On MNIST, 16 hidden units gain 60 of 205 nats over independent pixels, 500 units 120."
    ),
    source=(
        "Hinton 2012, A practical guide to training RBMs, section 8; measured with scikit-learn's "
        "BernoulliRBM, whose visible biases start at 0"
    ),
    explains=("negative_phase_stuck",),
    remedies=("begin_at_base_rates", "centre_units", "raise_rate"),
)
NEGATIVE_PHASE_STUCK = Rule(
    name="negative_phase_stuck",
    title="Stuck negative phase",
    find=negative_phase_stuck,
    tasks=(DENSITY,),
    explanation=(
        "Training lowers the energy of the data and raises that of the chains' states. Chains that "
        "do not mix raise the same few states again and again, and contrastive divergence stays "
        "near the data. Elsewhere the model keeps states of high probability, or gets more of "
        "them; the reconstruction error does not show it."
    ),
    healthy=(
        "An autocorrelation below 50 % after ten Gibbs steps, and a log-likelihood that rises "
        "while the reconstruction error falls."
    ),
    source="Tieleman 2008; Fischer, Igel 2010",
    remedies=("centre_units", "use_persistent_chains", "more_gibbs_steps", "slow_down"),
)
