"""Gradients of a network's outputs with respect to its inputs that a loss is computed of, and that
were taken without `create_graph=True`: for the loss they are constants."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from netwise.observe.autograd_graph import read_graph
from netwise.observe.function_modes import enter_mode, leave_mode
from netwise.observe.nested import tensors_in

FEWEST = 3  # steps in which a loss is computed of them
MOST_LOOKS = 12  # steps that are followed
MOST = 256  # tensors that are followed in a step
_DETACHES = frozenset((Tensor.detach, torch.detach, Tensor.detach_, Tensor.item, Tensor.numpy))


class InputGradients(TorchFunctionMode):
    """Follows such gradients from where they are taken up to the next backward pass.

    Those that a program detaches are meant to be constants, as are those of which an input of
    weights is made, as in adversarial training.

    Example:
        >>> import torch
        >>> layer, looks = torch.nn.Linear(2, 1), InputGradients()
        >>> for _ in range(3):
        ...     x = torch.ones(4, 2, requires_grad=True)
        ...     y = layer(x)
        ...     slope = torch.autograd.grad(y.sum(), x, retain_graph=True)
        ...     looks.taken(y, (x,), slope, "train.py:9")
        ...     loss = y.mean() + (slope[0].norm(dim=1) - 1).square().mean()
        ...     looks.backward(loss, {id(p) for p in layer.parameters()})
        >>> looks.constant[0]
        'train.py:9'
    """

    def __init__(self) -> None:
        super().__init__()
        self._followed: dict[int, weakref.ref[Tensor]] = {}
        self._weights: frozenset[int] = frozenset()  # behind the outputs
        self._place, self._places = "", dict[str, int]()
        self._looks, self._is_meant = 0, False
        self._calls = 0  # that pass through it now: meanwhile torch has it out of the stack
        self._of = frozenset[int]()  # ids of the weights in such losses

    @property
    def constant(self) -> tuple[str, frozenset[int]]:
        """The line that takes gradients which are constants for the loss, and ids of the weights
        that both depend on; "" without one."""
        found = [name for name, count in self._places.items() if count >= FEWEST]
        return (found[0], self._of) if found and not self._is_meant else ("", frozenset())

    def taken(
        self, of: Tensor, inputs: Iterable[Any], gradients: Iterable[Any], place: str
    ) -> None:
        """Gradients were taken without a graph of their own: follow them, where they are those of
        inputs.

        Args:
            of: the outputs.
            inputs: with respect to which.
            gradients: the result.
            place: line of the program.
        """
        given = list(inputs)
        leaves = all(isinstance(t, Tensor) and t.is_leaf for t in given)
        if not leaves or any(isinstance(t, nn.Parameter) for t in given):
            return
        if self._is_meant or self._looks >= MOST_LOOKS:
            return
        self._place = place
        self._weights |= {
            key
            for key, p in read_graph(of, axes=False).leaves.items()
            if isinstance(p, nn.Parameter)
        }
        for gradient in gradients:
            if isinstance(gradient, Tensor) and not gradient.requires_grad:
                self._follow(gradient)
        if self._followed and not self._calls:
            enter_mode(self)

    def backward(self, loss: Tensor, reached: Iterable[int]) -> None:
        """A loss goes backwards.

        Args:
            loss: it.
            reached: ids of the tensors that it gives a gradient.
        """
        if self._followed:
            self._looks += 1
            weights = self._weights & set(reached)
            if weights and self._knows(loss):
                self._of |= weights
                self._places[self._place] = self._places.get(self._place, 0) + 1
            self.stop()

    def stop(self) -> None:
        """Follow nothing any more."""
        self._followed, self._weights = {}, frozenset()
        leave_mode(self)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self._calls += 1
        try:
            result = func(*args, **kwargs) if kwargs else func(*args)
        finally:
            self._calls -= 1
        if not self._followed or torch.compiler.is_compiling():
            return result
        given = list(tensors_in((args, kwargs or {})))
        if not any(map(self._knows, given)):
            return result
        if any(isinstance(t, nn.Parameter) for t in given):
            self._is_meant = True  # an input of weights
            self._followed = {}
        elif func not in _DETACHES and torch.is_grad_enabled():
            for part in tensors_in(result):
                self._follow(part)
        return result

    def _knows(self, tensor: Tensor) -> bool:
        known = self._followed.get(id(tensor))
        return known is not None and known() is tensor

    def _follow(self, tensor: Tensor) -> None:
        if len(self._followed) < MOST and tensor.is_floating_point():
            self._followed[id(tensor)] = weakref.ref(tensor)
