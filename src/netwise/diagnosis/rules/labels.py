"""Training labels that do not belong to the inputs, or are of one class only."""

from __future__ import annotations

from netwise.data_facts import DataFacts
from netwise.diagnosis.curves import level_at_end
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.diagnosis.rules.outcome import has_just_begun, opponents, train_accuracy, valid_score
from netwise.history import History
from netwise.signals import ACCURACY, TARGETS_ALIKE, TARGETS_IGNORED, VALID_ACCURACY
from netwise.tasks import task_named
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    LossTerm,
)

# Skill: 0 for the best constant prediction, 1 for perfect ones.
PREDICTABLE = 0.3  # skill of a simple model on evaluation labels, which shows that they are right
LOST = 0.4  # skill on training labels as a share of it: a quarter of wrong labels leaves 0.75
GAP = 0.2  # difference of both
ROOM = 0.25  # accuracy above that of always answering the most frequent training class
# R² on training rows below which a few targets of another size are the reason: of targets that were
# exchanged, which nothing predicts, models come near the mean, so that it is near 0.
SWAMPED = -0.5
STILL_RIGHT = 0.7  # share from which on labels belong to the inputs, whatever the curves show
APART = 0.5  # how well the inputs of both parts can be distinguished
RENAMED = 0.3  # gain of accuracy by another numbering of the classes
FEWEST_BATCHES = 5  # with targets all alike
FEWEST_TARGETS = 32  # of a single batch: of two even classes, by chance once in 2 billion
FEWEST_IGNORED = 0.1  # of the targets: a class of its own, and no rest without a label

# From the curves.
ABOVE_VALID = 0.1  # training accuracy - validation accuracy
FEWEST_RIGHT = 10  # rows that guessing would answer rightly, to call fewer no chance
BELOW_CHANCE = 0.4  # of it: only answers that are systematically wrong are so rarely right
# Skill of the network on evaluation rows over that of simple models. Three of four labels drawn at
# random leave 0.87.
TAUGHT = 0.9
NEAR_CHANCE = 1.2  # validation accuracy over chance, with 0.02 for the noise of few samples


def labels_suspect(history: History) -> Answer:
    """Find training labels that simple models cannot predict, although they predict those of
    evaluation; classes that are numbered otherwise in training; or a run that learns its training
    labels with a validation accuracy near chance."""
    data = history.data
    if data is not None and data.inside_training_score is not None:
        renamed = _renamed(data)
        if renamed is not None:
            return renamed
        kept = _kept_skill(data)
        if kept is not None:
            if _taught(history, data):
                return None
            found = _unpredictable(data, kept)
            if found is not None:
                return found
    return _by_curves(history)


def skill(score: float | None, chance: float | None) -> float:
    """Where a score lies between that of guessing (0) and 1; 0 where it is not known."""
    if score is None or chance is None or chance >= 1:
        return 0.0
    return max(0.0, (score - chance) / (1 - chance))


def _kept_skill(data: DataFacts) -> float | None:
    """Skill of simple models on training labels, as a share of that on evaluation labels; None
    where nothing can be said: evaluation labels cannot be predicted, or the inputs differ."""
    right = skill(data.inside_evaluation_score, data.inside_evaluation_chance)
    if right < PREDICTABLE or data.inputs_apart is None or data.inputs_apart > APART:
        return None
    if data.inside_training_chance is None:
        return None
    if not data.class_targets and (data.inside_training_score or 0.0) < SWAMPED:
        return None
    if data.class_targets and data.inside_training_chance > 1 - ROOM:
        return None  # nearly all of one class: wrong labels would hardly show
    return skill(data.inside_training_score, data.inside_training_chance) / right


def _taught(history: History, data: DataFacts) -> bool:
    """Whether the network answers evaluation rows as well as simple models that are fitted to such
    rows: then the training labels have taught it, and are only harder to predict, as those of mixed
    samples or with outliers are."""
    right = skill(data.inside_evaluation_score, data.inside_evaluation_chance)
    own = skill(valid_score(history), data.inside_evaluation_chance)
    return own >= TAUGHT * right


def _unpredictable(data: DataFacts, kept: float) -> Finding | None:
    right = skill(data.inside_evaluation_score, data.inside_evaluation_chance)
    if kept >= LOST or right * (1 - kept) < GAP:
        return None
    what = "accuracy" if data.class_targets else "R²"
    return Finding(
        rule="labels_suspect",
        sentence=(
            f"Training labels do not belong to their inputs: simple models that are fitted to one "
            f"part of the training rows predict the others with {what} "
            f"{data.inside_training_score:.2g} (a constant: {data.inside_training_chance:.2g}); "
            f"for as many evaluation rows it is {data.inside_evaluation_score:.2g} "
            f"(a constant: {data.inside_evaluation_chance:.2g})."
        ),
        evidence=(
            Evidence(
                "skill of simple models on training labels / on evaluation labels",
                kept,
                LOST,
                above=False,
                percent=True,
            ),
        ),
        strength=LOST / max(kept, 0.01),
        grade="cause",
        change=(
            "Print a few training inputs with their labels. Shuffle inputs and labels by one\n"
            "permutation: order = torch.randperm(len(x)); x, y = x[order], y[order]"
        ),
    )


