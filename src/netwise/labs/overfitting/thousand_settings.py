"""What can be varied in the labs on 1,000 images."""

from __future__ import annotations

from dataclasses import dataclass

from netwise.labs.lab_definition import LabSettings
from netwise.part import integer, number

SPREAD = "one seed has no spread"
MNIST_IMAGES = 60_000


@dataclass(frozen=True)
class ThousandSettings(LabSettings):
    """What can be varied in L03 and L04.

    Args:
        seeds: runs of each arm, at least 2. Default 8.
        images: of the training part. Default 1,000.
        epochs: of each run. Default 400.
        rate: the learning rate. Default 0.5.
        decay: lambda of L2, in L04. Default 0.1.
    """

    seeds: int = integer(8, least=2, most=100, because=SPREAD)
    images: int = integer(1000, least=100, most=MNIST_IMAGES, because="MNIST has 60,000")
    epochs: int = integer(400, least=1, most=10_000, because="a run has an epoch")
    rate: float = number(0.5, above=0, because="a step of 0 changes nothing")
    decay: float = number(0.1, above=0, because="L04 is about a penalty")


@dataclass(frozen=True)
class AlikeSettings(LabSettings):
    """What can be varied in L68.

    Args:
        seeds: runs of each arm, at least 2. Default 20.
        epochs: of each run from large weights; those from scaled weights have 3 of 10. Default 400.
    """

    seeds: int = integer(20, least=2, most=100, because=SPREAD)
    epochs: int = integer(400, least=1, most=10_000, because="a run has an epoch")


@dataclass(frozen=True)
class StartOrPenaltySettings(LabSettings):
    """What can be varied in L89.

    Args:
        seeds: runs of each arm, at least 2. Default 8.
        images: of the training part. Default 1,000.
        epochs: of each run from N(0, 1). Default 400.
        scaled_epochs: of each run from 1 / sqrt(n). Default 120.
    """

    seeds: int = integer(8, least=2, most=100, because=SPREAD)
    images: int = integer(1000, least=100, most=MNIST_IMAGES, because="MNIST has 60,000")
    epochs: int = integer(400, least=1, most=10_000, because="a run has an epoch")
    scaled_epochs: int = integer(120, least=1, most=10_000, because="a run has an epoch")
