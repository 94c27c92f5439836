"""All rules, in the order in which causes are checked: optimizer, data, output and loss, start and
regularisation, learning rate, capacity, training time."""

from __future__ import annotations

from netwise.diagnosis.rules import (
    autoencoder_codes,
    dead_units,
    exploding,
    input_scale,
    learning_curves,
    memory_capacity,
    mismatch,
    negative_phase,
    nonlinearity,
    regularisation,
    saturation,
    shuffling,
    symmetry,
    update_size,
    vanishing,
    wiring,
)
from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked

RULES: tuple[Rule, ...] = (
    wiring.WEIGHTS_STAND_STILL,
    wiring.STALE_GRADIENTS,
    input_scale.INPUTS_NOT_NORMALISED,
    shuffling.NOT_SHUFFLED,
    learning_curves.LABELS_SUSPECT,
    mismatch.TARGET_NOT_SCALED,
    mismatch.OUTPUT_MISFITS_LOSS,
    mismatch.LOSS_MISFITS_TASK,
    nonlinearity.NO_NONLINEARITY,
    symmetry.START_SYMMETRIC,
    regularisation.BRAKES_TOO_STRONG,
    saturation.SATURATION,
    dead_units.DEAD_RELU,
    exploding.EXPLODING_GRADIENT,
    vanishing.VANISHING_GRADIENT,
    update_size.RATE_TOO_HIGH,
    update_size.RATE_TOO_LOW,
    learning_curves.OVERFITTING,
    learning_curves.UNDERFITTING,
    learning_curves.NOT_LEARNING,
    autoencoder_codes.POSTERIOR_COLLAPSE,
    autoencoder_codes.DEAD_CODE,
    autoencoder_codes.IDENTITY_LEARNED,
    negative_phase.HIDDEN_UNUSED,
    negative_phase.NEGATIVE_PHASE_STUCK,
    memory_capacity.MEMORY_OVERLOADED,
)

__all__ = ["RULES", "Answer", "Evidence", "Finding", "Rule", "Unchecked"]
