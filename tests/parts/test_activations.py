"""Activations against their formulas, ranges and torch's derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

import netwise as nw
from netwise.parts.activations import ACTIVATIONS
from netwise.tasks import BOUNDED

X = torch.linspace(-6, 6, 241, dtype=torch.float64)
FORMULAS = {
    nw.Identity(): lambda x: x,
    nw.Sigmoid(): lambda x: 1 / (1 + np.exp(-x)),
    nw.Tanh(): lambda x: 2 / (1 + np.exp(-2 * x)) - 1,
    nw.ReLU(): lambda x: np.maximum(0, x),
    nw.LeakyReLU(slope=0.1): lambda x: np.where(x > 0, x, 0.1 * x),
    nw.ELU(alpha=0.5): lambda x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1)),
    nw.HardSigmoid(): lambda x: np.clip(x / 6 + 0.5, 0, 1),
    nw.HardTanh(): lambda x: np.clip(x, -1, 1),
    nw.Softsign(): lambda x: x / (1 + np.abs(x)),
    nw.Softplus(): lambda x: np.log1p(np.exp(x)),
    nw.ReLU6(): lambda x: np.clip(x, 0, 6),
    nw.PReLU(): lambda x: np.where(x > 0, x, 0.25 * x),
    nw.RReLU(): lambda x: np.where(x > 0, x, (1 / 8 + 1 / 3) / 2 * x),
    nw.SELU(): lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1))
    ),
    nw.GELU(): lambda x: x * norm.cdf(x),
    nw.SiLU(): lambda x: x / (1 + np.exp(-x)),
    nw.HardSwish(): lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    nw.Mish(): lambda x: x * np.tanh(np.log1p(np.exp(x))),
}


@pytest.mark.parametrize(
    ("activation", "formula"), FORMULAS.items(), ids=lambda a: type(a).__name__
)
def test_an_activation_is_its_formula(activation: nw.Activation, formula: object) -> None:
    np.testing.assert_allclose(activation(X).numpy(), formula(X.numpy()), atol=1e-12)  # type: ignore[operator]


@pytest.mark.parametrize("cls", ACTIVATIONS)
def test_an_activation_stays_in_its_range(cls: type[nw.Activation]) -> None:
    activation = cls()
    y = activation(X[None, :240])  # pairs, for Maxout
    assert float(y.min()) >= activation.lowest - 1e-12
    assert float(y.max()) <= activation.highest + 1e-12
    bounded = (
        type(activation.build()).__name__ in BOUNDED
    )  # pinned at an end it learns nothing; ReLU6 lives at its own
    assert bounded == (activation.saturates and cls not in (nw.Softmax, nw.ReLU6))


def test_softmax_sums_to_one() -> None:
    assert torch.allclose(
        nw.Softmax()(torch.randn(5, 7, dtype=torch.float64)).sum(1),
        torch.ones(5, dtype=torch.float64),
    )


def test_the_slope_of_a_sigmoid_is_at_most_a_quarter() -> None:
    x = X.clone().requires_grad_()
    nw.Sigmoid()(x).sum().backward()
    assert x.grad is not None
    assert float(x.grad.max()) == pytest.approx(0.25)


@pytest.mark.parametrize("activation", FORMULAS, ids=lambda a: type(a).__name__)
def test_the_slope_is_that_of_the_formula(activation: nw.Activation) -> None:
    x = X[
        (X.abs() > 0.01)
        & ((X.abs() - 1).abs() > 0.01)
        & ((X.abs() - 3).abs() > 0.01)
        & ((X.abs() - 6).abs() > 0.01)
    ]  # corners have none
    step = 1e-6
    numeric = (activation(x + step) - activation(x - step)) / (2 * step)
    assert torch.allclose(nw.slope(activation, x), numeric, atol=1e-8)


def test_a_modules_output_in_evaluation_is_the_activations_own_value() -> None:
    for cls in ACTIVATIONS:
        module, x = cls().build().eval(), torch.linspace(-3, 3, 24).reshape(4, 6)
        assert torch.allclose(module(x), cls()(x)), cls.__name__


def test_rrelu_draws_its_slopes_in_training_within_its_limits() -> None:
    torch.manual_seed(0)
    y = -nw.RReLU().build()(-torch.ones(10_000))
    assert 1 / 8 <= float(y.min()) < 0.13
    assert 0.32 < float(y.max()) <= 1 / 3
    assert float(y.mean()) == pytest.approx((1 / 8 + 1 / 3) / 2, abs=0.003)
    with pytest.raises(nw.WrongValue, match="must be at most upper"):
        nw.RReLU(lower=0.5, upper=0.2)


def test_prelu_learns_its_slope() -> None:
    module = nw.PReLU().build()
    assert module.weight.tolist() == [0.25]
    module(torch.tensor([-2.0])).backward()
    assert module.weight.grad.tolist() == [-2.0]


def test_maxout_takes_the_largest_of_neighbouring_pieces_also_of_maps() -> None:
    x = torch.randn(3, 12, 4, 4)
    assert torch.equal(nw.Maxout(3)(x), torch.stack([x[:, i::3] for i in range(3)]).max(0).values)
    # Without a second piece's weights it is ReLU.
    w = torch.randn(5, 4)
    both = torch.zeros(10, 4)
    both[0::2] = w
    z = torch.randn(7, 4)
    torch.testing.assert_close(nw.Maxout(2)(z @ both.T), torch.relu(z @ w.T))


@pytest.mark.parametrize(
    ("activation", "below_10", "below_1", "mean"),
    [
        # s (1 - s) falls to a tenth of 1/4 at ln(19 + sqrt(360)), to a hundredth at ln(199 +
        # sqrt(39600))
        (nw.Sigmoid(), 2 * np.arccosh(np.sqrt(10)), 2 * np.arccosh(10), 0.5),
        (nw.Tanh(), np.arccosh(np.sqrt(10)), np.arccosh(10), 0.0),
        (nw.Softsign(), np.sqrt(10) - 1, 9.0, 0.0),
        (nw.ReLU(), np.inf, np.inf, 1 / np.sqrt(2 * np.pi)),
        (nw.GELU(), np.inf, np.inf, 1 / (2 * np.sqrt(np.pi))),
        (nw.Identity(), np.inf, np.inf, 0.0),
    ],
    ids=lambda a: type(a).__name__ if isinstance(a, nw.Activation) else "",
)
def test_the_properties_of_an_activation_is_its_closed_form(
    activation: nw.Activation, below_10: float, below_1: float, mean: float
) -> None:
    c = nw.activation_properties(activation)
    assert c.below_10_percent == pytest.approx(below_10, abs=2e-4)
    assert c.below_1_percent == pytest.approx(below_1, abs=2e-4)
    assert c.mean == pytest.approx(mean, abs=1e-6)
    with pytest.raises(
        TypeError, match="maps several numbers to one, so it has no slope: pass another"
    ):
        nw.activation_properties(nw.Softmax())


def test_softmax_is_monotone_not_local_and_can_be_inverted() -> None:
    z = torch.randn(1, 5, dtype=torch.float64)
    a = nw.Softmax()(z)
    moved = nw.Softmax()(z + torch.tensor([[1.0, 0, 0, 0, 0]], dtype=torch.float64))
    assert moved[0, 0] > a[0, 0]
    assert (moved[0, 1:] < a[0, 1:]).all()
    back = a.log()
    assert torch.allclose(back - back.mean(), z - z.mean())


def test_the_gain_keeps_a_signals_size() -> None:
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    for cls in ACTIVATIONS:
        if cls not in (nw.Softmax, nw.Maxout):
            assert float((nw.gain(cls()) * cls()(z)).square().mean()) == pytest.approx(
                1.0, rel=0.02
            ), cls.__name__
