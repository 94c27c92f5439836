"""Categories: an input for each word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.cells import MISSING, WRITTEN_MISSING, Cells, as_words, is_missing
from netwise.data.columns.column import ColumnEncoder
from netwise.data.raw_inputs import RawInput

# A column with more categories gets one input for all its rare ones: a column of names would
# otherwise need an input for each row.
MOST_CATEGORIES = 50


@dataclass(frozen=True)
class CategoryColumn(ColumnEncoder):
    """A column of words: one input for each known word, and where `other` one more for all rare
    and unknown ones; without it an unknown word is 0 everywhere."""

    kind: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    other: bool

    @property
    def feature_names(self) -> tuple[str, ...]:
        words = (*self.categories, *(["(other)"] if self.other else []))
        return tuple(f"{self.name}={word}" for word in words)

    def raw_input(self) -> RawInput:
        return coded_input(self.name, self.categories)

    def numbers(self, cells: Cells) -> Tensor:
        return codes_of(cells, self.categories)

    def computed(self, numbers: Tensor) -> Tensor:
        codes = torch.arange(len(self.categories) + self.other, device=numbers.device)
        return (numbers[:, None] == codes).float()


def coded_input(name: str, categories: tuple[str, ...]) -> RawInput:
    """A column of words whose codes `codes_of` gives."""
    codes = {word: code for code, word in enumerate(categories)}
    if MISSING in codes:
        codes = dict.fromkeys(WRITTEN_MISSING, codes[MISSING]) | codes
    return RawInput(name, (), torch.int64, codes, len(categories))


def codes_of(cells: Cells, categories: tuple[str, ...]) -> Tensor:
    """int64 (rows,): the place of each cell's word; `len(categories)` for a word that is not among
    them. A word such as "?" is a gap, unless it is among them."""
    places = {word: i for i, word in enumerate(categories)}
    unknown = len(categories)
    gap = places.get(MISSING, unknown)
    words = as_words(cells)
    codes = np.array([places.get(word, -1) for word in words], dtype=np.int64)  # type: ignore[arg-type]
    for row in np.flatnonzero(codes < 0):
        codes[row] = gap if is_missing(words[row]) else unknown
    return torch.from_numpy(codes)


def fit_categories(cells: Cells, name: str) -> CategoryColumn:
    """The encoder of a column of words, from its training cells; as scikit-learn's `OneHotEncoder`
    with `max_categories`."""
    counts = counted_words(cells)
    words = sorted(counts)
    if len(words) <= MOST_CATEGORIES:
        return CategoryColumn(name, tuple(words), False)
    frequent = sorted(words, key=counts.__getitem__)[-(MOST_CATEGORIES - 1) :]
    return CategoryColumn(name, tuple(sorted(frequent)), True)


def counted_words(cells: Cells) -> Counter[str]:
    """How often each word is in a column; gaps are the word "(missing)"."""
    return Counter(MISSING if word is None else word for word in as_words(cells))
