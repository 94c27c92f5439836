"""L12: half of the learning-rate threshold against the best of a grid of learning rates."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import final_accuracy, train_whole
from netwise.networks import MLP, ConvNet
from netwise.networks.network import Network
from netwise.parts.activations import ReLU, Sigmoid
from netwise.parts.initializers import Glorot, He, Initializer
from netwise.parts.optimizers import SGD, Momentum, Optimizer
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.report.pictures.drawing import BLUE, ORANGE, figure, svg
from netwise.treatment.learning_rate import rate_threshold

GRID = tuple(float(f"{10 ** (-3.5 + 5 * i / 11):.3g}") for i in range(12))  # 0.0003 to 30
POINTS = 100  # percentage points of accuracy in 1
NEAR_BEST, FAR_BEHIND = 1, 5  # percentage points


def threshold_recipes() -> dict[str, Recipe]:
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
        epochs: int = 4,
    ) -> Recipe:
        return Recipe(
            data=data.Fewer(data=data.mnist(), rows=5000),
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
        "convolutional": recipe(convolutional, 50, epochs=3),
    }


def compare_with_grid(recipe: Recipe) -> dict[str, float]:
    """The threshold, accuracy at half of it, best accuracy of the grid, and the difference in
    percentage points."""
    rule = rate_threshold(recipe)
    if rule is None:
        raise LookupError(
            f"the rule found no learning rate for recipe {recipe.hash}: the loss falls at none. "
            f"Use a recipe that learns at one of {GRID[0]} to {GRID[-1]}."
        )
    best = max(final_accuracy(train_whole(with_learning_rate(recipe, rate))) for rate in GRID)
    at_half = final_accuracy(train_whole(with_learning_rate(recipe, rule.rate)))
    return {
        "threshold": rule.threshold,
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


def run_l12(_: LabSettings) -> LabResult:
    recipes = threshold_recipes()
    rows = {name: compare_with_grid(recipe) for name, recipe in recipes.items()}
    numbers = {
        f"{name}: {what}": value for name, row in rows.items() for what, value in row.items()
    }
    behind = {name: row["behind, points"] for name, row in rows.items()}
    return LabResult(
        numbers, threshold_criteria(behind), _bars(behind), recipe_hashes(recipes), (0,)
    )


def _bars(behind: Mapping[str, float]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        axis.barh(range(len(behind)), list(behind.values()), color=BLUE, height=0.6)
        axis.set_yticks(range(len(behind)), list(behind))
        axis.axvline(NEAR_BEST, color=ORANGE, linestyle="--", linewidth=1)
        axis.set_xlabel("percentage points behind the best of a grid of 12 rates")
        axis.set_title("Accuracy at half of the threshold")
        return svg(drawing, "Half of the threshold")


L12 = Lab("L12", lab_texts()["L12"], run_l12, arms=lambda _: threshold_recipes(), minutes=5)
