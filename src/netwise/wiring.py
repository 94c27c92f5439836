"""How the loss, the weights and the optimizers of a training program are connected.

These are exact facts, read from the autograd graph and from the optimizers' steps by
`netwise.observe`. Rules read them without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class LossTerm:
    """One summand of a loss, as the autograd graph shows it.

    Args:
        operation: what computes it, a name of `LOSS_OPERATIONS` such as "cross entropy"; "" where
            it is not known.
        by_hand: whether it is written with elementary operations instead of a loss of torch.
        place: file and line of the `backward` call, such as "train.py:31".
        chain: operations from the loss back to the last layer with weights, nearest to the loss
            first, such as ("LogSoftmax", "Addmm"); "?" where an operation hides what lies behind.
        reduction: "mean", "sum", "none", or "" where it is not known.
        factor: the constant that the whole loss is multiplied by before `backward`.
        weight: the size of the constant that this summand alone is multiplied by.
        penalty: it depends on weights alone, and not on outputs of the module.
        output_shape, target_shape: of the last batch; () where not known.
        highest: the largest input of a negative log-likelihood; log-probabilities are below 0.
        target_row_sums: the smallest and largest sum of a row of targets; () where the targets are
            no rows of numbers.
        target_low, target_high: range of the targets that are numbers.
        target_kind: a name of `TARGET_KINDS`, or "" where they are not known.
        output_low, output_high: numbers that the outputs cannot leave because of an activation
            before the loss; None where there is no limit, or it is not known.
        unreachable: the largest part of the variance of a batch of targets that is out of these
            limits; None where it is not known.
        lowest: the smallest number that the loss took a logarithm of.
        zero_derivative: a second derivative inside of this summand that is exactly 0 for all
            samples, such as that of
            "Relu"; "" without one.
        compares: it is made of differences between outputs, as in a triplet loss.
        swapped: the outputs of the network are given as the targets of a loss, and the targets as
            its outputs.
        advantages: of log-probabilities of actions that are multiplied by numbers of both signs:
            1 where the loss falls as actions with large numbers become more probable, -1 where it
            rises and the program calls the numbers rewards; 0 for other losses.
        similarity: 1 where the whole loss is made of cosine similarities of outputs and rises with
            them, -1 where it falls; 0 for other losses.
        class_weights: the weight of each class, or of 0 and 1 in a loss of bits, of at most 64.
        undetached: what the loss should take as numbers and has a gradient: "target" of a Q
            function, "advantage" of a policy gradient; "" for nothing.
        free_scale: the operation of a factor that the network gives, that errors are multiplied
            by and that nothing else in the loss depends on, such as "Exp"; "" without one.
        too_long: of a CTC loss the share of the samples whose labels have no room in their time
            steps, so that their loss is infinite; None for other losses.
        repeated: another summand has the same operation, outputs and targets.

    Example:
        >>> import netwise as nw
        >>> nw.LossTerm("cross entropy", chain=("LogSoftmax", "Softmax", "Addmm")).by_hand
        False
    """

    operation: str = ""
    by_hand: bool = False
    place: str = ""
    chain: tuple[str, ...] = ()
    reduction: str = ""
    factor: float = 1.0
    weight: float = 1.0
    penalty: bool = False
    output_shape: tuple[int, ...] = ()
    target_shape: tuple[int, ...] = ()
    highest: float | None = None
    target_row_sums: tuple[float, ...] = ()
    target_low: float | None = None
    target_high: float | None = None
    target_kind: str = ""
    output_low: float | None = None
    output_high: float | None = None
    unreachable: float | None = None
    lowest: float | None = None
    zero_derivative: str = ""
    compares: bool = False
    swapped: bool = False
    advantages: int = 0
    similarity: int = 0
    class_weights: tuple[float, ...] = ()
    too_long: float | None = None
    undetached: str = ""
    free_scale: str = ""
    repeated: bool = False


# Values of `LossTerm.target_kind`.
CLASS_NUMBERS = "class numbers"
ONE_HOT = "one-hot rows"
LABELS = "zeros and ones"  # without exactly one 1 in each row
SIGN_TARGETS = "signs"  # -1 and 1
NUMBERS = "numbers"
TARGET_KINDS = (CLASS_NUMBERS, ONE_HOT, LABELS, SIGN_TARGETS, NUMBERS)

# Values of `LossTerm.operation`.
CROSS_ENTROPY = "cross entropy"  # negative log-likelihood; `chain` shows what its input is
BINARY_CROSS_ENTROPY = "binary cross entropy"
BINARY_CROSS_ENTROPY_OF_LOGITS = "binary cross entropy of logits"
SQUARED_ERROR = "squared error"
ABSOLUTE_ERROR = "absolute error"
HUBER = "Huber loss"
KL_DIVERGENCE = "KL divergence"
LOGARITHM = "logarithm"  # the logarithm of something, by hand
OVERLAP = "overlap"  # a Dice, Jaccard or Tversky score, by hand
HINGE = "hinge loss"  # of one output and a target of -1 or 1
HINGE_OF_CLASSES = "hinge loss of classes"  # of an output for each class
OTHER_LOSS = "another loss of torch"
LOSS_OPERATIONS = (
    CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    SQUARED_ERROR,
    ABSOLUTE_ERROR,
    HUBER,
    KL_DIVERGENCE,
    LOGARITHM,
    OVERLAP,
    HINGE,
    HINGE_OF_CLASSES,
    OTHER_LOSS,
)


@dataclass(frozen=True)
class Wiring:
    """What an observed program connects. Weights are parameters, by their names in the module.

    Args:
        module: name of the module: its class, or of a class of torch the variable of the program.
        optimizers: classes of the optimizers that update its weights.
        trainable: number of its parameters that require a gradient.
        frozen: those that require none.
        frozen_at_start: matrices among the frozen ones whose numbers are spread evenly between two
            limits, as torch initializes layers, and as training does not leave them.
        drawn_embeddings: weights of embeddings among the frozen ones whose rows cannot be told from
            random numbers.
        in_no_optimizer: trainable ones that a loss reaches and no optimizer updates.
        not_reached: trainable ones that an optimizer holds and no loss reaches.
        outside_module: shapes of parameters that a loss reaches and that belong to no module that
            was called and to no optimizer, such as layers in a Python list.
        outside_tensors: shapes of tensors that a loss reaches and uses as weights, which are no
            parameters, and which no optimizer holds and nothing has changed.
        outside_anew: these are other parameters at each step, as where `forward` makes layers.
        asks_inputs: gradients of tensors that are no parameters were asked for, as of inputs.
        optimizer_weights: parameters that the optimizers hold, trainable or not.
        optimizer_trainable: those of them that require a gradient.
        cut_between: the two layers between which gradients are lost; () where not known.
        unused_output: an output of the module is used by no loss.
        losses: the summands of the losses that reach the module.
        widened: shapes before and after a broadcast between outputs and targets, such as
            "(64, 1) to (64, 64)"; "" without one.
        softmax_over_batch: shape of a softmax over the samples of a batch, or the axis of one whose
            targets sum to 1 along another axis, such as "axis 1 of (2, 50, 10), targets along axis
            2"; "" without one.
        linear: whether the module is one linear map of its inputs; None where not known.
        opponents: modules that are trained against this one by another optimizer, as in a GAN.
        not_finite: the first value that is not finite, its place and cause; "" without one.
        not_finite_step: its step.
        not_finite_in_loss: the operation between the outputs and the loss that made it, such as
            "Log"; "" where it was made elsewhere, or by inputs that had no limit.
        maximizes: whether an optimizer was made with `maximize=True`.
        idle_losses: places of backward passes that reach only weights which no optimizer holds and
            nothing changes, each with the classes of their modules.
        idle_weights: names (of those in no module: shapes) of the parameters of an optimizer that
            steps while losses reach the weights of this model, which nothing changes meanwhile, and
            none of whose own parameters ever has a gradient.
        idle_steps: how many steps it takes.
        left_out: classes of other modules that a loss reaches in training mode, whose weights are
            as they were drawn, and which no optimizer ever holds.
        idle_gradients: lines that take gradients of weights with a graph, as for inner steps, and
            of which no loss is computed, each with what becomes of them.
        constant_gradients: the line that takes gradients of outputs with respect to inputs without
            a graph, of which the loss of the same weights is computed; "" without one.
        still_copies: classes of modules that are called during training and still have the weights
            that a trained module was drawn with, each with the steps of that module.
        evaluated_fresh: class of a module of the same shapes that is evaluated after the last step,
            in the place of the trained one, with weights as they were drawn; "" without one.
        evaluated_average: class of an average of the weights that is evaluated at the end; ""
            without one.
        average_follows: its share of the way that the trained weights have gone from their start.
        pairs_nearer: of pairs of outputs that the loss draws together or pushes apart, the
            probability that one of the former is nearer than one of the latter, by their inputs,
            and by their outputs at the end; () where there are none.
        unmatched_states: of each module that was given a state with `strict=False` that has next
            to none of its names: its class, how many, a name of the state and one of the module,
            such as "Net: 0 of 4: module.fc.weight: fc.weight".
        loader_iterators: how many iterators the program has made of one loader of several batches;
            0 without such a loader.
        carried_state: a recurrent layer that begins each step with the numbers of the hidden state
            that it ended the step before with; "" without one.
        carried_worth: variance of outputs over the states of other rows, over their whole variance;
            how much worse they are with these, over what it would be if the state were used as well
            as it can be (0 where it tells nothing of the targets), and the standard error of that;
            and their squared error over the variance of the targets. () without such a layer.
        normed_by_evaluated: in an evaluation that was all in training mode batch normalization took
            its statistics from rows that were not trained on.
        scaled_by_itself: "range" where the features of evaluated rows, which were not trained on,
            are each from exactly 0 to exactly 1; "moments" where they have mean 0 and standard
            deviation 1; else "".
        asks_networks: in most steps this or another module is called without training it, as where
            the program makes targets of answers.
        repeated_numbers: the generator whose random numbers between evaluations are always the
            same, such as "torch"; "" without one.
        repeats: how often in a row they were those of before.
        phases_began: the first steps of optimizers that went on where the one before them had
            stopped, perhaps with another loss.
        shared_optimizers: the class of a module whose weights two optimizers hold that step in
            turn, and of one that a loss reaches and no optimizer holds; () without both.
        judged_steps: of a module that makes samples for another one to judge, the watched steps in
            which the directions of both losses are known.
        judged_alike: those of them in which both push the judge's answers to made samples the same
            way.
        made_spread: standard deviation of the samples that it makes over that of others, at most
            and at the end; () where it is not known.
        optimizers_of_one_step: how many optimizers of the same weights stepped once or twice each,
            of a kind that remembers earlier gradients.
        rate_climbs: how often the learning rate fell from its first value to nearly 0 and climbed
            slowly to half of it.
        planned_rate: the rate that a one-cycle schedule was made to reach, as it notes it in the
            optimizer; None without one.
        highest_rate: that was used beside it.
        score_misread: how a score without gradients was computed on what it should not be, such as
            "argmax of one column"; "" without a sign of it.
        features: mean and standard deviation of each input feature in training, then in passes
            without gradients, of at most 256 features; () where not both were observed.
        clipped_before_unscale: steps in which gradients were changed before the gradient scaler
            unscaled them.
        frameworks: what calls the loop, such as "DDP, 2 processes".
        not_observed: for each field that could not be observed, the reason.

    Example:
        >>> import netwise as nw
        >>> nw.Wiring(module="Net", in_no_optimizer=("head.weight",)).in_no_optimizer
        ('head.weight',)
    """

    module: str = ""
    optimizers: tuple[str, ...] = ()
    trainable: int = 0
    frozen: tuple[str, ...] = ()
    frozen_at_start: tuple[str, ...] = ()
    drawn_embeddings: tuple[str, ...] = ()
    in_no_optimizer: tuple[str, ...] = ()
    not_reached: tuple[str, ...] = ()
    outside_module: tuple[str, ...] = ()
    outside_tensors: tuple[str, ...] = ()
    outside_anew: bool = False
    asks_inputs: bool = False
    optimizer_weights: int = 0
    optimizer_trainable: int = 0
    cut_between: tuple[str, ...] = ()
    unused_output: bool = False
    losses: tuple[LossTerm, ...] = ()
    widened: str = ""
    softmax_over_batch: str = ""
    linear: bool | None = None
    opponents: tuple[str, ...] = ()
    not_finite: str = ""
    not_finite_step: int | None = None
    not_finite_in_loss: str = ""
    maximizes: bool = False
    idle_losses: tuple[str, ...] = ()
    idle_weights: tuple[str, ...] = ()
    idle_steps: int = 0
    left_out: tuple[str, ...] = ()
    idle_gradients: tuple[str, ...] = ()
    constant_gradients: str = ""
    still_copies: tuple[str, ...] = ()
    evaluated_fresh: str = ""
    evaluated_average: str = ""
    average_follows: float | None = None
    pairs_nearer: tuple[float, ...] = ()
    unmatched_states: tuple[str, ...] = ()
    loader_iterators: int = 0
    carried_state: str = ""
    carried_worth: tuple[float, ...] = ()
    normed_by_evaluated: bool = False
    scaled_by_itself: str = ""
    asks_networks: bool = False
    repeated_numbers: str = ""
    repeats: int = 0
    phases_began: tuple[int, ...] = ()
    shared_optimizers: tuple[str, ...] = ()
    judged_steps: int = 0
    judged_alike: int = 0
    made_spread: tuple[float, ...] = ()
    optimizers_of_one_step: int = 0
    rate_climbs: int = 0
    planned_rate: float | None = None
    highest_rate: float | None = None
    score_misread: str = ""
    features: tuple[tuple[float, ...], ...] = ()
    clipped_before_unscale: int = 0
    frameworks: tuple[str, ...] = ()
    not_observed: Mapping[str, str] = field(default_factory=dict)


def wiring_as_dict(wiring: Wiring | None) -> dict[str, Any] | None:
    """All fields as plain values for a JSON file; None for None."""
    if wiring is None:
        return None
    return {**asdict(wiring), "not_observed": dict(wiring.not_observed)}
