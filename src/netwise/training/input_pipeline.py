"""From raw inputs, or inputs that were prepared already, to what a network takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict

import torch
from torch import Tensor

from netwise.data.dataset import Encoder, Samples, inputs_of
from netwise.data.encoding import encoder_from, takes_any_numbers
from netwise.data.lazy_rows import LazyRows, are_lazy, of_each_sample
from netwise.data.mapped_array import MappedRows, is_large_mapped
from netwise.data.preparation import preparation_of, unmarked
from netwise.errors import DataError, RunFolderError
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.schema import SchemaError
from netwise.storage.layout import WEIGHTS

ERRORS = "target.errors"  # absent where a run has none
ANSWERS = "target.answers"  # absent in runs of earlier versions


class Intake(TypedDict):
    """What `InputPipeline.plain` returns, as `netwise.schema` checks it."""

    encoder: dict[str, Any]
    task: str
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class InputPipeline:
    """From raw inputs to those of the network, and from its outputs to predictions.

    Args:
        encoder: from raw inputs to tensors.
        fitted: what each preprocessing step learned from the training part.
        task: of the samples, such as "classification".
        classes: names of the classes; empty for other tasks.
        target_mean, target_scale: of the training targets, for regression.
        errors: absolute errors of the trained network on the validation part `(samples, targets)`,
            for intervals; none before the end of a run.
        answers: what it answered to these samples; none in runs of earlier versions.
    """

    encoder: Encoder
    fitted: tuple[Fitted, ...]
    task: str
    classes: tuple[str, ...]
    target_mean: Tensor
    target_scale: Tensor
    errors: Tensor = field(default_factory=lambda: torch.zeros(0, 1, dtype=torch.float64))
    answers: Tensor = field(default_factory=lambda: torch.zeros(0, 1, dtype=torch.float64))

    @staticmethod
    def of(samples: Samples, fitted: tuple[Fitted, ...]) -> InputPipeline:
        """That of prepared samples."""
        return InputPipeline(
            samples.encoder,
            fitted,
            samples.task,
            samples.classes,
            samples.target_mean,
            samples.target_scale,
        )

    def prepared(self, raw: Any, steps: Sequence[Preprocess]) -> Tensor:
        """Inputs after encoding and after these preprocessing steps, as they were fitted.

        Inputs that were prepared already, as their type tells (`Samples` of `Data.load()` and
        their tensors), only go through the steps that are left.

        Raises:
            DataError: they were prepared by something else than this pipeline.
            RunFolderError: what a step was fitted to is missing, or is of other data.
        """
        x, left = self._encoded(raw, steps)
        for step, fitted in left:
            try:
                x = of_each_sample(partial(step.apply, fitted=fitted), x)
            except (LookupError, RuntimeError) as error:
                raise RunFolderError(
                    f"{WEIGHTS} is damaged: {type(step).__name__} cannot use what it was fitted to "
                    f"({type(error).__name__}: {str(error)[:200]}). Restore the file from a copy, "
                    "or train the recipe again"
                ) from error
        return x

    def _encoded(
        self, raw: Any, steps: Sequence[Preprocess]
    ) -> tuple[Tensor, list[tuple[Preprocess, Fitted]]]:
        """The inputs as they are after the encoder at least, and the steps that are left."""
        left = list(zip(steps, self.fitted, strict=True))
        raw = inputs_of(raw)
        done = preparation_of(raw)
        same = done is not None and done.encoder == self.encoder
        # Where an encoder changes nothing, encoded inputs are raw ones; a data set in memory may
        # be made of inputs that were encoded for another one.
        if done is None or (takes_any_numbers(self.encoder) and not (same and done.steps)):
            if are_lazy(raw):
                return of_each_sample(self.encoder.encode, unmarked(raw)), left
            if is_large_mapped(raw):
                return LazyRows.of(MappedRows(raw), steps=(self.encoder.encode,)), left
            return self.encoder.encode(raw), left
        if done.changed:
            raise DataError(
                "these inputs were computed from prepared ones, so that their units are unknown: "
                "pass np.array(x) if they are in the units of the raw data, or call run.module(x) "
                "if they are what the network takes"
            )
        if not same:
            raise DataError(
                "these inputs were encoded for other data than those of this run: pass them raw, "
                "or a part of run.recipe.data.load()"
            )
        x = unmarked(torch.as_tensor(raw))
        x = x.float() if x.dtype in (torch.float64, torch.float16) else x
        if not done.steps:
            return done.samples(x), left
        if done.steps != tuple(steps) or not _equal(done.fitted, self.fitted):
            raise DataError(
                "these inputs went through the preprocessing of another run: pass them raw, or a "
                "part of run.recipe.data.load()"
            )
        return done.samples(x), []

    def plain(self) -> dict[str, Any]:
        """Everything except the tensors, as values of a JSON file."""
        return {"encoder": self.encoder.plain(), "task": self.task, "classes": list(self.classes)}

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, by their names in a run folder."""
        fitted = {
            f"preprocess.{i}.{name}": value
            for i, step in enumerate(self.fitted)
            for name, value in step.items()
        }
        known = ((ERRORS, self.errors), (ANSWERS, self.answers))
        errors = {name: tensor for name, tensor in known if len(tensor)}
        targets = {"target.mean": self.target_mean, "target.scale": self.target_scale}
        return {**fitted, **targets, **errors}

    @staticmethod
    def read(plain: Intake, tensors: Mapping[str, Tensor], steps: int) -> InputPipeline:
        """From what `plain` and `tensors` gave; `steps` is the number of preprocessing steps."""
        fitted = [tensors_inside(tensors, f"preprocess.{i}.") for i in range(steps)]
        for name in ("target.mean", "target.scale"):
            if name not in tensors:
                raise SchemaError(name, "is missing")
        return InputPipeline(
            encoder_from(plain["encoder"]),
            tuple(fitted),
            plain["task"],
            plain["classes"],
            tensors["target.mean"],
            tensors["target.scale"],
            *(
                tensors.get(name, torch.zeros(0, 1, dtype=torch.float64))
                for name in (ERRORS, ANSWERS)
            ),
        )


def _equal(one: Sequence[Fitted], other: Sequence[Fitted]) -> bool:
    """Whether preprocessing steps were fitted to the same numbers."""
    return one is other or all(
        a.keys() == b.keys() and all(torch.equal(a[name].cpu(), b[name].cpu()) for name in a)
        for a, b in zip(one, other, strict=True)
    )


def tensors_inside(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
