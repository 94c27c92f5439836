"""An optimizer that is made anew at each step, and so forgets what it has to remember."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

MANY = 10  # optimizers of the same weights


def optimizer_made_anew(history: History) -> Answer:
    """Find optimizers of the same weights that step once or twice each and have a memory."""
    wiring = observed(history, "optimizers")
    if isinstance(wiring, Unchecked):
        return wiring
    count = wiring.optimizers_of_one_step
    if count < MANY:
        return None
    kind = wiring.optimizers[-1] if wiring.optimizers else "the optimizer"
    return Finding(
        rule="optimizer_made_anew",
        sentence=(
            f"{kind} is made anew for each step: {count:,} of them stepped once or twice. Each "
            "begins without the averages of earlier gradients, so that every step is as long as "
            "the first one. Make it once, before the loop."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("optimizers of the same weights", float(count), MANY - 1),),
        strength=count / MANY,
    )


OPTIMIZER_MADE_ANEW = Rule(
    name="optimizer_made_anew",
    title="Optimizer made anew at each step",
    find=optimizer_made_anew,
    explanation=(
        "Momentum and Adam keep averages of the gradients of earlier steps. Made inside of the "
        "loop, they have none: Adam then moves each weight by the learning rate, whatever the size "
        "of its gradient, and momentum does nothing."
    ),
    healthy="One optimizer for the whole run.",
    source="Kingma, Ba 2015, arXiv 1412.6980, section 3",
    explains=("rate_too_high", "oscillation", "plateau", "not_learning", "batch_too_small"),
    own_loops=True,
    exact=True,
    change=(
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # before the loop\n"
        "for x, y in loader:\n"
        "    ...  # no new optimizer in here"
    ),
)
