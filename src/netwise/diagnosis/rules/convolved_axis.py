"""A convolution that takes time steps, or rows of pixels, for channels."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.outcome import has_learned
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History

MANY = 8  # channels of the inputs, of which few are the rule
FEW = 4  # channels of a picture
ALIKE = 0.5  # correlation of neighbours in time or in a picture
APART = 0.2  # the same of channels


def axes_exchanged(history: History) -> Answer:
    """Find a first convolution that gets inputs with their channels in the last place: what it
    takes for channels are neighbours of one another, and it slides along the channels."""
    facts = first_batch_fact(history, "convolved")
    if isinstance(facts, Unchecked):
        return facts
    shape, places = facts.convolved or (), facts.places_alike
    if len(shape) < 3 or len(places) != len(shape) - 2:
        return None
    if shape[1] < MANY:
        return None
    are_neighbours = facts.channels_alike >= ALIKE
    last = shape[-1]
    if len(shape) == 3:
        apart = are_neighbours and last < shape[1] and places[-1] <= APART
        exchanged = 1 < last <= FEW or apart
        meant, order = "(samples, channels, time)", "0, 2, 1"
    else:
        exchanged = last <= FEW and shape[2] >= MANY
        meant, order = "(samples, channels, height, width)", "0, 3, 1, 2"
    if not exchanged:
        return None
    alike = (
        f", though neighbours there correlate with {facts.channels_alike:.2g}"
        if are_neighbours
        else ""
    )
    return Finding(
        rule="axes_exchanged",
        sentence=(
            f"{facts.convolved_by or 'The first convolution'} gets {shape}: it takes the "
            f"{shape[1]} places of axis 1 for channels{alike}, and slides along an axis of {last}, "
            f"which look like the channels. It wants {meant}."
        ),
        layers=tuple(x.name for x in history.layers if x.name == facts.convolved_by),
        evidence=(
            Evidence("places taken for channels", float(shape[1]), float(MANY)),
            Evidence("places that it slides along", float(last), float(FEW), above=False),
        ),
        strength=shape[1] / MANY,
        grade="cause" if are_neighbours and not has_learned(history) else "suspect",
        change=f"x = x.permute({order})  # before the first convolution",
    )


AXES_EXCHANGED = Rule(
    name="axes_exchanged",
    title="Channels in the place of another axis",
    find=axes_exchanged,
    explanation=(
        "torch's convolutions take axis 1 for the channels; other libraries take the last one. "
        "Where the axes are exchanged, each time step or row of pixels has weights of its own and "
        "the filters slide from one sensor or colour to the next."
    ),
    healthy="Filters that slide along time, or along height and width.",
    source="PyTorch documentation, torch.nn.Conv1d (N, C, L) and Conv2d (N, C, H, W)",
    explains=("behind_baseline", "plateau", "overfitting", "underfitting", *CONSEQUENCES),
    own_loops=True,
)
