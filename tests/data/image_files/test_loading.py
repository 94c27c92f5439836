"""Sets of pictures that are too large for memory: kept in a file, found again, made anew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netwise.data.image_files import loading
from netwise.data.image_files.loading import Shape, load_pictures, show_reading

SHAPE = Shape(6, 6, 3)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Pictures beside a cache that all sets are kept in."""
    monkeypatch.setattr(loading, "IN_MEMORY", 0)
    monkeypatch.setenv("NETWISE_CACHE", str(tmp_path / "cache"))
    draws = np.random.default_rng(0)
    made = [tmp_path / f"{i}.png" for i in range(5)]
    for path in made:
        Image.fromarray(draws.integers(0, 255, (6, 6, 3), np.uint8)).save(path)
    return made


def pixels(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.asarray(Image.open(path)).copy())


def test_a_set_in_the_cache_is_that_of_the_files(paths: list[Path]) -> None:
    seen: list[tuple[int, int]] = []
    with show_reading(lambda done, of: seen.append((done, of))):
        first = load_pictures(paths, SHAPE)
    assert seen == [(5, 5)]
    for row, path in enumerate(paths):
        assert torch.equal(first.store[row], pixels(path))
    assert len(set(first.about.sums)) == 5


def test_it_is_read_once_and_again_after_a_change(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_pictures(paths, SHAPE)
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_read_into", None)  # a second reading would fail
        again = load_pictures(paths, SHAPE)
    assert torch.equal(again.store, first.store)
    assert again.about == first.about
    again.store[0] = 0  # a copy on write: the file stays as it is
    assert torch.equal(load_pictures(paths, SHAPE).store, first.store)
    Image.new("RGB", (6, 6), (9, 9, 9)).save(paths[0])
    os.utime(paths[0], ns=(1, 1))
    assert bool((load_pictures(paths, SHAPE).store[0] == 9).all())


@pytest.mark.parametrize("text", ["", "{}", '{"sums": 3}'], ids=["empty", "no fields", "a number"])
def test_a_damaged_set_is_made_anew(text: str, paths: list[Path], tmp_path: Path) -> None:
    first = load_pictures(paths, SHAPE)
    (about,) = (tmp_path / "cache" / "pictures").glob("*.json")
    about.write_text(text)
    assert torch.equal(load_pictures(paths, SHAPE).store, first.store)
    assert load_pictures(paths, SHAPE).about == first.about


def test_without_a_cache_they_are_read_into_memory(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert torch.equal(load_pictures(paths, SHAPE).store[3], pixels(paths[3]))


def test_few_sets_are_kept_and_old_drafts_are_not(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MOST_CACHED", 2)
    folder = tmp_path / "cache" / "pictures"
    folder.mkdir(parents=True)
    (folder / "old.draft").write_bytes(b"")
    (folder / "new.draft").write_bytes(b"")
    os.utime(folder / "old.draft", (1, 1))
    for count in (1, 2, 3, 4):
        load_pictures(paths[:count], SHAPE)
    assert len(list(folder.glob("*.pixels"))) == len(list(folder.glob("*.json"))) == 2
    assert [path.name for path in folder.glob("*.draft")] == ["new.draft"]


def test_an_error_leaves_nothing_behind(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "_read_into", fail)
    with pytest.raises(KeyboardInterrupt):
        load_pictures(paths, SHAPE)
    assert list((tmp_path / "cache" / "pictures").iterdir()) == []


def test_deep_pictures_share_one_scale(tmp_path: Path) -> None:
    dark, bright = tmp_path / "dark.png", tmp_path / "bright.png"
    Image.fromarray(np.full((6, 6), 1000, np.uint16)).save(dark)
    Image.fromarray(np.linspace(0, 4000, 36).astype(np.uint16).reshape(6, 6)).save(bright)
    found = load_pictures([dark, bright], Shape(6, 6, 1))
    assert (found.about.low, found.about.high) == (0, 4000)
    assert found.store[0].unique().tolist() == [64]  # 255 * 1000 / 4000
    assert int(found.store[1].max()) == 255


def test_a_broken_picture_is_named_by_its_number(tmp_path: Path) -> None:
    whole, broken = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (6, 6)).save(whole)
    broken.write_bytes(whole.read_bytes()[:30])
    about = load_pictures([whole, broken], SHAPE).about
    assert [row for row, _ in about.broken] == [1]
    assert about.sums[1] == ""
