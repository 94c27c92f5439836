"""Each speedup on and off: the same bits where that is stated, and kept when a run is resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.training import speedups
from netwise.training.snapshots import load_optimizer, optimizer_tensors
from netwise.training.speedups import (
    LAST_IN_WEIGHTS,
    SLICED_POOLING,
    SPEEDUPS,
    UNRECORDED,
    speedups_by_rule,
    use_layout,
    use_stock_weights,
)

SAME_BITS = [each.name for each in SPEEDUPS if each.same_bits]
G = torch.Generator().manual_seed(0)
IMAGES = nw.data.arrays(
    torch.randn(96, 1, 28, 28, generator=G), torch.randint(10, (96,), generator=G), test=0.0
)
LENET = nw.Recipe(
    data=IMAGES,
    network=nw.LeNet5(activation=nw.Tanh()),
    optimizer=nw.Adam(lr=1e-3),
    batch_size=16,
    epochs=2,
)


def weights(run: nw.Run) -> list[torch.Tensor]:
    return list(run.module.state_dict().values())


def same(one: nw.Run, other: nw.Run) -> bool:
    equal = (torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))
    return all(equal) and one.history.series == other.history.series


@pytest.mark.parametrize("name", SAME_BITS)
def test_a_speedup_that_promises_the_same_bits_keeps_them(small: nw.Recipe, name: str) -> None:
    recipe = small.but(optimizer=nw.Adam(lr=1e-3))
    others = tuple(each for each in SAME_BITS if each != name)
    assert same(nw.fit(recipe, speedups=SAME_BITS), nw.fit(recipe, speedups=others))


def test_networks_have_torchs_pooling_and_scripts_write_it() -> None:
    pools = [m for m in nw.LeNet5().build().modules() if type(m).__name__ == "MaxPool2"]
    assert len(pools) == 2
    assert not any(pool.sliced for pool in pools)
    assert "nn.MaxPool2d(2)" in nw.to_script(LENET)


@pytest.mark.parametrize(
    "names", [(), (LAST_IN_WEIGHTS,), UNRECORDED], ids=["stock", "last", "old"]
)
def test_a_resumed_run_goes_on_with_what_it_began_with(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    whole = nw.fit(LENET, speedups=names, watch_every=1)
    nw.fit(
        LENET,
        folder=tmp_path / "run",
        speedups=names,
        watch_every=1,
        halt=lambda done, row: "enough",
    )
    about = tmp_path / "run" / "about.json"
    assert json.loads(about.read_text())["how"]["speedups"] == list(names)
    assert same(nw.resume(tmp_path / "run"), whole)


def test_runs_that_recorded_none_go_on_as_earlier_versions_did() -> None:
    assert speedups.recorded_speedups({"device": "cpu"})["speedups"] == UNRECORDED
    assert speedups.recorded_speedups({"speedups": None})["speedups"] is None
    assert speedups.recorded_speedups(None) is None
    assert use_layout(nw.LeNet5().build(), UNRECORDED)[2].sliced
    assert SLICED_POOLING not in speedups_by_rule(LENET, "cpu")


def test_layouts_give_equal_numbers_up_to_rounding() -> None:
    stock, last = (nw.fit(LENET, speedups=names) for names in ((), (LAST_IN_WEIGHTS,)))
    for one, other in zip(weights(stock), weights(last), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
        assert other.is_contiguous()


def test_the_state_of_an_optimizer_is_loaded_in_the_layout_of_its_parameters() -> None:
    layer = use_layout(nn.Sequential(nn.Conv2d(3, 4, 3)), (LAST_IN_WEIGHTS,))[0]
    optimizer = torch.optim.Adam(layer.parameters(), fused=True)
    layer(torch.randn(2, 3, 8, 8, generator=G)).sum().backward()
    optimizer.step()
    saved = {name: value.contiguous() for name, value in optimizer_tensors(optimizer).items()}
    load_optimizer(optimizer, saved)
    state = optimizer.state[layer.weight]["exp_avg"]
    assert state.stride() == layer.weight.stride() != state.contiguous().stride()
    assert torch.equal(state, saved["0.exp_avg"])
    use_stock_weights(layer)
    assert layer.weight.is_contiguous()
