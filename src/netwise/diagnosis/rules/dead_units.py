"""Dead ReLU (神经元死亡): a unit that is 0 for every sample gets no gradient, so it stays 0."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    NO_LAYERS,
    has_learned,
    if_outcome_known,
    series_by_layer,
)
from netwise.history import History
from netwise.signals import ACTIVATION_ZEROS, DEAD_UNITS
from netwise.tasks import RECTIFIERS

# Share of a layer's units. LeNets that learn digits well have up to 0.3 (measured).
LIMIT = 0.5
ALL_ZERO = 0.95  # share of zeros in one batch at the start: half is usual


@if_outcome_known
def dead_relu(history: History) -> Answer:
    """Find ReLU layers most of whose units were 0 for 512 samples in a row, in a run that has not
    learned."""
    if not history.layers:
        return Unchecked(NO_LAYERS)
    rectified = [layer.name for layer in history.hidden if layer.activation in RECTIFIERS]
    if not rectified or has_learned(history):
        return None
    shares = {
        name: series
        for name, series in series_by_layer(history, DEAD_UNITS).items()
        if name in rectified
    }
    if not shares:
        return Unchecked(
            "fewer than 512 samples were recorded, too few to call a unit dead: train for longer"
        )
    dead = {name: series for name, series in shares.items() if series.last > LIMIT}
    if not dead:
        return None
    worst = max(dead, key=lambda name: dead[name].last)
    since = min(
        next(step for step, value in zip(s.steps, s.values, strict=True) if value > LIMIT)
        for s in dead.values()
    )
    zeros = [history.of(ACTIVATION_ZEROS, name) for name in dead]
    at_start = any(s is not None and s.values[0] > ALL_ZERO for s in zeros)
    share = min(dead[worst].last, 1.0)
    when = "since the start" if at_start else f"since step {since + 1} or earlier"
    return Finding(
        rule="dead_relu",
        sentence=f"{100 * share:.0f} % of the units of {worst} are 0 for all samples, {when}.",
        layers=tuple(dead),
        steps=(0 if at_start else max(1, since), max(dead[worst].steps[-1], since, 1)),
        evidence=(Evidence(f"dead units of {worst}", share, LIMIT, percent=True),),
        strength=share / LIMIT,
    )


DEAD_RELU = Rule(
    name="dead_relu",
    title="Dead ReLU units",
    find=dead_relu,
    explanation=(
        "A ReLU unit whose input is below 0 for every sample gives 0 and gets no gradient, so its "
        "weights never change again. A large step, a very negative bias or inputs of the wrong "
        "scale cause it. The rest of the layer works like a narrower one."
    ),
    healthy="At most 30 % of the units 0 for all samples; half of the activations of a batch 0.",
    source="Maas, Hannun, Ng 2013",
    explains=(
        "gradient_zero",
        "vanishing_gradient",
        "not_learning",
        "underfitting",
        "rate_too_low",
    ),
    remedies=("use_fitting_init", "use_batch_norm", "use_leaky_relu", "search_rate"),
    change=(
        "optimizer = torch.optim.Adam(model.parameters(), lr=lr / 10)\n"
        "nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
        "nn.init.zeros_(layer.bias)  # or nn.LeakyReLU(0.01) instead of nn.ReLU()"
    ),
)
