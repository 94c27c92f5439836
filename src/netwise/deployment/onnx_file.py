"""Files of ONNX: one graph from text and numbers to names of classes; its run by ONNX Runtime."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import torch

from netwise.deployment.answering import CLASS
from netwise.deployment.file_format import Answers, Feeds, FileContent, FileFormat, quiet, traced
from netwise.errors import DataError, MissingPackage

WORDS_DOMAIN, WORDS_VERSION = "ai.onnx.ml", 3  # of the operators that read and write text
MOST_BYTES = 2**31 - 2**20  # a protocol buffer has less than 2 GiB
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def require_onnx() -> None:
    """Check that the packages of this format can be imported.

    Raises:
        MissingPackage: one is not installed; the message has the command that installs it.
    """
    for package in PACKAGES:
        try:
            import_module(package)
        except ImportError as error:
            raise MissingPackage("an ONNX file", package, "onnx") from error


def onnx_bytes(program: FileContent) -> bytes:
    """The content of the ONNX file of a program.

    Raises:
        DataError: it would have more bytes than a file of this format may have.
    """
    from onnxscript import ir  # heavy

    size = sum(
        each.numel() * each.element_size()
        for each in (*program.module.parameters(), *program.module.buffers())
    )
    if size > MOST_BYTES:
        raise DataError(
            f"the weights have {size:,} bytes, and an ONNX file has at most {MOST_BYTES:,}: write "
            "a .pt2 file"
        )
    with quiet():
        exported = traced(program.module, program.inputs, program.examples)
        model: Any = torch.onnx.export(exported, (), dynamo=True, verbose=False).model  # type: ignore[union-attr]
    _free_names(model.graph, {each.name for each in program.inputs} | set(program.output_names))
    model.opset_imports[WORDS_DOMAIN] = WORDS_VERSION
    _name_outputs(ir, model, program)
    _name_inputs(ir, model, program)
    model.producer_name = "netwise"
    model.metadata_props.update(program.about)
    content: bytes = ir.to_proto(model).SerializeToString()
    return content


def _free_names(graph: Any, taken: set[str]) -> None:
    """Rename the values of the graph that have one of these names."""
    for value in list(graph.initializers.values()):
        if value.name in taken:
            del graph.initializers[value.name]
            value.name = f"netwise.{value.name}"
            graph.initializers[value.name] = value
    for value in [*graph.inputs, *(output for node in graph for output in node.outputs)]:
        if value.name in taken or value in graph.outputs:
            value.name = f"netwise.{value.name}"


def _name_inputs(ir: Any, model: Any, program: FileContent) -> None:
    """Give the inputs of the graph their names; those of words take text."""
    graph = model.graph
    for i, (inner, each) in enumerate(zip(list(graph.inputs), program.inputs, strict=True)):
        if each.codes is None:
            inner.name = each.name
            continue
        text = ir.Value(name=each.name, shape=inner.shape, type=ir.TensorType(ir.DataType.STRING))
        codes = ir.node(
            "LabelEncoder",
            [text],
            {
                "keys_strings": list(each.codes),
                "values_int64s": list(each.codes.values()),
                "default_int64": each.unknown,
            },
            domain=WORDS_DOMAIN,
        )
        looked_up = codes.outputs[0]
        looked_up.name, looked_up.shape, looked_up.type = inner.name, inner.shape, inner.type
        inner.replace_all_uses_with(looked_up)
        graph.inputs[i] = text
        graph.insert_before(graph[0], codes)


def _name_outputs(ir: Any, model: Any, program: FileContent) -> None:
    """Give the outputs of the graph their names; that of classes becomes text."""
    graph = model.graph
    names = zip(program.outputs, program.output_names, strict=True)
    for i, (inner, (output, name)) in enumerate(zip(list(graph.outputs), names, strict=True)):
        if output != CLASS:
            inner.name = name
            continue
        texts = ir.node(
            "LabelEncoder",
            [inner],
            {
                "keys_int64s": list(range(len(program.classes))),
                "values_strings": list(program.classes),
            },
            domain=WORDS_DOMAIN,
        )
        graph.append(texts)
        texts.outputs[0].name, texts.outputs[0].shape = name, inner.shape
        texts.outputs[0].type = ir.TensorType(ir.DataType.STRING)
        graph.outputs[i] = texts.outputs[0]


def onnx_answers(content: bytes, feeds: Feeds) -> Answers:
    """What ONNX Runtime answers with this file."""
    import onnxruntime  # heavy

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    answers = session.run(names, dict(feeds))
    return {name: np.asarray(answer) for name, answer in zip(names, answers, strict=True)}


ONNX = FileFormat(".onnx", True, require_onnx, onnx_bytes, onnx_answers)
