"""Missing nonlinearity is a fact of the layers."""

from __future__ import annotations

import netwise as nw
from histories import found, history
from netwise.diagnosis.rules import nonlinearity


def test_layers_without_an_activation_between_them_are_found() -> None:
    bare = tuple(nw.Layer(n, "Linear", 3, 3, "Identity") for n in "abc")
    finding = found(nonlinearity.no_nonlinearity(history(layers=bare)))
    assert finding.layers == ("a", "b")
    assert finding.sentence == (
        "There is no activation between the 3 layers: together they are one linear map."
    )
    assert nonlinearity.no_nonlinearity(history(layers=bare, final=0.1)) is None  # it learned


def test_one_activation_is_enough() -> None:
    bare = nw.Layer("a", "Linear", 3, 3, "Identity")
    mixed = (bare, nw.Layer("b", "Linear", 3, 3, "ReLU"), bare)
    assert nonlinearity.no_nonlinearity(history(layers=mixed)) is None


def test_an_unknown_activation_is_not_checked() -> None:
    unknown = tuple(nw.Layer(n, "Linear", 3, 3, "") for n in "ab")
    answer = nonlinearity.no_nonlinearity(history(layers=unknown))
    assert isinstance(answer, nw.Unchecked)
    assert "use modules such as nn.ReLU" in answer.reason
