"""Faults of what goes into the loss: shapes that do not fit, a softmax along the wrong axis,
targets that are all ignored, values that are not finite."""

from __future__ import annotations

import re
from statistics import median

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import MOST, observed, signal_of_loop, steps_where
from netwise.diagnosis.rules.outcome import FEWEST
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History, Series
from netwise.signals import TARGETS_IGNORED

FEWEST_IGNORED = 0.05  # of the targets
# Share of a class in evaluation over that of the ignored targets: all of these are of it.
LEFT_OUT = 0.25


def shapes_broadcast(history: History) -> Answer:
    """Find outputs and targets of different shapes that are widened against each other, so that
    each output is compared with each target."""
    wiring = observed(history, "widened")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.widened:
        return None
    places = _places(history)
    return Finding(
        rule="shapes_broadcast",
        sentence=(
            f"Outputs and targets have different shapes, and one is widened from {wiring.widened}"
            f"{places}: each output is compared with each target. Give both the same shape, with "
            "`output.squeeze(-1)` or `target.unsqueeze(-1)`."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("numbers in the loss for each output", _growth(wiring.widened), 1.0),),
    )


def _places(history: History) -> str:
    """Where the loss is computed, as a part of a sentence; "" where that is not known or not
    one place."""
    terms = () if history.wiring is None else history.wiring.losses
    places = {term.place for term in terms if term.place}
    return f" in the loss of {places.pop()}" if len(places) == 1 else ""


def _sizes(text: str) -> list[tuple[int, ...]]:
    """The shapes in a text such as "(64, 1) to (64, 64)"."""
    groups = re.findall(r"\(([\d,\s]*)\)", text)
    return [tuple(int(n) for n in re.findall(r"\d+", group)) for group in groups]


def _growth(widened: str) -> float:
    """How many times as many numbers there are after the widening; 2 where it cannot be read."""
    counts = []
    for shape in _sizes(widened):
        count = 1
        for size in shape:
            count *= size
        counts.append(count)
    if len(counts) != 2 or counts[0] == 0 or counts[1] <= counts[0]:
        return 2.0
    return counts[1] / counts[0]


def softmax_over_batch(history: History) -> Answer:
    """Find a softmax along the axis of the samples, or along another one than the targets, of which
    each is a distribution.

    Not in a square of similarities, where both axes are samples, as in contrastive losses.
    """
    wiring = observed(history, "softmax_over_batch")
    if isinstance(wiring, Unchecked):
        return wiring
    shapes = _sizes(wiring.softmax_over_batch)
    square = bool(shapes) and len(shapes[0]) == 2 and shapes[0][0] == shapes[0][1]
    if not wiring.softmax_over_batch or square:
        return None
    place, _, along = wiring.softmax_over_batch.partition(", targets along ")
    if along:
        of_numbers = not along.startswith("axis ")
        what = (
            f"the targets choose among {along}: the numbers of one sample are no probabilities "
            "of them"
            if of_numbers
            else f"the targets sum to 1 along {along}: probabilities are compared with targets "
            "that they cannot equal"
        )
        return Finding(
            rule="softmax_over_batch",
            sentence=(
                f"The softmax of the loss runs along {place}, and {what}. Take the softmax along "
                "the axis of the classes."
            ),
            steps=(0, history.ended.step),
            evidence=(Evidence("softmax functions along another axis", 1.0, 0.0),),
            change=f"log_softmax(outputs, dim={'-1' if of_numbers else along[5:]})  # the classes",
        )
    return Finding(
        rule="softmax_over_batch",
        sentence=(
            f"A softmax of shape {wiring.softmax_over_batch} runs over the samples of a batch: the "
            "probabilities of one sample do not sum to 1, and depend on the others. Write "
            "`softmax(x, dim=1)`, or `nn.Softmax(dim=1)`."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("softmax functions over the batch", 1.0, 0.0),),
    )


