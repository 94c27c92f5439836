"""Columns of many categories: inputs for the frequent ones, and the mean target of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.category_column import (
    CategoryColumn,
    coded_input,
    codes_of,
    counted_words,
)
from netwise.data.columns.cells import Cells
from netwise.data.columns.column import ColumnEncoder
from netwise.data.raw_inputs import RawInput
from netwise.schema import Count

MOST_OUTPUTS = 20  # targets or classes: with more, each column would become too many inputs
MOST_WORDS = 100_000  # that have means of their own: the most frequent; all are in the saved file
PARTS = 5  # of the training rows, each of which is encoded by what the others say


@dataclass(frozen=True)
class ManyCategoriesColumn(ColumnEncoder):
    """A column of words: one input for each frequent word, one for all others, and one for the mean
    of each target in the rows of a word.

    Means are drawn towards that of all rows where a word has few, and scaled to mean 0 and spread
    1 in the training part.

    Args:
        categories: known words.
        frequent: places of those that have an input, in rising order.
        means: for each known word one number for each target.
        unknown: the numbers of all other words.
        targets: their names.

    Source: Micci-Barreca 2001, A preprocessing scheme for high-cardinality categorical attributes;
    scikit-learn's `TargetEncoder`.
    """

    kind: ClassVar[str] = "many categories"
    name: str
    categories: tuple[str, ...]
    frequent: tuple[Count, ...]
    means: tuple[tuple[float, ...], ...]
    unknown: tuple[float, ...]
    targets: tuple[str, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        words = (*(self.categories[place] for place in self.frequent), "(other)")
        return (
            *(f"{self.name}={word}" for word in words),
            *(f"{self.name}: mean of {target}" for target in self.targets),
        )

    def raw_input(self) -> RawInput:
        return coded_input(self.name, self.categories)

    def numbers(self, cells: Cells) -> Tensor:
        return codes_of(cells, self.categories)

    def computed(self, numbers: Tensor) -> Tensor:
        means = torch.tensor([*self.means, self.unknown], device=numbers.device)
        return torch.cat([self._words(numbers), means[numbers]], dim=1)

    def _words(self, codes: Tensor) -> Tensor:
        words = (codes[:, None] == torch.tensor(self.frequent, device=codes.device)).float()
        return torch.cat([words, 1 - words.sum(dim=1, keepdim=True)], dim=1)


def fit_many_categories(
    cells: Cells, words: CategoryColumn, targets: np.ndarray, target_names: tuple[str, ...]
) -> tuple[ManyCategoriesColumn, Tensor]:
    """The encoder of a column of many categories, and the inputs of its training rows.

    These inputs are not those that the encoder gives: the means of a row come from rows of other
    parts of the training part, as no row may see its own target.

    Args:
        cells: of the training part.
        words: the encoder of its frequent words.
        targets: float64 (rows, targets): numbers, or 1 for the class of a row.
        target_names: of the targets.
    """
    known = {word for word, _ in counted_words(cells).most_common(MOST_WORDS)}
    categories = tuple(sorted(known.union(words.categories)))
    codes = codes_of(cells, categories)
    means, crossed = _means(codes.numpy()[:, None], len(categories), targets)
    rows = tuple(tuple(map(float, row)) for row in means)
    places = {word: place for place, word in enumerate(categories)}
    fitted = ManyCategoriesColumn(
        words.name,
        categories,
        tuple(places[word] for word in words.categories),
        rows[:-1],
        rows[-1],
        target_names,
    )
    inputs = fitted.computed(codes)
    inputs[:, -targets.shape[1] :] = torch.from_numpy(crossed)
    return fitted, inputs


def _means(
    codes: np.ndarray, categories: int, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means for each code, (categories + 1, targets), and for each row, (rows, targets), from the
    rows of other parts; both in units of the latter's spread. The last code is that of all words
    beyond `MOST_WORDS`, and of unknown ones later."""
    from sklearn.model_selection import KFold  # heavy
    from sklearn.preprocessing import TargetEncoder

    def means_of(rows: np.ndarray | slice, target: np.ndarray, asked: np.ndarray) -> np.ndarray:
        encoder = TargetEncoder(target_type="continuous").fit(codes[rows], target[rows])
        means: np.ndarray = encoder.transform(asked)[:, 0]
        return means

    splits = list(KFold(PARTS, shuffle=True, random_state=0).split(codes))
    each, crossed = [], []
    for target in targets.T:
        means = means_of(slice(None), target, np.arange(categories + 1)[:, None])
        out_of_part = np.empty(len(target))
        for others, part in splits:
            out_of_part[part] = means_of(others, target, codes[part])
        centre, scale = out_of_part.mean(), out_of_part.std() or 1.0
        each.append((means - centre) / scale)
        crossed.append((out_of_part - centre) / scale)
    return np.stack(each, axis=1), np.stack(crossed, axis=1)
