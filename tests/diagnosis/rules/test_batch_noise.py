"""Steps of one or two samples, with and without harm."""

from __future__ import annotations

import netwise as nw
from histories import GUESS, found, observed
from netwise import signals
from netwise.diagnosis.rules.batch_noise import batch_too_small


def run(
    batch: int | None = 1,
    final: float = 2 * GUESS,
    passes: float = 1.0,
    steps: int = 900,
    guess: float | None = GUESS,
) -> object:
    facts = nw.RunFacts(loss_of_guessing=guess, batch_size=batch)
    whole = {signals.BACKWARD_PASSES: [passes] * 10}
    history = observed(whole, final=final, facts=facts)
    return batch_too_small(history.but(ended=nw.RunEnd("finished", "Done.", steps)))


def test_steps_that_follow_single_samples() -> None:
    assert "after 900 of them the loss is 2 times that" in found(run()).sentence
    assert found(run(batch=2)).evidence[0].value == 2


def test_small_batches_without_harm() -> None:
    assert run(final=0.1) is None
    assert run(final=0.9 * GUESS) is None  # another fault: noise does not stop there
    assert run(batch=8) is None
    assert run(passes=8.0) is None  # accumulated
    assert run(steps=50) is None


def test_what_was_not_seen_is_not_checked() -> None:
    assert isinstance(run(batch=None), nw.Unchecked)
    assert isinstance(run(guess=None), nw.Unchecked)
