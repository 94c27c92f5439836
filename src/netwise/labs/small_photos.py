"""A convolutional network on shrunken photographs, and the best rate of an arm: for labs that train
dozens of such networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from netwise import data
from netwise.labs.lab_definition import LabSettings
from netwise.labs.runs import final_accuracy, train_whole
from netwise.labs.tuned_arms import best_rate
from netwise.networks import ConvNet
from netwise.part import integer
from netwise.parts.initializers import He
from netwise.parts.optimizers import Adam
from netwise.parts.preprocess import Preprocess, Resize, Standardise
from netwise.recipe.recipe import Recipe

SIDE = 16  # pixels; CIFAR-10 has 32
TUNING_SEED = 1000  # of the runs that choose a rate, which are not counted


@dataclass(frozen=True)
class PhotoSettings(LabSettings):
    """What can be varied in labs on shrunken photographs: L33, L41, L54 and L56.

    Args:
        images: half of them for validation. Default 3000.
        epochs: of a run. Default 5.
        seeds: of each arm. Default 5.
    """

    images: int = integer(3000, least=100, most=50_000, because="CIFAR-10 has 50,000")
    epochs: int = integer(5, least=2, most=300, because="a run has a start and an end")
    seeds: int = integer(5, least=2, most=50, because="an interval needs two values")


def photo_recipe(
    block: str,
    rate: float,
    *,
    images: int,
    epochs: int,
    seed: int,
    preprocess: Sequence[Preprocess] = (Standardise(),),
    dropout: float = 0.0,
) -> Recipe:
    """Two stages of 12 and 24 channels, 64 hidden units and Adam, on some photographs of CIFAR-10
    shrunk to 16x16; half of the images are for validation.

    Args:
        block: layers of a stage, as in `ConvNet`.
        rate: of Adam.
        images: for training and validation.
        epochs, seed: of the run.
        preprocess: after the shrinking.
        dropout: share dropped by the letter D of `block`, and before the last layer.
    """
    return Recipe(
        data=data.cifar10(first=images, valid=0.5),
        preprocess=(Resize(SIDE, SIDE), *preprocess),
        network=ConvNet(
            image=(3, SIDE, SIDE),
            channels=(12, 24),
            block=block,
            dropout=dropout,
            hidden=(64,),
            head_dropout=dropout,
        ),
        init=He(),
        optimizer=Adam(lr=rate),
        batch_size=50,
        epochs=epochs,
        seed=seed,
    )


def tuned(
    recipe_at: Callable[[float, int], Recipe], rates: Sequence[float], seeds: int
) -> tuple[float, list[float]]:
    """(the rate with the best validation accuracy in a run that is not counted, validation accuracy
    of each seed at this rate).

    Args:
        recipe_at: the recipe for (rate, seed); recipes of two rates differ in nothing else.
        rates: to choose from.
        seeds: number of runs that count.
    """
    best = best_rate(recipe_at(rates[0], TUNING_SEED), rates, (TUNING_SEED,))
    return best, [accuracy_of(recipe_at(best, seed)) for seed in range(seeds)]


def accuracy_of(recipe: Recipe) -> float:
    """Validation accuracy after training."""
    return final_accuracy(train_whole(recipe, watch_every=0))
