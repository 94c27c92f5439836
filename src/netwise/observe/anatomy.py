"""The table of a network's layers before training: shapes, parameters, multiply-adds, memory and
receptive fields; and where a shape does not fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwise.errors import ShapeError, text_of
from netwise.memory import require_memory
from netwise.networks import Network
from netwise.observe.receptive_field import WHOLE, FieldTracking, field_size, mark_input
from netwise.printed_text import printable

ALIGNMENT = "<<<>>>>"  # of the table's columns


@dataclass(frozen=True)
class AnatomyRow:
    """One row of the table: one call of a module without children.

    Args:
        name: dotted name in the module.
        kind: its class.
        shape: of its output, without the samples.
        parameters: how many numbers it learns.
        multiply_adds: for one sample.
        memory: bytes of its output for one sample, as float32; in training it is kept until the
            backward pass.
        field: receptive field of its feature maps in pixels of the input, (height, width); "whole":
            all of the input; None: no feature maps.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    memory: int = 0
    field: tuple[int, int] | str | None = None


@dataclass(frozen=True)
class Anatomy:
    """The layers of a network in order of use. Printed, it is a table.

    Args:
        shape: of one input.
        rows: of the table, one for each call of a layer.
        parameters: how many numbers the whole network learns.
        output: shape of one output.

    Example:
        >>> import netwise as nw
        >>> print(nw.describe(nw.MLP((64, 30, 10)), (1, 8, 8)))
        layer        kind             output  parameters  multiply-adds  memory
        (input)                       1x8x8
        flatten      FlattenIfNeeded  64               0              0   256 B
        layer1       Linear           30           1,950          1,920   120 B
        activation1  ReLU             30               0              0   120 B
        layer2       Linear           10             310            300    40 B
        sum                                        2,260          2,220   536 B
    """

    shape: tuple[int, ...]
    rows: tuple[AnatomyRow, ...]
    parameters: int
    output: tuple[int, ...] = ()

    @property
    def multiply_adds(self) -> int:
        """Of the forward pass of one sample."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def memory(self) -> int:
        """Bytes of all outputs for one sample."""
        return sum(row.memory for row in self.rows)

    def __str__(self) -> str:
        total = (self.parameters, self.multiply_adds, self.memory)
        cells = [
            ("layer", "kind", "output", "parameters", "multiply-adds", "memory", "sees"),
            ("(input)", "", _shape_text(self.shape), "", "", "", ""),
            *(_cells(row) for row in self.rows),
            ("sum", "", "", *_number_texts(*total), ""),
        ]
        if not any(row.field not in (None, WHOLE) for row in self.rows):
            cells = [(*row[:-1], "") for row in cells]
        widths = [max(len(row[i]) for row in cells) for i in range(len(ALIGNMENT))]
        return printable(
            "\n".join(
                "  ".join(
                    f"{cell:{side}{width}}"
                    for cell, side, width in zip(row, ALIGNMENT, widths, strict=True)
                ).rstrip()
                for row in cells
            )
        )


def _cells(row: AnatomyRow) -> tuple[str, ...]:
    numbers = _number_texts(row.parameters, row.multiply_adds, row.memory)
    return (row.name, row.kind, _shape_text(row.shape), *numbers, _field_text(row.field))


def _number_texts(parameters: int, multiply_adds: int, memory: int) -> tuple[str, str, str]:
    return f"{parameters:,}", f"{multiply_adds:,}", format_bytes(memory)


def anatomy_as_dict(anatomy: Anatomy) -> dict[str, Any]:
    """An anatomy as plain values.

    Example:
        >>> import netwise as nw
        >>> nw.anatomy_as_dict(nw.describe(nw.MLP((4, 3)), (4,)))["parameters"]
        15
    """
    return {**asdict(anatomy), "multiply_adds": anatomy.multiply_adds, "memory": anatomy.memory}


def format_bytes(count: int) -> str:
    """A number of bytes for people, in units of 1024."""
    if count < 10_000:
        return f"{count:,} B"
    return f"{count / 1024:,.1f} KiB" if count < 10_000 * 1024 else f"{count / 1024**2:,.1f} MiB"


def _field_text(field: tuple[int, int] | str | None) -> str:
    if isinstance(field, tuple):
        return _shape_text(field)
    return field or ""


def _shape_text(shape: Sequence[int]) -> str:
    """Such as "1x28x28"."""
    return "x".join(map(str, shape)) or "1"


def describe(network: Network | nn.Module, shape: Sequence[int]) -> Anatomy:
    """The table of a network's layers for inputs of `shape`. A module is left as it was.

    Args:
        network: a network of netwise, or any module.
        shape: of one input, without the samples, such as (1, 28, 28).

    Raises:
        ShapeError: the input does not fit a layer; the message has the table up to that layer.

    Example:
        >>> import netwise as nw
        >>> nw.describe(nw.LeNet5(), (1, 28, 28)).multiply_adds
        416520
    """
    if isinstance(network, Network):
        with torch.random.fork_rng():
            return anatomy_of(network.build(), shape)
    return anatomy_of(network, shape)


def anatomy_of(module: nn.Module, shape: Sequence[int], example: Tensor | None = None) -> Anatomy:
    """`describe` for a module, on zeros or on `example` inputs (samples, ...)."""
    recorder = _CallRecorder(module)
    x = _zeros(recorder.leaves, shape) if example is None else example
    weight = next(module.parameters(), torch.zeros(0))
    modes = {layer: layer.training for layer in module.modules()}
    try:
        module.eval()
        with torch.no_grad(), torch.random.fork_rng(), FieldTracking():
            output = module(mark_input(x.to(weight.device, copy=True)))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise recorder.shape_error(shape, error) from None
    finally:
        recorder.detach()
        for layer, mode in modes.items():
            layer.training = mode
    first = output[0] if isinstance(output, tuple) else output
    output_shape = tuple(first.shape[1:]) if isinstance(first, Tensor) else ()
    parameters = sum(p.numel() for p in module.parameters())
    return Anatomy(tuple(shape), tuple(recorder.rows), parameters, output_shape)


def _zeros(leaves: Sequence[nn.Module], shape: Sequence[int]) -> Tensor:
    """Two inputs of zeros; whole numbers where the first layer is a table of symbols."""
    text = _shape_text(shape)
    require_memory(8 * math.prod(shape), "describe", "shape", text, "has inputs that need")
    x = torch.zeros(2, *shape)
    return x.long() if leaves and isinstance(leaves[0], nn.Embedding) else x


class _CallRecorder:
    """Records the calls of all modules without children, by hooks."""

    def __init__(self, module: nn.Module) -> None:
        self.rows: list[AnatomyRow] = []
        self.leaves = [layer for layer in module.modules() if not list(layer.children())]
        self._names = {layer: name or "(network)" for name, layer in module.named_modules()}
        self._running: list[tuple[nn.Module, tuple[int, ...]]] = []  # (layer, its input's shape)
        self._handles = [layer.register_forward_pre_hook(self._enter) for layer in self.leaves]
        self._handles += [layer.register_forward_hook(self._leave) for layer in self.leaves]

    def detach(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _enter(self, layer: nn.Module, args: tuple[Any, ...]) -> None:
        first = args[0] if args and isinstance(args[0], Tensor) else None
        self._running.append((layer, tuple(first.shape[1:]) if first is not None else ()))

    def _leave(self, layer: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._running.pop()
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor):
            self.rows.append(
                AnatomyRow(
                    self._names[layer],
                    type(layer).__name__,
                    tuple(first.shape[1:]),
                    parameters=sum(p.numel() for p in layer.parameters()),
                    multiply_adds=_multiply_adds(layer, first),
                    memory=4 * first[0].numel() if len(first) else 0,
                    field=field_size(first),
                )
            )

    def shape_error(self, shape: Sequence[int], error: Exception) -> ShapeError:
        """The error of the layer that was running, with the table up to it."""
        parameters = sum(row.parameters for row in self.rows)
        table = str(Anatomy(tuple(shape), tuple(self.rows), parameters)).rsplit("\n", 1)[0]
        return ShapeError(
            f"The data do not fit through the network.\n{table}\n{self._explanation(error)}"
        )

    def _explanation(self, error: Exception) -> str:
        lines = text_of(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        if not self._running:
            return f"Between the layers: {reason}"
        layer, shape = self._running[-1]
        name = f"{self._names[layer]} ({type(layer).__name__})"
        if isinstance(layer, nn.Linear) and shape and shape[-1] != layer.in_features:
            return (
                f"{name} takes {layer.in_features} features and gets {shape[-1]}. "
                f"Write {shape[-1]} for its input."
            )
        if isinstance(layer, nn.Conv2d):
            return f"{name} {_conv_problem(layer, shape)}"
        return f"{name} gets {_shape_text(shape)} and refuses: {reason}"


def _conv_problem(layer: nn.Conv2d, shape: tuple[int, ...]) -> str:
    """Why a convolution does not take inputs of this shape, and what to do."""
    if len(shape) != 3:
        return (
            f"takes images (channels, height, width) and gets {_shape_text(shape)}: "
            "give it images, or use an MLP."
        )
    if shape[0] != layer.in_channels:
        return (
            f"takes {layer.in_channels} channels and gets {shape[0]}. "
            f"Write {shape[0]} for its channels."
        )
    kernel = _shape_text(tuple(int(k) for k in layer.kernel_size))
    return (
        f"has a kernel of {kernel} and gets maps of {_shape_text(shape[1:])}, which are smaller: "
        "enlarge the images (Resize) or pool less."
    )


def _multiply_adds(layer: nn.Module, output: Tensor) -> int:
    """Of one sample in this layer."""
    if isinstance(layer, nn.Linear):
        return layer.in_features * output[0].numel()
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return int(layer.weight[0].numel() * output[0].numel())
    if isinstance(layer, nn.RNNBase):
        steps = output.shape[1] if layer.batch_first else output.shape[0]
        return int(sum(p.numel() for p in layer.parameters() if p.dim() > 1) * steps)
    return 0
