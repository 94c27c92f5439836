"""One layer at several places, and hidden states that are drawn."""

from __future__ import annotations

import netwise as nw
from histories import found, history, observed
from netwise.diagnosis.rules.carried_states import hidden_state_carried
from netwise.diagnosis.rules.drawn_states import hidden_state_random
from netwise.diagnosis.rules.repeated_layers import layer_repeated


def run(**facts: object) -> nw.History:
    return history().but(first_batch=nw.FirstBatch(**facts))  # type: ignore[arg-type]


def test_one_layer_at_several_places() -> None:
    finding = found(layer_repeated(run(repeated_layer="encoder.layers: Block", repeated_times=6)))
    assert finding.grade == "suspect"
    assert "`encoder.layers` has one and the same Block 6 times" in finding.sentence
    assert finding.change.startswith("nn.ModuleList([Block(...) for _ in range(6)])")
    assert layer_repeated(run(repeated_layer="")) is None
    assert isinstance(layer_repeated(run()), nw.Unchecked)


def test_a_hidden_state_that_is_drawn() -> None:
    finding = found(hidden_state_random(run(drawn_state="rnn", evaluation_noise=0.2)))
    assert finding.layers == ("rnn",)
    assert "20 %" in finding.sentence


def test_a_state_that_is_forgotten_or_not_drawn() -> None:
    assert hidden_state_random(run(drawn_state="rnn", evaluation_noise=1e-4)) is None
    assert hidden_state_random(run(drawn_state="", evaluation_noise=0.2)) is None
    assert isinstance(hidden_state_random(run(evaluation_noise=0.2)), nw.Unchecked)


def test_a_hidden_state_of_another_batch() -> None:
    def answer(noise: float, worth: float, error: float, unexplained: float) -> object:
        numbers = (noise, worth, error, unexplained)
        return hidden_state_carried(observed(carried_state="rnn", carried_worth=numbers))

    finding = found(answer(0.13, 0.0, 0.03, 0.3))
    assert finding.grade == "cause"
    assert "`rnn` begins each batch with the hidden state of the batch before" in finding.sentence
    assert answer(0.01, 0.0, 0.03, 0.3) is None  # forgotten on the way
    assert answer(0.4, 1.0, 0.03, 0.3) is None  # it is of use
    assert answer(0.13, 0.1, 0.2, 0.3) is None  # too few batches to say so
    assert answer(0.13, 0.0, 0.03, 0.97) is None  # nothing was learned yet
    assert hidden_state_carried(observed()) is None
