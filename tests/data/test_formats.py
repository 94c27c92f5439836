"""Readers of published formats: whole, broken and hostile files."""

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
from netwise.data.formats import read_bits, read_cifar, read_idx, read_mat, read_numbers, unpacked


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
        (b"no gzip", "is no IDX file of bytes"),
        (gzip.compress(b"abcdef"), "is no IDX file of bytes"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "ends inside its header"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05ab"), "has 2 bytes where its header announces 5"),
        (idx(np.zeros((3, 3), np.uint8))[:-9], "is no whole gzip file"),
    ],
    ids=["no gzip", "no IDX", "short header", "short data", "cut"],
)
def test_a_broken_idx_file_is_refused(tmp_path: Path, raw: bytes, text: str) -> None:
    (tmp_path / "x.gz").write_bytes(raw)
    with pytest.raises(nw.DataError, match=text):
        read_idx(tmp_path / "x.gz")


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


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_before_it_is_unpacked(
    tmp_path: Path,
) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(10_000_000)))
    assert bomb.stat().st_size < 20_000
    with pytest.raises(nw.DataError, match=r"bomb.gz holds more than 1 MiB, .*: delete it"):
        unpacked(bomb, 2**20)
    assert len(unpacked(bomb, 10_000_000)) == 10_000_000  # the limit itself is allowed
    with tarfile.open(tmp_path / "c.tar.xz", "w:xz") as tar:
        info = tarfile.TarInfo("cifar-10-batches-py/test_batch")
        info.size = 2**26 + 1
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(nw.DataError, match="test_batch unpacks to 64 MiB, more than any file"):
        read_cifar(tmp_path / "c.tar.xz", {"test_batch": "0" * 64})


def test_a_header_whose_sizes_overflow_is_refused(tmp_path: Path) -> None:
    header = b"\0\0\x08\x04" + struct.pack(">4I", *[2**16] * 4)  # 2**64 numbers
    (tmp_path / "x.gz").write_bytes(gzip.compress(header))
    with pytest.raises(nw.DataError, match="has 0 bytes where its header announces 65536x"):
        read_idx(tmp_path / "x.gz")


def test_anything_that_could_run_in_a_batch_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "ran"),))  # type: ignore[return-value]

    raw = pickle.dumps(Evil(), protocol=2)
    with pytest.raises(nw.DataError, match="which no picture needs"):
        read_cifar(
            archive(tmp_path / "c.tar.gz", {"test_batch": raw}),
            {"test_batch": hashlib.sha256(raw).hexdigest()},
        )
    assert not (tmp_path / "ran").exists()


def test_a_changed_batch_is_refused(tmp_path: Path) -> None:
    raw = batch(np.zeros((2, 3072), np.uint8), [1, 2])
    with pytest.raises(nw.DataError, match="test_batch is not the published file"):
        read_cifar(archive(tmp_path / "c.tar.gz", {"test_batch": raw}), {"test_batch": "0" * 64})
    with pytest.raises(nw.DataError, match="lacks data_batch_1"):
        read_cifar(archive(tmp_path / "d.tar.gz", {"readme": b""}), {"data_batch_1": ""})
    (tmp_path / "e.tar.gz").write_bytes(b"nothing")
    with pytest.raises(nw.DataError, match="is no whole tar archive"):
        read_cifar(tmp_path / "e.tar.gz", {"data_batch_1": ""})


def test_a_file_of_bits_is_read_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.amat"
    path.write_text("0 1 1\n1 0 0\n")
    assert read_bits(path, 3).tolist() == [[0, 1, 1], [1, 0, 0]]
    path.write_bytes(gzip.compress(b"0 1 1\n1 0 0\n"))
    assert read_bits(path, 3).tolist() == [[0, 1, 1], [1, 0, 0]]
    path.write_text("0 1 1\n1 0\n")
    with pytest.raises(nw.DataError, match="should have 3 on each line"):
        read_bits(path, 3)
    path.write_bytes(gzip.compress(b"0 1 1\n1 0 0\n")[:-4])
    with pytest.raises(nw.DataError, match="no whole file of bits"):
        read_bits(path, 3)


def test_a_table_of_numbers_is_read_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    path.write_bytes(
        gzip.compress("\n".join(" ".join(map(repr, map(float, r))) for r in rows).encode())
    )
    np.testing.assert_array_equal(read_numbers(path, 3), rows)
    with pytest.raises(nw.DataError, match="has 3 columns, and should have 4: delete it"):
        read_numbers(path, 4)
    path.write_bytes(gzip.compress(b"1 2 x\n"))
    with pytest.raises(nw.DataError, match="is no whole gzipped table of numbers"):
        read_numbers(path, 3)


def test_the_arrays_of_a_matlab_file_are_read_by_name(tmp_path: Path) -> None:
    from scipy.io import savemat

    path = tmp_path / "a.mat"
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    savemat(path, {"faces": array})
    np.testing.assert_array_equal(read_mat(path, ("faces",))["faces"], array)
    with pytest.raises(nw.DataError, match="lacks names, so it is not the published file"):
        read_mat(path, ("faces", "names"))
    path.write_bytes(b"nothing")
    with pytest.raises(nw.DataError, match="is no whole MATLAB file"):
        read_mat(path, ("faces",))
