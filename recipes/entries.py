"""The rows of the table: which recipes are run, with which variants and seeds, and what for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import netwise as nw
from recipes.measures import (
    Measure,
    best_epoch_percent,
    both_bounds,
    constant_over_cyclical,
    encoder_percent,
    epochs_to_85,
    error_percent,
    evidence_lower_bound,
    exact_nats,
    lowest_valid_loss,
    score_percent,
    smaller_bound,
)

HERE = Path(__file__).parent

# Variants of the recipe in a file.


def with_penalty(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(penalty=nw.L2(strength=1e-4))


def shortened(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(epochs=4, schedule=nw.Milestones(epochs=(2, 3)))


def not_centred(recipe: nw.Recipe) -> nw.Recipe:
    return recipe.but(network=recipe.network.but(centred=False))


# The rows.

NATS = "{:.2f} nats"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the table.

    Args:
        name: of the row.
        file: of the recipe, without its ending. Default: the name.
        measure: what is measured of each run.
        label: the name of the measure, for people.
        goal: the goal in words.
        low, high: the goal as a range of the mean over seeds.
        seeds: of the recipe; with `peers` also of the split of the data.
        variant: changes the recipe of the file.
        peers: also train scikit-learn's models on the same parts; the goal is then their best mean
            minus half a point.
        text: how a value is printed.
        baseline: name of another entry that this one is compared with, seed by seed.
        max_minutes: a goal for the time of a run on two cores; 0: none.
        extra: further numbers of a run, which are recorded and shown beside the measure.
        published: published numbers, and others measured here.
        for_gpu: it takes hours on two cores, and may have no result yet.
    """

    name: str
    measure: Measure
    label: str
    goal: str
    file: str = ""
    low: float = -math.inf
    high: float = math.inf
    seeds: tuple[int, ...] = (0,)
    variant: Callable[[nw.Recipe], nw.Recipe] = field(default=lambda recipe: recipe)
    peers: bool = False
    text: str = "{:.2f} %"
    baseline: str = ""
    max_minutes: float = 0.0
    extra: Callable[[nw.Run], dict[str, Any]] = field(default=lambda run: {})
    published: str = ""
    for_gpu: bool = False

    @property
    def recipe_file(self) -> Path:
        return HERE / f"{self.file or self.name}.toml"


THREE, FIVE = (0, 1, 2), (0, 1, 2, 3, 4)
SCIKIT_LEARN_GOAL = "scikit-learn's best - 0.5 points"

NIELSEN = tuple(
    Entry(
        name=name,
        file=file,
        measure=best_epoch_percent,
        label="best epoch's test accuracy",
        goal=goal,
        low=low,
        high=high,
        seeds=seeds,
        variant=with_penalty if "lambda" in name else lambda recipe: recipe,
        baseline=file if "lambda" in name else "",
    )
    for name, file, goal, low, high, seeds in (
        ("nielsen-1000", "nielsen-1000", "80.5 to 84.5 %", 80.5, 84.5, FIVE),
        (
            "nielsen-1000, lambda 0.1",
            "nielsen-1000",
            "86.5 to 88.5 %, 3 points above",
            86.5,
            88.5,
            FIVE,
        ),
        ("nielsen-50000", "nielsen-50000", "95.2 to 95.7 %", 95.2, 95.7, THREE),
        ("nielsen-50000, lambda 5", "nielsen-50000", "96.0 to 96.7 %", 96.0, 96.7, THREE),
    )
)

IMAGES_AND_TEXT = (
    Entry(
        name="mnist-mlp-tanh",
        measure=error_percent,
        label="test error",
        goal="at most 1.5 %, within 5 minutes",
        high=1.5,
        seeds=THREE,
        max_minutes=5,
    ),
    Entry(
        name="mnist-lenet5",
        measure=error_percent,
        label="test error",
        goal="at most 0.9 %",
        high=0.9,
        seeds=THREE,
    ),
    Entry(
        name="mnist-lenet5-augmented",
        measure=error_percent,
        label="test error",
        goal="at most 0.6 %",
        high=0.6,
        seeds=(0, 1),
    ),
    Entry(
        name="mnist-maxout",
        measure=error_percent,
        label="test error",
        goal="at most 1.1 %",
        high=1.1,
    ),
    Entry(
        name="mnist-lenet5-average",
        measure=error_percent,
        label="test error",
        goal="at most 0.8 %",
        high=0.8,
        seeds=FIVE,
    ),
    Entry(
        name="mnist-lenet5-augmented-long",
        for_gpu=True,
        measure=error_percent,
        label="test error",
        goal="at most 0.45 %",
        high=0.45,
        seeds=THREE,
    ),
    Entry(
        name="mnist-maxout-long",
        measure=error_percent,
        label="test error",
        goal="at most 0.94 %",
        high=0.94,
        published="0.94 % (Goodfellow et al. 2013)",
    ),
    Entry(
        name="cifar10-resnet20-short",
        for_gpu=True,
        measure=score_percent,
        label="test accuracy",
        goal="at least 91 %",
        low=91,
        published="91.25 % in 182 epochs (He et al. 2016)",
    ),
    *(
        Entry(
            name=f"mnist-deep-lsuv{name}",
            file="mnist-deep-lsuv",
            measure=epochs_to_85,
            label="epochs to 85 %",
            goal="none: three ways to start",
            seeds=FIVE,
            text="{:.1f}",
            variant=variant,
            published="LSUV learns at least as fast as He and orthogonal (Mishkin, Matas 2016)",
        )
        for name, variant in (
            ("", lambda recipe: recipe),
            (", He", lambda recipe: recipe.but(init=nw.He())),
            (", orthogonal", lambda recipe: recipe.but(init=nw.Orthogonal(gain=math.sqrt(2)))),
        )
    ),
    Entry(
        name="fashion-cnn",
        measure=score_percent,
        label="test accuracy",
        goal="at least 93 %, within 30 minutes",
        low=93,
        max_minutes=30,
    ),
    Entry(
        name="cifar10-quick",
        measure=score_percent,
        label="test accuracy",
        goal="at least 80 %, within 30 minutes",
        low=80,
        max_minutes=30,
    ),
    Entry(
        name="cifar10-cyclical",
        for_gpu=True,
        measure=constant_over_cyclical,
        label="epochs to 81.4 % at the best constant rate, over those of the cyclical one",
        goal="at least 2.8",
        low=2.8,
        text="{:.2f}",
        published="70,000 / 25,000 iterations (Smith 2017), on a network without batch norm",
    ),
    Entry(
        name="cifar10-resnet20, 4 epochs",
        file="cifar10-resnet20",
        measure=score_percent,
        label="test accuracy",
        goal="none: the paper's schedule, shortened from 182 epochs to 4",
        variant=shortened,
    ),
    Entry(
        name="shakespeare-lstm",
        measure=lowest_valid_loss,
        label="validation loss",
        goal="at most 1.65 nats, within 30 minutes",
        high=1.65,
        text="{:.3f} nats",
        max_minutes=30,
    ),
)

