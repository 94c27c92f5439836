"""The fields of a recipe: every choice of a run, its rule, and the reason for its default."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from netwise.data import Data
from netwise.networks import Network
from netwise.part import Part, integer, part, parts, text
from netwise.parts.augment import Augment
from netwise.parts.averaging import Averaging
from netwise.parts.clipping import Clipping
from netwise.parts.finetuning import FineTune
from netwise.parts.initializers import Initializer, ModuleDefault
from netwise.parts.losses import CrossEntropy, Loss
from netwise.parts.optimizers import Adam, Optimizer
from netwise.parts.penalties import Penalty
from netwise.parts.preprocess import Preprocess
from netwise.parts.schedules import ConstantRate, Schedule
from netwise.parts.stopping import Never, Stopping
from netwise.recipe.plain import toml_of
from netwise.renamed import with_old_names
from netwise.scoring.metrics import CHOICES


@dataclass(frozen=True, kw_only=True)
class RecipeFields(Part):
    """What a recipe holds; `Recipe` says what each field means.

    The fields lie below `Recipe` so that what is made of them, such as a script, can be one of its
    methods without an import cycle.
    """

    family_name: ClassVar[str] = "recipe"

    data: Data = part(Data, because="a recipe needs data", write='"digits"')
    preprocess: tuple[Preprocess, ...] = parts(Preprocess, why="data in a usual range need none")
    augment: tuple[Augment, ...] = parts(Augment, why="compare with a run without it")
    network: Network = part(
        Network, because="a recipe needs a network", write='{kind = "MLP", widths = [64, 30, 10]}'
    )
    init: Initializer = part(Initializer, ModuleDefault(), why="what the layers' authors chose")
    loss: Loss = part(
        Loss,
        CrossEntropy(),
        why="the usual loss for classes: its gradient is large where the output is far off",
    )
    penalty: Penalty | None = part(
        Penalty, None, optional=True, why="regularise once overfitting is seen"
    )
    optimizer: Optimizer = part(Optimizer, Adam(), why="forgiving about the learning rate")
    schedule: Schedule = part(Schedule, ConstantRate(), why="find the rate first")
    clip: Clipping | None = part(
        Clipping, None, optional=True, why="clip when gradients are seen to explode"
    )
    batch_size: int = integer(
        64,
        least=1,
        most=10**9,
        because="a step needs a sample",
        why="many steps an epoch, little noise in each",
    )
    epochs: int = integer(
        20,
        least=1,
        most=10**6,
        because="a run is at least one pass",
        why="enough to see the trend of the curves",
    )
    stopping: Stopping = part(Stopping, Never(), why="first see overfitting, then stop before it")
    tuning: FineTune | None = part(
        FineTune, None, optional=True, why="all layers are trained alike"
    )
    average: Averaging | None = part(
        Averaging, None, optional=True, why="the last weights are what was trained"
    )
    metric: str | None = text(
        None,
        among=CHOICES,
        optional=True,
        write='"balanced_accuracy"',
        why="accuracy or R²; balanced accuracy where classes are of very unequal size",
    )
    seed: int = integer(
        0,
        least=0,
        most=2**63 - 1,
        because="it seeds the random streams",
        why="any number will do, as long as it is recorded",
    )

    @property
    def hash(self) -> str:
        """12 hex digits of the recipe's text; equal for equal recipes. Names that changed since the
        first version enter by their old word, so that hashes of old runs stay valid."""
        return hashlib.sha256(
            with_old_names(toml_of(self)).encode("utf-8", "surrogatepass")
        ).hexdigest()[:12]
