"""Evaluations that ask for something else than training has taught: targets in other units, other
targets than the inputs, inputs that are augmented at random or beyond those of training."""

from __future__ import annotations

from statistics import median

from netwise.data_facts import DataFacts
from netwise.diagnosis.rules.better_models import matched_by_simple_models
from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, loop_observed
from netwise.diagnosis.rules.outcome import LEARNED, loss_share
from netwise.history import History
from netwise.signals import EVALUATION_INPUT_RATIO, VALID_LOSS

NO_BATCHES = "no batches of training and evaluation were kept together with their targets"
STRETCH = 3.0  # ratio of the standard deviations of the targets, or of the inputs
# Squared error of answers in the units of training, in variances of the evaluated targets: 1 is
# that of their mean, and 2 that of answers without any relation to them.
WRONG_UNITS = 1.5
AS_FOLLOWS = (0.7, 2.0)  # the error of an evaluation over that
ALIKE = 0.3  # how well inputs of training and evaluation can be told apart
FEW_BEYOND = 0.1
MOST_BEYOND = 0.5  # share of the numbers of evaluated inputs
TAUGHT = 0.5  # R² of an evaluation that goes well


def evaluation_asks_otherwise(history: History) -> Answer:
    """Find targets of evaluation that are in other units than those of training, although the
    inputs are alike, and an error that follows from that; or a network that is trained to return
    its inputs and evaluated on other targets."""
    data = _data(history)
    if isinstance(data, Unchecked):
        return data
    return _other_units(data) or _not_the_inputs(history, data)


def _data(history: History) -> DataFacts | Unchecked:
    if not loop_observed(history):
        return Unchecked(NOT_OBSERVED)
    return Unchecked(NO_BATCHES) if history.data is None else history.data


def _other_units(data: DataFacts) -> Finding | None:
    units, r2 = data.target_units, data.evaluation_r2
    if units is None or r2 is None or min(units[1], units[3]) <= 0:
        return None
    mean, std, later_mean, later_std = units
    stretch = max(later_std / std, std / later_std)
    wrong = ((later_mean - mean) ** 2 + (later_std - std) ** 2) / later_std**2
    low, high = (share * wrong for share in AS_FOLLOWS)
    if stretch < STRETCH or wrong < WRONG_UNITS or not low < 1 - r2 < high:
        return None
    if (data.inputs_apart or 0.0) > ALIKE or (data.beyond_training or 0.0) > FEW_BEYOND:
        return None
    return Finding(
        rule="evaluation_asks_otherwise",
        sentence=(
            f"The targets have mean {mean:,.3g} and standard deviation {std:,.3g} in training, "
            f"{later_mean:,.3g} and {later_std:,.3g} in evaluation, and the network's answers are "
            "compared with them as they are: the one part was scaled and the other was not. Bring "
            "answers and targets into the same units before they are compared."
        ),
        evidence=(
            Evidence("ratio of the standard deviations of the targets", stretch, STRETCH),
            Evidence("error over the variance of the evaluated targets", 1 - r2, low),
        ),
        strength=stretch / STRETCH,
        grade="cause",
        change=(
            "answer = model(x_valid) * y_train.std() + y_train.mean()  # back into the units of y\n"
            "error = (answer - y_valid).square().mean()"
        ),
    )


def _not_the_inputs(history: History, data: DataFacts) -> Finding | None:
    if not data.copies_inputs or data.evaluation_copies_inputs is not False:
        return None
    if _goes_well(history, data):
        return None
    return Finding(
        rule="evaluation_asks_otherwise",
        sentence=(
            "In training the targets are the inputs themselves, number by number, and in "
            "evaluation they are not: the network learns to return what it gets, with all noise in "
            "it, and is judged by something else. Keep what is to be returned before noise is "
            "added to the inputs."
        ),
        evidence=(Evidence("training targets that are the inputs", 1.0, 0.0, percent=True),),
        grade="cause",
        change="noisy = x + noise  # x stays what it is\nloss = loss_of(model(noisy), x)",
    )


def _goes_well(history: History, data: DataFacts) -> bool:
    """Whether the evaluation shows that the network answers it."""
    valid = history.of(VALID_LOSS)
    share = None if valid is None or not valid.finite else loss_share(history, valid.finite[-1])
    if data.evaluation_r2 is not None:
        return data.evaluation_r2 > TAUGHT
    if share is not None:
        return share < LEARNED
    return matched_by_simple_models(history)


