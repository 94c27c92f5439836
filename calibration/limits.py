"""How far the limits in the code of rules are from healthy runs: each is scaled, and rules are run
again over recorded histories. Limits are fitted on two thirds of the programs and judged on the
rest, five times."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import unwrap
from pathlib import Path
from types import ModuleType

import netwise as nw
from netwise.history import History

SCALES = (0.25, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.6, 2.5, 4.0)
FOLDS = 5
HEALTHY_SHARE = 0.01  # of healthy runs that a fitted limit may accuse


@dataclass(frozen=True)
class Limit:
    """A number in capital letters at the top of a module of rules."""

    module: str
    name: str
    value: float


@dataclass(frozen=True)
class Run:
    """One recorded history with what a rule may say of it.

    Args:
        program: name of the program; a program is never split between fit and judgement.
        history: of one root.
        healthy: nothing may be found.
        allowed: rules that are true of it, by name.
    """

    program: str
    history: History
    healthy: bool
    allowed: frozenset[str]


@dataclass(frozen=True)
class Counts:
    """Of some runs: healthy ones and those accused; faults with the rule's word and those named."""

    healthy: int
    accused: int
    faults: int
    named: int

    @property
    def accused_share(self) -> float:
        return self.accused / self.healthy if self.healthy else 0.0

    @property
    def named_share(self) -> float:
        return self.named / self.faults if self.faults else 0.0


@dataclass(frozen=True)
class Calibration:
    """What was measured of one rule.

    Args:
        rule: its name.
        whole: counts over all runs with the limits of the code.
        others: faults of other words of which the rule was found (causes or consequences).
        margin: the smallest factor by which one limit can be moved until one more healthy run is
            accused; infinite where none of `SCALES` does.
        margin_of: the name of that limit.
        left_out: counts over the left-out programs of all folds, each with the fitted limits.
        chosen: for each limit that matters: value, and smallest and largest fitted value.
    """

    rule: str
    whole: Counts
    others: int
    margin: float
    margin_of: str
    left_out: Counts
    chosen: Mapping[str, tuple[float, float, float]]


def modules_of_rules() -> Mapping[str, list[nw.Rule]]:
    """Rules by the module of their function."""
    found: dict[str, list[nw.Rule]] = {}
    for rule in nw.RULES:
        found.setdefault(unwrap(rule.find).__module__, []).append(rule)
    return found


def limits_of(module: ModuleType) -> tuple[Limit, ...]:
    """Numbers in capital letters that the module's file itself defines, 0 and 1 left out."""
    tree = ast.parse(Path(module.__file__ or "").read_text())
    found = []
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if not isinstance(target, ast.Name) or not target.id.isupper():
            continue
        value = getattr(module, target.id)
        if isinstance(value, int | float) and not isinstance(value, bool) and value not in (0, 1):
            found.append(Limit(module.__name__, target.id, value))
    return tuple(found)


def found_by(rule: nw.Rule, history: History) -> bool:
    """Whether the rule finds its fault; False where it raises, since a scaled limit may be the
    length of something."""
    try:
        return rule.is_about(history) and isinstance(rule.find(history), nw.Finding)
    except Exception:
        return False


def answers(rule: nw.Rule, runs: Sequence[Run]) -> tuple[bool, ...]:
    """Whether the rule finds its fault in each run."""
    return tuple(found_by(rule, run.history) for run in runs)


def scaled_answers(
    module: ModuleType, limit: Limit, rules: Sequence[nw.Rule], runs: Sequence[Run]
) -> dict[str, dict[float, tuple[bool, ...]]]:
    """For each rule of the module and each scale of the limit, its answers."""
    result: dict[str, dict[float, tuple[bool, ...]]] = {rule.name: {} for rule in rules}
    try:
        for scale in SCALES:
            if scale != 1.0:
                setattr(module, limit.name, type(limit.value)(limit.value * scale))
                for rule in rules:
                    result[rule.name][scale] = answers(rule, runs)
    finally:
        setattr(module, limit.name, limit.value)
    return result


