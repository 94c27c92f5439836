"""One layer that stands several times in a list, so that a deep network has the weights of one
layer."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.history import History


def layer_repeated(history: History) -> Answer:
    """Find a layer with weights that stands several times in one list and gets its own results.

    Recurrent use and weights that are shared on purpose look alike: this is always a suspect.
    """
    facts = first_batch_fact(history, "repeated_layer")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.repeated_layer:
        return None
    place, _, kind = facts.repeated_layer.partition(": ")
    count = facts.repeated_times
    return Finding(
        rule="layer_repeated",
        sentence=(
            f"`{place}` has one and the same {kind} {count} times, with one set of weights. "
            "`[layer] * n` repeats one object, and a layer that is made before a list and named in "
            "it twice is one. If the weights are meant to be shared, as in ALBERT or a network "
            "that is applied again and again, nothing is wrong."
        ),
        evidence=(Evidence("places of one layer in a list", float(count), 1.0),),
        change=f"nn.ModuleList([{kind}(...) for _ in range({count})])  # one for each place",
    )


LAYER_REPEATED = Rule(
    name="layer_repeated",
    title="One layer at several places",
    find=layer_repeated,
    explanation=(
        "A list in Python holds references: `[block] * 6` are six names of one block. The network "
        "is as deep as it looks, with the weights of one block, and a batch norm among them mixes "
        "the statistics of all places."
    ),
    healthy="Each place of a stack has a layer with weights of its own.",
    source="PyTorch documentation, torch.nn.ModuleList; Lan et al. 2020, arXiv 1909.11942: weights "
    "that are shared on purpose",
    explains=("underfitting",),
    own_loops=True,
)
