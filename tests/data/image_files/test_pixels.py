"""Pictures that are kept as bytes give the numbers of plain floats."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, nn

import netwise as nw
from netwise.data.image_files.pixels import Pixels
from netwise.data.lazy_rows import are_lazy
from netwise.data.preparation import PreparedTensor

STORE = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (11, 4, 6, 3), np.uint8))
PLAIN = STORE.permute(0, 3, 1, 2).contiguous().float() / 255


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pixels, "piece", 200)  # two or three pictures


def test_rows_slices_and_pieces_stay_bytes_of_the_same_memory() -> None:
    x = Pixels.of(STORE)
    rows = torch.tensor([3, 3, -1, 0])
    for lazy, plain in (
        (x[2:9:3], PLAIN[2:9:3]),
        (x[:0], PLAIN[:0]),
        (x[-4:], PLAIN[-4:]),
        (x[rows], PLAIN[rows]),
        (x[PLAIN[:, 0, 0, 0] > 0.5], PLAIN[PLAIN[:, 0, 0, 0] > 0.5]),
        (x[1:][rows][::2], PLAIN[1:][rows][::2]),
        (x.split(4)[2], PLAIN.split(4)[2]),
        (torch.cat([x[5:], x[:3]]), torch.cat([PLAIN[5:], PLAIN[:3]])),
        (x.detach(), PLAIN),
        (copy.deepcopy(x), PLAIN),
        (x.to("cpu"), PLAIN),
    ):
        assert isinstance(lazy, Pixels)
        assert lazy.store.data_ptr() == STORE.data_ptr()
        assert lazy.shape == plain.shape
        assert torch.equal(lazy.floats(), plain)
    assert are_lazy(x)
    assert not are_lazy(PLAIN)


def test_all_else_gives_plain_floats() -> None:
    x = Pixels.of(STORE)
    rows = torch.tensor([5, 1])
    for found, wanted in (
        (x.index_select(0, rows), PLAIN.index_select(0, rows)),
        (x[4], PLAIN[4]),
        (x[-1], PLAIN[-1]),
        (x[:, 0], PLAIN[:, 0]),
        (x * 2 + 1, PLAIN * 2 + 1),
        (torch.cat([x, PLAIN]), torch.cat([PLAIN, PLAIN])),
        (x.flatten(1), PLAIN.flatten(1)),
        (x.max(), PLAIN.max()),
        (
            nn.functional.conv2d(x, torch.ones(2, 3, 2, 2)),
            nn.functional.conv2d(PLAIN, torch.ones(2, 3, 2, 2)),
        ),
    ):
        assert type(found) is Tensor
        assert torch.equal(found, wanted)
    assert x[0].numel() == 72
    assert np.array_equal(x.numpy(), PLAIN.numpy())
    assert x.tolist() == PLAIN.tolist()
    assert repr(x) == "Pixels(shape=(11, 3, 4, 6), device='cpu')"


def test_gradients_of_weights_are_those_of_plain_floats() -> None:
    layer = nn.Conv2d(3, 2, 3)
    found = torch.autograd.grad(layer(Pixels.of(STORE)).square().sum(), list(layer.parameters()))
    wanted = torch.autograd.grad(layer(PLAIN).square().sum(), list(layer.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@settings(max_examples=30)
@given(rows=st.lists(st.integers(0, 10), min_size=1, max_size=11))
def test_statistics_are_those_of_all_samples(rows: list[int]) -> None:
    x, plain = Pixels.of(STORE)[torch.tensor(rows)], PLAIN[rows].double()
    for axes in ((0, 2, 3), (0,)):
        assert torch.allclose(x.mean(axes, keepdim=True).double(), plain.mean(axes, keepdim=True))
        wanted = plain.std(axes, unbiased=False, keepdim=True)
        assert torch.allclose(x.std(axes, unbiased=False, keepdim=True).double(), wanted, atol=1e-6)
        assert torch.equal(x.amin(axes, keepdim=True).double(), plain.amin(axes, keepdim=True))
        assert torch.equal(x.amax(axes, keepdim=True).double(), plain.amax(axes, keepdim=True))
    assert abs(float(x.mean()) - float(plain.mean())) < 1e-6


def test_mean_and_deviation_of_channels_take_one_pass_and_make_no_floats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = Pixels.of(STORE)
    passes = []
    counted = Pixels._byte_counts
    monkeypatch.setattr(Pixels, "_byte_counts", lambda self: passes.append(1) or counted(self))
    monkeypatch.setattr(Pixels, "decoded", staticmethod(lambda stored: pytest.fail("floats")))
    fitted = nw.Standardise().fit(x)
    assert len(passes) == 1
    assert torch.allclose(fitted["mean"], nw.Standardise().fit(PLAIN)["mean"])


@pytest.mark.parametrize(
    "step",
    [
        nw.Standardise(),
        nw.MinMax(),
        nw.Scale(0.5),
        nw.Flatten(),
        nw.Resize(8, 8),
        nw.GlobalContrast(),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_preprocessing_step_is_that_of_plain_floats(step: nw.Preprocess) -> None:
    from netwise.data.lazy_rows import of_each_sample

    x = Pixels.of(STORE)
    fitted = step.fit(x)
    plain = step.fit(PLAIN)
    assert all(torch.allclose(fitted[name], plain[name], atol=1e-6) for name in plain)
    lazy = of_each_sample(lambda part: step.apply(part, plain), x)
    assert isinstance(lazy, Pixels)
    assert torch.equal(lazy[3:5].floats(), step.apply(PLAIN, plain)[3:5])


def test_the_mark_of_prepared_inputs_goes_with_rows_and_floats() -> None:
    from netwise.data.preparation import Preparation, marked, preparation_of, unmarked

    mark = Preparation(None, (3, 4, 6))
    x = marked(Pixels.of(STORE), mark)
    assert preparation_of(x[2:4]) is mark
    assert isinstance(x[2], PreparedTensor)
    assert isinstance(x.index_select(0, torch.tensor([1])), PreparedTensor)
    assert type(unmarked(x).index_select(0, torch.tensor([1]))) is Tensor
    assert preparation_of(unmarked(x)) is None


def test_more_floats_than_memory_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import netwise.memory

    monkeypatch.setattr(netwise.memory, "available_memory", lambda: 100)
    monkeypatch.setattr(netwise.memory, "ALWAYS_FREE", 10)
    with pytest.raises(nw.WrongValue, match="samples of shape .* are floats that need"):
        Pixels.of(STORE) + 1
    assert Pixels.of(STORE).shape == (11, 3, 4, 6)
