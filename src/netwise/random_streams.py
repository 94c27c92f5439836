"""Named random streams of one seed.

Every draw that netwise makes comes from a generator of its own, seeded by (run seed, name, epoch,
step). A resumed run needs no generator state for them, and a new use of randomness shifts no other
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import torch

INIT = "init"  # weights at the start
ORDER = "order"  # order of the training samples in an epoch
FORWARD = "forward"  # what the network itself draws: dropout
AUGMENT = "augment"  # changes to a batch of inputs
ENLARGE = "enlarge"  # training samples added before training
DATA = "data"  # samples of a task that is drawn
PROBE = "probe"  # samples chosen for a look at the network
RESAMPLE = "resample"  # bootstrap of a score


def seed_of(seed: int, name: str, epoch: int = 0, step: int = 0) -> int:
    """The 63-bit seed of one stream: the first bytes of SHA-256 over all four."""
    text = f"{seed}/{name}/{epoch}/{step}".encode()
    return int.from_bytes(sha256(text).digest()[:8], "big") >> 1


def generator(seed: int, name: str, epoch: int = 0, step: int = 0) -> torch.Generator:
    """A fresh CPU generator for the stream `name`; equal arguments give equal draws."""
    return torch.Generator().manual_seed(seed_of(seed, name, epoch, step))


@contextmanager
def global_seed(seed: int, name: str, epoch: int = 0) -> Iterator[None]:
    """Seed torch's global generator inside, and put back what was there before.

    Modules such as `nn.Dropout`, and the constructors of torch's layers, draw from nowhere else.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(seed, name, epoch))
        yield
