"""Remedies for autoencoders: what exactly each changes."""

from __future__ import annotations

import netwise as nw

DIGITS = nw.data.digits()
PLAIN = nw.Recipe(
    data=DIGITS, network=nw.Autoencoder((64, 32)), loss=nw.BinaryCrossEntropy(), epochs=1
)
VARIATIONAL = PLAIN.but(network=nw.VariationalAutoencoder((64, 32, 8)))


def reason(name: str, recipe: nw.Recipe) -> str:
    answer = nw.remedy(name).apply(recipe)
    assert isinstance(answer, nw.NotApplicable), answer
    return answer.reason


def test_a_quarter_of_the_inputs_is_masked() -> None:
    masked = PLAIN.but(network=nw.Autoencoder((64, 32), corrupt=(nw.Mask(share=0.25),)))
    assert nw.remedy("corrupt_inputs").apply(PLAIN) == masked
    assert reason("corrupt_inputs", masked) == "the inputs are corrupted already"
    mlp = PLAIN.but(network=nw.MLP((64, 10)))
    assert reason("corrupt_inputs", mlp).startswith("MLP cannot corrupt its inputs")


def test_the_code_gets_a_quarter_of_the_inputs_width() -> None:
    narrow = nw.remedy("narrow_code").apply(PLAIN)
    assert isinstance(narrow, nw.Recipe)
    assert narrow.network.widths == (64, 16)
    assert "already" in reason("narrow_code", narrow)


def test_more_units_of_the_code_get_gradients() -> None:
    kept = PLAIN.but(network=nw.Autoencoder((64, 100), activation=nw.ReLU(), top=2))
    more = nw.remedy("liven_code").apply(kept)
    assert isinstance(more, nw.Recipe)
    assert more.network.top == 20
    sparse = PLAIN.but(network=nw.Autoencoder((64, 32), sparsity=0.5))
    less = nw.remedy("liven_code").apply(sparse)
    assert isinstance(less, nw.Recipe)
    assert less.network.sparsity == 0.05


def test_both_parts_of_a_variational_loss_are_sums() -> None:
    mean = VARIATIONAL.but(loss=nw.BinaryCrossEntropy(outputs="mean"))
    summed = nw.remedy("count_whole_inputs").apply(mean)
    assert summed == mean.but(loss=nw.BinaryCrossEntropy(outputs="sum"))
    assert "already" in reason("count_whole_inputs", summed)
    assert "KL divergence" in reason("count_whole_inputs", PLAIN)


def test_pixels_from_0_to_1_get_a_cross_entropy_and_other_numbers_a_quadratic_loss() -> None:
    squared = VARIATIONAL.but(loss=nw.MeanSquaredError())
    pixels = nw.remedy("count_whole_inputs").apply(squared)
    assert isinstance(pixels, nw.Recipe)
    assert pixels.loss == nw.BinaryCrossEntropy()
    scaled = nw.remedy("count_whole_inputs").apply(squared.but(preprocess=(nw.Standardise(),)))
    assert isinstance(scaled, nw.Recipe)
    assert scaled.loss == nw.Quadratic()


def test_a_tenth_of_the_weight_of_the_divergence() -> None:
    lower = nw.remedy("lower_beta").apply(VARIATIONAL)
    assert isinstance(lower, nw.Recipe)
    assert lower.network.beta == VARIATIONAL.network.beta / 10
    assert reason("lower_beta", PLAIN)
