"""Outputs at their wrong limit: a squared error that falls slowest where it is largest."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import WITH_TARGETS, Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.outcome import FEWEST, NO_LAYERS, finite_median, too_few_steps
from netwise.history import History
from netwise.signals import ACTIVATION_SATURATED, LOSS
from netwise.tasks import BOUNDED, SQUARED

# In the first steps. Outputs of sound networks are near their limits where they are right, with a
# small loss; at the wrong limit the squared error is that of the whole range.
AT_LIMIT = 0.5  # share of the outputs within 2.5 % of a limit
WRONG = 0.2  # of the squared range between both limits, left in the loss


def stuck_output(history: History) -> Answer:
    """Find bounded outputs that start at a limit with a squared error near the largest possible
    one: the slope there is nearly 0, so the error hardly moves them."""
    if not history.layers:
        return Unchecked(NO_LAYERS)
    last, losses = history.layers[-1], history.of(LOSS)
    limits = BOUNDED.get(last.activation)
    if limits is None or history.facts.loss_kind not in (None, SQUARED):
        return None
    if history.facts.loss_kind is None:
        return Unchecked("the kind of the loss is not known: pass loss=... to `watch`")
    shares = history.of(ACTIVATION_SATURATED, last.name)
    count = min(len(shares or ()), len(losses or ()))
    if shares is None or losses is None or count < FEWEST:
        return Unchecked(too_few_steps(count, "steps with activations of the outputs"))
    share = finite_median(shares.values[:FEWEST])
    loss = finite_median(losses.values[:FEWEST])
    wrong = None if loss is None else loss / (limits[1] - limits[0]) ** 2
    if share is None or wrong is None or share <= AT_LIMIT or not WRONG < wrong <= 1:
        return None
    return Finding(
        rule="stuck_output",
        sentence=(
            f"{100 * share:.0f} % of the outputs start at a limit of {last.activation} and are "
            f"wrong: the squared error is {100 * wrong:.0f} % of the squared range, and the slope "
            "there is nearly 0, so the largest errors are corrected most slowly."
        ),
        layers=(last.name,),
        steps=(losses.steps[0], losses.steps[min(count, FEWEST) - 1]),
        evidence=(
            Evidence(f"outputs of {last.name} at a limit", share, AT_LIMIT, percent=True),
            Evidence("squared error / squared range", wrong, WRONG, percent=True),
        ),
        strength=wrong / WRONG,
    )


STUCK_OUTPUT = Rule(
    name="stuck_output",
    title="Outputs at the wrong limit of their activation",
    find=stuck_output,
    explanation=(
        "With a squared error the gradient of a sigmoid output is the error times the slope, and "
        "at a limit the slope is nearly 0: a unit that is very wrong learns more slowly than one "
        "that is a little wrong. With cross-entropy the slope cancels, and the gradient is the "
        "error itself."
    ),
    healthy="Outputs that start near the middle of their range, or a loss of logits.",
    source="Nielsen 2015, Neural Networks and Deep Learning, chapter 3",
    explains=("not_learning", "vanishing_gradient", "plateau", "rate_too_low"),
    remedies=("use_cross_entropy", "use_fitting_init", "search_rate"),
    tasks=WITH_TARGETS,
    change=("loss = nn.BCEWithLogitsLoss()  # or nn.CrossEntropyLoss(); no activation"),
)