def _renamed(data: DataFacts) -> Finding | None:
    """Classes with other numbers in training than in evaluation."""
    matched, found = data.matched_score, data.best_evaluation_score
    if matched is None or found is None or not data.class_map:
        return None
    if matched - found < RENAMED or (data.inputs_apart or 0.0) > APART:
        return None
    moved = {of: to for of, to in enumerate(data.class_map) if to not in (-1, of)}
    if skill(matched, data.evaluation_chance_score) < PREDICTABLE or len(moved) < 2:
        return None
    names = ", ".join(f"{of} is {to}" for of, to in list(moved.items())[:4])
    offsets = {(to - of) % len(data.class_map) for of, to in moved.items()}
    by = offsets.pop()
    shifted = not offsets and len(moved) == sum(to >= 0 for to in data.class_map)
    how = f"shifted by {by if by <= len(data.class_map) / 2 else by - len(data.class_map)}"
    return Finding(
        rule="labels_suspect",
        sentence=(
            f"Classes have other numbers in training than in evaluation"
            f"{f', {how}' if shifted and len(data.class_map) > 2 else ''}: class {names}. A simple "
            f"model of the training rows has accuracy {found:.2g} on evaluation rows, and "
            f"{matched:.2g} with its classes renamed."
        ),
        evidence=(Evidence("accuracy gained by renaming classes", matched - found, RENAMED),),
        strength=(matched - found) / RENAMED,
        grade="cause",
        change="Use one table for both parts: number = {name: i for i, name in enumerate(names)}",
    )


def _by_curves(history: History) -> Answer:
    train, valid = train_accuracy(history) or history.of(ACCURACY), history.of(VALID_ACCURACY)
    classes = history.facts.classes
    if task_named(history.facts.task).has_values:
        return None
    reached = None if train is None else level_at_end(train)
    if train is None or reached is None or valid is None or not classes:
        return Unchecked(
            "training and validation accuracy of each epoch are needed: call "
            "w.epoch(train_accuracy=..., valid_accuracy=...)"
        )
    chance = 1 / classes
    best = max(valid.finite, default=1.0)
    end, renamed = level_at_end(valid), False
    rows = 0 if history.data is None else history.data.evaluation_samples
    if end is not None and end <= BELOW_CHANCE * chance and rows * chance >= FEWEST_RIGHT:
        best, renamed = end, True  # answers that are right for other numbers of the classes
    if (
        reached < valid.last + ABOVE_VALID
        or reached < 2 * chance
        or best > NEAR_CHANCE * chance + 0.02
    ):
        return None
    if (
        not renamed
        and history.data is not None
        and (_kept_skill(history.data) or 0.0) >= STILL_RIGHT
    ):
        return None
    beside = history.facts.baseline
    if beside is not None and beside.lead > beside.reach:
        return None  # a simple model has learned validation labels from these
    return Finding(
        rule="labels_suspect",
        sentence=(
            f"Training accuracy is {100 * reached:.0f} %, and validation accuracy "
            f"{'was never above' if best == max(valid.finite) else 'ends at'} {100 * best:.0f} %: "
            f"chance is {100 * chance:.0f} %."
        ),
        steps=(0, train.steps[-1]),
        evidence=(
            Evidence(
                "training accuracy - validation accuracy",
                reached - valid.last,
                ABOVE_VALID,
                percent=True,
            ),
        ),
        strength=(reached - valid.last) / ABOVE_VALID,
    )


def one_class(history: History) -> Answer:
    """Find training targets that are all of one class, though the network distinguishes several."""
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    if opponents(history):
        return _same_answers(history)
    term = _only_term(history)
    if isinstance(term, Unchecked):
        return term
    alike = history.of(TARGETS_ALIKE)
    fewest = 1 if has_just_begun(history) and _shows_classes(history) else FEWEST_BATCHES
    if alike is None or len(alike.finite) < fewest:
        count = 0 if alike is None else len(alike.finite)
        return Unchecked(f"targets of {FEWEST_BATCHES} batches are needed, and {count} recorded")
    if min(alike.finite) < 1:
        return None
    ignored = history.of(TARGETS_IGNORED)
    if ignored is not None and ignored.finite and min(ignored.finite) > 0:
        return _one_class_left(history, term, min(ignored.finite))
    number = _only_class(history, term)
    if number is None:
        return None
    data = history.data
    others = [] if data is None else _asked(data)
    if len(others) < 2 and not _is_plain(term):
        return None  # a loss whose right answer is always the first one, as of contrasted pairs
    return Finding(
        rule="one_class",
        sentence=(
            f"All training targets that were seen are {number:g}"
            + (f"; in evaluation there are {len(others)} classes." if len(others) > 1 else ".")
            + (" If others follow, shuffle the samples." if has_just_begun(history) else "")
        ),
        steps=(0, alike.steps[-1]),
        evidence=(Evidence("batches whose targets are all one class", 1.0, 0.99, percent=True),),
        grade="cause",
    )


