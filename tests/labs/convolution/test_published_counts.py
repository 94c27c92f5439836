"""Receptive fields of L75 against the closed form; its criteria can fail both ways."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.labs.convolution.published_counts import (
    CLASSICS,
    anatomy,
    count_criteria,
    last_field,
    weights_of_stack,
)
from netwise.labs.lab_definition import LabResult
from netwise.labs.record import recorded

# (kernel, stride) of each convolution and pooling on the longest way, from the papers.
BASIC = [(3, 1)] + [(3, 1)] * 6 + [(3, 2)] + [(3, 1)] * 5 + [(3, 2)] + [(3, 1)] * 5
VGG_STAGES = [*[(3, 1)] * 2, (2, 2)] * 2 + [*[(3, 1)] * 3, (2, 2)] * 3
CHAINS = {
    "LeNet-5 (1998)": [(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)],
    "AlexNet, torchvision": [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],
    "VGG-16 (2014)": VGG_STAGES,
    "ResNet-20, CIFAR": BASIC,
}


def closed_form(chain: list[tuple[int, int]]) -> int:
    """1 + sum of (kernel - 1) times the product of the strides before."""
    size, jump = 1, 1
    for kernel, stride in chain:
        size, jump = size + (kernel - 1) * jump, jump * stride
    return size


@pytest.mark.parametrize("name", CHAINS)
def test_receptive_fields_are_the_closed_form(name: str) -> None:
    assert last_field(anatomy(CLASSICS[name])) == closed_form(CHAINS[name])


def test_a_stack_of_small_kernels_has_fewer_weights() -> None:
    assert weights_of_stack(3, 2, 10) == 1800
    assert weights_of_stack(5, 1, 10) == 2500


def test_criteria_can_fail_both_ways() -> None:
    counts = {name: each.parameters for name, each in CLASSICS.items()}
    fields = {name: each.field or 0 for name, each in CLASSICS.items()}
    assert LabResult({}, count_criteria(counts, fields), "").verdict == "confirmed"
    off = {name: count + 1 for name, count in counts.items()}
    criteria = count_criteria(off, dict.fromkeys(fields, 1))
    assert [criterion.holds for criterion in criteria] == [False, False, True, False]
    small = {**counts, "VGG-16 (2014)": 1}
    assert count_criteria(small, fields)[-1].holds


def test_the_recorded_counts_come_again() -> None:
    result, old = nw.lab("L75").run(), recorded("L75")
    assert old is not None
    assert dict(result.numbers) == old["numbers"]
    assert old["verdict"] == result.verdict
    assert result.figure.startswith("<svg")
