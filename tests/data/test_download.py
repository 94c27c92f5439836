"""Files are found, or downloaded with their checksums; an error says how to get them."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import netwise as nw
from netwise.data.download import Remote, data_folder, find

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


def test_a_file_is_downloaded_once_and_checked(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path / "cache"))
    remote = Remote(
        "set/a.bin", f"{server}/a.bin", f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    )
    assert find([remote], "A set")[0].read_bytes() == b"content"
    gone = Remote("set/a.bin", f"{server}/gone", remote.checksum)
    assert find([gone], "A set")[0].read_bytes() == b"content"  # it is there: nothing is downloaded


def test_a_wrong_checksum_leaves_no_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path / "cache"))
    with pytest.raises(nw.DataMissing, match="the download failed"):
        find([Remote("a.bin", f"{server}/a.bin", "sha256:" + "0" * 64)], "A set")
    assert not (tmp_path / "cache" / "a.bin").exists()


def test_an_error_says_where_to_put_an_absent_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWISE_DATA", str(tmp_path))
    with pytest.raises(nw.DataMissing) as caught:
        find([Remote("set/b.bin", f"{server}/b.bin", "sha256:" + "0" * 64)], "The set")
    text = str(caught.value)
    assert text.startswith(
        f"The set: 1 of its files are not in {tmp_path}, and the download failed (HTTPError: 404"
    )
    assert f"set/b.bin   from {server}/b.bin" in text
    assert "set NETWISE_DATA to the folder that has them" in text


def test_without_the_variable_it_is_a_cache_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETWISE_DATA", raising=False)
    assert data_folder().name == "netwise"
