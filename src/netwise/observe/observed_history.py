"""The history of an observed model: its rows, facts and wiring."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch

from netwise import signals
from netwise.history import DIVERGED, FINISHED, RUNNING, History, Provenance, RunEnd, RunFacts
from netwise.observe.observed_model import LossSite, ObservedModel
from netwise.observe.observed_wiring import wiring_of
from netwise.observe.program_facts import ProgramFacts
from netwise.observe.target_statistics import TargetStatistics
from netwise.program_error import ProgramError
from netwise.tasks import OF_LOGITS, OF_PROBABILITIES, OF_SIGMOID_LOGITS, SQUARED
from netwise.wiring import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    KL_DIVERGENCE,
    SQUARED_ERROR,
    LossTerm,
)


def history_of(model: ObservedModel, program: ProgramFacts) -> History:
    """The history of one model."""
    rows: list[dict[str, Any]] = [*model.rows, *model.evaluations]
    rows += [{"step": step, signals.LOSS: value} for step, value in model.losses]
    rows.sort(key=lambda row: row["step"])
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    made_by = Provenance(
        "", versions, program.device, torch.get_num_threads(), round(program.seconds, 3)
    )
    ended = _end(model, program)
    facts = facts_of(model, program)
    history = History.from_rows(
        rows, model.layers, facts, ended, made_by, wiring_of(model, program)
    )
    stores = [root.kept for root in model.roots]
    answers = next((t for root in model.roots if (t := root.answers.total())), ())
    evaluated = next((t for root in model.roots if (t := root.evaluated.total())), ())
    data = model.data.facts(stores, facts.classes, program.running, answers, evaluated)
    if data is not None:
        scores = (root.evaluated.r2 for root in model.roots)
        data = replace(data, evaluation_r2=next((r2 for r2 in scores if r2 is not None), None))
        if program.modules > 1:  # what another module gives changes with its weights
            data = replace(data, drawn_anew=None, beyond_training=None)
    return history.but(data=data, first_batch=model.first_batch)


def untrained_history(error: ProgramError | None, *, running: bool) -> History:
    """The history of a program that has trained no model.

    Args:
        error: what kept it from that; None where nothing did.
        running: it has not ended.
    """
    how = RUNNING if running else FINISHED
    ended = RunEnd(how, "No training step was observed.", 0)
    return History.from_rows([], ended=ended).but(error=error)


def _end(model: ObservedModel, program: ProgramFacts) -> RunEnd:
    steps = model.steps
    if program.running:
        return RunEnd(RUNNING, f"{steps} steps were recorded so far.", steps)
    last = model.losses[-1:]
    if program.not_finite and any(not abs(value) < float("inf") for _, value in last):
        return RunEnd(DIVERGED, program.not_finite, steps)
    return RunEnd(FINISHED, f"{steps} steps were recorded.", steps)


def facts_of(model: ObservedModel, program: ProgramFacts) -> RunFacts:
    """Facts of the run: what the user stated, else what was observed.

    The loss of guessing, where the graph shows what the loss is, follows from statistics of all
    observed targets. The function that the user stated is asked about a few of them only, and about
    rows that the network cannot give, such as those that are no log-probabilities.
    """
    account = model.main
    rates = [rate for _, rate in account.rates] if account is not None else []
    facts = RunFacts(
        optimizer=account.kind or None if account is not None else None,
        rate=rates[0] if rates else None,
        weight_decay=account.weight_decay if account is not None else None,
        dropout=max((max(r.dropout, r.used_dropout) for r in model.roots), default=0.0),
        emptied_by_dropout=max((r.emptied_by_dropout for r in model.roots), default=0.0),
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


def knows_guessing(model: ObservedModel) -> bool:
    """Whether the loss of guessing follows from what was observed."""
    site = data_site(model)
    return site is not None and _facts_of_loss(site, model).get("loss_of_guessing") is not None


def data_site(model: ObservedModel) -> LossSite | None:
    """The loss that compares outputs with targets, where there is exactly one; of the same loss at
    several lines, as of two loops one after the other, the last."""
    sites = [
        site
        for site in model.sites.values()
        if any(not term.penalty and term.operation for term in site.terms)
    ]
    in_turn = any(one.last > other.first for one, other in pairwise(sites))
    return sites[-1] if len({_form(site) for site in sites}) == 1 and not in_turn else None


def _form(site: LossSite) -> tuple[Any, ...]:
    terms = ((t.operation, t.chain, t.reduction, t.weight, t.penalty) for t in site.terms)
    return (site.outputs, site.weighted, *terms)


def _facts_of_loss(site: LossSite, model: ObservedModel) -> dict[str, Any]:
    known = [
        (term, statistics)
        for term, statistics in zip(site.terms, site.targets, strict=False)
        if not term.penalty
    ]
    guess = least = None
    if not site.weighted and not model.opponents and len(site.terms) == len(known):
        guess, least = _constant_and_perfect(known, model)
    if len(known) != 1:
        return {
            **_common_targets([statistics for _, statistics in known]),
            "batch_size": site.batch_size or None,
            "loss_of_guessing": guess,
            "least_loss": least,
        }
    term, statistics = known[0]
    facts = dict(statistics.facts())
    return {
        **facts,
        "loss": term.operation or None,
        "loss_kind": loss_kind_of(term.operation, term.chain),
        "loss_of_guessing": guess,
        "least_loss": least,
        "batch_size": site.batch_size or None,
        "class_shares": statistics.class_shares(),
        "target_shape": term.target_shape or None,
        "weighted_loss": site.weighted,
    }


def _common_targets(known: Sequence[TargetStatistics]) -> dict[str, Any]:
    """Facts about the targets of several terms that ask for the same classes, as those of auxiliary
    outputs and of contrasted pairs do; {} for others."""
    each = [
        {**statistics.facts(), "class_shares": statistics.class_shares()} for statistics in known
    ]
    is_same = bool(each) and all(facts == each[0] for facts in each)
    return each[0] if is_same and each[0].get("class_targets") else {}


def _constant_and_perfect(
    known: Sequence[tuple[LossTerm, TargetStatistics]], model: ObservedModel
) -> tuple[float | None, float | None]:
    """The loss of the best constant predictions and that of perfect ones, summed over the terms of
    the loss; None where one of them is not known. Of several terms each has to be a mean of a loss
    of torch: the constants of others belong to their sums as well."""
    guess = least = 0.0
    for term, statistics in known:
        is_plain = term.reduction == "mean" and term.operation != KL_DIVERGENCE
        if len(known) > 1 and (term.by_hand or not is_plain):
            return None, None
        constant = statistics.loss_of_guessing(term.operation, term.reduction)
        perfect = statistics.least_loss(term.operation, term.reduction)
        if constant is None:
            return None, None
        factor = term.weight * _remaining_factor(term.factor, model)
        guess += factor * constant
        least = math.nan if perfect is None else least + factor * perfect
    return guess, None if math.isnan(least) else least


def _remaining_factor(factor: float, model: ObservedModel) -> float:
    """The constant factor that recorded losses still contain."""
    account = model.main
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
