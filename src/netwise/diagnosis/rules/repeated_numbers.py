"""Random numbers that are the same in each epoch: a generator is seeded inside of the loop."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

OFTEN = 3  # epochs in a row that repeated the numbers of the one before


def random_numbers_repeat(history: History) -> Answer:
    """Find a generator that draws numbers in the training steps and has the same state after each
    evaluation: noise, dropout and augmentation of an epoch are those of the last one to the bit."""
    wiring = observed(history, "random numbers", "evaluation", "repeats")
    if isinstance(wiring, Unchecked):
        return wiring
    if wiring.repeats < OFTEN:
        return None
    name = wiring.repeated_numbers
    seed = {"torch": "torch.manual_seed", "random": "random.seed"}.get(name, "np.random.seed")
    return Finding(
        rule="random_numbers_repeat",
        sentence=(
            f"After {wiring.repeats} evaluations in a row the generator of {name} had the state "
            "that it had after the one before, though the training steps draw from it: noise, "
            "dropout and augmentation are the same in each epoch, to the bit. It is seeded inside "
            "of the loop."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("epochs with the random numbers of the last", wiring.repeats, 2.0),),
        change=f"{seed}(0)  # once, before the loop, and neither in it nor in an evaluation",
    )


RANDOM_NUMBERS_REPEAT = Rule(
    name="random_numbers_repeat",
    title="Random numbers that repeat in each epoch",
    find=random_numbers_repeat,
    explanation=(
        "Noise, dropout and augmentation protect a network from learning single samples because "
        "they are new each time. With the same numbers in each epoch every sample has one fixed "
        "distortion, which is learned with it."
    ),
    healthy="A generator that is seeded once, and goes on from epoch to epoch.",
    source="PyTorch documentation, Reproducibility",
    explains=("overfitting",),
    own_loops=True,
    change="torch.manual_seed(0)  # once, before the loop",
)
