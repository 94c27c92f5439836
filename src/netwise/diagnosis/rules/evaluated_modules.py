"""Another module is evaluated than the one that is trained: a new one, or an average that has not
followed it."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

FOLLOWS = 0.25  # share of the way, below which an average is nearer to its start than to any use


def untrained_is_evaluated(history: History) -> Answer:
    """Find a module with weights as they were drawn that is evaluated at the end in the place of
    the trained one, which is of the same shapes."""
    wiring = observed(history, "optimizers", "copies", "evaluation blocks")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.evaluated_fresh:
        return None
    name = wiring.evaluated_fresh
    return Finding(
        rule="untrained_is_evaluated",
        sentence=(
            f"After {history.ended.step:,} steps another {name} is evaluated than the one that was "
            "trained, of the same shapes and with weights as they were drawn. Evaluate the trained "
            "one, or load its weights first."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("evaluations of the trained module at the end", 0.0, 1.0, above=False),),
    )


UNTRAINED_IS_EVALUATED = Rule(
    name="untrained_is_evaluated",
    title="Evaluation of a module that was not trained",
    find=untrained_is_evaluated,
    explanation=(
        "Each call of the class makes a module with new random weights. One that is made for the "
        "test, without the weights of the trained one, answers at chance, however well the "
        "training went."
    ),
    healthy="The trained module is evaluated, or one that was given its weights.",
    source="PyTorch documentation, Saving and loading models",
    explains=("evaluation_prepared_otherwise", "overfitting", "labels_suspect"),
    own_loops=True,
    exact=True,
    at_end=True,
    change=(
        'torch.save(model.state_dict(), "model.pt")  # after training\n'
        'test_model.load_state_dict(torch.load("model.pt"))  # before its evaluation'
    ),
)


def average_lags(history: History) -> Answer:
    """Find an average of the weights that is evaluated and has gone little of their way."""
    wiring = observed(history, "optimizers", "copies", "evaluation blocks")
    if isinstance(wiring, Unchecked):
        return wiring
    share = wiring.average_follows
    if not wiring.evaluated_average or share is None or share >= FOLLOWS:
        return None
    return Finding(
        rule="average_lags",
        sentence=(
            f"An average of the weights ({wiring.evaluated_average}) is evaluated, and has gone "
            f"{100 * share:.0f} % of their way from the start: it is near to the random weights "
            "that it began with. Update it after each step, with a decay that forgets these: "
            "1 / (1 - decay) is the number of updates that it remembers."
        ),
        steps=(0, history.ended.step),
        evidence=(
            Evidence("share of the way of the weights", share, FOLLOWS, above=False, percent=True),
        ),
        strength=FOLLOWS / max(share, 0.01),
    )


AVERAGE_LAGS = Rule(
    name="average_lags",
    title="Average of the weights that lags behind",
    find=average_lags,
    explanation=(
        "An exponential average of the weights remembers its start for about 1 / (1 - decay) "
        "updates. With fewer updates, or one an epoch instead of one a step, it is a mixture with "
        "the random weights of the start, and scores that are measured with it are far too low."
    ),
    healthy="An average that has gone nearly all of the way at the end of the training.",
    source="Polyak, Juditsky 1992, Acceleration of stochastic approximation by averaging; "
    "Tarvainen, Valpola 2017, Mean teachers (a smaller decay at the beginning)",
    explains=("evaluation_prepared_otherwise", "overfitting", "labels_suspect", "too_short"),
    own_loops=True,
    exact=True,
    at_end=True,
    change=(
        "for x, y in loader:\n"
        "    ...\n"
        "    optimizer.step()\n"
        "    ema.update(model)  # after each step, not after each epoch\n"
        "# in update: decay = min(decay, (1 + updates) / (10 + updates))"
    ),
)
