"""L28: a sparsity penalty makes most units of a code 0, at a price in reconstruction that depends
on its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netwise.labs.catalogue import lab_texts
from netwise.labs.features.autoencoders import codes, image_recipe, reconstruction_error
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.networks import Autoencoder
from netwise.part import integer, number, numbers
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import BLUE, GREY, ORANGE, figure, svg, use_log_scale
from netwise.training.interrupt import uninterrupted
from netwise.training.parallel import fit_many

Numbers = Mapping[str, float]
PLAIN = "no penalty"


@dataclass(frozen=True)
class SparseCodeSettings(LabSettings):
    """What can be varied in L28.

    Args:
        weights: of the penalty, one autoencoder for each. Default 0.003, 0.03, 3.
        target: mean that a unit of the code should have. Default 0.05.
        width: units of the code. Default 200.
        epochs: Default 20.
    """

    weights: tuple[float, ...] = numbers(
        (0.003, 0.03, 3.0), above=0, shortest=1, because="each is a weight of the penalty"
    )
    target: float = number(0.05, above=0, below=1, because="it is a mean of values from 0 to 1")
    width: int = integer(200, least=2, most=5000, because="it is a number of units")
    epochs: int = integer(20, least=1, most=500, because="a run has an epoch")


def sparsity_arms(settings: SparseCodeSettings) -> dict[str, Recipe]:
    plain = Autoencoder((784, settings.width), sparsity_target=settings.target)
    return {
        PLAIN: image_recipe(plain, settings.epochs),
        **{
            f"weight {weight:g}": image_recipe(plain.but(sparsity=weight), settings.epochs)
            for weight in settings.weights
        },
    }


def chosen_arm(means: Mapping[str, float], target: float) -> str:
    """The arm with the smallest penalty whose mean is within 0.02 of the target; the one with the
    nearest mean where none is.

    Args:
        means: mean of the code by arm, without a penalty first, then from the smallest weight.
        target: of the mean.
    """
    arms = [name for name in means if name != PLAIN]
    near = [name for name in arms if abs(means[name] - target) < 0.02]
    return near[0] if near else min(arms, key=lambda name: abs(means[name] - target))


def sparsity_criteria(numbers: Numbers, target: float = 0.05) -> tuple[Criterion, ...]:
    """Criteria on the autoencoder with the chosen weight of the penalty."""
    mean, inactive = numbers["chosen: mean of the code"], numbers["chosen: share below 0.1"]
    ratio = numbers["chosen: squared error over that without penalty"]
    return (
        Criterion(
            f"some weight of the penalty brings the mean of the code to its target of {target:g}, "
            "within 0.02",
            mean,
            abs(mean - target) < 0.02,
        ),
        Criterion(
            "with it most units are near 0: more than 80 % below 0.1", inactive, inactive > 0.8
        ),
        Criterion(
            "with it the cost is small: the squared error is less than 1.5 times that without the "
            "penalty",
            ratio,
            ratio < 1.5,
        ),
    )


def run_l28(settings: SparseCodeSettings) -> LabResult:
    arms = sparsity_arms(settings)
    runs = dict(zip(arms, map(uninterrupted, fit_many(list(arms.values()))), strict=True))
    test = runs[PLAIN].recipe.data.load().test.x
    means, shares, errors = {}, {}, {}
    for name, run in runs.items():
        code = codes(run, test)
        means[name], shares[name] = float(code.mean()), float((code < 0.1).float().mean())
        errors[name] = reconstruction_error(run, test)
    chosen = chosen_arm(means, settings.target)
    numbers = {
        "chosen: mean of the code": means[chosen],
        "chosen: share below 0.1": shares[chosen],
        "chosen: squared error over that without penalty": errors[chosen] / errors[PLAIN],
        "chosen: weight of the penalty": float(chosen.removeprefix("weight ")),
        **{f"{name}: mean of the code": value for name, value in means.items()},
        **{f"{name}: share below 0.1": value for name, value in shares.items()},
        **{f"{name}: squared error of a pixel": value for name, value in errors.items()},
    }
    criteria = sparsity_criteria(numbers, settings.target)
    return LabResult(numbers, criteria, _by_weight(numbers, settings), recipe_hashes(arms), (0,))


def _by_weight(numbers: Numbers, settings: SparseCodeSettings) -> str:
    def column(what: str) -> list[float]:
        return [numbers[f"weight {weight:g}: {what}"] for weight in settings.weights]

    plain = numbers[f"{PLAIN}: squared error of a pixel"]
    with figure(height=4.4, rows=2) as (drawing, axes):
        code, error = axes[0][0], axes[1][0]
        code.axhspan(settings.target - 0.02, settings.target + 0.02, color=GREY, alpha=0.25)
        code.plot(settings.weights, column("mean of the code"), "o-", color=BLUE)
        code.axhline(numbers[f"{PLAIN}: mean of the code"], color=GREY, linestyle=":")
        code.set_ylabel("mean of the code")
        code.set_title("Mean of the code (dots: no penalty)")
        ratio = [value / plain for value in column("squared error of a pixel")]
        error.axhline(1.5, color=GREY, linestyle="--")
        error.plot(settings.weights, ratio, "o-", color=ORANGE)
        error.set_ylabel("error over that without")
        error.set_title("and what it costs (dashed: 1.5 times)")
        error.set_xlabel("weight of the penalty (band above: target)")
        for axis in (code, error):
            use_log_scale(axis, "x")
        return svg(drawing, "Sparse codes")


L28 = Lab("L28", lab_texts()["L28"], run_l28, SparseCodeSettings(), arms=sparsity_arms, minutes=5)
