"""Passes of a module without gradients: its mode, its inputs against those of training, and what
batch norm does with them."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot, prod
from typing import Any

import torch
from torch import Tensor, nn

from netwise.observe.column_moments import Moments
from netwise.observe.own_scale import OwnScale
from netwise.observe.row_fingerprints import KnownRows
from netwise.observe.tensor_samples import plain, rows_of, steps_of
from netwise.signals import (
    EVALUATION_INPUT_MEAN,
    EVALUATION_INPUT_OFFSET,
    EVALUATION_INPUT_RATIO,
    EVALUATION_INPUT_STD,
    EVALUATION_MODE,
    NORM_MEAN_OFFSET,
    NORM_VARIANCE_RATIO,
    TRAINING_INPUT_MEAN,
    TRAINING_INPUT_STD,
)

MOST_FEATURES = 256  # of an input; of more, evenly distributed ones
MOST_NUMBERS = 8192  # of one input
MOST_NUMBERS_OF_NORM = 32_768  # of one input of a batch norm, for enough of each channel
MOST_PASSES = 8  # of one window whose inputs are read
FIRST_WINDOWS, GROWTH = 4, 1.3  # whose inputs are read, and how their distances grow afterwards
MOST_TRAINING_PASSES = 1024  # whose inputs are read
# Inputs of passes with few numbers are copied, and read once an evaluation or the history asks for
# them: a program without evaluations never waits for it. Of so many numbers, passes with so many.
MOST_WAITING, MOST_COPIED = 2**19, 2**15
MOST_NORMS = 64  # layers
MOST_ROWS = 32  # of an evaluated batch, that are looked for among the rows of training
FEWEST_ROWS = 8  # evaluated samples, for a comparison of inputs; fewer may be a trial of shapes
FEWEST_OF_CHANNEL = 64  # values, for the moments of batch norm
FEWEST_STEPS = 3  # before passes can be said to belong to each of them
KNOWN = 0.5  # share of an evaluated batch's rows, at which it is one of training data
FEW_KNOWN = 0.05  # the least such share; some rows of different parts are equal


@dataclass(frozen=True)
class InputFacts:
    """Moments of each input feature in training and in evaluation.

    Features are the columns of tables, the channels of pictures and the last axis of sequences.

    Args:
        training_mean, training_std: of each feature in training passes.
        evaluation_mean, evaluation_std: in passes without gradients, on rows that are not known
            from training where there are any.
        training_values, evaluation_values: how many of each feature were read.

    >>> facts = InputFacts((0.0,), (1.0,), (3.0,), (1.0,), 100, 100)
    >>> facts.offsets, facts.ratios
    ((3.0,), (1.0,))
    """

    training_mean: tuple[float, ...] = ()
    training_std: tuple[float, ...] = ()
    evaluation_mean: tuple[float, ...] = ()
    evaluation_std: tuple[float, ...] = ()
    training_values: int = 0
    evaluation_values: int = 0

    @property
    def offsets(self) -> tuple[float, ...]:
        """Differences of the means in standard deviations of training, of features that vary."""
        return tuple(
            (evaluation - training) / std
            for training, evaluation, std in zip(
                self.training_mean, self.evaluation_mean, self.training_std, strict=True
            )
            if std > 0
        )

    @property
    def distance(self) -> tuple[float, float]:
        """How far evaluation is from training over all features that vary: the root mean square
        difference of their means, and the root of the ratio of their total variances, both in units
        of the total training variance. Features that are seldom other than 0, whose moments a
        sample does not tell, count little.

        >>> InputFacts((0.0, 0.0), (3.0, 4.0), (5.0, 0.0), (6.0, 8.0)).distance
        (1.0, 2.0)
        """
        varying = [place for place, std in enumerate(self.training_std) if std > 0]
        size = hypot(*(self.training_std[place] for place in varying))
        differences = (self.evaluation_mean[p] - self.training_mean[p] for p in varying)
        return hypot(*differences) / size, hypot(*(self.evaluation_std[p] for p in varying)) / size

    @property
    def ratios(self) -> tuple[float, ...]:
        """Standard deviations in evaluation over those of training, of features that vary."""
        return tuple(
            evaluation / training
            for training, evaluation in zip(self.training_std, self.evaluation_std, strict=True)
            if training > 0
        )


@dataclass
class _Norm:
    """Input moments of one batch norm in a window, and its running statistics."""

    moments: Moments
    mean: Tensor
    variance: Tensor
    passes: int = 0


class EvaluationPasses:
    """Counts and moments of one module's passes, with gradients and without. It keeps no tensor of
    the program, and only a weak reference to the module.

    A window is what lies between two training passes. The observer calls `training_pass`,
    `evaluation_pass`, `norm_called`, `step_ends` and `window_ends`.

    Args:
        module: the root that is trained.

    Attributes:
        training_passes, evaluation_passes: that were observed.
        steps, steps_with_evaluation: observed steps, and those with a pass without gradients.
        evaluation_rows_seen_in_training: the share of the last evaluated batch's rows that are
            known from training; None where that cannot be said.
        watched_share: the share of the training passes that are observed; the observer sets it.
        normed_by_evaluated: in some window all passes were in training mode, on rows that are not
            known from training, and changed running statistics of batch norms.
        scaled_by_itself: as `Wiring.scaled_by_itself`, of the last evaluation that was read.
        reads_inputs: inputs and batch norms are read in this window: in the first ones, and in some
            of the later ones.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from netwise.observe.evaluation_passes import EvaluationPasses
        >>> module = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
        >>> passes = EvaluationPasses(module)
        >>> passes.evaluation_pass([torch.ones(4, 2)], None)
        >>> passes.window_ends()["mode.evaluation"]  # eval() was not called
        0.0
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = weakref.ref(module)
        self.has_mode_layers = any(_depends_on_mode(layer) for layer in module.modules())
        self.training_passes = self.evaluation_passes = 0
        self.steps = self.steps_with_evaluation = 0
        self.evaluation_rows_seen_in_training: float | None = None
        self.watched_share = 1.0
        self.normed_by_evaluated = False
        self.scaled_by_itself = ""
        self._known_rows = KnownRows()
        self._training_moments, self._evaluation = Moments(), Moments()
        self._waiting: list[list[Tensor]] = []  # copies of inputs of training, not read yet
        self._waiting_numbers = 0
        self._evaluation_known = Moments()  # of rows that are known from training
        self._in_step = False
        self._windows, self._next_window = 0, 1
        self._open_window()

    def _open_window(self) -> None:
        self._windows += 1
        self.reads_inputs = self._windows >= self._next_window
        self._rows = 0  # samples whose inputs are read
        self._passes, self._passes_in_evaluation_mode = 0, 0
        self._new_rows, self._norm_changes, self._is_new = 0, False, True
        self._window, self._window_known = Moments(), Moments()
        self._norms: dict[int, _Norm] = {}
        self._own_scale = OwnScale()

    def training_pass(self, inputs: Sequence[Tensor]) -> None:
        """A pass with gradients, on a watched step.

        Args:
            inputs: all tensors among the arguments.
        """
        self.training_passes += 1
        if self.training_passes > MOST_TRAINING_PASSES:
            return
        values = [plain(tensor) for tensor in inputs]
        known = [each for each in values if each is not None and each.is_cpu]
        numbers = sum(map(Tensor.numel, known))
        if len(known) < len(values) or numbers > MOST_COPIED:
            self._read_waiting()
            self._read_training(inputs)
            return
        self._waiting.append([each.clone() for each in known])
        self._waiting_numbers += numbers
        if self._waiting_numbers > MOST_WAITING:
            self._read_waiting()

    def _read_training(self, inputs: Sequence[Tensor]) -> None:
        self._known_rows.add(inputs)
        _add(self._training_moments, inputs, self._training_moments)

    def _read_waiting(self) -> None:
        waiting, self._waiting, self._waiting_numbers = self._waiting, [], 0
        for inputs in waiting:
            self._read_training(inputs)

    @property
    def _known(self) -> KnownRows:
        """Rows of training."""
        self._read_waiting()
        return self._known_rows

    @property
    def _training(self) -> Moments:
        """Moments of the inputs of training."""
        self._read_waiting()
        return self._training_moments

    def evaluation_pass(self, inputs: Sequence[Tensor], output: Any = None) -> None:
        """A pass without gradients.

        Args:
            inputs: all tensors among the arguments.
            output: of the pass; not used.
        """
        self.evaluation_passes += 1
        self._in_step = True
        self._passes += 1
        self._passes_in_evaluation_mode += self._in_evaluation_mode()
        self.evaluation_rows_seen_in_training = self._known.share(inputs, MOST_ROWS)
        self._is_new &= self.evaluation_rows_seen_in_training == 0
        self._new_rows += next((len(tensor) for tensor in inputs if tensor.dim()), 0)
        if self.reads_inputs and self._is_new and len(inputs) == 1:
            self._own_scale.add(inputs[0])
        if self.reads_inputs and self._passes <= MOST_PASSES:
            moments = self._window_known if self.on_training_rows else self._window
            self._rows += _add(moments, inputs, self._training)

    def norm_called(self, norm: nn.Module, inputs: Tensor) -> None:
        """A batch norm was called in a pass without gradients.

        Args:
            norm: a layer with running statistics; others are left out. Of one in training mode it
                is kept that it changes them; without a momentum that is asked for, as in
                `torch.optim.swa_utils.update_bn`.
            inputs: (samples, channels, ...).
        """
        if norm.training and isinstance(norm, nn.modules.batchnorm._BatchNorm):
            self._norm_changes |= norm.running_mean is not None and norm.momentum is not None
        mean, variance = getattr(norm, "running_mean", None), getattr(norm, "running_var", None)
        if (
            not self.reads_inputs
            or norm.training
            or not isinstance(norm, nn.modules.batchnorm._BatchNorm)
        ):
            return
        if mean is None or variance is None or inputs.dim() < 2:
            return
        known = self._norms.get(id(norm))
        if known is None:
            if len(self._norms) >= MOST_NORMS:
                return
            step = -(-len(mean) // MOST_FEATURES) or 1
            means, variances = (
                v.detach()[::step].cpu().double() for v in (mean, variance + norm.eps)
            )
            known = self._norms[id(norm)] = _Norm(Moments(), means, variances)
        known.passes += 1
        if known.passes <= MOST_PASSES:
            rows = features_of(inputs, axis=1, most_numbers=MOST_NUMBERS_OF_NORM)
            if rows is not None and rows.shape[1] == len(known.mean):
                known.moments.add(rows)

    def step_ends(self) -> None:
        """The optimizer has made a watched step; all passes since the one before were observed."""
        self.steps += 1
        self.steps_with_evaluation += self._in_step
        self._in_step = False

    @property
    def belongs_to_training(self) -> bool:
        """Passes without gradients are a part of most steps, as those of a teacher, an actor or a
        target network; they are no evaluation."""
        return self.steps_with_evaluation >= max(FEWEST_STEPS, 0.5 * self.steps)

    @property
    def on_training_rows(self) -> bool:
        """The last evaluated batch is one of training data."""
        share = self.evaluation_rows_seen_in_training
        if share is None:
            return False
        return share >= max(FEW_KNOWN, KNOWN * self.watched_share * self._known.share_kept)

    def window_ends(self) -> dict[str, float]:
        """Signals of the passes since the last call; {} without any."""
        if not self._passes:
            return {}
        row: dict[str, float] = {}
        if self.has_mode_layers:
            row[EVALUATION_MODE] = self._passes_in_evaluation_mode / self._passes
            if self._norm_changes and self._is_new and self._new_rows >= FEWEST_ROWS:
                self.normed_by_evaluated |= not self._passes_in_evaluation_mode
        if self.reads_inputs:
            self.scaled_by_itself = self._own_scale.kind if self._is_new else ""
        row |= self._input_signals()
        row |= _norm_signals(list(self._norms.values()))
        self._evaluation = _merged(self._evaluation, self._window)
        self._evaluation_known = _merged(self._evaluation_known, self._window_known)
        if self.reads_inputs and self._windows >= FIRST_WINDOWS:
            self._next_window = ceil(self._windows * GROWTH)
        self._open_window()
        return row

    def _input_signals(self) -> dict[str, float]:
        """Moments of this window's inputs, on rows that are not known where there are any."""
        inputs = self._window if self._window.numbers else self._window_known
        if not inputs.numbers:
            return {}
        row: dict[str, float] = {}
        row[EVALUATION_INPUT_MEAN], row[EVALUATION_INPUT_STD] = inputs.pooled()
        facts = _facts(self._training, inputs)
        if facts is None or not facts.offsets or self._rows < FEWEST_ROWS:
            return row
        row[TRAINING_INPUT_MEAN], row[TRAINING_INPUT_STD] = self._training.pooled()
        row[EVALUATION_INPUT_OFFSET], row[EVALUATION_INPUT_RATIO] = facts.distance
        return row

    def input_facts(self) -> InputFacts | None:
        """Moments of each feature; None where not both were observed, as of whole numbers."""
        evaluation = _merged(self._evaluation, self._window)
        if not evaluation.numbers:
            evaluation = _merged(self._evaluation_known, self._window_known)
        return _facts(self._training, evaluation)

    def _in_evaluation_mode(self) -> bool:
        module = self._module()
        if module is None or not module.training:
            return True
        layers = [layer for layer in module.modules() if _depends_on_mode(layer)]
        return bool(layers) and not any(layer.training for layer in layers)


def features_of(
    values: Tensor, axis: int | None = None, most_numbers: int = MOST_NUMBERS
) -> Tensor | None:
    """Values of each feature (values, features), float64 on the CPU; of large inputs a part.

    Args:
        values: (samples, features), (samples, steps, features) or (samples, channels, ...).
        axis: of the features; None: found from the shape.
        most_numbers: numbers that are read.

    Returns:
        None for whole numbers, such as tokens, and for what cannot be read.

    >>> features_of(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([32, 3])
    """
    readable = plain(values)
    if readable is None or not readable.is_floating_point() or not readable.numel():
        return None
    with torch._C.DisableTorchFunction():
        if readable.dim() < 2:
            return rows_of(readable.reshape(-1), 1, most_numbers).cpu().double()
        moved = readable.movedim(_feature_axis(readable) if axis is None else axis, 1)
        moved = moved[:, :: -(-moved.shape[1] // MOST_FEATURES)]
        each = max(1, most_numbers // moved.shape[1])  # numbers of one feature
        steps = steps_of(tuple(moved.shape[2:]), max(1, each // min(len(moved), 64)))
        moved = moved[(slice(None), slice(None), *(slice(None, None, step) for step in steps))]
        rows = rows_of(moved, prod(moved.shape[1:]), most_numbers)
        rows = rows.reshape(len(rows), moved.shape[1], -1).movedim(1, 2)
        return rows.reshape(-1, moved.shape[1]).cpu().double()


def _feature_axis(values: Tensor) -> int:
    """Channels of pictures and volumes; the last axis of tables and sequences."""
    if values.dim() < 4:
        return values.dim() - 1
    channels_last = values.shape[-1] <= 4 < values.shape[1]
    return values.dim() - 1 if channels_last else 1


def _facts(training: Moments, evaluation: Moments) -> InputFacts | None:
    if not training.numbers or len(training.count) != len(evaluation.count):
        return None
    return InputFacts(
        tuple(training.mean.tolist()),
        tuple(training.variance.sqrt().tolist()),
        tuple(evaluation.mean.tolist()),
        tuple(evaluation.variance.sqrt().tolist()),
        training.fewest,
        evaluation.fewest,
    )


def _merged(one: Moments, other: Moments) -> Moments:
    """Moments of both; of the second alone where they have other features."""
    both = Moments()
    both.merge(one)
    if len(one.count) and len(other.count) and len(one.count) != len(other.count):
        both = Moments()
    both.merge(other)
    return both


def _add(moments: Moments, inputs: Sequence[Tensor], alike: Moments) -> int:
    """Add the first input of floating-point numbers, where it has as many features as before; the
    number of samples."""
    for values in inputs:
        rows = features_of(values)
        if rows is None:
            continue
        if all(not len(m.count) or len(m.count) == rows.shape[1] for m in (moments, alike)):
            moments.add(rows)
            return len(values) if values.dim() else 1
        return 0
    return 0


def _norm_signals(norms: list[_Norm]) -> dict[str, float]:
    """How far running statistics are from the data: the median over the layers."""
    offsets, ratios = [], []
    for norm in norms:
        if norm.moments.fewest < FEWEST_OF_CHANNEL:
            continue
        offset = (norm.moments.mean - norm.mean).square() / norm.variance
        ratio = (norm.moments.variance + 1e-5).log() - norm.variance.log()
        offsets.append(float(offset.mean().sqrt()))
        ratios.append(float(ratio.square().mean().sqrt()))
    if not offsets:
        return {}
    middle = len(offsets) // 2
    return {NORM_MEAN_OFFSET: sorted(offsets)[middle], NORM_VARIANCE_RATIO: sorted(ratios)[middle]}


def _depends_on_mode(layer: nn.Module) -> bool:
    """Whether a layer computes something else in training mode."""
    if isinstance(layer, nn.modules.dropout._DropoutNd):
        return layer.p > 0
    if isinstance(layer, nn.modules.batchnorm._NormBase):
        return layer.running_mean is not None
    return isinstance(layer, nn.RNNBase | nn.MultiheadAttention) and layer.dropout > 0
