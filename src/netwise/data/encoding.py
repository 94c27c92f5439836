"""Encoders: from raw inputs to tensors. Fitted on the training part, saved as text and numbers,
never pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from netwise.data.array_encoder import (
    ArrayEncoder as ArrayEncoder,
    fit_arrays as fit_arrays,
    takes_any_numbers as takes_any_numbers,
    tensor_of as tensor_of,
)
from netwise.data.raw_inputs import RawInput
from netwise.errors import DataError, short_repr
from netwise.schema import typed_by_kind

if TYPE_CHECKING:
    from netwise.data.columns.table_encoder import TableEncoder
    from netwise.data.image_files.picture_encoder import PictureEncoder


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

    def words(self, raw: Any) -> dict[str, np.ndarray]:
        rows = [raw] if isinstance(raw, str) else raw
        return {"characters": np.array([list(row) for row in rows], dtype=object)}

    def raw(self, x: Tensor) -> list[str]:
        return [self.decode(row) for row in x.tolist()]

    def decode(self, numbers: Sequence[int]) -> str:
        return "".join(self.symbols[i] for i in numbers)

    def plain(self) -> dict[str, Any]:
        return {"kind": "text", "symbols": list(self.symbols)}


def encoder_from(
    plain: Mapping[str, Any],
) -> ArrayEncoder | PictureEncoder | TableEncoder | TextEncoder:
    """The encoder that `plain()` described.

    Raises:
        SchemaError: a value has another type than its field.
    """
    from netwise.data.columns.table_encoder import PlainTable  # heavy
    from netwise.data.image_files.picture_encoder import PictureEncoder

    encoders = {
        "text": TextEncoder,
        "array": ArrayEncoder,
        "pictures": PictureEncoder,
        "table": PlainTable,
    }
    encoder = typed_by_kind(encoders, plain, "encoder")
    if isinstance(encoder, PlainTable):
        return encoder.encoder()
    return cast("ArrayEncoder | PictureEncoder | TextEncoder", encoder)
