"""L84: the sizes of maps after a convolution, by formula and by torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.networks.sizes import same, same_padding, valid
from netwise.part import integer
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg

SIDE, KERNEL = 28, 5  # of the picture

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class SizeSettings(LabSettings):
    """What can be varied in L84.

    Args:
        largest: the largest side, kernel and stride. Default 32.
    """

    largest: int = integer(32, least=2, most=64, because="there are its cube of cases")


def cases(largest: int) -> Iterator[tuple[int, int, int]]:
    """(side, kernel, stride) of all convolutions whose kernel fits into the map."""
    for side in range(1, largest + 1):
        for kernel in range(1, side + 1):
            for stride in range(1, largest + 1):
                yield side, kernel, stride


def side_by_torch(
    side: int, kernel: int, stride: int, padding: int = 0, before: int = 0, after: int = 0
) -> int:
    """The side of the map that torch computes, on its device without numbers; zeros may be put
    before and after the map first."""
    x = torch.empty((1, 1, side + before + after), device="meta")
    weight = torch.empty((1, 1, kernel), device="meta")
    return F.conv1d(x, weight, stride=stride, padding=padding).shape[2]


def as_printed(side: int, kernel: int, stride: int) -> int:
    """The formula with the brackets missing: side - kernel + 1 / stride, rounded up."""
    return math.ceil(side - kernel + 1 / stride)


def size_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    wrong = numbers["VALID: share of cases in which formula and torch differ"]
    padded = numbers["padded by half of the kernel: share in which they differ"]
    filled = numbers["SAME: share of cases in which formula and torch differ"]
    printed = numbers["without the brackets: share of cases that are wrong"]
    return (
        Criterion(
            "VALID: (side - kernel + 1) / stride, rounded up, is torch's size in every case "
            "(share of differences)",
            wrong,
            wrong == 0,
        ),
        Criterion(
            "with zeros around the map the same formula holds for the enlarged side (share of "
            "differences)",
            padded,
            padded == 0,
        ),
        Criterion(
            "SAME: side / stride, rounded up, is the size in every case, whatever the kernel "
            "(share of differences)",
            filled,
            filled == 0,
        ),
        Criterion(
            "as it is printed in the note, without brackets, the formula is wrong in most cases "
            "(share)",
            printed,
            printed > 0.5,
            part_of_claim=False,
        ),
    )


def run_l84(settings: SizeSettings) -> LabResult:
    tried = list(cases(settings.largest))
    wrong = padded = filled = printed = 0
    for side, kernel, stride in tried:
        right = side_by_torch(side, kernel, stride)
        wrong += valid(side, kernel, stride) != right
        printed += as_printed(side, kernel, stride) != right
        half = kernel // 2
        padded += valid(side + 2 * half, kernel, stride) != side_by_torch(
            side, kernel, stride, half
        )
        before, after = same_padding(side, kernel, stride)
        filled += same(side, stride) != side_by_torch(
            side, kernel, stride, before=before, after=after
        )
    numbers = {
        "cases": float(len(tried)),
        "VALID: share of cases in which formula and torch differ": wrong / len(tried),
        "padded by half of the kernel: share in which they differ": padded / len(tried),
        "SAME: share of cases in which formula and torch differ": filled / len(tried),
        "without the brackets: share of cases that are wrong": printed / len(tried),
    }
    return LabResult(numbers, size_criteria(numbers), _side_by_stride())


def _side_by_stride() -> str:
    strides = range(1, 9)
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.plot(strides, [same(SIDE, s) for s in strides], "o-", color=BLUE, label="SAME")
        axis.plot(
            strides, [valid(SIDE, KERNEL, s) for s in strides], "o-", color=ORANGE, label="VALID"
        )
        axis.plot(
            strides,
            [as_printed(SIDE, KERNEL, s) for s in strides],
            "--",
            color=GREY,
            label="VALID, without the brackets",
        )
        axis.set_ylim(bottom=0)
        axis.set_xlabel("stride")
        axis.set_ylabel("side of the output, pixels")
        axis.set_title(f"A map of side {SIDE}, a kernel of side {KERNEL}")
        axis.legend()
        return svg(drawing, "Sizes of maps")


L84 = Lab("L84", lab_texts()["L84"], run_l84, SizeSettings(), minutes=0.1, small={"largest": 8})
