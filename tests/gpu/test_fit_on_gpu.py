"""`fit` on a CUDA device: the numbers of the CPU, and resumed runs to the same bits."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import netwise as nw

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

DIGITS = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 32, 10)),
    optimizer=nw.SGD(lr=0.05, momentum=0.9),
    batch_size=64,
    epochs=2,
)
BINARY = (nw.Binarise(),)
CONVOLUTIONS = nw.ConvNet(image=(1, 8, 8), channels=(8,), classes=3, dropout=0.0)


def images(side: int = 8, channels: int = 1, rows: int = 160) -> nw.data.Data:
    """Pictures whose class is the brightest quarter."""
    g = torch.Generator().manual_seed(0)
    x = torch.rand(rows, channels, side, side, generator=g)
    half = side // 2
    quarters = [x[..., :half, :half], x[..., :half, half:], x[..., half:, :half]]
    return nw.data.arrays(x, torch.stack([q.mean((1, 2, 3)) for q in quarters], 1).argmax(1))


def numbers(rows: int = 300) -> nw.data.Data:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 6, generator=g)
    return nw.data.arrays(x, (x[:, 0] * x[:, 1] + x[:, 2].sin())[:, None])


def sequences(rows: int = 200) -> nw.data.Data:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 7, 4, generator=g)
    return nw.data.arrays(x, (x[:, :, 0].sum(1) > 0).long())


RECIPES = {
    "sgd": DIGITS,
    "adam": DIGITS.but(optimizer=nw.Adam(lr=0.003)),
    "adamw, clipped": DIGITS.but(optimizer=nw.AdamW(lr=0.003), clip=nw.Clip(1.0)),
    "rmsprop": DIGITS.but(optimizer=nw.RMSProp(lr=0.003)),
    "muon": DIGITS.but(optimizer=nw.Muon(), network=nw.MLP((64, 30, 20, 10))),
    "lbfgs": DIGITS.but(optimizer=nw.LBFGS(iterations=3), batch_size=2000),
    "switched": DIGITS.but(optimizer=nw.SwitchOptimizer(epoch=1)),
    "batch norm, cosine": DIGITS.but(
        network=nw.MLP((64, 32, 32, 10), batch_norm=True), schedule=nw.Cosine()
    ),
    "average": DIGITS.but(average=nw.EMA(decay=0.9), schedule=nw.OneCycle()),
    "swa": DIGITS.but(average=nw.SWA(start=0.3)),
    "mixup": DIGITS.but(augment=(nw.Mixup(),)),
    "noise": DIGITS.but(augment=(nw.Noise(std=0.05),)),
    "activity": DIGITS.but(penalty=nw.ActivityPenalty()),
    "l2": DIGITS.but(penalty=nw.L2(strength=1e-3)),
    "gradual": DIGITS.but(
        tuning=nw.FineTune(unfreeze_every=1, decay=0.5), network=nw.MLP((64, 30, 20, 10))
    ),
    "chain": DIGITS.but(init=nw.From(recipe=DIGITS.but(epochs=1))),
    "regression": DIGITS.but(
        data=numbers(), network=nw.MLP((6, 16, 1)), loss=nw.MeanSquaredError()
    ),
    "conv": DIGITS.but(data=images(), network=CONVOLUTIONS),
    "augmented": DIGITS.but(
        data=images(), network=CONVOLUTIONS, augment=(nw.Shift(pixels=1), nw.Flip())
    ),
    "lenet5": DIGITS.but(data=images(28), network=nw.LeNet5((1, 28, 28), 3), batch_size=32),
    "resnet": DIGITS.but(
        data=images(16, 3, 64), network=nw.CIFARResNet(image=(3, 16, 16), classes=3), batch_size=16
    ),
    "elman": DIGITS.but(data=sequences(), network=nw.ElmanRNN(features=4, units=16, outputs=2)),
    "lstm": DIGITS.but(data=sequences(), network=nw.LSTM(features=4, units=16, outputs=2)),
    "gru": DIGITS.but(data=sequences(), network=nw.GRU(features=4, units=16, outputs=2)),
    "autoencoder": DIGITS.but(network=nw.Autoencoder((64, 16)), loss=nw.BinaryCrossEntropy()),
    "denoising": DIGITS.but(
        network=nw.Autoencoder((64, 16), corrupt=(nw.Mask(share=0.3),)),
        loss=nw.BinaryCrossEntropy(),
    ),
}
RANDOM = {  # their draws come from the device's own generator, so numbers differ from the CPU's
    "annealing": DIGITS.but(optimizer=nw.SimulatedAnnealing(), batch_size=2000),
    "dropout": DIGITS.but(network=nw.MLP((64, 32, 10), dropout=0.3)),
    "variational": DIGITS.but(
        network=nw.VariationalAutoencoder((64, 16, 4)), loss=nw.BinaryCrossEntropy()
    ),
    "rbm": DIGITS.but(network=nw.RBM(64, 16), loss=nw.CD(), preprocess=BINARY),
    "rbm, persistent": DIGITS.but(network=nw.RBM(64, 16), loss=nw.PCD(), preprocess=BINARY),
    "boltzmann": DIGITS.but(
        network=nw.BoltzmannMachine(64), loss=nw.AnnealedSampling(), preprocess=BINARY
    ),
    "dbn": DIGITS.but(network=nw.DBN((64, 16, 8)), loss=nw.CD(), preprocess=BINARY),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_numbers_are_those_of_the_cpu(recipe: nw.Recipe) -> None:
    """To a tolerance: kernels add in another order."""
    cpu = nw.fit(recipe, watch_every=4)
    gpu = nw.fit(recipe, device="cuda", precision="float32", watch_every=4)
    assert gpu.history.ended.how == cpu.history.ended.how
    for name in ("train.loss", "valid.loss"):
        mine, other = gpu.history.of(name), cpu.history.of(name)
        assert (mine is None) == (other is None)
        if mine is not None and other is not None:
            assert list(mine.values) == pytest.approx(list(other.values), rel=0.02)
    assert set(gpu.history.series) == set(cpu.history.series)
    assert gpu.history.wiring == cpu.history.wiring


@pytest.mark.parametrize("recipe", RANDOM.values(), ids=RANDOM)
def test_random_networks_train(recipe: nw.Recipe) -> None:
    run = nw.fit(recipe, device="cuda", watch_every=4)
    assert run.history.ended.how == "finished"
    assert all(p.is_cuda for p in run.module.parameters())
    cpu = nw.fit(recipe, watch_every=4)
    assert set(run.history.series) == set(cpu.history.series)
    assert run.score is None or cpu.score is None or math.isfinite(run.score.value)


@pytest.mark.parametrize(
    "recipe",
    [RECIPES["sgd"], RECIPES["average"], RECIPES["mixup"], *RANDOM.values()],
    ids=["sgd", "average", "mixup", *RANDOM],
)
def test_a_run_that_was_stopped_ends_with_the_same_bits(recipe: nw.Recipe, tmp_path: Path) -> None:
    recipe = recipe.but(epochs=3)
    whole = nw.fit(recipe, device="cuda", folder=tmp_path / "whole")

    def after_one(epochs: int, row: object) -> str | None:
        return "enough" if epochs == 1 else None

    nw.fit(recipe, device="cuda", folder=tmp_path / "run", halt=after_one)
    resumed = nw.resume(tmp_path / "run")
    assert resumed.history.made_by.device == whole.history.made_by.device
    assert resumed.history.series == whole.history.series
    for a, b in zip(
        whole.module.state_dict().values(), resumed.module.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_a_run_is_used_on_the_cpu_after_it_was_loaded(tmp_path: Path) -> None:
    run = nw.fit(DIGITS, device="cuda", folder=tmp_path / "run")
    loaded = nw.load(tmp_path / "run")
    assert not any(p.is_cuda for p in loaded.module.parameters())
    raw = torch.rand(20, 64) * 16
    assert torch.allclose(run.outputs(raw).cpu(), loaded.outputs(raw), atol=1e-4)
    assert list(run.predict(raw)) == list(loaded.predict(raw))


def test_a_run_that_diverges_names_its_step_and_layer() -> None:
    recipe = DIGITS.but(optimizer=nw.SGD(lr=1e6), network=nw.MLP((64, 32, 32, 10)), epochs=3)
    run = nw.fit(recipe, device="cuda")
    assert run.history.ended.how == "diverged"
    assert nw.fit(recipe).history.ended.step == run.history.ended.step


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_lower_precision_learns_as_well(precision: str) -> None:
    recipe = DIGITS.but(epochs=15)
    low = nw.fit(recipe, device="cuda", precision=precision)
    full = nw.fit(recipe, device="cuda", precision="float32")
    assert low.score is not None
    assert full.score is not None
    assert low.score.value > full.score.value - 0.03
    assert all(p.dtype == torch.float32 for p in low.module.parameters())


def test_diagnosis_with_trials_and_treatment() -> None:
    run = nw.fit(nw.gallery.sick["rate_too_low"].recipe, device="cuda")
    report = nw.diagnose(run, trials=True)
    assert "rate_too_low" in {finding.rule for finding in report.found}


def test_pages_of_a_run(tmp_path: Path) -> None:
    run = nw.fit(DIGITS, device="cuda", folder=tmp_path / "run")
    nw.write_report(run, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000
