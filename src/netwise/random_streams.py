"""Named random streams derived from one seed.

Every purpose has its own generator, seeded by (run seed, name, epoch, step). So a resumed run needs
no saved generator state, and a new use of randomness does not change the draws of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import torch

INIT = "init"  # initial weights
ORDER = "order"  # order of the training samples in an epoch
FORWARD = "forward"  # draws of the network itself: dropout
AUGMENT = "augment"  # changes of a batch
ENLARGE = "enlarge"  # samples added before training
DATA = "data"  # samples of generated data
PROBE = "probe"  # samples that probe the network
RESAMPLE = "resample"  # bootstrap of a score


def seed_of(seed: int, name: str, epoch: int = 0, step: int = 0) -> int:
    """The 63-bit seed of one stream: the first 8 bytes of SHA-256 of the four arguments, halved."""
    text = f"{seed}/{name}/{epoch}/{step}".encode()
    return int.from_bytes(sha256(text).digest()[:8], "big") >> 1


def generator(seed: int, name: str, epoch: int = 0, step: int = 0) -> torch.Generator:
    """A new CPU generator for the stream `name`; equal arguments give equal draws."""
    return torch.Generator().manual_seed(seed_of(seed, name, epoch, step))


def seed_global(seed: int) -> None:
    """Seed torch's global generators, as `torch.manual_seed` does. Before a GPU is in use, that
    keeps the call for later with a trace of the stack, which takes as long as a small step."""
    if torch.cuda.is_initialized() or torch.backends.mps.is_available() or torch.xpu.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@contextmanager
def global_seed(seed: int, name: str, epoch: int = 0) -> Iterator[None]:
    """Context manager: seed torch's global generator, and restore its state at the end.

    For modules such as `nn.Dropout` and the constructors of torch's layers, which take no
    generator.
    """
    with torch.random.fork_rng():
        seed_global(seed_of(seed, name, epoch))
        yield
