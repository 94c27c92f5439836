"""A mask of padding that leaves out what it should keep."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def padding_mask_inverted(history: History) -> Answer:
    """Find attention whose mask marks all symbols but the padding."""
    facts = first_batch_fact(history, "inverted_mask")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.inverted_mask:
        return None
    layer, _, argument = facts.inverted_mask.partition(": ")
    of_function = argument == "attn_mask"  # of `F.scaled_dot_product_attention`
    value, meaning = ("False", "take part") if of_function else ("True", "leave out")
    right = "x != padding" if of_function else "x == padding"
    return Finding(
        rule="padding_mask_inverted",
        sentence=(
            f"`{argument}` of `{layer}` is {value} at all symbols but the padding. True means to "
            f"{meaning}: attention sees nothing but padding. Pass the opposite, `{right}`."
        ),
        layers=(layer,),
        evidence=(Evidence("places at which the mask is that of the other symbols", 1.0, 0.0),),
        change=f"{argument} = {right}  # True means to {meaning}",
    )


PADDING_MASK_INVERTED = Rule(
    name="padding_mask_inverted",
    title="Padding mask the other way round",
    find=padding_mask_inverted,
    explanation=(
        "Attention layers of torch leave out the places at which a mask of booleans is True. Many "
        "tokenizers give the opposite, 1 for what is real, and so does "
        "`F.scaled_dot_product_attention` take it."
    ),
    healthy="A mask that is True at the padding.",
    source="PyTorch documentation, torch.nn.MultiheadAttention, `key_padding_mask`",
    explains=CONSEQUENCES,
    own_loops=True,
    exact=True,
)
