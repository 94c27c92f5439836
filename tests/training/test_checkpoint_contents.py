"""What a checkpoint saves, a new state gets back."""

from __future__ import annotations

import torch

import netwise as nw
from netwise.observe.hooked_probe import HookedProbe
from netwise.recipe.prepared import prepare
from netwise.training.checkpoint_contents import checkpoint_of, restore_checkpoint
from netwise.training.fit import initialize
from netwise.training.run_setup import Setup, set_up
from netwise.training.run_state import RunState, state_at_start
from netwise.training.settings import RunOptions

SWITCH = nw.SwitchOptimizer(first=nw.SGD(lr=0.1, momentum=0.9), then=nw.Adam(lr=0.01), epoch=1)
RECIPE = nw.Recipe(
    data=nw.data.iris(),
    network=nw.MLP((4, 8, 3)),
    optimizer=SWITCH,
    average=nw.EMA(decay=0.9),
    stopping=nw.Patience(3),
    epochs=4,
)


def started(seed: int) -> tuple[Setup, RunState, HookedProbe]:
    setup = set_up(RECIPE.but(seed=seed), prepare(RECIPE), RunOptions(), initialize)
    return setup, state_at_start(setup), HookedProbe(setup.module)


def test_every_field_of_the_state_is_saved_or_written_to_the_folder() -> None:
    setup, state, probe = started(0)
    state.epoch, state.batch, state.step = 2, 3, 17
    state.losses, state.correct = [0.5, 0.25], 31
    state.rate_factor, state.last_loss, state.seconds = 0.5, 0.75, 1.5
    state.switch = SWITCH.next_state(state.switch, 1, None)
    state.stopping = {"best": 0.5, "epoch": 1.0}
    state.best = (0.5, {"layer1.weight": torch.ones(8, 4)})
    state.average.update(0.5)
    saved = checkpoint_of(setup, state, probe)

    other_setup, other, other_probe = started(1)
    restore_checkpoint(other_setup, other, other_probe, saved)
    for name in ("epoch", "batch", "step", "losses", "correct", "rate_factor", "last_loss"):
        assert getattr(other, name) == getattr(state, name), name
    assert (other.seconds, other.switch, other.stopping) == (1.5, state.switch, state.stopping)
    assert other.part == nw.Adam(lr=0.01)  # of the switch that was saved
    assert isinstance(other.optimizer, torch.optim.Adam)
    assert other.best is not None
    assert torch.equal(other.best[1]["layer1.weight"], torch.ones(8, 4))
    assert other.average.count == 1
    for name, value in setup.module.state_dict().items():
        assert torch.equal(other_setup.module.state_dict()[name], value)


def test_the_keys_of_files_do_not_change() -> None:
    """Run folders of earlier versions are resumed: these names are read from their files."""
    setup, state, probe = started(0)
    saved = checkpoint_of(setup, state, probe)
    assert set(saved.tensors) == {"model", "optimizer", "random"}
    assert set(saved.state) == {
        *("epoch", "batch", "step", "rows", "losses", "right", "schedule", "factor", "stopping"),
        *("switch", "averaged", "last_loss", "best", "probe", "seconds", "wiring"),
        "rows_sha256",
    }
