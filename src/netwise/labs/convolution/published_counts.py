"""L75: parameter counts and receptive fields of the classic networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings
from netwise.networks import VGG, AlexNet, CIFARResNet, LeNet5Paper, ResNet
from netwise.networks.network import Network
from netwise.observe.anatomy import Anatomy, describe
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg, use_log_scale

MILLION = 1e6


@dataclass(frozen=True)
class Classic:
    """A published network.

    Args:
        network: its netwise form.
        image: channels, height and width of its inputs.
        parameters: its published number of weights and biases.
        field: the published side of the receptive field of its last convolution or pooling before
            the means of maps or the linear layers, in pixels; None: none is published.
    """

    network: Network
    image: tuple[int, int, int]
    parameters: int
    field: int | None = None


PHOTO, SMALL = (3, 224, 224), (3, 32, 32)
CLASSICS: Mapping[str, Classic] = {
    "LeNet-5 (1998)": Classic(LeNet5Paper(), (1, 28, 28), 60_000, 32),
    "AlexNet (2012), two towers": Classic(
        AlexNet(towers=True, image=(3, 227, 227)), (3, 227, 227), 60_965_224
    ),
    "AlexNet, torchvision": Classic(AlexNet(), PHOTO, 61_100_840, 195),
    "VGG-16 (2014)": Classic(VGG(), PHOTO, 138_357_544, 212),
    "ResNet-50 (2015)": Classic(ResNet(depth=50), PHOTO, 25_557_032),
    "ResNet-20, CIFAR": Classic(CIFARResNet(), SMALL, 269_722),
    "ResNet-110, CIFAR": Classic(CIFARResNet(depth=110), SMALL, 1_727_962),
}


def anatomy(classic: Classic) -> Anatomy:
    """The table of a network, on torch's device without numbers: VGG-16 alone has half a
    gigabyte of them."""
    with torch.device("meta"):
        return describe(classic.network, classic.image)


def last_field(table: Anatomy) -> int:
    """Side of the receptive field of the last convolution or pooling, before adaptive pooling."""
    sides = [
        row.field[0]
        for row in table.rows
        if isinstance(row.field, tuple) and "Adaptive" not in row.kind
    ]
    return sides[-1]


def weights_of_stack(kernel: int, layers: int, channels: int) -> int:
    """Weights of so many convolutions from and to `channels` maps."""
    return layers * kernel**2 * channels**2


def count_criteria(counts: Mapping[str, int], fields: Mapping[str, int]) -> tuple[Criterion, ...]:
    """Criteria on the counts and receptive fields by name of the network."""
    differences = [abs(counts[name] - each.parameters) for name, each in CLASSICS.items()]
    far = [
        abs(fields[name] - each.field) for name, each in CLASSICS.items() if each.field is not None
    ]
    three_small = weights_of_stack(3, 3, 256) / weights_of_stack(7, 1, 256)
    ratio = counts["VGG-16 (2014)"] / counts["AlexNet, torchvision"]
    return (
        Criterion(
            "every number of parameters is the published one (largest difference)",
            max(differences),
            max(differences) == 0,
        ),
        Criterion(
            "the receptive fields of LeNet-5, AlexNet and VGG-16 are the published ones (largest "
            "difference in pixels)",
            max(far),
            max(far) == 0,
        ),
        Criterion(
            "three convolutions of 3x3, which see 7x7, have fewer weights than one of 7x7 (ratio)",
            three_small,
            three_small < 1,
        ),
        Criterion(
            "VGG-16 has fewer parameters than AlexNet as a whole (ratio)",
            ratio,
            ratio < 1,
            part_of_claim=False,
        ),
    )


def run_l75(_: LabSettings) -> LabResult:
    tables = {name: anatomy(each) for name, each in CLASSICS.items()}
    counts = {name: table.parameters for name, table in tables.items()}
    fields = {name: last_field(table) for name, table in tables.items()}
    numbers: dict[str, float] = {}
    for name, table in tables.items():
        numbers[f"{name}: parameters"] = float(table.parameters)
        numbers[f"{name}: receptive field, pixels"] = float(fields[name])
        numbers[f"{name}: multiply-adds, millions"] = table.multiply_adds / MILLION
    return LabResult(numbers, count_criteria(counts, fields), _counts_and_work(tables))


def _counts_and_work(tables: Mapping[str, Anatomy]) -> str:
    with figure(height=3.6) as (drawing, axes):
        axis = axes[0][0]
        places = range(len(tables))
        parameters = [table.parameters / MILLION for table in tables.values()]
        work = [table.multiply_adds / MILLION for table in tables.values()]
        for values, colour, label, shift in (
            (parameters, BLUE, "parameters", -0.2),
            (work, ORANGE, "multiply-adds of one image", 0.2),
        ):
            shifted = [place + shift for place in places]
            axis.barh(shifted, values, height=0.38, color=colour, label=label)
        axis.set_yticks(places, list(tables))
        axis.invert_yaxis()
        use_log_scale(axis, "x")
        axis.set_xlabel("millions")
        axis.set_title("Size and work of networks")
        axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=2)
        return svg(drawing, "Classic networks")


L75 = Lab("L75", lab_texts()["L75"], run_l75, minutes=0.1)
