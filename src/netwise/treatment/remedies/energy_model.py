"""Remedies for energy models and memories."""

from __future__ import annotations

from netwise.networks.energy import NegativePhase
from netwise.networks.energy.hopfield import PSEUDO_INVERSE, STORKEY
from netwise.networks.energy.rbm import BASE_RATES
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.treatment.remedies.definition import NotApplicable, Remedy

FEWEST_STEPS, MOST_STEPS = 5, 100
FASTEST = 1.0


def _begin_at_base_rates(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    start = getattr(network, "visible_bias", None)
    if start is None:
        return NotApplicable(
            f"{type(network).__name__} has no field for the start of its visible biases"
        )
    if start == BASE_RATES:
        return NotApplicable("the visible biases start at the base rates already")
    return recipe.but(network=network.but(visible_bias=BASE_RATES))


def _centre_units(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    centred = getattr(network, "centred", None)
    if centred is None:
        return NotApplicable(
            f"{type(network).__name__} has no units that can be centred: this is for an RBM or DBN"
        )
    if centred:
        return NotApplicable("the units are centred already")
    return recipe.but(network=network.but(centred=True))


def _raise_rate(recipe: Recipe) -> Recipe | NotApplicable:
    if not recipe.network.is_energy_model:
        return NotApplicable(
            "this is for energy models: use search_rate, which measures the loss at each rate"
        )
    lr = getattr(recipe.optimizer, "lr", None)
    if lr is None or lr * 10 > FASTEST:
        return NotApplicable("ten times the rate would be above 1")
    return with_learning_rate(recipe, lr * 10)


def _use_persistent_chains(recipe: Recipe) -> Recipe | NotApplicable:
    phase = recipe.loss
    persistent = phase.persistent() if isinstance(phase, NegativePhase) else None
    if persistent is None:
        return NotApplicable("the chains are persistent already, or the loss has none")
    return recipe.but(loss=persistent)


def _more_gibbs_steps(recipe: Recipe) -> Recipe | NotApplicable:
    steps = getattr(recipe.loss, "steps", None)
    if steps is None:
        return NotApplicable("the loss takes no number of Gibbs steps")
    if steps >= MOST_STEPS:
        return NotApplicable(f"the negative phase has {steps} Gibbs steps already")
    return recipe.but(loss=recipe.loss.but(steps=max(FEWEST_STEPS, 2 * steps)))


def _slow_down(recipe: Recipe) -> Recipe | NotApplicable:
    lr = getattr(recipe.optimizer, "lr", None)
    if not recipe.network.is_energy_model or lr is None:
        return NotApplicable(
            "this is for energy models, whose chains have to follow the model: use lower_rate"
        )
    return with_learning_rate(recipe, lr / 10)


def _use_pseudo_inverse(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    rule = getattr(network, "rule", None)
    if rule is None:
        return NotApplicable(
            f"{type(network).__name__} stores no patterns: this is for Hopfield networks"
        )
    if rule == PSEUDO_INVERSE:
        return NotApplicable("the patterns are stored by the pseudo-inverse rule already")
    return recipe.but(network=network.but(rule=PSEUDO_INVERSE))


def _use_storkey(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    rule = getattr(network, "rule", None)
    if rule is None:
        return NotApplicable(
            f"{type(network).__name__} stores no patterns: this is for Hopfield networks"
        )
    if rule in (STORKEY, PSEUDO_INVERSE):
        return NotApplicable(
            f"the patterns are stored by the rule {rule} already, which stores no fewer"
        )
    return recipe.but(network=network.but(rule=STORKEY))


BEGIN_AT_BASE_RATES = Remedy(
    name="begin_at_base_rates",
    title="Visible biases that start at the log-odds of the inputs' means",
    apply=_begin_at_base_rates,
    by_hand="visible_bias = torch.logit(x.mean(0).clamp(1e-3, 1 - 1e-3))",
    source="Hinton 2012, A practical guide to training RBMs, section 8.1",
)
CENTRE_UNITS = Remedy(
    name="centre_units",
    title="Centred units: gradients of deviations from the units' means",
    apply=_centre_units,
    by_hand=("dW -= outer(dh, v_mean) + outer(h_mean, dv); dv -= h_mean @ dW; dh -= dW @ v_mean"),
    source="Melchior, Fischer, Wiskott 2016",
)
RAISE_RATE = Remedy(
    name="raise_rate",
    title="Ten times the learning rate",
    apply=_raise_rate,
    by_hand="lr = 10 * lr in the optimizer",
    source="Hinton 2012, A practical guide to training RBMs, section 7",
)
USE_PERSISTENT_CHAINS = Remedy(
    name="use_persistent_chains",
    title="Persistent chains: Gibbs sampling continues from the states of the last step",
    apply=_use_persistent_chains,
    by_hand="v_model = chains; chains = gibbs(chains); keep `chains` for the next step",
    source="Tieleman 2008",
)
MORE_GIBBS_STEPS = Remedy(
    name="more_gibbs_steps",
    title="More Gibbs steps in the negative phase: at least 5, or twice as many",
    apply=_more_gibbs_steps,
    by_hand="for _ in range(5): v = draw(a + draw(b + v @ W.T) @ W)",
    source="Hinton 2012, A practical guide to training RBMs, section 3; Fischer, Igel 2010",
)
SLOW_DOWN = Remedy(
    name="slow_down",
    title="A tenth of the learning rate, so that the chains follow the model",
    apply=_slow_down,
    by_hand="lr = lr / 10 in the optimizer",
    source="Tieleman 2008, section 3",
)
USE_PSEUDO_INVERSE = Remedy(
    name="use_pseudo_inverse",
    title="Patterns stored by the pseudo-inverse rule",
    apply=_use_pseudo_inverse,
    by_hand="W = torch.linalg.pinv(P) @ P; W.fill_diagonal_(0)",
    source="Personnaz, Guyon, Dreyfus 1986",
)
USE_STORKEY = Remedy(
    name="use_storkey",
    title="Patterns stored by Storkey's rule",
    apply=_use_storkey,
    by_hand="W += (outer(x, x) - x * h.T - h * x) / n with h[i, j] = W[i] @ x without i and j",
    source="Storkey 1997",
)
