"""A restricted Boltzmann machine against enumeration of all its states."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

import netwise as nw
from netwise.networks.energy.importance_sampling import inverse_temperatures
from netwise.networks.energy.rbm import RestrictedBoltzmann


def every(units: int) -> Tensor:
    return torch.tensor(
        [[i >> j & 1 for j in range(units)] for i in range(2**units)], dtype=torch.float64
    )


def machine(
    visible: int = 5, hidden: int = 3, std: float = 1.0, seed: int = 0, **kinds: object
) -> RestrictedBoltzmann:
    torch.manual_seed(seed)
    network = nw.RBM(visible, hidden, std=std, **kinds)  # type: ignore[arg-type]
    made = network.build().double().eval()
    assert isinstance(made, RestrictedBoltzmann)
    for p in made.weights_and_biases[1:]:
        torch.nn.init.normal_(p)
    return made


def joint(m: RestrictedBoltzmann) -> Tensor:
    """(2^visible, 2^hidden): -E of every state, from the formula of the notes."""
    weight, b, a = (p.detach() for p in m.weights_and_biases)
    v, h = every(m.visible), every(m.hidden)
    return (v @ a)[:, None] + (h @ b)[None, :] + v @ weight.t() @ h.t()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_free_energy_and_likelihood_equal_enumeration(visible: int, hidden: int, seed: int) -> None:
    m = machine(visible, hidden, seed=seed)
    e = joint(m)
    torch.testing.assert_close(m.free_energy(every(visible)), -e.logsumexp(1), rtol=0, atol=1e-10)
    torch.testing.assert_close(
        nw.energy.log_partition(m), e.flatten().logsumexp(0), rtol=0, atol=1e-10
    )
    torch.testing.assert_close(
        nw.energy.log_likelihood(m, every(visible)),
        e.logsumexp(1) - e.flatten().logsumexp(0),
        rtol=0,
        atol=1e-10,
    )


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_the_exact_phase_gives_the_gradient_of_the_likelihood(shape: tuple[int, int]) -> None:
    m = machine(*shape)
    m.set_loss(nw.ExactGradient())
    data = every(shape[0])[[1, 3, 3, 6]]
    m.train()
    m(data, data[:, :0]).backward()
    e = joint(m)
    p = (e - e.flatten().logsumexp(0)).exp()
    v, h = every(m.visible), every(m.hidden)
    given = torch.sigmoid(data @ m.layer1.weight.detach().t() + m.layer1.bias.detach())
    weight = torch.einsum("vh,vi,hj->ji", p, v, h) - given.t() @ data / len(data)
    torch.testing.assert_close(m.layer1.weight.grad, weight, rtol=0, atol=1e-10)
    torch.testing.assert_close(m.layer1.bias.grad, p.sum(0) @ h - given.mean(0), rtol=0, atol=1e-10)
    torch.testing.assert_close(m.back1.bias.grad, p.sum(1) @ v - data.mean(0), rtol=0, atol=1e-10)


def test_the_free_energys_own_gradient_is_the_positive_phase() -> None:
    m = machine()
    data = every(5)[[2, 9]]
    (grad,) = torch.autograd.grad(m.free_energy(data).sum(), m.layer1.weight)
    given = torch.sigmoid(data @ m.layer1.weight.t() + m.layer1.bias)
    torch.testing.assert_close(grad, -(given.t() @ data), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "phase",
    [
        nw.CD(steps=300),
        nw.PCD(chains=40_000, steps=30),
        nw.ParallelTempering(chains=20_000, rungs=4, steps=20),
        nw.FastPCD(chains=40_000, steps=30),
    ],
)
def test_a_sampled_phase_gives_the_exact_gradient_where_its_chains_have_mixed(
    phase: nw.NegativePhase,
) -> None:
    data = every(5)[torch.arange(40_000) % 7]
    exact, m = machine(), machine()
    exact.set_loss(nw.ExactGradient())
    exact.train()(data, data[:, :0]).backward()
    m.network = m.network.but(centred=False)
    m.set_loss(phase)
    m.double().train()
    torch.manual_seed(1)
    m(data, data[:, :0]).backward()
    for one, other in zip(m.weights_and_biases, exact.weights_and_biases, strict=True):
        torch.testing.assert_close(
            one.grad, other.grad, rtol=0, atol=0.02
        )  # 40,000 states: standard errors up to 0.0025


def test_centring_takes_the_step_of_a_machine_written_in_deviations() -> None:
    """E = -(v - mu) W (h - lambda) - a (v - mu) - b (h - lambda): its gradient, turned into plain
    biases."""
    m = machine()
    mu, middle = torch.rand(5, dtype=torch.float64), torch.rand(3, dtype=torch.float64)
    m.visible_mean.copy_(mu)
    m.hidden_mean.copy_(middle)
    gv, gh, gw = (
        torch.randn(5, dtype=torch.float64),
        torch.randn(3, dtype=torch.float64),
        torch.randn(3, 5, dtype=torch.float64),
    )
    weight, hidden, visible = m._centred(gw, gh, gv)
    # The centred machine's gradients: of W, of b (hidden), of a (visible).
    cw = gw - torch.outer(gh, mu) - torch.outer(middle, gv)
    lr = 0.1
    w, b, a = (p.detach() for p in m.weights_and_biases)
    # Plain biases of the centred machine: b_plain = b' - W mu, a_plain = a' - W^T lambda.
    b_dev, a_dev = b + w @ mu, a + middle @ w
    w_new, b_new, a_new = w - lr * cw, b_dev - lr * gh, a_dev - lr * gv
    torch.testing.assert_close(w - lr * weight, w_new)
    torch.testing.assert_close(b - lr * hidden, b_new - w_new @ mu)
    torch.testing.assert_close(a - lr * visible, a_new - middle @ w_new)


def test_the_conditionals_are_those_of_the_joint_distribution() -> None:
    m = machine()
    p = joint(m).exp()
    torch.testing.assert_close(m.hidden_given(every(5)), (p @ every(3)) / p.sum(1, keepdim=True))
    torch.testing.assert_close(m.visible_given(every(3)), (p.t() @ every(5)) / p.sum(0)[:, None])


def test_pseudo_likelihood_equals_enumeration_and_its_draws_agree() -> None:
    m = machine()
    log_p = nw.energy.log_likelihood(m, every(5))
    wanted = torch.zeros(32, dtype=torch.float64)
    for i in range(5):
        flipped = torch.arange(32) ^ (1 << i)
        wanted += log_p - torch.logaddexp(log_p, log_p[flipped])
    torch.testing.assert_close(nw.energy.pseudo_likelihood(m, every(5), flips=None), wanted)
    torch.manual_seed(0)
    drawn = torch.stack(
        [nw.energy.pseudo_likelihood(m, every(5), flips=2) for _ in range(4000)]
    ).mean(0)
    torch.testing.assert_close(drawn, wanted, rtol=0, atol=0.25)


@pytest.mark.parametrize("seed", range(4))
def test_annealed_importance_sampling_lies_within_three_standard_errors_from_both_sides(
    seed: int,
) -> None:
    m = machine(12, 8, seed=seed).float()
    exact = float(nw.energy.log_partition(m))
    up = nw.energy.ais(m, chains=1000, temperatures=400, seed=seed)
    down = nw.energy.reverse_ais(m, torch.zeros(1000, 12), temperatures=400, burn_in=200, seed=seed)
    for estimate in (up, down):
        assert estimate.low <= exact <= estimate.high, (estimate, exact)
        assert estimate.error < 0.2


def test_the_direction_of_the_error_is_that_of_jensens_inequality() -> None:
    """Few temperatures: on average AIS finds too little, reverse AIS too much."""
    m = machine(12, 8, std=2.0).float()
    exact = float(nw.energy.log_partition(m))
    up = [nw.energy.ais(m, chains=1, temperatures=5, seed=s).log_z - exact for s in range(200)]
    x = (torch.rand(1, 12) < 0.5).float()
    down = [
        nw.energy.reverse_ais(m, x, temperatures=5, burn_in=100, seed=s).log_z - exact
        for s in range(200)
    ]
    assert np.mean(up) < -0.2 < 0.2 < np.mean(down)


def test_a_ladder_of_temperatures_rises_from_0_to_1() -> None:
    for count in (3, 10, 999, 10_000):
        heats = inverse_temperatures(count)
        assert heats[0] == 0
        assert heats[-1] == 1
        assert len(heats) >= count
        assert all(b > a for a, b in itertools.pairwise(heats))


def test_gaussian_visible_units_have_the_density_of_their_integral() -> None:
    m = machine(1, 2, visible_units="gaussian")
    v = torch.linspace(-30, 30, 200_001, dtype=torch.float64)[:, None]
    area = float(torch.trapezoid(nw.energy.log_likelihood(m, v).exp(), v[:, 0]))
    assert area == pytest.approx(1, abs=1e-6)


def test_label_units_give_the_posterior_of_the_joint_machine() -> None:
    torch.manual_seed(0)
    m = nw.RBM(3, 4, labels=3, std=1.0).build().double().eval()
    v = every(3)
    wanted = []
    for k in range(3):
        y = torch.nn.functional.one_hot(torch.full((8,), k), 3).double()
        wanted.append(-m.free_energy(torch.cat([v, y], 1)))
    torch.testing.assert_close(torch.softmax(m(v), 1), torch.softmax(torch.stack(wanted, 1), 1))


def test_completion_holds_what_is_known_and_follows_the_conditional() -> None:
    m = machine()
    x = every(5)[[5, 20]]
    known = torch.tensor([True, True, True, False, False])
    full = m.complete(x, known, steps=4000, seed=0)
    torch.testing.assert_close(full[:, :3], x[:, :3])
    log_p = nw.energy.log_likelihood(m, every(5))
    for row, clamped in zip(full, x, strict=True):
        alike = (every(5)[:, :3] == clamped[:3]).all(1)
        p = torch.softmax(log_p[alike], 0)
        torch.testing.assert_close(row[3:], p @ every(5)[alike][:, 3:], rtol=0, atol=0.06)


def test_rectified_units_draw_about_their_mean() -> None:
    from netwise.networks.energy.units import draw, hidden_free_energy, mean

    x = torch.full((200_000,), 3.0)
    torch.manual_seed(0)
    assert float(draw("rectified", x).mean()) == pytest.approx(
        float(mean("rectified", x[:1])), abs=0.02
    )
    # The slope of the free energy is the mean of the stack of binary units: near max(0, x), by Nair
    # and Hinton's eq. 2.
    z = torch.tensor([3.0], requires_grad=True)
    hidden_free_energy("rectified", z).sum().backward()
    assert float(z.grad) == pytest.approx(float(torch.log1p(torch.exp(z.detach()))), abs=0.02)


# ---- through the ordinary engine

BARS = torch.stack(
    [torch.stack([torch.full((4,), float(i == r)) for r in range(4)]).flatten() for i in range(4)]
)


def bars(count: int = 400) -> nw.data.Data:
    rows = BARS[torch.arange(count) % 4]
    return nw.data.arrays(rows.numpy(), np.arange(count) % 2)


def recipe(**changes: object) -> nw.Recipe:
    base = nw.Recipe(
        data=bars(),
        network=nw.RBM(16, 6),
        loss=nw.PCD(),
        optimizer=nw.SGD(lr=0.1),
        batch_size=20,
        epochs=30,
    )
    return base.but(**changes)


@pytest.mark.parametrize(
    "phase",
    [nw.CD(), nw.PCD(), nw.FastPCD(), nw.ParallelTempering(), nw.ExactGradient()],
    ids=lambda p: type(p).__name__,
)
def test_every_phase_learns_four_bars(phase: nw.NegativePhase) -> None:
    run = nw.fit(
        recipe(
            loss=phase,
            network=nw.RBM(16, 6, centred=False)
            if isinstance(phase, nw.ExactGradient)
            else nw.RBM(16, 6),
        ).but(epochs=60)
    )
    assert run.score is not None
    assert run.score.how == "exact"
    independent = run.history.of("likelihood.base_rates").last  # about -9
    assert run.score.value > independent / 2  # ln 4 = 1.39 nats is all there is to know


def test_equal_recipes_give_equal_machines_and_a_stop_changes_nothing(tmp_path: Path) -> None:
    one, other = nw.fit(recipe(epochs=3)), nw.fit(recipe(epochs=3), folder=tmp_path / "a")
    for name, value in one.module.state_dict().items():
        assert torch.equal(value, other.module.state_dict()[name]), name
    again = nw.load(tmp_path / "a")
    assert torch.equal(again.module.state_dict()["chains"], one.module.state_dict()["chains"])
    assert again.score == other.score
    torch.testing.assert_close(again.outputs(BARS.numpy()), one.outputs(BARS.numpy()))


def test_it_starts_at_the_base_rates() -> None:
    m = nw.RBM(3, 2).build()
    m.initialize_from_data(torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    assert torch.sigmoid(m.back1.bias).tolist() == pytest.approx([0.999, 0.5, 0.001], abs=1e-4)
    plain = nw.RBM(3, 2, visible_bias="zero").build()
    plain.initialize_from_data(torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    assert plain.back1.bias.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"loss": nw.CrossEntropy()}, "is no phase, and RBM learns by one. Write PCD()"),
        (
            {"network": nw.RBM(9, 6)},
            "network.visible = 9  is not what a sample has: 16 numbers. Write 16",
        ),
        (
            {"network": nw.MLP((16, 4, 2))},
            (
                "is a phase, by which energy models such as RBM learn, and MLP is none."
                " Write CrossEntropy()"
            ),
        ),
        (
            {
                "network": nw.RBM(16, 30),
                "loss": nw.ExactGradient(),
                "data": nw.data.digits(),
                "preprocess": (nw.MinMax(),),
            },
            "is not what a sample has: 64 numbers",
        ),
        (
            {
                "network": nw.RBM(64, 30),
                "loss": nw.ExactGradient(),
                "data": nw.data.digits(),
                "preprocess": (nw.MinMax(),),
            },
            "sums over all states",
        ),
        (
            {"network": nw.RBM(13, 6), "data": nw.data.wine()},
            "is for inputs from 0 to 1, and these go from 0.",
        ),
        ({"loss": nw.AnnealedSampling()}, "is for a BoltzmannMachine"),
        (
            {"network": nw.RBM(16, 6, labels=3)},
            "network.labels = 3  and the data have 2 classes. Write 2",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_any_work(changes: dict[str, object], told: str) -> None:
    with pytest.raises(nw.WrongValue) as caught:
        nw.fit(recipe(**changes))
    assert told in str(caught.value)


def test_ais_refuses_what_it_has_no_way_for() -> None:
    with pytest.raises(nw.WrongValue, match="not binary"):
        nw.energy.ais(machine(visible_units="gaussian"))
    with pytest.raises(nw.WrongValue, match="must rise from 0 to 1"):
        nw.energy.ais(machine(), temperatures=[0.0, 0.5])
    with pytest.raises(nw.WrongValue, match=r"estimate it. Write nw.energy.ais\(machine\)"):
        nw.energy.log_partition(nw.RBM(30, 30).build())


def test_rectified_and_gaussian_machines_are_scored_by_what_they_give_back() -> None:
    data = nw.Recipe(
        data=nw.data.digits(),
        preprocess=(nw.Standardise(),),
        network=nw.RBM(64, 40, visible_units="gaussian", hidden_units="rectified"),
        loss=nw.CD(),
        optimizer=nw.SGD(lr=0.005),
        epochs=30,
    )
    run = nw.fit(data)
    assert run.score is not None
    assert run.score.name == "r2"
    assert run.score.value > 0.4
    assert math.isfinite(run.history.of("reconstruction").last)


def test_a_sparse_machine_is_on_for_the_share_it_was_told() -> None:
    network = nw.RBM(64, 50, sparsity=0.5, sparsity_target=0.1)
    base = nw.Recipe(
        data=nw.data.digits(),
        preprocess=(nw.MinMax(),),
        network=network,
        loss=nw.CD(),
        optimizer=nw.SGD(lr=0.1),
        epochs=30,
    )
    dense = base.but(network=network.but(sparsity=0.0))
    active = [nw.fit(each).history.of("hidden.active").last for each in (base, dense)]
    assert active[0] == pytest.approx(0.1, abs=0.05)
    assert active[1] > 0.25


def test_a_machine_with_labels_classifies() -> None:
    run = nw.fit(
        nw.Recipe(
            data=nw.data.digits(),
            preprocess=(nw.MinMax(),),
            network=nw.RBM(64, 100, labels=10),
            loss=nw.CD(),
            optimizer=nw.SGD(lr=0.2, momentum=0.5),
            batch_size=20,
            epochs=40,
        )
    )
    assert run.score is not None
    assert run.score.name == "accuracy"
    assert run.score.value > 0.85
    proba = run.predict_proba(nw.data.digits().load().test.x.numpy())
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-5)
