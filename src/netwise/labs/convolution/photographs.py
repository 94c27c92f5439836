"""The small convolutional network on a few photographs of CIFAR-10 that L51, L52 and L53 vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netwise import data
from netwise.labs.lab_definition import LabSettings
from netwise.labs.runs import train_whole
from netwise.networks import ConvNet
from netwise.part import integer, number
from netwise.parts.initializers import He
from netwise.parts.optimizers import Adam
from netwise.parts.schedules import Cosine
from netwise.recipe.recipe import Recipe
from netwise.report.pictures.drawing import COLOURS, figure, svg

Errors = Mapping[str, Sequence[float]]  # arm -> test error in %, by seed


@dataclass(frozen=True)
class PhotographSettings(LabSettings):
    """What can be varied in L51, L52 and L53.

    Args:
        photographs: to train on. Default 1,500.
        epochs: Default 5.
        rate: of Adam, at the start; it falls along a cosine. Default 0.003.
        seeds: paired runs, each on other photographs. Default 5.
    """

    photographs: int = integer(1500, least=100, most=50_000, because="ten of each class at least")
    epochs: int = integer(5, least=1, most=500, because="it counts passes over the data")
    rate: float = number(0.003, above=0, because="a step of 0 changes nothing")
    seeds: int = integer(5, least=2, most=100, because="an interval needs two runs")


def network(kernels: int = 16, kernel: int = 3, hidden: Sequence[int] = ()) -> ConvNet:
    """Two convolutions with `kernels` and twice as many kernels, of which the first moves by two
    pixels, each with batch norm, ReLU and pooling; then linear layers."""
    return ConvNet(
        image=(3, 32, 32),
        classes=10,
        channels=(kernels, 2 * kernels),
        block="CBAP",
        kernel=kernel,
        stride=2,
        dropout=0.0,
        hidden=tuple(hidden),
    )


def photograph_recipe(net: ConvNet, settings: PhotographSettings, seed: int = 0) -> Recipe:
    return Recipe(
        data=data.Fewer(data=data.cifar10(valid=0.0), rows=settings.photographs, draw=seed),
        network=net,
        init=He(),
        optimizer=Adam(lr=settings.rate),
        schedule=Cosine(),
        batch_size=50,
        epochs=settings.epochs,
        seed=seed,
    )


def arms_of(nets: Mapping[str, ConvNet], settings: PhotographSettings) -> dict[str, Recipe]:
    return {name: photograph_recipe(net, settings) for name, net in nets.items()}


def errors_by_seed(
    nets: Mapping[str, ConvNet], settings: PhotographSettings
) -> dict[str, list[float]]:
    """Error on the 10,000 test images of each network from each seed, in %."""
    errors: dict[str, list[float]] = {name: [] for name in nets}
    for seed in range(settings.seeds):
        for name, net in nets.items():
            run = train_whole(photograph_recipe(net, settings, seed), watch_every=0)
            assert run.score is not None
            errors[name].append(100 * (1 - run.score.value))
    return errors


def error_numbers(errors: Errors) -> dict[str, float]:
    return {f"{name}: test error, %": fmean(values) for name, values in errors.items()}


def range_of_means(errors: Errors) -> float:
    """Largest difference between the mean errors of two arms, in percentage points."""
    means = [fmean(values) for values in errors.values()]
    return max(means) - min(means)


def error_picture(
    rows: Mapping[str, Errors], places: Sequence[str], xlabel: str, title: str, name: str
) -> str:
    """Mean errors and those of each seed, a line for each row, as an SVG whose accessible name is
    `name`; `places` are the marks of the horizontal axis, in the order of the arms of a row."""
    with figure() as (drawing, axes):
        axis = axes[0][0]
        for (label, errors), colour in zip(rows.items(), COLOURS, strict=False):
            means = [fmean(values) for values in errors.values()]
            axis.plot(range(len(means)), means, "o-", color=colour, label=label)
            for place, values in enumerate(errors.values()):
                axis.plot([place] * len(values), values, ".", color=colour, alpha=0.4)
        axis.set_xticks(range(len(places)), places)
        axis.set_xlabel(xlabel)
        axis.set_ylabel("test error, %")
        axis.set_title(title)
        if len(rows) > 1:
            axis.legend()
        return svg(drawing, name)
