"""All remedies. Which of them may cure a finding, and in which order to try them, is in the cards
of the rules."""

from __future__ import annotations

from collections.abc import Sequence

from netwise.errors import UnknownName
from netwise.treatment.remedies import (
    capacity,
    code_layer,
    energy_model,
    initialization,
    output_layer,
    rare_classes,
    step_size,
    training_loop,
)
from netwise.treatment.remedies.definition import NotApplicable, Remedy

REMEDIES: tuple[Remedy, ...] = (
    training_loop.REBUILD_OPTIMIZER,
    training_loop.CLEAR_GRADIENTS,
    training_loop.SHUFFLE,
    training_loop.LOOK_AT_LABELS,
    output_layer.SCALE_TARGETS,
    output_layer.USE_PLAIN_OUTPUT,
    output_layer.USE_CROSS_ENTROPY,
    rare_classes.MOVE_THRESHOLD,
    rare_classes.WEIGHT_CLASSES,
    rare_classes.RESAMPLE_CLASSES,
    initialization.STANDARDISE_INPUTS,
    initialization.USE_RELU,
    initialization.USE_FITTING_INIT,
    initialization.USE_BATCH_NORM,
    initialization.USE_LEAKY_RELU,
    initialization.USE_RESIDUAL,
    step_size.SEARCH_RATE,
    step_size.LOWER_RATE,
    step_size.USE_ADAM,
    step_size.CLIP_GRADIENT,
    capacity.STOP_EARLY,
    capacity.ADD_DROPOUT,
    capacity.ADD_WEIGHT_DECAY,
    capacity.MORE_DATA,
    capacity.SHRINK,
    capacity.LIGHTEN_BRAKES,
    capacity.WIDEN,
    capacity.DEEPEN,
    capacity.MORE_EPOCHS,
    capacity.LARGER_BATCH,
    code_layer.CORRUPT_INPUTS,
    code_layer.NARROW_CODE,
    code_layer.LIVEN_CODE,
    code_layer.COUNT_WHOLE_INPUTS,
    code_layer.LOWER_BETA,
    energy_model.BEGIN_AT_BASE_RATES,
    energy_model.CENTRE_UNITS,
    energy_model.RAISE_RATE,
    energy_model.USE_PERSISTENT_CHAINS,
    energy_model.MORE_GIBBS_STEPS,
    energy_model.SLOW_DOWN,
    energy_model.USE_PSEUDO_INVERSE,
    energy_model.USE_STORKEY,
)


def remedy(name: str, remedies: Sequence[Remedy] = REMEDIES) -> Remedy:
    """The remedy with this name.

    Args:
        name: such as "add_dropout".
        remedies: where to look it up. Default: all of netwise.

    Raises:
        UnknownName: none has this name.

    Example:
        >>> import netwise as nw
        >>> nw.remedy("add_dropout").title
        'Dropout of half of the hidden units'
    """
    for each in remedies:
        if each.name == name:
            return each
    raise UnknownName("remedy", name, [each.name for each in remedies])


__all__ = ["REMEDIES", "NotApplicable", "Remedy", "remedy"]
