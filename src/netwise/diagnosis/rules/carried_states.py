"""Hidden states that are carried from batch to batch though they tell nothing of the next one."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

NOISE = 0.03  # of the variance of the outputs: less is forgotten on the way
WORTH = 0.25  # of what a state that is used well is worth
ERRORS = 2.0  # standard errors
LEARNED = 0.9  # of the variance of the targets: with more the use of the state is not learned yet


def hidden_state_carried(history: History) -> Answer:
    """Find a recurrent layer that begins each batch with the state it ended the batch before with,
    where the states of other rows would do as well, in a network that has learned.

    Batches that go on with the sequences of the batch before are told apart by this: there the
    outputs are worse with the states of other rows.
    """
    wiring = observed(history, "optimizers", "carried states")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.carried_state:
        return None
    noise, worth, error, unexplained = wiring.carried_worth
    if noise < NOISE or worth + ERRORS * error > WORTH or unexplained > LEARNED:
        return None
    return Finding(
        rule="hidden_state_carried",
        sentence=(
            f"`{wiring.carried_state}` begins each batch with the hidden state of the batch "
            f"before, which tells nothing of it: {100 * noise:.2g} % of the variance of the "
            "outputs comes from that state, and with the states of other rows they are as near "
            "to the targets."
        ),
        layers=tuple(each.name for each in history.layers if each.name == wiring.carried_state),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("variance of the outputs by the state before", noise, NOISE, True, True),
            Evidence("worth of the own state", worth, WORTH, above=False),
        ),
        strength=noise / NOISE,
        grade="cause",
        change=(
            f"output, state = self.{wiring.carried_state}(x)  # starts from zeros\n"
            "# a state that the module keeps: set it back before each batch"
        ),
    )


HIDDEN_STATE_CARRIED = Rule(
    name="hidden_state_carried",
    title="Hidden state of another batch",
    find=hidden_state_carried,
    explanation=(
        "A state that is kept from batch to batch is context where each row of a batch goes on "
        "with the same row of the batch before, as windows of one long text do. Of sequences that "
        "have nothing to do with each other, as of shuffled ones, it is noise at the start."
    ),
    healthy="A first state of zeros for each batch of separate sequences.",
    source="PyTorch documentation, torch.nn.LSTM: states default to zeros",
    explains=("underfitting", "not_learning", "plateau"),
    own_loops=True,
    at_end=True,
)