def targets_masked(history: History) -> Answer:
    """Find batches all of whose targets the loss ignores: a mean over none of them is not a number,
    and a sum is 0."""
    series = signal_of_loop(
        history, TARGETS_IGNORED, 1, "the loss has no targets that can be ignored"
    )
    if isinstance(series, Unchecked):
        return series
    left_out = _class_left_out(history, series)
    if left_out is not None:
        return left_out
    masked = steps_where(series, lambda v: v >= 1)
    terms = () if history.wiring is None else history.wiring.losses
    is_sum = bool(terms) and all(term.reduction == "sum" for term in terms if not term.penalty)
    if not masked or (is_sum and (len(series) < FEWEST or len(masked) <= MOST * len(series))):
        return None
    result = "0" if is_sum else "not a number"
    return Finding(
        rule="targets_masked",
        sentence=(
            f"In {len(masked)} of {len(series)} watched batches the loss ignores all targets, "
            f"first in step {masked[0]}: their loss is {result}. Compare the ignored value "
            "(`ignore_index`) with your labels, and leave out samples without any."
        ),
        steps=(masked[0], masked[-1]),
        evidence=(
            Evidence("batches without a target", len(masked) / len(series), 0.0, percent=True),
        ),
        strength=float(len(masked)),
    )


def _class_left_out(history: History, ignored: Series) -> Finding | None:
    """A class that evaluation asks for, and whose targets the loss leaves out in training."""
    data = history.data
    asked = () if data is None else data.evaluation_answers or ()
    trained = () if data is None else data.answers or ()
    share = median(ignored.finite) if ignored.finite else 0.0
    total = sum(row[0] for row in asked)
    if share < FEWEST_IGNORED or not total or not any(row[0] for row in trained):
        return None
    never = [
        number
        for number, row in enumerate(asked)
        if row[0] > LEFT_OUT * share * total
        and row[2] == 0
        and (number >= len(trained) or not trained[number][0])
    ]
    if len(never) != 1:
        return None
    return Finding(
        rule="targets_masked",
        sentence=(
            f"The loss leaves out {100 * share:.0f} % of the targets, and class {never[0]} is "
            f"never among the others, though evaluation asks for it {asked[never[0]][0]} times and "
            "the network never answers it: `ignore_index` is a class of the data. Give padding a "
            "number of its own."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("targets that are left out", share, FEWEST_IGNORED, percent=True),),
        strength=share / FEWEST_IGNORED,
    )


def not_finite(history: History) -> Answer:
    """Find the first value that is not finite in the loss, the gradients or the weights, and what
    computed it."""
    wiring = observed(history, "not_finite")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.not_finite:
        return None
    step = wiring.not_finite_step or 0
    text = wiring.not_finite.rstrip(".")
    if not text.startswith("Step "):
        text = f"Step {step}: {text}"
    advice, change = _advice(text, history)
    return Finding(
        rule="not_finite",
        sentence=f"{text}.{advice}",
        steps=(step, max(step, history.ended.step)),
        evidence=(Evidence("values that are not finite", 1.0, 0.0),),
        grade="cause" if "The cause:" in text else "suspect",
        change=change,
    )


def _advice(text: str, history: History) -> tuple[str, str]:
    """What to do about a known cause, as a sentence and as lines of code; empty for others."""
    if "of the data are not finite" in text:
        return (
            " Look for gaps in the data, and for a constant feature that is divided by its "
            "standard deviation of 0."
        ), (
            "print((~x.isfinite()).sum(0))  # which features\n"
            "std = x_train.std(0)\n"
            "x_train = (x_train - x_train.mean(0)) / torch.where(std > 0, std, 1.0)\n"
            "x_train = x_train.nan_to_num()  # gaps"
        )
    if "masked from end to end" in text:
        return " Each row needs a place that it may attend to, a causal one its own.", (
            "mask = torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1)  # True: hidden"
        )
    if "of the targets are not finite" in text:
        return " Leave out what is not known.", (
            "known = target.isfinite()\nloss = criterion(output[known], target[known])"
        )
    if "in float16" in text and (history.facts.optimizer or "").startswith("Adam"):
        return (
            " In half precision the usual `eps` of Adam, 1e-8, is 0, and a gradient of 0 is "
            "divided by 0. Keep the weights in float32, and compute under `torch.autocast`."
        ), (
            "model.float()  # instead of model.half()\n"
            "with torch.autocast(device_type, dtype=torch.bfloat16):\n"
            "    loss = criterion(model(x), y)"
        )
    return "", ""


