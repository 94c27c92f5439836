"""Batch norm layers that see too few values for a mean and a variance."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.observation import listed
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History

FEWEST_VALUES = 4  # two values become -1 and 1, three little more than their order


def bn_with_one_sample(history: History) -> Answer:
    """Find batch norm layers whose statistics are those of one value per channel, or of two or
    three in a run that has not learned."""
    facts = first_batch_fact(history, "single_norms")
    if isinstance(facts, Unchecked):
        return facts
    single, fewest = facts.single_norms or (), facts.norm_values
    if not single and (fewest is None or fewest >= FEWEST_VALUES or has_learned(history)):
        return None
    count = fewest or 1
    which = f" in {listed(single)}" if single else ""
    what = (
        "the variance of one value is 0, and torch raises an error"
        if single
        else f"{count} values less their mean over their deviation are nearly constants"
    )
    return Finding(
        rule="bn_with_one_sample",
        sentence=(f"Batch norm sees {count} value{'s' * (count > 1)} per channel{which}: {what}."),
        layers=single,
        evidence=(Evidence("values per channel", float(count), FEWEST_VALUES, above=False),),
        strength=FEWEST_VALUES / count,
        grade="cause" if single else "suspect",
    )


BN_WITH_ONE_SAMPLE = Rule(
    name="bn_with_one_sample",
    title="Batch norm of too few values",
    find=bn_with_one_sample,
    explanation=(
        "Batch norm subtracts the mean of a batch and divides by its standard deviation. Of few "
        "values these are mostly noise, and little of the values is left."
    ),
    healthy="At least 16 values per channel: samples times positions.",
    source="Wu and He 2018, Group normalization, figure 1",
    explains=("step_fails", "running_statistics_misfit", "not_learning", "underfitting"),
    own_loops=True,
    change=(
        "loader = DataLoader(data, batch_size=32, shuffle=True, drop_last=True)\n"
        "# or nn.GroupNorm, nn.LayerNorm instead of batch norm"
    ),
)
