"""L51 and L52: the number of kernels of a convolutional network, and their size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.convolution.photographs import (
    Errors,
    PhotographSettings,
    arms_of,
    error_numbers,
    error_picture,
    errors_by_seed,
    network,
    range_of_means,
)
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.networks import ConvNet

NUMBERS = (8, 16, 32, 64)  # kernels of the first convolution; the second has twice as many
SIDES = (3, 5, 7, 9)
KERNELS = 16  # of the network of kernels of side 3
EQUAL_MAPS, EQUAL_SIZE = "equal numbers of kernels", "equal numbers of parameters"


# L51: how many kernels


def by_number() -> dict[str, ConvNet]:
    return {f"{number} kernels": network(number) for number in NUMBERS}


def rank_correlations(errors: Errors) -> list[float]:
    """Spearman's correlation of error and number of kernels, of each seed."""
    from scipy import stats

    columns = zip(*errors.values(), strict=True)
    return [float(stats.spearmanr(NUMBERS, column).statistic) for column in columns]


def number_criteria(errors: Errors) -> tuple[Criterion, ...]:
    mean, _, high = of_mean(rank_correlations(errors))
    means = [fmean(values) for values in errors.values()]
    first, last = means[0] - means[1], means[-2] - means[-1]
    return (
        Criterion(
            "the more kernels, the lower the error: the 95 % interval of the rank correlation is "
            "below 0 (high end)",
            high,
            high < 0,
        ),
        Criterion(
            "each doubling lowers the mean error (smallest gain, percentage points)",
            min(before - after for before, after in pairwise(means)),
            all(after < before for before, after in pairwise(means)),
        ),
        Criterion(
            "the last doubling gains less than half of what the first did (percentage points)",
            last,
            last < first / 2,
            part_of_claim=False,
        ),
        Criterion(
            "the mean rank correlation is below -0.8", mean, mean < -0.8, part_of_claim=False
        ),
    )


def run_l51(settings: PhotographSettings) -> LabResult:
    nets = by_number()
    errors = errors_by_seed(nets, settings)
    mean, low, high = of_mean(rank_correlations(errors))
    numbers = {
        **error_numbers(errors),
        "rank correlation, mean": mean,
        "rank correlation, low": low,
        "rank correlation, high": high,
    }
    picture = error_picture(
        {"": errors},
        [str(number) for number in NUMBERS],
        "kernels of the first convolution (the second has twice as many)",
        "More kernels",
        "Number of kernels",
    )
    hashes = recipe_hashes(arms_of(nets, settings))
    return LabResult(
        numbers, number_criteria(errors), picture, hashes, tuple(range(settings.seeds))
    )


# L52: how large


def parameters(net: ConvNet) -> int:
    return sum(p.numel() for p in net.build().parameters())


def of_equal_size(side: int) -> ConvNet:
    """The network with kernels of another side whose number of parameters is nearest to that with
    16 kernels of side 3."""
    wanted = parameters(network(KERNELS))
    candidates = [network(count, side) for count in range(2, KERNELS + 1)]
    return min(candidates, key=lambda net: abs(parameters(net) - wanted))


def by_side() -> dict[str, dict[str, ConvNet]]:
    """Networks by side of the kernels, in two rows."""
    return {
        EQUAL_MAPS: {f"{side}x{side}, {EQUAL_MAPS}": network(KERNELS, side) for side in SIDES},
        EQUAL_SIZE: {f"{side}x{side}, {EQUAL_SIZE}": of_equal_size(side) for side in SIDES[1:]},
    }


def variance_probability(rows: Sequence[Sequence[float]]) -> float:
    """Probability of differences as large between arms without an effect, by a one-way analysis of
    variance."""
    from scipy import stats

    return float(stats.f_oneway(*rows).pvalue)


def side_criteria(rows: Mapping[str, Errors]) -> tuple[Criterion, ...]:
    maps = variance_probability(list(rows[EQUAL_MAPS].values()))
    size = variance_probability(list(rows[EQUAL_SIZE].values()))
    widest = range_of_means(rows[EQUAL_MAPS])
    return (
        Criterion(
            "with equal numbers of kernels the side of the kernels has no significant effect on "
            "the error (probability of such differences by chance)",
            maps,
            maps >= 0.05,
        ),
        Criterion(
            "with equal numbers of parameters it has none either (probability)", size, size >= 0.05
        ),
        Criterion(
            "with equal numbers of kernels the mean errors lie within 2 percentage points (their "
            "range)",
            widest,
            widest < 2,
            part_of_claim=False,
        ),
    )


def run_l52(settings: PhotographSettings) -> LabResult:
    nets = by_side()
    errors = errors_by_seed({**nets[EQUAL_MAPS], **nets[EQUAL_SIZE]}, settings)
    small = f"{SIDES[0]}x{SIDES[0]}, {EQUAL_MAPS}"  # one network is the first of both rows
    rows: dict[str, dict[str, list[float]]] = {
        EQUAL_MAPS: {name: errors[name] for name in nets[EQUAL_MAPS]},
        EQUAL_SIZE: {name: errors[name] for name in (small, *nets[EQUAL_SIZE])},
    }
    numbers = error_numbers(errors)
    for name, net in {**nets[EQUAL_MAPS], **nets[EQUAL_SIZE]}.items():
        numbers[f"{name}: parameters"] = float(parameters(net))
    for name, row in rows.items():
        numbers[f"{name}: range of mean errors, points"] = range_of_means(row)
    picture = error_picture(
        rows, [f"{side}x{side}" for side in SIDES], "kernel", "Larger kernels", "Side of kernels"
    )
    hashes = recipe_hashes(arms_of({**nets[EQUAL_MAPS], **nets[EQUAL_SIZE]}, settings))
    return LabResult(numbers, side_criteria(rows), picture, hashes, tuple(range(settings.seeds)))


SMALL = {"photographs": 100, "epochs": 1, "seeds": 2}
L51 = Lab(
    "L51",
    lab_texts()["L51"],
    run_l51,
    PhotographSettings(),
    lambda settings: arms_of(by_number(), settings),
    minutes=2,
    small=SMALL,
)
L52 = Lab(
    "L52",
    lab_texts()["L52"],
    run_l52,
    PhotographSettings(),
    lambda settings: arms_of({**by_side()[EQUAL_MAPS], **by_side()[EQUAL_SIZE]}, settings),
    minutes=2,
    small=SMALL,
)
