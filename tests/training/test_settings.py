"""Options are checked, and what is not chosen follows from fixed rules."""

from __future__ import annotations

import pytest

import netwise as nw
from netwise.training.settings import RECORDED_STEPS, RunOptions, RunSettings, resolve


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"threads": 0}, "threads = 0  must be at least 1"),
        ({"watch_every": -1}, "watch_every = -1  must be at least 0"),
        ({"device": "gpu"}, 'device = gpu  is no device of torch. Write "cpu".'),
        ({"checkpoint_every": -2}, "checkpoint_every = -2"),
    ],
)
def test_wrong_arguments_are_named(
    small: nw.Recipe, arguments: dict[str, object], text: str
) -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.fit(small, **arguments)  # type: ignore[arg-type]
    assert text in str(caught.value)


def test_what_is_not_chosen_follows_from_the_work() -> None:
    samples, module = nw.data.digits().load(), nw.MLP((64, 10)).build()
    settings = resolve(RunOptions(), module, samples, batch_size=32, steps=10 * RECORDED_STEPS)
    assert settings == RunSettings("cpu", 1, 10, 0, True)
    assert resolve(RunOptions(), module, samples, 32, steps=3).watch_every == 1


def test_what_is_chosen_is_kept() -> None:
    samples, module = nw.data.digits().load(), nw.MLP((64, 10)).build()
    options = RunOptions("cpu", threads=3, watch_every=0, checkpoint_every=7, test=False)
    assert resolve(options, module, samples, 32, 100) == RunSettings("cpu", 3, 0, 7, False)
