"""From an observed program to a bench, or the reason why there is none."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwise.history import History
from netwise.observe.kept_batches import KeptBatch
from netwise.observe.kept_states import KeptState
from netwise.observe.nested import tensors_in
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount, Root
from netwise.trials.bench import Bench, copied, put_state
from netwise.trials.rebuilt_loss import RebuiltLoss, loss_for_classes, rebuilt_loss
from netwise.trials.trying import NotPossible
from netwise.wiring import BINARY_CROSS_ENTROPY_OF_LOGITS, CROSS_ENTROPY

FEWEST_BATCHES = 2
HELD_SHARE = 0.25  # of the training batches, where no others were evaluated
LEAST_STEPS = 6000  # of all trials, where the share of the run is less
LEAST_SECONDS = 8.0
MOST_CHECKED = 4  # batches on which a loss is rebuilt


def bench_of(
    model: ObservedModel,
    history: History,
    limit: float,
    stated: Callable[[Any, Any], Any] | None = None,
) -> Bench:
    """The bench of one model.

    Args:
        model: as it was observed.
        history: of it.
        limit: of the cost, as a share of the run.
        stated: the function of its loss, where the user stated it.

    Raises:
        NotPossible: something is missing.
    """
    root = _only_root(model)
    module = root.module
    if module is None:
        raise NotPossible("the module is gone. Write `with nw.watch(trials=True) as w:`")
    if model.opponents:
        raise NotPossible("two networks are trained against each other")
    start, end = root.start, root.end
    for state in (start, end):
        if state is None or state.reason:
            raise NotPossible("no state was kept" if state is None else state.reason)
    assert start is not None
    assert end is not None
    accounts = _accounts(model)
    batches = tuple(b for b in root.kept.training if b.target is not None)
    if len(batches) < FEWEST_BATCHES:
        raise NotPossible("no batches of training were kept together with their targets")
    held = tuple(b for b in root.kept.evaluation if b.target is not None and not b.on_training_rows)
    if not held:
        cut = max(1, int(len(batches) * HELD_SHARE))
        batches, held = batches[:-cut], batches[-cut:]
    names = dict(root.parameters)
    loss = _loss(root, module, history, batches, accounts[0].first_loss, stated)
    return Bench(
        module,
        start,
        end,
        [account.start for account in accounts if account.start is not None],
        _rate_factor(accounts),
        names,
        batches,
        held,
        loss.function,
        max(LEAST_STEPS, int(limit * model.steps)),
        max(LEAST_SECONDS, limit * history.made_by.seconds),
        is_random=loss.is_random,
        loss_known=loss.is_known,
    )


def _only_root(model: ObservedModel) -> Root:
    roots = [root for root in model.roots if root.start is not None]
    if len(roots) != 1:
        reason = "several modules are called apart" if roots else "no pass of training was watched"
        raise NotPossible(f"{reason}, so a training step cannot be repeated")
    return roots[0]


def _accounts(model: ObservedModel) -> list[OptimizerAccount]:
    """The optimizers that update the module together. Of several that hold the same weights, as
    one after the other, the one with the most steps counts."""
    chosen: list[OptimizerAccount] = []
    for account in sorted(model.accounts, key=lambda a: -a.steps):
        if account.start is None:
            continue
        ids = {key for group, _ in account.start.groups for key in group}
        if not any(ids & {k for g, _ in a.start.groups for k in g} for a in chosen if a.start):
            chosen.append(account)
    if not chosen:
        raise NotPossible("no torch optimizer was seen to step")
    return chosen


def _rate_factor(accounts: Sequence[OptimizerAccount]) -> float:
    """From the rate before the first step to the largest of the run."""
    for account in accounts:
        first = account.start.groups[0][1].get("lr") if account.start is not None else None
        rates = [rate for _, rate in account.rates]
        if first and rates and math.isfinite(max(rates)):
            return float(max(max(rates), first) / first)
    return 1.0


@dataclass(frozen=True)
class _Loss:
    """The loss of a program, or one that fits its targets."""

    function: RebuiltLoss
    is_random: bool
    is_known: bool


def _loss(
    root: Root,
    module: nn.Module,
    history: History,
    batches: Sequence[KeptBatch],
    first_loss: float | None,
    stated: Callable[[Any, Any], Any] | None,
) -> _Loss:
    """The loss, rebuilt on the batches of the first step, whose value is known with the weights of
    the start."""
    wiring = history.wiring
    terms = () if wiring is None else wiring.losses
    if len([term for term in terms if term.operation and not term.penalty]) > 1:
        raise NotPossible("the loss has several parts")
    firsts = [b for b in batches if not b.step and b.rows in (0, len(b.inputs[0]))]
    if not firsts:
        raise NotPossible("the first batch was not kept whole, so the loss cannot be checked")
    assert root.start is not None
    try:
        passes = _passes(module, root.start, firsts, 0)
        again = _passes(module, root.start, firsts, 1)
    except Exception as error:
        raise NotPossible(f"a copy of the module fails: {error}"[:200]) from None
    is_random = _differ(passes, again)
    first = firsts[0]
    known = first_loss is not None and math.isfinite(first_loss)
    loss = rebuilt_loss(
        passes,
        first.operation,
        first.reduction,
        first.ignore_index,
        first_loss if known else None,
        is_random,
        stated,
        len(terms) > 1,
        next((term.factor for term in terms if term.operation), 1.0),
    )
    if loss is not None:
        return _Loss(loss, is_random, True)
    understood = first.operation in (CROSS_ENTROPY, BINARY_CROSS_ENTROPY_OF_LOGITS)
    fitting = None if understood else loss_for_classes(*passes[0])
    if fitting is None:
        what = first.operation or "the loss"
        raise NotPossible(f"{what} could not be rebuilt. Write nw.watch(loss=...)")
    return _Loss(fitting, is_random, False)


def _passes(
    module: nn.Module, state: KeptState, batches: Sequence[KeptBatch], seed: int
) -> list[tuple[Any, Tensor]]:
    """Outputs and targets of a copy in training mode."""
    twin = copied(module)
    put_state(twin, state)
    twin.train()
    torch.manual_seed(seed)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [(twin(*b.args, **b.kwargs), b.target) for b in batches if b.target is not None]


def _differ(one: Sequence[tuple[Any, Tensor]], other: Sequence[tuple[Any, Tensor]]) -> bool:
    pairs = zip(tensors_in([o for o, _ in one]), tensors_in([o for o, _ in other]), strict=True)
    return any(not torch.equal(a, b) for a, b in pairs)
