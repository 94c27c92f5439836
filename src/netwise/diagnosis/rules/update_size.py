"""Learning rate (学习率) too high or too low, by the size of a step compared with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isfinite

from netwise.diagnosis.curves import last_slope, level_at_end, rise_since_lowest
from netwise.diagnosis.rules.finding import MOST, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.layer_sizes import (
    farthest,
    largest_update,
    reversal,
    still_rises,
    usual_updates,
)
from netwise.diagnosis.rules.outcome import (
    CERTAIN,
    FEWEST,
    LEARNED,
    NO_UPDATES,
    final_loss_share,
    finite_median,
    has_learned,
    loss_share,
    no_baseline,
    outcome_known,
    rate_text,
    series_by_layer,
    span,
    too_few_steps,
)
from netwise.diagnosis.rules.own_trend import start_erased, weights_at_start
from netwise.history import DIVERGED, History, Series
from netwise.signals import (
    ACTIVATION_ZEROS,
    DEAD_UNITS,
    EFFECTIVE_RATE,
    GRADIENT_CLEARED,
    GRADIENT_RATIO,
    GRADIENT_ZERO,
    LOSS,
    RATE,
    UPDATE_RATIO,
    WEIGHTS_MOVED,
)
from netwise.tasks import RECTIFIERS

# |step| / |w| of a layer; about 0.001 in runs that learn, and below 0.15 in their first steps.
FALL = 0.3  # of the first loss, by which a run with steps of a useful size has come down
TOO_LONG = 0.3
TOO_SHORT = 1e-4  # the same, for the layer that changes most
# Where it is known how far the weights have moved: sound programs of the clinic have 0.0032 and
# more, those with a rate divided by 30 to 3000 0.0009 and less.
SHORT = 1.5e-3
# Way from the start over the norm, of the layer that moved most: 0.45 and more in sound programs,
# 0.29 and less with such a rate.
NEAR = 0.35
MANY = 30  # steps: in fewer, nothing moves far
LARGEST_FLOAT32 = 1e38  # about; in place of an infinite ratio
# Watched steps: later the weights may have grown so much that no step is long compared with them.
EARLY = 10
# Of the loss of guessing: Adam's first steps are long, and a run that has halved its loss has
# survived them.
HALF = 0.5
# The longest step of a run whose units died or whose loss jumped: sound programs reach 0.22 in the
# first step of an adaptive optimizer, and nothing follows from it.
LONG = 0.1
LATER = 20  # watched steps among which it is looked for
MOST_DEAD = 0.5  # share of a layer's units
ALIVE = 0.8  # share of zeros at the start, below which most units were alive
JUMP = 1.5  # highest loss over the first
# A loss that rises for good, compared with the lowest and the first one. No sound program of the
# clinic or of the zoo that has not learned ends above its first loss.
RISE = 1.5
TURNED = 0.8  # of 1, which is exactly to and fro; sound programs have 0.66 and less
RISING = 5.0  # standard deviations of the noise
MOSTLY = 0.5  # of the watched steps; a rate that falls to 0 at the end has such steps, too
LIVE_GRADIENT = 1e-2  # |g| / |w|: below it the gradient is small, and not the rate
SMALL_FACTOR = 0.1  # of a whole loss, that makes its gradients small


def rate_too_high(history: History) -> Answer:
    """Find steps that change a layer's weights by much of their norm, in a run that has not
    learned; or shorter ones after which the loss jumped or most units of a layer died."""
    updates = series_by_layer(history, UPDATE_RATIO)
    if not updates:
        return Unchecked(NO_UPDATES)
    updates = _before_not_finite(history, updates)
    if not updates:
        return None  # the first step already had no finite gradient: that is another rule's fault
    left = final_loss_share(history)
    if left is None:
        return start_erased(history, updates) or Unchecked(no_baseline(history))
    if left < HALF:
        return None
    diverged = history.ended.how == DIVERGED
    if not diverged:  # of weights that start at 0, any first step is long
        updates = {name: series for name, series in updates.items() if isfinite(series.values[0])}
        if not updates:
            return None
    return _by_length(history, updates, diverged) or _by_effect(history)


def _by_length(history: History, updates: dict[str, Series], diverged: bool) -> Finding | None:
    """Steps that are too long by themselves."""
    largest, usual = {}, {}
    for name, series in updates.items():
        early = series.values[:EARLY]
        largest[name] = max((_finite(ratio, diverged) for ratio in early), default=0.0)
        usual[name] = finite_median(early) or 0.0
    if diverged or max(len(series) for series in updates.values()) < FEWEST:
        ratios = largest
    else:
        ratios = {name: max(usual[name], largest[name] / 10) for name in updates}
    worst = max(ratios, key=lambda name: ratios[name])
    if ratios[worst] <= TOO_LONG:
        return None
    steps = updates[worst].steps
    return Finding(
        rule="rate_too_high",
        sentence=(
            f"One step changes the weights of {worst} by {_size(ratios[worst])} their norm"
            f"{rate_text(history)}."
        ),
        layers=tuple(name for name in ratios if ratios[name] > TOO_LONG),
        steps=span(max(1, steps[0]), steps[-1]),
        evidence=(Evidence(f"|step| / |w| of {worst}", ratios[worst], TOO_LONG),),
        strength=ratios[worst] / TOO_LONG,
    )


def _by_effect(history: History) -> Finding | None:
    """Steps longer than those of sound runs, after which the loss jumped or units died."""
    name, size = largest_update(history, LATER)
    if not name or size <= LONG:
        return None
    jumped = _jumped(history) if size > TOO_LONG else None
    effect = _died_later(history) or jumped or _rose(history) or _turns_back(history)
    if effect is None:
        return None
    text, evidence = effect
    return Finding(
        rule="rate_too_high",
        sentence=(
            f"One step changes the weights of {name} by {_size(size)} their norm"
            f"{rate_text(history)}, and {text}"
        ),
        layers=(name,),
        steps=span(1, history.ended.step),
        evidence=(Evidence(f"longest |step| / |w| of {name}", size, LONG), evidence),
        strength=size / LONG,
        grade="cause",
    )


def _died_later(history: History) -> tuple[str, Evidence] | None:
    """Most units of a layer are 0 for all samples at the end, and were not at the start."""
    for layer in history.hidden:
        dead = history.of(DEAD_UNITS, layer.name)
        zeros = history.of(ACTIVATION_ZEROS, layer.name)
        if layer.activation not in RECTIFIERS or dead is None or zeros is None:
            continue
        if dead.values and dead.last > MOST_DEAD and zeros.values[0] < ALIVE:
            return (
                f"{100 * min(dead.last, 1.0):.0f} % of the units of {layer.name} died.",
                Evidence(f"dead units of {layer.name}", dead.last, MOST_DEAD, percent=True),
            )
    return None


def _jumped(history: History) -> tuple[str, Evidence] | None:
    """The loss rose to a multiple of the first one. Of losses that can be negative, multiples mean
    nothing."""
    losses = history.of(LOSS)
    if losses is None or not 0 < losses.values[0] < inf or min(losses.finite) < 0:
        return None
    first = losses.values[0]
    # One batch with an unusual sample is no fault of the rate: the next loss is as before.
    high = (loss for loss, after in pairwise(losses.finite) if after > first)
    rise = max(high, default=0.0) / first
    if rise <= JUMP:
        return None
    return (
        f"the loss rose to {rise:,.3g} times the first one.",
        Evidence("highest loss over the first", rise, JUMP),
    )


def _rose(history: History) -> tuple[str, Evidence] | None:
    """The loss has risen from its lowest level to above the first one, by far more than its noise:
    steps along the gradient that do not overshoot make it fall."""
    losses = history.of(LOSS)
    rise = None if losses is None else rise_since_lowest(losses)
    if losses is None or rise is None or rise.lowest <= 0 or min(losses.finite) < 0:
        return None
    if rise.ratio <= RISE or rise.deviations <= RISING or rise.end <= losses.values[0]:
        return None
    return (
        f"the loss has risen from {rise.lowest:.3g} at step {rise.step} to {rise.end:.3g}.",
        Evidence("loss at the end over its lowest", min(rise.ratio, MOST), RISE),
    )


def _turns_back(history: History) -> tuple[str, Evidence] | None:
    """Each step undoes the one before, and the loss does not fall: the steps cross a valley from
    one side to the other."""
    losses = history.of(LOSS)
    slope = None if losses is None else last_slope(losses, 0.5)
    name, turned = reversal(history)
    if slope is None or slope.falls >= CERTAIN or turned <= TURNED:
        return None
    return (
        f"each step of {name} undoes the one before.",
        Evidence(f"reversal of the steps of {name}", turned, TURNED),
    )


def _before_not_finite(history: History, updates: dict[str, Series]) -> dict[str, Series]:
    """The changes up to the first value that is not finite: after it all of them are."""
    first = None if history.wiring is None else history.wiring.not_finite_step
    if first is None:
        return updates
    kept = {
        name: [(s, v) for s, v in zip(series.steps, series.values, strict=True) if s < first]
        for name, series in updates.items()
    }
    return {
        name: Series(tuple(s for s, _ in pairs), tuple(v for _, v in pairs))
        for name, pairs in kept.items()
        if pairs
    }


def _settled(history: History) -> bool:
    """Whether the loss fell and stands still since: with steps that are too short it does not fall
    at all, or still falls at the end."""
    losses = history.of(LOSS)
    if losses is None or not losses.finite or losses.finite[0] <= 0:
        return False
    slope, end = last_slope(losses), level_at_end(losses)
    if slope is None or end is None:
        return False
    return slope.falls < CERTAIN and end < (1 - FALL) * losses.finite[0]


def rate_too_low(history: History) -> Answer:
    """Find steps that hardly change any layer's weights although gradients are large enough, in a
    run that has not learned; or that, in an observed loop, change no weight at all."""
    lost = _changes_nothing(history) or _half_lost_in_rounding(history)
    if lost is not None:
        return lost
    updates, gradients = (
        series_by_layer(history, signal) for signal in (UPDATE_RATIO, GRADIENT_RATIO)
    )
    if not updates or not gradients:
        return Unchecked(NO_UPDATES)
    if not outcome_known(history):
        still = None if still_rises(history) else weights_at_start(history)
        return still or Unchecked(no_baseline(history))
    if has_learned(history) or history.ended.how == DIVERGED or still_rises(history):
        return None
    if _settled(history):
        return None
    count = max(len(series) for series in updates.values())
    if count < FEWEST:
        return Unchecked(too_few_steps(count, "weight updates"))
    # Without the steps that changed nothing: there gradients are accumulated, or the optimizer
    # does not have the weights, which is another rule's fault.
    usual = usual_updates(history)
    gradient = max(finite_median(series.values) or 0.0 for series in gradients.values())
    most = max(usual, key=lambda name: usual[name])
    way = farthest(history)
    left = final_loss_share(history)
    near = (
        way is not None
        and way < NEAR
        and history.ended.step >= MANY
        and (left is None or left >= LEARNED)  # the way was long enough for the training rows
        and not _pretrained(history)
    )
    limit = SHORT if near else TOO_SHORT
    if not 0 < usual[most] < limit:
        return None
    steps = updates[most].steps
    if gradient < LIVE_GRADIENT:
        return _by_factor(history, usual[most], gradient, steps)
    moved = (
        ""
        if way is None
        else f"; in {history.ended.step:,} steps no layer has moved by more than {100 * way:.2g} %"
    )
    return Finding(
        rule="rate_too_low",
        sentence=(
            f"A step changes no layer's weights by more than {100 * usual[most]:.2g} % of their "
            f"norm, though the gradients are large enough{moved}{rate_text(history)}."
        ),
        steps=(steps[0], steps[-1]),
        evidence=(
            Evidence("largest |step| / |w|", usual[most], limit, above=False),
            *(() if way is None else (Evidence("way from the start / |w|", way, NEAR, False),)),
            Evidence("largest |g| / |w|", gradient, LIVE_GRADIENT),
        ),
        strength=min(limit / usual[most], 1e300),
    )


def _by_factor(
    history: History, longest: float, gradient: float, steps: Sequence[int]
) -> Finding | None:
    """Steps that are short because the whole loss is multiplied by a small number, without which
    the gradients would be large enough. Adaptive optimizers do not see the factor.

    Args:
        longest: |step| / |w| of the layer that changes most.
        gradient: |g| / |w| of the layer where it is largest.
        steps: the watched ones.
    """
    terms = () if history.wiring is None else history.wiring.losses
    factors = {abs(term.factor) for term in terms if not term.penalty and term.operation}
    factor = min(factors, default=1.0)
    if len(factors) != 1 or not 0 < factor < SMALL_FACTOR or gradient / factor < LIVE_GRADIENT:
        return None
    if longest > TOO_SHORT:
        return None
    at = f" ({terms[0].place})" if terms[0].place else ""
    return Finding(
        rule="rate_too_low",
        sentence=(
            f"The loss is multiplied by {factor:.2g} before `backward`{at}, and all gradients are "
            f"as small: a step changes no layer's weights by more than {100 * longest:.2g} % of "
            f"their norm{rate_text(history)}. Leave the factor out: the loss is a mean already."
        ),
        steps=(steps[0], steps[-1]),
        evidence=(
            Evidence("factor of the loss", factor, SMALL_FACTOR, above=False),
            Evidence("largest |step| / |w|", longest, TOO_SHORT, above=False),
        ),
        strength=min(TOO_SHORT / longest, 1e300),
        grade="cause",
        change="loss.backward()  # without the constant; accumulated: (loss / batches).backward()",
    )


def _pretrained(history: History) -> bool:
    """Whether the first losses are already far below that of guessing: weights that were trained
    before move little."""
    losses = history.of(LOSS)
    share = None if losses is None else loss_share(history, finite_median(losses.values[:FEWEST]))
    return share is not None and share < HALF


def _changes_nothing(history: History) -> Finding | None:
    """Steps of an observed loop that change no weight, though the gradients are not 0: the learning
    rate is, or the steps are below the last digit of the weights' type."""
    moved = history.of(WEIGHTS_MOVED)
    wiring = history.wiring
    if wiring is None or moved is None or len(moved) < FEWEST or any(moved.values):
        return None
    if wiring.in_no_optimizer or wiring.not_finite or wiring.not_observed.get("optimizers"):
        return None
    # Gradients that are 0, cleared or absent are other rules' faults.
    for signal in (GRADIENT_ZERO, GRADIENT_CLEARED):
        series = history.of(signal)
        if series is None or len(series) < FEWEST or any(series.values):
            return None
    rates = history.of(RATE)
    if rates is None or (min(rates.values) <= 0 < max(rates.values)):
        return None
    if max(rates.values) <= 0:
        sentence = (
            f"The learning rate is 0 in all {history.ended.step:,} steps: no weight changes. The "
            "factor of a schedule is 0 from its first to its last step, for example by a whole "
            "division such as `epoch // 10`, or the rate itself was rounded to 0."
        )
        change = "LambdaLR(optimizer, lambda epoch: min(1.0, (epoch + 1) / 10))  # not epoch // 10"
    else:
        sentence = (
            f"No weight changes in any of {len(moved)} watched steps: they are below the last "
            f"digit of the weights{rate_text(history)}. Raise the rate, or keep the weights in "
            "float32 and compute in lower precision under `torch.autocast`."
        )
        change = ""
    return Finding(
        rule="rate_too_low",
        sentence=sentence,
        steps=(moved.steps[0], moved.steps[-1]),
        evidence=(Evidence("share of weights that a step changes", 0.0, 0.5, False, percent=True),),
        grade="cause",
        change=change,
    )


