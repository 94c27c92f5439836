"""Encoders: from raw inputs to tensors. Fitted on the training part, saved as text and numbers,
never pickled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from netwise.data.csv_file import read_table
from netwise.data.raw_inputs import RawInput
from netwise.errors import DataError, close_matches, short_repr
from netwise.schema import typed_by_kind

MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})
MISSING = "(missing)"  # the word that stands for all of them
_WRITTEN_MISSING = sorted(
    {written for word in MISSING_WORDS for written in (word, word.upper(), word.title())}
    | {"NaN", "N/a"}
)
# A column with more categories gets one input for all its rare ones: a column of names would
# otherwise need an input for each row.
MOST_CATEGORIES = 50


def tensor_of(array: np.ndarray, dtype: torch.dtype | None = None) -> Tensor:
    """The array as a tensor; copied only where its memory is read-only (a mapped file), which torch
    has no tensors for."""
    return torch.as_tensor(np.require(array, requirements="W"), dtype=dtype)


@dataclass(frozen=True)
class ArrayEncoder:
    """Numbers of a fixed shape, divided by a constant (255 for bytes of an image)."""

    shape: tuple[int, ...]
    divisor: float = 1.0
    missing: bool = False  # NaN is allowed, and filled by a preprocessing step of the recipe

    def encode(self, raw: Any) -> Tensor:
        return self.computed(self.numbers(raw))

    def raw_inputs(self) -> tuple[RawInput, ...]:
        return (RawInput("input", self.shape),)

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        return numbers[0] / self.divisor

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        try:
            x = tensor_of(np.asarray(raw, dtype=np.float32))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the inputs are no array of numbers: {error}. Pass numbers of shape "
                f"{self._shape_text()}"
            ) from None
        size = math.prod(self.shape)
        if tuple(x.shape) == self.shape or (x.dim() == 1 and x.numel() == size):
            x = x[None]  # one sample
        if x.dim() < 1 or (len(x) and x[0].numel() != size):
            raise DataError(
                f"the inputs have shape {tuple(x.shape)}, and the network takes "
                f"{self._shape_text()}: reshape them"
            )
        if not (torch.isfinite(x) | (torch.isnan(x) & self.missing)).all():
            raise DataError(
                f"{int((~torch.isfinite(x)).sum())} of the inputs are not finite numbers: remove "
                "or replace them"
            )
        return (x.reshape(-1, *self.shape),)

    def _shape_text(self) -> str:
        return f"(samples, {', '.join(map(str, self.shape))})"

    def plain(self) -> dict[str, Any]:
        return {
            "kind": "array",
            "shape": list(self.shape),
            "divisor": self.divisor,
            "missing": self.missing,
        }


def takes_any_numbers(encoder: object) -> bool:
    """Whether an encoder gives numbers as they are, so that encoded inputs are raw ones too."""
    return isinstance(encoder, ArrayEncoder) and encoder.divisor == 1


@dataclass(frozen=True)
class NumberColumn:
    """A numeric column: missing cells become the median, then mean 0 and spread 1; the three
    numbers are those of the training part."""

    name: str
    median: float
    mean: float
    scale: float

    def raw_input(self) -> RawInput:
        return RawInput(self.name, (), torch.float64)

    def numbers(self, cells: Sequence[object]) -> Tensor:
        """(rows,): the numbers, nan for missing cells."""
        return torch.from_numpy(_numbers(cells, self.name))

    def computed(self, numbers: Tensor) -> Tensor:
        """(rows, 1): what `numbers` gave, filled and scaled."""
        filled = torch.where(numbers.isnan(), self.median, numbers)
        return ((filled - self.mean) / self.scale)[:, None]


@dataclass(frozen=True)
class CategoryColumn:
    """A column of words: one input for each known word, and where `other` one more for all rare
    and unknown ones; without it an unknown word is 0 everywhere."""

    name: str
    categories: tuple[str, ...]
    other: bool

    def raw_input(self) -> RawInput:
        codes = {word: code for code, word in enumerate(self.categories)}
        if MISSING in codes:
            codes |= dict.fromkeys(_WRITTEN_MISSING, codes[MISSING])
        return RawInput(self.name, (), torch.int64, codes, self._unknown)

    def numbers(self, cells: Sequence[object]) -> Tensor:
        """(rows,): the code of each word."""
        codes = {word: code for code, word in enumerate(self.categories)}
        return torch.tensor(
            [codes.get(_word(cell), self._unknown) for cell in cells], dtype=torch.int64
        )

    def computed(self, numbers: Tensor) -> Tensor:
        """(rows, inputs): 1 at the place of each code that `numbers` gave, 0 elsewhere."""
        places = torch.arange(len(self.categories) + self.other, device=numbers.device)
        return (numbers[:, None] == places).double()

    @property
    def _unknown(self) -> int:
        return len(self.categories) if self.other else -1


@dataclass(frozen=True)
class TableEncoder:
    """The columns of a table."""

    columns: tuple[NumberColumn | CategoryColumn, ...]

    def encode(self, raw: Any) -> Tensor:
        cells = cells_of(raw, [column.name for column in self.columns])
        x = self.computed([column.numbers(cells[column.name]) for column in self.columns])
        for row, feature in torch.argwhere(~x.isfinite())[:1].tolist():
            name = self.features[feature]
            raise DataError(
                f"column {short_repr(name)}, row {row + 1}: {short_repr(cells[name][row])} is too "
                "large for the 32-bit numbers of a network: write a smaller number, or leave the "
                "cell empty"
            )
        return x

    def raw_inputs(self) -> tuple[RawInput, ...]:
        return tuple(column.raw_input() for column in self.columns)

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        cells = cells_of(raw, [column.name for column in self.columns])
        return tuple(column.numbers(cells[column.name]) for column in self.columns)

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        pairs = zip(self.columns, numbers, strict=True)
        return torch.cat([column.computed(each) for column, each in pairs], 1).float()

    @property
    def features(self) -> tuple[str, ...]:
        names: list[str] = []
        for column in self.columns:
            if isinstance(column, NumberColumn):
                names.append(column.name)
            else:
                names += [
                    f"{column.name}={word}"
                    for word in (*column.categories, *(["(other)"] if column.other else []))
                ]
        return tuple(names)

    def plain(self) -> dict[str, Any]:
        kinds = {NumberColumn: "number", CategoryColumn: "category"}
        return {
            "kind": "table",
            "columns": [{"kind": kinds[type(c)], **asdict(c)} for c in self.columns],
        }


@dataclass(frozen=True)
class TextEncoder:
    """Characters as numbers: their index in the alphabet."""

    symbols: tuple[str, ...]

    def encode(self, raw: Any) -> Tensor:
        """int64 (samples, steps) for a text or several of one length."""
        rows = [raw] if isinstance(raw, str) else list(raw)
        places = {symbol: i for i, symbol in enumerate(self.symbols)}
        lengths = {len(row) for row in rows}
        if len(lengths) > 1:
            raise DataError(
                f"the texts have {', '.join(map(str, sorted(lengths)))} characters: pass texts of "
                "one length, or one at a time"
            )
        for row in rows:
            for symbol in row:
                if symbol not in places:
                    raise DataError(
                        f"the character {short_repr(symbol)} was not in the training text: "
                        f"remove it; the network knows {short_repr(''.join(self.symbols))}"
                    )
        return torch.tensor([[places[symbol] for symbol in row] for row in rows], dtype=torch.int64)

    def raw_inputs(self) -> tuple[RawInput, ...]:
        codes = {symbol: code for code, symbol in enumerate(self.symbols)}
        return (RawInput("characters", (None,), torch.int64, codes),)

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        return (self.encode(raw),)

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        return numbers[0]

    def decode(self, numbers: Sequence[int]) -> str:
        return "".join(self.symbols[i] for i in numbers)

    def plain(self) -> dict[str, Any]:
        return {"kind": "text", "symbols": list(self.symbols)}


def encoder_from(plain: Mapping[str, Any]) -> ArrayEncoder | TableEncoder | TextEncoder:
    """The encoder that `plain()` described.

    Raises:
        SchemaError: a value has another type than its field.
    """
    encoder = typed_by_kind(_ENCODERS, plain, "encoder")
    if not isinstance(encoder, _PlainTable):
        return cast(ArrayEncoder | TextEncoder, encoder)
    return TableEncoder(
        tuple(
            typed_by_kind(_COLUMNS, column, f"encoder.columns[{i}]")
            for i, column in enumerate(encoder.columns)
        )
    )


@dataclass(frozen=True)
class _PlainTable:
    columns: tuple[Any, ...]


_ENCODERS = {"text": TextEncoder, "array": ArrayEncoder, "table": _PlainTable}
_COLUMNS = {"number": NumberColumn, "category": CategoryColumn}


def fit_table(cells: Mapping[str, Sequence[str]], numeric: Mapping[str, bool]) -> TableEncoder:
    """The encoder of a table, fitted on its training cells with scikit-learn's transformers.

    Args:
        cells: the training part, by column.
        numeric: which columns hold numbers.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns: list[NumberColumn | CategoryColumn] = []
    for name, column in cells.items():
        if numeric[name]:
            values = _numbers(column, name)[:, None]
            imputer = SimpleImputer(strategy="median", keep_empty_features=True).fit(values)
            scaler = StandardScaler().fit(imputer.transform(values))
            columns.append(
                NumberColumn(
                    name,
                    float(imputer.statistics_[0]),
                    float(scaler.mean_[0]),
                    float(scaler.scale_[0]),
                )
            )
        else:
            words = np.array([_word(cell) for cell in column], dtype=object)[:, None]
            coder = OneHotEncoder(
                max_categories=MOST_CATEGORIES, handle_unknown="infrequent_if_exist"
            ).fit(words)
            rare = coder.infrequent_categories_[0]
            rare = set() if rare is None else set(rare)
            kept = tuple(str(word) for word in coder.categories_[0] if word not in rare)
            columns.append(CategoryColumn(name, kept, bool(rare)))
    return TableEncoder(tuple(columns))


