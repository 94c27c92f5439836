"""Evaluation on rows that are also training rows, and targets among the inputs."""

from __future__ import annotations

from netwise.data_facts import NEXT_PLACE, SAME_PLACE, DataFacts
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.diagnosis.rules.outcome import has_learned, no_baseline, outcome_known
from netwise.history import DIVERGED, History
from netwise.signals import EVALUATION_INPUT_MEAN

SHARE = 0.01  # of the evaluated rows
# Of the evaluated rows: then some training rows are evaluated, as is often meant. The share is an
# estimate from the rows that were seen: of 1 it may be 0.9.
ON_PURPOSE = 0.91
BY_CHANCE = 3.0  # times the share that repetitions within the data explain
FEWEST = 5  # rows
MANY = 100  # rows: fewer may be all that there are, such as the lines of a truth table
MOST_BITS = 20  # inputs of a table that can be complete
OFTEN = 8  # evaluations that are recorded: a few may be pictures of what was learned
NO_ROWS = "inputs of training and evaluation rows were not both seen"


def leak(history: History) -> Answer:
    """Find evaluation rows that are training rows, more than data of few values repeat.

    Programs that evaluate their training part, or some rows of it and no others, do so on purpose:
    they are no finding.
    """
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or data.known_rows is None or data.leaked_rows is None:
        return Unchecked(NO_ROWS)
    if data.evaluates_training_part or data.parts_are_apart or data.leaked_rows > ON_PURPOSE:
        return None
    limit = SHARE + BY_CHANCE * (data.natural_repeats or 0.0)
    rows = data.evaluated_rows or 0
    if data.known_rows <= limit or data.known_rows * rows < FEWEST:
        return None
    return Finding(
        rule="leak",
        sentence=(
            f"{data.known_rows * rows:.0f} of {rows} evaluated rows are also training rows, among "
            f"those that were seen"
            + (
                f"; of all rows about {100 * data.leaked_rows:.0f} %."
                if data.training_seen and data.leaked_rows > 1.2 * data.known_rows
                else "."
            )
            + " The score on them is not that on new data."
        ),
        evidence=(
            Evidence(
                "evaluated rows among known training rows", data.known_rows, limit, percent=True
            ),
        ),
        strength=data.known_rows / limit,
        grade="cause",
    )


def nothing_held_out(history: History) -> Answer:
    """Find a run that has not learned, and whose every evaluation is of training rows alone: its
    scores do not tell whether the network is too small or learns its rows by heart.

    A run that has learned may be of all rows that there are, as with a function on a grid.
    """
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data, evaluations = history.data, history.of(EVALUATION_INPUT_MEAN)
    if data is None or data.leaked_rows is None or evaluations is None:
        return Unchecked(NO_ROWS)
    rows, is_table = data.evaluated_rows or 0, False
    if data.features is not None and data.features < MOST_BITS:
        is_table = rows == 2**data.features
    if data.leaked_rows <= ON_PURPOSE or rows < MANY or len(evaluations) < OFTEN or is_table:
        return None
    if has_learned(history) or history.ended.how == DIVERGED or _counts_a_part(history):
        return None
    if not outcome_known(history):
        return Unchecked(no_baseline(history))
    return Finding(
        rule="nothing_held_out",
        sentence=(
            f"All {rows} evaluated rows are training rows: no row is held out, so overfitting and "
            "underfitting look the same."
        ),
        steps=(evaluations.steps[0], evaluations.steps[-1]),
        evidence=(
            Evidence(
                "evaluated rows that are training rows", data.leaked_rows, ON_PURPOSE, percent=True
            ),
        ),
    )


def _counts_a_part(history: History) -> bool:
    """Whether the loss takes some of the samples that go through the network, as on the nodes of a
    graph: the others may be held out."""
    samples = 0 if history.first_batch is None else history.first_batch.samples
    terms = () if history.wiring is None else history.wiring.losses
    return any(0 < term.target_shape[0] < samples for term in terms if term.target_shape)


