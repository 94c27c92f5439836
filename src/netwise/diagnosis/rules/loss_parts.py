"""Losses of several parts of which one leaves nothing to the part that compares outputs with
targets."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import FEWEST, has_learned, too_few_steps
from netwise.history import History
from netwise.signals import BATCH_R2, LOSS_OF_OTHERS, LOSS_OF_TARGETS

LEFT = 0.9  # of the first value of the part with targets, that is left in runs that learn nothing
EXPLAINED = 0.1  # R² of the last batches
LARGER = 10.0  # times as large as the part with targets
OBEYED = 0.2  # of the first value of the other parts
# Where outputs explain nothing of the targets, the part with targets has fallen as far as that of a
# constant answer.
UNEXPLAINED = 0.02  # R² of the last batches
COLLAPSED = 0.05  # of the first value of the other parts
FELT = 0.02  # first value of the other parts over that of the part with targets
WORTH = 0.1  # first value of the other parts over that of the part with targets


def one_part_rules(history: History) -> Answer:
    """Find a loss whose part with targets has not fallen, while its other parts are much larger or
    have been brought down: the weights follow these."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    main, others = history.of(LOSS_OF_TARGETS), history.of(LOSS_OF_OTHERS)
    if main is None or others is None:
        return Unchecked("the loss has one part, or the values of its parts are not known")
    if min(len(main.finite), len(others.finite)) < 2 * FEWEST:
        return Unchecked(too_few_steps(len(main.finite), fewest=2 * FEWEST))
    if has_learned(history):
        return None
    first, last = _ends(main.finite)
    before, now = (abs(value) for value in _ends(others.finite))
    explained = history.of(BATCH_R2)
    r2 = _ends(explained.finite)[1] if explained is not None and explained.finite else None
    is_constant = r2 is not None and r2 <= UNEXPLAINED
    if first <= 0 or (last < LEFT * first and not is_constant):
        return None
    if r2 is not None and r2 > EXPLAINED:
        return None
    # Parts that may be below 0, as those of a policy gradient, have no size.
    is_size = min(others.finite) >= 0
    is_larger = is_size and now > LARGER * last
    is_obeyed = is_size and now < OBEYED * before and before > WORTH * first
    # A part with a large factor is brought down within a few steps.
    highest = max(others.finite[:FEWEST])
    has_collapsed = is_size and is_constant and now < COLLAPSED * highest and highest > FELT * first
    if has_collapsed:
        before = highest
    if not is_larger and not is_obeyed and not has_collapsed:
        return None
    what = (
        f"are {now / last:,.3g} times as large"
        if is_larger
        else f"were brought from {before:.3g} to {now:.2g}"
    )
    return Finding(
        rule="one_part_rules",
        sentence=(
            f"{_main_part(first, last)}, while the other parts {what}: the weights follow these. "
            "Give them a smaller factor."
        ),
        steps=(main.steps[0], main.steps[-1]),
        evidence=(
            Evidence("other parts / part with targets", now / last, LARGER)
            if is_larger
            else Evidence("other parts at the end / at first", now / before, OBEYED, above=False),
            Evidence("part with targets at the end / at first", last / first, LEFT),
        ),
        strength=now / (LARGER * last) if is_larger else OBEYED * before / max(now, 1e-9 * before),
    )


def _main_part(first: float, last: float) -> str:
    name = "The part of the loss that compares outputs with targets"
    if last >= LEFT * first:
        return f"{name} has not fallen ({first:.3g} to {last:.3g})"
    return (
        f"{name} has fallen as far as a constant answer brings it ({first:.3g} to {last:.3g}; "
        "the outputs explain nothing of the targets)"
    )


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Medians of the first values and of the last third."""
    return median(values[:FEWEST]), median(values[-max(FEWEST, len(values) // 3) :])


ONE_PART_RULES = Rule(
    name="one_part_rules",
    title="Part of the loss that rules the others",
    find=one_part_rules,
    explanation=(
        "Gradients of the parts of a loss add up. A part with a large factor, or one that is a sum "
        "where the other is a mean, decides the direction of the steps. In a variational "
        "autoencoder a KL divergence that rules makes all codes the same: the posterior collapses, "
        "and the decoder answers the mean."
    ),
    healthy="Parts of the same order, of which that with the targets falls.",
    source="Bowman et al. 2016, arXiv 1511.06349; Kendall, Gal, Cipolla 2018, arXiv 1705.07115",
    explains=("outputs_collapse", "one_answer", "not_learning", "plateau", "vanishing_gradient"),
    own_loops=True,
    change=(
        "loss = loss_of_targets + 0.01 * other  # or raise the factor slowly from 0\n"
        "print(loss_of_targets.item(), other.item())  # both, and both sums or both means"
    ),
)
