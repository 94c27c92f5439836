"""Outputs that are the same for all inputs before the first step, and stay so."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.first_batch import FirstBatch
from netwise.history import History

INPUTS = "the inputs"  # as `FirstBatch.constant_after`
SOFTMAXES = ("Softmax", "LogSoftmax", "Softmax2d")
RECTIFIERS = ("ReLU", "ReLU6", "Threshold", "Hardshrink", "Softshrink", "Hardtanh")
NORMS = ("LayerNorm", "GroupNorm", "RMSNorm", "BatchNorm1d", "InstanceNorm1d", "InstanceNorm2d")


def constant_output(history: History) -> Answer:
    """Find a network whose outputs do not depend on its inputs, and in which a step along the
    gradient does not change that.

    A last layer of zeros, or a branch that starts at zero, is no finding: its own gradient is not
    zero.
    """
    facts = first_batch_fact(history, "constant_output")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.constant_output:
        return None
    name = facts.constant_after or ""
    return Finding(
        rule="constant_output",
        sentence=f"All samples of the first batch get the same output. {_why(facts, name)}",
        layers=() if name in ("", INPUTS) else (name,),
        evidence=(Evidence("largest difference between outputs", 0.0, 0.0, above=False),),
        strength=2.0,
        change=_change(facts, name),
    )


def _why(facts: FirstBatch, name: str) -> str:
    if name == INPUTS:
        return "No layer gets the inputs: `forward` computes with something else."
    if not name:
        return "No single layer shows where the inputs are lost."
    kind = facts.constant_kind
    start = f"The inputs are lost in `{name}` ({kind})"
    if kind in SOFTMAXES:
        return f"{start}: over an axis with one unit it always gives the same number."
    if kind in RECTIFIERS:
        return f"{start}: no unit is in its active range for any sample."
    if kind in NORMS:
        return f"{start}: it normalises one value at a time, which leaves nothing of it."
    return f"{start}: its outputs are the same for all samples, though its inputs are not."


def _change(facts: FirstBatch, name: str) -> str:
    if facts.constant_kind in SOFTMAXES:
        return "# one output unit: no softmax, and F.binary_cross_entropy_with_logits(output, y)"
    if facts.constant_kind in RECTIFIERS:
        return "nn.init.zeros_(layer.bias)  # of the layer before it, and standardised inputs"
    return ""


CONSTANT_OUTPUT = Rule(
    name="constant_output",
    title="Outputs that do not depend on the inputs",
    find=constant_output,
    explanation=(
        "Somewhere between inputs and outputs all samples become equal: units that are never "
        "active, a softmax of one unit, a variable that was not passed on. No gradient leads back."
    ),
    healthy="Outputs differ between samples, or do so after one step along the gradient.",
    source="Karpathy 2019, A recipe for training neural networks",
    explains=("gradient_zero", "start_symmetric", *CONSEQUENCES),
    own_modules=True,
    exact=True,
)
