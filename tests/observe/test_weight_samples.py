"""Distances and directions of weights against those of torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import netwise as nw
from netwise import signals
from netwise.observe.sample_signals import cosines, distances
from netwise.observe.weight_samples import MOST_SAMPLED, Sample, WeightSamples, places_in, sample_of


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def small(seed: int) -> Tensor:
    return torch.randn(7, 5, generator=torch.Generator().manual_seed(seed))


def angle(a: Tensor, b: Tensor) -> Tensor:
    return nn.functional.cosine_similarity(a, b, dim=0)


def test_signals_of_a_small_matrix_are_exact() -> None:
    samples, weights = WeightSamples(), [small(seed) for seed in range(4)]
    gradients = [small(10 + seed) for seed in range(3)]
    rows: list[dict[str, float]] = []
    for step in range(3):
        row: dict[str, float] = {}
        samples.gradients([("a", gradients[step])])
        change = weights[step] - weights[step + 1]
        samples.write(row, [("a", weights[step + 1])], [("a", change)], {"a"})
        rows.append(row)
    names = ("weight.distance", "weight.small", "gradient.sign", "update.descent")
    rates = ("rate.effective", "rate.effective.low", "rate.effective.high")
    # No direction before.
    assert set(rows[0]) == {f"{name}|a" for name in (*names, *rates)}
    down = angle((weights[0] - weights[1]).reshape(-1), gradients[0].reshape(-1))
    assert rows[0]["update.descent|a"] == pytest.approx(float(down), rel=1e-4)
    largest = max(weights[0].norm(), weights[3].norm())
    expected = float((weights[3] - weights[0]).norm() / largest)
    assert rows[2]["weight.distance|a"] == pytest.approx(expected, rel=1e-5)
    changes = [(weights[i] - weights[i + 1]).reshape(-1) for i in (1, 2)]
    assert rows[2]["update.cosine|a"] == pytest.approx(float(angle(*changes)), rel=1e-4)
    both = [gradients[i].reshape(-1) for i in (1, 2)]
    assert rows[2]["gradient.cosine|a"] == pytest.approx(float(angle(*both)), rel=1e-4)


def test_matrices_of_one_layer_count_together_and_only_those_asked_for_are_written() -> None:
    samples, row = WeightSamples(), dict[str, float]()
    ones = torch.ones(2, 2)
    samples.write(
        row,
        [("a", ones), ("a", 3 * ones), ("b", ones)],
        [("a", 0 * ones), ("a", ones), ("b", ones)],
        {"a"},
    )
    # From (1, 4) to (1, 3), in 4 numbers each.
    assert row == {"weight.distance|a": pytest.approx(1 / math.sqrt(17)), "weight.small|a": 0.0}


def test_a_large_matrix_is_sampled_alike_whatever_its_memory_is() -> None:
    large = torch.randn(64, 32, 3, 3, generator=generator())
    plain, last = sample_of([("a", large)]), None
    last = sample_of([("a", large.to(memory_format=torch.channels_last))])
    assert isinstance(plain, Sample)
    assert isinstance(last, Sample)
    assert (plain.layers, plain.sizes) == (last.layers, last.sizes)
    assert plain.sizes[0] <= MOST_SAMPLED
    assert (plain.numbers == last.numbers).all()
    assert (
        math.prod(
            len(range(*s.indices(n)))
            for s, n in zip(places_in((5000, 3), 64), (5000, 3), strict=True)
        )
        <= 64
    )


def test_the_distance_of_a_sample_is_near_that_of_the_whole() -> None:
    start = torch.randn(300, 200, generator=generator())
    change = 0.1 * torch.randn(300, 200, generator=generator().manual_seed(1))
    samples, row = WeightSamples(), dict[str, float]()
    samples.write(row, [("a", start - change)], [("a", change)], {"a"})
    exact = float(change.norm() / max(start.norm(), (start - change).norm()))
    assert row["weight.distance|a"] == pytest.approx(exact, rel=0.1)


def test_the_start_of_a_layer_is_kept_while_others_join() -> None:
    samples, row = WeightSamples(), dict[str, float]()
    samples.write({}, [("a", small(1))], [("a", small(0) - small(1))], {"a"})
    new = [("a", small(2)), ("b", small(3))]
    samples.write(row, new, [("a", small(1) - small(2)), ("b", 0 * small(3))], {"a", "b"})
    largest = max(small(0).norm(), small(2).norm())
    assert row["weight.distance|a"] == pytest.approx(float((small(2) - small(0)).norm() / largest))
    assert row["weight.distance|b"] == 0
    assert "update.cosine|a" not in row


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_types_of_numbers(dtype: torch.dtype) -> None:
    samples, row = WeightSamples(), dict[str, float]()
    samples.write(
        row, [("a", torch.ones(4, 4, dtype=dtype))], [("a", torch.ones(4, 4, dtype=dtype))], {"a"}
    )
    assert row["weight.distance|a"] == pytest.approx(0.5)


def test_complex_and_sparse_matrices_are_left_out() -> None:
    sparse = torch.eye(3).to_sparse()
    assert sample_of([("a", torch.ones(2, 2, dtype=torch.complex64)), ("b", sparse)]) is None


def test_measures() -> None:
    nothing = math.nan
    sums = np.array([[1.0, 0.0, nothing], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    assert cosines(*sums).tolist() == pytest.approx([1, nothing, nothing], nan_ok=True)
    sums = np.array([[0.0, 1.0, nothing], [0.0, -1.0, 1.0], [0.0, 1.0, 1.0]])
    assert distances(*sums).tolist() == pytest.approx([0, 2, nothing], nan_ok=True)


def test_a_watched_program_that_goes_back_and_forth_has_opposite_directions() -> None:
    model = nn.Linear(2, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.9)  # of a curvature of 1
    with nw.watch(model) as w:
        for _ in range(6):
            optimizer.zero_grad()
            (0.5 * model.weight.square().sum() + 0 * model(torch.ones(1, 2)).sum()).backward()
            optimizer.step()
    history = w.history()
    for signal in (signals.UPDATE_COSINE, signals.GRADIENT_COSINE):
        series = history.of(signal, history.layers[0].name)
        assert series is not None
        assert series.last == pytest.approx(-1)


def test_the_effective_rate_is_the_change_over_the_gradient() -> None:
    gradient = small(0)
    rates = torch.linspace(0.1, 1.0, gradient.numel()).reshape(gradient.shape)
    samples, row = WeightSamples(), dict[str, float]()
    samples.gradients([("a", 4 * gradient)])
    samples.write(row, [("a", small(1))], [("a", -rates * gradient)], {"a"}, loss_scale=4.0)
    ordered = rates.flatten().sort().values
    for name, share in (("low", 0.1), ("", 0.5), ("high", 0.9)):
        signal = f"rate.effective.{name}" if name else "rate.effective"
        place = round(share * (len(ordered) - 1))
        assert row[f"{signal}|a"] == pytest.approx(float(ordered[place]), rel=1e-5)


def test_small_weights_and_signs_are_counted() -> None:
    weights = torch.ones(10, 10)
    weights[:3] = 0.001
    gradient = torch.ones(10, 10)
    gradient[5:, ::2] *= -1  # half of the units with as many of both signs
    samples, row = WeightSamples(), dict[str, float]()
    samples.gradients([("a", gradient)])
    samples.write(row, [("a", weights)], [("a", 0 * weights)], {"a"})
    assert row["weight.small|a"] == pytest.approx(0.3)
    assert row["gradient.sign|a"] == pytest.approx(0.5)


def test_inputs_of_one_sign_make_all_weights_of_a_unit_go_one_way() -> None:
    """One sample: the gradient of a unit is its error times the inputs."""
    agreement = {}
    for name, shift in (("positive", 5.0), ("centred", 0.0)):
        layer = torch.nn.Linear(50, 8)
        x = torch.randn(1, 50, generator=generator()) + shift
        layer(x).square().sum().backward()
        samples, row = WeightSamples(), dict[str, float]()
        assert layer.weight.grad is not None
        samples.gradients([("a", layer.weight.grad)])
        samples.write(row, [("a", layer.weight.detach())], [], {"a"})
        agreement[name] = row["gradient.sign|a"]
    assert agreement["positive"] == 1.0
    assert agreement["centred"] < 0.5
