"""The cases of L84 are all that fit; torch's side is that of real numbers; criteria can fail."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from netwise.labs.convolution.output_sizes import as_printed, cases, side_by_torch, size_criteria
from netwise.labs.lab_definition import LabResult


def test_all_kernels_that_fit_are_tried() -> None:
    assert len(list(cases(32))) == 32 * 32 * 33 // 2
    assert all(kernel <= side for side, kernel, _ in cases(5))


@pytest.mark.parametrize(("side", "kernel", "stride", "pad"), [(28, 5, 1, 0), (7, 3, 2, 1)])
def test_sides_without_numbers_are_those_of_real_convolutions(
    side: int, kernel: int, stride: int, pad: int
) -> None:
    real = F.conv1d(torch.zeros(1, 1, side), torch.zeros(1, 1, kernel), stride=stride, padding=pad)
    assert side_by_torch(side, kernel, stride, pad) == real.shape[2]
    assert side_by_torch(side, kernel, stride, before=pad, after=pad) == real.shape[2]


def test_the_printed_formula_ignores_the_stride() -> None:
    assert [as_printed(28, 5, stride) for stride in (1, 2, 7)] == [24, 24, 24]


def test_criteria_can_fail_both_ways() -> None:
    names = (
        "VALID: share of cases in which formula and torch differ",
        "padded by half of the kernel: share in which they differ",
        "SAME: share of cases in which formula and torch differ",
        "without the brackets: share of cases that are wrong",
    )
    right = size_criteria(dict.fromkeys(names, 0.0))
    assert LabResult({}, right, "").verdict == "confirmed"
    assert not right[-1].holds
    wrong = size_criteria(dict.fromkeys(names, 0.7))
    assert LabResult({}, wrong, "").verdict == "refuted"
    assert wrong[-1].holds
