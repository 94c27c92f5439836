"""Learning rates found by short runs: the threshold rule, and the lowest loss."""

from __future__ import annotations

import pytest
import torch

import netwise as nw
from netwise.treatment.learning_rate import loss_falls, losses_by_rate

DIGITS = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), optimizer=nw.SGD())


def test_the_rule_is_order_threshold_half() -> None:
    found = nw.rate_threshold(DIGITS)
    assert found is not None
    tried = dict(found.tried)
    assert tried[found.order]
    assert not tried[min(rate for rate in tried if rate > found.threshold)]
    assert all(fell for rate, fell in tried.items() if rate <= found.threshold)
    assert found.rate == found.threshold / 2
    assert found.order <= found.threshold < 10 * found.order


def test_the_ladder_goes_down_where_the_start_is_too_high() -> None:
    found = nw.rate_threshold(DIGITS, start=1000.0)
    assert found is not None
    assert found.tried[0] == (1000.0, False)
    assert found.rate < 50


def test_the_rate_is_one_that_trains() -> None:
    """Losses of single batches differ by more than a step gains: they are compared by batch."""
    deep = DIGITS.but(network=nw.MLP((64, 60, 60, 60, 10)), init=nw.He(), batch_size=10, epochs=5)
    found = nw.rate_threshold(deep)
    assert found is not None
    accuracies = [
        nw.fit(nw.with_learning_rate(deep, rate), test=False).history.of("valid.accuracy").last
        for rate in (found.rate, 0.03, 0.05, 0.1)
    ]  # type: ignore[union-attr]
    assert accuracies[0] >= max(accuracies) - 0.05


@pytest.mark.parametrize(
    "start", [nw.He(), nw.Normal(std=0.5)], ids=["good start", "start far above guessing"]
)
def test_a_network_thrown_off_to_guessing_has_not_fallen(start: nw.Initializer) -> None:
    recipe = DIGITS.but(init=start, network=nw.MLP((64, 60, 60, 10)), batch_size=10)
    found = nw.rate_threshold(recipe)
    assert found is not None
    for rate, fell in found.tried:
        epoch = nw.fit(nw.with_learning_rate(recipe, rate).but(epochs=2), test=False).history.of(
            "valid.accuracy"
        )
        if fell and rate >= found.rate:
            assert epoch is not None
            assert epoch.last > 0.3, rate  # ten classes


def test_it_has_no_side_effect() -> None:
    torch.manual_seed(3)
    expected = torch.rand(5)
    before = nw.fit(DIGITS.but(epochs=1)).module.state_dict()
    text = nw.recipe_text(DIGITS)
    torch.manual_seed(3)
    first = nw.rate_threshold(DIGITS)
    assert torch.equal(torch.rand(5), expected)  # torch's own random stream is unchanged
    assert nw.recipe_text(DIGITS) == text
    after = nw.fit(DIGITS.but(epochs=1)).module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert nw.rate_threshold(DIGITS) == first


def test_a_network_that_learns_at_no_rate_gets_no_answer() -> None:
    still = nw.Recipe(
        data=nw.data.iris(),
        network=nw.MLP((4, 8, 3)),
        init=nw.Constant(),
        optimizer=nw.SGD(),
        loss=nw.CrossEntropy(),
    )
    dead = still.but(network=nw.MLP((4, 8, 3)), init=nw.Constant(bias=-5.0))
    found = nw.rate_threshold(dead)
    assert found is None or found.rate > 0
    with pytest.raises(ValueError, match="must be above 0"):
        nw.rate_threshold(DIGITS, start=0.0)


def test_the_rate_of_two_optimizers_is_the_firsts() -> None:
    both = DIGITS.but(optimizer=nw.SwitchOptimizer())
    assert nw.with_learning_rate(both, 0.5).optimizer.first.lr == 0.5  # type: ignore[attr-defined]


def test_a_network_without_such_a_loss_is_refused() -> None:
    rbm = nw.gallery.healthy["rbm"].recipe
    with pytest.raises(nw.WrongValue, match=r"Use `search` with an axis for optimizer\.lr"):
        nw.rate_threshold(rbm)


def losses(values: list[float], how: str = "finished") -> nw.History:
    rows = [{"step": i, "loss": value} for i, value in enumerate(values)]
    facts = nw.RunFacts(loss_of_guessing=2.3)
    return nw.History.from_rows(rows, facts=facts, ended=nw.RunEnd(how, ".", len(values)))


INITIAL = dict.fromkeys(range(40), 3.0)


@pytest.mark.parametrize(
    ("history", "falls"),
    [
        (losses([3.0 - 0.05 * i for i in range(40)]), True),
        (losses([3.0 - 0.05 * i for i in range(40)], "diverged"), False),
        (losses([3.1 - 0.05 * i for i in range(40)]), True),  # 5 % of the batches are worse
        (losses([3.2 - 0.05 * i for i in range(40)]), False),  # 10 %
        (losses([2.9] * 30 + [2.3] * 10), False),  # it ends at the loss of guessing
        (losses([2.9] * 10 + [1.0] * 20 + [1.5] * 10), False),  # the last quarter is not the best
        (losses([2.9, 1.0, 0.5]), False),  # too few steps
        (losses([2.9] * 39 + [float("nan")]), False),
    ],
)
def test_a_loss_falls_where_hardly_a_batch_is_worse(history: nw.History, falls: bool) -> None:
    assert loss_falls(INITIAL, history) is falls


def test_losses_by_rate_are_those_of_short_runs() -> None:
    found = losses_by_rate(DIGITS.but(epochs=50), decades=(-1, 0))
    for rate, loss in found.items():
        run = nw.fit(nw.with_learning_rate(DIGITS, rate).but(epochs=4), test=False)  # 60 of 17
        assert run.history.of("train.loss").last == loss


def test_all_short_runs_prepare_the_data_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    load = type(DIGITS.data).load
    monkeypatch.setattr(type(DIGITS.data), "load", lambda self: (calls.append(self), load(self))[1])
    losses_by_rate(DIGITS, decades=(-1, 0, 1))
    assert len(calls) == 1
