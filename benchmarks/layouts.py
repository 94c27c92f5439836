"""Memory layouts and pooling of image networks, relative to the same network in stock torch.

    scripts/bench layouts               print the ratios of this machine
    scripts/bench layouts --json FILE   also write them

A step is forward, cross entropy, backward and a fused SGD update, with one thread. All contestants
of a network take short blocks of steps in turn, in one process; a time is CPU time of the thread,
so that other processes on the machine count little. Ratios are of minima, and of medians.

The rule in `training/speedups.py` follows from these numbers: a layout is used where it is at most
1.03 times the time of stock torch for all networks that it is used in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from in_turn import Row, compare, print_rows, write_results
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.training.speedups import CHANNELS_LAST, SLICED_POOLING, use_layout

SECONDS = 6.0  # of CPU time for all contestants of a network and a batch size together
STOCK = "stock torch"

NETWORKS: dict[str, tuple[nw.Network, tuple[int, ...]]] = {
    "LeNet5": (nw.LeNet5(), (1, 28, 28)),
    "ConvNet 32-64": (nw.ConvNet(), (1, 28, 28)),
    "ConvNet 32-64, 3x32x32": (nw.ConvNet(image=(3, 32, 32)), (3, 32, 32)),
    "ConvNet 8-16, no batch norm": (nw.ConvNet(channels=(8, 16), block="CAP"), (1, 28, 28)),
    "ResNet-20": (nw.CIFARResNet(), (3, 32, 32)),
}
BATCHES = (1, 16, 128)


def contestants(network: nw.Network) -> dict[str, nn.Module]:
    """The module with each layout."""
    modules = {
        STOCK: use_layout(network.build(), ()),
        "slices for pooling": use_layout(network.build(), (SLICED_POOLING,)),
        "channels last": use_layout(network.build(), (CHANNELS_LAST,)),
        "channels last, weights too": use_layout(network.build(), (CHANNELS_LAST,)),
    }
    whole = modules["channels last, weights too"]
    whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return modules


def step_of(module: nn.Module, x: Tensor, y: Tensor) -> Callable[[], None]:
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(module(x), y).backward()
        optimizer.step()

    return step


def measure(network: nw.Network, shape: tuple[int, ...], batch: int) -> dict[str, Row]:
    """Times of a step of each contestant, and their ratios to stock torch."""
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(batch, *shape, generator=g), torch.randint(10, (batch,), generator=g)
    last = x.contiguous(memory_format=torch.channels_last)
    steps = {
        name: step_of(module, last if name.startswith("channels") else x, y)
        for name, module in contestants(network).items()
    }
    return compare(steps, STOCK, SECONDS)


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    results: dict[str, dict[str, Row]] = {}
    for name, (network, shape) in NETWORKS.items():
        for batch in BATCHES:
            title = f"{name}, batch {batch}"
            results[title] = measure(network, shape, batch)
            print_rows(title, results[title])
    capability = torch.backends.cpu.get_cpu_capability()
    write_results(results, arguments, capability=capability, threads=1)


if __name__ == "__main__":
    main(sys.argv[1:])
