"""From pictures that a network was not trained on to its inputs: files, or arrays of pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from netwise.data.array_encoder import ArrayEncoder
from netwise.data.image_files.decoding import as_bytes, decode, quiet
from netwise.data.image_files.loading import reading_threads
from netwise.data.raw_inputs import RawInput
from netwise.errors import DataError


@dataclass(frozen=True)
class PictureEncoder:
    """Pictures as the network takes them: resized, in its colours, from 0 to 1.

    Args:
        shape: channels (1 or 3), height and width.
        low, high: the range of the training pictures of more than 8 bits, which scales such files.
    """

    shape: tuple[int, ...]
    low: float = 0.0
    high: float = 255.0

    def encode(self, raw: Any) -> Tensor:
        return self.computed(self.numbers(raw))

    def raw_inputs(self) -> tuple[RawInput, ...]:
        channels = self.shape[0]
        return (
            RawInput("input", (channels, None, None), unit="0 to 255, of any height and width"),
        )

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        x = numbers[0]
        if torch.compiler.is_compiling():  # a file of the network resizes as `decode` does
            size = list(self.shape[1:])
            x = functional.interpolate(x, size, mode="bilinear", antialias=True).round()
        return x / 255.0

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        """(samples, channels, height, width) of 0 to 255.

        Args:
            raw: the path of a picture, or several; else arrays as `ArrayEncoder` takes them.

        Raises:
            BrokenImage: a file cannot be read.
            DataError: `raw` is neither.
        """
        paths = _paths(raw)
        if paths is None:
            return ArrayEncoder(self.shape).numbers(raw)
        if not paths:
            return (torch.zeros(0, *self.shape),)
        with quiet(), reading_threads() as pool:
            rows = list(pool.map(self._read, paths))
        return (torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).contiguous().float(),)

    def words(self, raw: Any) -> dict[str, np.ndarray]:
        return {}

    def raw(self, x: Tensor) -> np.ndarray:
        inputs: np.ndarray = (x * 255.0).numpy()
        return inputs

    def _read(self, path: Path) -> np.ndarray:
        """uint8 (height, width, channels)."""
        channels, height, width = self.shape
        pixels = decode(path, height=height, width=width, colour=channels == 3).pixels
        if pixels.dtype != np.uint8:
            pixels = as_bytes(pixels, self.low, self.high, colour=channels == 3)
        return pixels.reshape(height, width, channels)

    def plain(self) -> dict[str, Any]:
        return {"kind": "pictures", **asdict(self), "shape": list(self.shape)}


def _paths(raw: Any) -> list[Path] | None:
    """The paths in `raw`; None where it has none."""
    if isinstance(raw, str | os.PathLike):
        return [Path(raw)]
    if isinstance(raw, np.ndarray) and raw.dtype.kind not in "UO":
        return None
    if isinstance(raw, Tensor):
        return None
    if isinstance(raw, Sequence | np.ndarray) and len(raw):
        named = [isinstance(each, str | os.PathLike) for each in raw]
        if all(named):
            return [Path(each) for each in raw]
        if any(named):
            raise DataError("the inputs mix paths with other things: pass paths only, or arrays")
    return None
