"""The data of a recipe as its network takes them: read, preprocessed and with the right targets.

A run prepares its data once and passes the value on: to the checks before training, to training
itself and to the report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

from netwise.data.dataset import Pairs, Samples, data_provider
from netwise.data.lazy_rows import are_lazy, of_each_sample
from netwise.data.streams.row_plan import fitting_rows, looked_at, shown_places
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.recipe.recipe import Recipe

EXCERPT = 2**24  # numbers


@dataclass(frozen=True, eq=False)
class Prepared:
    """The data of one recipe, prepared for training.

    The network's module is not part of it: training changes a module, and this value is shared.

    Args:
        loaded: the samples as the data set gives them.
        samples: the same after preprocessing, with the targets that the network learns.
        fitted: for each preprocessing step what it learned from the training part.
    """

    loaded: Samples
    samples: Samples
    fitted: tuple[Fitted, ...]


def prepare(recipe: Recipe) -> Prepared:
    """Load the recipe's data and fit its preprocessing on the whole training part.

    Raises:
        DataMissing, DataError: the data cannot be loaded.
    """
    loaded = recipe.data.load()
    samples, fitted = preprocessed(recipe, loaded)
    samples = recipe.network.with_targets(samples).marked(recipe.preprocess, fitted)
    return Prepared(loaded, samples, fitted)


def preprocessed(recipe: Recipe, samples: Samples) -> tuple[Samples, tuple[Fitted, ...]]:
    """The samples after the recipe's preprocessing, with the targets of the data, and what each
    step learned from the training part."""
    provider = data_provider()
    if provider is not None:
        shared = provider.preprocessed(recipe.data, recipe.preprocess)
        if shared is not None and _same_samples(samples, shared[0]):
            return shared
    fitted: list[Fitted] = []
    samples = samples.unmarked()
    train, valid, test = samples.train, samples.valid, samples.test
    shown = fitting_rows(train.x) if recipe.preprocess else None
    for step in recipe.preprocess:
        fitted.append(step.fit(train.x if shown is None else shown))
        if shown is not None and step is not recipe.preprocess[-1]:
            shown = step.apply(shown, fitted[-1])
        train, valid, test = (_applied(step, fitted[-1], part) for part in (train, valid, test))
    return replace(samples, train=train, valid=valid, test=test), tuple(fitted)


def _same_samples(samples: Samples, shared: Samples) -> bool:
    """Whether both have the same training part: not another version of the data, no excerpt."""
    same_content = samples.fingerprint == shared.fingerprint
    return same_content and len(samples.train) == len(shared.train)


def _applied(step: Preprocess, fitted: Fitted, part: Pairs) -> Pairs:
    if not len(part):
        return part
    return Pairs(of_each_sample(partial(step.apply, fitted=fitted), part.x), part.y, part.weight)


def excerpt(samples: Samples, rows: int = 1000) -> Samples:
    """Samples with at most `rows` training rows, evenly spaced, and empty other parts; fewer where
    these are not in memory and have more floats than `EXCERPT`. Of a stream they are some of its
    rows."""
    if are_lazy(samples.train.x):
        rows = min(rows, max(16, EXCERPT // math.prod(samples.shape)))
    step = max(1, len(samples.train) // rows)
    places = shown_places(samples.train.x, rows)
    if places is None:
        train = Pairs(samples.train.x[::step][:rows], samples.train.y[::step][:rows])
    else:
        train = Pairs(looked_at(samples.train.x, rows), samples.train.y[places])
    return replace(
        samples,
        train=train,
        valid=Pairs(samples.valid.x[:0], samples.valid.y[:0]),
        test=Pairs(samples.test.x[:0], samples.test.y[:0]),
    )
