"""Pictures of the plane of two inputs, and of penalties."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw


def test_a_line_is_where_the_sum_of_a_unit_is_zero() -> None:
    module = nw.MLP((2, 6, 2)).build()
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    planes = nw.hyperplanes(module, x)
    sums = module.layer1(x).detach()
    for i, plane in enumerate(planes):
        assert plane.active == pytest.approx(float((sums[:, i] > 0).float().mean()))
        (a, b), c = plane.weight, plane.bias
        on_line = torch.tensor([[0.3, -(a * 0.3 + c) / b]])
        assert float(module.layer1(on_line).detach()[0, i]) == pytest.approx(0.0, abs=1e-5)


def test_a_unit_that_no_sample_activates_is_dead() -> None:
    module = nw.MLP((2, 2, 2)).build()
    with torch.no_grad():
        module.layer1.weight.fill_(1.0)
        module.layer1.bias.copy_(torch.tensor([-100.0, 100.0]))
    assert [plane.active for plane in nw.hyperplanes(module, torch.rand(50, 2))] == [0.0, 1.0]


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_plane_of_a_network(outputs: int, ending: str, tmp_path: Path) -> None:
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(1))
    y = (x[:, 0] > 0).long()
    path = nw.plot_plane(nw.MLP((2, 5, outputs)).build(), x, y, tmp_path / f"plane.{ending}")
    assert path.stat().st_size > 1000
    with pytest.raises(ValueError, match="only a plane of two inputs"):
        nw.plot_plane(nw.MLP((3, 5, 2)).build(), torch.zeros(5, 3), y, tmp_path / "x.png")
    with pytest.raises(ValueError, match="nn.Linear of two inputs"):
        nw.hyperplanes(torch.nn.Sequential(torch.nn.Linear(3, 2)), x)


@pytest.mark.parametrize("best", [-2.0, 0.0, 0.3, 1.0])
@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_the_minima_of_penalties_are_those_of_a_search(best: float, strength: float) -> None:
    w = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    losses = {
        "none": (w - best) ** 2 / 2,
        "L2": (w - best) ** 2 / 2 + strength / 2 * w**2,
        "L1": (w - best) ** 2 / 2 + strength * w.abs(),
    }
    for minimum in nw.penalty_minima(best, strength):
        values = losses[minimum.penalty]
        assert minimum.weight == pytest.approx(float(w[values.argmin()]), abs=2e-4)
        assert minimum.loss == pytest.approx(float(values.min()), abs=1e-7)


def test_penalties_are_drawn_or_refused(tmp_path: Path) -> None:
    assert nw.plot_penalties(tmp_path / "penalties.svg").read_text().startswith("<svg")
    with pytest.raises(ValueError, match="at least 0"):
        nw.penalty_minima(1.0, -1.0)
