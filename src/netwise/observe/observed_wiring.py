"""Connections of an observed model: its loss, weights and optimizers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from netwise.observe.distribution import DDP
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount
from netwise.observe.program_facts import ProgramFacts
from netwise.wiring import Wiring

FEW = 3  # watched steps over which a number is read
# Parts of the observer, without one of which the connections of a program are not known.
CONNECTING_PARTS = ("modules", "gradients", "steps")
CONNECTIONS = (
    "trainable",
    "frozen",
    "in_no_optimizer",
    "not_reached",
    "outside_module",
    "optimizer_weights",
    "optimizer_trainable",
)


def wiring_of(model: ObservedModel, program: ProgramFacts) -> Wiring:
    """Connections of the model's loss, weights and optimizers."""
    prefixed = [(model.prefix(root), root) for root in model.roots]
    trainable = {prefix + name for prefix, root in prefixed for name in root.trainable}
    frozen = {prefix + name for prefix, root in prefixed for name in root.frozen}
    seen = model.reached | model.with_gradient
    optimizers = [account for account in model.accounts if account.kind]
    linear = _linear(model)
    if frozen or trainable - model.reached:  # what is before them is not in the graph
        linear = linear and None
    unreached, outside_optimizer = set[str](), set[str]()
    sharded = any(root.sharded for root in model.roots)
    if optimizers and not sharded:
        outside_optimizer = trainable & seen - model.owned
        if not model.incomplete_graph and (model.cycles or not _sees_no_pass(model)):
            unreached = trainable & model.owned - seen
    return Wiring(
        module=model.modules,
        optimizers=tuple(account.kind for account in optimizers),
        trainable=len(trainable),
        frozen=tuple(sorted(frozen)),
        frozen_at_start=tuple(
            sorted(p + name for p, root in prefixed for name in root.frozen & root.frozen_at_start)
        ),
        drawn_embeddings=tuple(
            sorted(p + name for p, root in prefixed for name in root.frozen & root.drawn_embeddings)
        ),
        in_no_optimizer=tuple(sorted(outside_optimizer)),
        not_reached=tuple(sorted(unreached)),
        outside_module=() if sharded else tuple(model.outside.values()),
        outside_tensors=_outside_tensors(model) if optimizers and not sharded else (),
        outside_anew=model.outside_anew and not sharded,
        asks_inputs=model.asks_inputs,
        optimizer_weights=sum(len(account.ids) for account in optimizers),
        optimizer_trainable=sum(len(account.trainable_ids) for account in optimizers),
        cut_between=model.cut if unreached else (),
        unused_output=model.unused_output,
        losses=tuple(term for site in model.sites.values() for term in site.terms),
        widened=model.widened,
        softmax_over_batch=model.softmax_over_batch,
        score_misread=model.score_misread,
        linear=linear,
        opponents=tuple(sorted(model.opponents)),
        features=_features(model),
        not_finite=program.not_finite,
        not_finite_step=program.not_finite_step,
        not_finite_in_loss=program.not_finite_in_loss,
        rate_climbs=max((account.climbs.count for account in optimizers), default=0),
        **_planned(optimizers),
        optimizers_of_one_step=_made_anew(optimizers),
        **_game(model),
        idle_losses=program.idle,
        idle_weights=program.idle_steps.get(model.name, ((), 0))[0],
        idle_steps=program.idle_steps.get(model.name, ((), 0))[1],
        left_out=program.left_out,
        idle_gradients=program.inner,
        constant_gradients=_constant_gradients(model, program),
        still_copies=program.copies,
        **_evaluated(model, program),
        pairs_nearer=_pairs_nearer(model),
        unmatched_states=program.unmatched,
        loader_iterators=program.loader_iterators,
        **_carried(model),
        normed_by_evaluated=any(root.evaluation.normed_by_evaluated for root in model.roots),
        scaled_by_itself=next(
            filter(None, (root.evaluation.scaled_by_itself for root in model.roots)), ""
        ),
        asks_networks=program.asks or any(r.evaluation.belongs_to_training for r in model.roots),
        repeated_numbers=program.repeated[0],
        repeats=program.repeated[1],
        phases_began=tuple(account.began for account in model.phases[1:]),
        shared_optimizers=tuple(name for name in program.shared if name),
        maximizes=any(account.maximizes for account in optimizers),
        clipped_before_unscale=sum(a.clipped_before_unscale for a in model.accounts),
        frameworks=program.frameworks,
        not_observed=_reasons(model, program, linear),
    )


def _pairs_nearer(model: ObservedModel) -> tuple[float, ...]:
    """Pairs of a loss of distances, where one module has them."""
    found = [pairs for root in model.roots if (pairs := root.forces.pairs) is not None]
    return (found[0].nearer_inputs, found[0].nearer_outputs) if len(found) == 1 else ()


