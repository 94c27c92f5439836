"""All remedies, the cheapest and likeliest first: what answers a finding is tried in this order."""

from __future__ import annotations

from netwise.errors import UnknownName
from netwise.treatment.remedies import (
    capacity,
    code_layer as autoencoder,
    energy_model as energy,
    initialization as start,
    output_layer as output,
    step_size as step,
    training_loop as wiring,
)
from netwise.treatment.remedies.definition import NotApplicable, Remedy

REMEDIES: tuple[Remedy, ...] = (
    wiring.REBUILD_OPTIMIZER,
    wiring.CLEAR_GRADIENTS,
    wiring.SHUFFLE,
    wiring.LOOK_AT_LABELS,
    output.SCALE_TARGETS,
    output.USE_PLAIN_OUTPUT,
    output.USE_CROSS_ENTROPY,
    start.STANDARDISE_INPUTS,
    start.USE_RELU,
    start.USE_FITTING_INIT,
    start.USE_BATCH_NORM,
    start.USE_LEAKY_RELU,
    start.USE_RESIDUAL,
    step.SEARCH_RATE,
    step.LOWER_RATE,
    step.USE_ADAM,
    step.CLIP_GRADIENT,
    capacity.STOP_EARLY,
    capacity.ADD_DROPOUT,
    capacity.ADD_WEIGHT_DECAY,
    capacity.MORE_DATA,
    capacity.SHRINK,
    capacity.LIGHTEN_BRAKES,
    capacity.WIDEN,
    autoencoder.CORRUPT,
    autoencoder.NARROW_CODE,
    autoencoder.LIVEN_CODE,
    autoencoder.COUNT_WHOLE_INPUTS,
    autoencoder.LOWER_BETA,
    energy.BEGIN_AT_BASE_RATES,
    energy.CENTRE,
    energy.RAISE_RATE,
    energy.USE_PCD,
    energy.MORE_GIBBS_STEPS,
    energy.SLOW_DOWN,
    energy.USE_PSEUDO_INVERSE,
    energy.USE_STORKEY,
)


def remedy(name: str) -> Remedy:
    """One remedy by its name.

    Raises:
        UnknownName: nobody has this name.

    Example:
        >>> import netwise as nw
        >>> nw.remedy("add_dropout").answers
        ('overfitting',)
    """
    for each in REMEDIES:
        if each.name == name:
            return each
    raise UnknownName("remedy", name, [each.name for each in REMEDIES])


__all__ = ["REMEDIES", "Remedy", "NotApplicable", "remedy"]
