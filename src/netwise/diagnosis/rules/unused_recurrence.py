"""Recurrent layers of which a part is not used: layers, a direction, or the recurrence."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import final_loss_share, has_learned, no_baseline
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.first_batch import (
    BACKWARD_RECURRENCE,
    FORWARD_DIRECTION,
    RECURRENCE_ITSELF,
    STATE,
    UPPER_LAYERS,
)
from netwise.history import History

_SENTENCES = {
    UPPER_LAYERS: (
        "The outputs do not depend on the last of the stacked layers of `{layer}`: a lower layer's "
        "state is read, such as `h_n[0]`, so the layers above get no gradient. The state of the "
        "last layer is `h_n[-1]`."
    ),
    FORWARD_DIRECTION: (
        "The outputs depend on the backward direction of `{layer}` alone: `h_n[-1]` is its state "
        "only, and the forward direction of the last layer gets no gradient. Join both states."
    ),
    BACKWARD_RECURRENCE: (
        "The backward direction of `{layer}` is read at the last place, where it begins: it has "
        "seen one place of the sequence, and its recurrent weights get no gradient. Join the "
        "last states of both directions."
    ),
    STATE: (
        "`{layer}` is called several times in a pass, each time with a state of zeros: its "
        "recurrent weights get no gradient, and nothing is remembered from one place of the "
        "sequence to the next. Give each call the state of the one before."
    ),
}
_JOINED = "states = torch.cat([h_n[-2], h_n[-1]], dim=1)  # forward and backward, of the last layer"
_CHANGES = {
    UPPER_LAYERS: "state = h_n[-1]  # of the last layer; out[:, -1] has the same numbers",
    FORWARD_DIRECTION: _JOINED,
    BACKWARD_RECURRENCE: _JOINED,
    STATE: "for t in range(x.shape[1]):\n    h = self.{layer}(x[:, t], h)  # LSTMCell: (h, c)",
}


def recurrence_unused(history: History) -> Answer:
    """Find a recurrent layer whose upper layers or one of whose directions get a gradient of
    exactly 0 from all outputs.

    A backward direction that is read where it begins does little harm where the other one
    suffices: it is not named in a run that has learned.
    """
    facts = first_batch_fact(history, "unused_recurrence")
    if isinstance(facts, Unchecked):
        return facts
    layer, part = facts.unused_recurrence or "", facts.unused_part
    if not layer or part not in _SENTENCES:
        return None
    if part == BACKWARD_RECURRENCE and has_learned(history):
        return None
    return Finding(
        rule="recurrence_unused",
        sentence=_SENTENCES[part].format(layer=layer),
        layers=(layer,),
        evidence=(Evidence("parts of the layer without a gradient", 1.0, 0.0),),
        change=_CHANGES[part].format(layer=layer),
    )


def sequences_of_one_place(history: History) -> Answer:
    """Find a recurrent layer that gets sequences of one place and starts each from zeros, in a run
    that has not learned: it remembers nothing."""
    facts = first_batch_fact(history, "unused_recurrence")
    if isinstance(facts, Unchecked):
        return facts
    if facts.unused_part != RECURRENCE_ITSELF or has_learned(history):
        return None
    if final_loss_share(history) is None:
        return Unchecked(no_baseline(history))
    layer = facts.unused_recurrence or ""
    return Finding(
        rule="sequences_of_one_place",
        sentence=(
            f"`{layer}` gets sequences of one place and starts each of them from a state of zeros: "
            "its recurrent weights get no gradient, and it remembers nothing. If a row of the "
            "inputs is a sequence, its places belong on the axis of the places, and its features "
            "on the last one."
        ),
        layers=(layer,),
        evidence=(Evidence("places of a sequence", 1.0, 2.0, above=False),),
        change=(
            "x = x.unsqueeze(-1)  # (samples, places, 1), not (samples, 1, places)\n"
            f"self.{layer} = nn.LSTM(1, hidden, batch_first=True)"
        ),
    )


RECURRENCE_UNUSED = Rule(
    name="recurrence_unused",
    title="Recurrent layers or directions that are not used",
    find=recurrence_unused,
    explanation=(
        "A recurrent layer returns the states of all its layers and directions. What is not read "
        "of them is computed for nothing and is never trained, and a direction that is read where "
        "it begins has seen one place."
    ),
    healthy="A gradient in all weights of the recurrent layers.",
    source="PyTorch documentation, torch.nn.GRU: shapes of output and h_n",
    explains=(*CONSEQUENCES, "plateau", "underfitting", "behind_baseline"),
    own_loops=True,
    exact=True,
)

SEQUENCES_OF_ONE_PLACE = Rule(
    name="sequences_of_one_place",
    title="Sequences of one place",
    find=sequences_of_one_place,
    explanation=(
        "A recurrent layer carries a state from place to place. Of one place it is a layer with "
        "gates that has no memory: what the order of the values says is not used."
    ),
    healthy="Sequences of several places, or a state that is carried from call to call.",
    source="PyTorch documentation, torch.nn.LSTM: shape of the input",
    explains=("not_learning", "plateau", "underfitting", "behind_baseline"),
    own_loops=True,
)
