"""Sampled texts: the likeliest character at temperature 0, others by their probability."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netwise as nw


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> nw.Run:
    path = tmp_path_factory.mktemp("text") / "song.txt"
    path.write_text("abc" * 200)
    network = nw.GRU(symbols=3, features=4, units=12, outputs=3, answers="each")
    data = nw.data.text(path, length=12)
    return nw.fit(nw.Recipe(data=data, network=network, optimizer=nw.Adam(lr=0.02), epochs=10))


def test_the_likeliest_characters_are_those_of_one_forward_pass_each(run: nw.Run) -> None:
    text = nw.sample_text(run, "ab", 6, temperature=0)
    expected = "ab"
    for _ in range(6):  # without any state: the whole text again for each character
        symbols = torch.tensor([["abc".index(c) for c in expected]])
        with torch.no_grad():
            expected += "abc"[int(run.module(symbols)[0, :, -1].argmax())]
    assert text == expected == "abcabcab"


def test_equal_seeds_give_equal_texts_and_modes_stay(run: nw.Run) -> None:
    run.module.train()
    first = nw.sample_text(run, "a", 30, temperature=3.0, seed=1)
    assert nw.sample_text(run, "a", 30, temperature=3.0, seed=1) == first
    assert nw.sample_text(run, "a", 30, temperature=3.0, seed=2) != first
    assert run.module.training
    run.module.eval()


def test_what_cannot_be_sampled_is_refused(run: nw.Run, small: nw.Recipe) -> None:
    with pytest.raises(ValueError, match="prompt = '' is empty: write at least one character"):
        nw.sample_text(run, "")
    with pytest.raises(ValueError, match="temperature = -1 must be at least 0: write 1.0"):
        nw.sample_text(run, "a", temperature=-1)
    with pytest.raises(nw.DataError, match="this run is of MLP on Iris. Use data.text"):
        nw.sample_text(nw.fit(small.but(epochs=1)), "a")


def test_the_length_is_the_number_of_new_characters(run: nw.Run, tmp_path: Path) -> None:
    assert len(nw.sample_text(run, "ab", 5)) == 7
    assert nw.sample_text(run, "ab", 0) == "ab"
