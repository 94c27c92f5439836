"""Padding that counts in the loss."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

LIMIT = 0.25  # share of the targets: of fewer most of the gradient is that of real symbols
MOST = 0.5  # beyond it more targets are padding than not


def padding_in_loss(history: History) -> Answer:
    """Find sequences whose padding is a target like any other: most of the loss is about symbols
    that are known without the inputs."""
    wiring = observed(history, "losses", "data")
    if isinstance(wiring, Unchecked):
        return wiring
    data = history.data
    if data is None:
        return Unchecked("no batches of training were kept together with their targets")
    if data.padded_targets is None:
        return None
    share, symbol = data.padded_targets
    if share < LIMIT:
        return None
    return Finding(
        rule="padding_in_loss",
        sentence=(
            f"{100 * share:.0f} % of the targets are padding (class {symbol}, where the inputs are "
            "padded), and the loss counts them like all others: it falls, and an accuracy over all "
            f"places rises, by answers of {symbol} alone. Leave them out with "
            f"`ignore_index={symbol}`, in the loss and in the score."
        ),
        evidence=(Evidence("targets that are padding", share, LIMIT, percent=True),),
        strength=share / LIMIT,
        grade="cause" if share > MOST else "suspect",
        change=(
            f"criterion = nn.CrossEntropyLoss(ignore_index={symbol})\n"
            f"right = (output.argmax(-1) == y)[y != {symbol}]  # the accuracy of real symbols"
        ),
    )


PADDING_IN_LOSS = Rule(
    name="padding_in_loss",
    title="Padding that counts in the loss",
    find=padding_in_loss,
    explanation=(
        "Sequences of different lengths are filled up to one length. What is filled in is no "
        "target: the network learns it in a few steps, and the mean over all places hides how "
        "little it knows of the others, while their gradient is divided by the number of all."
    ),
    healthy="A loss and a score over the real places alone: `ignore_index`, or a mask.",
    source="PyTorch documentation, torch.nn.CrossEntropyLoss, `ignore_index`",
    explains=("class_imbalance", "answers_majority", "one_answer", "plateau", "not_learning"),
    own_loops=True,
)
