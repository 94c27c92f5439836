"""Each rule as a formula is torch's own, or a NumPy reference's, and descends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.parts.optimizers import OPTIMIZERS

RULES = [
    nw.SGD(lr=0.1),
    nw.SGD(lr=0.1, momentum=0.9),
    nw.SGD(lr=0.1, momentum=0.9, nesterov=True),
    nw.SGD(lr=0.1, momentum=0.5, weight_decay=0.1),
    nw.SGD(lr=0.1, nesterov=True),
    nw.Momentum(),
    nw.Momentum(form="classic"),
    nw.Adagrad(lr=0.1),
    nw.Adagrad(lr=0.1, start=0.1, epsilon=1e-4),
    nw.RMSProp(),
    nw.RMSProp(decay=0.5),
    nw.Adadelta(),
    nw.Adadelta(lr=0.5, rho=0.5, epsilon=1e-3),
    nw.Adam(),
    nw.Adam(lr=0.1, beta1=0.5, beta2=0.9, epsilon=1e-4),
    nw.AdamW(lr=0.01, weight_decay=0.3),
    nw.AMSGrad(lr=0.1, beta2=0.9),
    nw.NAdam(),
    nw.NAdam(lr=0.1, psi=0.1, beta1=0.5),
    nw.RAdam(),
    nw.RAdam(lr=0.1, beta2=0.9),
    nw.Lion(lr=0.01, weight_decay=0.1),
    nw.MomentOptimizer(),
    nw.MomentOptimizer(first="gradient", second="sum"),
    nw.SwitchOptimizer(),
]


def steps(
    seed: int = 0, shape: tuple[int, ...] = (6, 3)
) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    """A start, and noisy gradients of a rough function, in float64."""
    g = torch.Generator().manual_seed(seed)
    start = torch.randn(shape, generator=g, dtype=torch.float64)
    return (
        start,
        lambda w: torch.sin(w * 3) + 0.1 * torch.randn(shape, generator=g, dtype=torch.float64),
    )


def rate_at(rule: nw.Optimizer, t: int) -> float:
    return rule.lr * (1 + 0.5 * ((t % 7) / 7))


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_formula_equals_the_torch_object_over_100_steps_of_a_changing_rate(
    rule: nw.Optimizer,
) -> None:
    start, gradient_at = steps()
    live = start.clone().requires_grad_()
    optimizer = rule.build([live])
    w, memory = start.clone(), rule.init(start)
    for t in range(1, 101):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(rule, t)
        gradient = gradient_at(live.detach())
        live.grad = gradient.clone()
        optimizer.step()
        w, memory = rule.step(w, gradient, memory, t, rate_at(rule, t))
        assert float((w - live.detach()).abs().max()) < 1e-12


# Rules that torch lacks, or whose torch object is made of the formula itself: written again with
# NumPy, from the papers.
def lion(w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float) -> tuple[np.ndarray, np.ndarray]:
    update = np.sign(0.9 * m + (1 - 0.9) * g)
    return w - lr * (update + 0.1 * w), 0.99 * m + (1 - 0.99) * g


def averaged(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float
) -> tuple[np.ndarray, np.ndarray]:
    m = 0.9 * m + (1 - 0.9) * g
    return w - lr * m, m


@pytest.mark.parametrize(
    ("rule", "reference"),
    [(nw.Lion(lr=0.01, weight_decay=0.1), lion), (nw.Momentum(), averaged)],
    ids=["Lion", "Momentum"],
)
def test_what_torch_lacks_equals_a_numpy_reference(
    rule: nw.Optimizer, reference: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    start, gradient_at = steps()
    w, memory, other, m = start.clone(), rule.init(start), start.numpy().copy(), np.zeros((6, 3))
    for t in range(1, 101):
        gradient = gradient_at(w)
        w, memory = rule.step(w, gradient, memory, t, rate_at(rule, t))
        other, m = reference(other, gradient.numpy(), m, rate_at(rule, t))
        assert np.abs(w.numpy() - other).max() < 1e-12


@pytest.mark.parametrize(
    ("frame", "same"),
    [
        (nw.MomentOptimizer(lr=0.1, first="gradient", second="one"), nw.SGD(lr=0.1)),
        (
            nw.MomentOptimizer(lr=0.1, first="average", second="one", corrected=False),
            nw.Momentum(lr=0.1),
        ),
        (
            nw.MomentOptimizer(lr=0.1, first="gradient", second="sum", epsilon=1e-10),
            nw.Adagrad(lr=0.1),
        ),
        (
            nw.MomentOptimizer(
                lr=0.1, first="gradient", second="average", beta2=0.9, corrected=False
            ),
            nw.RMSProp(lr=0.1),
        ),
        (nw.MomentOptimizer(lr=0.1), nw.Adam(lr=0.1)),
    ],
    ids=lambda rule: repr(rule)[:60],
)
def test_the_notes_frame_makes_the_known_rules(
    frame: nw.MomentOptimizer, same: nw.Optimizer
) -> None:
    start, gradient_at = steps(1)
    w, v, memory, other = start.clone(), start.clone(), frame.init(start), same.init(start)
    for t in range(1, 51):
        gradient = gradient_at(w)
        w, memory = frame.step(w, gradient, memory, t)
        v, other = same.step(v, gradient, other, t)
        assert float((w - v).abs().max()) < 1e-12


def test_the_misprinted_frame_climbs_where_the_right_one_descends() -> None:
    # Erratum E05: on (w + 1)^2 with Adagrad's rules, lr * m * sqrt(V) blows up at lr = 0.1; lr * m
    # / sqrt(V) does not.
    frame = nw.MomentOptimizer(lr=0.1, first="gradient", second="sum")
    w, memory, printed, V = torch.tensor([5.0]), frame.init(torch.zeros(1)), 5.0, 0.0
    for t in range(1, 11):
        w, memory = frame.step(w, 2 * (w + 1), memory, t)
        g = 2 * (printed + 1)
        V += g * g
        printed -= 0.1 * g * math.sqrt(V)
    assert abs(printed) > 1e6
    assert float(w) < 5.0


def test_adagrads_rate_falls_to_nothing_and_rmsprops_does_not() -> None:
    falls, holds = (
        nw.MomentOptimizer(lr=1.0, first="gradient", second="sum"),
        nw.MomentOptimizer(lr=1.0, first="gradient", second="average", corrected=False, beta2=0.9),
    )
    one, other = falls.init(torch.zeros(1)), holds.init(torch.zeros(1))
    seen = []
    for t in range(1, 401):
        _, one = falls.step(torch.zeros(1), torch.ones(1), one, t)
        _, other = holds.step(torch.zeros(1), torch.ones(1), other, t)
        seen.append(float(falls.rates(one, t)))
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == pytest.approx(1 / 20, rel=1e-4)
    assert float(holds.rates(other, 400)) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_equals_torchs_on_a_hidden_matrix(shape: tuple[int, int], nesterov: bool) -> None:
    rule = nw.Muon(lr=0.02, weight_decay=0.1, nesterov=nesterov)
    start, gradient_at = steps(2, shape)
    first, hidden, last, bias = (
        torch.zeros(2, 2, dtype=torch.float64),
        start.clone(),
        torch.zeros(2, 2, dtype=torch.float64),
        torch.zeros(3, dtype=torch.float64),
    )
    ours = rule.build([p.requires_grad_() for p in (first, hidden, last, bias)])
    live = start.clone().requires_grad_()
    theirs = torch.optim.Muon([live], lr=0.02, weight_decay=0.1, nesterov=nesterov)
    w, memory = start.clone(), rule.init(start)
    for t in range(1, 101):
        rate = rate_at(rule, t)
        for group in (*ours.param_groups, *theirs.param_groups):
            group["lr"] = rate
        gradient = gradient_at(live.detach())
        for p in (first, last, bias):
            p.grad = torch.ones_like(p)
        hidden.grad, live.grad = gradient.clone(), gradient.clone()
        ours.step()
        theirs.step()
        w, memory = rule.step(w, gradient, memory, t, rate)
        assert float((hidden - live).detach().abs().max()) < 1e-12
        assert float((w - live.detach()).abs().max()) < 1e-12
    # What is no hidden matrix moves by AdamW with its own rate.
    one = torch.zeros(3, dtype=torch.float64)
    other = nw.AdamW(lr=0.001, weight_decay=0.0)
    memory = other.init(one)
    for t in range(1, 101):
        one, memory = other.step(
            one, torch.ones(3, dtype=torch.float64), memory, t, rate_at(rule, t) / 0.02 * 0.001
        )
    assert torch.allclose(bias.detach(), one, atol=1e-12)
    assert torch.allclose(first.detach(), one[:1].expand(2, 2), atol=1e-12)


@pytest.mark.parametrize("cls", [nw.LBFGS, nw.SimulatedAnnealing])
def test_what_asks_again_descends_a_bowl_and_needs_no_formula(cls: type[nw.Optimizer]) -> None:
    torch.manual_seed(0)
    w = torch.tensor([3.0, -2.0], requires_grad=True)
    optimizer = cls().build([w])

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        with torch.enable_grad():
            value = (w.square() * torch.tensor([1.0, 5.0])).sum()
            value.backward()
        return value

    for _ in range(300):
        optimizer.step(loss)  # type: ignore[arg-type]
    assert float(w.detach().abs().max()) < 0.2
    with pytest.raises(TypeError, match="Use build"):
        cls().step(w, w, {}, 1)


def test_cold_annealing_never_climbs_and_hot_does() -> None:
    def climbs(temperature: float) -> int:
        torch.manual_seed(1)
        w = torch.tensor([1.0], requires_grad=True)
        optimizer = nw.SimulatedAnnealing(temperature=temperature, cooling=1.0, tries=1).build([w])
        losses = []
        for _ in range(200):
            losses.append(float(w.detach().square()))
            optimizer.step(lambda: w.square().sum())  # type: ignore[arg-type, return-value]
        return sum(b > a for a, b in itertools.pairwise(losses))

    assert climbs(0.0) == 0
    assert climbs(10.0) > 20


DESCENDING = [cls for cls in OPTIMIZERS if not cls.needs_closure and cls is not nw.TorchOptimizer]


def quick(cls: type[nw.Optimizer]) -> nw.Optimizer:
    """Each with a rate that suits a bowl of size 3."""
    if cls is nw.SwitchOptimizer:
        return nw.SwitchOptimizer(first=nw.Adam(lr=0.05))
    return cls(lr={nw.Adadelta: 20.0, nw.Adagrad: 0.5, nw.Lion: 0.02}.get(cls, 0.05))  # type: ignore[call-arg]


@pytest.mark.parametrize("cls", DESCENDING)
def test_an_optimizer_descends_a_bowl(cls: type[nw.Optimizer]) -> None:
    ends = [
        torch.zeros(1, 1, requires_grad=True) for _ in range(2)
    ]  # Muon leaves the first and the last matrix to AdamW
    w = torch.tensor([[3.0, -2.0]], requires_grad=True)
    optimizer = quick(cls).build([ends[0], w, ends[1]])
    before = 29.0
    for _ in range(300):
        optimizer.zero_grad()
        (w.square() * torch.tensor([1.0, 5.0])).sum().backward()
        optimizer.step()
    assert float((w.detach().square() * torch.tensor([1.0, 5.0])).sum()) < 0.01 * before


@pytest.mark.parametrize("cls", DESCENDING)
def test_a_pure_step_changes_nothing_in_place(cls: type[nw.Optimizer]) -> None:
    rule, w, g = cls(), torch.ones(2, 3), torch.ones(2, 3)
    memory = rule.init(w)
    kept = {key: value.clone() for key, value in memory.items()}
    rule.step(w, g, memory, 1)
    assert torch.equal(w, torch.ones(2, 3))
    assert all(torch.equal(memory[key], kept[key]) for key in kept)


def test_momentum_grows_over_its_ramp_and_the_engine_follows() -> None:
    rule = nw.Momentum(lr=0.1, begin=0.5, momentum=0.9, ramp=4)
    assert [round(rule.beta(epoch), 3) for epoch in range(6)] == [0.5, 0.6, 0.7, 0.8, 0.9, 0.9]
    w = torch.tensor([1.0], requires_grad=True)
    optimizer = rule.build([w])
    optimizer.param_groups[0].update(rule.group_settings(3))
    w.grad = torch.ones(1)
    optimizer.step()
    assert float(w.detach()) == pytest.approx(1 - 0.1 * 0.2)


def test_a_switch_at_an_epoch_or_a_plateau() -> None:
    at = nw.SwitchOptimizer(epoch=2)
    state = at.start()
    seen = []
    for epoch in range(4):
        state = at.next_state(state, epoch, 0.5)
        seen.append(type(at.active(state)).__name__)
    assert seen == ["Adam", "Adam", "SGD", "SGD"]
    plateau = nw.SwitchOptimizer(patience=2)
    state, seen = plateau.start(), []
    for epoch, loss in enumerate([None, 1.0, 0.9, 0.95, 0.95, 0.1]):
        state = plateau.next_state(state, epoch, loss)
        seen.append(type(plateau.active(state)).__name__)
    assert seen == ["Adam", "Adam", "Adam", "Adam", "SGD", "SGD"]


def test_any_torch_optimizer_by_name_and_wrong_ones_are_told() -> None:
    w = torch.zeros(2, requires_grad=True)
    assert (
        type(nw.TorchOptimizer(name="ASGD", arguments=("lambd=0.1",)).build([w])).__name__ == "ASGD"
    )
    with pytest.raises(nw.WrongValue, match="Did you mean `Adamax`"):
        nw.TorchOptimizer(name="Adamaxx")
    with pytest.raises(
        nw.WrongValue,
        match="are not arguments of torch's ASGD .*: write those of its documentation",
    ):
        nw.TorchOptimizer(arguments=("rho=1",))
    with pytest.raises(
        nw.WrongValue,
        match="are not arguments of torch's ASGD .*: write those of its documentation",
    ):
        nw.TorchOptimizer(arguments=("lambd=__import__('os')",))
