"""Pictures of a finding: its numbers beside their limits, and the signals that they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from netwise import signals
from netwise.diagnosis.rules import Evidence, Finding
from netwise.history import History, Series
from netwise.report.pictures.drawing import (
    COLOURS,
    GREY,
    figure,
    svg,
    use_log_scale,
    use_whole_ticks,
)

MOST_LINES = 6  # of one picture
LOG_RATIO = 50  # values that span more are drawn on a logarithmic axis
LONGEST_TITLE = 56  # characters
DECADES = 3.0  # to both sides of the limit in the bar of a number

# The signals that show a finding over time, by its rule; of each layer, or of the whole network.
SIGNALS_OF: dict[str, tuple[str, ...]] = {
    "vanishing_gradient": (signals.GRADIENT_RMS,),
    "exploding_gradient": (signals.GRADIENT_RMS,),
    "weights_stand_still": (signals.UPDATE_RATIO,),
    "graph_cut": (signals.GRADIENT_RATIO,),
    "rate_too_high": (signals.UPDATE_RATIO,),
    "rate_too_low": (signals.UPDATE_RATIO,),
    "rate_faded": (signals.GROUP_RATE,),
    "stuck_output": (signals.ACTIVATION_SATURATED, signals.LOSS),
    "dead_relu": (signals.DEAD_UNITS,),
    "saturation": (signals.ACTIVATION_SATURATED,),
    "start_symmetric": (signals.UNITS_EQUAL,),
    "stale_gradients": (signals.STALE,),
    "gradients_cleared_before_step": (signals.GRADIENT_CLEARED,),
    "accumulation_not_divided": (signals.BACKWARD_PASSES,),
    "gradient_zero": (signals.GRADIENT_ZERO,),
    "brakes_too_strong": (signals.PENALTY,),
    "not_shuffled": (signals.BATCH_CLASSES,),
    "inputs_not_normalised": (signals.INPUT_MEAN, signals.INPUT_STD),
    "evaluation_mode_in_training": (signals.TRAINING_MODE,),
    "training_mode_in_evaluation": (signals.EVALUATION_MODE,),
    "evaluation_prepared_otherwise": (signals.TRAINING_INPUT_MEAN, signals.EVALUATION_INPUT_MEAN),
    "running_statistics_misfit": (signals.NORM_MEAN_OFFSET,),
    "not_finite": (signals.LOSS,),
    "not_learning": (signals.LOSS,),
    "plateau": (signals.LOSS,),
    "oscillation": (signals.LOSS,),
    "spike": (signals.LOSS,),
    "weights_run_away": (signals.WEIGHT_NORM,),
    "effective_rate_gone": (signals.UPDATE_RATIO,),
    "one_answer": (signals.LOSS,),
    "outputs_collapse": (signals.LOSS,),
    "unstable_loss": (signals.LOSS,),
    "too_short": (signals.LOSS,),
    "too_few_steps": (signals.LOSS,),
    "batch_too_small": (signals.LOSS,),
    "activation_flattens": (signals.OUTPUT_SPREAD,),
    "steps_all_one_way": (signals.GRADIENT_COSINE, signals.LOSS),
    "loss_still_falls": (signals.LOSS,),
    "best_was_earlier": (signals.TRAIN_LOSS, signals.VALID_LOSS),
    "clipped_away": (signals.GRADIENT_FACTOR,),
    "warm_up_too_long": (signals.GROUP_RATE,),
    "start_too_large": (signals.ACTIVATION_STD,),
    "start_too_small": (signals.ACTIVATION_STD,),
    "frozen_layers": (signals.UPDATE_RATIO,),
    "class_imbalance": (signals.ACCURACY,),
    "underfitting": (signals.LOSS,),
    "overfitting": (signals.TRAIN_LOSS, signals.VALID_LOSS),
    "labels_suspect": (signals.TRAIN_ACCURACY, signals.VALID_ACCURACY),
    "posterior_collapse": (signals.LATENT_KL,),
    "dead_code": (signals.CODE_DEAD,),
    "hidden_unused": (signals.HIDDEN_CONSTANT,),
    "negative_phase_stuck": (signals.CHAIN_AUTOCORRELATION,),
}

Line = tuple[str, Series]


def finding_pictures(history: History, finding: Finding, name: str = "") -> list[str]:
    """The signals of a finding over steps, one picture; none where nothing of them was recorded.

    Args:
        history: of the run.
        finding: with its layers; of a finding without layers, all of them.
        name: tells this history from others on the same page, such as "before".
    """
    names = SIGNALS_OF.get(finding.rule, ())
    lines = [line for signal in names for line in _lines(history, signal, finding.layers)]
    lines = _spread([(label, series) for label, series in lines if series.finite])
    if len({value for _, series in lines for value in series.finite}) < 2:
        return []  # nothing to see: one value all the time
    title = signals.SIGNALS[names[0]].meaning
    title = title if len(title) <= LONGEST_TITLE else names[0].replace(".", " ")
    with figure(height=2.3) as (made, axes):
        axis = axes[0][0]
        for (label, series), colour in zip(lines, COLOURS, strict=False):
            axis.plot(series.steps, series.values, color=colour, label=label)
        if names[0] == signals.LOSS and _is_finite(history.facts.loss_of_guessing):
            guess = history.facts.loss_of_guessing
            axis.axhline(guess, color=GREY, linestyle=":", label=f"guessing: {guess:.3g}")
        if _spans_decades([series for _, series in lines]):
            use_log_scale(axis, "y")
        axis.set_title(title[0].upper() + title[1:])
        axis.set_xlabel("step")
        use_whole_ticks(axis)
        axis.legend(loc="best")
        return [svg(made, f"{finding.rule} over steps {name}".strip())]


def _lines(history: History, signal: str, layers: Sequence[str]) -> list[Line]:
    """The series of a signal, with the labels of their lines."""
    whole = history.of(signal)
    if whole is not None:
        return [(signal.replace(".", " "), whole)]
    found = {layer: series for (name, layer), series in history.series.items() if name == signal}
    order = [layer.name for layer in history.layers if layer.name in found]
    chosen = [layer for layer in layers if layer in found]
    if chosen:  # beside the last one, which others are compared with
        chosen += [layer for layer in order[-1:] if layer not in chosen]
    else:
        chosen = order or list(found)
    return [(layer, found[layer]) for layer in chosen]


def _spread(lines: list[Line]) -> list[Line]:
    """The first and the last line and some between them."""
    if len(lines) <= MOST_LINES:
        return lines
    last = len(lines) - 1
    return [lines[round(i * last / (MOST_LINES - 1))] for i in range(MOST_LINES)]


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _spans_decades(drawn: Sequence[Series]) -> bool:
    values = [value for series in drawn for value in series.finite]
    return min(values) > 0 and max(values) > LOG_RATIO * min(values)


def evidence_bar(evidence: Evidence) -> str:
    """A number beside its limit as a small SVG: the limit is the line in the middle, the bar goes
    to the number; both on a logarithmic scale. "" where the two cannot be compared so.

    >>> evidence_bar(Evidence("x", 2.0, 1.0)).startswith("<svg")
    True
    """
    value, limit = evidence.value, evidence.limit
    if not (limit > 0 and math.isfinite(limit) and value >= 0 and math.isfinite(value)):
        return ""
    decades = math.log10(value / limit) if value > 0 else -DECADES
    end = 50 + 50 * max(-1.0, min(1.0, decades / DECADES))
    left, width = min(50.0, end), max(abs(end - 50), 1.0)
    label = escape(f"{evidence.value_text}, {evidence.limit_text}", quote=True)
    return (
        f'<svg class="bar" viewBox="0 0 100 10" role="img" aria-label="{label}" '
        'preserveAspectRatio="none">'
        '<rect class="track" x="0" y="3" width="100" height="4"/>'
        f'<rect class="value" x="{left:.1f}" y="2" width="{width:.1f}" height="6"/>'
        '<rect class="limit" x="49.5" y="0" width="1" height="10"/></svg>'
    )
