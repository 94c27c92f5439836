"""Frozen layers with random weights."""

from __future__ import annotations

import pytest

import netwise as nw
from histories import found, observed
from netwise.diagnosis.rules.frozen_layers import frozen_layers

NAMES = ("layer2.weight", "layer4.weight")


def run(final: float = 2.3, fresh: tuple[str, ...] = NAMES, trainable: int = 4) -> nw.History:
    return observed(final=final, frozen=NAMES, frozen_at_start=fresh, trainable=trainable)


def test_frozen_random_layers_of_a_run_that_has_not_learned() -> None:
    finding = found(frozen_layers(run()))
    assert finding.layers == ("layer2", "layer4")
    assert "the last layer among them" in finding.sentence
    assert "last layer" not in found(frozen_layers(run(fresh=NAMES[:1]))).sentence


@pytest.mark.parametrize(
    "sound",
    [run(final=0.1), run(fresh=()), run(trainable=0)],
    ids=["learned", "trained before", "all frozen, which another rule says"],
)
def test_frozen_layers_that_are_no_fault(sound: nw.History) -> None:
    assert frozen_layers(sound) is None


def test_an_unknown_outcome_is_not_checked() -> None:
    assert isinstance(frozen_layers(run().but(facts=nw.RunFacts())), nw.Unchecked)


def test_a_frozen_embedding_of_random_rows_is_a_suspect() -> None:
    run = observed(trainable=2, frozen=("words.weight",), drawn_embeddings=("words.weight",))
    finding = found(frozen_layers(run))
    assert finding.sentence.startswith("words requires no gradient, and its rows cannot be told")
    assert finding.change.startswith("self.words = nn.Embedding.from_pretrained(")
    assert finding.grade == "suspect"
    names = ("base.weight", "words.weight")  # an adapter beside a base
    base = observed(trainable=2, frozen=names, drawn_embeddings=names[1:], final=0.1)
    assert frozen_layers(base) is None
