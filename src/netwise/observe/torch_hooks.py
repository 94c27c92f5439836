"""The events of a PyTorch program: backward passes, optimizer steps, forward passes of modules,
and blocks without gradients.

`TorchHooks` registers torch's global hooks and replaces the few functions for which torch has none.
Nothing is set on an instance of the program's own, so copies and pickles of modules, optimizers and
tensors contain no trace. `remove` puts back what `install` replaced.

Which of them are public: the hooks of modules and optimizers. Not public:
`torch.autograd._engine_run_backward`, through which `Tensor.backward` and `torch.autograd.grad`
call the engine (torch 2.10 to 2.13). Where it is missing, `torch.autograd.backward` is replaced.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType
from typing import Any, Protocol

import torch
from torch import nn
from torch._guards import CompileContext
from torch.nn.modules import module as torch_modules
from torch.optim import optimizer as torch_optimizers
from torch.utils.data import DataLoader

ENGINE = "_engine_run_backward"
# Context managers that switch gradients off, and how to see that one of them does.
GRADIENT_SWITCHES: tuple[type, ...] = (torch.no_grad, torch.inference_mode, torch.set_grad_enabled)


# torch warns where a compiled module is called while hooks of all modules are registered. Its hooks
# are those of netwise, which leave compiled modules alone.
COMPILE_WARNING = "Using `torch.compile\\(module\\)` when there are global hooks on modules"
TORCH = str(Path(torch.__file__).parent / "_")[:-1]  # where torch's own code is


def in_backward() -> bool:
    """Whether a backward pass runs in this thread."""
    return torch._C._current_graph_task_id() != -1


class StepListener(Protocol):
    """What receives the events of steps in the place of a `Listener`, and needs less of them. None
    of its methods may raise."""

    def backward_begins(self, tensors: Any, kwargs: Mapping[str, Any]) -> None:
        """A backward pass of these tensors is about to run, with these options."""

    def backward_failed(self, error: Exception) -> None:
        """It has raised an error."""

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer has changed its weights."""


