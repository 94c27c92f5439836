"""Errors of shapes: what a layer gets is not what it was made for."""

from __future__ import annotations

import re

from netwise.diagnosis.error_kinds.kind import (
    ErrorKind,
    layer_with_inputs,
    named_tensors,
    numbers_in,
    shape_text,
)
from netwise.program_error import ProgramError


def _product(m: re.Match[str], e: ProgramError) -> str:
    if not e.layer:
        return (
            f"A product of matrices of {m['a']} x {m['b']} and {m['c']} x {m['d']}: the inner "
            f"numbers {m['b']} and {m['c']} must be equal.{named_tensors(e)}"
        )
    text = (
        f"{layer_with_inputs(e)}: it was made for {m['c']} numbers of a sample, and gets {m['b']}."
    )
    if int(m["a"]) == 1 or (e.inputs and len(e.inputs[0]) == 1):
        text += " All samples of the batch lie in one row: they were flattened too."
    elif int(m["a"]) == int(m["c"]):
        text += " Rows and columns are exchanged."
    return text


def _fit_product(m: re.Match[str], e: ProgramError) -> str:
    if int(m["a"]) == 1 or (e.inputs and len(e.inputs[0]) == 1):
        return "x = x.flatten(1)  # keeps the samples apart; x.flatten() does not"
    if not e.layer:
        return "product = a @ b.T  # the inner sizes of both are equal"
    return (
        f"self.{e.layer.rpartition('.')[2]} = nn.Linear({m['b']}, {m['d']})"
        "  # or nn.LazyLinear, which finds the first number"
    )


def _made_for(m: re.Match[str], e: ProgramError) -> str:
    count = m["want"]
    plural = "s" * (count != "1")
    return f"{layer_with_inputs(e)}: it was made for {count} channel{plural}"


def _channels(m: re.Match[str], e: ProgramError) -> str:
    shape = numbers_in(m["shape"])
    text = f"{_made_for(m, e)}, and axis 1 has {m['got']}."
    if shape and shape[-1] == int(m["want"]):
        text += " The channels are the last axis."
    return text


def _fit_channels(m: re.Match[str], e: ProgramError) -> str:
    shape = numbers_in(m["shape"])
    if shape and shape[-1] == int(m["want"]):
        return "x = x.permute(0, 3, 1, 2)  # samples, channels, height, width"
    return f"nn.Conv2d({m['got']}, ...)  # the channels that come in"


def _axes(m: re.Match[str], e: ProgramError) -> str:
    return (
        f"{layer_with_inputs(e)}: a convolution takes (samples, channels, height, width), and the "
        f"input is {shape_text(numbers_in(m['shape']))}."
    )


