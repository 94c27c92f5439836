"""What of the inputs does not reach the outputs, in runs that learn nothing: the order of places,
symbols before padding, the level of each sample; and labels that are others each time."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.first_batch_facts import first_batch_fact
from netwise.diagnosis.rules.not_learning import not_learning
from netwise.diagnosis.rules.observation import NOT_OBSERVED
from netwise.diagnosis.rules.outcome import simple_score, skill
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import DIVERGED, History

POSSIBLE = 0.3  # skill that simple models gain by the order, which shows that it matters
NOTHING = 0.1  # the same, of inputs that hold nothing of the targets
HIDDEN = 0.01  # share of the dependence that is left behind padding
AT_RANDOM = 0.8  # of the contradictions of labels that are drawn at random
FEWEST = 0.1  # of such contradictions among repeated rows
IN_A_BATCH = 0.02  # repeated rows of a batch: data of few values repeat with several labels

EXPLAINED = ("plateau", "one_answer", "outputs_collapse", "underfitting", *CONSEQUENCES)


def _learns_nothing(history: History) -> bool | Unchecked:
    """Whether a run ends no better than the best constant prediction."""
    answer = not_learning(history)
    if isinstance(answer, Unchecked):
        return answer
    return isinstance(answer, Finding) and history.ended.how != DIVERGED


def labels_change(history: History) -> Answer:
    """Find training rows that have other classes when they are met again, as often as if these were
    drawn at random, in a run that learns nothing."""
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or data.contradicting_rows is None or data.contradicting_by_chance is None:
        return Unchecked("no rows were met several times together with their classes")
    share, chance = data.contradicting_rows, data.contradicting_by_chance
    if share < max(FEWEST, AT_RANDOM * chance) or (data.repeated_rows or 0.0) > IN_A_BATCH:
        return None
    nothing = _learns_nothing(history)
    if isinstance(nothing, Unchecked):
        return nothing
    if not nothing:
        return None
    by_length = (
        " The rows of each batch are sorted by their length: sort the labels along."
        if data.sorted_by_length
        else ""
    )
    return Finding(
        rule="labels_change",
        sentence=(
            f"{100 * share:.0f} % of the training rows that were met several times had several "
            f"classes; of labels that are drawn at random it would be {100 * chance:.0f} %. Inputs "
            f"and labels are brought into different orders.{by_length}"
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("repeated rows with several classes", share, FEWEST, percent=True),),
        strength=share / FEWEST,
        grade="cause",
        change=(
            "batch.sort(key=len_of_row)  # before both are taken out of it\n"
            "labels = torch.tensor([label for _, label in batch])"
            if data.sorted_by_length
            else "order = torch.randperm(len(x))\nx, y = x[order], y[order]  # one order for both"
        ),
    )


LABELS_CHANGE = Rule(
    name="labels_change",
    title="Labels that are others each time",
    find=labels_change,
    explanation=(
        "A row of the data has one label. Where it has another one in each epoch, inputs and "
        "labels are sorted, shuffled or cut apart from each other, and nothing can be learned of "
        "them but how frequent each class is."
    ),
    healthy="The same label each time that a row is met.",
    source="Zhang, Bengio, Hardt, Recht, Vinyals 2016, arXiv 1611.03530",
    explains=("labels_suspect", "overfitting", *EXPLAINED),
    tasks=WITH_TARGETS,
    own_loops=True,
)


def order_unseen(history: History) -> Answer:
    """Find a network whose outputs do not depend on the order of the places of a sequence, in a run
    that learns nothing although simple models of symbols at their places predict the targets. They
    do so far better than models that know the symbols alone: so the order matters."""
    facts = first_batch_fact(history, "order_unseen")
    if isinstance(facts, Unchecked):
        return facts
    if not facts.order_unseen or facts.constant_output:  # of the symbols nothing is seen
        return None
    data, nothing = history.data, _learns_nothing(history)
    if isinstance(nothing, Unchecked):
        return nothing
    if data is None or data.best_score is None or data.unordered_score is None:
        return Unchecked("no rows of symbols were kept together with their targets")
    room = 1 - (data.chance_score or 0.0)
    gained = (data.best_score - data.unordered_score) / room if room > 0 else 0.0
    if not nothing or gained < POSSIBLE:
        return None
    return Finding(
        rule="order_unseen",
        sentence=(
            "The outputs do not depend on the order of the places of a sequence: the network is "
            "given no positions. It learns nothing; simple models of the symbols at their places "
            f"score {data.best_score:.2g}, and of the symbols alone {data.unordered_score:.2g}. "
            "Add positions to the embeddings."
        ),
        layers=tuple(layer.name for layer in history.layers[:1]),
        evidence=(Evidence("skill that simple models gain by the places", gained, POSSIBLE),),
        strength=gained / POSSIBLE,
        grade="cause",
    )


ORDER_UNSEEN = Rule(
    name="order_unseen",
    title="Order of a sequence that the network does not see",
    find=order_unseen,
    explanation=(
        "Attention and means treat the places of a sequence alike. Without positions in its "
        "inputs a transformer knows which symbols there are, and not where."
    ),
    healthy="Outputs that change where the places of a sequence are exchanged.",
    source="Vaswani et al. 2017, Attention is all you need, section 3.5",
    explains=EXPLAINED,
    tasks=WITH_TARGETS,
    own_loops=True,
    change=(
        "self.positions = nn.Embedding(longest, width)\n"
        "h = self.embed(x) + self.positions(torch.arange(x.size(1), device=x.device))"
    ),
)


def read_from_padding(history: History) -> Answer:
    """Find a network whose outputs do not depend on symbols that have padding behind them, in a run
    that learns nothing."""
    facts = first_batch_fact(history, "hidden_share")
    if isinstance(facts, Unchecked):
        return facts
    share = facts.hidden_share
    if share is None or share >= HIDDEN:
        return None
    nothing = _learns_nothing(history)
    if isinstance(nothing, Unchecked):
        return nothing
    if not nothing:
        return None
    return Finding(
        rule="read_from_padding",
        sentence=(
            f"The outputs are read where sequences are padded: behind {facts.padded_places} places "
            f"of padding (median) the symbols of a row change them by {share:.1g} of what they do "
            "without. Read the place of the last symbol, or pack the sequences."
        ),
        layers=tuple(layer.name for layer in history.layers[:1]),
        evidence=(Evidence("dependence on symbols before padding", share, HIDDEN, above=False),),
        strength=HIDDEN / max(share, 1e-6),
        grade="cause",
    )


READ_FROM_PADDING = Rule(
    name="read_from_padding",
    title="Outputs that are read from padding",
    find=read_from_padding,
    explanation=(
        "The last place of a padded sequence is padding. A recurrent layer that has run over many "
        "such places has forgotten what was before."
    ),
    healthy="Outputs that depend on the symbols of a row as much with padding behind them.",
    source="PyTorch documentation, torch.nn.utils.rnn.pack_padded_sequence",
    explains=(*EXPLAINED, "vanishing_gradient"),
    tasks=WITH_TARGETS,
    own_loops=True,
    change=(
        "last = output[torch.arange(len(x)), lengths - 1]  # not output[:, -1]\n"
        "# or: packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)\n"
        "#     _, (h, _) = self.lstm(packed)"
    ),
)


def samples_standardised_alone(history: History) -> Answer:
    """Find inputs each row of which has mean 0 and standard deviation 1, with targets that are
    numbers, in a run in which neither the network nor simple models learn anything of them."""
    data = history.data
    if history.wiring is None:
        return Unchecked(NOT_OBSERVED)
    if data is None or data.rows_standardised is None:
        return Unchecked("no rows of numbers were kept")
    if not data.rows_standardised or data.class_targets:
        return None
    nothing, possible = _learns_nothing(history), skill(history, simple_score(history))
    if isinstance(nothing, Unchecked):
        return nothing
    if not nothing or possible is None or possible > NOTHING:
        return None
    return Finding(
        rule="samples_standardised_alone",
        sentence=(
            "Each training row has mean 0 and standard deviation 1 by itself, and neither the "
            f"network nor simple models learn anything (at best {simple_score(history):.2g}): if "
            "the level or the size of a sample matters, it is lost. Standardise with the mean and "
            "the standard deviation of the whole training part."
        ),
        evidence=(Evidence("skill of simple models", possible, NOTHING, above=False),),
        strength=1.0,
    )


SAMPLES_STANDARDISED_ALONE = Rule(
    name="samples_standardised_alone",
    title="Samples that are standardised one by one",
    find=samples_standardised_alone,
    explanation=(
        "Standardising a sample by its own mean and standard deviation takes its level and its "
        "size away, such as the loudness of a sound or the height of a signal."
    ),
    healthy="One mean and one standard deviation, of the training part, for all samples.",
    source="LeCun, Bottou, Orr, Müller 1998, Efficient backprop, section 4.3 (means over the "
    "training set)",
    tasks=WITH_TARGETS,
    own_loops=True,
    change="mean, std = x_train.mean(), x_train.std()\nx = (x - mean) / std  # of all samples",
)
