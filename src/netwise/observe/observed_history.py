"""The history of an observed model: its rows, facts and wiring."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from netwise import signals
from netwise.history import DIVERGED, FINISHED, RUNNING, History, Provenance, RunEnd, RunFacts
from netwise.observe.distribution import DDP
from netwise.observe.observed_model import LossSite, ObservedModel
from netwise.tasks import OF_LOGITS, OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    SQUARED_ERROR,
    Wiring,
)


@dataclass(frozen=True)
class ProgramFacts:
    """What is known of the observed program as a whole.

    Args:
        running: it has not ended.
        seconds: since the start.
        device: of the first module.
        not_finite, not_finite_step: as in `Wiring`.
        frameworks: as in `Wiring`.
        switched_off: parts of the observer that failed, with their error.
        given: facts that the user stated, which are used instead of those observed.
    """

    running: bool
    seconds: float
    device: str = "cpu"
    not_finite: str = ""
    not_finite_step: int | None = None
    frameworks: tuple[str, ...] = ()
    switched_off: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


def history_of(model: ObservedModel, program: ProgramFacts) -> History:
    """The history of one model."""
    rows: list[dict[str, Any]] = [*model.rows, *model.evaluations]
    account = model.accounts[0] if model.accounts else None
    if account is not None:
        rows += [{"step": step, signals.LOSS: value} for step, value in account.losses.values]
    rows.sort(key=lambda row: row["step"])
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    made_by = Provenance(
        "", versions, program.device, torch.get_num_threads(), round(program.seconds, 3)
    )
    ended = _end(model, program)
    return History.from_rows(
        rows, model.layers, facts_of(model, program), ended, made_by, wiring_of(model, program)
    )


def _end(model: ObservedModel, program: ProgramFacts) -> RunEnd:
    steps = model.steps
    if program.running:
        return RunEnd(RUNNING, f"{steps} steps were recorded so far.", steps)
    last = model.accounts[0].losses.values[-1:] if model.accounts else []
    if program.not_finite and any(not abs(value) < float("inf") for _, value in last):
        return RunEnd(DIVERGED, program.not_finite, steps)
    return RunEnd(FINISHED, f"{steps} steps were recorded.", steps)


def facts_of(model: ObservedModel, program: ProgramFacts) -> RunFacts:
    """Facts of the run: what the user stated, else what was observed.

    The loss of guessing, where the graph shows what the loss is, follows from statistics of all
    observed targets. The function that the user stated is asked about a few of them only, and about
    rows that the network cannot give, such as those that are no log-probabilities.
    """
    account = model.accounts[0] if model.accounts else None
    rates = [rate for _, rate in account.rates] if account is not None else []
    facts = RunFacts(
        optimizer=account.kind or None if account is not None else None,
        rate=rates[0] if rates else None,
        weight_decay=account.weight_decay if account is not None else None,
        dropout=max((root.dropout for root in model.roots), default=0.0),
    )
    site = data_site(model)
    if site is not None:
        facts = replace(facts, **_facts_of_loss(site, model))
    given = {name: value for name, value in program.given.items() if value is not None}
    if model.opponents:
        given.pop("loss_of_guessing", None)
    if facts.loss_of_guessing is not None:
        given.pop("loss_of_guessing", None)
        given.pop("least_loss", None)
    if facts.loss_kind:
        given.pop("loss_kind", None)
    return replace(facts, **given)


def data_site(model: ObservedModel) -> LossSite | None:
    """The loss that compares outputs with targets, where there is exactly one."""
    sites = [
        site
        for site in model.sites.values()
        if any(not term.penalty and term.operation for term in site.terms)
    ]
    return sites[0] if len(sites) == 1 else None


def _facts_of_loss(site: LossSite, model: ObservedModel) -> dict[str, Any]:
    known = [
        (term, statistics)
        for term, statistics in zip(site.terms, site.targets, strict=False)
        if not term.penalty
    ]
    if len(known) != 1:
        return {"batch_size": site.batch_size or None}
    term, statistics = known[0]
    facts = dict(statistics.facts())
    guess = least = None
    if not site.weighted and not model.opponents and len(site.terms) == 1:
        guess = statistics.loss_of_guessing(term.operation, term.reduction)
        least = statistics.least_loss(term.operation, term.reduction)
        factor = _remaining_factor(term.factor, model)
        guess = None if guess is None else guess * factor
        least = None if least is None else least * factor
    return {
        **facts,
        "loss": term.operation or None,
        "loss_kind": loss_kind_of(term.operation, term.chain),
        "loss_of_guessing": guess,
        "least_loss": least,
        "batch_size": site.batch_size or None,
        "class_shares": statistics.class_shares(),
        "target_shape": term.target_shape or None,
    }


def _remaining_factor(factor: float, model: ObservedModel) -> float:
    """The constant factor that recorded losses still contain."""
    account = model.accounts[0] if model.accounts else None
    passes = len(account.row.counted) if account is not None and account.row else 1
    return 1.0 if passes > 1 and abs(factor * passes - 1) < 0.01 else factor


def loss_kind_of(operation: str, chain: tuple[str, ...]) -> str | None:
    """The kind of a loss in `netwise.tasks`; "" for other losses, None where it is not known."""
    if operation == CROSS_ENTROPY:
        if "?" in chain and "LogSoftmax" not in chain:
            return None
        return OF_LOGITS if chain[:1] == ("LogSoftmax",) else OF_PROBABILITIES
    kinds = {
        BINARY_CROSS_ENTROPY: OF_PROBABILITIES,
        BINARY_CROSS_ENTROPY_OF_LOGITS: OF_SIGMOID_LOGITS,
        SQUARED_ERROR: SQUARED,
    }
    return kinds.get(operation, "" if operation else None)


def wiring_of(model: ObservedModel, program: ProgramFacts) -> Wiring:
    """Connections of the model's loss, weights and optimizers."""
    prefixed = [(model.prefix(root), root) for root in model.roots]
    trainable = {prefix + name for prefix, root in prefixed for name in root.trainable}
    frozen = {prefix + name for prefix, root in prefixed for name in root.frozen}
    seen = model.reached | model.with_gradient
    optimizers = [account for account in model.accounts if account.kind]
    missing = dict(program.switched_off)
    outside = tuple(model.outside.values())
    unreached = trainable & model.owned - seen
    outside_optimizer = trainable & seen - model.owned
    if not optimizers:
        missing.setdefault("optimizers", "no step of a torch.optim.Optimizer was seen")
        outside_optimizer, unreached = set(), set()
    if any(root.sharded for root in model.roots):
        reason = "weights are sharded: the graph contains gathered copies of them"
        for name in ("not_reached", "in_no_optimizer", "outside_module"):
            missing.setdefault(name, reason)
        missing["whole weights"] = "values are those of the shards in this process"
        unreached, outside_optimizer, outside = set(), set(), ()
    elif not seen and (model.opaque or not model.passes_seen):
        missing.setdefault("not_reached", "no backward pass to these weights was seen")
        if not model.cycles:
            unreached = set()
    if any(root.is_keras for root in model.roots):
        missing["mode"] = "layers of Keras get their mode as an argument of each call"
        missing["input"] = "layers of Keras are no parts of its model that torch could show"
    if any(root.distributed_by == DDP for root in model.roots):
        missing["gradients of one process"] = "DDP gives each process the mean of all gradients"
    if model.incomplete_graph:
        missing.setdefault("not_reached", "the autograd graph has more than 20,000 nodes")
        unreached = set()
    linear = _linear(model)
    if frozen or trainable - model.reached:  # what is before them is not in the graph
        linear = linear and None
    if linear is None:
        missing.setdefault(
            "linear", "operations of the module are not visible in the autograd graph"
        )
    if not model.evaluations:
        missing.setdefault("evaluation", "no pass without gradients was seen, or one in each step")
    if not model.sites and not model.passes_seen:
        missing.setdefault("losses", "no backward pass of a loss was seen")
    return Wiring(
        module=model.kind,
        optimizers=tuple(account.kind for account in optimizers),
        trainable=len(trainable),
        frozen=tuple(sorted(frozen)),
        in_no_optimizer=tuple(sorted(outside_optimizer)),
        not_reached=tuple(sorted(unreached)),
        outside_module=outside,
        optimizer_weights=sum(len(account.ids) for account in optimizers),
        optimizer_trainable=sum(len(account.trainable_ids) for account in optimizers),
        cut_between=model.cut if unreached else (),
        unused_output=model.unused_output,
        losses=tuple(term for site in model.sites.values() for term in site.terms),
        widened=model.widened,
        softmax_over_batch=model.softmax_over_batch,
        linear=linear,
        opponents=tuple(sorted(model.opponents)),
        features=_features(model),
        not_finite=program.not_finite,
        not_finite_step=program.not_finite_step,
        clipped_before_unscale=sum(a.clipped_before_unscale for a in model.accounts),
        frameworks=program.frameworks,
        not_observed=missing,
    )


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