SHAPES = (
    ErrorKind(
        r"mat1 and mat2 shapes cannot be multiplied \((?P<a>\d+)x(?P<b>\d+) and "
        r"(?P<c>\d+)x(?P<d>\d+)\)",
        _product,
        _fit_product,
    ),
    ErrorKind(
        r"expected input(?P<shape>\[[\d, ]+\]) to have (?P<want>\d+) channels, "
        r"but got (?P<got>\d+) channels",
        _channels,
        _fit_channels,
    ),
    ErrorKind(
        r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv\w+, but got input of size: "
        r"(?P<shape>\[[\d, ]+\])",
        _axes,
        lambda m, e: (
            "x = x.reshape(len(x), channels, height, width)  # of rows of pixels\n"
            "x = x.unsqueeze(1)  # of pictures without an axis of channels"
        ),
    ),
    ErrorKind(
        r"input\.size\(-1\) must be equal to input_size\. Expected (?P<want>\d+), got (?P<got>\d+)",
        lambda m, e: (
            f"{layer_with_inputs(e)}: it was made for {m['want']} numbers at each place, and gets "
            f"{m['got']}."
        ),
        lambda m, e: (
            f"nn.LSTM({m['got']}, hidden, batch_first=True)  # or exchange axes:\n"
            "x = x.transpose(1, 2)"
        ),
    ),
    ErrorKind(
        r"Expected hidden\[?0?\]? size \(?(?P<want>[\d, ]+)\)?, got \[(?P<got>[\d, ]+)\]",
        lambda m, e: (
            f"{layer_with_inputs(e)}: its state must be {shape_text(numbers_in(m['want']))}, and "
            f"is {shape_text(numbers_in(m['got']))}, as of a batch of another size."
        ),
        lambda m, e: (
            "state = torch.zeros(layers, len(x), hidden)  # of this batch\n"
            "loader = DataLoader(data, batch_size=64, drop_last=True)  # or batches of one size"
        ),
    ),
    ErrorKind(
        r"Given normalized_shape=(?P<want>\[[\d, ]+\]), expected input with shape .*"
        r"but got input of size(?P<got>\[[\d, ]+\])",
        lambda m, e: (
            f"{layer_with_inputs(e)}: it normalizes a last axis of "
            f"{shape_text(numbers_in(m['want']))} numbers."
        ),
        lambda m, e: f"nn.LayerNorm({numbers_in(m['got'])[-1]})",
    ),
    ErrorKind(
        r"running_mean should contain (?P<got>\d+) elements not (?P<want>\d+)",
        lambda m, e: f"{_made_for(m, e)}, and gets {m['got']}.",
        lambda m, e: f"nn.BatchNorm2d({m['got']})",
    ),
    ErrorKind(
        r"Expected more than 1 value per channel when training, got input size",
        lambda m, e: (
            f"{layer_with_inputs(e)}: batch normalization has no variance of one sample, such as "
            "a last batch that is left over."
        ),
        lambda m, e: "loader = DataLoader(data, batch_size=64, shuffle=True, drop_last=True)",
    ),
    ErrorKind(
        r"Sizes of tensors must match except in dimension (?P<axis>\d+)\. Expected size "
        r"(?P<want>\d+) but got size (?P<got>\d+)",
        lambda m, e: (
            f"Tensors are joined along axis {m['axis']}, and another axis has {m['want']} in one "
            f"and {m['got']} in the other, as after halving an odd size.{named_tensors(e)}"
        ),
        lambda m, e: (
            "x = nn.functional.interpolate(x, size=skip.shape[2:])  # before torch.cat\n"
            "# or inputs whose sizes are multiples of 2 ** (number of halvings)"
        ),
    ),
    ErrorKind(
        r"The size of tensor a \((?P<a>\d+)\) must match the size of tensor b \((?P<b>\d+)\) at "
        r"non-singleton dimension (?P<axis>\d+)",
        lambda m, e: (
            f"An operation pairs {m['a']} with {m['b']} numbers along axis {m['axis']}."
            + named_tensors(e)
        ),
        lambda m, e: "print(a.shape, b.shape)  # equal, or 1, from the last axis backwards",
    ),
    ErrorKind(
        r"shape '(?P<want>\[[-\d, ]+\])' is invalid for input of size (?P<got>\d+)",
        lambda m, e: (
            f"A tensor of {int(m['got']):,} numbers was asked to be of shape {m['want']}."
            + named_tensors(e)
        ),
        lambda m, e: "x = x.reshape(len(x), -1)  # one row for each sample, whatever its size",
    ),
    ErrorKind(
        r"view size is not compatible with input tensor's size and stride",
        lambda m, e: (
            "`view` needs numbers that lie in order; axes were exchanged before." + named_tensors(e)
        ),
        lambda m, e: "x = x.reshape(...)  # instead of x.view(...)",
    ),
    ErrorKind(
        r"stack expects each tensor to be equal size, but got (?P<a>\[[\d, ]*\]) at entry \d+ and "
        r"(?P<b>\[[\d, ]*\])",
        lambda m, e: (
            f"The samples of a batch have different shapes: {shape_text(numbers_in(m['a']))} and "
            f"{shape_text(numbers_in(m['b']))}."
        ),
        lambda m, e: (
            "loader = DataLoader(data, batch_size=64, collate_fn=lambda rows: "
            "nn.utils.rnn.pad_sequence(rows, batch_first=True))\n"
            "# pictures: transforms.Resize((height, width)) in the data set"
        ),
    ),
    ErrorKind(
        r"embed_dim must be divisible by num_heads",
        lambda m, e: "The width of the attention is no multiple of its number of heads.",
        lambda m, e: "nn.MultiheadAttention(64, 4)  # 64 / 4 is whole",
    ),
)
