"""Errors of backward passes: a loss without a graph, a graph that is gone, values that changed."""

from __future__ import annotations

import re

from netwise.diagnosis.error_kinds.kind import ErrorKind, named_tensors, numbers_in, shape_text
from netwise.program_error import ProgramError

# What torch names a weight, or its transpose, in a message about a changed value.
OF_WEIGHTS = ("AsStrided", "AsStridedBackward0", "TBackward0")


def _no_graph(m: re.Match[str], e: ProgramError) -> str:
    if e.frozen and not e.trainable:
        return (
            f"No weight requires a gradient: all {e.frozen:,} of the model have "
            "`requires_grad=False`, so the loss has no graph."
        )
    where = f" {e.cuts[-1]}." if e.cuts else ""
    if e.outputs_have_graph:
        return f"The loss is computed from values that no graph leads to.{where}"
    if e.cuts and "grad" in e.cuts[-1]:
        return f"The forward pass ran without a graph:{where}"
    return f"No graph leads from the loss to a weight.{where}"


def _connect(m: re.Match[str], e: ProgramError) -> str:
    if e.frozen and not e.trainable:
        return "for parameter in model.parameters():\n    parameter.requires_grad_(True)"
    if e.cuts and "grad" in e.cuts[-1]:
        place = e.cuts[-1].partition(": ")[0]
        return (
            f"# {place}: only evaluation belongs into this block; in training\n"
            "output = model(x)  # outside of it"
        )
    where = e.cuts[-1] if e.cuts else "between the model and the loss"
    return (
        f"# {where}: leave out .detach(), .item(), .numpy(), .argmax(), torch.tensor(...)\n"
        "loss = criterion(model(x), y)  # of the outputs themselves"
    )


def _changed_in_place(m: re.Match[str], e: ProgramError) -> str:
    shape = shape_text(numbers_in(m["shape"]))
    of_weights = m["op"] in OF_WEIGHTS or not m["op"]
    return (
        f"A weight of shape {shape} was changed between the forward and the backward pass: by an "
        "optimizer's step, or by code that writes into it."
        if of_weights
        else f"The result of {m['op'].removesuffix('Backward0')} of shape {shape} was changed in "
        "place after the forward pass had kept it for the backward pass."
    )


def _not_in_place(m: re.Match[str], e: ProgramError) -> str:
    if m["op"] in OF_WEIGHTS or not m["op"]:
        return (
            "# all backward passes of a graph before the first step that changes its weights\n"
            "loss_a.backward()\nloss_b.backward()\noptimizer_a.step()\noptimizer_b.step()"
        )
    return (
        "x = x + y  # instead of x += y\n"
        "x = torch.where(mask, value, x)  # instead of x[mask] = value\n"
        "nn.ReLU()  # instead of nn.ReLU(inplace=True)"
    )


GRAPHS = (
    ErrorKind(
        r"element \d+ of tensors does not require grad and does not have a grad_fn",
        _no_graph,
        _connect,
        is_cut=True,
    ),
    ErrorKind(
        r"Trying to backward through the graph a second time",
        lambda m, e: (
            "The graph of an earlier backward pass is needed again: a state, a sum of losses or an "
            "output was carried over from the step before, or one loss goes backwards twice."
        ),
        lambda m, e: (
            "state = state.detach()  # at the beginning of each step, for what is carried over\n"
            "total += loss.item()  # a sum of losses for printing keeps no graph\n"
            "(loss_a + loss_b).backward()  # two losses of one graph: once"
        ),
    ),
    ErrorKind(
        r"modified by an inplace operation: \[\S+ (?P<shape>\[[\d, ]*\])\]"
        r"(?:, which is output \d+ of (?P<op>\w+))?",
        _changed_in_place,
        _not_in_place,
    ),
    ErrorKind(
        r"grad can be implicitly created only for scalar outputs",
        lambda m, e: (
            "`backward` was called on a tensor of several numbers; a loss is one."
            + named_tensors(e)
        ),
        lambda m, e: "loss.mean().backward()  # or a loss without reduction='none'",
    ),
    ErrorKind(
        r"leaf Variable that requires grad is being used in an in-place operation",
        lambda m, e: "A weight is written to while its operations are recorded for gradients.",
        lambda m, e: "with torch.no_grad():\n    weight -= rate * weight.grad",
    ),
    ErrorKind(
        r"Can't call numpy\(\) on Tensor that requires grad",
        lambda m, e: "A tensor with a graph was made an array." + named_tensors(e),
        lambda m, e: "array = tensor.detach().cpu().numpy()  # for printing and scores only",
    ),
    ErrorKind(
        r"Only Tensors created explicitly by the user .* support the deepcopy protocol",
        lambda m, e: "A tensor with a graph was copied with `copy.deepcopy`.",
        lambda m, e: "saved = {k: v.detach().clone() for k, v in model.state_dict().items()}",
    ),
    ErrorKind(
        r"Only Tensors of floating point and complex dtype can require gradients",
        lambda m, e: "A tensor of whole numbers was asked for a gradient.",
        lambda m, e: "weight = nn.Parameter(torch.zeros(n))  # floating point",
    ),
    ErrorKind(
        r"cudnn RNN backward can only be called in training mode",
        lambda m, e: "A recurrent layer was in evaluation mode in the forward pass of a step.",
        lambda m, e: "model.train()  # before the training steps of each epoch",
    ),
    ErrorKind(
        r"One of the differentiated Tensors appears to not have been used in the graph",
        lambda m, e: "A gradient was asked for a tensor that the loss does not depend on.",
        lambda m, e: "grads = torch.autograd.grad(loss, weights, allow_unused=True)",
    ),
    ErrorKind(
        r"No inf checks were recorded for this optimizer",
        lambda m, e: "`scaler.step` was called for an optimizer whose weights got no gradient.",
        lambda m, e: "scaler.scale(loss).backward()\nscaler.step(optimizer)\nscaler.update()",
    ),
)
