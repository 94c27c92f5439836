"""Steps that are not short beside the weights, and short beside the way that they have to go."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import (
    FEWEST,
    NO_UPDATES,
    WORTHWHILE,
    final_loss_share,
    finite_median,
    gain_to_come,
    has_learned,
    no_baseline,
    rate_text,
    series_by_layer,
)
from netwise.history import History, Series
from netwise.signals import GRADIENT_COSINE, UPDATE_COSINE

# Cosines over the last third of the steps, in the layer where they are least, of runs that have not
# learned and whose loss falls: with faults other than short steps those of gradients are 0.45 at
# most.
ALIKE, ONE_WAY = 0.5, 0.85
FEW = 100  # steps: in the first ones gradients agree in sound runs, too
HALF = 0.5  # of the loss of guessing


def steps_all_one_way(history: History) -> Answer:
    """Find a run that has not learned, in which each gradient still has the direction of the one
    before, and the loss still falls: with steps of a useful size gradients of batches differ."""
    gradients = series_by_layer(history, GRADIENT_COSINE)
    if not gradients:
        return Unchecked(NO_UPDATES)
    left, gain = final_loss_share(history), gain_to_come(history)
    if left is None or gain is None:
        return Unchecked(no_baseline(history))
    if history.ended.step <= FEW or has_learned(history) or left < HALF or gain < WORTHWHILE:
        return None
    alike = min(_at_the_end(series) for series in gradients.values())
    one_way = [_at_the_end(series) for series in series_by_layer(history, UPDATE_COSINE).values()]
    if alike < ALIKE or min(one_way, default=0.0) < ONE_WAY:
        return None
    return Finding(
        rule="steps_all_one_way",
        sentence=(
            f"After {history.ended.step:,} steps the gradients of all layers still have the same "
            f"direction from step to step, and the loss still falls{rate_text(history)}: "
            "longer steps would be as safe."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("smallest cosine of gradients in a row", alike, ALIKE),
            Evidence("expected fall / loss that is left", gain, WORTHWHILE, percent=True),
        ),
        strength=alike / ALIKE,
    )


def _at_the_end(series: Series) -> float:
    """Median of the last third; 0 where that is too few steps."""
    last = series.values[-max(FEWEST, len(series) // 3) :]
    return (finite_median(last) or 0.0) if len(last) >= FEWEST else 0.0


STEPS_ALL_ONE_WAY = Rule(
    name="steps_all_one_way",
    title="Steps that are short beside the way",
    find=steps_all_one_way,
    explanation=(
        "Where a step is long enough to matter, the next gradient differs from the last one: by "
        "the curvature of the loss, and by the noise of batches. Gradients that agree step after "
        "step show a long slope that is walked down in small steps: raise the rate, or train "
        "longer."
    ),
    healthy="Cosines between gradients in a row that fall to 0.3 and less within the run.",
    source=(
        "Bottou, Curtis, Nocedal 2018, Optimization methods for large-scale machine learning, "
        "section 4"
    ),
    explains=("not_learning", "underfitting", "plateau", "loss_still_falls"),
    remedies=("search_rate", "use_adam"),
    change=(
        "for group in optimizer.param_groups:  # before the loop; compare the first 100 steps\n"
        '    group["lr"] *= 10'
    ),
)