def is_missing(cell: object) -> bool:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip().lower() in MISSING_WORDS


def is_number(cell: object) -> bool:
    if isinstance(cell, bool):
        return False
    try:
        return math.isfinite(float(cell))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _word(cell: object) -> str:
    return MISSING if is_missing(cell) else str(cell).strip()


def _numbers(column: Iterable[object], name: str) -> np.ndarray:
    values: list[float] = []
    for i, cell in enumerate(column):
        if is_missing(cell):
            values.append(math.nan)
        elif is_number(cell):
            values.append(float(cell))  # type: ignore[arg-type]
        else:
            raise DataError(
                f"column {short_repr(name)}, row {i + 1}: {short_repr(cell)} is no number, and the "
                "column had numbers in training: write a number, or leave the cell empty"
            )
    return np.array(values)


def cells_of(raw: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """The named columns of a table that comes as a path of a CSV file, a data frame, a dict of
    columns, a list of dicts, or a list of rows."""
    if isinstance(raw, str | Path):
        raw = read_table(Path(raw), keep_empty=True)
    if isinstance(raw, Mapping) or hasattr(raw, "columns"):
        known = [str(name) for name in (raw.columns if hasattr(raw, "columns") else raw)]
        _check_columns(names, known)
        cells = {name: list(raw[name]) for name in names}
        lengths = {len(column) for column in cells.values()}
        if len(lengths) > 1:
            raise DataError(
                f"the columns have {', '.join(map(str, sorted(lengths)))} cells: pass one cell of "
                "each column for each row"
            )
        return cells
    rows = list(raw)
    if rows and isinstance(rows[0], Mapping):
        for row in rows:
            _check_columns(names, list(row))
        return {name: [row[name] for row in rows] for name in names}
    for i, row in enumerate(rows):
        if isinstance(row, str | bytes) or not hasattr(row, "__len__") or len(row) != len(names):
            raise DataError(
                f"row {i + 1} is {short_repr(row)}: pass {len(names)} cells, in this order: "
                f"{', '.join(names)}"
            )
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _check_columns(names: Sequence[str], known: Sequence[str]) -> None:
    absent = [name for name in names if name not in known]
    if absent:
        close = close_matches(absent[0], known)
        hint = f" Did you mean {close}?" if close else f" There are: {', '.join(known[:20])}."
        raise DataError(f"the table has no column {', '.join(map(short_repr, absent))}.{hint}")
