"""L37: a network whose weights are all 0 at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import nn

from netwise import data
from netwise.labs.catalogue import lab_texts
from netwise.labs.lab_definition import Criterion, Lab, LabResult, LabSettings, recipe_hashes
from netwise.labs.runs import CHANCE, final_accuracy, signal_values, train_whole
from netwise.networks import MLP
from netwise.part import integer, number
from netwise.parts.activations import Activation, ReLU, Sigmoid, Tanh
from netwise.parts.initializers import Constant, Initializer, Normal
from netwise.parts.optimizers import SGD
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, GREY, figure, svg
from netwise.signals import VALID_ACCURACY
from netwise.training.run import Run

STUCK = 0.15  # accuracy of a network that has learned no more than how frequent each class is
CONTROL = "sigmoid, std 0.01"

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class ZeroSettings(LabSettings):
    """What can be varied in L37.

    Args:
        images: of MNIST, a sixth of them for validation. Default 6,000.
        epochs: of 10 images a step. Default 6.
        rate: the learning rate. Default 0.5.
        seeds: orders of the images. Default 5.
    """

    images: int = integer(6000, least=60, most=60_000, because="each class has to be among them")
    epochs: int = integer(6, least=1, most=200, because="it counts passes")
    rate: float = number(0.5, above=0, because="a step of 0 changes nothing")
    seeds: int = integer(5, least=1, most=100, because="orders are drawn")


def zero_arms(settings: ZeroSettings) -> dict[str, Recipe]:
    def recipe(activation: Activation, init: Initializer) -> Recipe:
        return Recipe(
            data=data.mnist(first=settings.images),
            network=MLP((784, 30, 10), activation=activation),
            init=init,
            optimizer=SGD(lr=settings.rate),
            batch_size=10,
            epochs=settings.epochs,
        )

    zero = Constant(weight=0.0, bias=0.0)
    return {
        "sigmoid, zeros": recipe(Sigmoid(), zero),
        "tanh, zeros": recipe(Tanh(), zero),
        "ReLU, zeros": recipe(ReLU(), zero),
        CONTROL: recipe(Sigmoid(), Normal(std=0.01)),
    }


def largest_weight(module: nn.Module) -> float:
    """Of all layers."""
    return max(float(p.detach().abs().max()) for p in module.parameters() if p.dim() > 1)


def difference_of_units(module: nn.Module) -> float:
    """The largest difference between the hidden units' weights of the first layer, over the
    largest of these weights; 0 where all are 0."""
    w = module.layer1.weight.detach()  # type: ignore[union-attr, operator]
    largest = float(w.abs().max())
    return float((w - w[0]).abs().max()) / largest if largest else 0.0


def zero_criteria(numbers: Numbers) -> tuple[Criterion, ...]:
    stuck = [
        Criterion(
            f"{name} units: nothing is learned, the accuracy stays below 0.15",
            numbers[f"{name}, zeros: accuracy"],
            numbers[f"{name}, zeros: accuracy"] < STUCK,
        )
        for name in ("tanh", "ReLU", "sigmoid")
    ]
    still = max(numbers[f"{name}, zeros: largest weight"] for name in ("tanh", "ReLU"))
    alike = numbers["sigmoid, zeros: largest difference of hidden units"]
    control = numbers[f"{CONTROL}: accuracy"]
    return (
        *stuck,
        Criterion("tanh and ReLU: every weight is still exactly 0", still, still == 0),
        Criterion(
            "sigmoid: all hidden units have the same weights, up to 1 % of the largest",
            alike,
            alike < 0.01,
            part_of_claim=False,
        ),
        Criterion(
            "sigmoid with weights of standard deviation 0.01: accuracy above 0.85",
            control,
            control > 0.85,
            part_of_claim=False,
        ),
    )


def run_l37(settings: ZeroSettings) -> LabResult:
    arms, seeds = zero_arms(settings), tuple(range(settings.seeds))
    runs = {
        name: [train_whole(recipe.but(seed=seed), watch_every=0, test=False) for seed in seeds]
        for name, recipe in arms.items()
    }
    numbers: dict[str, float] = {}
    for name, trained in runs.items():
        modules = [run.module for run in trained]
        numbers[f"{name}: accuracy"] = fmean(final_accuracy(run) for run in trained)
        numbers[f"{name}: largest weight"] = max(map(largest_weight, modules))
        numbers[f"{name}: largest difference of hidden units"] = max(
            map(difference_of_units, modules)
        )
    early = train_whole(arms["sigmoid, zeros"].but(epochs=1), watch_every=0, test=False)
    numbers["sigmoid, zeros: largest difference of hidden units after 1 epoch"] = (
        difference_of_units(early.module)
    )
    picture = _accuracies(runs)
    return LabResult(numbers, zero_criteria(numbers), picture, recipe_hashes(arms), seeds)


def _accuracies(runs: Mapping[str, Sequence[Run]]) -> str:
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (name, trained), colour in zip(runs.items(), COLOURS, strict=False):
            for i, run in enumerate(trained):
                values = signal_values(run, VALID_ACCURACY)
                label = name if i == 0 else None
                epochs = range(1, len(values) + 1)
                axis.plot(epochs, values, color=colour, label=label, linewidth=1, alpha=0.8)
        axis.axhline(CHANCE, color=GREY, linestyle="--", linewidth=1)
        axis.set_ylim(0, 1)
        axis.set_title("Accuracy from weights of 0")
        axis.set_xlabel("epoch")
        axis.set_ylabel("validation accuracy")
        axis.set_ylim(0, 1.3)  # room for the legend
        axis.legend(loc="upper left", ncols=2)
        return svg(drawing, "Accuracy from weights of 0")


L37 = Lab(
    "L37",
    lab_texts()["L37"],
    run_l37,
    ZeroSettings(),
    zero_arms,
    minutes=0.7,
    small={"seeds": 1, "epochs": 1, "images": 600},
)
