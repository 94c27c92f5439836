"""A copy of the network, as an average of its weights or a target network, that nothing updates."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History


def copy_stands_still(history: History) -> Answer:
    """Find a copy of a trained network that the program calls all through the training, and whose
    weights are still those that the network was drawn with."""
    wiring = observed(history, "optimizers", "copies")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.still_copies:
        return None
    kind, _, steps = wiring.still_copies[0].rpartition(": ")
    return Finding(
        rule="copy_stands_still",
        sentence=(
            f"The program calls a copy of the network ({kind}) all through the training, and after "
            f"{steps} steps its weights are still those that the network was drawn with: nothing "
            "updates it."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("copies that never changed", float(len(wiring.still_copies)), 0.0),),
    )


COPY_STANDS_STILL = Rule(
    name="copy_stands_still",
    title="Copy of the network that is never updated",
    find=copy_stands_still,
    explanation=(
        "A target network, a teacher or an average of the weights is a copy that follows the "
        "trained network. One that never follows answers as a random network does: values that are "
        "learned from it are noise, and scores that are measured with it are those of guessing."
    ),
    healthy="A copy whose weights follow those of the trained network every step or every few.",
    source="Mnih et al. 2015, Human-level control through deep reinforcement learning; Tarvainen, "
    "Valpola 2017, Mean teachers",
    explains=("one_answer", "plateau", "not_learning", "best_was_earlier"),
    own_loops=True,
    exact=True,
    at_end=True,
    change=(
        "with torch.no_grad():  # after each optimizer.step()\n"
        "    for slow, fast in zip(copy.parameters(), model.parameters()):\n"
        "        slow.lerp_(fast, 0.01)\n"
        "# a target network every few hundred steps: copy.load_state_dict(model.state_dict())\n"
        "# of torch.optim.swa_utils: averaged.update_parameters(model)"
    ),
)
