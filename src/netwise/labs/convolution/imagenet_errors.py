"""L76: what the famous top-5 errors on ImageNet measured: no training, a comparison of published
numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg

ENTRY_OF_2012 = 15.3  # top-5 error in % of AlexNet's winning entry: seven networks, more images


@dataclass(frozen=True)
class Headline:
    """A network's famous number and what lies behind it; errors are top-5, in %.

    Args:
        noted: the error that the study note states.
        paper: the error in the paper.
        networks: how many networks it averages.
        views: parts or scales of each image that they see; 0: dense evaluation at several scales.
        single: error of one network on one part of each image, as torchvision measures it.
    """

    noted: float
    paper: float
    networks: int
    views: int
    single: float


HEADLINES: Mapping[str, Headline] = {
    "AlexNet (2012)": Headline(16.4, 16.4, 5, 10, 20.934),
    "VGG (2014)": Headline(7.3, 7.3, 7, 0, 9.618),
    "GoogLeNet (2014)": Headline(6.67, 6.67, 7, 144, 10.47),
    "ResNet (2015)": Headline(3.57, 3.57, 6, 0, 5.954),
}


def is_falling(values: Sequence[float]) -> bool:
    return all(after < before for before, after in pairwise(values))


def headline_criteria(headlines: Mapping[str, Headline]) -> tuple[Criterion, ...]:
    """Criteria on headlines in the order of their years, AlexNet first."""
    rows = list(headlines.values())
    differences = [abs(row.noted - row.paper) for row in rows]
    winner = rows[0].noted - ENTRY_OF_2012
    behind = [row.single - row.paper for row in rows]
    fewest = min(row.networks for row in rows)
    rises = [after.single - before.single for before, after in pairwise(rows)]
    return (
        Criterion(
            "each error is in the network's paper (largest difference, points)",
            max(differences),
            max(differences) == 0,
        ),
        Criterion(
            "AlexNet's 16.4 % is the error of the entry that won in 2012 (difference, points)",
            winner,
            winner == 0,
        ),
        Criterion(
            "each is the average of several networks (fewest)",
            fewest,
            fewest > 1,
            part_of_claim=False,
        ),
        Criterion(
            "one network on one part of each image is worse by more than 2 points (smallest "
            "difference)",
            min(behind),
            min(behind) > 2,
            part_of_claim=False,
        ),
        Criterion(
            "measured so, each is still better than the one before (largest rise, points)",
            max(rises),
            is_falling([row.single for row in rows]),
            part_of_claim=False,
        ),
    )


def run_l76(_: LabSettings) -> LabResult:
    numbers: dict[str, float] = {}
    for name, row in HEADLINES.items():
        numbers[f"{name}: top-5 error in the paper, %"] = row.paper
        numbers[f"{name}: networks that it averages"] = float(row.networks)
        numbers[f"{name}: one network, one part of each image, %"] = row.single
    numbers["AlexNet (2012): the entry that won, %"] = ENTRY_OF_2012
    return LabResult(numbers, headline_criteria(HEADLINES), _bars())


def _bars() -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        places = range(len(HEADLINES))
        rows = list(HEADLINES.values())
        axis.bar(
            [place - 0.2 for place in places],
            [row.paper for row in rows],
            width=0.38,
            color=BLUE,
            label="in the paper: several networks",
        )
        axis.bar(
            [place + 0.2 for place in places],
            [row.single for row in rows],
            width=0.38,
            color=ORANGE,
            label="one network, one view",
        )
        axis.plot([-0.39, -0.01], [ENTRY_OF_2012] * 2, color=GREY, label="the entry that won")
        axis.set_xticks(places, [name.replace(" (", "\n(") for name in HEADLINES])
        axis.set_ylabel("top-5 error, %")
        axis.set_title("ImageNet: famous numbers and single networks")
        axis.legend()
        return svg(drawing, "ImageNet top-5 errors")


L76 = Lab("L76", lab_texts()["L76"], run_l76)
