"""Files are found, or downloaded with their checksums; an error says how to get them."""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import os
import re
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import netwise as nw
from netwise.data import DATA
from netwise.data.download import Remote, data_folder, find
from netwise.data.text_file import SHAKESPEARE

# The download library leaves the sockets of failed requests to the collector, which warns.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"content")
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()
    gc.collect()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_downloaded_once_and_checked(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path / "cache"))
    remote = Remote("set/a.bin", f"{server}/a.bin", (sha256(b"content"),))
    assert find([remote], "A set")[0].read_bytes() == b"content"
    gone = Remote("set/a.bin", f"{server}/gone", remote.sha256)
    assert find([gone], "A set")[0].read_bytes() == b"content"  # it is there: nothing is downloaded


def test_a_wrong_checksum_leaves_no_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path / "cache"))
    with pytest.raises(nw.DataMissing, match="the download failed"):
        find([Remote("a.bin", f"{server}/a.bin", ("0" * 64,))], "A set")
    assert not (tmp_path / "cache" / "a.bin").exists()


def test_a_file_that_is_there_already_is_compared_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    path = tmp_path / "a.bin"
    remote = Remote("a.bin", "https://there/a.bin", (sha256(b"content"), sha256(b"old form")))
    for content in (b"content", b"old form", gzip.compress(b"content", 1, mtime=7)):
        path.write_bytes(content)
        assert find([remote], "A set") == [path]
    for content in (b"Content", b"", gzip.compress(b"Content"), gzip.compress(b"content")[:-3]):
        path.write_bytes(content)
        with pytest.raises(nw.DataError, match=r"a.bin is not the published file: .*Delete it"):
            find([remote], "A set")


def test_a_folder_or_a_pipe_in_the_place_of_a_file_is_named_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("folder", "pipe", "zero"):
        with pytest.raises(nw.DataError, match=f"{name} is a folder or device, not a file"):
            find([Remote(name, "https://there/file", ("0" * 64,))], "A set")


def test_a_member_of_an_archive_is_downloaded_with_the_sums_of_both(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "served" / "a.tgz"
    with tarfile.open(served, "w:gz") as tar:
        info = tarfile.TarInfo("folder/table.data")
        info.size = len(b"1,2\r\n3,4\r\n")
        tar.addfile(info, io.BytesIO(b"1,2\r\n3,4\r\n"))
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path / "cache"))
    wanted = Remote(
        "set/table.data",
        f"{server}/a.tgz",
        (sha256(b"1,2\n3,4\n"),),
        "folder/table.data",
        sha256(served.read_bytes()),
    )
    with pytest.raises(nw.DataMissing, match="the download failed"):
        find([replace(wanted, archive="0" * 64)], "A set")
    assert not list((tmp_path / "cache" / "set").iterdir())
    assert find([wanted], "A set")[0].read_bytes() == b"1,2\n3,4\n"
    assert [path.name for path in (tmp_path / "cache" / "set").iterdir()] == ["table.data"]


def published() -> list[Remote]:
    """Every file that a data set names."""
    one = [kind.remote for kind in DATA.values() if hasattr(kind, "remote")]
    more = [remote for kind in DATA.values() for remote in getattr(kind, "remotes", ())]
    return [*one, *more, SHAKESPEARE]


@pytest.mark.parametrize("remote", published(), ids=lambda remote: remote.name)
def test_every_public_file_has_a_sha256_and_comes_by_https(remote: Remote) -> None:
    assert remote.url.startswith("https://")
    assert remote.sha256
    for text in (*remote.sha256, *([remote.archive] if remote.member else [])):
        assert re.fullmatch("[0-9a-f]{64}", text)


@pytest.mark.files
def test_the_files_at_hand_have_these_sums(data_files: Path) -> None:
    present = [remote for remote in published() if (data_files / remote.name).exists()]
    assert len(present) >= 20
    assert len(find(present, "all")) == len(present)


def test_an_error_says_where_to_put_an_absent_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    with pytest.raises(nw.DataMissing) as caught:
        find([Remote("set/b.bin", f"{server}/b.bin", ("0" * 64,))], "The set")
    text = str(caught.value)
    assert text.startswith(
        f"The set: 1 of its files are not in {tmp_path}, and the download failed (HTTPError: 404"
    )
    assert f"set/b.bin   from {server}/b.bin" in text
    assert "set NETWISE_DATA to the folder that has them" in text


def test_without_the_variable_it_is_a_cache_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETWISE_DATA", raising=False)
    assert data_folder().name == "netwise"
