"""Outputs of the network in the place of the targets, and targets in that of the outputs."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def loss_arguments_swapped(history: History) -> Answer:
    """Find a cross-entropy whose graph runs through its second argument alone."""
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    term = next((term for term in wiring.losses if term.swapped), None)
    if term is None:
        return None
    place = f" of {term.place}" if term.place else ""
    return Finding(
        rule="loss_arguments_swapped",
        sentence=(
            f"The {term.operation}{place} gets the targets as its first argument and the outputs "
            "of the network as its second: it takes the logarithm of the targets, and its gradient "
            "has no lowest place. Write `loss(output, target)`."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("losses whose arguments are swapped", 1.0, 0.0),),
    )


LOSS_ARGUMENTS_SWAPPED = Rule(
    name="loss_arguments_swapped",
    title="Outputs and targets swapped in the loss",
    find=loss_arguments_swapped,
    explanation=(
        "PyTorch's losses are `loss(output, target)`; those of Keras and scikit-learn take the "
        "targets first. A squared error is the same either way, a cross-entropy is not: as a "
        "function of the targets it is a straight line, which falls without end."
    ),
    healthy="The graph of the loss leads to its first argument.",
    source="PyTorch documentation, BCELoss and CrossEntropyLoss",
    explains=(
        "loss_misfits_task",
        "targets_misfit_loss",
        "output_misfits_loss",
        "loss_rewards_errors",
        "unstable_loss",
        "gradient_zero",
        *CONSEQUENCES,
    ),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
    change="loss = criterion(output, target)  # instead of criterion(target, output)",
)
