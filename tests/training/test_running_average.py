"""Averages of weights equal their formulas; buffers of whole numbers are copied."""

from __future__ import annotations

import torch
from torch import nn

import netwise as nw
from netwise.training.running_average import RunningAverage

DIGITS = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD(lr=0.1), epochs=3
)


def weights(run: nw.Run) -> dict[str, torch.Tensor]:
    return dict(run.module.state_dict())


def loop(epochs: int) -> list[dict[str, torch.Tensor]]:
    """The weights after each step of `DIGITS`, by runs that stop there."""
    found = []
    for epoch in range(1, epochs + 1):
        found.append(weights(nw.fit(DIGITS.but(epochs=epoch))))
    return found


def test_swa_is_the_plain_mean_of_the_last_epochs() -> None:
    run = nw.fit(DIGITS.but(epochs=4, average=nw.SWA(start=0.5)))
    ends = loop(4)[2:]
    for name, value in weights(run).items():
        assert torch.allclose(value, torch.stack([end[name] for end in ends]).mean(0), atol=1e-6)


def test_ema_is_its_recursion_over_steps() -> None:
    recipe = DIGITS.but(batch_size=2000, epochs=30)  # one step an epoch
    run = nw.fit(recipe.but(average=nw.EMA(decay=0.8)))
    average: dict[str, torch.Tensor] = {}
    for step in range(30):
        now = weights(nw.fit(recipe.but(epochs=step + 1)))
        share = 1 - min(0.8, (1 + step) / (10 + step))
        average = {
            name: value if not average else average[name] + share * (value - average[name])
            for name, value in now.items()
        }
    for name, value in weights(run).items():
        assert torch.allclose(value, average[name], atol=1e-6), name


def test_a_run_is_validated_by_its_average_and_trains_without_it() -> None:
    wild = DIGITS.but(optimizer=nw.SGD(lr=1.5), batch_size=8, epochs=6)
    plain, calm = nw.fit(wild), nw.fit(wild.but(average=nw.EMA(decay=0.99)))
    losses = [run.history.of("train.loss") for run in (plain, calm)]
    assert losses[0] == losses[1]  # the steps are the same
    valid = [run.history.of("valid.loss") for run in (plain, calm)]
    assert valid[0] is not None
    assert valid[1] is not None
    assert valid[1].last < valid[0].last


def test_the_average_is_applied_inside_and_the_weights_come_back() -> None:
    module = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    average = RunningAverage(module, nw.SWA(start=0.0))
    with torch.no_grad():
        for value in (1.0, 3.0):
            module[0].weight.fill_(value)
            module[1].num_batches_tracked.fill_(int(value))
            average.update(1.0)
    assert average.count == 2
    with average.applied():
        assert float(module[0].weight.detach()) == 2.0
        assert int(module[1].num_batches_tracked) == 3
    assert float(module[0].weight.detach()) == 3.0


def test_without_a_rule_nothing_is_averaged() -> None:
    module = nn.Linear(1, 1)
    average = RunningAverage(module, None)
    average.update(1.0)
    assert average.tensors == {}
    before = module.weight.clone()
    with average.applied():
        assert torch.equal(module.weight, before)


def test_a_saved_average_is_loaded() -> None:
    module = nn.Linear(1, 1)
    average = RunningAverage(module, nw.SWA(start=0.0))
    average.update(1.0)
    again = RunningAverage(module, nw.SWA(start=0.0))
    again.load(average.tensors, average.count)
    assert again.count == 1
    assert again.tensors.keys() == average.tensors.keys()
