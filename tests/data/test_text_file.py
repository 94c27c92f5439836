"""Texts cut into pieces whose targets are one character on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw
from netwise.data.encoding import TextEncoder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("über den Wolken ☁\n" * 50, "utf-8")
    return path


def test_pieces_follow_each_other_and_targets_are_one_character_on(path: Path) -> None:
    samples = nw.data.text(path, length=10, valid=0.2, test=0.1).load()
    content = path.read_text("utf-8")
    decode = samples.encoder.decode  # type: ignore[attr-defined]
    assert samples.classes == tuple(sorted(set(content)))
    text = "".join(decode(row.tolist()) for row in samples.train.x)
    assert content.startswith(text)
    assert decode(samples.train.y.flatten().tolist()) == content[1 : len(text) + 1]
    assert len(samples.train) == (round(900 * 0.7) - 1) // 10
    assert content[round(900 * 0.7) :].startswith(decode(samples.valid.x.flatten().tolist()))
    assert content[round(900 * 0.7) + 180 :].startswith(decode(samples.test.x.flatten().tolist()))
    assert torch.equal(samples.encoder.encode([content[:10]]), samples.train.x[:1])


def test_what_is_no_text_is_refused(tmp_path: Path, path: Path) -> None:
    for content, message in (
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"aaaa", "1 different characters"),
        (b"ab", "a piece of length = 100 needs 101: use a shorter length"),
    ):
        wrong = tmp_path / "wrong.txt"
        wrong.write_bytes(content)
        with pytest.raises(nw.DataError, match=message):
            nw.data.text(wrong).load()
    with pytest.raises(nw.DataError, match="is not there"):
        nw.data.text(tmp_path / "absent.txt").load()
    with pytest.raises(nw.WrongValue, match="leave nothing to train on"):
        nw.data.text(path, valid=0.6, test=0.5)
    encoder = nw.data.text(path, length=10).load().encoder
    with pytest.raises(nw.DataError, match="was not in the training text"):
        encoder.encode("xyz?")
    with pytest.raises(nw.DataError, match="pass texts of one length"):
        encoder.encode(["de", "den"])


def test_a_run_on_a_text_is_kept_loaded_and_writes_the_same(path: Path, tmp_path: Path) -> None:
    data = nw.data.text(path, length=18)
    symbols = len(data.load().classes)
    network = nw.LSTM(symbols=symbols, features=8, units=24, outputs=symbols, answers="each")
    recipe = nw.Recipe(
        data=data, network=network, optimizer=nw.Adam(lr=0.02), batch_size=8, epochs=30
    )
    run = nw.fit(recipe, folder=tmp_path / "run")
    again = nw.load(tmp_path / "run")
    assert nw.sample_text(run, "über ", 40, seed=3) == nw.sample_text(again, "über ", 40, seed=3)
    assert nw.sample_text(run, "über den ", 9, temperature=0) == "über den Wolken ☁\n"
    assert nw.sample_text(run, "über", 30, temperature=5.0, seed=1) != nw.sample_text(
        run, "über", 30, temperature=5.0, seed=2
    )
    accuracy = run.history.of("valid.accuracy")
    assert accuracy is not None
    assert accuracy.last > 0.9
    assert not nw.diagnose(run).found
    for start, message in (("", "one character"), ("Q", "was not in the training text: remove it")):
        with pytest.raises((ValueError, nw.DataError), match=message):
            nw.sample_text(run, start)
    with pytest.raises(nw.DataError, match="is for recurrent networks on a text"):
        nw.sample_text(nw.fit(nw.suggest(nw.data.iris(), epochs=1)))


@pytest.mark.files
def test_tiny_shakespeare_has_its_alphabet(data_files: Path) -> None:
    samples = nw.data.text(length=100).load()
    assert len(samples.classes) == 65
    assert len(samples.train) == (round(1_115_394 * 0.9) - 1) // 100
    assert isinstance(samples.encoder, TextEncoder)
    assert samples.encoder.decode(samples.train.x[0, :13].tolist()) == "First Citizen"
