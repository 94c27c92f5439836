"""L86: ELU against ReLU and PReLU: mean activations, speed of learning, noise on the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor, nn

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, recipe_hashes
from netwise.labs.tuned_arms import (
    TunedArm,
    TunedSettings,
    mean_training_loss,
    paired_numbers,
    tune_and_train,
)
from netwise.networks import MLP
from netwise.part import integer
from netwise.parts.activations import ELU, Activation, PReLU, ReLU
from netwise.parts.initializers import He
from netwise.parts.optimizers import SGD
from netwise.recipe.prepared import prepare
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg
from netwise.training.run import Run

NOISE = (0.0, 0.1, 0.2, 0.3, 0.5)  # standard deviations; pixels are from 0 to 1
JUDGED = 0.3

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class ELUSettings(TunedSettings):
    """What can be varied in L86.

    Args:
        depth: hidden layers of 50 units. Default 6.
        epochs: of 100 steps. Default 6.
        seeds: Default 8.
    """

    depth: int = integer(6, least=1, most=50, because="a network has layers")
    epochs: int = integer(6, least=1, most=200, because="it counts passes")
    seeds: int = integer(8, least=2, most=100, because="an interval needs two")


def elu_arms(settings: ELUSettings) -> dict[str, Recipe]:
    """Networks for 5,000 images, 50 a step; the rates are chosen later."""

    def recipe(activation: Activation) -> Recipe:
        return Recipe(
            data=data.mnist(first=6000),
            network=MLP((784, *(50,) * settings.depth, 10), activation=activation),
            init=He(activation=activation),
            optimizer=SGD(lr=settings.rates[0]),
            batch_size=50,
            epochs=settings.epochs,
        )

    return {"ReLU": recipe(ReLU()), "PReLU": recipe(PReLU()), "ELU": recipe(ELU())}


def mean_activation(run: Run) -> float:
    """The absolute mean output of a hidden unit over the validation images, in the mean over all
    hidden units."""
    valid = prepare(run.recipe).samples.valid.x
    means: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, a: means.append(a.mean(0).abs()))
        for layer in run.module.modules()
        if isinstance(layer, nn.ReLU | nn.PReLU | nn.ELU)
    ]
    with torch.no_grad():
        run.module.eval()(valid)
    for hook in hooks:
        hook.remove()
    return float(torch.cat(means).mean())


def accuracy_under_noise(run: Run, std: float) -> float:
    """Validation accuracy with noise from N(0, std^2) on every pixel, the same for all arms."""
    valid = prepare(run.recipe).samples.valid
    g = torch.Generator().manual_seed(run.recipe.seed)
    x = valid.x + std * torch.randn(valid.x.shape, generator=g)
    with torch.no_grad():
        return float((run.module.eval()(x).argmax(1) == valid.y).float().mean())


def noise_loss(run: Run) -> float:
    """Accuracy that is lost by noise of standard deviation 0.3, in percentage points."""
    return 100 * (accuracy_under_noise(run, 0.0) - accuracy_under_noise(run, JUDGED))


def elu_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    def faster(other: str) -> Criterion:
        high = numbers[f"training loss, ELU - {other}, high"]
        return Criterion(
            f"ELU learns faster than {other}: lower training loss in the mean over training (upper "
            "end of the 95 % interval of the difference)",
            high,
            high < 0,
        )

    nearer = numbers["mean activation, ELU - ReLU, high"]
    robust = numbers["points lost by noise, ELU - ReLU, high"]
    return (
        Criterion(
            "the mean outputs of ELU units are nearer to 0 than those of ReLU units (upper end of "
            "the interval of the difference)",
            nearer,
            nearer < 0,
        ),
        faster("ReLU"),
        faster("PReLU"),
        Criterion(
            "ELU loses less accuracy than ReLU by noise on the inputs (upper end of the interval "
            "of the difference, in points)",
            robust,
            robust < 0,
        ),
    )


def run_l86(settings: ELUSettings) -> LabResult:
    arms, seeds = elu_arms(settings), tuple(range(settings.seeds))
    tuned = tune_and_train(arms, settings.rates, seeds)
    curves = {
        name: [fmean(arm.values(lambda run: accuracy_under_noise(run, std))) for std in NOISE]  # noqa: B023
        for name, arm in tuned.items()
    }
    numbers = _numbers(tuned)
    for name, curve in curves.items():
        for std, accuracy in zip(NOISE, curve, strict=True):
            numbers[f"{name}: accuracy with noise {std}"] = accuracy
    picture = _curves(curves)
    return LabResult(numbers, elu_criteria(numbers), picture, recipe_hashes(arms), seeds)


def _numbers(tuned: Mapping[str, TunedArm]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, arm in tuned.items():
        numbers[f"{name}: rate chosen"] = arm.rate
        numbers[f"{name}: mean activation"] = fmean(arm.values(mean_activation))
        numbers[f"{name}: training loss, mean over training"] = fmean(
            arm.values(mean_training_loss)
        )
    elu = tuned["ELU"]
    for measure, words in (
        (mean_activation, "mean activation"),
        (mean_training_loss, "training loss"),
        (noise_loss, "points lost by noise"),
    ):
        for other in ("ReLU", "PReLU"):
            numbers |= paired_numbers(
                f"{words}, ELU - {other}", elu.values(measure), tuned[other].values(measure)
            )
    return numbers


def _curves(curves: Mapping[str, list[float]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            values = [100 * value for value in curve]
            axis.plot(NOISE, values, "o-", color=colour, label=name, markersize=4)
        axis.set_title("Accuracy under noise on the inputs")
        axis.set_xlabel("standard deviation of the noise (pixels: 0 to 1)")
        axis.set_ylabel("validation accuracy in %")
        axis.legend()
        return svg(drawing, "Accuracy under noise by activation")


L86 = Lab(
    "L86",
    lab_texts()["L86"],
    run_l86,
    ELUSettings(),
    elu_arms,
    minutes=1,
    small={"rates": (0.1,), "epochs": 1, "depth": 1, "seeds": 2},
)
