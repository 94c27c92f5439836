"""Faults between `backward` and the optimizer's step: gradients that are not cleared, cleared too
early, summed without division, clipped before they are unscaled, or exactly 0."""

from __future__ import annotations

from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import (
    MOST,
    NO_STEP,
    is_over,
    listed,
    loop_observed,
    never_stepped,
    observed,
    share_text,
    signal_of_loop,
    steps_where,
)
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_GRADIENTS,
    has_just_begun,
    has_learned,
    no_baseline,
    outcome_known,
    series_by_layer,
    too_few_steps,
)
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History, Series
from netwise.signals import (
    BACKWARD_DROPPED,
    BACKWARD_PASSES,
    GRADIENT_CLEARED,
    GRADIENT_FACTOR,
    GRADIENT_RATIO,
    GRADIENT_ZERO,
    LOSS,
    LOSS_FACTOR,
    LOSS_SCALE,
    STALE,
)
from netwise.wiring import LossTerm, Wiring

ALL_STALE = 0.99  # share of steps; for the text alone: the rule requires all of them
SAME = 0.01  # relative difference of two factors that are called equal
# Optimizers whose steps do not depend on the scale of the gradient, by parts of their names.
SCALE_FREE = ("adam", "rmsprop", "lion", "rprop", "adafactor", "lamb", "adagrad", "adadelta")


def stale_gradients(history: History) -> Answer:
    """Find gradients that are never set to zero: each contains all earlier ones.

    In an observed loop `gradient.stale` is 1 only where no backward pass of a step began with empty
    gradients. Elsewhere it compares the gradient in `.grad` with that of the last backward pass,
    and counts only in a run that has not learned.
    """
    if not loop_observed(history):
        return _stale_by_comparison(history)
    if never_stepped(history):
        return Unchecked(NO_STEP)
    series = signal_of_loop(history, STALE, FEWEST + 1, NO_GRADIENTS)
    if isinstance(series, Unchecked):
        return series
    count = sum(step > 0 for step in series.steps)  # the first step has no earlier one
    stale = tuple(step for step in steps_where(series, lambda v: v > 0) if step > 0)
    if count < FEWEST:
        return Unchecked(too_few_steps(count, "steps after the first"))
    if len(stale) <= MOST * count or is_over(series, stale):
        return None
    return Finding(
        rule="stale_gradients",
        sentence=(
            f"Gradients still contain those of earlier steps {share_text(len(stale), count)}. "
            f"{_how_to_clear(history)}"
        ),
        steps=(stale[0], stale[-1]),
        evidence=(
            Evidence(
                "steps whose gradient still contains earlier ones",
                len(stale) / count,
                MOST,
                percent=True,
            ),
        ),
        strength=len(stale) / count / MOST,
    )


def _how_to_clear(history: History) -> str:
    if history.wiring is not None and not history.wiring.optimizers:
        return "Write `weight.grad = None` for each weight after it was changed."
    return "Call `optimizer.zero_grad()` before `loss.backward()`."


def _stale_by_comparison(history: History) -> Answer:
    series = history.of(STALE)
    if series is None:
        return Unchecked(NO_GRADIENTS)
    later = [value for step, value in zip(series.steps, series.values, strict=True) if step > 0]
    if len(later) < FEWEST:
        return Unchecked(too_few_steps(len(later), "steps after the first"))
    # A loop that accumulates gradients on purpose sets them to zero every few steps.
    if has_learned(history) or min(later) < 1:
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    return Finding(
        rule="stale_gradients",
        sentence=(
            "Gradients are never set to zero: each step follows the sum of the gradients of all "
            "batches so far."
        ),
        steps=(1, series.steps[-1]),
        evidence=(
            Evidence(
                "steps whose gradient still contains earlier ones", 1.0, ALL_STALE, percent=True
            ),
        ),
    )


def gradients_cleared_before_step(history: History) -> Answer:
    """Find gradients that are set to zero between `backward` and the optimizer's step, in most
    watched steps."""
    series = signal_of_loop(history, GRADIENT_CLEARED)
    if isinstance(series, Unchecked):
        return series
    cleared = steps_where(series, lambda v: v > 0)
    if len(cleared) <= MOST * len(series) or is_over(series, cleared):
        return _dropped(history)
    return Finding(
        rule="gradients_cleared_before_step",
        sentence=(
            f"The optimizer finds empty gradients {share_text(len(cleared), len(series))}: they "
            "are set to zero after `loss.backward()`. Write `optimizer.zero_grad()`, "
            "`loss.backward()`, `optimizer.step()` in this order."
        ),
        steps=(cleared[0], cleared[-1]),
        evidence=(
            Evidence(
                "steps with gradients cleared before them",
                len(cleared) / len(series),
                MOST,
                percent=True,
            ),
        ),
        strength=len(cleared) / len(series) / MOST,
    )


