"""L54: dropout and normalization in a small convolutional network, alone and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import nn

from netwise.intervals import of_mean
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.small_photos import SIDE, PhotoSettings, photo_recipe, tuned
from netwise.networks import CustomNetwork
from netwise.part import number
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

RATES = (0.001, 0.003)
# name: (layers of a stage, whether it has dropout)
ARMS = {
    "neither": ("CAP", False),
    "dropout": ("CAPD", True),
    "batch norm": ("CBAP", False),
    "both": ("CBAPD", True),
}
LOCAL = "local response norm"

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class DropoutAndNormSettings(PhotoSettings):
    """What can be varied in L54: as in `PhotoSettings`, and

    Args:
        dropout: share that is dropped. Default 0.25.
    """

    dropout: float = number(0.25, above=0, below=1, because="it is a share of the units")


def network_with_local_norm() -> nn.Module:
    """The network of the arm "neither" with AlexNet's local response normalization after each
    activation."""
    stages: list[nn.Module] = []
    for ins, outs in ((3, 12), (12, 24)):
        convolution = nn.Conv2d(ins, outs, 3, padding=1)
        local = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
        stages += [convolution, nn.ReLU(), local, nn.MaxPool2d(2)]
    pixels = 24 * (SIDE // 4) ** 2
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(pixels, 64), nn.ReLU(), nn.Linear(64, 10))


def recipe(name: str, rate: float, settings: DropoutAndNormSettings, seed: int = 0) -> Recipe:
    block, drops = ARMS["neither" if name == LOCAL else name]
    made = photo_recipe(
        block,
        rate,
        images=settings.images,
        epochs=settings.epochs,
        seed=seed,
        dropout=settings.dropout if drops else 0.0,
    )
    return made.but(network=CustomNetwork(network_with_local_norm)) if name == LOCAL else made


def arms(settings: DropoutAndNormSettings) -> dict[str, Recipe]:
    """At the first of the rates."""
    return {name: recipe(name, RATES[0], settings) for name in (*ARMS, LOCAL)}


def effects(scores: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Points of accuracy that each factor gains in each seed, mean over the levels of the other."""
    rows = zip(
        *(scores[name] for name in ("neither", "dropout", "batch norm", "both")), strict=True
    )
    dropout, norm, joint = [], [], []
    for neither, dropped, normed, both in rows:
        dropout.append(100 * (dropped + both - neither - normed) / 2)
        norm.append(100 * (normed + both - neither - dropped) / 2)
        joint.append(100 * (both - normed - dropped + neither) / 2)
    local = [100 * (a - b) for a, b in zip(scores[LOCAL], scores["neither"], strict=True)]
    return {"dropout": dropout, "batch norm": norm, "interaction": joint, LOCAL: local}


def criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    made = []
    for name in ("dropout", "batch norm"):
        mean = numbers[f"effect of {name}, points, mean"]
        made.append(
            Criterion(f"{name} gains more than 0 and less than 3 points", mean, 0 < mean < 3)
        )
    local = numbers[f"effect of {LOCAL}, points, mean"]
    for name in ("dropout", "batch norm"):
        low = numbers[f"effect of {name}, points, low"]
        made.append(
            Criterion(f"the gain of {name} is above 0 in its 95 % interval", low, low > 0, False)
        )
    made.append(
        Criterion(
            "AlexNet's local response normalization gains more than 0 and less than 3 points",
            local,
            0 < local < 3,
            part_of_claim=False,
        )
    )
    return tuple(made)


def run_l54(settings: DropoutAndNormSettings) -> LabResult:
    numbers: dict[str, float] = {}
    scores: dict[str, list[float]] = {}
    for name in (*ARMS, LOCAL):
        rate, scores[name] = tuned(
            lambda rate, seed, name=name: recipe(name, rate, settings, seed),  # type: ignore[misc]
            RATES,
            settings.seeds,
        )
        numbers[f"{name}: rate"] = rate
        numbers[f"{name}: accuracy"] = fmean(scores[name])
    for name, values in effects(scores).items():
        for end, value in zip(("mean", "low", "high"), of_mean(values), strict=True):
            numbers[f"effect of {name}, points, {end}"] = value
    return LabResult(
        numbers,
        criteria(numbers),
        picture(scores),
        recipe_hashes(arms(settings)),
        tuple(range(settings.seeds)),
    )


def picture(scores: Mapping[str, Sequence[float]]) -> str:
    title = "Validation accuracy of each seed"
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for i, (values, colour) in enumerate(zip(scores.values(), COLOURS, strict=False)):
            axis.plot([i] * len(values), [100 * v for v in values], ".", color=colour)
            axis.plot([i - 0.2, i + 0.2], [100 * fmean(values)] * 2, color=colour)
        names = [name.replace("local response norm", "local norm") for name in scores]
        axis.set_xticks(range(len(scores)), names)
        axis.set_title(title)
        axis.set_ylabel("accuracy, %")
        return svg(drawing, title)


L54 = Lab("L54", lab_texts()["L54"], run_l54, DropoutAndNormSettings(epochs=10), arms, minutes=3)