def _carried(model: ObservedModel) -> dict[str, Any]:
    """What the state is worth that one module carries from step to step."""
    found = [(r, value) for r in model.roots if (value := r.carried.found) is not None]
    if len(found) != 1:
        return {}
    root, value = found[0]
    return {
        "carried_state": model.prefix(root) + value.layer,
        "carried_worth": (value.noise, value.worth, value.error, value.unexplained),
    }


def _evaluated(model: ObservedModel, program: ProgramFacts) -> dict[str, Any]:
    """What is evaluated in the place of the model."""
    fresh, average, share = program.evaluated.get(model.name, ("", "", 1.0))
    found: dict[str, Any] = {"evaluated_fresh": fresh, "evaluated_average": average}
    return {**found, "average_follows": share} if average else found


def _constant_gradients(model: ObservedModel, program: ProgramFacts) -> str:
    """The line that takes gradients of this model which are constants for its loss."""
    place, weights = program.constant_gradients
    return place if any(weights & root.parameters.keys() for root in model.roots) else ""


def _outside_tensors(model: ObservedModel) -> tuple[str, ...]:
    """Shapes of the tensors used as weights that nothing has changed."""
    held = {key for account in model.accounts for key in account.ids}
    return tuple(
        each.shape
        for key, each in model.outside_tensors.items()
        if each.stands_still and key not in held
    )


def _game(model: ObservedModel) -> dict[str, Any]:
    """What is known of a module that makes samples for another one to judge."""
    games = [root.game for root in model.roots if root.game.spreads or root.game.compared]
    if len(games) != 1:
        return {}
    game = games[0]
    ratios = game.spreads
    return {
        "judged_steps": game.compared,
        "judged_alike": game.alike,
        "made_spread": (max(ratios), median(ratios[-FEW:])) if len(ratios) >= 2 * FEW else (),
    }


def _planned(accounts: Sequence[OptimizerAccount]) -> dict[str, Any]:
    """The rate of a schedule with a peak, and how near to it the rate came."""
    planned = next((a for a in accounts if a.planned_rate), None)
    if planned is None:
        return {}
    return {"planned_rate": planned.planned_rate, "highest_rate": planned.highest_rate}


def _made_anew(accounts: Sequence[OptimizerAccount]) -> int:
    """How many optimizers with a memory stepped once or twice, of those of the same weights."""
    short = [a for a in accounts if a.has_memory and a.ids and a.made <= 2]
    return max(Counter(frozenset(a.ids) for a in short).values(), default=0)


def _sees_no_pass(model: ObservedModel) -> bool:
    """Whether no backward pass to the model's weights was seen."""
    seen = model.reached | model.with_gradient
    return not seen and (model.opaque or not model.passes_seen)


def _reasons(model: ObservedModel, program: ProgramFacts, linear: bool | None) -> dict[str, str]:
    """For each field that could not be observed, the reason."""
    reasons = dict(program.switched_off)
    failed = next((reasons[part] for part in CONNECTING_PARTS if part in reasons), None)
    if failed is not None:
        reasons |= dict.fromkeys(CONNECTIONS, failed)
    if not any(account.kind for account in model.accounts):
        reasons.setdefault("optimizers", "no step of a torch.optim.Optimizer was seen")
    if any(root.sharded for root in model.roots):
        reason = "weights are sharded: the graph contains gathered copies of them"
        for name in ("not_reached", "in_no_optimizer", "outside_module"):
            reasons.setdefault(name, reason)
        reasons["whole weights"] = "values are those of the shards in this process"
    elif _sees_no_pass(model):
        reasons.setdefault("not_reached", "no backward pass to these weights was seen")
    if any(root.is_keras for root in model.roots):
        reasons["mode"] = "layers of Keras get their mode as an argument of each call"
        reasons["input"] = "layers of Keras are no parts of its model that torch could show"
    if any(root.distributed_by == DDP for root in model.roots):
        reasons["gradients of one process"] = "DDP gives each process the mean of all gradients"
    if model.incomplete_graph:
        reasons.setdefault("not_reached", "the autograd graph has more than 20,000 nodes")
    if linear is None:
        reason = "operations of the module are not visible in the autograd graph"
        reasons.setdefault("linear", reason)
    if not model.evaluations:
        reasons.setdefault("evaluation", "no pass without gradients was seen, or one in each step")
    if not model.sites and not model.passes_seen:
        reasons.setdefault("losses", "no backward pass of a loss was seen")
    return reasons


def _linear(model: ObservedModel) -> bool | None:
    answers = [root.linear for root in model.roots]
    if any(answer is False for answer in answers):
        return False
    if not answers or any(answer is None for answer in answers):
        return None
    return True


def _features(model: ObservedModel) -> tuple[tuple[float, ...], ...]:
    """Moments of the input features of the first module that has them."""
    if any(root.evaluation.belongs_to_training for root in model.roots):
        return ()
    facts = next((f for f in (r.evaluation.input_facts() for r in model.roots) if f), None)
    if facts is None:
        return ()
    return (facts.training_mean, facts.training_std, facts.evaluation_mean, facts.evaluation_std)
