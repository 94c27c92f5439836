"""What happens to gradients between `backward` and the step: on accounts made by hand."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, history, observed, report_of_a_loop
from netwise import signals
from netwise.diagnosis.rules import gradient_accounts as accounts


def test_gradients_that_are_never_cleared_are_found_and_declared_accumulation_is_not() -> None:
    assert report_of_a_loop(clear=False).found[0].rule == "stale_gradients"
    assert "stale_gradients" in report_of_a_loop().clear
    assert "stale_gradients" in report_of_a_loop(accumulate=4).clear


def test_in_an_observed_loop_stale_gradients_are_exact() -> None:
    def run(stale: list[float]) -> nw.History:
        return observed({signals.STALE: stale}, final=0.01)

    assert found(accounts.stale_gradients(run([0.0, *[1.0] * 7]))).sentence.startswith(
        "Gradients still contain those of earlier steps in each of 7 watched steps."
    )
    assert accounts.stale_gradients(run([0.0, *[1.0] * 3, *[0.0] * 4])) is None
    assert isinstance(accounts.stale_gradients(run([0.0, 1.0, 1.0])), nw.Unchecked)


def test_a_changed_gradient_alone_is_no_stale_one() -> None:
    """A clip between `backward` and `w.step` changes it, and the loss is not known."""
    clipped = history(whole={signals.STALE: [0.0, *[1.0] * 7]}, facts=nw.RunFacts())
    assert isinstance(accounts.stale_gradients(clipped), nw.Unchecked)


def test_gradients_cleared_before_the_step() -> None:
    def run(cleared: list[float]) -> nw.History:
        return observed({signals.GRADIENT_CLEARED: cleared})

    finding = found(accounts.gradients_cleared_before_step(run([1.0] * 17)))
    assert finding.sentence.startswith(
        "The optimizer finds empty gradients in each of 17 watched steps"
    )
    assert finding.steps == (0, 160)
    assert accounts.gradients_cleared_before_step(run([1.0, 1.0, 0.0, 0.0, 0.0])) is None
    assert isinstance(accounts.gradients_cleared_before_step(run([1.0] * 4)), nw.Unchecked)


TERM = nw.LossTerm("cross entropy", place="a.py:3", chain=("LogSoftmax", "Addmm"), reduction="mean")


def accumulated(
    passes: float = 4.0,
    term: nw.LossTerm = TERM,
    more: tuple[nw.LossTerm, ...] = (),
    optimizer: str = "SGD",
    **extra: float,
) -> nw.Finding | nw.Unchecked | None:
    """The answer on a loop with so many backward passes a step."""
    whole = {signals.BACKWARD_PASSES: [passes] * 8}
    whole |= {name.replace("_", "."): [value] * 8 for name, value in extra.items()}
    return accounts.accumulation_not_divided(
        observed(whole, losses=(term, *more), optimizers=(optimizer,))
    )


def test_accumulated_losses_that_are_not_divided() -> None:
    finding = found(accumulated())
    assert finding.sentence == (
        "Each step follows the sum of the gradients of 4 batches, each a mean: it is 4 times as "
        "large as that of one batch of the whole size. Write `(loss / 4).backward()`."
    )
    assert finding.strength == 4
    assert found(accumulated(loss_factor=65536.0, loss_scale=65536.0)).strength == 4


def test_where_the_scale_hardly_matters_the_sentence_says_so() -> None:
    adam = found(accumulated(optimizer="AdamW"))
    assert adam.sentence.endswith("the steps of AdamW hardly depend on that scale.")
    clipped = found(accumulated(gradient_factor=0.13))
    assert clipped.sentence.endswith("the gradient is clipped before the step.")
    assert adam.strength == clipped.strength == 1


OTHER = nw.LossTerm("squared error", place="a.py:4", reduction="mean")
SAME_PLACE = nw.LossTerm("squared error", place="a.py:3", reduction="mean")
SUM = nw.LossTerm("cross entropy", place="a.py:3", reduction="sum")


@pytest.mark.parametrize(
    "case",
    [
        {"loss_factor": 0.25},
        {"loss_factor": 16384.0, "loss_scale": 65536.0},
        {"loss_factor": 0.1},
        {"gradient_factor": 0.25},
        {"passes": 1.0},
        {"more": (OTHER,)},
        {"passes": 2.0, "more": (SAME_PLACE,)},
        {"term": SUM},
        {"optimizer": "LBFGS"},
        {"gradient_stale": 1.0},
    ],
    ids=[
        "divided",
        "divided below a scaler",
        "a factor of the user's own",
        "gradients divided",
        "one pass a step",
        "two losses at two places",
        "a pass for each of two losses",
        "a sum over the batch",
        "a closure",
        "never cleared",
    ],
)
def test_several_backward_passes_on_purpose(case: dict[str, object]) -> None:
    assert accumulated(**case) is None  # type: ignore[arg-type]


def test_an_unknown_reduction_is_not_checked() -> None:
    assert isinstance(accumulated(term=nw.LossTerm("another loss of torch")), nw.Unchecked)


def test_clipped_before_unscale() -> None:
    scaled = {signals.LOSS_SCALE: [65536.0] * 10}
    finding = found(accounts.clipped_before_unscale(observed(scaled, clipped_before_unscale=9)))
    assert "the scaler's factor of 65,536 in 9 of 10 watched steps" in finding.sentence
    assert accounts.clipped_before_unscale(observed(scaled, clipped_before_unscale=2)) is None
    assert accounts.clipped_before_unscale(observed()) is None
    few = accounts.clipped_before_unscale(observed(clipped_before_unscale=2))
    assert isinstance(few, nw.Unchecked)


def test_gradients_of_exactly_0_count_where_there_is_a_loss() -> None:
    def run(zero: list[float], loss: float) -> nw.History:
        return observed({signals.GRADIENT_ZERO: zero, signals.LOSS: [loss] * len(zero)})

    assert found(accounts.gradient_zero(run([1.0] * 9 + [0.0], 18.4))).sentence.startswith(
        "`backward` gives exactly 0 to all weights in 9 of 10 watched steps, while the loss is "
        "not 0."
    )
    assert accounts.gradient_zero(run([1.0] * 10, 0.0)) is None  # all margins are kept
    assert accounts.gradient_zero(run([1.0] * 4 + [0.0] * 6, 18.4)) is None


def test_passes_whose_gradients_are_lost_before_the_step() -> None:
    def run(dropped: list[float], factor: float = 1.0, **wiring: object) -> nw.History:
        row = {
            signals.GRADIENT_CLEARED: [0.0] * len(dropped),
            signals.BACKWARD_DROPPED: dropped,
            signals.GRADIENT_FACTOR: [factor] * len(dropped),
        }
        return observed(row, **wiring)

    rule = accounts.gradients_cleared_before_step
    finding = found(rule(run([3.0] * 8)))
    assert finding.sentence.startswith("Of 4 backward passes before each step only the last")
    assert rule(run([0.0] * 8)) is None
    # The first of the lost gradients of each step has a row of its own.
    rows = [{"step": i // 2, signals.BACKWARD_DROPPED: 19.0 * (i % 2)} for i in range(16)]
    each = nw.History.from_rows([{**row, signals.GRADIENT_CLEARED: 0.0} for row in rows])
    lost = found(rule(each.but(wiring=nw.Wiring("Net"))))
    assert lost.sentence.startswith("Of 20 backward passes")
    assert rule(run([0.0, 0.0, 0.0, 1.0] * 3)) is None  # now and then a step is left out
    assert rule(run([3.0] * 8, optimizers=("SAM",))) is None
    assert rule(run([3.0] * 8, opponents=("Critic",))) is None
    assert rule(run([9.0] * 8, asks_inputs=True)) is None  # an attack on the inputs
    assert rule(run([31.0] * 8, factor=0.2)) is None  # gradients of samples are clipped and summed


def test_without_an_optimizer_the_advice_names_none() -> None:
    run = observed({signals.STALE: [1.0] * 8})
    assert "optimizer" not in found(accounts.stale_gradients(run)).sentence
