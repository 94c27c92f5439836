"""L12: half of the learning-rate threshold against the best of a grid of learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import final_accuracy
from netwise.networks import MLP, ConvNet
from netwise.networks.network import Network
from netwise.part import integer
from netwise.parts.activations import ReLU, Sigmoid
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.parts.optimizers import SGD, Momentum, Optimizer
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg
from netwise.training.parallel import fit_many
from netwise.treatment.learning_rate import rate_threshold

GRID = tuple(float(f"{10 ** (-3.5 + 5 * i / 11):.3g}") for i in range(12))  # 0.0003 to 30
POINTS = 100  # percentage points of accuracy in 1
NEAR_BEST, FAR_BEHIND = 1, 5  # percentage points


@dataclass(frozen=True)
class HalfThresholdSettings(LabSettings):
    """What can be varied in L12.

    Args:
        images: of MNIST to train on. Default 5000.
        epochs: of the networks; the convolutional one has one less. Default 4.
        seeds: Default 1.
    """

    images: int = integer(5000, least=150, most=50_000, because="10,000 of 60,000 validate")
    epochs: int = integer(4, least=3, most=100, because="a threshold shows over two epochs")
    seeds: int = integer(1, least=1, most=50, because="a recipe has a seed")


def threshold_recipes(settings: HalfThresholdSettings) -> dict[str, Recipe]:
    """Six recipes that need a learning rate: two activations, three batch sizes, momentum, a small
    convolutional network."""
    wide, sigmoid = MLP((784, 100, 10)), MLP((784, 30, 10), activation=Sigmoid())
    deep = MLP((784, 60, 60, 60, 10), activation=ReLU())
    convolutional = ConvNet(image=(1, 28, 28), classes=10, channels=(8, 16))

    def recipe(
        network: Network,
        batch_size: int,
        init: Initializer | None = None,
        optimizer: Optimizer | None = None,
        epochs: int = settings.epochs,
    ) -> Recipe:
        return Recipe(
            data=data.Fewer(data=data.mnist(), rows=settings.images),
            network=network,
            init=init or He(),
            optimizer=optimizer or SGD(),
            batch_size=batch_size,
            epochs=epochs,
        )

    return {
        "ReLU, batch 10": recipe(wide, 10),
        "ReLU, batch 50": recipe(wide, 50),
        "ReLU, momentum": recipe(wide, 50, optimizer=Momentum()),
        "sigmoid, batch 10": recipe(sigmoid, 10, init=Glorot()),
        "deep ReLU": recipe(deep, 20),
        "convolutional": recipe(convolutional, 50, epochs=settings.epochs - 1),
    }


def compare_with_grid(recipe: Recipe, seeds: Sequence[int] = (0,)) -> dict[str, float]:
    """The median threshold, mean accuracy at half of it, mean accuracy at the best rate of the
    grid for all seeds, and the difference in percentage points."""
    seeded = [recipe.but(seed=seed) for seed in seeds]
    rules = [rate_threshold(each) for each in seeded]
    found = [rule for rule in rules if rule is not None]
    if len(found) < len(rules):
        raise LookupError(
            f"the rule found no learning rate for recipe {recipe.hash}: the loss falls at none. "
            f"Use a recipe that learns at one of {GRID[0]} to {GRID[-1]}."
        )
    tried = [with_learning_rate(each, rate) for rate in GRID for each in seeded]
    halves = [with_learning_rate(each, rule.rate) for each, rule in zip(seeded, found, strict=True)]
    reached = [final_accuracy(run) for run in fit_many([*tried, *halves], watch_every=0)]
    means = [fmean(reached[i : i + len(seeds)]) for i in range(0, len(reached), len(seeds))]
    *by_rate, at_half = means
    best = max(by_rate)
    return {
        "threshold": median(rule.threshold for rule in found),
        "at half of it": at_half,
        "best of 12": best,
        "behind, points": POINTS * (best - at_half),
    }


def threshold_criteria(behind: Mapping[str, float]) -> tuple[Criterion, ...]:
    """Criteria on the percentage points by which each recipe is behind the best of the grid."""
    near = fmean(points <= NEAR_BEST for points in behind.values())
    worst = max(behind.values())
    return (
        Criterion(
            "half of the threshold is within 1 percentage point of the best of the grid in at "
            "least 80 % of the recipes (share)",
            near,
            near >= 0.8,
        ),
        Criterion(
            "half of the threshold is never more than 5 percentage points behind",
            worst,
            worst <= FAR_BEHIND,
            part_of_claim=False,
        ),
    )


def run_l12(settings: HalfThresholdSettings) -> LabResult:
    recipes, seeds = threshold_recipes(settings), tuple(range(settings.seeds))
    rows = {name: compare_with_grid(recipe, seeds) for name, recipe in recipes.items()}
    numbers = {
        f"{name}: {what}": value for name, row in rows.items() for what, value in row.items()
    }
    behind = {name: row["behind, points"] for name, row in rows.items()}
    return LabResult(
        numbers, threshold_criteria(behind), _bars(behind), recipe_hashes(recipes), seeds
    )


def _bars(behind: Mapping[str, float]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.barh(range(len(behind)), list(behind.values()), color=BLUE, height=0.6)
        axis.set_yticks(range(len(behind)), list(behind))
        axis.axvline(NEAR_BEST, color=ORANGE, linestyle="--", linewidth=1)
        axis.set_xlabel("points behind the best of 12 rates (dashed: 1)")
        axis.set_title("Accuracy at half of the threshold")
        return svg(drawing, "Half of the threshold")


L12 = Lab(
    "L12", lab_texts()["L12"], run_l12, HalfThresholdSettings(), arms=threshold_recipes, minutes=8
)
