"""Rules written out, against autograd, eigenvectors, and counting by brute force."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

import netwise as nw


def data(samples: int = 20, ins: int = 5, outs: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(samples, ins, generator=g, dtype=torch.float64), torch.rand(
        samples, outs, generator=g, dtype=torch.float64
    )


@pytest.mark.parametrize("widths", [(5, 2), (5, 4, 2), (5, 7, 3, 2)])
def test_accumulated_back_propagation_is_autograds_gradient_of_the_mean_error(
    widths: tuple[int, ...],
) -> None:
    net = nw.learning_rules.ThresholdNetwork.drawn(widths, torch.Generator().manual_seed(1))
    x, y = data()
    after = net.accumulated(x, y, rate=0.7)
    live = nw.learning_rules.ThresholdNetwork(
        tuple(w.clone().requires_grad_() for w in net.weights),
        tuple(t.clone().requires_grad_() for t in net.thresholds),
    )
    gradients = torch.autograd.grad(live.cost(x, y).mean(), (*live.weights, *live.thresholds))
    for before, now, gradient in zip(
        (*net.weights, *net.thresholds), (*after.weights, *after.thresholds), gradients, strict=True
    ):
        assert float((before - 0.7 * gradient - now).abs().max()) < 1e-12


def test_standard_back_propagation_is_online_descent() -> None:
    net = nw.learning_rules.ThresholdNetwork.drawn((5, 4, 2), torch.Generator().manual_seed(1))
    x, y = data()
    weights = [w.clone().requires_grad_() for w in net.weights]
    biases = [(-t).clone().requires_grad_() for t in net.thresholds]  # a threshold is minus a bias
    for k in range(len(x)):
        a = x[k : k + 1]
        for w, b in zip(weights, biases, strict=True):
            a = torch.sigmoid(a @ w + b)
        gradients = torch.autograd.grad((a - y[k : k + 1]).square().sum() / 2, (*weights, *biases))
        with torch.no_grad():
            for p, gradient in zip((*weights, *biases), gradients, strict=True):
                p -= 0.3 * gradient
    after = net.step(x, y, rate=0.3)
    for p, w in zip(
        (*weights, *biases), (*after.weights, *(-t for t in after.thresholds)), strict=True
    ):
        assert float((p.detach() - w).abs().max()) < 1e-12


def test_a_neuron_is_autograds_and_remembers() -> None:
    neuron = nw.learning_rules.Neuron((2.0,), threshold=-2.0)
    w, b = (
        torch.tensor(2.0, dtype=torch.float64, requires_grad=True),
        torch.tensor(2.0, dtype=torch.float64, requires_grad=True),
    )
    for _ in range(50):
        a = torch.sigmoid(w + b)
        dw, db = torch.autograd.grad(a.square() / 2, (w, b))
        w, b = (w - 0.15 * dw).detach().requires_grad_(), (b - 0.15 * db).detach().requires_grad_()
        neuron = neuron.learn((1.0,), 0.0, rate=0.15)
    assert neuron.weights[0] == pytest.approx(w.item(), abs=1e-12)
    assert neuron.bias == pytest.approx(b.item(), abs=1e-12)
    assert len(neuron.history) == 50
    assert neuron.history[0].weights == (2.0,)
    assert neuron.history[0].output == pytest.approx(0.982, abs=1e-3)
    assert [m.cost for m in neuron.history] == sorted(
        (m.cost for m in neuron.history), reverse=True
    )
    with pytest.raises(
        ValueError, match="x has 2 inputs, and the neuron has 1 weights: pass one input"
    ):
        neuron.output((1.0, 2.0))


def test_hebb_is_a_mean_of_outer_products_and_grows_without_end() -> None:
    x, y = torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.tensor([[1.0], [-1.0]])
    assert nw.learning_rules.hebb(torch.zeros(1, 2), x, y, rate=1.0).tolist() == [[0.0, -1.0]]
    w = torch.tensor([[0.1, 0.1]])
    for _ in range(60):
        w = nw.learning_rules.hebb(w, x, x @ w.T, rate=0.5)
    assert float(w.norm()) > 1e6


def test_oja_finds_the_principal_components_in_order() -> None:
    g = torch.Generator().manual_seed(0)
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=g, dtype=torch.float64))
    x = (
        torch.randn(2000, 4, generator=g, dtype=torch.float64)
        * torch.tensor([3.0, 2.0, 1.0, 0.3], dtype=torch.float64)
    ) @ turn.T
    x = x - x.mean(0)
    w = 0.1 * torch.randn(3, 4, generator=g, dtype=torch.float64)
    for _ in range(3000):
        w = nw.learning_rules.oja(w, x, rate=0.02)
    vectors = torch.linalg.eigh(x.T @ x)[1]
    assert torch.allclose(
        (w @ vectors.flip(1)[:, :3]).abs(), torch.eye(3, dtype=torch.float64), atol=1e-3
    )


@pytest.mark.parametrize(("gate", "learns"), [("and", True), ("or", True), ("xor", False)])
def test_delta_learns_and_and_or_and_not_xor(gate: str, learns: bool) -> None:
    x = torch.tensor([[a, b, 1.0] for a, b in product((0.0, 1.0), repeat=2)])
    target = torch.tensor(
        [
            [{"and": a * b, "or": max(a, b), "xor": a + b - 2 * a * b}[gate]]
            for a, b in product((0.0, 1.0), repeat=2)
        ]
    )
    w = torch.zeros(1, 3)
    for _ in range(200):
        w = nw.learning_rules.delta(w, x, target, (x @ w.T > 0).float(), rate=0.5)
    assert bool(((x @ w.T > 0).float() == target).all()) is learns


def test_delta_is_the_gradient_of_squared_error_or_of_cross_entropy_for_sigmoid() -> None:
    x, target = data(ins=3)
    w = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    (linear,) = torch.autograd.grad((x @ w.T - target).square().sum() / 2 / len(x), w)
    assert torch.allclose(nw.learning_rules.delta(w, x, target, x @ w.T, rate=1.0), w - linear)
    z = x @ w.T
    (sigmoid,) = torch.autograd.grad(nw.BinaryCrossEntropy()(z, target), w)
    assert torch.allclose(
        nw.learning_rules.delta(w, x, target, torch.sigmoid(x @ w.T), rate=1.0), w - sigmoid
    )


class Counted(float):
    """A number that counts the multiplications it takes part in."""

    count = 0

    def __mul__(self, other: float) -> Counted:
        Counted.count += 1
        return Counted(float(self) * float(other))


@pytest.mark.parametrize("widths", [(2, 1), (2, 3, 1), (2, 3, 2), (2, 2, 3, 2), (3, 2, 2, 2, 1)])
def test_the_counts_of_operations_are_those_of_doing_it(widths: tuple[int, ...]) -> None:
    g = torch.Generator().manual_seed(0)
    edges = [
        [[Counted(v) for v in row] for row in torch.randn(a, b, generator=g).tolist()]
        for a, b in pairwise(widths)
    ]
    slopes = [[Counted(v) for v in torch.rand(b, generator=g).tolist()] for b in widths[1:]]
    values = [[Counted(v) for v in torch.rand(a, generator=g).tolist()] for a in widths[:-1]]
    layers = len(edges)

    def by_paths() -> list[float]:
        found = []
        for layer in range(layers):
            for i, j in product(range(widths[layer]), range(widths[layer + 1])):
                total = 0.0
                for path in product(*(range(width) for width in widths[layer + 2 :])):
                    term, at = values[layer][i] * slopes[layer][j], j
                    for k, unit in enumerate(path, start=layer + 1):
                        term = term * edges[k][at][unit] * slopes[k][unit]
                        at = unit
                    total += term
                found.append(total)
        return found

    def forward() -> list[float]:
        found = []
        for layer in range(layers):
            for i, j in product(range(widths[layer]), range(widths[layer + 1])):
                moving: dict[int, Counted] = {j: values[layer][i] * slopes[layer][j]}
                for k in range(layer + 1, layers):
                    sums = [
                        sum(edges[k][unit][out] * d for unit, d in moving.items())
                        for out in range(widths[k + 1])
                    ]
                    moving = {
                        out: Counted(total) * slopes[k][out] for out, total in enumerate(sums)
                    }
                found.append(float(sum(moving.values())))
        return found

    def backward() -> list[float]:
        found: list[list[float]] = []
        error = [Counted(1.0)] * widths[-1]
        for k in reversed(range(layers)):
            delta = [error[j] * slopes[k][j] for j in range(widths[k + 1])]
            found.insert(
                0,
                [
                    float(values[k][i] * delta[j])
                    for i in range(widths[k])
                    for j in range(widths[k + 1])
                ],
            )
            if k:
                error = [
                    Counted(sum(edges[k][i][j] * delta[j] for j in range(widths[k + 1])))
                    for i in range(widths[k])
                ]
        return [value for row in found for value in row]

    told = nw.learning_rules.count_operations(widths)
    answers = []
    for way, expected in (
        (by_paths, told.paths),
        (forward, told.forward),
        (backward, told.backward),
    ):
        Counted.count = 0
        answers.append(way())
        assert Counted.count == expected, way.__name__
    assert answers[0] == pytest.approx(answers[1])
    assert answers[0] == pytest.approx(answers[2])


def test_backward_wins_by_more_with_every_layer() -> None:
    deep = nw.learning_rules.count_operations((100, *[100] * 6, 1))
    assert deep.backward < deep.forward / 1000 < deep.paths / 1e6
    with pytest.raises(ValueError, match="at least two numbers"):
        nw.learning_rules.count_operations((3,))
