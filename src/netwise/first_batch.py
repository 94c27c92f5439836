"""What copies of a module and its loss show on one batch, before any step. Rules read it without
torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Values of `FirstBatch.mixed_by`.
VIEW = "view"  # a change of shape that spreads samples over several axes
SOFTMAX = "softmax"  # over the samples
RECURRENCE = "recurrence"  # a recurrent layer that runs over the samples
ATTENTION = "attention"  # among the samples
STATISTICS = "statistics"  # a mean, a sum or the like over the samples
NORM = "norm"  # batch norm without running statistics
CONSTANT = "constant"  # a matrix or indices that relate samples, as in a graph network
PRODUCT = "product"  # of samples with each other
OTHER = "other"
MIXED_BY = (VIEW, SOFTMAX, RECURRENCE, ATTENTION, STATISTICS, NORM, CONSTANT, PRODUCT, OTHER)

# Values of `FirstBatch.unused_part`.
UPPER_LAYERS = "upper layers"  # a lower layer of a stack is read
FORWARD_DIRECTION = "forward direction"  # of the last layer: the backward one alone is read
BACKWARD_RECURRENCE = "backward recurrence"  # that direction is read after its first place
RECURRENCE_ITSELF = "recurrence"  # of sequences with one place
STATE = "state"  # of a cell that begins each of its calls in a pass with zeros

INPUTS = "the inputs"  # as `FirstBatch.constant_after`: no operation gets them
# Values of `FirstBatch.constant_kind`, besides names of operations.
SOFTMAX_OF_ONE = "softmax of one unit"
RECTIFIER = "rectifier"
OUTPUT_RECTIFIER = "rectifier of the outputs"  # the last operation of the module


@dataclass(frozen=True)
class FirstBatch:
    """What copies of a module and its loss show on one batch; None where it is not known.

    Args:
        samples: of the batch.
        samples_mix: the operation that makes outputs of one sample depend on other samples in
            evaluation mode, such as "view from (50, 20, 3) to (20, 50, 3)"; "" where they do not,
            or where that is meant, as in a graph network.
        mixed_by: a name of `MIXED_BY`; "" where samples are not mixed.
        mixed_in, mixed_at: name of the innermost layer, and line of the program; "" where not
            known.
        mixed_share: change of the outputs of other samples, over that of the changed sample's own.
        constant_output: whether the outputs are the same for all inputs, and remain so when the
            weights move along their gradients.
        constant_after: the innermost layer of the first operation whose result does not depend on
            the inputs; `INPUTS` where none gets them; "" without one.
        constant_kind: what that operation is.
        mode_ratio: change of the outputs from evaluation to training mode on the same batch,
            without the noise, over the standard deviation of the outputs.
        noise_share: variance of the outputs of one sample over draws in training mode (dropout),
            over their whole variance.
        evaluation_noise: the same in evaluation mode.
        dropout_in_evaluation: the line or layer of a dropout that acts in evaluation mode; ""
            without one.
        norm_kinds: classes of the layers that behave otherwise in training mode.
        single_norms: batch norm layers that see one value per channel.
        still_norms: batch norm layers with a momentum of 0 whose statistics are those of the start.
        eager_norms: those with a momentum of at least 0.9.
        norm_momentum: of the first one of these; None without any.
        norm_values: the fewest values per channel that a batch norm layer sees.
        narrowest: the layer with the fewest numbers for each sample, fewer than the outputs,
            through which all goes that the outputs depend on; "" without one.
        narrowest_width: its numbers.
        later_places: for each input that is a matrix of symbols its number among the tensors of the
            call, and whether outputs at a place change with later places of it.
        later_in_series: for each input of real numbers of which outputs at a place change with
            later places its number among the tensors of the call, and the axis of its places.
        placed_by: the operation that joins samples with what belongs to their places in the batch,
            such as "add of (50, 10, 32)"; "" where outputs do not depend on the places.
        placed_at: its line; "" where not known.
        scrambled_view: a view that gives an axis within a sample the place of another, such as
            "view from (40, 10, 4) to (40, 4, 10)"; "" without one.
        scrambled_at: its line.
        inverted_mask: a layer and its argument that leaves out all symbols but the padding; ""
            without one.
        unit_softmax: a softmax inside of the module over the single unit of a layer, such as
            "softmax over axis 2 of (50, 20, 1)"; "" without one.
        unit_softmax_of, unit_softmax_at: that layer, and the line of the softmax.
        repeated_layer: a layer with weights that is several times in one list and gets its own
            results, such as "layers: Linear"; "" without one.
        repeated_times: how often it is in the list.
        drawn_state: a recurrent layer whose first hidden state is drawn at random by `forward`; ""
            without one.
        cut_in_time: places of a sequence of which only the last gets a gradient of the last
            output, though it changes with those before; 0 for none.
        unused_recurrence: a recurrent layer of which the outputs do not use all; "" without one.
        unused_part: what of it: `UPPER_LAYERS`, `FORWARD_DIRECTION`, `BACKWARD_RECURRENCE`,
            `RECURRENCE_ITSELF` or `STATE`; "" without one.
        unused_input: name of an argument of the module that no output depends on; "" without one.
        joined: an operation that joins a value with itself, such as "cat of (8, 16, 4, 4) with
            itself"; "" without one.
        joined_at: its line or layer.
        last_dropout: the layer, or else the line, of a dropout whose result is the output; ""
            without one.
        padding_inside: share of the rows in which the padding symbol of an embedding stands between
            other symbols.
        padding_of: that embedding; "" without one.
        own_backward: class of a function whose `backward` is compared with differences of its
            `forward`, the one that agrees least; "" without one.
        agreement: cosine of both; None without one.
        of_numbers: whether that function is one of single numbers.
        alike_since: the operation since which all samples of a batch have the same row of
            outputs, which depends on the inputs, such as "expand to (25, 24)"; "" without one.
        alike_at: its line.
        alike_shape: of these outputs.
        order_unseen: whether outputs do not depend on the order of the places of a sequence; None
            where no input is one.
        pooled: a pooling over all places of a map through which everything goes that the outputs
            depend on, such as "adaptive_avg_pool2d of (32, 16, 6, 6)"; "" without one.
        pooled_at: its line.
        convolved: the shape of what the first convolution gets, where that is an input of the
            module; () without one.
        convolved_by: that convolution.
        channels_alike: mean correlation of its neighbouring channels.
        places_alike: the same along each axis that it slides along.
        hidden_share: how much outputs depend on symbols behind which there is padding, over how
            much they do where these are at the ends of their rows; None without padding.
        padded_places: of padding behind them, the median.
        output_std: standard deviation of the first outputs.
        loss_takes: what the loss expects: "logits", "sigmoid logits", "log-probabilities",
            "probabilities", "values", "signs"; "" where it is something else.
        loss_targets: for targets that are classes: "class numbers", "one-hot rows", or "class
            numbers or one-hot rows" where both give the same loss.
        loss_constant: whether no gradient reaches the outputs from the loss.
        loss_ignores_targets: whether the loss is the same for other targets.
        loss_rewards_errors: whether the loss is lower for wrong outputs than for right ones.
        loss_sums: whether a batch of twice the samples has twice the loss.
        loss_not_finite: outputs at which the loss or its gradient is not finite, such as
            "probabilities of exactly 0"; "" where it always is.
        error: what the first training step of a copy raised, in one line; "" for nothing.
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
    mixed_by: str = ""
    mixed_in: str = ""
    mixed_at: str = ""
    mixed_share: float | None = None
    constant_output: bool | None = None
    constant_after: str | None = None
    constant_kind: str = ""
    mode_ratio: float | None = None
    noise_share: float | None = None
    evaluation_noise: float | None = None
    dropout_in_evaluation: str | None = None
    norm_kinds: tuple[str, ...] = ()
    single_norms: tuple[str, ...] | None = None
    still_norms: tuple[str, ...] | None = None
    eager_norms: tuple[str, ...] = ()
    norm_momentum: float | None = None
    norm_values: int | None = None
    narrowest: str | None = None
    narrowest_width: int | None = None
    later_places: tuple[tuple[int, bool], ...] | None = None
    later_in_series: tuple[tuple[int, int], ...] | None = None
    placed_by: str | None = None
    placed_at: str = ""
    scrambled_view: str | None = None
    scrambled_at: str = ""
    inverted_mask: str | None = None
    unit_softmax: str | None = None
    unit_softmax_of: str = ""
    unit_softmax_at: str = ""
    repeated_layer: str | None = None
    repeated_times: int = 0
    drawn_state: str | None = None
    cut_in_time: int | None = None
    unused_recurrence: str | None = None
    unused_part: str = ""
    last_dropout: str | None = None
    unused_input: str | None = None
    joined: str | None = None
    joined_at: str = ""
    padding_inside: float | None = None
    padding_of: str = ""
    own_backward: str | None = None
    agreement: float | None = None
    of_numbers: bool = False
    alike_since: str | None = None
    alike_at: str = ""
    order_unseen: bool | None = None
    pooled: str | None = None
    pooled_at: str = ""
    convolved: tuple[int, ...] | None = None
    convolved_by: str = ""
    channels_alike: float = 0.0
    places_alike: tuple[float, ...] = ()
    hidden_share: float | None = None
    padded_places: int = 0
    alike_shape: tuple[int, ...] = ()
    output_std: float | None = None
    loss_takes: str | None = None
    loss_targets: str | None = None
    loss_constant: bool | None = None
    loss_ignores_targets: bool | None = None
    loss_rewards_errors: bool | None = None
    loss_sums: bool | None = None
    loss_not_finite: str | None = None
    error: str = ""
    forward_seconds: float | None = None
    backward_seconds: float | None = None
    bytes: int | None = None
    not_known: Mapping[str, str] = field(default_factory=dict)


def first_batch_as_dict(facts: FirstBatch | None) -> dict[str, Any] | None:
    """All fields as plain values for a JSON file; None for None."""
    return None if facts is None else {**asdict(facts), "not_known": dict(facts.not_known)}
