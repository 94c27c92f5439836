"""Remedies against overfitting and underfitting: what exactly each changes."""

from __future__ import annotations

import pytest

import netwise as nw

IRIS = nw.Recipe(data=nw.data.iris(), network=nw.MLP((4, 16, 8, 3)), optimizer=nw.SGD(lr=0.1))


def applied(name: str, recipe: nw.Recipe = IRIS) -> nw.Recipe:
    treated = nw.remedy(name).apply(recipe)
    assert isinstance(treated, nw.Recipe), treated
    return treated


def reason(name: str, recipe: nw.Recipe) -> str:
    answer = nw.remedy(name).apply(recipe)
    assert isinstance(answer, nw.NotApplicable), answer
    return answer.reason


def test_half_of_the_hidden_units_are_dropped() -> None:
    assert applied("add_dropout") == IRIS.but(network=IRIS.network.but(dropout=0.5))
    assert "already" in reason("add_dropout", applied("add_dropout"))
    assert "hidden" in reason("add_dropout", IRIS.but(network=nw.MLP((4, 3))))


def test_a_penalty_is_added_or_made_ten_times_as_strong() -> None:
    once = applied("add_weight_decay")
    assert once.penalty == nw.L2(strength=1e-2)
    assert applied("add_weight_decay", once).penalty == nw.L2(strength=0.1)
    other = IRIS.but(penalty=nw.L1(strength=0.1))
    assert reason("add_weight_decay", other) == "the penalty is L1 already: change its strength"


def test_early_stopping_needs_a_validation_part() -> None:
    assert applied("stop_early").stopping == nw.Patience(10)
    assert reason("stop_early", applied("stop_early")) == "the run stops early already"
    unheld = IRIS.but(data=nw.data.iris(valid=0))
    assert "set data.valid" in reason("stop_early", unheld)


def test_wider_and_narrower_hidden_layers() -> None:
    assert applied("widen").network.widths == (4, 64, 32, 3)
    assert applied("shrink").network.widths == (4, 4, 2, 3)
    assert applied("widen", IRIS.but(network=nw.MLP((4, 3)))).network.widths == (4, 64, 3)
    assert "hidden layer" in reason("shrink", IRIS.but(network=nw.MLP((4, 3))))
    assert "one unit" in reason("shrink", IRIS.but(network=nw.MLP((4, 1, 3))))


def test_one_more_hidden_layer_has_the_width_of_the_last() -> None:
    assert applied("deepen").network.widths == (4, 16, 8, 8, 3)
    assert applied("deepen", IRIS.but(network=nw.MLP((4, 3)))).network.widths == (4, 64, 3)
    assert "LSTM" in reason("deepen", IRIS.but(network=nw.LSTM()))


def test_epochs_are_trebled_up_to_a_million() -> None:
    assert applied("more_epochs", IRIS.but(epochs=7)) == IRIS.but(epochs=21)
    assert applied("more_epochs", IRIS.but(epochs=400_000)).epochs == 1_000_000
    assert "already" in reason("more_epochs", IRIS.but(epochs=1_000_000))


def test_a_batch_grows_up_to_all_training_samples() -> None:
    rows = len(IRIS.data.load().train)
    assert applied("larger_batch", IRIS.but(batch_size=8)) == IRIS.but(batch_size=32)
    assert applied("larger_batch", IRIS.but(batch_size=rows - 1)).batch_size == rows
    assert "already" in reason("larger_batch", IRIS.but(batch_size=rows))


def test_images_are_shifted_and_rows_get_noise() -> None:
    assert applied("more_data").augment == (nw.Noise(std=0.1),)
    digits = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 10)))
    assert applied("more_data", digits).augment == (nw.Shift(pixels=1, fill="border"),)
    assert "augments its samples already" in reason("more_data", applied("more_data"))


def test_all_regularisation_is_removed_and_nothing_else() -> None:
    held = IRIS.but(
        network=IRIS.network.but(dropout=0.9),
        penalty=nw.L2(strength=3.0),
        optimizer=nw.SGD(lr=0.1, weight_decay=0.5),
    )
    assert applied("lighten_brakes", held) == IRIS
    assert "no dropout, penalty or weight decay" in reason("lighten_brakes", IRIS)


@pytest.mark.parametrize("name", ["add_dropout", "widen", "shrink"])
def test_a_custom_network_is_changed_by_hand(name: str) -> None:
    custom = IRIS.but(network=nw.CustomNetwork("torch.nn:Flatten"))
    assert "by_hand" in reason(name, custom)
