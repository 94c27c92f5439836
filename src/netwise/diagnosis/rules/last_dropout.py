"""Dropout behind the last layer."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.history import History, Layer
from netwise.wiring import LossTerm

OF_LOSSES = ("LogSoftmax", "Softmax", "Sigmoid", "Sub")  # between the outputs and a loss


def dropout_of_outputs(history: History) -> Answer:
    """Find outputs that go from dropout straight into the loss."""
    facts, wiring = first_batch_fact(history, "last_dropout"), history.wiring
    if isinstance(facts, Unchecked):
        return facts
    if wiring is None:
        return Unchecked(NOT_OBSERVED)
    place = facts.last_dropout
    if not place or not history.layers:
        return None
    last = history.layers[-1].name
    if " and " in wiring.module and place.split(".")[0] != last.split(".")[0]:
        return None  # another module gets these outputs
    if not any(_takes(term, history.layers[-1]) for term in wiring.losses):
        return None
    return Finding(
        rule="dropout_of_outputs",
        sentence=(
            f"`{place}` is a dropout behind the last layer: in training it sets outputs to zero at "
            "random before they are compared with the targets, which no weights can answer. Move "
            "it in front of the last layer."
        ),
        layers=(place,),
        evidence=(Evidence("dropouts behind the last layer", 1.0, 0.0),),
        change="nn.Sequential(..., nn.Dropout(p), nn.Linear(width, outputs))  # this order",
    )


def _takes(term: LossTerm, last: Layer) -> bool:
    """Whether a loss gets the results of the last layer, with no operation between but dropout and
    those of the loss, such as a product with the weights of an embedding."""
    if not term.operation or term.penalty or not term.chain:
        return False
    between = [each for each in term.chain[:-1] if each not in OF_LOSSES]
    return not between and last.fan_out in (1, *term.output_shape[-1:])


DROPOUT_OF_OUTPUTS = Rule(
    name="dropout_of_outputs",
    title="Dropout behind the last layer",
    find=dropout_of_outputs,
    explanation=(
        "Dropout hides units so that the layer behind it does not rely on single ones. Behind the "
        "last layer there is none: what it hides is the answer itself, so that the loss has a "
        "floor and the answers of evaluation have another scale than those of training."
    ),
    healthy="Dropout between layers, and none of the outputs.",
    source="Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, Dropout, section 4",
    explains=("not_learning", "plateau", "underfitting", "behind_baseline"),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
)
