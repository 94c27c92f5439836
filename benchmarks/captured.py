"""Steps of `fit`, captured and plain, relative to a hand-tuned eager loop.

    scripts/bench captured               print the ratios of this machine
    scripts/bench captured --quick       the same in half a minute of CPU time
    scripts/bench captured --json FILE   also write them

Contestants take short blocks of steps in turn, in one process and with one thread; times are CPU
time of the thread, so that other processes count little. The hand-tuned loop gathers batches by
`index_select`, has a fused optimizer, and never synchronises. Ratios are of minima, and of medians.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise

import torch
from in_turn import Row, compare, print_rows, write_results
from torch import Tensor, nn
from torch.nn import functional as F

import netwise as nw
from netwise.observe.hooked_probe import HookedProbe
from netwise.recipe.prepared import prepare
from netwise.training.captured.captured_steps import CapturedSteps, hindrance
from netwise.training.captured.whole_steps import SHORT
from netwise.training.fit import initialize
from netwise.training.run_setup import set_up
from netwise.training.run_state import set_epoch_rates, state_at_start
from netwise.training.settings import RunOptions
from netwise.training.step import Stepper

STEPS, SECONDS, QUICK_SECONDS = 20, 8.0, 4.0
TUNED, PLAIN = "hand-tuned", "netwise, plain steps"
CAPTURED, COMPILED = "netwise, captured steps", "netwise, compiled steps"
SETTINGS: dict[str, tuple[nw.Network, int, nw.Optimizer]] = {
    "784-30-10, batch 10, SGD": (nw.MLP((784, 30, 10)), 10, nw.SGD(lr=0.01)),
    "784-30-10 with dropout and batch norm, batch 10, SGD": (
        nw.MLP((784, 30, 10), dropout=0.2, batch_norm=True),
        10,
        nw.SGD(lr=0.01),
    ),
    "20 tanh layers of 100, batch 64, SGD": (
        nw.MLP((784, *[100] * 20, 10), activation=nw.Tanh()),
        64,
        nw.SGD(lr=0.01),
    ),
    "784-256-128-10, batch 128, Adam": (nw.MLP((784, 256, 128, 10)), 128, nw.Adam(lr=1e-3)),
    "autoencoder 784-256-64-256-784, batch 128, Adam": (
        nw.Autoencoder((784, 256, 64), activation=nw.ReLU(), tied=False),
        128,
        nw.Adam(lr=1e-3),
    ),
    "LeNet-5, batch 128, Adam": (nw.LeNet5(), 128, nw.Adam(lr=1e-3)),
}
Block = Callable[[], None]


def plain_module(network: nw.Network) -> nn.Module:
    """The network in torch's own layers."""
    if not isinstance(network, nw.Autoencoder) or network.tied:
        return network.build()
    layers: list[nn.Module] = []
    for a, b in pairwise((*network.widths, *network.widths[-2::-1])):
        layers += [nn.Linear(a, b), network.activation.build()]
    return nn.Sequential(*layers[:-1])


def tuned(recipe: nw.Recipe, x: Tensor, y: Tensor) -> Block:
    """A block of steps of the hand-tuned loop."""
    model = plain_module(recipe.network)
    stepped = recipe.optimizer.build(list(model.parameters()))
    own = isinstance(recipe.network, nw.Autoencoder)

    def block() -> None:
        for rows in torch.randperm(len(x))[: STEPS * recipe.batch_size].split(recipe.batch_size):
            inputs = x.index_select(0, rows)
            if own:
                loss = F.mse_loss(model(inputs), inputs)
            else:
                loss = F.cross_entropy(model(inputs), y.index_select(0, rows))
            stepped.zero_grad()
            loss.backward()
            stepped.step()

    return block


def stepping(recipe: nw.Recipe, captured: bool, compiled: bool = False) -> Block:
    """A block of steps as `fit` takes them; of compiled steps, once they are compiled."""
    setup = set_up(recipe, prepare(recipe), RunOptions(threads=1, watch_every=0), initialize)
    state = state_at_start(setup)
    steps = CapturedSteps(hindrance(recipe, "cpu", None) if captured else "switched off")
    stepper = Stepper(
        recipe,
        setup.module,
        state.optimizer,
        setup.train,
        setup.samples.task,
        HookedProbe(setup.module),
        0,
        captured=steps,
        left=10**9 if compiled else None,
    )
    set_epoch_rates(setup, state)
    setup.module.train()

    def block() -> None:
        stepper.take(stepper.batches(0)[:STEPS], 0, 0, 0)
        assert not steps.reason or not captured, steps.reason

    whole = steps.whole
    while compiled and whole and not whole.compiled and whole.not_compiled in ("", SHORT):
        block()
    return block


def measure(name: str, seconds: float) -> dict[str, Row]:
    """Microseconds of a step of each contestant, and their ratios to the hand-tuned loop."""
    network, batch, optimizer = SETTINGS[name]
    g = torch.Generator().manual_seed(0)
    rows = 2 * STEPS * batch
    shape = (1, 28, 28) if isinstance(network, nw.LeNet5) else (784,)
    x, y = torch.rand(rows, *shape, generator=g), torch.randint(10, (rows,), generator=g)
    recipe = nw.Recipe(
        data=nw.data.arrays(x, y, valid=0.0, test=0.0),
        network=network,
        loss=nw.MeanSquaredError() if isinstance(network, nw.Autoencoder) else nw.CrossEntropy(),
        optimizer=optimizer,
        batch_size=batch,
    )
    blocks = {
        TUNED: tuned(recipe, x, y),
        PLAIN: stepping(recipe, False),
        CAPTURED: stepping(recipe, True),
        COMPILED: stepping(recipe, True, True),
    }
    return compare(blocks, TUNED, seconds, STEPS)


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    results = {}
    for name in SETTINGS:
        results[name] = measure(name, QUICK_SECONDS if "--quick" in arguments else SECONDS)
        print_rows(name, results[name])
    write_results(results, arguments, threads=1)


if __name__ == "__main__":
    main(sys.argv[1:])