def _shows_classes(history: History) -> bool:
    """Whether one batch has so many targets that they are not all of one class by chance."""
    return (history.facts.batch_size or 0) >= FEWEST_TARGETS


def _same_answers(history: History) -> Answer:
    """The answer for a network that judges: of real and generated samples, which have losses of
    their own. That of a generator has no targets for its own outputs."""
    terms = () if history.wiring is None else history.wiring.losses
    judged = [t for t in terms if not t.penalty and t.target_low is not None]
    numbers = {(term.target_low, term.target_high) for term in judged}
    data = history.data
    if data is None or not data.class_targets or data.chance_score != 1:
        return None
    if len(judged) < 2 or len(numbers) != 1 or judged[0].target_low != judged[0].target_high:
        return None
    return Finding(
        rule="one_class",
        sentence=(
            f"The targets of all {len(judged)} losses of a network that judges others' samples are "
            f"{judged[0].target_low:g}: it is told the same about real and generated samples."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("losses whose targets are the same", 1.0, 0.99, percent=True),),
        grade="cause",
        change=(
            "loss = bce(judge(real), torch.ones(n, 1))\n"
            "loss = loss + bce(judge(fake.detach()), torch.zeros(n, 1))"
        ),
    )


def _one_class_left(history: History, term: LossTerm, ignored: float) -> Answer:
    """The answer where the loss leaves targets out: the other class may be among these."""
    outputs = term.output_shape[1] if len(term.output_shape) > 1 else 0
    if history.facts.classes != 1 or outputs < 2 or ignored < FEWEST_IGNORED:
        return None
    return Finding(
        rule="one_class",
        sentence=(
            f"All targets that the loss counts are of one class: {100 * ignored:.0f} % are left "
            "out by `ignore_index`, and the network learns to answer this class everywhere. Leave "
            "out only what has no label, not the background."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("batches whose targets are all one class", 1.0, 0.99, percent=True),),
        grade="cause",
        change="loss = F.cross_entropy(output, y)  # without ignore_index=<a class of its own>",
    )


def _only_term(history: History) -> LossTerm | Unchecked:
    terms = [] if history.wiring is None else [t for t in history.wiring.losses if not t.penalty]
    if len(terms) != 1:
        return Unchecked("it is not known what the loss compares with the outputs")
    return terms[0]


def _only_class(history: History, term: LossTerm) -> float | None:
    """The number that all targets are; None where there are others, or they are no classes."""
    facts = history.facts
    if term.operation == CROSS_ENTROPY and facts.class_targets and facts.classes == 1:
        asked = () if history.data is None else history.data.answers or ()
        place = [number for number, row in enumerate(asked) if row[0]]
        return float(place[0]) if len(place) == 1 else None
    if term.operation in (BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS):
        low, high = facts.target_low, facts.target_high
        return low if low is not None and low == high and low in (0.0, 1.0) else None
    return None


def _asked(data: DataFacts) -> list[int]:
    """The classes of the last evaluation."""
    return [number for number, row in enumerate(data.evaluation_answers or ()) if row[0]]


def _is_plain(term: LossTerm) -> bool:
    """Whether the loss is of outputs of a layer, as its graph shows: at most a softmax between."""
    chain = tuple(name for name in term.chain if name not in ("LogSoftmax", "Softmax", "Sigmoid"))
    return chain[:1] in (("Addmm",), ("Linear",), ("Mm",), ("Convolution",))


LABELS_SUSPECT = Rule(
    name="labels_suspect",
    title="Labels that do not belong to the inputs",
    find=labels_suspect,
    explanation=(
        "A large network can memorise any labels, also wrong ones, and then predicts nothing about "
        "new samples. Print a few samples with their labels."
    ),
    healthy=(
        "Simple models predict training labels as well as evaluation labels, and validation "
        "accuracy rises with training accuracy."
    ),
    source="Zhang, Bengio, Hardt, Recht, Vinyals 2016, arXiv 1611.03530",
    explains=(
        "overfitting",
        "underfitting",
        "not_learning",
        "vanishing_gradient",
        "evaluation_prepared_otherwise",
        "rate_too_low",
    ),
    tasks=WITH_TARGETS,
    remedies=("look_at_labels",),
    change="Print a few inputs with their labels, from the very tensors that the loop uses.",
)
ONE_CLASS = Rule(
    name="one_class",
    title="Training targets of one class only",
    find=one_class,
    explanation=(
        "A network whose targets are all the same learns this constant, at a loss of nearly 0, and "
        "nothing about the inputs: labels were read from a wrong column or converted wrongly, or "
        "the samples of the other classes were lost."
    ),
    healthy="All classes among the targets of a few hundred samples.",
    source="Islam et al. 2019, A comprehensive study on deep learning bug characteristics",
    explains=("overfitting", "underfitting", "not_learning", "not_shuffled", "labels_suspect"),
    tasks=WITH_TARGETS,
    remedies=("look_at_labels",),
    own_loops=True,
    exact=True,
    change="print(y.unique(return_counts=True))  # before the loop; then look where y is made",
)
