"""The original files of image data sets, whole, broken and hostile."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

import netwise as nw
from netwise.data.catalogue.image_sets import IDX_FILES, read_cifar, read_idx


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(
        b"\0\0\x08"
        + bytes([array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def test_an_idx_file_is_read(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "x.gz").write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "x.gz"), array)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"no gzip", "is no whole gzip file"),
        (gzip.compress(b"abcdef"), "is no IDX file of bytes"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "ends inside its header"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05ab"), "says it holds 5 bytes and holds 2"),
        (idx(np.zeros((3, 3), np.uint8))[:-9], "is no whole gzip file"),
    ],
)
def test_a_broken_idx_file_is_told(tmp_path: Path, raw: bytes, text: str) -> None:
    (tmp_path / "x.gz").write_bytes(raw)
    with pytest.raises(nw.DataError, match=text):
        read_idx(tmp_path / "x.gz")


def test_mnist_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    y, y_test = np.arange(120, dtype=np.uint8) % 10, np.arange(20, dtype=np.uint8) % 10
    x, x_test = (rng.integers(0, 256, (len(t), 28, 28), dtype=np.uint8) for t in (y, y_test))
    for name, array in zip(IDX_FILES, (x, y, x_test, y_test), strict=True):
        (folder / name).write_bytes(idx(array))
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    samples = nw.data.mnist().read()
    assert (len(samples.train), len(samples.valid), len(samples.test)) == (100, 20, 20)
    np.testing.assert_array_equal(samples.test.y.numpy(), y_test)
    np.testing.assert_allclose(samples.test.x[:, 0].numpy(), x_test / 255, atol=1e-6)


def batch(images: np.ndarray, labels: list[int]) -> bytes:
    return pickle.dumps(
        {b"data": images, b"labels": labels, b"batch_label": b"x", b"filenames": [b"a.png"]},
        protocol=2,
    )


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, raw in members.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return path


def test_anything_that_could_run_in_a_batch_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "ran"),))  # type: ignore[return-value]

    raw = pickle.dumps(Evil(), protocol=2)
    with pytest.raises(nw.DataError, match="which a picture does not need"):
        read_cifar(
            archive(tmp_path / "c.tar.gz", {"test_batch": raw}),
            {"test_batch": hashlib.md5(raw).hexdigest()},
        )
    assert not (tmp_path / "ran").exists()


def test_a_changed_batch_is_told(tmp_path: Path) -> None:
    raw = batch(np.zeros((2, 3072), np.uint8), [1, 2])
    with pytest.raises(nw.DataError, match="test_batch is not the published file"):
        read_cifar(archive(tmp_path / "c.tar.gz", {"test_batch": raw}), {"test_batch": "0" * 32})
    with pytest.raises(nw.DataError, match="lacks data_batch_1"):
        read_cifar(archive(tmp_path / "d.tar.gz", {"readme": b""}), {"data_batch_1": ""})
    (tmp_path / "e.tar.gz").write_bytes(b"nothing")
    with pytest.raises(nw.DataError, match="is no whole tar archive"):
        read_cifar(tmp_path / "e.tar.gz", {"data_batch_1": ""})


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