SHAPES_BROADCAST = Rule(
    name="shapes_broadcast",
    title="Outputs and targets of different shapes",
    find=shapes_broadcast,
    explanation=(
        "Arithmetic on shapes (n, 1) and (n,) gives (n, n): each output is compared with the "
        "targets of all samples. The best answer to that is the mean of the targets, whatever the "
        "inputs are. `nn.MSELoss` warns of it, elementary operations do not."
    ),
    healthy="Outputs and targets of equal shape in losses that compare numbers.",
    source="PyTorch documentation, Broadcasting semantics",
    explains=CONSEQUENCES,
    own_modules=True,
    exact=True,
    change="loss = criterion(output.squeeze(1), target)  # or target.unsqueeze(1): equal shapes",
)
SOFTMAX_OVER_BATCH = Rule(
    name="softmax_over_batch",
    title="Softmax over the samples of a batch, or along another axis than the classes",
    find=softmax_over_batch,
    explanation=(
        "Along axis 0 a softmax compares samples with each other instead of classes. The outputs "
        "depend on which samples are in the batch, and for a single sample each class has "
        "probability 1."
    ),
    healthy="A softmax along the axis of the classes: `dim=1` for outputs (samples, classes).",
    source="PyTorch documentation, torch.nn.Softmax",
    explains=("samples_mix", "output_misfits_loss", *CONSEQUENCES),
    own_modules=True,
    exact=True,
    change="probabilities = torch.softmax(output, dim=1)  # over classes; dim=0 is over samples",
)
TARGETS_MASKED = Rule(
    name="targets_masked",
    title="Targets that the loss ignores",
    find=targets_masked,
    explanation=(
        "A cross-entropy leaves out targets that are equal to `ignore_index`. Where all of a batch "
        "are, its mean is 0 / 0, which makes the loss, the gradient and after one step all weights "
        "not a number; a sum is 0 and teaches nothing. Where it is the number of a class, this "
        "class is never learned."
    ),
    healthy="Each batch has targets that count.",
    source="PyTorch documentation, torch.nn.CrossEntropyLoss; pytorch/pytorch issue 70348",
    explains=(
        *("not_finite", "gradient_zero", "exploding_gradient", "underfitting", "not_learning"),
        "classes_unseen",
    ),
    own_loops=True,
    exact=True,
    change=(
        "# ignore_index must be no class: the padding, not a label\n"
        "criterion = nn.CrossEntropyLoss(ignore_index=-100)"
    ),
)
NOT_FINITE = Rule(
    name="not_finite",
    title="First value that is not finite",
    find=not_finite,
    explanation=(
        "The logarithm of 0 or of a negative number, a square root whose slope at 0 is infinite, "
        "0 / 0 and numbers beyond the type's range give inf or nan. One of them in a gradient "
        "makes every weight nan with the next step."
    ),
    healthy="Finite losses, gradients and weights in each step.",
    source="PyTorch documentation, Autograd mechanics, Gradients for non-differentiable functions",
    explains=(
        "exploding_gradient",
        "vanishing_gradient",
        "dead_relu",
        "saturation",
        "rate_too_low",
        "not_learning",
        "underfitting",
    ),
    remedies=("lower_rate", "clip_gradient"),
    own_loops=True,
    at_once=True,
    change=(
        "loss = F.cross_entropy(logits, target)  # instead of log(softmax(...))\n"
        "p.clamp(min=1e-8).log()  # a logarithm of your own\n"
        "optimizer = torch.optim.Adam(model.parameters(), lr=lr / 10)"
    ),
)
