"""Options are checked, and what is not chosen follows from fixed rules."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.training.settings import RECORDED_STEPS, RunOptions, RunSettings, resolve
from netwise.training.speedups import speedups_by_rule


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"threads": 0}, "threads = 0  must be at least 1"),
        ({"watch_every": -1}, "watch_every = -1  must be at least 0"),
        ({"device": "gpu"}, 'device = gpu  is no device of torch. Write "cpu".'),
        ({"checkpoint_every": -2}, "checkpoint_every = -2"),
        ({"speedups": ("turbo",)}, "speedups = turbo  is none of channels_last, "),
    ],
)
def test_wrong_arguments_are_named(
    small: nw.Recipe, arguments: dict[str, object], text: str
) -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.fit(small, **arguments)  # type: ignore[arg-type]
    assert text in str(caught.value)


def test_what_is_not_chosen_follows_from_the_work() -> None:
    recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 10)))
    samples, module = recipe.data.load(), recipe.network.build()
    names = speedups_by_rule(recipe, "cpu")
    settings = resolve(RunOptions(), recipe, module, samples, 32, steps=10 * RECORDED_STEPS)
    assert settings == RunSettings("cpu", 1, 10, 0, True, speedups=names)
    assert resolve(RunOptions(), recipe, module, samples, 32, steps=3).watch_every == 1


def test_what_is_chosen_is_kept() -> None:
    recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 10)))
    samples, module = recipe.data.load(), recipe.network.build()
    options = RunOptions("cpu", 3, watch_every=0, checkpoint_every=7, test=False, speedups=())
    chosen = resolve(options, recipe, module, samples, 32, 100)
    assert chosen == RunSettings("cpu", 3, 0, 7, False, speedups=())
