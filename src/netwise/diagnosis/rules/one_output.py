"""One output for the numbers of several classes."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History
from netwise.wiring import BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS, LossTerm

YES_OR_NO = (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS)
NO_TARGETS = "no inputs with their targets were seen"


def one_output_for_classes(history: History) -> Answer:
    """Find a single output with a yes-or-no loss, whose targets are the numbers of three or more
    classes."""
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    if history.data is None:
        return Unchecked(NO_TARGETS)
    classes = history.data.whole_targets
    term = next((each for each in wiring.losses if _is_of_one_output(each)), None)
    if term is None or classes is None or classes < 3 or (term.target_high or 0) < 2:
        return None
    at = f" of {term.place}" if term.place else ""
    return Finding(
        rule="one_output_for_classes",
        sentence=(
            f"The targets of the loss{at} are {classes} whole numbers, from {term.target_low:.0f} "
            f"to {term.target_high:.0f}, and the network has one output, that can say yes or no. "
            f"Give it an output for each class, and use `nn.CrossEntropyLoss()`."
        ),
        layers=tuple(layer.name for layer in history.layers[-1:]),
        steps=(0, history.ended.step),
        evidence=(Evidence("classes of one output", float(classes), 2.0),),
        strength=classes / 2,
    )


def _is_of_one_output(term: LossTerm) -> bool:
    shape = term.output_shape
    return term.operation in YES_OR_NO and len(shape) in (1, 2) and shape[1:] in ((), (1,))


ONE_OUTPUT_FOR_CLASSES = Rule(
    name="one_output_for_classes",
    title="One output for several classes",
    find=one_output_for_classes,
    explanation=(
        "A single output between 0 and 1 tells two classes apart. Class numbers of more of them "
        "are no amounts: the loss pulls the output beyond 1, and no answer stands for class 2."
    ),
    healthy="An output for each class, or a single one and targets of 0 and 1.",
    source="Goodfellow, Bengio, Courville 2016, section 6.2.2",
    explains=CONSEQUENCES,
    tasks=WITH_TARGETS,
    own_loops=True,
    exact=True,
    change=(
        "model.head = nn.Linear(width, classes)  # instead of one output\n"
        "loss = F.cross_entropy(logits, class_numbers)"
    ),
)
