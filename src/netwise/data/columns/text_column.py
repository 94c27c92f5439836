"""Free text: hashed pieces of words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.cells import Cells, as_words
from netwise.data.columns.column import ColumnEncoder
from netwise.data.raw_inputs import RawInput

HASHED = 2**18  # numbers that a text is hashed to: two pieces seldom share one
PIECES = (2, 5)  # characters of a piece; a blank at the ends of words is one
MOST_PIECES = 512  # inputs of a column
FEWEST_ROWS = 2  # that a piece is in: others are noise
FEWEST_PIECES = 8  # that are chosen even where chance explains them: too few to do harm
MOST_FALSE = 0.5  # of the pieces that are chosen, the share that may be so by chance


@dataclass(frozen=True)
class TextColumn(ColumnEncoder):
    """A column of free text: how often each of some pieces of words is in it.

    Pieces are 2 to 5 characters inside a word, without regard to case; logarithms of their counts
    are scaled so that a text has length 1, and each piece has mean 0 and spread 1 in the training
    part.

    Args:
        pieces: hash numbers of the pieces that became inputs.
        means, scales: of each in the training part.
        gaps: one more input is 1 where the cell is missing, because the training part had gaps.

    Source: Weinberger et al. 2009, Feature hashing for large scale multitask learning;
    scikit-learn's `HashingVectorizer`.
    """

    kind: ClassVar[str] = "text"
    name: str
    pieces: tuple[int, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    gaps: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        names = tuple(f"{self.name}: piece {piece}" for piece in self.pieces)
        return (*names, f"{self.name} is missing") if self.gaps else names

    def raw_input(self) -> RawInput:
        left = "hashing the pieces of words"
        return RawInput(self.name, (len(self.pieces) + 1,), torch.float32, left=left)

    def numbers(self, cells: Cells) -> Tensor:
        """float32 (rows, pieces), and a last column that is 1 for gaps."""
        counts = hashed(cells)[:, list(self.pieces)].toarray().astype(np.float32)
        gaps = np.array([word is None for word in as_words(cells)], dtype=np.float32)
        return torch.from_numpy(np.concatenate([counts, gaps[:, None]], axis=1))

    def computed(self, numbers: Tensor) -> Tensor:
        means, scales = numbers.new_tensor([self.means, self.scales])
        scaled = (numbers[:, :-1] - means) / scales
        return torch.cat([scaled, numbers[:, -1:]], dim=1) if self.gaps else scaled


def hashed(cells: Cells) -> Any:
    """Texts as a sparse matrix (rows, `HASHED`) with rows of length 1."""
    from sklearn.preprocessing import normalize  # heavy

    counts = _vectorizer().transform([word or "" for word in as_words(cells)])
    np.log1p(counts.data, out=counts.data)
    return normalize(counts, copy=False)


@lru_cache(maxsize=1)
def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer  # heavy

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=PIECES, n_features=HASHED, alternate_sign=False, norm=None
    )


def fit_text(cells: Cells, name: str, targets: np.ndarray | None) -> TextColumn:
    """The encoder of a column of text, from its training cells.

    Args:
        cells: of the training part.
        name: of the column.
        targets: float64 (rows, targets), which choose the pieces: those with the largest F
            statistic of a linear fit, as far as at most half of them have it by chance, and at
            least 8. None: those in most rows.

    Source of the limit: Benjamini, Hochberg 1995, Controlling the false discovery rate.
    """
    x = hashed(cells).tocsc()
    rows = np.diff(x.indptr)
    candidates = np.flatnonzero(rows >= FEWEST_ROWS)
    if targets is None:
        order = candidates[np.argsort(-rows[candidates], kind="stable")]
    else:
        order = candidates[_telling(x[:, candidates], targets)]
    chosen = np.sort(_unequal(x, order))
    kept = x[:, chosen]
    means = np.asarray(kept.mean(axis=0)).ravel()
    squares = np.asarray(kept.multiply(kept).mean(axis=0)).ravel()
    scales = np.sqrt(np.maximum(squares - means**2, 1e-12))
    gaps = any(word is None for word in as_words(cells))
    fitted = (tuple(map(float, means)), tuple(map(float, scales)))
    return TextColumn(name, tuple(map(int, chosen)), *fitted, gaps)


def _telling(x: Any, targets: np.ndarray) -> np.ndarray:
    """Columns that tell something of the targets, the strongest first: those with the largest F
    statistic over all targets, of which at most `MOST_FALSE` are expected to have it by chance; but
    at least `FEWEST_PIECES`."""
    from sklearn.feature_selection import f_regression  # heavy

    varying = [target for target in targets.T if target.std() > 0]
    if not varying or not x.shape[1]:
        return np.arange(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = [f_regression(x, target) for target in varying]
    strength = np.nan_to_num(np.max([found[0] for found in each], axis=0))
    chance = np.nan_to_num(np.min([found[1] for found in each], axis=0), nan=1.0) * len(varying)
    order = np.argsort(-strength, kind="stable")
    limits = MOST_FALSE * np.arange(1, len(order) + 1) / len(order)
    below = np.flatnonzero(chance[order] <= limits)
    return order[: max(FEWEST_PIECES, below[-1] + 1 if len(below) else 0)]


def _unequal(x: Any, order: np.ndarray) -> list[int]:
    """The first `MOST_PIECES` columns of which no two are equal: all pieces of a word that no other
    word has say the same."""
    seen, chosen = set(), []
    for column in order:
        entries = slice(x.indptr[column], x.indptr[column + 1])
        counts = (x.indices[entries].tobytes(), x.data[entries].tobytes())
        if counts not in seen:
            seen.add(counts)
            chosen.append(int(column))
        if len(chosen) == MOST_PIECES:
            break
    return chosen
