"""Losses whose formula fails for outputs that a network can give: logarithms of 0, quotients by 0,
roots at 0."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History
from netwise.wiring import Wiring

# Of a logarithm: float32 has no numbers between 0 and 1e-45, so that almost half of the way of the
# outputs to it is done. Sound networks with such a loss have 1e-16 and more.
SMALLEST = 1e-20

# What to write instead of an operation, and as code.
INSTEAD = {
    "Log": (
        (
            "Compute it from logits, by `log_softmax` or a loss of torch, or take the logarithm of "
            "`x.clamp(min=1e-8)`."
        ),
        "loss = torch.nn.functional.cross_entropy(logits, y)  # instead of the logarithm",
    ),
    "Exp": (
        (
            "An exponential of outputs overflows where a softmax does not: use `log_softmax` or "
            "`nn.CrossEntropyLoss()` on the outputs."
        ),
        "loss = torch.nn.functional.cross_entropy(logits, y)  # instead of exp and a quotient",
    ),
    "Sqrt": (
        "The slope of a root is infinite at 0: add a small number inside of it.",
        "distance = (square + 1e-8).sqrt()",
    ),
    "Div": ("Add a small number to the divisor.", "quotient = a / (b + 1e-8)"),
}


def unstable_loss(history: History) -> Answer:
    """Find a loss that gave a value that is not finite by an operation of its own, or takes the
    logarithm of numbers that are almost 0."""
    wiring = observed(history, "not_finite")
    if isinstance(wiring, Unchecked):
        return wiring
    kind = wiring.not_finite_in_loss
    if not kind:
        return _nearly(wiring, history)
    step = wiring.not_finite_step or 0
    instead, change = INSTEAD.get(kind.removesuffix("2").removesuffix("10"), INSTEAD["Div"])
    text = wiring.not_finite.rstrip(".")
    return Finding(
        rule="unstable_loss",
        sentence=f"{text}. This operation is between the outputs and the loss. {instead}",
        steps=(step, max(step, history.ended.step)),
        evidence=(Evidence("values that are not finite", 1.0, 0.0),),
        grade="cause",
        change=change,
    )


def _nearly(wiring: Wiring, history: History) -> Finding | None:
    """A logarithm of numbers that nothing keeps from 0, and that are nearly there."""
    small = [t for t in wiring.losses if t.lowest is not None and 0 <= t.lowest < SMALLEST]
    if not small or wiring.not_finite:
        return None
    term = small[0]
    place = f" of {term.place}" if term.place else ""
    instead, change = INSTEAD["Log"]
    return Finding(
        rule="unstable_loss",
        sentence=(
            f"The loss{place} takes the logarithm of numbers as small as {term.lowest:.2g}; at 0 "
            f"it is infinite, and the weights are lost. {instead}"
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("smallest number in the logarithm", term.lowest or 0.0, SMALLEST, above=False),
        ),
        change=change,
    )


UNSTABLE_LOSS = Rule(
    name="unstable_loss",
    title="Numerically unstable loss",
    find=unstable_loss,
    explanation=(
        "A softmax of float32 numbers is exactly 0 where an output is 104 below the largest, and "
        "its logarithm infinite; one such sample makes all weights nan. Functions of torch that "
        "take logits compute the same loss without this."
    ),
    healthy="A finite loss and gradient for outputs of any size.",
    source=(
        "Goodfellow, Bengio, Courville 2016, Deep Learning, section 4.1; PyTorch documentation, "
        "torch.nn.functional.log_softmax"
    ),
    explains=("not_finite", "gradient_zero", *CONSEQUENCES),
    own_loops=True,
)
