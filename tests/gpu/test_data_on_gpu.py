"""Where data lie while a CUDA device computes, layouts, and what else takes `device="cuda"`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data import lazy_rows
from netwise.data.lazy_rows import LazyRows, sent
from netwise.estimators import NetClassifier, NetRegressor
from netwise.recipe.prepared import prepare
from netwise.training.fit import initialize
from netwise.training.run_setup import set_up
from netwise.training.settings import RunOptions

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

CUDA = torch.device("cuda")
DIGITS = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 32, 10)), optimizer=nw.Adam(), epochs=3
)


def equal_runs(one: nw.Run, other: nw.Run) -> bool:
    pairs = zip(one.module.state_dict().values(), other.module.state_dict().values(), strict=True)
    return one.history.series == other.history.series and all(torch.equal(a, b) for a, b in pairs)


def test_data_that_do_not_fit_stay_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bits of a run whose data are on the device."""
    there = nw.fit(DIGITS, device="cuda")
    monkeypatch.setattr(lazy_rows, "free_memory", lambda device: 0)
    setup = set_up(DIGITS, prepare(DIGITS), RunOptions("cuda"), initialize)
    assert isinstance(setup.train.x, LazyRows)
    assert setup.train.x.store.device.type == "cpu"
    assert setup.train.y.is_cuda
    assert equal_runs(nw.fit(DIGITS, device="cuda"), there)


def test_rows_are_sent_from_pinned_memory() -> None:
    """Many in a row, into memory that the allocator uses again: none is overwritten too early."""
    rows = [torch.full((1000, 100), float(i)) for i in range(200)]
    assert all(bool((sent(each, CUDA) == i).all()) for i, each in enumerate(rows))
    found = [sent(each, CUDA) for each in rows]
    assert [float(each.mean()) for each in found] == [float(i) for i in range(200)]


def test_a_stream_has_the_numbers_of_its_rows_in_memory(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32)
    y = (x[:, 0] > x[:, 1]).astype(np.int64)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    recipe = DIGITS.but(
        data=nw.data.stream(str(tmp_path / "x.npy"), str(tmp_path / "y.npy")),
        network=nw.MLP((8, 16, 2)),
        preprocess=(nw.Standardise(),),
    )
    gpu, cpu = nw.fit(recipe, device="cuda", precision="float32"), nw.fit(recipe)
    for name in ("train.loss", "valid.loss"):
        one, other = gpu.history.of(name), cpu.history.of(name)
        assert one is not None
        assert other is not None
        assert list(one.values) == pytest.approx(list(other.values), rel=0.02)


@pytest.mark.parametrize("speedups", [(), ("channels_last",), ("channels_last_weights",)], ids=str)
def test_layouts_give_the_numbers_of_the_cpu(speedups: tuple[str, ...]) -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.rand(96, 3, 16, 16, generator=g)
    recipe = DIGITS.but(
        data=nw.data.arrays(x, (x.mean((1, 2, 3)) > x.mean()).long()),
        network=nw.CIFARResNet(image=(3, 16, 16), classes=2),
        optimizer=nw.SGD(lr=0.01, momentum=0.9),
        batch_size=16,
        epochs=2,
    )
    gpu = nw.fit(recipe, device="cuda", precision="float32", speedups=speedups)
    cpu = nw.fit(recipe, speedups=())
    one, other = gpu.history.of("train.loss"), cpu.history.of("train.loss")
    assert one is not None
    assert other is not None
    assert one.values[0] == pytest.approx(other.values[0], rel=0.02)
    assert all(p.is_contiguous() for p in gpu.module.parameters())


@pytest.mark.parametrize("precision", ["bfloat16", "tf32"])
def test_a_run_of_lower_precision_resumes_to_the_same_bits(precision: str, tmp_path: Path) -> None:
    def after_one(epochs: int, row: object) -> str | None:
        return "enough" if epochs == 1 else None

    whole = nw.fit(DIGITS, device="cuda", precision=precision)
    nw.fit(DIGITS, device="cuda", precision=precision, folder=tmp_path / "run", halt=after_one)
    assert equal_runs(nw.resume(tmp_path / "run"), whole)


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_an_estimator_on_the_device(kind: type) -> None:
    """Its dropout draws from the device's own generator, so its score is not that of the CPU."""
    g = np.random.default_rng(0)
    x = g.standard_normal((300, 5))
    y = x[:, 0] > 0 if kind is NetClassifier else x[:, 0]
    gpu = kind(device="cuda", epochs=20, random_state=0).fit(x, y)
    assert gpu.score(x, y) > 0.5
    assert gpu.predict(x).shape == (300,)
    assert all(p.is_cuda for p in gpu.run_.module.parameters())
