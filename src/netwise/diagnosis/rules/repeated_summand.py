"""A loss that counts one summand twice, where another one was meant."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import layers_of, listed, observed
from netwise.history import History


def summand_repeated(history: History) -> Answer:
    """Find a loss with two summands of the same operation, outputs and targets, beside an output
    that no loss uses and whose weights no loss reaches."""
    wiring = observed(history, "losses", "not_reached")
    if isinstance(wiring, Unchecked):
        return wiring
    term = next((term for term in wiring.losses if term.repeated), None)
    layers = layers_of(history, wiring.not_reached)
    if term is None or not wiring.unused_output or not layers:
        return None
    return Finding(
        rule="summand_repeated",
        sentence=(
            f"The loss{f' of {term.place}' if term.place else ''} counts one {term.operation} "
            "twice, with the same outputs and the same targets, and no loss uses the output of "
            f"{listed(layers)}, whose weights get no gradient: one of the two was meant for it."
        ),
        layers=layers,
        steps=(0, history.ended.step),
        evidence=(Evidence("equal summands of the loss", 2.0, 1.0),),
        change="loss = loss_of(first_output, first_target) + loss_of(second_output, second_target)",
    )


SUMMAND_REPEATED = Rule(
    name="summand_repeated",
    title="A summand that the loss counts twice",
    find=summand_repeated,
    explanation=(
        "Of a loss with one summand for each output every output learns its own part. A summand "
        "that stands there twice is learned with twice the rate, and the other output not at all."
    ),
    healthy="A summand of its own for each output.",
    source="Caruana 1997, Multitask learning, section 1",
    explains=("graph_cut",),
    own_loops=True,
    exact=True,
)
