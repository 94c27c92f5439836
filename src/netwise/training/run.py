"""A run: the recipe, what was heard of it, and the network it left, with all that its inputs
need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwise.data.dataset import Encoder, Samples
from netwise.data.encoding import encoder_from
from netwise.errors import RunFolderError
from netwise.history import History, history_from_dict
from netwise.module_modes import evaluation_mode
from netwise.networks import Network
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.recipe.recipe import Recipe
from netwise.recipe.user_code import user_code_in
from netwise.storage.run_folder import RunFolder
from netwise.tasks import task_named
from netwise.training.evaluate import Score, outputs_of, reconstructions_of


@dataclass(frozen=True, eq=False)
class InputPipeline:
    """How raw inputs become what the network takes, and its outputs what a user asked for.

    Args:
        encoder: from raw inputs to tensors.
        fitted: what each preprocessing step learned from the training part.
        task, classes: "classification" with the names, or "regression".
        target_mean, target_scale: of the training targets, for regression.
    """

    encoder: Encoder
    fitted: tuple[Fitted, ...]
    task: str
    classes: tuple[str, ...]
    target_mean: Tensor
    target_scale: Tensor

    @staticmethod
    def of(samples: Samples, fitted: tuple[Fitted, ...]) -> InputPipeline:
        return InputPipeline(
            samples.encoder,
            fitted,
            samples.task,
            samples.classes,
            samples.target_mean,
            samples.target_scale,
        )

    def prepared(self, raw: Any, steps: Sequence[Preprocess]) -> Tensor:
        """Raw inputs, encoded and after these preprocessing steps as they were fitted."""
        x = self.encoder.encode(raw)
        for step, fitted in zip(steps, self.fitted, strict=True):
            x = step.apply(x, fitted)
        return x

    def plain(self) -> dict[str, Any]:
        return {"encoder": self.encoder.plain(), "task": self.task, "classes": list(self.classes)}

    def tensors(self) -> dict[str, Tensor]:
        found = {
            f"preprocess.{i}.{name}": value
            for i, step in enumerate(self.fitted)
            for name, value in step.items()
        }
        return {**found, "target.mean": self.target_mean, "target.scale": self.target_scale}

    @staticmethod
    def read(plain: Mapping[str, Any], tensors: Mapping[str, Tensor], steps: int) -> InputPipeline:
        fitted: list[Fitted] = [{} for _ in range(steps)]
        for key, value in tensors.items():
            if key.startswith("preprocess."):
                _, number, name = key.split(".", 2)
                fitted[int(number)][name] = value
        return InputPipeline(
            encoder_from(plain["encoder"]),
            tuple(fitted),
            plain["task"],
            tuple(plain["classes"]),
            tensors["target.mean"],
            tensors["target.scale"],
        )


@dataclass(frozen=True, eq=False)
class Run:
    """What `fit` gives back.

    Args:
        recipe: what was asked for.
        history: what was heard, and how it ended.
        module: the trained torch module, as the run ended (its best weights, where the stopping
            rule keeps them).
        pipeline: how raw inputs become what the module takes.
        score: on the test part, touched once, at the end; None where there is none or the run
            diverged.
        folder: where it is kept, or None.

    Example:
        >>> import netwise as nw
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=30))
        >>> run.predict([[5.1, 3.5, 1.4, 0.2]])
        array(['setosa'], dtype='<U10')
    """

    recipe: Recipe
    history: History
    module: nn.Module = field(repr=False)
    pipeline: InputPipeline = field(repr=False)
    score: Score | None = None
    folder: Path | None = None

    def outputs(self, raw: Any) -> Tensor:
        """The network's outputs `(samples, outputs)` for raw inputs, as a user has them: see
        `predict`."""
        x = self.prepared(raw)
        return (
            outputs_of(self.module, x).cpu()
            if len(x)
            else torch.zeros(0, max(1, len(self.pipeline.classes)))
        )

    def codes(self, raw: Any) -> Tensor:
        """What an autoencoder, a machine or a stack makes of raw inputs, `(samples, code)`.

        Raises:
            TypeError: the network has no code.
        """
        if not isinstance(self.module, UnsupervisedModule):
            raise TypeError(
                f"{type(self.recipe.network).__name__} has no code: it is no autoencoder and no energy model"
            )
        with evaluation_mode(self.module), torch.no_grad():
            return torch.cat(
                [self.module.encode(piece) for piece in self.prepared(raw).split(4096)]
            ).cpu()

    def prepared(self, raw: Any) -> Tensor:
        """Raw inputs as the module takes them: encoded, and after the recipe's preprocessing."""
        x = self.pipeline.prepared(raw, self.recipe.preprocess)
        return x.to(next((p.device for p in self.module.parameters()), torch.device("cpu")))

    def predict(self, raw: Any) -> np.ndarray:
        """Class names `(samples,)`, or numbers in the units of the training targets.

        Where the inputs themselves were learned: what the network gives back of them `(samples,
        inputs)`, as it takes them, after preprocessing. A memory gives what it recalls.

        Args:
            raw: inputs as they were given to the data: arrays in the same units and shapes (of one
                sample or many), or for tables a CSV file's path, a frame, a list of dicts, or rows
                in the order of columns.

        Raises:
            DataError: raw inputs that do not have the shape or the columns of the training data.
        """
        task = task_named(self.pipeline.task)
        if task.inputs_are_targets or task.is_density:
            back: np.ndarray = reconstructions_of(self.module, self.prepared(raw)).cpu().numpy()
            return back
        outputs = self.outputs(raw)
        if task.has_classes:
            names = np.array(self.pipeline.classes)
            chosen: np.ndarray = names[outputs[:, : len(names)].argmax(1).numpy()]
            return chosen
        values = outputs * self.pipeline.target_scale + self.pipeline.target_mean
        answer: np.ndarray = values.numpy()
        return answer[:, 0] if answer.shape[1] == 1 else answer

    def predict_proba(self, raw: Any) -> np.ndarray:
        """Probabilities `(samples, classes)` in the order of `pipeline.classes`; for classification.

        Raises:
            TypeError: the run is a regression.
        """
        if not task_named(self.pipeline.task).has_classes:
            raise TypeError(
                "predict_proba is for classes, and this run learned numbers: use predict"
            )
        probabilities: np.ndarray = self.recipe.loss.probabilities(self.outputs(raw)).numpy()
        return probabilities