def _dropped(history: History) -> Finding | None:
    """Several backward passes of a loss before each step, of which only the last is in it."""
    series, wiring = history.of(BACKWARD_DROPPED), history.wiring
    if series is None or wiring is None or len(series) < FEWEST or wiring.opponents:
        return None
    most: dict[int, float] = {}  # a step whose first gradients were lost has rows of its own
    for step, value in zip(series.steps, series.values, strict=True):
        most[step] = max(value, most.get(step, 0.0))
    usual = median(most.values())
    dropping = [step for step, value in most.items() if value == usual]
    if usual < 1 or len(dropping) <= MOST * len(most):
        return None
    if any("LBFGS" in name or "SAM" in name for name in wiring.optimizers) or wiring.asks_inputs:
        return None  # gradients of inputs are those of an attack, and not of the weights
    factors = history.of(GRADIENT_FACTOR)
    if factors is not None and factors.finite and abs(median(factors.finite) - 1) > SAME:
        return None  # the program makes the gradient of the step from those of single passes
    after = "optimizer.step()  # after each loss.backward(), in the loop over the batches\n# or: "
    return Finding(
        rule="gradients_cleared_before_step",
        sentence=(
            f"Of {usual + 1:.0f} backward passes before each step only the last is in it: the "
            f"gradients of the other {usual:.0f} are set to zero. Call `optimizer.step()` "
            "after each backward pass, inside of the loop over the batches, or, to accumulate, "
            "`optimizer.zero_grad()` after `optimizer.step()` only."
        ),
        grade="cause",
        steps=(dropping[0], dropping[-1]),
        evidence=(Evidence("backward passes that are lost for each step", usual, 1.0),),
        strength=usual,
        change=(
            f"{after}(loss / {usual + 1:.0f}).backward()\n"
            f"if (i + 1) % {usual + 1:.0f} == 0:\n    optimizer.step()\n    optimizer.zero_grad()"
        ),
    )


def accumulation_not_divided(history: History) -> Answer:
    """Find steps that follow the sum of several mean losses, none of them divided by their number.

    Only backward passes of one loss count, at one place of the program and with a factor of 1: two
    losses that are added, and a factor chosen otherwise, are no fault.
    """
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    passes = signal_of_loop(history, BACKWARD_PASSES)
    if isinstance(passes, Unchecked):
        return passes
    usual = median(passes.values)
    several = steps_where(passes, lambda v: v == usual)
    if (
        usual < 2
        or len(several) <= MOST * len(passes)
        or is_over(passes, several)
        or _several_on_purpose(history, wiring, usual)
    ):
        return None
    terms = _data_terms(wiring)
    if not terms or any(not term.reduction for term in terms):
        return Unchecked("it is not known whether the loss is a mean or a sum over the batch")
    if any(term.reduction != "mean" for term in terms) or not _undivided(history, wiring, usual):
        return None
    mild = _scale_hardly_matters(history, wiring)
    return Finding(
        rule="accumulation_not_divided",
        sentence=(
            f"Each step follows the sum of the gradients of {usual:.0f} batches, each a mean: it "
            f"is {usual:.0f} times as large as that of one batch of the whole size. Write "
            f"`(loss / {usual:.0f}).backward()`.{' ' + mild if mild else ''}"
        ),
        steps=(several[0], several[-1]),
        evidence=(Evidence("backward passes for one step, not divided", usual, 1.0),),
        strength=1.0 if mild else usual,
    )


def _data_terms(wiring: Wiring) -> list[LossTerm]:
    return [term for term in wiring.losses if not term.penalty]


def _several_on_purpose(history: History, wiring: Wiring, passes: float) -> bool:
    """Whether several backward passes belong to several losses, to a closure that is called several
    times, or to gradients that are never cleared."""
    terms = _data_terms(wiring)
    stale = history.of(STALE)
    return (
        len({term.place for term in terms}) > 1
        or len(terms) == passes  # one pass for each loss
        or any("LBFGS" in name or "SAM" in name for name in wiring.optimizers)
        or bool(wiring.opponents)
        or (stale is not None and sum(v > 0 for v in stale.values) > MOST * len(stale))
    )


def _undivided(history: History, wiring: Wiring, passes: float) -> bool:
    """Whether nothing divides: neither a factor of the loss, nor one of the gradient."""
    recorded, scales = history.of(LOSS_FACTOR), history.of(LOSS_SCALE)
    factors = recorded.finite if recorded is not None else ()
    factor = median(factors) if factors else max(term.factor for term in _data_terms(wiring))
    scale = median(scales.finite) if scales is not None and scales.finite else 1.0
    whole = any(abs(f - 1) < SAME for f in (factor, factor / scale if scale else factor))
    later = history.of(GRADIENT_FACTOR)
    divided_later = (
        later is not None and bool(later.finite) and abs(median(later.finite) * passes - 1) < SAME
    )
    return whole and not divided_later


