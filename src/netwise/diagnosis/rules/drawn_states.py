"""Recurrent layers that start each pass from random numbers."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import opponents
from netwise.history import History

LIMIT = 0.01  # of the variance of the outputs: less than a hundredth is forgotten on the way


def hidden_state_random(history: History) -> Answer:
    """Find a recurrent layer whose first hidden state is drawn at random in each pass, in
    evaluation mode too, so that equal inputs have different outputs.

    A network with an opponent makes samples of such numbers on purpose.
    """
    facts = first_batch_fact(history, "drawn_state")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.drawn_state or opponents(history):
        return None
    share = facts.evaluation_noise
    if share is None or share < LIMIT:
        return None
    return Finding(
        rule="hidden_state_random",
        sentence=(
            f"`{facts.drawn_state}` starts from a hidden state that `forward` draws at random, in "
            f"evaluation mode too: {100 * share:.2g} % of the variance of the first outputs is "
            "noise, and equal inputs get different outputs. Start from zeros, which is what the "
            "layer does without a state, or from a weight."
        ),
        layers=(facts.drawn_state,),
        evidence=(
            Evidence("noise / variance of the outputs in evaluation", share, LIMIT, True, True),
        ),
        strength=share / LIMIT,
        change=f"output, state = self.{facts.drawn_state}(x)  # starts from zeros",
    )


HIDDEN_STATE_RANDOM = Rule(
    name="hidden_state_random",
    title="Hidden state drawn at random",
    find=hidden_state_random,
    explanation=(
        "The first hidden state of a recurrent layer is an input like any other. Random numbers "
        "there are noise that the layer has to forget before it can remember, in each sequence, "
        "and with which predictions change from call to call."
    ),
    healthy="A first state of zeros, of learned numbers, or computed from the inputs.",
    source="PyTorch documentation, torch.nn.LSTM: states default to zeros",
    explains=("underfitting", "not_learning"),
    own_loops=True,
    exact=True,
)