def load(folder: str | Path, network: Network | None = None) -> Run:
    """A run from its folder, ready to predict. Nothing in the folder is executed.

    Args:
        folder: of a run that has ended.
        network: for a network of one's own: the same `CustomNetwork(build)` again, since loading imports no
            code.

    Raises:
        RunFolderError: no run folder, a run that has not ended, damage, or an own network that was
            not given.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=folder)
        >>> nw.load(folder).history.ended == run.history.ended
        True
    """
    store = RunFolder.open(folder)
    recipe, about = store.recipe(), store.about()
    recipe = with_custom_network(recipe, network, store.path)
    tensors = store.weights()
    pipeline = InputPipeline.read(about["intake"], tensors, len(recipe.preprocess))
    module = build_module(recipe, module_weights(tensors), store.path)
    score = (
        Score(**{k: v for k, v in about["score"].items() if k != "sentence"})
        if about.get("score")
        else None
    )
    return Run(recipe, history_from_dict(about, store.rows()), module, pipeline, score, store.path)


def with_custom_network(recipe: Recipe, network: Network | None, folder: Path) -> Recipe:
    """The recipe with the user's own network handed over, where it has one."""
    source = recipe.network.own_code
    if not source:
        return recipe
    if network is None:
        raise RunFolderError(
            f"{folder}: its network is code of the user's own, {source}, and loading imports no code: "
            f"hand it over, load(folder, network=CustomNetwork({source.split(':')[-1]}))"
        )
    if network.own_code != source:
        raise RunFolderError(
            f"{folder}: its network is {source}, not {network.own_code or network}"
        )
    return recipe.but(network=network)


def require_no_foreign_code(recipe: Recipe, folder: Path) -> None:
    """What begins anew from a folder must not train its start by code that a file names.

    Raises:
        RunFolderError: it would.
    """
    named = user_code_in(recipe)
    if named:
        told = "and reading runs no code: train that recipe first, and name its folder in the place of it, init=From(folder)"
        raise RunFolderError(
            f"{folder}: its start is trained by a network of the user's own, {', '.join(named)}, {told}"
        )


def module_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of a run folder's tensors that are the module's own, by its names."""
    return {
        name.removeprefix("model."): value
        for name, value in tensors.items()
        if name.startswith("model.")
    }


def build_module(
    recipe: Recipe, tensors: dict[str, Tensor], folder: Path | None = None
) -> nn.Module:
    """The recipe's module with these weights."""
    with torch.random.fork_rng():
        module = recipe.network.build()
    set_module_loss(module, recipe)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise RunFolderError(
            f"{folder}: the weights are not those of the recipe's network: {str(error).splitlines()[-1].strip()}"
        ) from None
    module.eval()
    return module


def set_module_loss(module: nn.Module, recipe: Recipe) -> None:
    """Tell the fresh module the recipe's loss, where it counts its own: of an energy model the
    phase, whose memory is part of its state."""
    if isinstance(module, UnsupervisedModule):
        module.set_loss(recipe.loss)
