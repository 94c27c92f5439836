"""Gradients with respect to inputs that a loss is computed of, and that are constants for it."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def derivative_without_graph(history: History) -> Answer:
    """Find a loss of the slopes of a network, as a gradient penalty or the residual of a
    differential equation, whose slopes are taken without `create_graph=True`."""
    wiring = observed(history, "optimizers", "input gradients")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.constant_gradients:
        return None
    return Finding(
        rule="derivative_without_graph",
        sentence=(
            f"The derivative that {wiring.constant_gradients} takes with respect to the inputs is "
            "a part of the loss, and has no graph: for the loss it is a constant, which no step "
            "changes. Take it with `create_graph=True`."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("derivatives without a graph in the loss", 1.0, 0.0),),
        change="(slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)",
    )


DERIVATIVE_WITHOUT_GRAPH = Rule(
    name="derivative_without_graph",
    title="Derivative in the loss that is a constant",
    find=derivative_without_graph,
    explanation=(
        "`torch.autograd.grad` gives numbers without a graph, unless it is asked for one. A "
        "penalty, a force or an equation of such numbers is in the value of the loss, and its "
        "gradient with respect to the weights is lost without any error."
    ),
    healthy="`create_graph=True`, or `detach()` where a constant is meant.",
    source="Gulrajani et al. 2017, Improved training of Wasserstein GANs; PyTorch documentation, "
    "torch.autograd.grad",
    explains=CONSEQUENCES,
    own_loops=True,
    exact=True,
)
