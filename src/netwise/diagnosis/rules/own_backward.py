"""Functions whose backward pass is not the derivative of their forward pass."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import generalises
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

# Cosine of the backward pass and the derivative. A gradient that is replaced on purpose keeps its
# direction where there is a derivative; that of other functions than of single numbers may be an
# estimate, whose cosine is low.
OF_NUMBERS, OF_OTHERS = 0.8, 0.3


def backward_misfits(history: History) -> Answer:
    """Find a function with a `backward` of its own that is not the derivative of its `forward`.

    Not of functions that give back their inputs or are constant in pieces: there another gradient
    is meant.
    """
    facts = first_batch_fact(history, "own_backward")
    if isinstance(facts, Unchecked):
        return facts
    limit = OF_NUMBERS if facts.of_numbers else OF_OTHERS
    if not facts.own_backward or facts.agreement is None or facts.agreement >= limit:
        return None
    if not facts.of_numbers and generalises(history):
        return None
    name = facts.own_backward
    return Finding(
        rule="backward_misfits",
        sentence=(
            f"`{name}.backward` is not the derivative of `{name}.forward`: the cosine of what it "
            f"gives and of differences of the function is {facts.agreement:.2f}, and 1 where both "
            "agree"
            + (", over the inputs at which the function has a slope." if facts.of_numbers else ".")
        ),
        evidence=(Evidence("cosine of backward and derivative", facts.agreement, limit, False),),
        strength=(1 - facts.agreement) / (1 - limit),
        change=(
            "x = torch.randn(20, dtype=torch.double, requires_grad=True)\n"
            f"torch.autograd.gradcheck({name}.apply, (x,))  # says which number is wrong\n"
            "# or write `forward` as a plain function of torch, which needs no backward"
        ),
    )


BACKWARD_MISFITS = Rule(
    name="backward_misfits",
    title="Backward pass that is not the derivative",
    find=backward_misfits,
    explanation=(
        "A `torch.autograd.Function` takes its gradient from its own `backward`, whatever its "
        "`forward` computes. A mask that is the wrong way round, a sign or a forgotten factor "
        "sends the layers before it in another direction than down the loss."
    ),
    healthy="A cosine of 1. Straight-through estimators and reversed gradients are not compared.",
    source="PyTorch documentation, Extending PyTorch, and torch.autograd.gradcheck",
    explains=(*CONSEQUENCES, "underfitting", "vanishing_gradient", "rate_too_low"),
    own_loops=True,
    exact=True,
)
