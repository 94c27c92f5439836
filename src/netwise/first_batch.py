"""What copies of a module and its loss show on one batch, before any step. Rules read it without
torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class FirstBatch:
    """What copies of a module and its loss show on one batch; None where it is not known.

    Args:
        samples: of the batch.
        samples_mix: the module and axis where outputs of one sample depend on other samples in
            evaluation mode; "" where they do not.
        constant_output: whether the outputs are the same for all inputs.
        constant_after: the first layer whose outputs do not depend on the inputs; "" without one.
        mode_ratio: change of the outputs from evaluation to training mode on the same batch, over
            the standard deviation of the outputs.
        noise_share: variance of the outputs of one sample over draws in training mode (dropout),
            over their whole variance.
        single_norms: batch norm layers that see one value per channel.
        output_std: standard deviation of the first outputs.
        loss_takes: what the loss expects: "logits", "sigmoid logits", "log-probabilities",
            "probabilities", "values", "signs"; "" where it is something else.
        loss_targets: for targets that are classes: "class numbers", "one-hot rows", or "class
            numbers or one-hot rows" where both give the same loss.
        loss_constant: whether no gradient reaches the outputs from the loss.
        loss_rewards_errors: whether the loss is lower for wrong outputs than for right ones.
        loss_sums: whether a batch of twice the samples has twice the loss.
        loss_not_finite: outputs at which the loss or its gradient is not finite, such as
            "probabilities of exactly 0"; "" where it always is.
        forward_seconds, backward_seconds: of one step on a copy.
        bytes: of weights, gradients and optimizer states.
        not_known: for each field that could not be found, the reason.

    Example:
        >>> import netwise as nw
        >>> nw.FirstBatch(samples=64, constant_output=True).samples_mix is None
        True
    """

    samples: int = 0
    samples_mix: str | None = None
    constant_output: bool | None = None
    constant_after: str | None = None
    mode_ratio: float | None = None
    noise_share: float | None = None
    single_norms: tuple[str, ...] | None = None
    output_std: float | None = None
    loss_takes: str | None = None
    loss_targets: str | None = None
    loss_constant: bool | None = None
    loss_rewards_errors: bool | None = None
    loss_sums: bool | None = None
    loss_not_finite: str | None = None
    forward_seconds: float | None = None
    backward_seconds: float | None = None
    bytes: int | None = None
    not_known: Mapping[str, str] = field(default_factory=dict)


def first_batch_as_dict(facts: FirstBatch | None) -> dict[str, Any] | None:
    """All fields as plain values for a JSON file; None for None."""
    return None if facts is None else {**asdict(facts), "not_known": dict(facts.not_known)}


def first_batch_from_dict(plain: Mapping[str, Any] | None) -> FirstBatch | None:
    """The facts from what `first_batch_as_dict` returned, also after a trip through JSON."""
    if plain is None:
        return None
    lists = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return FirstBatch(**{**plain, **lists})
