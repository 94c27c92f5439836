"""A mapped file has the samples that were written, and copies none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import netwise as nw
from netwise.data.mapped_file import read_mapped, write_mapped


@pytest.mark.parametrize(
    "data",
    [
        nw.data.digits(),
        nw.data.diabetes(),
        nw.data.arrays(np.eye(20), [0, 1] * 10, weights=np.arange(20) + 1.0),
        nw.data.arrays(np.eye(20), [0, 1] * 10, group=np.arange(20) // 3),
    ],
    ids=["a", "b", "c", "d"],
)
def test_what_is_read_is_what_was_written(tmp_path: Path, data: nw.data.Data) -> None:
    samples = data.load()
    write_mapped(samples, tmp_path / "x")
    again, learned = read_mapped(tmp_path / "x")
    assert learned == ()
    for name in ("train", "valid", "test"):
        one, other = getattr(samples, name), getattr(again, name)
        assert torch.equal(one.x, other.x)
        assert torch.equal(one.y, other.y)
        assert (one.weight is None) == (other.weight is None)
        assert (one.key is None) == (other.key is None)
        assert one.key is None or torch.equal(one.key, other.key)
    assert samples.split_by == again.split_by
    assert (again.task, again.classes, again.encoder, again.fingerprint) == (
        samples.task,
        samples.classes,
        samples.encoder,
        samples.fingerprint,
    )
    assert torch.equal(again.target_mean, samples.target_mean)


def test_the_tensors_are_pages_of_the_file(tmp_path: Path) -> None:
    """Of a private mapping that nobody wrote to, no page belongs to the process itself."""
    data = nw.data.arrays(
        np.random.default_rng(0).normal(size=(20_000, 100)), np.arange(20_000) % 2
    )
    path = tmp_path / "held.safetensors"
    write_mapped(data.load(), path)
    samples, _ = read_mapped(path)
    assert float(samples.train.x.sum()) == pytest.approx(
        float(data.load().train.x.sum())
    )  # every page was touched
    own, mapped = _pages(path)
    assert mapped > 4_000_000
    assert own == 0
    samples.train.x[0] = 1.0  # writing copies the page and leaves the file alone
    assert _pages(path)[0] > 0
    assert not torch.equal(load_file(path)["train.x"][0], samples.train.x[0])


def _pages(path: Path) -> tuple[int, int]:
    """(bytes that belong to this process alone, bytes that are in memory) of its mapping of a
    file."""
    own = mapped = 0
    here = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            here = line.endswith(str(path))
        elif here and line.startswith("Anonymous:"):
            own += 1024 * int(line.split()[1])
        elif here and line.startswith("Rss:"):
            mapped += 1024 * int(line.split()[1])
    return own, mapped


def test_what_preprocessing_was_fitted_to_is_in_the_file(tmp_path: Path) -> None:
    samples = nw.data.digits().load()
    fitted = ({"mean": torch.tensor([1.0]), "scale": torch.tensor([2.0])}, {})
    write_mapped(samples, tmp_path / "x", fitted)
    _, again = read_mapped(tmp_path / "x")
    assert [sorted(step) for step in again] == [["mean", "scale"], []]
    assert float(again[0]["scale"]) == 2.0


def test_a_file_is_read_once_and_again_after_it_was_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_mapped(nw.data.iris().load(), path)
    first = read_mapped(path)
    assert read_mapped(path) is first
    path.unlink()
    write_mapped(nw.data.wine().load(), path)
    assert read_mapped(path)[0].shape == (13,)
