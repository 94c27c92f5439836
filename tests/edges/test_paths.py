"""Paths that the operating system refuses: each way of reading and writing names them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import netwise as nw

RECIPE = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 3)), epochs=1)
READERS: dict[str, Callable[[Path], object]] = {
    "load": nw.load,
    "load_history": nw.load_history,
    "resume": nw.resume,
    "read_recipe": nw.read_recipe,
    "load_search": nw.load_search,
    "csv": lambda path: nw.data.csv(path, target="y").load(),
    "text": lambda path: nw.data.text(path).load(),
    "images": lambda path: nw.data.images(path).load(),
    "from": lambda path: nw.fit(RECIPE.but(init=nw.From(path=str(path)))),
}
LISTS: dict[str, Callable[[Path], object]] = {
    "list_runs": nw.list_runs,
    "read_guesses": nw.read_guesses,
}
WRITERS: dict[str, Callable[[Path], object]] = {
    "write_recipe": lambda path: nw.write_recipe(RECIPE, path),
    "fit": lambda path: nw.fit(RECIPE, folder=path),
}
REFUSED = ["long", "below a file", "circle", "null", "surrogate"]


def refused_path(kind: str, folder: Path) -> Path:
    (folder / "file").touch()
    (folder / "circle").symlink_to("circle")
    paths = {
        "long": folder / ("x" * 300),
        "below a file": folder / "file" / "x",
        "circle": folder / "circle" / "x",
        "null": folder / "a\0b",
        "surrogate": folder / "\ud800",
        "pipe": folder / "pipe",
        "device": Path("/dev/zero"),
    }
    return paths[kind]


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_a_path_that_cannot_be_is_an_error_of_netwise(name: str, kind: str, tmp_path: Path) -> None:
    path = refused_path(kind, tmp_path)
    with pytest.raises(nw.NetwiseError) as caught:
        {**READERS, **WRITERS}[name](path)
    assert "[Errno" not in str(caught.value)


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("name", LISTS)
def test_what_cannot_be_lists_nothing_or_is_an_error_of_netwise(
    name: str, kind: str, tmp_path: Path
) -> None:
    try:
        assert LISTS[name](refused_path(kind, tmp_path)) == []
    except nw.NetwiseError as error:
        assert "[Errno" not in str(error)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes of this kind")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("name", ["csv", "text", "read_recipe"])
def test_pipes_and_devices_are_not_read(name: str, kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(nw.NetwiseError, match="regular files only"):
        READERS[name](refused_path(kind, tmp_path))
