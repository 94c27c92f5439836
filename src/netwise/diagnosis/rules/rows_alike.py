"""One answer for all samples of a batch."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import generalises
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def one_answer_for_batch(history: History) -> Answer:
    """Find outputs that are the same for all samples of a batch, whatever the weights are, where a
    loss compares them with targets of the samples.

    Outputs that are no part of a loss may well be one for all, as a summary of the batch.
    """
    facts = first_batch_fact(history, "alike_since")
    if isinstance(facts, Unchecked):
        return facts
    terms = () if history.wiring is None else history.wiring.losses
    if not facts.alike_since or not any(
        len(term.output_shape) == len(facts.alike_shape)
        and term.output_shape[1:] == facts.alike_shape[1:]
        and term.target_shape[:1] == term.output_shape[:1]
        for term in terms
        if not term.penalty
    ):
        return None
    if generalises(history):
        return None
    at = f" ({facts.alike_at})" if facts.alike_at else ""
    return Finding(
        rule="one_answer_for_batch",
        sentence=(
            f"All {facts.alike_shape[0]} samples of a batch get the same outputs, which depend on "
            f"the batch as a whole: since `{facts.alike_since}`{at} all rows are equal. A mean, a "
            "sum or a largest value over all samples is taken before; take it for each sample by "
            "itself."
        ),
        layers=tuple(layer.name for layer in history.layers[-1:]),
        evidence=(Evidence("different rows of outputs", 1.0, 2.0, above=False),),
        strength=float(facts.alike_shape[0]),
        change=(
            "x.mean(1)  # over the places of each sample, not x.mean(0)\n"
            "# nodes of several graphs: global_mean_pool(x, batch), or\n"
            "sums = x.new_zeros(graphs, x.size(1)).index_add(0, batch, x)\n"
            "means = sums / torch.bincount(batch, minlength=graphs)[:, None]"
        ),
    )


ONE_ANSWER_FOR_BATCH = Rule(
    name="one_answer_for_batch",
    title="One answer for all samples of a batch",
    find=one_answer_for_batch,
    explanation=(
        "Where all samples get one row of outputs, the loss is that of a constant for each batch, "
        "and nothing tells one sample from another. A readout of a graph network without the "
        "numbers of the graphs, or a mean over the axis of the samples, does this."
    ),
    healthy="Rows of outputs that differ as the samples do.",
    source="Fey, Lenssen 2019, Fast graph representation learning with PyTorch Geometric (pooling "
    "needs the vector of batch numbers)",
    explains=("plateau", "one_answer", "labels_suspect", "outputs_collapse", *CONSEQUENCES),
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
)
