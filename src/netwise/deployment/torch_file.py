"""Files of `torch.export`, and their run by torch."""

from __future__ import annotations

import io

import torch

from netwise.deployment.file_format import Answers, Feeds, FileContent, FileFormat, traced


def torch_bytes(program: FileContent) -> bytes:
    """The content of the .pt2 file of a program."""
    file = io.BytesIO()
    exported = traced(program.module, program.inputs, program.examples)
    torch.export.save(exported, file, extra_files=dict(program.about))
    return file.getvalue()


def torch_answers(content: bytes, feeds: Feeds) -> Answers:
    """What torch answers with this file."""
    module = torch.export.load(io.BytesIO(content)).module()
    with torch.no_grad():
        answers = module(*(torch.from_numpy(each) for each in feeds.values()))
    if not isinstance(answers, dict):  # of one stage
        answers = {"x": answers}
    return {name: answer.numpy() for name, answer in answers.items()}


TORCH = FileFormat(".pt2", False, lambda: None, torch_bytes, torch_answers)
