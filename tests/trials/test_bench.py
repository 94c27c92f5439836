"""Short trainings on copies do what a plain loop does, and leave the program alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwise.observe.kept_batches import KeptBatch
from netwise.observe.kept_states import kept_optimizer, kept_state
from netwise.trials.bench import (
    END,
    FRESH,
    Bench,
    OutOfTime,
    TrialSetup,
    copied,
    pieces_of,
    put_state,
    rows_agree,
)
from netwise.trials.rebuilt_loss import CLASSES, RebuiltLoss

LOSS = RebuiltLoss("", F.cross_entropy, kind=CLASSES)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 3))


def batches(number: int = 1) -> tuple[KeptBatch, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        KeptBatch((torch.randn(12, 4, generator=generator),), {}, torch.arange(12) % 3, rows=12)
        for _ in range(number)
    )


def bench(model: nn.Module, **changes: Any) -> Bench:
    optimizer = torch.optim.SGD(
        [
            {"params": model[0].parameters(), "lr": 0.5},  # type: ignore[index]
            {"params": model[3].parameters(), "lr": 0.1},  # type: ignore[index]
        ],
        momentum=0.9,
        weight_decay=0.01,
    )
    names = {id(p): name for name, p in model.named_parameters()}
    made = Bench(
        model,
        kept_state(model),
        kept_state(model),
        [kept_optimizer(optimizer)],
        1.0,
        names,
        batches(),
        batches(2)[1:],
        LOSS,
        10_000,
        60.0,
    )
    return made.but(**changes)


def trained(model: nn.Module, steps: int, rate: float = 1.0, decay: float = 0.01) -> nn.Module:
    """The same training as a plain loop."""
    optimizer = torch.optim.SGD(
        [
            {"params": model[0].parameters(), "lr": 0.5 * rate},  # type: ignore[index]
            {"params": model[3].parameters(), "lr": 0.1 * rate},  # type: ignore[index]
        ],
        momentum=0.9,
        weight_decay=decay,
    )
    (batch,) = batches()
    torch.manual_seed(7)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(*batch.args), batch.target).backward()
        optimizer.step()
    return model


def loss_of(model: nn.Module) -> float:
    (batch,) = batches()
    with torch.no_grad():
        return float(F.cross_entropy(model.eval()(*batch.args), batch.target))


@pytest.mark.parametrize(("rate", "decay"), [(1.0, 0.01), (3.0, 0.01), (1.0, 0.0)])
def test_a_short_training_is_that_of_a_plain_loop(rate: float, decay: float) -> None:
    setup = TrialSetup(rate=rate, decay=decay > 0)
    reached = bench(network()).train(setup, 5, seed=7)
    assert reached.steps == 5
    assert reached.fitted.loss == pytest.approx(
        loss_of(trained(network(), 5, rate, decay)), rel=1e-6
    )


def test_a_schedule_counts_by_its_largest_rate() -> None:
    reached = bench(network(), rate=2.0).train(TrialSetup(rate=1.5), 5, seed=7)
    assert reached.fitted.loss == pytest.approx(loss_of(trained(network(), 5, 3.0)), rel=1e-6)


def test_dropout_can_be_left_out_while_norms_still_use_batches() -> None:
    plain = network()
    plain[1] = nn.Identity()
    reached = bench(network()).train(TrialSetup(dropout=False), 5, seed=7)
    assert reached.fitted.loss == pytest.approx(loss_of(trained(plain, 5)), rel=1e-6)


def test_a_training_goes_on_from_the_end() -> None:
    end = kept_state(trained(network(), 4))
    model = network()
    twin = bench(model, end=end).copy(END)
    assert all(torch.equal(t, end.tensors[name]) for name, t in twin.named_parameters())
    assert not torch.equal(twin[0].weight, model[0].weight)  # type: ignore[index]


def test_fresh_weights_depend_on_the_seed() -> None:
    made = bench(network())
    one, two = made.copy(FRESH, 1), made.copy(FRESH, 1)
    assert torch.equal(one[0].weight, two[0].weight)  # type: ignore[index]
    assert not torch.equal(one[0].weight, made.copy(FRESH, 2)[0].weight)  # type: ignore[index]


def test_weights_outside_of_the_optimizer_stand_still_unless_asked_for() -> None:
    model = network()
    made = bench(model)  # the norm is in no optimizer
    plain, every = made.train(TrialSetup(), 3), made.train(TrialSetup(all_trainable=True), 3)
    assert plain.fitted.loss != every.fitted.loss


def test_the_limit_of_steps_ends_all() -> None:
    made = bench(network(), most_steps=7)
    made.train(TrialSetup(), 5)
    with pytest.raises(OutOfTime):
        made.train(TrialSetup(), 5)
    with pytest.raises(OutOfTime):
        bench(network(), most_seconds=-1.0).train(TrialSetup(), 5)


def test_a_loss_that_is_not_finite_ends_a_training() -> None:
    reached = bench(network()).train(TrialSetup(rate=1e30), 20)
    assert reached.steps < 20
    assert reached.held.skill == -1


def test_a_copy_has_no_hooks_of_the_program() -> None:
    model, calls = network(), []
    model.register_forward_hook(lambda *_: calls.append(1))
    model[0].register_forward_pre_hook(lambda *_: calls.append(2))
    normed = torch.nn.utils.spectral_norm(nn.Linear(4, 4))
    copied(model)(torch.ones(2, 4))
    assert calls == []
    assert len(copied(normed)._forward_pre_hooks) == 1  # it computes the weights


def test_a_state_must_fit() -> None:
    with pytest.raises(RuntimeError, match="other weights"):
        put_state(nn.Linear(2, 2), kept_state(network()))
    with pytest.raises(RuntimeError, match="another shape"):
        put_state(nn.Linear(2, 2), kept_state(nn.Linear(3, 2)))


def test_batches_are_cut_by_rows() -> None:
    (batch,) = batches()
    pieces = pieces_of(batch, 3)
    assert [len(piece.args[0]) for piece in pieces] == [4, 4, 4]
    assert torch.equal(torch.cat([p.args[0] for p in pieces]), batch.args[0])
    assert torch.equal(torch.cat([_target(p) for p in pieces]), _target(batch))
    odd = KeptBatch((torch.zeros(4, 2), torch.zeros(3)), {}, torch.zeros(4))
    assert pieces_of(odd, 2) == [odd]
    assert rows_agree(batch)
    assert not rows_agree(odd)


def _target(batch: KeptBatch) -> Tensor:
    assert batch.target is not None
    return batch.target
