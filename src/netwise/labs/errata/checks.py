"""The check of each erratum, by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netwise.labs.errata import formulas, memories, training
from netwise.labs.errata.erratum import Check

CHECKS: Mapping[str, Callable[[], Check]] = {
    "E01": formulas.glorot_variance,
    "E02": formulas.he_variance,
    "E03": formulas.input_variance,
    "E04": formulas.output_size,
    "E05": training.optimizer_frame,
    "E06": formulas.adam_step,
    "E07": formulas.batch_names,
    "E08": formulas.l1_step,
    "E09": formulas.accuracy_gap,
    "E10": formulas.gain_of_a_pair,
    "E11": memories.zero_one_states,
    "E12": memories.energy_at_the_end,
    "E13": training.zero_start,
    "E14": memories.boltzmann_probability,
    "E15": training.dropout_at_use,
    "E16": formulas.saturation_of_tanh,
    "E17": formulas.slope_of_sigmoid,
    "E18": training.residual_gradient,
    "E19": formulas.year_of_batch_norm,
    "E20": formulas.default_activation,
    "E21": formulas.same_variance,
    "E22": formulas.error_of_alexnet,
    "E23": training.slow_cross_entropy,
    "E24": formulas.bias_gradient,
    "E25": training.hopeless_settings,
    "E26": training.hundreds_of_blocks,
    "E27": training.linear_part,
    "E28": memories.without_its_properties,
}


def check_erratum(name: str) -> Check:
    """Run the check of one erratum.

    Raises:
        KeyError: there is no such erratum.

    Example:
        >>> from netwise.labs.errata.checks import check_erratum
        >>> check = check_erratum("E08")
        >>> check.printed_fails, check.right_holds
        (True, True)
    """
    return CHECKS[name]()