def _half_lost_in_rounding(history: History) -> Finding | None:
    """Steps that leave more than half of the weights that have a gradient as they are, in every
    layer and most watched steps of a run that has not learned: weights of few digits."""
    changes, rates = series_by_layer(history, UPDATE_RATIO), history.of(RATE)
    wiring = history.wiring
    if wiring is None or rates is None or not min(rates.values) > 0 or has_learned(history):
        return None
    still, watched = [], 0
    for layer, reached in series_by_layer(history, EFFECTIVE_RATE).items():
        size = changes.get(layer)
        if size is None:
            continue
        moves = {step for step, value in zip(size.steps, size.values, strict=True) if value > 0}
        known = [v for s, v in zip(reached.steps, reached.values, strict=True) if s in moves]
        known = [value for value in known if isfinite(value)]
        if len(known) < FEWEST:
            continue
        watched = max(watched, len(known))
        still.append(sum(value == 0 for value in known) / len(known))
    if not still or min(still) <= MOSTLY:
        return None
    return Finding(
        rule="rate_too_low",
        sentence=(
            f"In {100 * min(still):.0f} % of {watched} watched steps more than half of the weights "
            "of each layer stay exactly as they were, though they have a gradient: the steps are "
            f"below the last digit of the weights{rate_text(history)}, as in bfloat16 or float16. "
            "Keep the weights in float32 and compute in lower precision under `torch.autocast`."
        ),
        steps=(rates.steps[0], rates.steps[-1]),
        evidence=(
            Evidence(
                "watched steps that leave most weights of each layer as they were",
                min(still),
                MOSTLY,
                percent=True,
            ),
        ),
        grade="cause",
        change=(
            "model.float()  # weights and optimizer in float32\n"
            'with torch.autocast("cpu", torch.bfloat16):  # lower precision for the passes alone\n'
            "    loss = loss_of(model(x), y)"
        ),
    )


