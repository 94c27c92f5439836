"""A run as one torch module: from raw numbers to answers, as a file computes them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from netwise.data.dataset import Encoder
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.losses import Loss
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.tasks import task_named
from netwise.training.run import Run

# Names of the outputs. `CLASS` is a number; a file that can write text gives the name as well.
CLASS, PROBABILITIES, PREDICTION = "class", "probabilities", "prediction"
RECONSTRUCTION, CODE = "reconstruction", "code"


class EncoderStage(nn.Module):
    """The second half of an encoder: `Encoder.computed`."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, *numbers: Tensor) -> Tensor:
        return self.encoder.computed(numbers)


class PreprocessStage(nn.Module):
    """One step of preprocessing, with what it was fitted to as buffers."""

    def __init__(self, step: Preprocess, fitted: Fitted) -> None:
        super().__init__()
        self.step, self.names = step, tuple(fitted)
        for name, value in fitted.items():
            self.register_buffer(name, value.clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.step.traced(x, {name: self.get_buffer(name) for name in self.names})


class AnswerStage(nn.Module):
    """The network, and its outputs as answers: what `Run.predict` and `Run.predict_proba` give,
    without the names of classes."""

    def __init__(
        self, module: nn.Module, task: str, classes: int, loss: Loss, mean: Tensor, scale: Tensor
    ) -> None:
        super().__init__()
        self.module, self.task, self.classes, self.loss = module, task_named(task), classes, loss
        self.register_buffer("target_mean", mean.clone())
        self.register_buffer("target_scale", scale.clone())

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        module: Any = self.module
        if self.task.inputs_are_targets or self.task.is_density:
            assert isinstance(module, UnsupervisedModule)
            answers = {RECONSTRUCTION: module.reconstruct(x)}
            return {**answers, CODE: module.encode(x)} if module.has_code else answers
        outputs: Tensor = module(x)
        if self.task.has_classes:
            chosen = outputs[:, : self.classes].argmax(1)
            return {CLASS: chosen, PROBABILITIES: self.loss.probabilities(outputs)}
        values = outputs * self.get_buffer("target_scale") + self.get_buffer("target_mean")
        return {PREDICTION: values[:, 0] if values.shape[1] == 1 else values}


class Answering(nn.Module):
    """Stages one after the other; the first one takes all inputs."""

    def __init__(self, stages: Sequence[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, *inputs: Tensor) -> Any:
        first, *rest = self.stages
        x = first(*inputs)
        for stage in rest:
            x = stage(x)
        return x


def stages_of(run: Run) -> Mapping[str, nn.Module]:
    """The stages of a run on the CPU, in their order, by names that messages use."""
    pipeline = run.pipeline
    stages: dict[str, nn.Module] = {"the encoder of the data": EncoderStage(pipeline.encoder)}
    pairs = zip(run.recipe.preprocess, pipeline.fitted, strict=True)
    for i, (step, fitted) in enumerate(pairs):
        stages[f"preprocess[{i}] {type(step).__name__}"] = PreprocessStage(step, fitted)
    module = copy.deepcopy(run.module).cpu().eval()
    if isinstance(module, UnsupervisedModule):
        module.fix_stage()
    stages[f"the network {type(run.recipe.network).__name__}"] = AnswerStage(
        module,
        pipeline.task,
        len(pipeline.classes),
        run.recipe.loss,
        pipeline.target_mean.cpu(),
        pipeline.target_scale.cpu(),
    )
    return {name: stage.eval().requires_grad_(False) for name, stage in stages.items()}
