"""Slips in a `forward`: an argument that nothing depends on, a value that is joined with itself."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import has_learned
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

EXPLAINED = (*CONSEQUENCES, "plateau", "underfitting", "behind_baseline", "gradient_zero")


def input_unused(history: History) -> Answer:
    """Find an argument of the module that no output depends on, in a run that has not learned: code
    may take arguments that only some of its modules need."""
    facts = first_batch_fact(history, "unused_input")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.unused_input or has_learned(history):
        return None
    return Finding(
        rule="input_unused",
        sentence=(
            f"No output depends on `{facts.unused_input}`: with its rows in another order all "
            "outputs stay the same, whatever the weights are. Look in `forward` for the place "
            "where another argument is used in its stead."
        ),
        evidence=(Evidence("arguments that no output depends on", 1.0, 0.0),),
        change=f"def forward(self, ...):  # `{facts.unused_input}` goes into a layer",
    )


def joined_with_itself(history: History) -> Answer:
    """Find a sum or a concatenation of a hidden value with itself."""
    facts = first_batch_fact(history, "joined")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.joined:
        return None
    where = f" in {facts.joined_at}" if facts.joined_at else ""
    return Finding(
        rule="joined_with_itself",
        sentence=(
            f"`forward` joins one value with itself ({facts.joined}{where}), which adds nothing. "
            "If this is the connection around a block or to a decoder, the value from before it "
            "is missing."
        ),
        evidence=(Evidence("values that are joined with themselves", 1.0, 0.0),),
        change=(
            "skip = x            # keep it before the layers of the block\n"
            "x = self.layers(x) + skip   # or torch.cat([x, skip], dim=1)"
        ),
    )


INPUT_UNUSED = Rule(
    name="input_unused",
    title="An argument that no output depends on",
    find=input_unused,
    explanation=(
        "What a network is given and does not use it cannot learn from. Two views of a sample that "
        "are compared are equal if both come from one of them."
    ),
    healthy="Outputs that change with each argument.",
    source="a perturbation of each argument, as of a sensitivity analysis (Saltelli et al. 2008)",
    explains=EXPLAINED,
    own_loops=True,
    exact=True,
)

JOINED_WITH_ITSELF = Rule(
    name="joined_with_itself",
    title="A value that is joined with itself",
    find=joined_with_itself,
    explanation=(
        "A connection around layers lets values and gradients pass by them, and one from an "
        "encoder to a decoder brings what was lost on the way. The same value twice does neither."
    ),
    healthy="Sums and concatenations of different values.",
    source=(
        "He, Zhang, Ren, Sun 2016, Deep residual learning, equation 1; Ronneberger, Fischer, Brox "
        "2015, U-Net, section 2"
    ),
    explains=("vanishing_gradient", *EXPLAINED),
    own_loops=True,
)