def target_in_inputs(history: History) -> Answer:
    """Find a feature of the inputs that is the target itself, or a model of sequences that sees
    the symbols or numbers which it has to predict."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is not None and data.symbols_as_targets:
        return _symbols_seen(history, data)
    if data is not None and data.series_as_targets:
        return _later_seen(history, data)
    if data is None or not data.train_samples:
        return Unchecked("no inputs with their targets were seen")
    if data.target_feature is None:
        return None
    factor, offset = data.target_feature_scale
    what = "the target"
    is_the_same = (factor, offset) == (1.0, 0.0)
    if not is_the_same:
        what += f" in other units ({factor:.4g} times it {'-' if offset < 0 else '+'} "
        what += f"{abs(offset):.4g})"
    return Finding(
        rule="target_in_inputs",
        sentence=(
            f"Feature {data.target_feature} of the inputs is {what}, in all {data.train_samples} "
            "rows that were compared."
        ),
        evidence=(Evidence("rows in which the feature is the target", 1.0, 0.99, percent=True),),
        grade="cause" if is_the_same else "suspect",  # a line may be what is to be learned
    )


def _symbols_seen(history: History, data: DataFacts) -> Finding | None:
    """Outputs of a place that depend on the symbol which is their target: the next one without a
    mask, or, of a model that sees no later places and so continues a text, the same one.

    Models that see all places and give them back, such as autoencoders, are meant.
    """
    sees = dict((history.first_batch.later_places or ()) if history.first_batch else ())
    for number, where in data.symbols_as_targets:
        if where == NEXT_PLACE and sees.get(number) is True:
            sentence = (
                "The targets are the next symbols of the inputs, and outputs at a place change "
                "with symbols at later places: the network sees what it has to predict."
            )
            change = (
                "mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])\n"
                "outputs = layer(x, src_mask=mask, is_causal=True)"
            )
        elif where == SAME_PLACE and sees.get(number) is False:
            sentence = (
                "The targets are the symbols of the inputs at the same places, and the network "
                "sees no later places: it copies each symbol, and learns nothing about the next."
            )
            change = "inputs, targets = tokens[:, :-1], tokens[:, 1:]"
        else:
            continue
        return Finding(
            rule="target_in_inputs",
            sentence=sentence,
            evidence=(Evidence("symbols that are seen and asked for", 1.0, 0.99, percent=True),),
            grade="cause",
            change=change,
        )
    return None


def _later_seen(history: History, data: DataFacts) -> Finding | None:
    """Forecasts at a place that change with the numbers at later places, of which the next is
    their target. Of the last place alone nothing later is known, and that one is used."""
    first = history.first_batch
    seen = () if first is None else first.later_in_series or ()
    if not set(seen) & set(data.series_as_targets):
        return None
    return Finding(
        rule="target_in_inputs",
        sentence=(
            "The targets are the inputs one place later, and outputs at a place change with inputs "
            "at later places, as with padding on both sides, layers in both directions or "
            "attention without a mask: the network sees what it has to forecast, at all places but "
            "the last."
        ),
        evidence=(Evidence("numbers that are seen and asked for", 1.0, 0.99, percent=True),),
        grade="cause",
        change=(
            "h = conv(F.pad(h, ((kernel_size - 1) * dilation, 0)))  # pads the past alone\n"
            "rnn = nn.GRU(..., bidirectional=False)"
        ),
    )


LEAK = Rule(
    name="leak",
    title="Training rows in the evaluation",
    find=leak,
    explanation=(
        "A network can learn its training rows by heart. A score on rows that it was trained on "
        "hides that, and promises more than new data will give."
    ),
    healthy="No common rows, or as few as equal rows within each part.",
    source=(
        "Kapoor, Narayanan 2023, Leakage and the reproducibility crisis in machine-learning-based "
        "science"
    ),
    own_loops=True,
    exact=True,
    change=(
        "Split the rows once, before anything else, and remove equal ones:\n"
        "order = torch.randperm(len(x)); train, valid = order[n:], order[:n]"
    ),
)
NOTHING_HELD_OUT = Rule(
    name="nothing_held_out",
    title="Evaluation of training rows alone",
    find=nothing_held_out,
    explanation=(
        "A score on rows that a network was trained on rises also where it learns them by heart. "
        "Choices of rates, widths and epochs need rows that were held out."
    ),
    healthy="Evaluation of rows that are in no training batch.",
    source="Goodfellow, Bengio, Courville 2016, section 5.3",
    tasks=WITH_TARGETS,
    own_loops=True,
    change=(
        "order = torch.randperm(len(x))  # rows that are never trained on\n"
        "train, valid = order[: int(0.8 * len(x))], order[int(0.8 * len(x)) :]"
    ),
)
TARGET_IN_INPUTS = Rule(
    name="target_in_inputs",
    title="The target among the inputs",
    find=target_in_inputs,
    explanation=(
        "A network that sees its target among its inputs copies it. Scores are perfect, also on "
        "evaluation rows, and useless: for new data the target is not known."
    ),
    healthy="No input feature that equals the target in every row, and no target in sight.",
    source="Kaufman, Rosset, Perlich 2012, Leakage in data mining",
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
    change="Remove the column of the target from the inputs before training.",
)
