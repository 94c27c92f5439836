"""Two tasks that need a memory of many steps: adding two marked numbers, and copying symbols after
a delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from netwise import random_streams
from netwise.data.dataset import Samples, Split, pairs, split_rows
from netwise.data.encoding import ArrayEncoder, TextEncoder
from netwise.memory import require_memory
from netwise.part import integer
from netwise.tasks import CLASSIFICATION, REGRESSION

NUMBER, SYMBOL = 4, 8  # bytes of a float32, and of an int64


@dataclass(frozen=True, kw_only=True)
class Adding(Split):
    """Sequences of numbers from U(0, 1) with two of them marked; the target is their sum. A
    constant prediction of 1 has a mean squared error of 1/6.

    Inputs (samples, length, 2): the number, and 1 where it is marked; one mark lies in each half.

    Args:
        length: steps, at least 2. Default 50.
        samples: how many are drawn. Default 5000.
        seed: of the draw. Default 0.
        valid, test, split_seed: as in all split data.

    Example:
        >>> import netwise as nw
        >>> train = nw.data.adding(length=10, samples=100).load().train
        >>> bool(((train.x[:, :, 0] * train.x[:, :, 1]).sum(1) - train.y[:, 0]).abs().max() < 1e-6)
        True

    Source: Hochreiter, Schmidhuber 1997, section 5.4.
    """

    kind: ClassVar[str] = "adding"
    length: int = integer(
        50,
        least=2,
        most=10_000,
        because="each half has a mark",
        why="too far for a plain recurrent network",
    )
    samples: int = integer(
        5000, least=10, most=10**7, because="they are drawn", why="a minute of training"
    )
    seed: int = integer(0, least=0, most=2**31, because="it seeds the draw", why="one draw for all")

    def read(self) -> Samples:
        what = f"with length = {self.length} gives numbers that need"
        needed = 4 * NUMBER * self.samples * self.length
        require_memory(needed, "data.adding", "samples", self.samples, what, "5000")
        g = random_streams.generator(self.seed, random_streams.DATA)
        values = torch.rand(self.samples, self.length, generator=g)
        half = self.length // 2
        marks = torch.zeros_like(values)
        rows = torch.arange(self.samples)
        marks[rows, torch.randint(0, half, (self.samples,), generator=g)] = 1
        marks[rows, torch.randint(half, self.length, (self.samples,), generator=g)] = 1
        x, y = torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True)
        train, valid, test = split_rows(None, self.samples, self)
        encoder = ArrayEncoder((self.length, 2))
        return Samples(
            pairs(x, y, train),
            pairs(x, y, valid),
            pairs(x, y, test),
            REGRESSION,
            (),
            encoder,
            f"adding {self.length} {self.samples} {self.seed}",
        )


@dataclass(frozen=True, kw_only=True)
class Copying(Split):
    """Read a few symbols, wait, and repeat them after the sign. Without a memory the loss is word *
    ln(letters) / steps.

    Inputs and targets (samples, word + wait + 1 + word): the word, blanks, the sign, blanks; the
    target is blank until after the sign, and then the word. Symbols: the letters, the blank "_",
    the sign ">".

    Args:
        word: letters to remember, at least 1. Default 5.
        wait: blanks between, at least 0. Default 20.
        letters: different ones, from 2 to 26. Default 8.
        samples: how many are drawn. Default 2000.
        seed: of the draw. Default 0.
        valid, test, split_seed: as in all split data.

    Example:
        >>> import netwise as nw
        >>> samples = nw.data.copying(word=3, wait=4, samples=50).load()
        >>> decode = samples.encoder.decode
        >>> x, y = decode(samples.train.x[0].tolist()), decode(samples.train.y[0].tolist())
        >>> x[:3] == y[-3:], x[3:], y[:-3]
        (True, '____>___', '________')

    Source: Hochreiter, Schmidhuber 1997; Arjovsky, Shah, Bengio 2015, arXiv 1511.06464, section
    5.1.
    """

    kind: ClassVar[str] = "copying"
    word: int = integer(
        5,
        least=1,
        most=1000,
        because="there must be a letter to remember",
        why="ten in the paper take longer",
    )
    wait: int = integer(
        20,
        least=0,
        most=10_000,
        because="it counts blanks",
        why="too long for a plain recurrent network",
    )
    letters: int = integer(
        8, least=2, most=26, because="classes need two letters", why="the paper's number"
    )
    samples: int = integer(
        2000, least=10, most=10**7, because="they are drawn", why="a minute of training"
    )
    seed: int = integer(0, least=0, most=2**31, because="it seeds the draw", why="one draw for all")

    def read(self) -> Samples:
        g = random_streams.generator(self.seed, random_streams.DATA)
        steps = 2 * self.word + self.wait + 1
        what = f"with {steps} steps gives symbols that need"
        needed = 2 * SYMBOL * self.samples * steps
        require_memory(needed, "data.copying", "samples", self.samples, what, "2000")
        symbols = (*tuple("abcdefghijklmnopqrstuvwxyz"[: self.letters]), "_", ">")
        blank, sign = self.letters, self.letters + 1
        words = torch.randint(0, self.letters, (self.samples, self.word), generator=g)
        x = torch.full((self.samples, steps), blank)
        y = x.clone()
        x[:, : self.word], x[:, self.word + self.wait], y[:, -self.word :] = words, sign, words
        train, valid, test = split_rows(None, self.samples, self)
        fingerprint = f"copying {self.word} {self.wait} {self.letters} {self.samples} {self.seed}"
        return Samples(
            pairs(x, y, train),
            pairs(x, y, valid),
            pairs(x, y, test),
            CLASSIFICATION,
            symbols,
            TextEncoder(symbols),
            fingerprint,
        )