def _scale_hardly_matters(history: History, wiring: Wiring) -> str:
    """Why the scale of the gradient matters little, as a sentence; "" where it does."""
    free = [name for name in wiring.optimizers if any(part in name.lower() for part in SCALE_FREE)]
    if free and len(free) == len(wiring.optimizers):
        return f"It matters little here: the steps of {free[0]} hardly depend on that scale."
    factors = history.of(GRADIENT_FACTOR)
    if factors is not None and factors.finite and median(factors.finite) < 1 - SAME:
        return "It matters little here: the gradient is clipped before the step."
    return ""


def clipped_before_unscale(history: History) -> Answer:
    """Find gradients that are clipped before the gradient scaler unscales them, in most watched
    steps."""
    wiring = observed(history, "clipped_before_unscale")
    if isinstance(wiring, Unchecked):
        return wiring
    scales, count = history.of(LOSS_SCALE), wiring.clipped_before_unscale
    watched = max(count, 0 if scales is None else len(scales))
    if count == 0:
        return None
    if watched < FEWEST:
        return Unchecked(too_few_steps(watched, "steps with a gradient scaler"))
    if count <= MOST * watched:
        return None
    scale = f" of {scales.last:,.0f}" if scales is not None and scales.finite else ""
    return Finding(
        rule="clipped_before_unscale",
        sentence=(
            f"Gradients are clipped while they contain the scaler's factor{scale} "
            f"{share_text(count, watched)}, so nearly nothing is left of them. Call "
            "`scaler.unscale_(optimizer)` before `clip_grad_norm_`."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence(
                "steps clipped before they were unscaled", count / watched, MOST, percent=True
            ),
        ),
        strength=count / watched / MOST,
    )


def gradient_zero(history: History) -> Answer:
    """Find backward passes that give exactly 0 to all weights, in most watched steps, while the
    loss is not 0; or to all weights of one layer, in each step."""
    begun = has_just_begun(history)
    series = signal_of_loop(history, GRADIENT_ZERO, 1 if begun else FEWEST)
    if isinstance(series, Unchecked):
        return series
    solved = _steps_without_loss(history.of(LOSS))
    all_zero = steps_where(series, lambda v: v > 0)
    if begun and len(all_zero) == len(series) and set(all_zero) <= solved:
        return _nothing_asked(all_zero)
    zero = tuple(step for step in all_zero if step not in solved)
    if len(zero) <= MOST * len(series) or is_over(series, zero):
        return _layers_without_gradient(history)
    return Finding(
        rule="gradient_zero",
        sentence=(
            f"`backward` gives exactly 0 to all weights {share_text(len(zero), len(series))}, "
            "while the loss is not 0. Look for a `clamp`, `round`, `relu` or comparison between "
            "the outputs and the loss, or for units that are all 0."
        ),
        steps=(zero[0], zero[-1]),
        evidence=(
            Evidence(
                "steps with a gradient of exactly 0", len(zero) / len(series), MOST, percent=True
            ),
        ),
        strength=len(zero) / len(series) / MOST,
    )


def _nothing_asked(steps: tuple[int, ...]) -> Finding:
    """A loss that is exactly 0 from the first step on, of weights that have learned nothing."""
    return Finding(
        rule="gradient_zero",
        sentence=(
            "The loss is exactly 0 and gives no gradient, although nothing was learned yet: it "
            "counts none of the outputs. Look for a mask that is all 0 or the other way round, for "
            "a weight of 0, and for a margin that is met by all samples."
        ),
        steps=(steps[0], steps[-1]),
        evidence=(Evidence("steps with a loss of exactly 0", 1.0, MOST, percent=True),),
        strength=1.0 / MOST,
        change="assert mask.any()  # places that count are 1, padding is 0",
    )


def _layers_without_gradient(history: History) -> Finding | None:
    """Layers that a loss reaches, and that get exactly 0 in each watched step, while others do
    not."""
    ratios = series_by_layer(history, GRADIENT_RATIO)
    trainable = {layer.name for layer in history.layers if layer.trainable}
    zero = [
        name
        for name, ratio in ratios.items()
        if name in trainable and len(ratio) >= 2 * FEWEST and not any(ratio.values)
    ]
    if not zero or len(zero) == len(ratios):
        return None
    steps = ratios[zero[0]].steps
    names = listed(tuple(zero))
    return Finding(
        rule="gradient_zero",
        sentence=(
            f"`backward` gives exactly 0 to {names} in each of {len(steps)} watched steps, and "
            "numbers to other layers. Look for a `round`, `sign`, comparison or `backward` of your "
            f"own between {names} and the loss, or for units that are all 0."
        ),
        layers=tuple(zero),
        steps=(steps[0], steps[-1]),
        evidence=(Evidence("steps with a gradient of exactly 0", 1.0, MOST, percent=True),),
        strength=1 / MOST,
    )


