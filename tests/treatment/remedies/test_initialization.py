"""Remedies for initialization and gradient flow: what exactly each changes."""

from __future__ import annotations

import pytest

import netwise as nw

TANH = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 8, 3), activation=nw.Tanh()), init=nw.Normal(std=1.0)
)
LINEAR = TANH.but(network=nw.MLP((4, 3)))


def reason(name: str, recipe: nw.Recipe) -> str:
    answer = nw.remedy(name).apply(recipe)
    assert isinstance(answer, nw.NotApplicable), answer
    return answer.reason


def test_relu_comes_with_its_initialization() -> None:
    expected = TANH.but(network=nw.MLP((4, 8, 8, 3), activation=nw.ReLU()), init=nw.He())
    assert nw.remedy("use_relu").apply(TANH) == expected
    assert reason("use_relu", expected) == "the hidden layers are ReLU already"
    assert reason("use_relu", LINEAR) == "the network has no hidden layer: add one first"


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        (nw.Tanh(), nw.Glorot()),
        (nw.Sigmoid(), nw.Glorot()),
        (nw.Identity(), nw.Glorot()),
        (nw.ReLU(), nw.He()),
        (nw.LeakyReLU(), nw.He()),
    ],
    ids=lambda part: type(part).__name__,
)
def test_the_initialization_fits_the_activation(
    activation: nw.Activation, init: nw.Initializer
) -> None:
    recipe = TANH.but(network=nw.MLP((4, 8, 8, 3), activation=activation))
    treated = nw.remedy("use_fitting_init").apply(recipe)
    assert treated == recipe.but(init=init)
    assert reason("use_fitting_init", treated).endswith("already")


def test_batch_normalization_needs_two_samples_in_a_batch() -> None:
    treated = nw.remedy("use_batch_norm").apply(TANH)
    assert treated == TANH.but(network=TANH.network.but(batch_norm=True))
    assert "already" in reason("use_batch_norm", treated)
    assert "raise batch_size first" in reason("use_batch_norm", TANH.but(batch_size=1))


def test_leaky_relu_is_for_relu_units() -> None:
    relu = TANH.but(network=nw.MLP((4, 8, 3)))
    treated = nw.remedy("use_leaky_relu").apply(relu)
    assert treated == relu.but(network=nw.MLP((4, 8, 3), activation=nw.LeakyReLU()))
    assert reason("use_leaky_relu", TANH) == "the hidden layers are Tanh, whose units do not die"


def test_residual_connections_need_layers_of_equal_width() -> None:
    treated = nw.remedy("use_residual").apply(TANH)
    assert treated == TANH.but(network=TANH.network.but(residual=True))
    assert "equal width" in reason("use_residual", TANH.but(network=nw.MLP((4, 8, 3))))
    plain = nw.CIFARResNet(image=(1, 8, 8), depth=8, plain=True)
    images = nw.Recipe(data=nw.data.digits(), network=plain)
    treated = nw.remedy("use_residual").apply(images)
    assert treated == images.but(network=plain.but(plain=False))


def test_inputs_are_standardised_after_what_is_there() -> None:
    scaled = TANH.but(preprocess=(nw.Standardise(),))
    assert nw.remedy("standardise_inputs").apply(TANH) == scaled
    assert reason("standardise_inputs", scaled) == "the inputs are standardised already"


def test_binary_models_keep_their_inputs_from_0_to_1() -> None:
    for name in ("rbm", "autoencoder", "hopfield"):
        recipe = nw.gallery.healthy[name].recipe
        assert "from 0 to 1" in reason("standardise_inputs", recipe)
