"""Calls that give gradients as values, `torch.autograd.grad` and its like: an inner step of
meta-learning, or the step of a program without an optimizer."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from netwise.observe.functional_updates import FunctionalUpdates, is_training
from netwise.observe.guard import Guard
from netwise.observe.inner_gradients import InnerGradients
from netwise.observe.input_gradients import InputGradients
from netwise.observe.model_table import ModelTable
from netwise.observe.nested import tensors_in
from netwise.observe.program_place import names_of_tensors, program_place


class GradientValues:
    """Passes such calls on to `inner` and `functional`.

    Args:
        guard: calls the parts of the observer.
        table: the modules and optimizers that are known.
    """

    def __init__(self, guard: Guard, table: ModelTable) -> None:
        self._safely, self._table = guard.safely, table
        self.inner = InnerGradients()
        self.functional = FunctionalUpdates()
        self.slopes = InputGradients()

    def begin(self, tensors: Any, args: Any, watching: bool) -> tuple[Any, Any, Any]:
        """A call begins: what `end` needs of it as an inner step, as a step of the program and as
        gradients of inputs; None where it is none.

        Args:
            tensors, args: of the call of torch's engine.
            watching: this step is watched.
        """
        inner: Any = None
        functional: Any = None
        slopes: Any = None
        if watching:
            slopes = None if args[2:3] == (True,) else (next(tensors_in(tensors), None), args[3:4])
            inner = self._safely("inner gradients", self._before_inner, tensors, args)
        if not self._table.all_accounts:
            functional = self._safely("functional updates", self._before_step, tensors, args)
        return inner, functional, slopes

    def end(self, begun: tuple[Any, Any, Any], gradients: Any) -> None:
        """A call has given these gradients."""
        inner, functional, slopes = begun
        if inner is not None:
            loss, place = inner
            self._safely("inner gradients", self.inner.taken, loss, gradients, place)
        if functional is not None:
            self._safely("functional updates", self._after_step, functional, gradients)
        if slopes is not None and slopes[0] is not None:
            self._safely("input gradients", self._after_slopes, *slopes, gradients)

    def _after_slopes(self, outputs: Tensor, inputs: Any, gradients: Any) -> None:
        if inputs and inputs[0]:
            self.slopes.taken(outputs, inputs[0], gradients, program_place())

    def _before_inner(self, tensors: Any, args: Any) -> Any:
        """Gradients are taken with a graph of their own: of weights, maybe for an inner step."""
        loss, inputs = next(tensors_in(tensors), None), args[3] if len(args) > 3 else None
        if loss is None or loss.grad_fn is None:
            return None
        self.inner.backward(loss)  # of an inner step before this one
        if args[2:3] != (True,) or loss.dim() or not is_training(inputs):
            return None
        return loss, program_place()

    def _before_step(self, tensors: Any, args: Any) -> Any:
        """Gradients are asked for as values, and no optimizer is known: maybe a step of its own."""
        loss, inputs = next(tensors_in(tensors), None), args[3] if len(args) > 3 else None
        if loss is None or loss.grad_fn is None or loss.dim() or inputs is None:
            return None
        if not is_training(inputs):
            return None
        key = (program_place(), tuple(tuple(each.shape) for each in inputs))
        self.functional.before(loss, key)
        return loss, inputs, key

    def _after_step(self, functional: Any, gradients: Any) -> None:
        loss, inputs, key = functional
        if all(isinstance(each, Tensor) for each in gradients):
            self.functional.after(loss, inputs, gradients, key, names_of_tensors)