def evaluation_drawn_anew(history: History) -> Answer:
    """Find evaluations of the same targets whose inputs are other ones each time, while no training
    input comes twice: an augmentation that acts on both parts."""
    data = _data(history)
    if isinstance(data, Unchecked):
        return data
    if not data.drawn_anew or data.training_seen is None or data.training_seen > 0:
        return None
    valid = history.of(VALID_LOSS)
    share = None if valid is None or not valid.finite else loss_share(history, valid.finite[-1])
    if (share is not None and share < LEARNED) or (data.evaluation_r2 or 0.0) > TAUGHT:
        return None
    return Finding(
        rule="evaluation_drawn_anew",
        sentence=(
            "Each evaluation asks for the same targets, in the same order, of inputs that were all "
            "new, as those of training are: what augments the training part at random acts in the "
            "evaluation, too. Parts made by `random_split` share one data set and its transform."
        ),
        evidence=(Evidence("evaluated inputs that were seen before", 0.0, 0.0, percent=True),),
        grade="cause",
        change=(
            "train = Subset(Data(transform=augment), train_rows)  # two data sets, not one\n"
            "valid = Subset(Data(transform=None), valid_rows)"
        ),
    )


def _is_stretched(history: History) -> bool:
    """Whether evaluated inputs have another scale: then they were prepared otherwise."""
    ratios = history.of(EVALUATION_INPUT_RATIO)
    ratio = median(ratios.finite) if ratios is not None and ratios.finite else 1.0
    return not 1 / STRETCH < ratio < STRETCH


def inputs_beyond_training(history: History) -> Answer:
    """Find evaluated inputs most numbers of which are beyond the range that they have in training,
    in an evaluation that does not show that the network answers them."""
    data = _data(history)
    if isinstance(data, Unchecked):
        return data
    share = data.beyond_training
    if share is None:
        return Unchecked(NO_BATCHES)
    if share <= MOST_BEYOND or _goes_well(history, data) or _is_stretched(history):
        return None
    return Finding(
        rule="inputs_beyond_training",
        sentence=(
            f"{100 * share:.0f} % of the numbers in the evaluated inputs are outside of the range "
            "that they have in training. A network gives no more than a continuation of what it "
            "knows there. Of a series that grows, learn the changes from one value to the next, or "
            "scale each window by its own last value; check that both parts are scaled by the same "
            "numbers."
        ),
        evidence=(Evidence("evaluated numbers beyond training", share, MOST_BEYOND, percent=True),),
        strength=share / MOST_BEYOND,
        change="x = x[:, 1:] - x[:, :-1]  # changes, which stay in their range\ny = y - last",
    )


_OF_EVALUATION = (
    "labels_suspect",
    "overfitting",
    "best_was_earlier",
    "evaluation_prepared_otherwise",
)
EVALUATION_ASKS_OTHERWISE = Rule(
    name="evaluation_asks_otherwise",
    title="Evaluation asks for other targets than training",
    find=evaluation_asks_otherwise,
    explanation=(
        "A network answers in the units of its training targets, and learns what its loss asks "
        "for. An evaluation in other units, or of something else, says nothing of what it has "
        "learned."
    ),
    healthy="Targets of the same mean and spread in both parts, or answers that are scaled back.",
    source="scikit-learn documentation, sklearn.compose.TransformedTargetRegressor",
    explains=_OF_EVALUATION,
    tasks=WITH_TARGETS,
    own_loops=True,
)
EVALUATION_DRAWN_ANEW = Rule(
    name="evaluation_drawn_anew",
    title="Augmentation acts in the evaluation",
    find=evaluation_drawn_anew,
    explanation=(
        "Crops, noise and erased patches make the training part larger. In an evaluation they make "
        "the task harder than it is, and scores differ from one to the next."
    ),
    healthy="Evaluated inputs that are the same each time.",
    source="PyTorch documentation, torch.utils.data.random_split",
    explains=_OF_EVALUATION,
    tasks=WITH_TARGETS,
    own_loops=True,
)
INPUTS_BEYOND_TRAINING = Rule(
    name="inputs_beyond_training",
    title="Evaluated inputs beyond those of training",
    find=inputs_beyond_training,
    explanation=(
        "Networks interpolate. Beyond the range of their training inputs units are saturated, or "
        "go on along a straight line, whatever the data do there."
    ),
    healthy="Nearly all evaluated numbers within the range of training.",
    source="Xu et al. 2021, How neural networks extrapolate, ICLR",
    explains=_OF_EVALUATION,
    own_loops=True,
)
