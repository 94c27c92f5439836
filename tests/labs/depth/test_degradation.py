"""The criteria of L34 can fail both ways, and its arms differ by shortcuts and depth alone."""

from __future__ import annotations

from netwise.labs.depth.degradation import (
    DEPTHS,
    PLAIN,
    RESIDUAL,
    DegradationSettings,
    degradation_arms,
    degradation_criteria,
    stack,
)
from netwise.labs.lab_definition import LabResult


def verdict(plain: dict[int, float], residual: dict[int, float]) -> str:
    errors = {
        (kind, depth): [rows[depth] - 0.1, rows[depth] + 0.1]
        for kind, rows in ((PLAIN, plain), (RESIDUAL, residual))
        for depth in DEPTHS
    }
    return LabResult({}, degradation_criteria(errors), "").verdict


def test_degradation_that_shortcuts_remove_confirms_the_claim() -> None:
    good = {8: 4.0, 20: 5.0, 56: 5.2}
    bad = {8: 4.0, 20: 30.0, 56: 80.0}
    assert verdict(bad, good) == "confirmed"
    assert verdict(bad, bad) == "partly confirmed"
    assert verdict(good, bad) == "refuted"


def test_arms_differ_by_depth_and_shortcuts_alone() -> None:
    settings = DegradationSettings(width=8)
    assert len({recipe.hash for recipe in degradation_arms(settings).values()}) == 6
    plain, residual = (stack(kind, 8, settings) for kind in (PLAIN, RESIDUAL))
    assert plain.network.but(residual=True) == residual.network
    weights = [sum(p.numel() for p in r.network.build().parameters()) for r in (plain, residual)]
    assert weights[0] == weights[1]
