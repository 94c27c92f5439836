"""Norms, gradients and changes of weights against those of torch."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from netwise import signals
from netwise.observe import layer_weights
from netwise.observe.layer_weights import LayerWeights, norms_of


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def row_of(module: nn.Module, loss: Tensor, step: float, scale: float = 1.0) -> dict[str, float]:
    """A step of plain gradient descent."""
    weights = LayerWeights(module)
    weights.described([], {}, {})
    (scale * loss).backward()
    weights.backward_ends()
    weights.step_begins([])
    with torch.no_grad():
        for p in module.parameters():
            if p.grad is not None:
                p.sub_(p.grad, alpha=step / scale)
    row: dict[str, float] = {}
    weights.step_ends(row, scale)
    return row


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_norms_of_mixed_dtypes_equal_those_of_torch(dtype: torch.dtype) -> None:
    a = torch.randn(30, 40, generator=generator()) * 100
    other = a.to(dtype)
    sparse = torch.zeros(5, 3).index_fill(0, torch.tensor([2]), 2.0).to_sparse(1)
    # One place with two entries.
    twice = torch.sparse_coo_tensor([[1, 1]], [3.0, 4.0], (3,), check_invariants=True)
    norms = [float(norm) for norm in norms_of([a, other, sparse, a[:0], twice])]
    wide = other if dtype.is_complex or dtype is torch.float64 else other.float()
    expected = [float(a.norm()), float(wide.norm().real), math.sqrt(12), 0.0, 7.0]
    assert norms == pytest.approx(expected, rel=1e-5)


def test_a_large_norm_in_16_bits_does_not_overflow() -> None:
    assert float(norms_of([torch.full((100,), 3e4).half()])[0]) == pytest.approx(3e5, rel=1e-3)


def test_gradients_are_divided_by_the_scale_of_the_loss() -> None:
    x = torch.randn(9, 4, generator=generator())
    module = nn.Linear(4, 3)
    plain = row_of(module, module(x).square().sum(), 0.0)
    module.zero_grad()
    scaled = row_of(module, module(x).square().sum(), 0.0, scale=1024.0)
    for name in (signals.GRADIENT_RMS, signals.GRADIENT_RATIO):
        assert scaled[f"{name}|(network)"] == pytest.approx(plain[f"{name}|(network)"], rel=1e-5)


def test_the_matrices_of_a_layer_are_taken_together() -> None:
    module = nn.RNN(4, 3)
    row = row_of(module, module(torch.randn(5, 2, 4, generator=generator()))[0].sum(), 0.01)
    both = torch.cat([p.detach().flatten() for p in (module.weight_ih_l0, module.weight_hh_l0)])
    gradients = torch.cat([p.grad.flatten() for p in (module.weight_ih_l0, module.weight_hh_l0)])
    before = both + 0.01 * gradients
    assert row["weight.norm|(network)"] == pytest.approx(float(before.norm()), rel=1e-5)
    rms = float(gradients.square().mean().sqrt())
    assert row["gradient.rms|(network)"] == pytest.approx(rms, rel=1e-5)
    expected = 0.01 * float(gradients.norm() / before.norm())
    assert row["update.ratio|(network)"] == pytest.approx(expected, rel=1e-3)


def test_changes_of_a_large_matrix_are_estimated_from_some_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = torch.randn(50, 30, generator=generator())
    module = nn.Linear(30, 200)
    same = copy.deepcopy(module)
    exact = row_of(module, module(x).square().sum(), 0.001)
    monkeypatch.setattr(layer_weights, "MOST_COPIED", 30 * 50)
    estimated = row_of(same, same(x).square().sum(), 0.001)
    name = "update.ratio|(network)"
    assert estimated[name] != exact[name]
    assert estimated[name] == pytest.approx(exact[name], rel=0.2)
    assert estimated["weight.norm|(network)"] == exact["weight.norm|(network)"]


def test_no_change_of_some_rows_is_not_taken_for_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_weights, "MOST_COPIED_OF_TABLE", 8)
    module = nn.Embedding(10, 4)  # every fifth row is copied
    row = row_of(module, module(torch.tensor([1, 2])).sum(), 0.1)
    assert "update.ratio|(network)" not in row
    assert row["gradient.rms|(network)"] > 0


@pytest.mark.parametrize("sparse", [False, True])
def test_gradients_of_embeddings(sparse: bool) -> None:
    module = nn.Embedding(10, 4, sparse=sparse)
    row = row_of(module, module(torch.tensor([1, 1, 2])).sum(), 0.0)
    assert row["gradient.rms|(network)"] == pytest.approx(math.sqrt((4 + 1) / 10))


def test_weights_that_no_loss_reaches_have_no_signals() -> None:
    module = nn.ModuleList(
        [nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 3).requires_grad_(False)]
    )
    row = row_of(module, module[0](torch.ones(1, 4)).sum(), 0.1)
    assert {key.partition("|")[2] for key in row} == {"0"}


def test_without_an_optimizer_step_nothing_is_recorded() -> None:
    weights = LayerWeights(nn.Linear(2, 2))
    weights.backward_ends()
    row: dict[str, float] = {}
    weights.step_ends(row, 1.0)
    assert row == {}


def test_norms_of_all_gradients_are_kept_by_parameter() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    weights = LayerWeights(module)
    module(torch.randn(8, 4, generator=generator())).square().sum().backward()
    weights.backward_ends()
    assert set(weights.gradient_norms) == {id(p) for p in module.parameters()}
    bias = module[1].bias
    assert float(weights.gradient_norms[id(bias)]) == pytest.approx(float(bias.grad.norm()))


def test_a_parameter_that_is_replaced_in_the_step_has_no_change() -> None:
    module = nn.Linear(2, 2)
    weights = LayerWeights(module)
    weights.step_begins([])
    module.weight = nn.Parameter(torch.ones(2, 2))
    row: dict[str, float] = {}
    weights.step_ends(row, 1.0)
    assert "update.ratio|(network)" not in row


def test_layers_that_are_added_later_are_found() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    weights = LayerWeights(module)
    assert not weights.refresh()
    module.append(nn.Linear(2, 3))
    assert weights.refresh()
    assert [layer.fan_out for layer in weights.described([], {}, {})] == [2, 3]
    module[1] = nn.Linear(2, 4)
    assert weights.refresh()
    assert [layer.fan_out for layer in weights.described([], {}, {})] == [2, 4]
