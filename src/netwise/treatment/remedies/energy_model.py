"""Remedies for energy models and memories."""

from __future__ import annotations

from netwise.networks.energy import CD, DBN, PCD, RBM, FastPCD, Hopfield, ParallelTempering
from netwise.networks.energy.hopfield import PSEUDO_INVERSE, STORKEY
from netwise.networks.energy.rbm import BASE_RATES
from netwise.recipe.recipe import Recipe, with_learning_rate
from netwise.treatment.remedies.definition import NotApplicable, Remedy

FEWEST_STEPS, MOST_STEPS = 5, 100
FASTEST = 1.0


def _begin_at_base_rates(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, RBM):
        return NotApplicable(f"{type(recipe.network).__name__} has no choice of visible biases")
    if network.visible_bias == BASE_RATES:
        return NotApplicable("the visible biases begin at the base rates already")
    return recipe.but(network=network.but(visible_bias=BASE_RATES))


def _centre(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, RBM | DBN):
        return NotApplicable(
            f"{type(network).__name__} is no restricted machine, whose units can be centred"
        )
    if network.centred:
        return NotApplicable("the units are centred already")
    return recipe.but(network=network.but(centred=True))


def _raise_rate(recipe: Recipe) -> Recipe | NotApplicable:
    if not recipe.network.is_energy_model:
        return NotApplicable(
            "a rate is raised blindly for energy models only; search it instead, by search_rate"
        )
    lr = getattr(recipe.optimizer, "lr", None)
    if lr is None or lr * 10 > FASTEST:
        return NotApplicable("ten times the rate would be above 1")
    return with_learning_rate(recipe, lr * 10)


def _use_pcd(recipe: Recipe) -> Recipe | NotApplicable:
    if not isinstance(recipe.loss, CD):
        return NotApplicable(
            "the chains of the negative phase go on from step to step already, or there is none"
        )
    return recipe.but(loss=PCD(steps=recipe.loss.steps))


def _more_gibbs_steps(recipe: Recipe) -> Recipe | NotApplicable:
    phase = recipe.loss
    if not isinstance(phase, CD | PCD | FastPCD | ParallelTempering):
        return NotApplicable("the phase takes no Gibbs steps of its own")
    if phase.steps >= MOST_STEPS:
        return NotApplicable(f"the phase takes {phase.steps} Gibbs steps already")
    return recipe.but(loss=phase.but(steps=max(FEWEST_STEPS, 2 * phase.steps)))


def _lower_learning(recipe: Recipe) -> Recipe | NotApplicable:
    lr = getattr(recipe.optimizer, "lr", None)
    if not recipe.network.is_energy_model or lr is None:
        return NotApplicable(
            "this is for chains that have to keep up with the weights; of other networks lower the rate by lower_rate"
        )
    return with_learning_rate(recipe, lr / 10)


def _use_pseudo_inverse(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Hopfield):
        return NotApplicable(f"{type(network).__name__} stores no patterns by a rule")
    if network.rule == PSEUDO_INVERSE:
        return NotApplicable("the patterns are stored by the pseudo-inverse already")
    return recipe.but(network=network.but(rule=PSEUDO_INVERSE))


def _use_storkey(recipe: Recipe) -> Recipe | NotApplicable:
    network = recipe.network
    if not isinstance(network, Hopfield):
        return NotApplicable(f"{type(network).__name__} stores no patterns by a rule")
    if network.rule in (STORKEY, PSEUDO_INVERSE):
        return NotApplicable(
            f"the patterns are stored by {network.rule} already, which keeps as many or more"
        )
    return recipe.but(network=network.but(rule=STORKEY))


BEGIN_AT_BASE_RATES = Remedy(
    "begin_at_base_rates",
    "Begin the visible biases at the log-odds of the inputs' means",
    ("hidden_unused",),
    _begin_at_base_rates,
    "visible_bias = torch.logit(x.mean(0).clamp(1e-3, 1 - 1e-3))",
    "Hinton 2012, practical guide, section 8.1",
)
CENTRE = Remedy(
    "centre_units",
    "Learn by deviations from the means of the units",
    ("hidden_unused", "negative_phase_stuck"),
    _centre,
    "dW -= outer(dh, v_mean) + outer(h_mean, dv); dv -= h_mean @ dW; dh -= dW @ v_mean",
    "Melchior, Fischer, Wiskott 2016",
)
RAISE_RATE = Remedy(
    "raise_rate",
    "Ten times the learning rate",
    ("hidden_unused",),
    _raise_rate,
    "lr = 10 * lr in the optimizer",
    "Hinton 2012, practical guide, section 7",
)
USE_PCD = Remedy(
    "use_persistent_chains",
    "Let the chains of the negative phase go on from step to step",
    ("negative_phase_stuck",),
    _use_pcd,
    "v_model = chains; chains = gibbs(chains); keep them for the next step",
    "Tieleman 2008; note 001, claim R12",
)
MORE_GIBBS_STEPS = Remedy(
    "more_gibbs_steps",
    "More Gibbs steps in the negative phase: at least 5, or twice as many",
    ("negative_phase_stuck",),
    _more_gibbs_steps,
    "for _ in range(5): v = draw(a + draw(b + v @ W.T) @ W)",
    "note 001, claims R12 and R13",
)
SLOW_DOWN = Remedy(
    "slow_down",
    "A tenth of the learning rate, so that chains keep up with the weights",
    ("negative_phase_stuck",),
    _lower_learning,
    "lr = lr / 10 in the optimizer",
    "Tieleman 2008, section 3",
)
USE_PSEUDO_INVERSE = Remedy(
    "use_pseudo_inverse",
    "Store the patterns by the pseudo-inverse",
    ("memory_overloaded",),
    _use_pseudo_inverse,
    "W = torch.linalg.pinv(P) @ P; W.fill_diagonal_(0)",
    "Personnaz, Guyon, Dreyfus 1986",
)
USE_STORKEY = Remedy(
    "use_storkey",
    "Store the patterns by Storkey's rule",
    ("memory_overloaded",),
    _use_storkey,
    "W += (outer(x, x) - x * h.T - h * x) / n with h[i, j] = W[i] @ x without i and j",
    "Storkey 1997",
)
