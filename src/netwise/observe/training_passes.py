"""Forward passes of modules with gradients, in watched steps."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from netwise.observe import autograd_graph
from netwise.observe.backward_reader import BackwardReader
from netwise.observe.guard import Guard
from netwise.observe.kept_states import LARGE_LIMIT, LIMIT, kept_state
from netwise.observe.made_samples import MadeSamples
from netwise.observe.module_calls import ModuleCalls
from netwise.observe.nested import tensors_in
from netwise.observe.observed_parts import Root
from netwise.observe.readable import readable
from netwise.observe.sampling import READ_EVERY, is_read

INPUTS_READ = 6  # watched passes whose inputs are all read


class TrainingPasses:
    """Reads what modules compute in watched steps.

    Args:
        guard: calls the parts of the observer.
        calls: the running calls of modules.
        made: outputs of one module that are inputs of another.
        reader: of backward passes, which compares losses with outputs.
        asks_first_batch: keep the first batch, to ask a copy of the module.
    """

    def __init__(
        self,
        guard: Guard,
        calls: ModuleCalls,
        made: MadeSamples,
        reader: BackwardReader,
        asks_first_batch: bool,
    ) -> None:
        self._safely, self._calls, self._made, self._reader = guard.safely, calls, made, reader
        self._asks_first_batch = asks_first_batch
        self.keeps_output = False  # up to the next step, to compare it with stated targets
        self.output: Tensor | None = None  # of the last pass, where `keeps_output`
        self.for_trials = False  # keep modules alive, and large states, for short trials afterwards

    @property
    def _limit(self) -> int:
        return LARGE_LIMIT if self.for_trials else LIMIT

    def begin(self, root: Root) -> None:
        """A pass of a root begins."""
        if root.start is None:
            self._safely("trials", self._keep_start, root)
        self._safely("layers", root.probe.forward_begins)

    def _keep_start(self, root: Root) -> None:
        module = root.module
        if module is not None:
            root.start = kept_state(module, self._limit)
            if self.for_trials:
                root.held = module

    def keep_end(self, root: Root) -> None:
        """Keep the state of a module whose start was kept."""
        module = root.module
        if module is not None and root.start is not None:
            root.end = kept_state(module, self._limit)

    def part_ended(
        self, root: Root, module: nn.Module, args: Any, kwargs: Any, output: Any
    ) -> None:
        """A module has returned: a root, or a part of one."""
        self._safely("layers", root.probe.module_called, module, args, kwargs, output)
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            self._safely("carried states", self._layer_called, root, module, args, kwargs, output)
        if is_read(root.passes):
            self._calls.note(root, module, args, kwargs, output)

    def ended(
        self, root: Root, args: Any, kwargs: Any, output: Any, steps: int, with_gradients: bool
    ) -> None:
        """A root has returned.

        Args:
            root: it.
            args, kwargs, output: of the call.
            steps: that have been taken.
            with_gradients: else only what is made of other modules' outputs is read.
        """
        inputs = list(tensors_in((args, kwargs)))
        if self._calls.of_several:
            self._safely("made samples", self._made.called, root, inputs, list(tensors_in(output)))
        if with_gradients:
            if self._asks_first_batch and root.first_batch is None:
                self._safely("first batch", root.keep_first_inputs, args, kwargs)
            self._training_pass(root, args, kwargs, inputs, output, steps)

    def _training_pass(
        self, root: Root, args: Any, kwargs: Any, inputs: list[Tensor], output: Any, steps: int
    ) -> None:
        outputs = [t for t in tensors_in(output) if t.is_floating_point()]
        module = root.module
        if module is None or not any(t.requires_grad for t in outputs):
            return
        if all(readable(t) is None for t in outputs):  # a pass that only finds shapes
            return
        root.trained = True
        root.note_stand_ins()
        root.training_mode = module.training
        if self.keeps_output:
            self.output = next((t.detach() for t in outputs if t.dim()), None)
        for number, tensor in enumerate(outputs):
            if tensor.grad_fn is not None and tensor.dim():
                node: Any = tensor.grad_fn  # torch's annotation lacks `metadata`'s type
                node.metadata[autograd_graph.MARK] = (id(module), number)
                root.marked.add(number)
                self._reader.note_output(tensor)
        if not root.linear_read:
            root.linear_read = True
            root.linear = self._safely("losses", _linear, outputs, inputs)
        root.passes += 1
        if is_read(root.passes - 1, first=INPUTS_READ, every=2 * READ_EVERY):
            self._safely("evaluation", root.evaluation.training_pass, inputs)
        self._safely("kept batches", root.kept.training_pass, args, kwargs, steps)
        self._safely("layers", root.probe.forward_ends, output)
        self._safely("pair forces", root.forces.called, inputs, outputs)
        self._safely("carried states", root.carried.pass_ended, module, args, kwargs, steps)

    @staticmethod
    def _layer_called(root: Root, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if module is not root.module:
            root.carried.layer_called(root.name_of(module), module, args, kwargs, output)


def _linear(outputs: list[Tensor], inputs: list[Tensor]) -> bool | None:
    """Whether all outputs are linear in the inputs."""
    answers = [
        autograd_graph.is_linear(output, inputs)
        for output in outputs
        if output.grad_fn is not None and output.dim() > 0
    ]
    if any(answer is False for answer in answers):
        return False
    return True if answers and all(answers) else None
