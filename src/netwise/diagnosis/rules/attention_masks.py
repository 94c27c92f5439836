"""Attention that sees the padding of sequences and nothing of their symbols."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def mask_inverted(history: History) -> Answer:
    """Find a mask of attention that leaves out all symbols and none of the padding."""
    facts = first_batch_fact(history, "inverted_mask")
    if isinstance(facts, Unchecked):
        return facts
    name = facts.inverted_mask
    if not name:
        return None
    return Finding(
        rule="mask_inverted",
        sentence=(
            f"The mask of the attention in `{name}` leaves out all symbols of the sequences and "
            "keeps their padding: it is inverted."
        ),
        layers=(name,),
        evidence=(Evidence("symbols that the attention leaves out", 1.0, 0.99, percent=True),),
        strength=2.0,
        grade="cause",
    )


MASK_INVERTED = Rule(
    name="mask_inverted",
    title="Inverted mask of attention",
    find=mask_inverted,
    explanation=(
        "`key_padding_mask` of `nn.MultiheadAttention` and `src_key_padding_mask` of encoders are "
        "true where a place is left out. `attn_mask` of `F.scaled_dot_product_attention`, and the "
        "masks of many other libraries, are true where a place takes part. The wrong way round, "
        "each symbol sees the padding alone."
    ),
    healthy="The padding is left out, and the symbols take part.",
    source="PyTorch documentation, torch.nn.MultiheadAttention",
    explains=("gradient_zero", "vanishing_gradient", *CONSEQUENCES),
    own_loops=True,
    exact=True,
    change=(
        "padding = ids == 0\n"
        "encoder(x, src_key_padding_mask=padding)  # true: left out\n"
        "F.scaled_dot_product_attention(q, k, v, attn_mask=~padding[:, None, None])  # true: used"
    ),
)
