"""Programs that compute gradients as values, with weights that each step makes anew."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import grad, grad_and_value, vmap
from torch.nn import functional as F

import netwise as nw
from netwise import signals
from netwise.observe.functional_updates import units_are_equal

X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


def start(networks: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    first = (networks,) if networks else ()
    return {
        "inside": torch.randn(*first, 16, 4, generator=generator) / 2,
        "shift": torch.zeros(*first, 16),
        "outside": torch.randn(*first, 3, 16, generator=generator) / 4,
    }


def answers(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    return F.linear(F.linear(x, weights["inside"], weights["shift"]).relu(), weights["outside"])


def loss(weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(answers(weights, x), y)


def trained(rate: float = 0.3, steps: int = 40, networks: int = 0) -> nw.History:
    weights = start(networks)
    slopes = grad_and_value(loss)
    if networks:
        slopes = vmap(slopes, in_dims=(0, None, None))
    with nw.watch() as w:
        for _ in range(steps):
            slope, _ = slopes(weights, X, Y)
            weights = {name: value - rate * slope[name] for name, value in weights.items()}
    return w.history()


def test_a_program_of_values_has_a_history() -> None:
    history = trained()
    assert [layer.name for layer in history.layers] == ["weights_inside", "weights_outside"]
    assert history.ended.step == 40
    losses = history.of(signals.LOSS)
    assert losses is not None
    assert losses.last < 0.6 * losses.values[0]
    descent = history.of(signals.STEP_DESCENT, "weights_inside")
    assert descent is not None
    assert all(abs(value - 1) < 1e-5 for value in descent.values)
    assert history.wiring is not None
    (term,) = history.wiring.losses
    assert (term.operation, term.chain[0]) == ("cross entropy", "LogSoftmax")
    assert not nw.diagnose(history).found


def test_the_update_is_the_difference_of_the_weights_of_two_calls() -> None:
    history = trained(0.1, 3)
    first = start()
    slope = grad(loss)(first, X, Y)["inside"]
    ratio = 0.1 * slope.norm() / first["inside"].norm()
    updates = history.of(signals.UPDATE_RATIO, "weights_inside")
    gradients = history.of(signals.GRADIENT_RATIO, "weights_inside")
    assert updates is not None
    assert gradients is not None
    assert abs(updates.values[0] - float(ratio)) < 1e-6
    assert abs(gradients.values[0] - float(10 * ratio)) < 1e-5


def test_uphill_with_a_momentum() -> None:
    weights, before = start(), dict.fromkeys(start(), torch.zeros(()))
    with nw.watch() as w:
        for _ in range(60):
            slope = grad(loss)(weights, X, Y)
            before = {name: 0.9 * before[name] + slope[name] for name in weights}
            weights = {name: value + 0.1 * before[name] for name, value in weights.items()}
    assert nw.diagnose(w.history()).found[0].rule == "loss_rewards_errors"


def test_where_only_a_bias_moves_the_equal_units_are_named() -> None:
    """Behind rectifiers of 0 no matrix ever gets a gradient."""
    weights = {**start(), "inside": torch.zeros(16, 4), "last": torch.zeros(3)}
    with nw.watch() as w:
        for _ in range(20):
            slope = grad(lambda w: F.cross_entropy(answers(w, X) + w["last"], Y))(weights)
            weights = {name: value - 0.3 * slope[name] for name, value in weights.items()}
    assert [f.rule for f in nw.diagnose(w.history()).found] == ["start_symmetric"]


def test_several_networks_that_start_alike_have_units_that_differ() -> None:
    alike = {name: value.expand(3, *value.shape) for name, value in start().items()}
    assert not units_are_equal(alike["inside"], 2)
    assert units_are_equal(torch.ones(3, 4, 1, 2).cumsum(0), 3)


def test_several_networks_at_once() -> None:
    history = trained(networks=3)
    assert [layer.name for layer in history.layers] == ["weights_inside", "weights_outside"]
    assert history.wiring is not None
    assert history.wiring.losses[0].chain[0] == "LogSoftmax"
    assert not nw.diagnose(history).found
    assert [f.rule for f in nw.diagnose(trained(-0.5, networks=3)).found] == ["loss_rewards_errors"]
    assert "rate_too_high" in [f.rule for f in nw.diagnose(trained(500.0, networks=3)).found]


def test_gradients_that_are_only_looked_at_are_no_training() -> None:
    weights = start()
    with nw.watch() as w:
        for _ in range(10):
            grad(loss)(weights, X, Y)
    assert w.histories() == {}
    assert w.errors == ()


def test_with_an_optimizer_the_program_is_one_of_modules() -> None:
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(8):
            values = torch.autograd.grad(F.cross_entropy(model(X), Y), list(model.parameters()))
            for weight, value in zip(model.parameters(), values, strict=True):
                weight.grad = value
            optimizer.step()
    assert list(w.histories()) == ["model"]


def test_watching_changes_no_number() -> None:
    weights = start()
    for _ in range(5):
        slope = grad(loss)(weights, X, Y)
        weights = {name: value - 0.3 * slope[name] for name, value in weights.items()}
    watched = start()
    with nw.watch():
        for _ in range(5):
            slope = grad(loss)(watched, X, Y)
            watched = {name: value - 0.3 * slope[name] for name, value in watched.items()}
    assert all(torch.equal(weights[name], watched[name]) for name in weights)


def test_the_error_that_ended_it_is_in_its_history() -> None:
    weights = start()
    with nw.watch() as w:
        try:
            for step in range(8):
                slope = grad(loss)(weights, X[:, : 4 - step // 5], Y)
                weights = {name: value - 0.1 * slope[name] for name, value in weights.items()}
        except RuntimeError as error:
            w.ended_by(error)
    assert w.history().error is not None
    assert nw.diagnose(w.history()).found[0].rule == "step_fails"