class Listener(Protocol):
    """What receives the events. None of its methods may raise or change the program's numbers."""

    def backward(self, run: Callable[..., Any], tensors: Any, args: Any, kwargs: Any) -> Any:
        """A backward pass: calls `run(tensors, *args, **kwargs)` and returns its result."""

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer has changed its weights."""

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to change its weights; only while `listen_to_modules(True)`."""

    def gradients_unscale(self, scaler: Any, optimizer: torch.optim.Optimizer) -> None:
        """A gradient scaler is about to divide the gradients by its scale."""

    def loss_scales(self, scaler: Any) -> None:
        """A gradient scaler multiplies a loss by its scale."""

    def state_loaded(self, module: nn.Module, state: Mapping[str, Any], keys: Any) -> None:
        """A module was given a state; `keys` are those that do not fit."""

    def loader_begins(self, loader: DataLoader[Any]) -> None:
        """An iterator of a loader was made."""

    def mode_set(self, module: nn.Module, was_training: bool) -> None:
        """A module and its parts were put into training or evaluation mode."""

    def gradients_off(self, place: object) -> None:
        """A block without gradients begins in the program's code, which `place` identifies."""

    def gradients_on(self) -> None:
        """The last block without gradients ends."""

    def module_begins(self, module: nn.Module) -> None:
        """A module is called; only while `listen_to_modules(True)`."""

    def module_ended(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """A module has returned; its output is None after an exception."""


class _Quiet(threading.local):
    """How many observers of this thread are at work: their own operations are no events."""

    depth = 0


QUIET = _Quiet()


class TorchHooks:
    """Registers a listener for the events of this process.

    Several may be installed at once. They are removed in any order: a function is put back only
    where nothing else has replaced it since, and a hook that stays in a chain passes on its call.

    Args:
        listener: receives the events.

    Attributes:
        of_steps: receives backward passes and ends of steps in the place of the listener, where
            the listener has put it there.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener: Listener | None = listener
        self.of_steps: StepListener | None = None
        self._handles: list[Any] = []
        self._module_handles: list[Any] = []
        self._switches: dict[int, object] = {}  # by thread: the context that its block began with
        self._replaced: list[tuple[Any, str, Any, Any]] = []  # owner, name, original, ours
        self._warning_filter: Any = None

    def install(self) -> None:
        """Register all hooks but those of modules and of beginning steps."""
        warnings.filterwarnings("ignore", COMPILE_WARNING, UserWarning)
        self._warning_filter = warnings.filters[0]
        if hasattr(torch.autograd, ENGINE):
            self._replace(torch.autograd, ENGINE, self._backward_of)
        else:
            self._replace(torch.autograd, "backward", self._backward_of)
        self._replace(torch.amp.GradScaler, "unscale_", self._unscale_of)
        self._replace(torch.amp.GradScaler, "scale", self._scale_of)
        self._replace(nn.Module, "load_state_dict", self._load_of)
        self._replace(nn.Module, "train", self._train_of)
        self._replace(DataLoader, "__iter__", self._iter_of)
        for switch in GRADIENT_SWITCHES:
            self._replace(switch, "__enter__", self._enter_of)
            self._replace(switch, "__exit__", self._exit_of)
        self._handles = [torch_optimizers.register_optimizer_step_post_hook(self._step_ended)]

    def remove(self) -> None:
        """Put back everything."""
        self.listen_to_modules(False)
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if self._warning_filter in warnings.filters:
            warnings.filters.remove(self._warning_filter)  # type: ignore[attr-defined]
        for owner, name, original, ours in reversed(self._replaced):
            ours.is_removed = True
            if owner.__dict__.get(name) is ours:
                while getattr(original, "is_removed", False):  # of hooks installed before these
                    original = original.__wrapped__
                setattr(owner, name, original)
        self._replaced = []
        self._listener = self.of_steps = None

    def listen_to_modules(self, on: bool) -> None:
        """Register or remove the hooks of all modules' forward passes, and of beginning steps."""
        listener = self._listener
        if on and not self._module_handles and listener is not None:
            self._module_handles = [
                torch_optimizers.register_optimizer_step_pre_hook(
                    lambda optimizer, args, kwargs: listener.step_begins(optimizer)
                ),
                torch_modules.register_module_forward_pre_hook(_begins_for(listener)),
                torch_modules.register_module_forward_hook(
                    _ended_for(listener), with_kwargs=True, always_call=True
                ),
            ]
        elif not on and self._module_handles:
            # torch 2.13 leaves the number of a removed hook here, for ever.
            with_kwargs = getattr(torch_modules, "_global_forward_hooks_with_kwargs", {})
            for handle in self._module_handles:
                handle.remove()
                with_kwargs.pop(handle.id, None)
            self._module_handles = []

    @property
    def listens_to_modules(self) -> bool:
        """Whether the hooks of modules are registered."""
        return bool(self._module_handles)

    def _replace(self, owner: Any, name: str, wrapper_of: Callable[[Any], Any]) -> None:
        original = owner.__dict__[name]
        ours = wrapper_of(original)
        ours.__wrapped__ = original
        ours.__name__ = getattr(original, "__name__", name)
        ours.__doc__ = original.__doc__
        self._replaced.append((owner, name, original, ours))
        setattr(owner, name, ours)

    def _backward_of(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def run_backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            of_steps = self.of_steps
            if of_steps is not None:
                of_steps.backward_begins(tensors, kwargs)
                try:
                    return run(tensors, *args, **kwargs)
                except Exception as error:
                    of_steps.backward_failed(error)
                    raise
            if self._listener is not None:
                return self._listener.backward(run, tensors, args, kwargs)
            return run(tensors, *args, **kwargs)

        return run_backward

    def _step_ended(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        listener = self.of_steps or self._listener
        if listener is not None:
            listener.step_ended(optimizer)

    def _unscale_of(self, unscale: Callable[..., Any]) -> Callable[..., Any]:
        def unscale_(scaler: Any, optimizer: torch.optim.Optimizer) -> Any:
            if self._listener is not None:
                self._listener.gradients_unscale(scaler, optimizer)
            return unscale(scaler, optimizer)

        return unscale_

    def _scale_of(self, scale: Callable[..., Any]) -> Callable[..., Any]:
        def scale_loss(scaler: Any, outputs: Any) -> Any:
            if self._listener is not None:
                self._listener.loss_scales(scaler)
            return scale(scaler, outputs)

        return scale_loss

    def _load_of(self, load: Callable[..., Any]) -> Callable[..., Any]:
        def load_state_dict(module: Any, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
            keys = load(module, state_dict, *args, **kwargs)
            if self._listener is not None and not QUIET.depth:
                self._listener.state_loaded(module, state_dict, keys)
            return keys

        return load_state_dict

    def _iter_of(self, begin: Callable[..., Any]) -> Callable[..., Any]:
        def begin_loader(loader: Any) -> Any:
            if self._listener is not None and not QUIET.depth:
                self._listener.loader_begins(loader)
            return begin(loader)

        return begin_loader

    def _train_of(self, train: Callable[..., Any]) -> Callable[..., Any]:
        def set_mode(module: Any, mode: bool = True) -> Any:
            was_training = module.training
            result = train(module, mode)
            if self._listener is not None and not QUIET.depth:
                self._listener.mode_set(module, was_training)
            return result

        return set_mode

    def _enter_of(self, enter: Callable[..., Any]) -> Callable[..., Any]:
        def enter_block(context: Any) -> Any:
            listener = self._listener
            if listener is not None and not _is_inside() and _switches_off(context):
                code = _code_of_block()
                # Torch's own blocks, as in its tracer and `update_bn`, are no evaluation.
                if not code.co_filename.startswith(TORCH):
                    self._switches[threading.get_ident()] = context
                    listener.gradients_off(code)
            return enter(context)

        return enter_block

    def _exit_of(self, leave: Callable[..., Any]) -> Callable[..., Any]:
        def leave_block(context: Any, *error: Any) -> Any:
            result = leave(context, *error)
            listener = self._listener
            if listener is not None and not QUIET.depth and self._switches:
                thread = threading.get_ident()
                if self._switches.get(thread) is context:
                    del self._switches[thread]
                    listener.gradients_on()
            return result

        return leave_block


def _is_inside() -> bool:
    """Whether an observer is at work, or the compiler, which switches gradients off and on."""
    return QUIET.depth > 0 or CompileContext.try_get() is not None


def _begins_for(listener: Listener) -> Callable[..., None]:
    def module_begins(module: nn.Module, args: Any) -> None:
        if not torch.compiler.is_compiling():  # first of all: the compiler skips what follows
            listener.module_begins(module)

    return module_begins


def _ended_for(listener: Listener) -> Callable[..., None]:
    def module_ended(module: nn.Module, args: Any, *rest: Any) -> None:
        if not torch.compiler.is_compiling():
            # After an exception torch passes neither keyword arguments nor, at times, an output.
            kwargs, output = rest if len(rest) == 2 else ({}, None)
            listener.module_ended(module, args, kwargs, output)

    return module_ended


def _switches_off(context: Any) -> bool:
    """Whether entering this context switches gradients off that were on."""
    if isinstance(context, torch.set_grad_enabled):  # off since it was made
        return not context.mode and bool(context.prev)
    return torch.is_grad_enabled() and bool(getattr(context, "mode", True))


def _code_of_block() -> CodeType:
    """The code with the `with` block, or the decorated function."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back  # the hooks of another observer
    if frame.f_code.co_name in ("decorate_context", "generator_context"):
        code = getattr(frame.f_locals.get("func"), "__code__", None)
        if isinstance(code, CodeType):
            return code
        if frame.f_back is not None:  # a callable object is decorated
            frame = frame.f_back
    return frame.f_code
