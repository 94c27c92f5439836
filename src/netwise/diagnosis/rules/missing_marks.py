"""Missing values that stand in the inputs as a number, such as -999."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.diagnosis.rules.outcome import has_learned
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

LEFT = 0.2  # of a feature's standard deviation, without the repeated number


def missing_as_number(history: History) -> Answer:
    """Find features in which one repeated number, far from all others, makes up nearly all of their
    spread, in a run that has not learned."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or data.train_samples == 0:
        return Unchecked("no batches of training were kept together with their targets")
    if data.missing_marks is None or has_learned(history):
        return None
    count, share, left = data.missing_marks
    of = "a feature" if count == 1 else f"{count} features"
    return Finding(
        rule="missing_as_number",
        sentence=(
            f"In {of} of the inputs one and the same number, far from all others, stands in "
            f"{100 * share:.2g} % of the rows: without it the standard deviation is "
            f"{100 * left:.2g} % of what it is. It looks like a mark of missing values, such as "
            "-999, that is used as a measured one. Fill it in before scaling, and give the network "
            "a column that says where."
        ),
        evidence=(
            Evidence("standard deviation without that number", left, LEFT, False, percent=True),
        ),
        strength=LEFT / max(left, 1e-3),
        grade="cause",
        change=(
            "missing = x == -999\n"
            "x = torch.where(missing, x[~missing].mean(), x)  # column by column, then scale\n"
            "x = torch.cat([x, missing.float()], 1)"
        ),
    )


MISSING_AS_NUMBER = Rule(
    name="missing_as_number",
    title="Missing values used as a number",
    find=missing_as_number,
    explanation=(
        "A number far outside of the range of a feature rules its mean and its standard deviation: "
        "after scaling, what was measured is nearly constant, and rows with a gap are extreme."
    ),
    healthy="Gaps that are filled in before scaling, with a column that marks them.",
    source="Little, Rubin 2019, Statistical Analysis with Missing Data; Google, Rules of ML, data",
    explains=("behind_baseline", "plateau", "inputs_not_normalised", *CONSEQUENCES),
    own_loops=True,
)
