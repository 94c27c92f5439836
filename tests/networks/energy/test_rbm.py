"""A restricted Boltzmann machine against enumeration of all its states."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from networks.energy.enumeration import every, joint, machine


def test_the_free_energys_own_gradient_is_the_positive_phase() -> None:
    m = machine()
    data = every(5)[[2, 9]]
    (grad,) = torch.autograd.grad(m.free_energy(data).sum(), m.layer1.weight)
    given = torch.sigmoid(data @ m.layer1.weight.t() + m.layer1.bias)
    torch.testing.assert_close(grad, -(given.t() @ data), rtol=0, atol=1e-12)


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
