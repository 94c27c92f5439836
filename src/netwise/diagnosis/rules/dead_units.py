"""Dead ReLU (神经元死亡): units that are 0 for every sample pass no gradient and can never come back."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import by_layer, has_learned
from netwise.history import History
from netwise.signals import ACTIVATION_ZEROS, DEAD_UNITS
from netwise.tasks import RECTIFIERS

# share of a layer's units; healthy LeNets on digits have up to 0.3 (measured) and do not miss them
LIMIT = 0.5
ALL_ZERO = 0.95  # share of zeros of one batch at the start: half is usual


def dead_relu(history: History) -> Answer:
    """Find rectified layers most of whose units were silent for 512 samples in a row, in a run that
    has not learned."""
    rectified = [layer.name for layer in history.hidden if layer.activation in RECTIFIERS]
    if not history.layers:
        return Unchecked("no layers were heard")
    if not rectified or has_learned(history):
        return None
    census = {
        name: series for name, series in by_layer(history, DEAD_UNITS).items() if name in rectified
    }
    if not census:
        return Unchecked(
            "fewer than 512 samples were watched: a unit that was silent so shortly may still fire"
        )
    dead = {name: series for name, series in census.items() if series.last > LIMIT}
    if not dead:
        return None
    worst = max(dead, key=lambda name: dead[name].last)
    since = min(
        next(step for step, value in zip(s.steps, s.values, strict=True) if value > LIMIT)
        for s in dead.values()
    )
    zeros = [history.of(ACTIVATION_ZEROS, name) for name in dead]
    at_start = any(s is not None and s.values[0] > ALL_ZERO for s in zeros)
    share = dead[worst].last
    when = "since the start" if at_start else f"by step {since + 1}"
    return Finding(
        rule="dead_relu",
        sentence=f"{100 * share:.0f} % of the units of {worst} are 0 for all samples, {when}.",
        layers=tuple(dead),
        steps=(0 if at_start else max(1, since), dead[worst].steps[-1]),
        evidence=(Evidence(f"share of dead units in {worst}", share, LIMIT),),
        strength=share / LIMIT,
    )


DEAD_RELU = Rule(
    name="dead_relu",
    title="Dead ReLU units",
    find=dead_relu,
    explanation=(
        "A ReLU whose input is below 0 for every sample gives 0 and passes no gradient, so its weights never change again. A large step, a "
        "very negative bias or inputs of the wrong scale push units there; what is left is a narrower network, or none."
    ),
    healthy="At most a few in ten units silent for all samples; about half of the activations of one batch are 0.",
    source="Maas, Hannun, Ng 2013; note 002, claims D02 and L36",
    explains=("vanishing_gradient", "not_learning", "underfitting", "rate_too_low"),
    remedies=("use_fitting_init", "use_batch_norm", "use_leaky_relu", "search_rate"),
)
