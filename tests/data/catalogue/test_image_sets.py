"""Public sets of images: counts, ranges and parts as their descriptions state."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

import netwise as nw
from netwise.data.catalogue.image_sets import IDX_FILES, MNIST
from netwise.data.download import Remote


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(
        b"\0\0\x08"
        + bytes([array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def test_mnist_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    y, y_test = np.arange(120, dtype=np.uint8) % 10, np.arange(20, dtype=np.uint8) % 10
    x, x_test = (rng.integers(0, 256, (len(t), 28, 28), dtype=np.uint8) for t in (y, y_test))
    remotes = []
    for name, array in zip(IDX_FILES, (x, y, x_test, y_test), strict=True):
        (folder / name).write_bytes(idx(array))
        sha256 = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        remotes.append(Remote(f"MNIST/raw/{name}", "https://there", (sha256,)))
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    with pytest.raises(nw.DataError, match="is not the published file"):
        nw.data.mnist().read()
    monkeypatch.setattr(MNIST, "remotes", tuple(remotes))
    samples = nw.data.mnist().read()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (100, 20, 20)
    np.testing.assert_array_equal(samples.test.y.numpy(), y_test)
    np.testing.assert_allclose(samples.test.x[:, 0].numpy(), x_test / 255, atol=1e-6)


@pytest.mark.files
@pytest.mark.parametrize(
    ("name", "mean", "spread"), [("mnist", 0.1307, 0.3081), ("fashion_mnist", 0.2860, 0.3530)]
)
def test_the_published_files(data_files: Path, name: str, mean: float, spread: float) -> None:
    samples = getattr(nw.data, name)(valid=0.0).read()
    assert (len(samples.train), len(samples.test)) == (60_000, 10_000)
    assert float(samples.train.x.mean()) == pytest.approx(mean, abs=1e-4)
    assert float(samples.train.x.std()) == pytest.approx(spread, abs=1e-4)


@pytest.mark.files
def test_the_published_cifar10(data_files: Path) -> None:
    samples = nw.data.cifar10(valid=0.0).read()
    assert samples.train.x.shape == (50_000, 3, 32, 32)
    assert samples.train.x.mean((0, 2, 3)).tolist() == pytest.approx(
        [0.4914, 0.4822, 0.4465], abs=1e-4
    )
    assert samples.test.y.bincount().tolist() == [1000] * 10


@pytest.mark.files
def test_usps_olivetti_and_silhouettes_are_as_described(data_files: Path) -> None:
    usps = nw.data.usps(valid=0.0).load()
    assert torch.bincount(usps.train.y).tolist() == [
        1194,
        1005,
        731,
        658,
        652,
        556,
        664,
        645,
        542,
        644,
    ]
    assert torch.bincount(usps.test.y).tolist() == [
        359,
        264,
        198,
        166,
        200,
        160,
        170,
        147,
        166,
        177,
    ]
    assert usps.shape == (1, 16, 16)
    assert (float(usps.train.x.min()), float(usps.train.x.max())) == (-1.0, 1.0)
    faces = nw.data.olivetti(valid=0.0, test=0.0).load()
    assert faces.shape == (1, 64, 64)
    assert torch.bincount(faces.train.y).tolist() == [10] * 40
    silhouettes = nw.data.silhouettes().load()
    assert (len(silhouettes.train), len(silhouettes.valid), len(silhouettes.test)) == (
        4_100,
        2_264,
        2_307,
    )
    assert len(silhouettes.classes) == 101
    assert sorted(silhouettes.train.x.unique().tolist()) == [0.0, 1.0]
    assert float(silhouettes.train.x.mean()) == pytest.approx(
        1 - 0.5511, abs=1e-4
    )  # the object is 1, where the file has 0


@pytest.mark.files
def test_faces_are_upright(data_files: Path) -> None:
    x = nw.data.olivetti(valid=0.0, test=0.0).load().train.x.mean(0)[0]
    # A mean face is symmetric from left to right, and is not from top to bottom.
    assert float((x - x.flip(1)).abs().mean()) < 0.5 * float((x - x.flip(0)).abs().mean())


@pytest.mark.files
def test_mnist_can_validate_on_its_test_images(data_files: Path) -> None:
    samples = nw.data.mnist(first=1000, validate_on="test").load()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (1000, 10_000, 0)
    whole = nw.data.mnist(valid=0.0).load()
    assert torch.equal(samples.train.x, whole.train.x[:1000])
    assert torch.equal(samples.valid.x, whole.test.x)
    with pytest.raises(
        nw.DataError, match="more than the 60000 training images there are: write 60000"
    ):
        nw.data.mnist(first=70_000).load()


@pytest.mark.files
def test_the_published_parts_of_binarized_mnist(data_files: Path) -> None:
    samples = nw.data.binarized_mnist(first=100).load()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (100, 10_000, 10_000)
    assert float(samples.valid.x.mean()) == pytest.approx(0.1311, abs=5e-4)
    assert float(samples.test.x.mean()) == pytest.approx(0.1325, abs=5e-4)
    assert samples.train.x.unique().tolist() == [0.0, 1.0]
