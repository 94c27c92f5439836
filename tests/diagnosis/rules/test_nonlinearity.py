"""Missing nonlinearity is a fact of the layers."""

from __future__ import annotations

import netwise as nw
from histories import found, history, observed
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


def test_what_the_graph_shows_goes_before_recognised_activations() -> None:
    bare = tuple(nw.Layer(n, "Linear", 3, 3, "Identity") for n in "abc")
    odd = tuple(nw.Layer(n, "Linear", 3, 3, "") for n in "abc")
    assert found(nonlinearity.no_nonlinearity(observed(layers=odd, final=0.1, linear=True)))
    assert nonlinearity.no_nonlinearity(observed(layers=bare, linear=False)) is None
    assert found(nonlinearity.no_nonlinearity(observed(layers=bare))).layers == ("a", "b")


def test_a_narrow_linear_map_is_a_fault_where_it_has_not_learned() -> None:
    """A linear autoencoder, or LoRA around a linear layer."""
    narrow = (nw.Layer("a", "Linear", 64, 8, "Identity"), nw.Layer("b", "Linear", 8, 64))
    assert nonlinearity.no_nonlinearity(observed(layers=narrow, final=0.1, linear=True)) is None
    assert found(nonlinearity.no_nonlinearity(observed(layers=narrow, linear=True)))


def test_layers_that_are_nonlinear_themselves_are_no_linear_map() -> None:
    layers = (
        nw.Layer("emb", "Embedding", 8, 16, "Identity"),
        nw.Layer("rnn", "GRU", 16, 48, "Identity"),
        nw.Layer("head", "Linear", 48, 8, "Identity"),
    )
    assert nonlinearity.no_nonlinearity(history(layers=layers)) is None
    assert nonlinearity.no_nonlinearity(history(layers=(layers[0], layers[2]))) is None


def test_heads_beside_each_other_are_not_stacked() -> None:
    heads = (nw.Layer("a", "Linear", 8, 3, "Identity"), nw.Layer("b", "Linear", 8, 1, "Identity"))
    assert nonlinearity.no_nonlinearity(history(layers=heads)) is None
    convolution = nw.Layer("c", "Conv2d", 27, 16, "Identity"), nw.Layer("d", "Linear", 400, 10)
    assert found(nonlinearity.no_nonlinearity(history(layers=convolution)))


def test_an_unknown_activation_is_not_checked() -> None:
    unknown = tuple(nw.Layer(n, "Linear", 3, 3, "") for n in "ab")
    answer = nonlinearity.no_nonlinearity(history(layers=unknown))
    assert isinstance(answer, nw.Unchecked)
    assert "use modules such as nn.ReLU" in answer.reason