def counted(
    rule: str, found: Sequence[bool], runs: Sequence[Run], kept: Callable[[str], bool]
) -> Counts:
    """Counts over the runs of programs that are `kept`."""
    healthy = accused = faults = named = 0
    for run, hit in zip(runs, found, strict=True):
        if not kept(run.program):
            continue
        if run.healthy:
            healthy += 1
            accused += hit and rule not in run.allowed
        elif rule in run.allowed:
            faults += 1
            named += hit
    return Counts(healthy, accused, faults, named)


def folds(programs: Sequence[str]) -> Iterator[frozenset[str]]:
    """The left-out third of the programs, five times."""
    for seed in range(FOLDS):
        order = sorted(set(programs))
        random.Random(seed).shuffle(order)
        yield frozenset(order[: max(1, len(order) // 3)])


def best_scale(
    rule: str,
    by_scale: Mapping[float, tuple[bool, ...]],
    runs: Sequence[Run],
    kept: Callable[[str], bool],
) -> float:
    """The scale with which most faults are named while no more healthy runs are accused than
    allowed; among equal ones that which is nearest to the limit of the code."""

    def merit(scale: float) -> tuple[bool, float, int, float]:
        counts = counted(rule, by_scale[scale], runs, kept)
        fits = counts.accused_share <= HEALTHY_SHARE
        distance = max(scale, 1 / scale)
        return fits, 0.0 if fits else -counts.accused_share, counts.named, -distance

    return max(by_scale, key=merit)


def calibrated(
    rules: Sequence[nw.Rule], module_name: str, runs: Sequence[Run]
) -> list[Calibration]:
    """Calibrations of the rules of one module."""
    module = import_module(module_name)
    as_is = {rule.name: answers(rule, runs) for rule in rules}
    by_limit = {limit: scaled_answers(module, limit, rules, runs) for limit in limits_of(module)}
    return [
        _of_rule(rule.name, as_is[rule.name], {k: v[rule.name] for k, v in by_limit.items()}, runs)
        for rule in rules
    ]


def _of_rule(
    rule: str,
    as_is: tuple[bool, ...],
    by_limit: Mapping[Limit, dict[float, tuple[bool, ...]]],
    runs: Sequence[Run],
) -> Calibration:
    def every(program: str) -> bool:
        return True

    whole = counted(rule, as_is, runs, every)
    others = sum(
        hit and not run.healthy and rule not in run.allowed
        for run, hit in zip(runs, as_is, strict=True)
    )
    margin, margin_of = float("inf"), ""
    chosen: dict[str, tuple[float, float, float]] = {}
    left_out = Counts(0, 0, 0, 0)
    programs = [run.program for run in runs]
    matters = {
        limit: {**scaled, 1.0: as_is}
        for limit, scaled in by_limit.items()
        if any(found != as_is for found in scaled.values())
    }
    for limit, by_scale in matters.items():
        for scale, found in by_scale.items():
            factor = max(scale, 1 / scale)
            if counted(rule, found, runs, every).accused > whole.accused and factor < margin:
                margin, margin_of = factor, limit.name
        fitted = [
            limit.value * best_scale(rule, by_scale, runs, lambda p, out=out: p not in out)
            for out in folds(programs)
        ]
        chosen[limit.name] = (limit.value, min(fitted), max(fitted))
    for out in folds(programs):
        found = as_is
        for by_scale in matters.values():  # the limit whose fit names most, alone
            scale = best_scale(rule, by_scale, runs, lambda p, out=out: p not in out)
            other = by_scale[scale]
            if _named(rule, other, runs, out) > _named(rule, found, runs, out):
                found = other
        more = counted(rule, found, runs, lambda p, out=out: p in out)
        left_out = Counts(
            left_out.healthy + more.healthy,
            left_out.accused + more.accused,
            left_out.faults + more.faults,
            left_out.named + more.named,
        )
    return Calibration(rule, whole, others, margin, margin_of, left_out, chosen)


def _named(rule: str, found: Sequence[bool], runs: Sequence[Run], out: frozenset[str]) -> int:
    """Faults named on the programs of the fit."""
    return counted(rule, found, runs, lambda program: program not in out).named
