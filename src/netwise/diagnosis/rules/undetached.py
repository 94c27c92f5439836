"""Targets and advantages of reinforcement learning through which a gradient flows."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History


def target_not_detached(history: History) -> Answer:
    """Find a loss of a Q function whose target has a gradient, or a policy gradient that moves the
    critic by its advantages."""
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    term = next((each for each in wiring.losses if each.undetached), None)
    if term is None:
        return None
    at = f" of {term.place}" if term.place else ""
    if term.undetached == "target":
        sentence = (
            f"The loss{at} compares the values of the actions with a target that is the largest "
            "value of the next state, and a gradient flows through both: a step moves the target "
            "towards the value as well as the value towards the target. Take the target under "
            "`torch.no_grad()`, best from a copy of the network that is renewed seldom."
        )
        change = "with torch.no_grad():\n    target = r + gamma * target_net(s2).max(1).values"
    else:
        sentence = (
            f"The loss{at} multiplies log-probabilities of actions by advantages that have a "
            "gradient: the policy's loss moves the critic too, towards values that make this loss "
            "small. Write `advantage.detach()` there."
        )
        change = "actor_loss = -(log_prob * advantage.detach()).mean()"
    return Finding(
        rule="target_not_detached",
        sentence=sentence,
        steps=(0, history.ended.step),
        evidence=(Evidence("values with a gradient that are used as numbers", 1.0, 0.0),),
        change=change,
    )


TARGET_NOT_DETACHED = Rule(
    name="target_not_detached",
    title="Target or advantage with a gradient",
    find=target_not_detached,
    explanation=(
        "In reinforcement learning targets and advantages are made of the network's own answers. "
        "They stand for what was observed, so a step may not change them: with a gradient the "
        "network lowers the loss by moving them."
    ),
    healthy="A gradient through the values or log-probabilities of the actions taken, alone.",
    source="Sutton, Barto 2018, Reinforcement Learning, sections 9.3 (semi-gradients) and 13.5",
    explains=CONSEQUENCES,
    own_loops=True,
    exact=True,
)