def _steps_without_loss(loss: Series | None) -> frozenset[int]:
    """Steps with a loss of exactly 0, such as a margin that is kept: nothing is left to learn."""
    return frozenset() if loss is None else frozenset(steps_where(loss, lambda v: v == 0))


STALE_GRADIENTS = Rule(
    name="stale_gradients",
    title="Gradients never set to zero",
    find=stale_gradients,
    explanation=(
        "`backward` adds to what is in `.grad`. Without `zero_grad` before it, old gradients stay "
        "in the sum, and the steps become longer and longer."
    ),
    healthy="After `zero_grad`, `.grad` holds the gradient of the last backward pass alone.",
    source="Zhang et al. 2018, An empirical study on TensorFlow program bugs",
    explains=CONSEQUENCES,
    remedies=("clear_gradients",),
    change=(
        "optimizer.zero_grad()  # before each loss.backward()\nloss.backward()\noptimizer.step()"
    ),
)
GRADIENTS_CLEARED_BEFORE_STEP = Rule(
    name="gradients_cleared_before_step",
    title="Gradients cleared before the step",
    find=gradients_cleared_before_step,
    explanation=(
        "`zero_grad` between `backward` and `step` deletes what `backward` has computed: the "
        "optimizer finds no gradient, and the weights keep their values or follow momentum and "
        "decay alone."
    ),
    healthy="The gradients at the step are those of the last backward pass, clipped at most.",
    source="PyTorch documentation, torch.optim, Taking an optimization step",
    explains=("weights_stand_still", "too_few_steps", *CONSEQUENCES),
    remedies=("clear_gradients",),
    own_loops=True,
    change=(
        "optimizer.zero_grad()\n"
        "loss.backward()\n"
        "optimizer.step()  # nothing between the two clears gradients"
    ),
)
ACCUMULATION_NOT_DIVIDED = Rule(
    name="accumulation_not_divided",
    title="Accumulated losses that are not divided",
    find=accumulation_not_divided,
    explanation=(
        "`backward` adds gradients. Those of k small batches, each with a mean loss, add up to k "
        "times the gradient of one large batch, so that a step is k times as long as the learning "
        "rate says."
    ),
    healthy="A loss divided by the number of backward passes for one step.",
    source="PyTorch documentation, Automatic Mixed Precision examples, Gradient accumulation",
    explains=("exploding_gradient", "rate_too_high", "dead_relu", "saturation", "not_learning"),
    remedies=("lower_rate",),
    own_loops=True,
    change="(loss / parts).backward()  # parts: batches for each optimizer.step()",
)
CLIPPED_BEFORE_UNSCALE = Rule(
    name="clipped_before_unscale",
    title="Gradients clipped before they are unscaled",
    find=clipped_before_unscale,
    explanation=(
        "A gradient scaler multiplies the loss, and so all gradients, by a large factor, and "
        "divides them before the step. A clip in between compares the multiplied gradients with "
        "its limit: after the division nearly nothing is left."
    ),
    healthy="`scaler.unscale_(optimizer)`, then the clip, then `scaler.step(optimizer)`.",
    source="PyTorch documentation, Automatic Mixed Precision examples, Gradient clipping",
    explains=("clipped_away", "vanishing_gradient", "rate_too_low", "underfitting", "not_learning"),
    own_loops=True,
    change=(
        "scaler.scale(loss).backward()\n"
        "scaler.unscale_(optimizer)  # before the clipping\n"
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
        "scaler.step(optimizer)\n"
        "scaler.update()"
    ),
)
GRADIENT_IS_ZERO = Rule(
    name="gradient_zero",
    title="Gradients that are exactly 0",
    find=gradient_zero,
    explanation=(
        "A function that is flat where its inputs are passes no gradient back: a clamp outside of "
        "its range, a rounding, a comparison, ReLU units that are all 0. Nothing can be learned "
        "from such a loss, however large it is."
    ),
    healthy="A gradient of 0 only where the loss is 0.",
    source="Goodfellow, Bengio, Courville 2016, section 6.3",
    explains=("vanishing_gradient", "rate_too_low", "underfitting", "not_learning"),
    own_loops=True,
    symptom=True,
    change=(
        "# no .sign(), .round(), argmax or clamp between the weights and the loss, and an\n"
        "# output activation that is not at its limit: give the loss the plain logits\n"
        "loss = F.cross_entropy(logits, target)"
    ),
)
