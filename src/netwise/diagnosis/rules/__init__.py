"""All rules, in the order in which causes are looked for: wiring, data, output and loss, start and
brakes, rate, capacity, regularisation, time."""

from __future__ import annotations

from netwise.diagnosis.rules import (
    brakes,
    codes as autoencoder,
    curves,
    dead,
    exploding,
    inputs,
    linear,
    misfit,
    negative_phase as energy,
    order,
    overload as memory,
    rate,
    saturation,
    symmetry,
    vanishing,
    wiring,
)
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked

RULES: tuple[Rule, ...] = (
    wiring.RULE,
    wiring.STALE_RULE,
    inputs.RULE,
    order.RULE,
    curves.LABELS,
    misfit.TARGET,
    misfit.OUTPUT,
    misfit.TASK,
    linear.RULE,
    symmetry.RULE,
    brakes.RULE,
    saturation.RULE,
    dead.RULE,
    exploding.RULE,
    vanishing.RULE,
    rate.HIGH,
    rate.LOW,
    curves.OVERFITTING,
    curves.UNDERFITTING,
    curves.NOT_LEARNING,
    autoencoder.COLLAPSE,
    autoencoder.DEAD,
    autoencoder.IDENTITY,
    energy.UNUSED,
    energy.STUCK_RULE,
    memory.RULE,
)

__all__ = ["RULES", "Answer", "Evidence", "Finding", "Rule", "Unchecked"]
