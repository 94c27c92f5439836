"""A number that is not finite ends the run at its step, names the layer, and everything before it
is kept."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

import netwise as nw
from netwise import signals

WILD = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 32, 32, 10)),
    init=nw.He(),
    optimizer=nw.SGD(lr=1e8),
    epochs=3,
)


def first_bad_step(recipe: nw.Recipe) -> int:
    """By brute force: runs of one batch more each, until the weights are no numbers."""
    samples = recipe.data.load()
    from netwise import random_streams
    from netwise.parts.initializers import initialize

    with random_streams.global_seed(recipe.seed, random_streams.INIT):
        module = recipe.network.build()
    initialize(
        module, recipe.init, random_streams.generator(recipe.seed, random_streams.INIT, step=1)
    )
    optimizer = recipe.optimizer.build(list(module.parameters()))
    order = torch.randperm(
        len(samples.train), generator=random_streams.generator(recipe.seed, random_streams.ORDER, 0)
    )
    for step, rows in enumerate(order.split(recipe.batch_size)):
        loss = recipe.loss(module(samples.train.x[rows]), samples.train.y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if not math.isfinite(loss.item()) or not all(
            bool(torch.isfinite(p).all()) for p in module.parameters()
        ):
            return step
    raise AssertionError("it did not diverge")


def test_the_step_and_the_layer_are_named_and_the_weights_before_are_kept(tmp_path: Path) -> None:
    run = nw.fit(WILD, folder=tmp_path / "run")
    step = first_bad_step(WILD)
    assert run.history.ended.how == "diverged"
    assert run.history.ended.step == step
    assert run.history.ended.sentence.startswith(
        f"Diverged at step {step + 1}: the outputs of layer"
    )
    assert run.score is None
    assert all(bool(torch.isfinite(p).all()) for p in run.module.parameters())
    recorded = run.history.of(signals.LOSS)
    assert recorded is not None
    assert len(recorded) == step
    loaded = nw.load(tmp_path / "run")
    assert loaded.history == run.history
    assert all(
        torch.equal(a, b)
        for a, b in zip(run.module.parameters(), loaded.module.parameters(), strict=True)
    )
    with pytest.raises(nw.RunFolderError, match="the same recipe would diverge again"):
        nw.resume(tmp_path / "run")


class Breaks(nn.Module):
    """Sound until its counter says so; then one layer gives what is no number."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(64, 8), nn.Linear(8, 8), nn.Linear(8, 10)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):  # type: ignore[no-untyped-def]
        h = torch.relu(self.first(x.flatten(1)))
        if self.training:
            self.seen += 1
        h = self.second(h + torch.where(self.seen > 100, torch.inf, 0.0))
        return self.third(h)


def test_a_break_in_the_middle_of_a_stretch_is_found_by_taking_it_again() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.digits(),
            network=nw.CustomNetwork(Breaks),
            batch_size=10,
            epochs=3,
            optimizer=nw.SGD(lr=0.01),
        )
    )
    assert run.history.ended.how == "diverged"
    assert run.history.ended.step == 100
    assert (
        "the outputs of second (Linear) are the first that are not finite"
        in run.history.ended.sentence
    )
    assert float(run.module.seen) == 100  # type: ignore[arg-type]


class BadGradient(nn.Module):
    """Finite on the way forward, not on the way back: the root of 0 has no slope."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(64, 8), nn.Linear(8, 10)

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.b(torch.sqrt(self.a(x.flatten(1)) * 0))


def test_a_gradient_that_breaks_is_named_nearest_to_the_output() -> None:
    run = nw.fit(nw.Recipe(data=nw.data.digits(), network=nw.CustomNetwork(BadGradient), epochs=1))
    assert run.history.ended.how == "diverged"
    assert run.history.ended.step == 0
    assert "the gradient of a.bias is the first that is not finite" in run.history.ended.sentence
