"""Outputs that are the same for all inputs before the first step, and stay so; a softmax of one
unit."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.first_batch import INPUTS, OUTPUT_RECTIFIER, RECTIFIER, SOFTMAX_OF_ONE, FirstBatch
from netwise.history import History

# Operations that keep a part of a tensor.
SELECTIONS = ("getitem", "select", "narrow", "index_select", "gather", "chunk", "split", "unbind")

# Of single values: minus their mean these are 0.
NORMALIZATIONS = ("layer_norm", "group_norm", "instance_norm")


def constant_output(history: History) -> Answer:
    """Find a network whose outputs do not depend on its inputs, because it does not get them, keeps
    a part of a result that does not depend on them, or has rectified outputs that are 0 for all
    samples.

    A last layer of zeros, or a branch that starts at zero, is no finding: a step along the gradient
    changes that. Nor are saturated units: their gradient is small, not zero.
    """
    facts = first_batch_fact(history, "constant_output")
    if isinstance(facts, Unchecked):
        return facts
    kinds = (OUTPUT_RECTIFIER, *SELECTIONS, *NORMALIZATIONS)
    certain = facts.constant_after == INPUTS or facts.constant_kind in kinds
    if not facts.constant_output or not certain:
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


def softmax_of_one_unit(history: History) -> Answer:
    """Find a softmax over an axis with one unit, behind which nothing of the inputs is left, or one
    inside of the network over the single unit of a layer."""
    inner = first_batch_fact(history, "unit_softmax")
    if not isinstance(inner, Unchecked) and inner.unit_softmax:
        return _inner_softmax(inner)
    facts = first_batch_fact(history, "constant_output")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.constant_output or facts.constant_kind != SOFTMAX_OF_ONE:
        return None
    name = facts.constant_after or ""
    where = f" in `{name}`" if name else ""
    return Finding(
        rule="softmax_of_one_unit",
        sentence=(
            f"The softmax{where} runs over an axis with one unit, where it is always 1: all "
            "samples get the same output."
        ),
        layers=(name,) if name else (),
        evidence=(Evidence("units that the softmax compares", 1.0, 2.0, above=False),),
        strength=2.0,
    )


def _inner_softmax(facts: FirstBatch) -> Finding:
    of = f" of `{facts.unit_softmax_of}`" if facts.unit_softmax_of else ""
    at = f" ({facts.unit_softmax_at})" if facts.unit_softmax_at else ""
    result, what = "1", facts.unit_softmax or ""
    if what.startswith("log"):
        result = "0"
    return Finding(
        rule="softmax_of_one_unit",
        sentence=(
            f"The {what}{at} runs over the single unit{of}: all of its results are {result}, and "
            "its inputs get no gradient. Take the axis of what is to be weighed, such as that of "
            "the places of a sequence."
        ),
        layers=(facts.unit_softmax_of,) if facts.unit_softmax_of else (),
        evidence=(Evidence("units that the softmax compares", 1.0, 2.0, above=False),),
        strength=2.0,
        change="weights = torch.softmax(scores, dim=1)  # scores of shape (batch, places, 1)",
    )


def dead_at_start(history: History) -> Answer:
    """Find rectifiers inside of the network that are 0 for all units and all samples before the
    first step."""
    facts = first_batch_fact(history, "constant_output")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.constant_output or facts.constant_kind != RECTIFIER:
        return None
    name = facts.constant_after or ""
    return Finding(
        rule="dead_at_start",
        sentence=f"Before the first step {_rectifier(name)} is 0 for all units and all samples.",
        layers=(name,) if name else (),
        evidence=(Evidence("units that are active for a sample", 0.0, 0.0, above=False),),
        strength=2.0,
    )


def _rectifier(name: str) -> str:
    return f"the rectifier in `{name}`" if name else "a rectifier"


def _why(facts: FirstBatch, name: str) -> str:
    if name == INPUTS:
        return "No layer gets the inputs: `forward` computes with something else."
    if facts.constant_kind in SELECTIONS:
        where = f"`{name}`" if name else "`forward`"
        return (
            f"The part that an index in {where} keeps is the same for all of them: look at the "
            "axis that it is taken from. Layers of sequences without `batch_first=True` have the "
            "axes (time, batch, features)."
        )
    if facts.constant_kind in NORMALIZATIONS:
        what = f"The normalization in `{name}`" if name else "A normalization"
        return (
            f"{what} is over single values, as over one unit: minus their mean these are 0, and "
            "nothing of the inputs is left."
        )
    return f"The outputs are 0, because {_rectifier(name)} ends the network: it has no gradient."


def _change(facts: FirstBatch, name: str) -> str:
    if name == INPUTS:
        return ""
    if facts.constant_kind in SELECTIONS:
        return "h[:, 0]  # the first place of each sample, where h is (batch, time, features)"
    if facts.constant_kind in NORMALIZATIONS:
        return "return self.last(h)  # no normalization of one unit"
    return "return self.last(h)  # no ReLU on the outputs"


CONSTANT_OUTPUT = Rule(
    name="constant_output",
    title="Outputs that do not depend on the inputs",
    find=constant_output,
    explanation=(
        "Somewhere between inputs and outputs all samples become equal: a ReLU on "
        "the outputs, a variable that was not passed on. No gradient leads back."
    ),
    healthy="Outputs differ between samples, or do so after one step along the gradient.",
    source="Karpathy 2019, A recipe for training neural networks",
    explains=("gradient_zero", "start_symmetric", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change=(
        "for layer in model.modules():  # units that are never active\n"
        '    if hasattr(layer, "reset_parameters"):\n'
        "        layer.reset_parameters()\n"
        "# in forward: x = self.fc1(x), each line uses the x of the line before"
    ),
)
SOFTMAX_OF_ONE_UNIT = Rule(
    name="softmax_of_one_unit",
    title="Softmax of one unit",
    find=softmax_of_one_unit,
    explanation=(
        "A softmax divides each number by the sum along its axis. Of one number that gives 1, "
        "whatever it is, and its gradient is 0. One output for two classes needs a sigmoid."
    ),
    healthy="A softmax over at least two units, or one output with a sigmoid.",
    source="Humbatova et al. 2020, Taxonomy of real faults in deep learning systems",
    explains=("gradient_zero", "output_misfits_loss", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change="loss = F.binary_cross_entropy_with_logits(output, y)  # and no softmax",
)
DEAD_AT_START = Rule(
    name="dead_at_start",
    title="ReLU units that are dead from the start",
    find=dead_at_start,
    explanation=(
        "A rectifier that is 0 for each sample passes on no gradient: the layers before it never "
        "change, and what comes after it sees a constant. Very negative biases, or inputs far from "
        "0, cause it."
    ),
    healthy="About half of the units are active for each sample.",
    source="Maas, Hannun, Ng 2013",
    explains=("gradient_zero", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change="nn.init.zeros_(layer.bias)  # of the layer before it; and standardise the inputs",
)
