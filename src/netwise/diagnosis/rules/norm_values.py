"""Batch norm layers that see too few values for a mean and a variance, or keep no average."""

from __future__ import annotations

from netwise.diagnosis.rules.evaluation import running_statistics_misfit
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.observation import listed
from netwise.diagnosis.rules.outcome import has_learned
from netwise.history import History

EAGER = 0.9  # momentum: nine tenths of the statistics are those of one batch
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


def norm_momentum(history: History) -> Answer:
    """Find batch norm layers that keep no average: with a momentum of 0 whose statistics are those
    of the start, or with one near 1, of which those of the last batch are left."""
    facts = first_batch_fact(history, "still_norms")
    if isinstance(facts, Unchecked):
        return facts
    still, eager = facts.still_norms or (), facts.eager_norms
    if not still and (not eager or has_learned(history) or _has_one_batch(history)):
        return None
    one, momentum = len(still or eager) == 1, facts.norm_momentum or 0.0
    what = (
        f"a momentum of 0: {'its' if one else 'their'} running means stay 0 and the variances 1, "
        "and evaluation mode normalizes with these, whatever the data are"
        if still
        else f"a momentum of {momentum:g}, the share of the newest batch: in evaluation mode the "
        "running statistics are nearly those of the last batch alone"
    )
    return Finding(
        rule="norm_momentum",
        sentence=f"{listed(still or eager)} {'has' if one else 'have'} {what}.",
        layers=still or eager,
        steps=(0, history.ended.step),
        evidence=(
            Evidence("momentum of batch norm", momentum, 0.0, above=False)
            if still
            else Evidence("momentum of batch norm", momentum, EAGER),
        ),
        grade="cause" if still or _misfits(history) else "suspect",
    )


def _misfits(history: History) -> bool:
    """Whether evaluations show that the statistics do not fit."""
    return isinstance(running_statistics_misfit(history), Finding)


def _has_one_batch(history: History) -> bool:
    """Whether all steps are made on the same rows: the last batch is then as good as an average."""
    return history.data is not None and bool(history.data.batches_alike)


NORM_MOMENTUM = Rule(
    name="norm_momentum",
    title="Batch norm that keeps no average",
    find=norm_momentum,
    explanation=(
        "In evaluation mode batch norm uses averages of the statistics of training batches. "
        "torch's momentum is the share of the newest batch, 1 minus what other libraries call so: "
        "0 keeps the start for ever, 0.99 forgets all but the last batch."
    ),
    healthy="A momentum of about 0.1, or of 0 where statistics come from earlier training.",
    source="PyTorch documentation, torch.nn.BatchNorm1d; Ioffe, Szegedy 2015, arXiv 1502.03167",
    explains=("running_statistics_misfit",),
    own_loops=True,
    change="nn.BatchNorm1d(features, momentum=0.1)  # what other libraries call 0.9",
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
