"""Learning rates that are wrong by themselves, where it is not known what loss guessing has.

Losses that a program makes up, rewards and games of several terms have no best constant prediction
to compare with. What is left are facts of the weights, and the run's own loss: a first step that
leaves nothing of any layer's start, and steps that all together move no layer.
"""

from __future__ import annotations

import math

from netwise.diagnosis.curves import last_slope, level_at_end
from netwise.diagnosis.rules.finding import Evidence, Finding
from netwise.diagnosis.rules.layer_sizes import USUAL_GAIN, farthest, gains, usual_updates
from netwise.diagnosis.rules.outcome import CERTAIN, finite_median, rate_text, series_by_layer, span
from netwise.history import History, Series
from netwise.signals import GRADIENT_RATIO, LOSS

EARLY = 10  # watched steps
ERASED = 1.0  # |step| / |w| of every layer: nothing is left of its start
FAR = 5.0  # the same, of the layer that changes most
HALF = 0.5  # of the first loss: a run that comes below it has survived its first steps
HIGH = 10.0  # highest loss over the first
DIED = 1e-6  # last |g| / |w| over the first, of most layers
STILL = 0.01  # |w - w at the start| / |w| of the layer that moved most
SHORT = 1e-4  # |step| / |w| of the layer that changes most
MANY = 100  # steps
LIVE_GRADIENT = 1e-2  # |g| / |w|
FALLS = 0.05  # of the first loss


def start_erased(history: History, updates: dict[str, Series]) -> Finding | None:
    """Early steps longer than the weights of every layer that starts at a usual size, in a run
    whose loss has not come down, has jumped, or whose gradients have died since.

    Args:
        history: of a run whose loss of guessing is not known.
        updates: |step| / |w| of its layers.
    """
    start = gains(history)
    longest = {
        name: max((v for v in series.values[:EARLY] if math.isfinite(v)), default=0.0)
        for name, series in updates.items()
        if start.get(name, 0.0) > USUAL_GAIN
    }
    if len(longest) < 2 or min(longest.values()) < ERASED or max(longest.values()) < FAR:
        return None
    effect = _effect(history, tuple(longest))
    if not effect:
        return None
    least = min(longest, key=lambda name: longest[name])
    return Finding(
        rule="rate_too_high",
        sentence=(
            f"Single steps change the weights of every layer by more than their norm, those of "
            f"{least} by {longest[least]:,.2g} times{rate_text(history)}: "
            f"nothing is left of their start, and {effect}."
        ),
        layers=tuple(longest),
        steps=span(1, history.ended.step),
        evidence=(Evidence(f"|step| / |w| of {least}", longest[least], ERASED),),
        strength=min(max(longest.values()) / FAR, 1e300),
        grade="cause",
    )


def _effect(history: History, layers: tuple[str, ...]) -> str:
    losses = history.of(LOSS)
    values = [] if losses is None else losses.finite
    if losses is not None and values and min(values) >= 0 and values[0] > 0:
        end = level_at_end(losses) or 0.0
        if max(values) > HIGH * values[0]:
            return f"the loss rose to {max(values) / values[0]:,.3g} times the first one"
        if end >= HALF * values[0]:
            return f"the loss is {end:.3g} at the end, after {values[0]:.3g} at the start"
    gradients = {n: s.finite for n, s in series_by_layer(history, GRADIENT_RATIO).items()}
    ends = [gradients[n] for n in layers if len(gradients.get(n, ())) > 2 and gradients[n][0] > 0]
    died = [g for g in ends if max(g[-2:]) < DIED * g[0]]
    return "their gradients have died since" if 2 * len(died) > len(layers) else ""


def weights_at_start(history: History) -> Finding | None:
    """Steps that all together have moved no layer, with gradients large enough and a loss that does
    not fall, in a run whose loss of guessing is not known."""
    way, usual = farthest(history), usual_updates(history)
    gradients = series_by_layer(history, GRADIENT_RATIO).values()
    live = max((finite_median(series.values) or 0.0 for series in gradients), default=0.0)
    longest = max(usual.values(), default=0.0)
    if way is None or not 0 < way < STILL or not 0 < longest < SHORT or live < LIVE_GRADIENT:
        return None
    if history.ended.step < MANY or _falls(history):
        return None
    return Finding(
        rule="rate_too_low",
        sentence=(
            f"In {history.ended.step:,} steps no layer has moved by more than {100 * way:.2g} % of "
            f"its weights' norm, though the gradients are large enough, and the loss does not "
            f"fall{rate_text(history)}."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("way from the start / |w|", way, STILL, above=False),
            Evidence("largest |g| / |w|", live, LIVE_GRADIENT),
        ),
        strength=min(STILL / way, 1e300),
        grade="cause",
    )


def _falls(history: History) -> bool:
    """Whether the loss has come down, beyond its noise or by much of its first value."""
    losses = history.of(LOSS)
    if losses is None or len(losses.finite) < EARLY:
        return True
    slope, end, first = last_slope(losses, 1.0), level_at_end(losses), losses.finite[0]
    if slope is None or end is None:
        return True
    size = max(abs(first), abs(end))
    return slope.falls >= CERTAIN and -slope.change > FALLS * size