TABLES = tuple(
    Entry(
        name=name,
        measure=score_percent,
        label="test R²" if name == "california-housing" else "test accuracy",
        goal=SCIKIT_LEARN_GOAL,
        seeds=FIVE,
        peers=True,
    )
    for name in ("adult", "letter", "spambase", "sonar", "california-housing")
)

ENERGY_MODELS = (
    Entry(
        name="energy/rbm-16",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="at least -144.5 nats",
        low=-144.5,
        seeds=THREE,
        text=NATS,
        published="PyDeep -142.56; independent pixels -204.3; scikit-learn at the same rate "
        "-206.2; learnergy 2.0.2, 15 epochs, -224.0",
    ),
    Entry(
        name="energy/rbm-16-cosine",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="at least -142.0 nats",
        low=-142.0,
        seeds=(0, 1),
        text=NATS,
        published="PyDeep -142.56",
    ),
    Entry(
        name="energy/rbm-16, not centred",
        file="energy/rbm-16",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="-151 to -144 nats",
        low=-151,
        high=-144,
        seeds=THREE,
        variant=not_centred,
        text=NATS,
        published="PyDeep -149.05",
    ),
    Entry(
        name="energy/rbm-16, not centred, CD-1",
        file="energy/rbm-16",
        measure=exact_nats,
        label="exact test log-likelihood",
        goal="none: shows the gain of persistent chains",
        seeds=THREE,
        variant=lambda recipe: not_centred(recipe).but(loss=nw.CD()),
        text=NATS,
    ),
    Entry(
        name="energy/rbm-500",
        measure=smaller_bound,
        label="test log-likelihood, the smaller of both bounds",
        goal="reverse AIS at least -92 nats",
        low=-92,
        text=NATS,
        extra=both_bounds,
        published="CD25 -86.34 by AIS alone (Salakhutdinov, Murray 2008); PyDeep, 200 epochs: AIS "
        "-84.86, reverse AIS -96.61",
    ),
    Entry(
        name="energy/rbm-silhouettes",
        measure=smaller_bound,
        label="test log-likelihood, the smaller of both bounds",
        goal="at least -120 nats",
        low=-120,
        text=NATS,
        extra=both_bounds,
        published="500 hidden units, persistent chains: about -120 to -115 (Marlin et al. 2010); "
        "4,000 hidden units: -107.8 (Cho et al. 2013)",
    ),
    Entry(
        name="energy/hopfield-digits",
        measure=score_percent,
        label="patterns recalled exactly with a tenth of the units flipped",
        goal="all",
        low=100,
    ),
    Entry(
        name="energy/boltzmann-encoder",
        measure=encoder_percent,
        label="patterns completed",
        goal="at least 95 %",
        low=95,
        seeds=FIVE,
    ),
    Entry(
        name="energy/autoencoder",
        measure=score_percent,
        label="R² of the reconstructed test images",
        goal="none",
    ),
    Entry(
        name="energy/variational",
        measure=evidence_lower_bound,
        label="lower bound of the test log-likelihood",
        goal="none",
        text=NATS,
    ),
    Entry(
        name="energy/dbn-mnist",
        measure=error_percent,
        label="test error",
        goal="at most 1.3 %",
        high=1.3,
        published="1.25 % (Hinton et al. 2006); 1.34 % with 3 x 1000 units (DeepLearningTutorials)",
    ),
    Entry(
        name="energy/sdae-mnist",
        measure=error_percent,
        label="test error",
        goal="at most 1.4 %",
        high=1.4,
        published="1.28 % (Vincent et al. 2010); 1.3 % with 3 x 1000 units (DeepLearningTutorials)",
    ),
    Entry(
        name="energy/sdae-mnist-long",
        for_gpu=True,
        measure=error_percent,
        label="test error",
        goal="at most 1.28 %",
        high=1.28,
        published="1.28 % (Vincent et al. 2010)",
    ),
)

ENTRIES = (*NIELSEN, *IMAGES_AND_TEXT, *TABLES, *ENERGY_MODELS)


def recipe_of(entry: Entry, seed: int) -> nw.Recipe:
    """The recipe of one run. With `peers` the seed also draws the split of the data."""
    recipe = entry.variant(nw.read_recipe(entry.recipe_file)).but(seed=seed)
    if entry.peers:
        recipe = recipe.but(data=replace(recipe.data, split_seed=seed))  # type: ignore[type-var]
    return recipe