def _finite(ratio: float, diverged: bool) -> float:
    """The ratio; where it is infinite, the largest float32 in a run that diverged, and 0 elsewhere,
    where it is a step from weights of 0."""
    if isfinite(ratio):
        return ratio
    return LARGEST_FLOAT32 if diverged and ratio > 0 else 0.0


def _size(ratio: float) -> str:
    if ratio < 5:
        return f"{100 * ratio:.0f} % of"
    if ratio < 1e6:
        return f"{ratio:,.0f} times"
    return f"{ratio:.1e} times" if ratio < LARGEST_FLOAT32 else "more than 1e38 times"


RATE_TOO_HIGH = Rule(
    name="rate_too_high",
    title="Learning rate too high",
    find=rate_too_high,
    explanation=(
        "A gradient is only right near the point where it was computed. A step that changes the "
        "weights by much of their norm goes far beyond it: the loss oscillates, jumps or becomes "
        "nan, and units die or saturate."
    ),
    healthy="Steps of about 0.1 % of the weights' norm, and below 15 % even in the first ones.",
    source=(
        "Bottou, Curtis, Nocedal 2018, section 4; Nielsen 2015, Neural Networks and Deep "
        "Learning, chapter 3"
    ),
    explains=(
        "dead_relu",
        "saturation",
        "exploding_gradient",
        "vanishing_gradient",
        "gradient_zero",
        "not_learning",
        "not_finite",
        "underfitting",
        "overfitting",
        "batch_too_small",
    ),
    remedies=("search_rate", "lower_rate", "use_adam"),
    change=(
        "for group in optimizer.param_groups:  # before the loop; compare the first 100 steps\n"
        '    group["lr"] /= 10'
    ),
)
RATE_TOO_LOW = Rule(
    name="rate_too_low",
    title="Learning rate too low",
    find=rate_too_low,
    explanation=(
        "The gradients are large enough, but the learning rate makes the steps so short that the "
        "weights stay near their initial values: the run would need a thousand times as many steps."
    ),
    healthy="Steps of about 0.1 % of the weights' norm.",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
    explains=("not_learning", "underfitting"),
    remedies=("search_rate", "use_adam"),
    change=(
        "for group in optimizer.param_groups:  # before the loop; compare the first 100 steps\n"
        '    group["lr"] *= 10'
    ),
)
