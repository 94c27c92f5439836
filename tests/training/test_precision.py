"""Steps in lower precision: as torch's own autocast computes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import netwise as nw
from netwise.training.precision import forward_pass, matrix_products

RECIPE = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 32, 10)), optimizer=nw.Adam(lr=0.003), epochs=3
)
CPU = torch.device("cpu")


def test_outputs_and_gradients_are_those_of_autocast() -> None:
    torch.manual_seed(0)
    module, x, y = nw.MLP((6, 5, 3)).build(), torch.randn(4, 6), torch.tensor([0, 1, 2, 0])
    F.cross_entropy(forward_pass(module, "bfloat16", CPU)(x), y).backward()
    mine = [p.grad.clone() for p in module.parameters()]
    module.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        loss = F.cross_entropy(module(x), y)
    loss.backward()
    for a, p in zip(mine, module.parameters(), strict=True):
        assert torch.equal(a, p.grad)


@pytest.mark.parametrize("precision", [None, "float32", "tf32"])
def test_other_precisions_call_the_module_itself(precision: str | None) -> None:
    module = nw.MLP((6, 5, 3)).build()
    assert forward_pass(module, precision, CPU) is module


def test_a_run_in_bfloat16_learns_and_resumes_to_the_same_bits(tmp_path: Path) -> None:
    whole = nw.fit(RECIPE, precision="bfloat16")
    full = nw.fit(RECIPE)
    assert whole.history.series != full.history.series
    assert whole.score is not None
    assert full.score is not None
    assert whole.score.value > full.score.value - 0.03
    assert all(p.dtype == torch.float32 for p in whole.module.parameters())
    nw.fit(
        RECIPE,
        precision="bfloat16",
        folder=tmp_path / "run",
        halt=lambda epochs, row: "enough" if epochs == 1 else None,
    )
    resumed = nw.resume(tmp_path / "run")
    assert resumed.history.series == whole.history.series


@pytest.mark.parametrize(
    ("recipe", "precision"),
    [
        (RECIPE, "half"),
        (RECIPE.but(network=nw.RBM(64, 8), loss=nw.CD(), optimizer=nw.SGD(lr=0.1)), "bfloat16"),
    ],
    ids=["unknown", "a network with a loss of its own"],
)
def test_a_precision_that_cannot_be_is_refused(recipe: nw.Recipe, precision: str) -> None:
    with pytest.raises(nw.WrongValue, match=rf"precision = {precision}"):
        nw.fit(recipe, precision=precision)


def test_torchs_settings_come_back() -> None:
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    with pytest.raises(ZeroDivisionError), matrix_products("tf32", torch.device("cuda")):
        assert all(backend.allow_tf32 for backend in backends)
        raise ZeroDivisionError
    with matrix_products("float32", torch.device("cuda")):
        assert not any(backend.allow_tf32 for backend in backends)
    assert [backend.allow_tf32 for backend in backends] == before
