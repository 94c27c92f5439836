"""Losses that fall without better answers: faster and faster below 0, or by a factor of the errors
that the network gives itself."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import NOT_OBSERVED, observed
from netwise.diagnosis.rules.outcome import mean, no_baseline, opponents, too_few_steps
from netwise.diagnosis.rules.wiring import CONSEQUENCES
from netwise.history import History
from netwise.signals import LOSS

FEWEST_LOSSES = 30
BELOW = 3.0  # -last / |first|
# Fall of the last third over that of the middle one. A negative log-likelihood that is learned
# slows down; one of data without noise falls as fast at best.
FASTER = 1.3
ABSURD = 1e5  # -last / |first|: no likelihood of data is so far from that of a fresh network


def loss_unbounded(history: History) -> Answer:
    """Find a training loss that is far below 0 and falls faster in the last third of the run than
    in the one before."""
    losses = history.of(LOSS)
    if history.wiring is None or losses is None:
        return Unchecked(NOT_OBSERVED if history.wiring is None else "no losses were recorded")
    if opponents(history):
        return Unchecked(no_baseline(history))
    values = losses.finite
    if len(values) < FEWEST_LOSSES:
        return Unchecked(too_few_steps(len(values), "losses", FEWEST_LOSSES))
    tenth = len(values) // 10
    first, one, two, last = (
        mean(values[max(0, at - tenth) : max(0, at - tenth) + tenth])
        for at in (0, len(values) // 3, 2 * len(values) // 3, len(values))
    )
    middle_fall, last_fall = one - two, two - last
    is_absurd = last < -ABSURD * abs(first)
    is_faster = middle_fall > 0 and last_fall >= FASTER * middle_fall
    if last >= -BELOW * abs(first) or not (is_faster or is_absurd):
        return None
    return Finding(
        rule="loss_unbounded",
        sentence=(
            f"The loss falls from {first:.3g} to {last:.3g}{', and faster and faster' * is_faster}"
            ": it has no lowest value, so that training only makes some number larger. Look for a "
            "sign, for a variance that divides nothing, and for targets before outputs."
        ),
        steps=(losses.steps[0], losses.steps[-1]),
        evidence=(
            Evidence("fall in the last third / in the middle one", last_fall / middle_fall, FASTER)
            if is_faster
            else Evidence("-loss / first loss", -last / max(abs(first), 1e-300), ABSURD),
        ),
        strength=last_fall / (FASTER * middle_fall) if is_faster else 2.0,
    )


LOSS_UNBOUNDED = Rule(
    name="loss_unbounded",
    title="Loss without a lowest value",
    find=loss_unbounded,
    explanation=(
        "A loss that can fall for ever is lowered by growing weights instead of better answers: "
        "the negative of an error or of a divergence, a log-variance without the term that it "
        "divides, a log-determinant with the wrong sign."
    ),
    healthy="A loss that slows down as it falls, also where it is below 0.",
    source="Kendall, Gal 2017, arXiv 1703.04977, section 3; Kingma, Welling 2014, arXiv 1312.6114",
    explains=(
        "weights_run_away",
        "exploding_gradient",
        "one_part_rules",
        "rate_too_high",
        "outputs_collapse",
        "embeddings_collapse",
        "not_finite",
        "spike",
        "too_short",
        "loss_still_falls",
        "not_learning",
    ),
    own_loops=True,
    change=(
        "loss = 0.5 * (log_variance + (y - mean) ** 2 / log_variance.exp()).mean()\n"
        "loss = errors + divergence  # plus: both are to be small"
    ),
)


def errors_scaled_away(history: History) -> Answer:
    """Find a loss of errors times a factor that the network gives, where nothing in the loss holds
    that factor back."""
    wiring = observed(history, "losses")
    if isinstance(wiring, Unchecked):
        return wiring
    term = next((term for term in wiring.losses if term.free_scale), None)
    if term is None or wiring.maximizes:
        return None
    return Finding(
        rule="errors_scaled_away",
        sentence=(
            "The loss multiplies errors by a factor that the network itself gives "
            f"({term.free_scale.lower()}{f', {term.place}' if term.place else ''}), and depends on "
            "that factor in no other way: it falls to 0 as the factor does, whatever the errors "
            "are. A likelihood needs the logarithm of the variance beside the errors that it "
            "divides; a confidence needs a price."
        ),
        steps=(0, history.ended.step),
        evidence=(Evidence("factors that nothing holds back", 1.0, 0.0),),
        change=(
            "loss = 0.5 * (log_variance + (y - mean) ** 2 / log_variance.exp()).mean()\n"
            "# or nn.GaussianNLLLoss()(mean, y, variance)"
        ),
    )


ERRORS_SCALED_AWAY = Rule(
    name="errors_scaled_away",
    title="Errors that the network may scale down",
    find=errors_scaled_away,
    explanation=(
        "A network that tells how sure it is can lower its loss by being unsure of everything. The "
        "logarithm of the variance in a Gaussian likelihood, or a penalty on low confidence, is "
        "the price of that; without it the errors are no longer learned."
    ),
    healthy="The factor in a second summand, such as the logarithm of the variance.",
    source="Nix, Weigend 1994; Kendall, Gal 2017, arXiv 1703.04977, equation 5",
    explains=("rate_too_low", "effective_rate_gone", "loss_unbounded", *CONSEQUENCES),
    own_loops=True,
    exact=True,
)
