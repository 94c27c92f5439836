"""A loss whose gradients no optimizer uses."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def loss_without_step(history: History) -> Answer:
    """Find backward passes that reach only weights which no optimizer holds and nothing changes; or
    two optimizers of the same weights, while a module that a loss reaches has none."""
    wiring = observed(history, "optimizers")
    if isinstance(wiring, Unchecked):
        return wiring
    if len(wiring.shared_optimizers) == 2:
        return _shared(history, *wiring.shared_optimizers)
    if not wiring.idle_losses:
        return None
    place, _, modules = wiring.idle_losses[0].rpartition(": ")
    return Finding(
        rule="loss_without_step",
        sentence=(
            f"The backward pass of {place} gives gradients to {modules} alone, and nothing changes "
            "its weights: the optimizer that holds them never steps."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("losses without a step", float(len(wiring.idle_losses)), 0.0),),
        change="loss.backward()\noptimizer.step()  # of the optimizer of these weights",
    )


def _shared(history: History, twice: str, left: str) -> Finding:
    return Finding(
        rule="loss_without_step",
        sentence=(
            f"Two optimizers hold the weights of {twice} and step in turn, and none holds those of "
            f"{left}, which a loss reaches: one of them was made with the wrong parameters."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("optimizers of the same weights", 2.0, 1.0),),
        change=f"torch.optim.Adam(model.parameters())  # of {left}, in one of both optimizers",
    )


LOSS_WITHOUT_STEP = Rule(
    name="loss_without_step",
    title="Loss that no optimizer steps along",
    find=loss_without_step,
    explanation=(
        "`backward` writes gradients and changes nothing; `step` of the optimizer that holds the "
        "weights does. With several networks it is easily left out for one of them, or done by the "
        "optimizer of another one."
    ),
    healthy="A step of an optimizer behind the backward passes to its weights.",
    source="PyTorch documentation, torch.optim, Taking an optimization step",
    explains=("one_class", "one_answer", "generator_collapse", *CONSEQUENCES),
    own_loops=True,
    exact=True,
)
