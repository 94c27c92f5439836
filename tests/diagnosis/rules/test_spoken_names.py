"""Layers have the names by which the program reaches them, in each sentence of a report."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwise as nw
from netwise.diagnosis.rules.observation import as_written
from netwise.diagnosis.rules.spoken_names import SpokenNames

LAYERS = (
    nw.Layer("0", "Linear", 4, 2),
    nw.Layer("tail.3", "Conv2d", 18, 5),
    nw.Layer("out", "", 5, 1),
)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("4", "net[4]"),
        ("4.weight", "net[4].weight"),
        ("features.0.conv.bias", "features[0].conv.bias"),
        ("decoder.fc2", "decoder.fc2"),
        ("net.0", "net.net[0]"),
        ("layer1", "layer1"),
        ("", ""),
    ],
)
def test_a_path_is_written_as_in_python(name: str, written: str) -> None:
    assert as_written(name, "net") == written


def told(sentence: str) -> nw.Finding:
    wiring = nw.Wiring(module="net", not_reached=("0.weight", "tail.3.bias", "out.weight"))
    names = SpokenNames.of(nw.History({}, LAYERS, wiring=wiring))
    assert names.history.wiring is not None
    assert names.history.wiring.not_reached == ("net[0].weight", "tail[3].bias", "out.weight")
    return names.told(nw.Finding("a", sentence, layers=("net[0]", "out")))


def test_the_first_mention_has_the_class_and_findings_keep_the_names_of_the_module() -> None:
    finding = told("net[0] and tail[3] grow; net[0] most.")
    assert finding.sentence == "net[0] (Linear 4 to 2) and tail[3] (Conv2d) grow; net[0] most."
    assert finding.layers == ("0", "out")


@pytest.mark.parametrize("text", ["net[0].weight", "net[0][3]", "subnet[0]", "net[0] (kept)", "0"])
def test_what_is_only_a_part_of_another_name_is_left_as_it_is(text: str) -> None:
    assert told(f"{text} is.").sentence == f"{text} is."


def test_names_without_numbers_leave_the_history_as_it_is() -> None:
    history = nw.History({}, LAYERS[2:], wiring=nw.Wiring(module="Net", frozen=("out.bias",)))
    assert SpokenNames.of(history).history is history


def test_a_rule_of_the_users_own_reads_the_recorded_names() -> None:
    seen = []
    rule = nw.Rule("mine", "Mine", lambda h: seen.append(h.layers[0].name), "", "")  # type: ignore[func-returns-value, arg-type]
    nw.diagnose(nw.History({}, LAYERS), (rule,))
    assert seen == ["0"]


def test_a_watched_sequential_is_spoken_of_by_its_variable() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(net[2].parameters(), lr=0.1)
    with nw.watch() as w:
        for _ in range(8):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(torch.randn(5, 3)), torch.arange(5) % 2).backward()
            optimizer.step()
    (finding, *_) = nw.diagnose(w).found
    assert "net[0].bias and net[0].weight" in finding.sentence
    assert "net[0].parameters()" in finding.change
    assert finding.layers == ("0",)
