"""Statistics of activations against those of torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe import layer_activations
from netwise.observe.layer_activations import (
    DEAD_AFTER,
    ActivationStatistics,
    ActiveUnits,
    accuracy_of,
    active_units,
    flat_values,
    highest_of_units,
    mean_and_std_of,
    nonzero,
    part_of,
    share_of_zeros,
    sum_and_square,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def row_of(
    *activations: Tensor,
    kind: str = "",
    layer: nn.Module | None = None,
    counts: ActiveUnits | None = None,
) -> dict[str, float]:
    statistics = ActivationStatistics({} if counts is None else counts)
    for a in activations:
        statistics.add("layer", statistics.measured(a, kind, layer))
    row: dict[str, float] = {}
    statistics.write(row)
    return {name.partition("|")[0]: value for name, value in row.items()}


def test_moments_and_zeros_equal_those_of_torch() -> None:
    a = torch.randn(50, 7, generator=generator()).relu()
    mean, std = mean_and_std_of(350, float(a.sum()), float(a.square().sum()))
    assert mean == pytest.approx(float(a.mean()))
    assert std == pytest.approx(float(a.std(correction=0)), rel=1e-5)
    zeros = share_of_zeros(350, float(nonzero(a)))
    assert zeros == pytest.approx(float((a == 0).float().mean()))
    assert mean_and_std_of(1, math.inf, math.inf)[1] == math.inf


@pytest.mark.parametrize("shape", [(20,), (20, 7), (20, 3, 7), (20, 3, 4, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_row_equals_the_numbers_of_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    a = (torch.randn(shape, generator=generator()) + 1).tanh().to(dtype)
    a[:5] = 0
    row, wide = row_of(a, kind="Tanh"), a.double()
    assert row[signals.ACTIVATION_MEAN] == pytest.approx(float(wide.mean()), rel=1e-4)
    std = float(wide.std(correction=0))
    assert row[signals.ACTIVATION_STD] == pytest.approx(std, rel=1e-4)
    assert row[signals.ACTIVATION_ZEROS] == pytest.approx(0.25)
    saturated = float((wide.abs() > 0.95).double().mean())
    assert row[signals.ACTIVATION_SATURATED] == pytest.approx(saturated, abs=1e-6)
    spread = wide.var(0, correction=0).mean().sqrt() / wide.square().mean().sqrt()
    assert row[signals.OUTPUT_SPREAD] == pytest.approx(float(spread), rel=1e-4)
    assert row_of(a.relu(), kind="ReLU").keys().isdisjoint({signals.ACTIVATION_SATURATED})


def test_outputs_that_are_equal_for_all_samples_have_no_spread() -> None:
    same = torch.randn(1, 300, generator=generator()).expand(64, 300)
    assert row_of(1000 * same)[signals.OUTPUT_SPREAD] == 0
    noise = 1e-3 * torch.randn(64, 300, generator=generator())
    spread = row_of(torch.full((64, 300), 5.0) + noise)[signals.OUTPUT_SPREAD]
    assert spread == pytest.approx(1e-3 / 5, rel=0.05)
    assert signals.OUTPUT_SPREAD not in row_of(same[:1])  # of one sample
    assert signals.OUTPUT_SPREAD not in row_of(torch.zeros(4, 2))


def test_several_calls_of_a_layer_count_as_one_activation() -> None:
    a = torch.randn(12, 5, generator=generator()).relu()
    b = torch.randn(6, 9, generator=generator()).relu()
    both = torch.cat([a.flatten(), b.flatten()])
    row = row_of(a, b)
    assert row[signals.ACTIVATION_MEAN] == pytest.approx(float(both.mean()), rel=1e-5)
    std = float(both.std(correction=0))
    assert row[signals.ACTIVATION_STD] == pytest.approx(std, rel=1e-5)
    assert row[signals.ACTIVATION_ZEROS] == pytest.approx(float((both == 0).float().mean()))


@pytest.mark.parametrize(
    "a",
    [torch.zeros(0, 3), torch.zeros(3, 0), torch.tensor(2.0), torch.ones(2, 2, dtype=torch.bool)],
    ids=["no samples", "no units", "one number", "truth values"],
)
def test_there_is_nothing_to_measure(a: Tensor) -> None:
    assert row_of(a, kind="ReLU") == {}
    assert sum_and_square(a) is None


def test_values_that_are_not_finite_are_reported() -> None:
    row = row_of(torch.tensor([[1.0, math.inf], [0.0, 2.0]]), kind="ReLU")
    assert row[signals.ACTIVATION_STD] == math.inf
    assert signals.OUTPUT_SPREAD not in row


def test_units_that_are_never_above_0_are_dead() -> None:
    counts: ActiveUnits = {}
    half = torch.zeros(DEAD_AFTER // 2, 4)
    half[3, 1] = 1.0
    assert signals.DEAD_UNITS not in row_of(half, kind="ReLU", counts=counts)
    half[5, 2] = 1.0
    assert row_of(half, kind="ReLU", counts=counts)[signals.DEAD_UNITS] == 0.5
    assert signals.DEAD_UNITS not in row_of(half, kind="ReLU", counts=counts)  # counted anew
    assert signals.DEAD_UNITS not in row_of(half, half, kind="ReLU")  # several calls
    assert counts["layer"][0].tolist() == [False, True, True, False]


def test_a_very_large_activation_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_activations, "MOST_VALUES", 100)
    a = torch.arange(60.0).reshape(30, 2)
    assert torch.equal(part_of(a), a)
    large = torch.randn(30, 20, generator=generator())
    assert torch.equal(part_of(large), large[::6])
    assert len(part_of(torch.zeros(3, 10_000))) == 2
    assert len(part_of(torch.zeros(1, 10_000))) == 1


def test_accuracy_is_that_of_scores_and_class_numbers() -> None:
    scores = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]])
    assert accuracy_of(scores, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
    assert accuracy_of(scores, torch.tensor([0.0, 1.0, 1.0])) is None  # regression
    assert accuracy_of(scores, torch.tensor([0, 1])) is None


def test_the_units_of_maps_are_their_channels() -> None:
    conv = nn.Conv2d(1, 3, 3)
    maps = torch.randn(2, 3, 4, 4, generator=generator())
    expected = maps.permute(0, 2, 3, 1).reshape(-1, 3).amax(0)
    assert torch.equal(highest_of_units(maps, conv), expected)
    last = maps.contiguous(memory_format=torch.channels_last)
    assert torch.equal(highest_of_units(last, conv), expected)
    assert torch.equal(highest_of_units(maps.flatten(1), conv), expected)
    rows = torch.randn(5, 6, generator=generator())
    assert torch.equal(highest_of_units(rows, nn.Linear(2, 6)), rows.amax(0))


def test_values_in_the_order_of_memory_are_no_copy() -> None:
    maps = torch.randn(2, 3, 4, 5, generator=generator())
    for each in (maps, maps.contiguous(memory_format=torch.channels_last)):
        flat = flat_values(each)
        assert flat.data_ptr() == each.data_ptr()
        assert torch.equal(flat.sort().values, maps.flatten().sort().values)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(1, 3, 1), (2, 3, 4)),
        (nn.ConvTranspose2d(1, 3, 1), (2, 3, 4, 5)),
        (nn.Conv3d(1, 3, 1), (2, 3, 4, 5, 6)),
        (nn.Linear(1, 3), (2, 4, 3)),
    ],
    ids=["Conv1d", "ConvTranspose2d", "Conv3d", "Linear"],
)
def test_a_unit_is_active_where_any_place_is(layer: nn.Module, shape: tuple[int, ...]) -> None:
    a = torch.zeros(shape)
    axis = 2 if isinstance(layer, nn.Linear) else 1
    a.select(axis, 1)[-1, -1] = 1.0
    assert active_units(a, layer).tolist() == [False, True, False]


@pytest.mark.parametrize("size", [(20, 7), (2, layer_activations.MOST_COPIED)])
def test_what_happens_to_an_activation_after_it_was_measured_changes_nothing(
    size: tuple[int, int],
) -> None:
    a = torch.randn(size, generator=generator())
    expected = row_of(a.clone(), kind="ReLU")
    statistics = ActivationStatistics({})
    statistics.add("layer", statistics.measured(a, "ReLU", None))
    a.zero_()  # as an activation that works in place does
    row: dict[str, float] = {}
    statistics.write(row)
    assert {name.partition("|")[0]: value for name, value in row.items()} == expected
