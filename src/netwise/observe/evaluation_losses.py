"""Losses that a program computes in evaluation, without gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from netwise.errors import named
from netwise.observe.class_answers import ClassAnswers
from netwise.observe.evaluation_means import ANSWERS, Mean, count_of, row_of, total_of
from netwise.observe.followed_tensors import EQUALITIES, FollowedTensors
from netwise.observe.function_modes import enter_mode, leave_mode
from netwise.observe.kept_batches import KeptBatches
from netwise.observe.score_reader import ScoreReader
from netwise.observe.tensor_samples import plain
from netwise.observe.written_losses import WrittenLoss
from netwise.signals import TRAIN_ACCURACY, TRAIN_LOSS, VALID_ACCURACY, VALID_LOSS
from netwise.wiring import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_OF_LOGITS,
    CROSS_ENTROPY,
    HUBER,
    KL_DIVERGENCE,
    OTHER_LOSS,
    SQUARED_ERROR,
)

OPERATIONS: Mapping[Callable[..., Any], str] = {
    F.cross_entropy: CROSS_ENTROPY,
    F.nll_loss: CROSS_ENTROPY,
    F.mse_loss: SQUARED_ERROR,
    F.l1_loss: ABSOLUTE_ERROR,
    F.binary_cross_entropy: BINARY_CROSS_ENTROPY,
    F.binary_cross_entropy_with_logits: BINARY_CROSS_ENTROPY_OF_LOGITS,
    F.huber_loss: HUBER,
    F.smooth_l1_loss: HUBER,
    F.kl_div: KL_DIVERGENCE,
    F.gaussian_nll_loss: OTHER_LOSS,
    F.poisson_nll_loss: OTHER_LOSS,
}
MOST_GROUPS = 64  # means that are collected in one window


class EvaluationLosses(TorchFunctionMode):
    """Records the losses of `torch.nn.functional` that are computed without gradients.

    Between `start` and `stop` each call of a function of torch in this thread passes through it,
    also those of loss modules. It changes no result, and switches itself off after an error of its
    own (`error`).

    Example:
        >>> import torch
        >>> from torch.nn import functional as F
        >>> from netwise.observe.evaluation_losses import EvaluationLosses
        >>> losses = EvaluationLosses()
        >>> losses.start()
        >>> with torch.no_grad():
        ...     value = F.mse_loss(torch.zeros(4), torch.ones(4))
        >>> losses.stop()
        >>> losses.window_ends()
        {'valid.loss': 1.0}
    """

    def __init__(self) -> None:
        super().__init__()
        self.error = ""  # of its own; it records nothing after one
        self.takes_gradients = False  # losses with gradients are those of the evaluation, too
        self._kept: KeptBatches | None = None  # of the module that was called last
        self._answers: ClassAnswers | None = None
        self._outputs = FollowedTensors()
        self._scores: dict[int, ScoreReader] = {}
        self._score: ScoreReader | None = None  # of the module that was called last
        self._waits = False  # for a comparison of them with targets
        self._root = 0
        self._on_training_rows = False
        self._trained_with: dict[int, tuple[str, str]] = {}
        self._formulas: dict[int, frozenset[str]] = {}
        self._trained_on: dict[int, str] = {}  # operations of losses of plain outputs
        self._written, self._rows = WrittenLoss(), 1
        self._means: dict[tuple[int, bool, str, str], Mean] = {}

    def start(self) -> None:
        """Record losses from now on; without effect where it records already."""
        enter_mode(self)

    def stop(self) -> None:
        """Record no more losses."""
        leave_mode(self)

    def trained_with(
        self,
        operation: str,
        reduction: str,
        root: int = 0,
        formula: frozenset[str] = frozenset(),
        of_outputs: bool = False,
    ) -> None:
        """What a module's training loss is, so that the same is reported of evaluations.

        Args:
            operation: a name of `netwise.wiring.LOSS_OPERATIONS`; "" where not known.
            reduction: "mean", "sum", "none" or "" where not known.
            root: a number for the module.
            formula: of a mean that is written by hand (see `netwise.observe.written_losses`).
            of_outputs: its outputs have no limit from an activation, and nothing is known to lie
                between them and the loss.
        """
        self._trained_with[root], self._formulas[root] = (operation, reduction), formula
        self._trained_on[root] = operation if of_outputs else ""

    def pass_ends(
        self, root: int = 0, on_training_rows: bool = False, output: object = None, rows: int = 1
    ) -> None:
        """A module has computed outputs without gradients: the next losses are those of it.

        A loss that the module itself computes is read from its output.

        Args:
            root: a number for the module.
            on_training_rows: its inputs are rows that it was trained on.
            output: of the module: a loss itself, or with `loss` as a key, an attribute or the first
                of several where it computes its own.
            rows: samples of the batch.
        """
        self._root, self._on_training_rows, self._rows = root, on_training_rows, rows
        self._written.start(output, self._formulas.get(root, frozenset()))
        loss = _own_loss(output)
        if loss is None or self._is_of_training(loss) or _is_capturing(loss) or self.error:
            return
        value = plain(loss)
        if value is not None:
            self._add((root, on_training_rows, "", "mean"), value, float(rows), rows)

    def window_ends(self, root: int = 0) -> dict[str, float]:
        """Means over all batches since the last call, of one module; {} without any.

        The loss is that of the training loss's kind; of several where that is not known the first.
        """
        row: dict[str, float] = {}
        for known, loss, accuracy in (
            (False, VALID_LOSS, VALID_ACCURACY),
            (True, TRAIN_LOSS, TRAIN_ACCURACY),
        ):
            means = {
                (operation, reduction): mean
                for (of, seen, operation, reduction), mean in self._means.items()
                if of == root and seen == known
            }
            row |= row_of(means, self._trained_with.get(root, ("", "")), loss, accuracy)
        self._means = {key: mean for key, mean in self._means.items() if key[0] != root}
        return row

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **kwargs) if kwargs else func(*args)
        if torch.compiler.is_compiling() or self.error:
            return result
        if self._score is not None and self._score.looks:
            self._read_score(func, args, kwargs or {}, result)
        if func not in OPERATIONS:
            if self._written.follows:
                self._look_for_written(func, args, result)
            if self._kept is not None and self._waits:
                self._look_for_target(func, args, result)
            return result
        try:
            self._record(OPERATIONS[func], args, kwargs or {}, result)
        except Exception as error:  # never the program's problem
            self.error = named(error)
        return result

    def _is_of_training(self, loss: Tensor) -> bool:
        return loss.requires_grad and not self.takes_gradients

    def evaluates(
        self, kept: KeptBatches | None, answers: ClassAnswers | None, outputs: Iterable[Tensor]
    ) -> None:
        """A module has computed outputs without gradients.

        Args:
            kept: gets the target of the loss or score that follows; None: nothing does.
            answers: counts the answers that a loss compares with class numbers.
            outputs: of the module. What is computed from them is followed up to a comparison.
        """
        self._kept, self._answers, self._waits = kept, answers, kept is not None
        given = list(outputs)
        self._outputs.start(given)
        self._score = self._scores.setdefault(self._root, ScoreReader()) if given else None
        if self._score is not None:
            self._score.start(given, self._trained_on.get(self._root, ""))

    def score_misread(self, root: int) -> str:
        """How a score of a module was computed on what it should not be; "" without a sign."""
        score = self._scores.get(root)
        return "" if score is None else score.misread

    def _read_score(
        self, func: Callable[..., Any], args: Any, kwargs: Mapping[str, Any], result: Any
    ) -> None:
        try:
            with torch._C.DisableTorchFunction():
                if func in (F.mse_loss, F.l1_loss) and self._score is not None:
                    self._score.losses(args[0], args[1])
                elif self._score is not None:
                    self._score.called(func, args, kwargs, result)
        except Exception:  # the losses are known without it
            self._score = None

    def _look_for_written(self, func: Callable[..., Any], args: Any, result: Any) -> None:
        loss, right = self._written.loss, self._written.right
        try:
            with torch._C.DisableTorchFunction():
                self._written.called(func, args, result)
            if self._written.loss is not loss:
                operation, _ = self._trained_with.get(self._root, ("", ""))
                self._add_written(self._written.loss, operation, float(self._rows))
            if self._written.right is not right:
                self._add_written(self._written.right, ANSWERS, 0.0)
        except Exception:  # the scores are known without it
            self._written.start(None, frozenset())

    def _add_written(self, found: Tensor | None, operation: str, elements: float) -> None:
        value = None if found is None or _is_capturing(found) else plain(found)
        if value is None:
            return
        key = (self._root, self._on_training_rows, operation, "mean")
        if operation != ANSWERS:
            self._add(key, value, elements, self._rows)
            return
        with torch._C.DisableTorchFunction():
            mean = self._add(key, value.new_zeros((), dtype=torch.float32), elements, self._rows)
            correct = value.sum()
            if mean is not None:
                mean.correct = mean.correct + (
                    float(correct) if correct.device.type == "cpu" else correct
                )
                mean.answers = mean.answers + float(value.numel())

    def _look_for_target(self, func: Callable[..., Any], args: Any, result: Any) -> None:
        try:
            pair = self._outputs.compared(func, args, result)
            if pair is not None and self._kept is not None:
                self._waits = False
                self._kept.evaluation_loss(pair[1], "")
                if self._answers is not None and func in EQUALITIES:
                    self._answers.add_numbers(*pair)
        except Exception:  # the losses are known without it
            self._kept = None

    def _record(
        self, operation: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        output, target = (
            args[i] if len(args) > i else kwargs.get(name)
            for i, name in enumerate(("input", "target"))
        )
        if not (isinstance(result, Tensor) and isinstance(output, Tensor)):
            return
        if not isinstance(target, Tensor) or self._is_of_training(result) or _is_capturing(result):
            return
        value, output, target = plain(result), plain(output), plain(target)
        if value is None or output is None or target is None or not output.numel():
            return
        reduction = _reduction(kwargs)
        if self._kept is not None and self._waits:
            self._waits = False
            ignored = kwargs.get("ignore_index", -100) if operation == CROSS_ENTROPY else None
            try:
                self._kept.evaluation_loss(target, operation, reduction, ignored)
                if self._answers is not None:
                    self._answers.add(output, target, operation, ignored)
            except Exception:  # the losses are known without it
                self._kept = None
        key = (self._root, self._on_training_rows, operation, reduction)
        with torch._C.DisableTorchFunction():
            elements, correct, answers = count_of(operation, output, target, kwargs)
            if isinstance(elements, float) and not elements:
                return  # all targets are ignored
            one = output.dim() == 0 or (output.dim() == 1 and operation == CROSS_ENTROPY)
            mean = self._add(key, value, elements, 1 if one else len(output))
            if mean is not None:
                mean.correct, mean.answers = mean.correct + correct, mean.answers + answers

    def _add(
        self, key: tuple[int, bool, str, str], value: Tensor, elements: Any, rows: int
    ) -> Mean | None:
        """Add a batch to the mean of this root, data, operation and reduction."""
        if key not in self._means and len(self._means) >= MOST_GROUPS:
            return None
        with torch._C.DisableTorchFunction():
            mean = self._means.setdefault(key, Mean())
            mean.total = mean.total + total_of(value, key[3], elements, rows)
            mean.elements = mean.elements + elements
            mean.rows += rows
        return mean


def _own_loss(output: object) -> Tensor | None:
    """The loss that a module computes itself, such as those of transformers with labels."""
    loss: object = output
    if isinstance(output, Mapping):
        loss = output.get("loss")
    elif isinstance(output, tuple):
        loss = output[0] if len(output) > 1 else None
    elif not isinstance(output, Tensor):
        loss = getattr(output, "loss", None)
    if not isinstance(loss, Tensor) or loss.dim() or not loss.is_floating_point():
        return None
    return loss


def _reduction(kwargs: Mapping[str, Any]) -> str:
    """The reduction of a call, also by its older arguments."""
    average, reduce = kwargs.get("size_average"), kwargs.get("reduce")
    if average is None and reduce is None:
        return str(kwargs.get("reduction", "mean"))
    if reduce is False:
        return "none"
    return "sum" if average is False else "mean"


def _is_capturing(value: Tensor) -> bool:
    """A CUDA graph is captured: it would contain operations of ours."""
    return value.is_cuda and torch.cuda.is_current_stream_capturing()
