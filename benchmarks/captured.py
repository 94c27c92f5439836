"""Steps of `fit`, captured and plain, relative to a hand-tuned eager loop.

    scripts/bench captured               print the ratios of this machine
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
from netwise.training.fit import initialize
from netwise.training.run_setup import set_up
from netwise.training.run_state import set_epoch_rates, state_at_start
from netwise.training.settings import RunOptions
from netwise.training.step import Stepper

STEPS, SECONDS = 20, 8.0
TUNED, PLAIN, CAPTURED = "hand-tuned", "netwise, plain steps", "netwise, captured steps"
SETTINGS: dict[str, tuple[tuple[int, ...], nw.Activation, int, nw.Optimizer]] = {
    "784-30-10, batch 10, SGD": ((784, 30, 10), nw.ReLU(), 10, nw.SGD(lr=0.01)),
    "20 tanh layers of 100, batch 64, SGD": (
        (784, *[100] * 20, 10),
        nw.Tanh(),
        64,
        nw.SGD(lr=0.01),
    ),
    "784-256-128-10, batch 128, Adam": ((784, 256, 128, 10), nw.ReLU(), 128, nw.Adam(lr=1e-3)),
}
Block = Callable[[], None]


def tuned(recipe: nw.Recipe, x: Tensor, y: Tensor) -> Block:
    """A block of steps of the hand-tuned loop."""
    network, optimizer = recipe.network, recipe.optimizer
    assert isinstance(network, nw.MLP)
    layers: list[nn.Module] = []
    for a, b in pairwise(network.widths):
        layers += [nn.Linear(a, b), network.activation.build()]
    model = nn.Sequential(*layers[:-1])
    stepped = optimizer.build(list(model.parameters()))

    def block() -> None:
        for rows in torch.randperm(len(x))[: STEPS * recipe.batch_size].split(recipe.batch_size):
            loss = F.cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
            stepped.zero_grad()
            loss.backward()
            stepped.step()

    return block


def stepping(recipe: nw.Recipe, captured: bool) -> Block:
    """A block of steps as `fit` takes them."""
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
    )
    set_epoch_rates(setup, state)
    setup.module.train()

    def block() -> None:
        stepper.take(stepper.batches(0)[:STEPS], 0, 0, 0)
        assert not steps.reason or not captured, steps.reason

    return block


def measure(name: str) -> dict[str, Row]:
    """Microseconds of a step of each contestant, and their ratios to the hand-tuned loop."""
    widths, activation, batch, optimizer = SETTINGS[name]
    g = torch.Generator().manual_seed(0)
    rows = 2 * STEPS * batch
    x, y = torch.rand(rows, 784, generator=g), torch.randint(10, (rows,), generator=g)
    recipe = nw.Recipe(
        data=nw.data.arrays(x, y, valid=0.0, test=0.0),
        network=nw.MLP(widths, activation=activation),
        optimizer=optimizer,
        batch_size=batch,
    )
    blocks = {
        TUNED: tuned(recipe, x, y),
        PLAIN: stepping(recipe, False),
        CAPTURED: stepping(recipe, True),
    }
    return compare(blocks, TUNED, SECONDS, STEPS)


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    results = {}
    for name in SETTINGS:
        results[name] = measure(name)
        print_rows(name, results[name])
    write_results(results, arguments, threads=1)


if __name__ == "__main__":
    main(sys.argv[1:])
