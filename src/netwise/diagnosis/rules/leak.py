"""Evaluation on rows that are also training rows, and targets among the inputs."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.history import History

SHARE = 0.01  # of the evaluated rows
ON_PURPOSE = 0.95  # of the evaluated rows: then some training rows are evaluated, as is often meant
BY_CHANCE = 3.0  # times the share that repetitions within the data explain
FEWEST = 5  # rows
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


def target_in_inputs(history: History) -> Answer:
    """Find a feature of the inputs that is the target itself."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    data = history.data
    if data is None or not data.train_samples:
        return Unchecked("no inputs with their targets were seen")
    if data.target_feature is None:
        return None
    return Finding(
        rule="target_in_inputs",
        sentence=(
            f"Feature {data.target_feature} of the inputs is the target, in all "
            f"{data.train_samples} rows that were compared."
        ),
        evidence=(Evidence("rows in which the feature is the target", 1.0, 0.99, percent=True),),
        grade="cause",
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
TARGET_IN_INPUTS = Rule(
    name="target_in_inputs",
    title="The target among the inputs",
    find=target_in_inputs,
    explanation=(
        "A network that sees its target among its inputs copies it. Scores are perfect, also on "
        "evaluation rows, and useless: for new data the target is not known."
    ),
    healthy="No input feature that equals the target in every row.",
    source="Kaufman, Rosset, Perlich 2012, Leakage in data mining",
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
    change="Remove the column of the target from the inputs before training.",
)
