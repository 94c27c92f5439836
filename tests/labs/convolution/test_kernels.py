"""Networks of equal numbers of parameters, correlations and the criteria of L51, L52 and L53."""

from __future__ import annotations

import pytest

from netwise.labs.convolution.kernels import (
    EQUAL_MAPS,
    EQUAL_SIZE,
    NUMBERS,
    SIDES,
    by_side,
    number_criteria,
    of_equal_size,
    parameters,
    rank_correlations,
    side_criteria,
    variance_probability,
)
from netwise.labs.convolution.linear_layers import COUNTS, by_count, layer_criteria
from netwise.labs.convolution.photographs import network, range_of_means
from netwise.labs.lab_definition import LabResult


def row(means: list[float], spread: float = 0.2) -> dict[str, list[float]]:
    return {str(i): [mean - spread, mean, mean + spread] for i, mean in enumerate(means)}


def test_parameters_are_those_of_the_formula() -> None:
    first, second = 3 * 9 * 16, 16 * 9 * 32
    assert parameters(network(16)) == first + second + 2 * (16 + 32) + 16 * 32 * 10 + 10
    for side in SIDES[1:]:
        assert parameters(of_equal_size(side)) == pytest.approx(parameters(network(16)), rel=0.1)


def test_rows_of_networks_have_their_kernels() -> None:
    nets = by_side()
    assert [net.kernel for net in nets[EQUAL_MAPS].values()] == list(SIDES)
    assert {net.channels for net in nets[EQUAL_MAPS].values()} == {(16, 32)}
    assert [len(net.hidden) for net in by_count().values()] == list(COUNTS)


def test_correlations_are_of_ranks() -> None:
    errors = dict(
        zip(map(str, NUMBERS), ([9.0, 1.0], [5.0, 2.0], [4.0, 3.0], [1.0, 4.0]), strict=True)
    )
    assert rank_correlations(errors) == pytest.approx([-1, 1])


def test_more_kernels_can_be_better_or_worse() -> None:
    falling = number_criteria(row([60, 55, 53, 52.5]))
    assert LabResult({}, falling, "").verdict == "confirmed"
    assert [criterion.holds for criterion in falling[2:]] == [True, True]
    rising = number_criteria(row([50, 51, 52, 53]))
    assert LabResult({}, rising, "").verdict == "refuted"
    late = number_criteria(row([53.0, 52.9, 52.0, 50.0]))
    assert not late[2].holds


def test_the_side_can_matter_or_not() -> None:
    flat, steep = row([50, 50.1, 50, 49.9]), row([50, 53, 56, 59])
    assert variance_probability(list(flat.values())) > 0.5
    assert variance_probability(list(steep.values())) < 0.001
    equal = side_criteria({EQUAL_MAPS: flat, EQUAL_SIZE: flat})
    assert LabResult({}, equal, "").verdict == "confirmed"
    assert equal[-1].holds
    matters = side_criteria({EQUAL_MAPS: steep, EQUAL_SIZE: steep})
    assert LabResult({}, matters, "").verdict == "refuted"
    assert not matters[-1].holds


def test_layers_can_matter_or_not() -> None:
    equal = layer_criteria(row([50, 50.2, 50.1, 50.0]))
    assert LabResult({}, equal, "").verdict == "confirmed"
    worse = layer_criteria(
        {
            name: [value + int(name) for value in values]
            for name, values in row([50, 52, 53, 56]).items()
        }
    )
    assert LabResult({}, worse, "").verdict == "refuted"
    assert range_of_means(row([50, 52, 53, 56])) == pytest.approx(6)
