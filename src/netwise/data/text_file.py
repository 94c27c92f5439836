"""Texts as characters: what comes next, given what came before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import SHARE, Data, Pairs, Samples
from netwise.data.download import Remote, find, local_paths
from netwise.data.encoding import TextEncoder
from netwise.errors import DataError, Problem
from netwise.part import flag, integer, number, text as text_field
from netwise.tasks import CLASSIFICATION

SHAKESPEARE = Remote(
    "tinyshakespeare/input.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    ("86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",),
)


@dataclass(frozen=True)
class Text(Data):
    """A text file, for a network that predicts at each character the next one. Made by
    `data.text`.

    Cut from its start into a training, a validation and a test part, each into pieces of `length`
    characters; the target of a piece is the same piece one character on. Classes are the characters
    that occur.

    Args:
        path: the file, UTF-8; "tiny_shakespeare" is the one in the data folder. Default
            "tiny_shakespeare".
        length: characters of a piece, at least 1. Default 100.
        in_order: a batch's pieces follow those of the batch before, for a network that carries its
            state over (truncated back-propagation through time). Default false: pieces in random
            order.
        valid, test: shares of the text, from its end. Defaults 0.1 and 0.0.
    """

    kind: ClassVar[str] = "text"
    path: str = text_field(
        "tiny_shakespeare", because="it names a file", why="it lies in the data folder"
    )
    length: int = integer(
        100,
        least=1,
        most=100_000,
        because="a piece has characters",
        why="longer than most dependencies between characters",
    )
    in_order: bool = flag(False, why="random order makes steps independent")
    valid: float = number(0.1, least=0, below=1, because=SHARE, why="the usual cut of this text")
    test: float = number(
        0.0, least=0, below=1, because=SHARE, why="the usual cut of this text has none"
    )

    def conflicts(self) -> list[Problem]:
        if self.valid + self.test >= 1:
            return [
                Problem(
                    "valid",
                    repr(self.valid),
                    f"and test = {self.test} leave nothing to train on",
                    "0.1",
                )
            ]
        return []

    def files(self) -> Sequence[Path]:
        named = self.path == "tiny_shakespeare"
        return local_paths([SHAKESPEARE]) if named else [Path(self.path)]

    def content(self) -> str:
        """The whole text."""
        path = (
            find([SHAKESPEARE], "tiny Shakespeare")[0]
            if self.path == "tiny_shakespeare"
            else Path(self.path)
        )
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            raise DataError(
                f"{path} is not there (looked in {Path.cwd()}): check the path, or write it in full"
            ) from None
        except (UnicodeDecodeError, IsADirectoryError) as error:
            raise DataError(
                f"{path} is no UTF-8 text: {error}. Name a text file, saved as UTF-8"
            ) from None

    def read(self) -> Samples:
        content = self.content()
        symbols = tuple(sorted(set(content)))
        if len(symbols) < 2:
            raise DataError(
                f"{self.path} has {len(symbols)} different characters, so there is nothing to "
                "predict: name a text with at least two"
            )
        places = np.zeros(max(map(ord, symbols)) + 1, dtype=np.int64)
        places[[ord(symbol) for symbol in symbols]] = np.arange(len(symbols))
        numbers = torch.from_numpy(
            places[np.frombuffer(content.encode("utf-32-le"), dtype=np.uint32)]
        )
        train, valid = (
            round(len(numbers) * share) for share in (1 - self.valid - self.test, self.valid)
        )
        parts = [numbers[:train], numbers[train : train + valid], numbers[train + valid :]]
        pairs = [self._pieces(part) for part in parts]
        if not len(pairs[0]):
            raise DataError(
                f"{self.path}: its training part has {len(parts[0])} characters, and a piece of "
                f"length = {self.length} needs {self.length + 1}: use a shorter length or a longer "
                "text"
            )
        fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
        return Samples(
            pairs[0],
            pairs[1],
            pairs[2],
            CLASSIFICATION,
            symbols,
            TextEncoder(symbols),
            fingerprint,
            in_order=self.in_order,
        )

    def _pieces(self, numbers: Tensor) -> Pairs:
        count = max(0, (len(numbers) - 1) // self.length)
        size = count * self.length
        return Pairs(
            numbers[:size].reshape(count, self.length),
            numbers[1 : size + 1].reshape(count, self.length),
        )


def text(
    path: str | Path = "tiny_shakespeare",
    *,
    length: int = 100,
    in_order: bool = False,
    valid: float = 0.1,
    test: float = 0.0,
) -> Text:
    """A text, for a network that predicts at each character the next one; see `Text` for what each
    argument means.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "song.txt"
        >>> _ = path.write_text("la la la lo " * 40)
        >>> samples = nw.data.text(path, length=12).load()
        >>> samples.classes, tuple(samples.train.x.shape)
        ((' ', 'a', 'l', 'o'), (35, 12))
        >>> samples.encoder.decode(samples.train.y[0].tolist())
        'a la la lo l'
    """
    return Text(str(path), length=length, in_order=in_order, valid=valid, test=test)
