"""A run: recipe, history and trained network, with the preparation of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from netwise.data.dataset import Data
from netwise.data.encoding import encoder_from
from netwise.data.preparation import Preparation, marked
from netwise.errors import RunFolderError
from netwise.history import History, TrialSource
from netwise.module_modes import evaluation_mode
from netwise.networks import Network
from netwise.networks.unsupervised import UnsupervisedModule
from netwise.printed_text import printable
from netwise.recipe.plain import plain_of
from netwise.recipe.recipe import Recipe
from netwise.recipe.user_code import user_code_in
from netwise.schema import typed
from netwise.scoring.conformal import LEVEL
from netwise.scoring.score import Score
from netwise.scoring.thresholds import Threshold
from netwise.storage.layout import ABOUT, WEIGHTS
from netwise.storage.run_folder import RunFolder
from netwise.tasks import task_named
from netwise.training.answers import Answers, class_answers, number_answers
from netwise.training.evaluate import outputs_of, reconstructions_of
from netwise.training.input_pipeline import InputPipeline, Intake, tensors_inside


@dataclass(frozen=True, eq=False)
class Run:
    """What `fit` returns.

    Args:
        recipe: what was trained.
        history: what was recorded, and how the run ended.
        module: the trained torch module; with its best weights, where the stopping rule keeps
            them.
        pipeline: from raw inputs to those of the module.
        score: on the test part, measured once, at the end; None where there is no test part or
            the run diverged.
        folder: where it is written, or None.
        trial_source: what `diagnose(run, trials=True)` runs short trials with; None for a run that
            was read from a folder.

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
    trial_source: TrialSource | None = field(default=None, repr=False)

    def __str__(self) -> str:
        network = type(self.recipe.network).__name__
        score = "no score" if self.score is None else f"test part: {self.score}"
        kept = "" if self.folder is None else f" Kept in {self.folder}."
        return printable(
            f"{network}: {self.history.ended.sentence} {score[0].upper()}{score[1:]}.{kept}"
        )

    def outputs(self, raw: Any) -> Tensor:
        """The network's outputs `(samples, outputs)` for inputs as `predict` takes them."""
        x = self._prepared(raw)
        return (
            outputs_of(self.module, x).cpu()
            if len(x)
            else torch.zeros(0, max(1, len(self.pipeline.classes)))
        )

    def codes(self, raw: Any) -> Tensor:
        """The codes `(samples, code)` of an autoencoder or an energy model, for inputs as `predict`
        takes them.

        Raises:
            TypeError: the network has no code.
        """
        if not isinstance(self.module, UnsupervisedModule):
            raise TypeError(
                f"{type(self.recipe.network).__name__} has no code: it is no autoencoder and no "
                "energy model. Use outputs(raw) for its outputs."
            )
        with evaluation_mode(self.module), torch.no_grad():
            return torch.cat(
                [self.module.encode(piece) for piece in self._prepared(raw).split(4096)]
            ).cpu()

    def prepared(self, raw: Any) -> Tensor:
        """Inputs after encoding and after the recipe's preprocessing, on the device of the module.
        Their type shows it: `predict` takes them too, and does not prepare them again."""
        x, encoder, fitted = self._prepared(raw), self.pipeline.encoder, self.pipeline.fitted
        shape = tuple(x.shape[1:])
        return marked(x, Preparation(encoder, shape, self.recipe.preprocess, fitted))

    def _prepared(self, raw: Any) -> Tensor:
        x = self.pipeline.prepared(raw, self.recipe.preprocess)
        return x.to(next((p.device for p in self.module.parameters()), torch.device("cpu")))

    def predict(self, raw: Any, *, threshold: Threshold | None = None) -> np.ndarray:
        """Class names `(samples,)`, or numbers in the units of the training targets.

        An autoencoder or an energy model gives its reconstructions `(samples, inputs)`, in the
        units after preprocessing. A memory gives what it recalls.

        Args:
            raw: inputs as the files of the data set have them: arrays in the same units and shapes
                (of one sample or many), or for tables a CSV file's path, a frame, a list of dicts,
                or rows in the order of columns. A part of the loaded data, such as
                `run.recipe.data.load().test`, is encoded already; its type shows it, and it is not
                encoded again.
            threshold: for classes: the probability from which a class is the answer, such as
                {"fraud": 0.2}, also where another class is likelier; a number alone is that of the
                second of two classes. Default None: the likeliest class.

        Raises:
            WrongValue, UnknownName: `threshold` is no probability, or names no class.
            DataError: `raw` does not have the shape or the columns of the training data, or was
                prepared for another run.

        Example:
            >>> import netwise as nw, numpy as np
            >>> run = nw.fit(nw.suggest(nw.data.digits(), epochs=5))
            >>> test = run.recipe.data.load().test
            >>> correct = run.predict(test) == np.array(run.pipeline.classes)[test.y]
            >>> bool(abs(correct.mean() - run.score.value) < 1e-9)
            True
        """
        return self.answers(raw, threshold=threshold).predictions

    def predict_interval(self, raw: Any, level: float = LEVEL) -> np.ndarray:
        """The ends of an interval around each predicted number, `(samples, 2)`, or
        `(samples, targets, 2)` of several targets.

        Split conformal prediction: of new samples from the same source, at least the share `level`
        has its true number in its interval, whatever the network has learned. The width follows
        from the errors on the validation part, which the run keeps: it is larger where errors are,
        if they follow from the predicted number (`interval_reach`). Where the validation part
        chose much (early stopping, a search), the intervals are slightly too narrow.

        Args:
            raw: inputs, as in `predict`.
            level: share of samples whose interval holds the true number. Default 0.95.

        Raises:
            TypeError: the run predicts no numbers.
            DataError: the validation part is too small for this level.

        Example:
            >>> import netwise as nw
            >>> run = nw.fit(nw.suggest(nw.data.diabetes(), epochs=20))
            >>> low, high = run.predict_interval(nw.data.diabetes().load().test).T
            >>> bool((low < high).all())
            True

        Source: Lei et al. 2018, Distribution-free predictive inference for regression.
        """
        if not task_named(self.pipeline.task).has_values:
            raise TypeError(
                f"predict_interval is for regression, and this run is {self.pipeline.task}: use "
                "predict_proba(raw) for the probability of each class"
            )
        answers = self.answers(raw, level=level)
        assert answers.reach is not None
        numbers, reach = answers.predictions, answers.reach
        reach = reach[:, 0] if numbers.ndim == 1 else reach
        ends: np.ndarray = np.stack([numbers - reach, numbers + reach], -1)
        return ends

    def answers(
        self, raw: Any, *, threshold: Threshold | None = None, level: float | None = None
    ) -> Answers:
        """What `predict`, `predict_proba` and `predict_interval` give, of one pass through the
        network.

        Args:
            raw: inputs, as in `predict`.
            threshold: as in `predict`.
            level: as in `predict_interval`; None: no intervals.
        """
        task = task_named(self.pipeline.task)
        if threshold is not None and not task.has_classes:
            raise TypeError(
                f"threshold is for classification, and this run is {self.pipeline.task}: leave it "
                "out"
            )
        if task.inputs_are_targets or task.is_density:
            return Answers(reconstructions_of(self.module, self._prepared(raw)).cpu().numpy())
        outputs = self.outputs(raw)
        if task.has_classes:
            return class_answers(outputs, self.pipeline, self.recipe.loss, threshold)
        return number_answers(outputs, self.pipeline, level)

    def predict_proba(self, raw: Any) -> np.ndarray:
        """Probabilities `(samples, classes)` of classification, in the order of
        `pipeline.classes`.

        Raises:
            TypeError: the run is a regression.
        """
        if not task_named(self.pipeline.task).has_classes:
            raise TypeError(
                f"predict_proba is for classification, and this run is {self.pipeline.task}: "
                "use predict(raw)"
            )
        probabilities = self.answers(raw).probabilities
        assert probabilities is not None
        return probabilities


def load(folder: str | Path, network: Network | None = None) -> Run:
    """A run from its folder, ready to predict. Nothing in the folder is executed.

    Args:
        folder: of a run that has ended.
        network: for a network of your own: the same `CustomNetwork(build)` again, since loading
            imports no code.

    Raises:
        RunFolderError: `folder` is no run folder, the run has not ended, a file is damaged, or the
            network is your own and was not passed.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "run"
        >>> run = nw.fit(nw.suggest(nw.data.iris(), epochs=2), folder=folder)
        >>> nw.load(folder).history.ended == run.history.ended
        True
    """
    store = RunFolder.open(folder)
    recipe, history = with_custom_network(store.recipe(), network, store.path), store.history()
    tensors = store.weights()
    with store.checked(ABOUT):
        intake: Intake = typed(Intake, store.about().get("intake"), "intake")
        encoder_from(intake["encoder"])
    with store.checked(WEIGHTS):
        pipeline = InputPipeline.read(intake, tensors, len(recipe.preprocess))
    module = build_module(recipe, module_weights(tensors), store.path)
    return Run(recipe, history, module, pipeline, read_score(store), store.path)


def read_score(store: RunFolder) -> Score | None:
    """The score of a run on its test part; None where there is none.

    Raises:
        RunFolderError: the file is damaged.
    """
    score = store.score()
    if score is None:
        return None
    with store.checked(ABOUT):
        fields = {name: value for name, value in score.items() if name != "sentence"}
        return cast(Score, typed(Score, fields, "score"))


def with_custom_network(recipe: Recipe, network: Network | None, folder: Path) -> Recipe:
    """The recipe with the user's own network, where it has one; files only have its name."""
    source = recipe.network.own_code
    if not source:
        return recipe
    if network is None:
        raise RunFolderError(
            f"{folder}: its network is your own code, {source}, and loading imports no code: "
            f"pass it, load(folder, network=CustomNetwork({source.split(':')[-1]}))"
        )
    if network.own_code != source:
        raise RunFolderError(
            f"{folder}: its network is {source}, not {network.own_code or network}. "
            f"Pass network=CustomNetwork({source.split(':')[-1]})"
        )
    return recipe.but(network=network)


def with_data_in_python(recipe: Recipe, data: Data | None, folder: Path) -> Recipe:
    """The recipe with data from an object in Python, where it has such; files only name its
    class."""
    if data is None:
        return recipe
    if plain_of(data) != plain_of(recipe.data):
        raise RunFolderError(
            f"{folder}: its data are {plain_of(recipe.data)}, and data is {plain_of(data)}: pass "
            "the same data with the same settings"
        )
    return recipe.but(data=data)


def require_no_foreign_code(recipe: Recipe, folder: Path) -> None:
    """Check that training a recipe from a file runs no code that only the file names, in the
    recipe of `init = From(recipe)`.

    Raises:
        RunFolderError: it would run such code.
    """
    names = user_code_in(recipe)
    if names:
        raise RunFolderError(
            f"{folder}: its first weights come from a recipe with a network of your own, "
            f"{', '.join(names)}, and reading a folder runs no code. Train that recipe first, and "
            "write init = From(FOLDER) with the folder of its run"
        )


def module_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the module among those of a run folder, by their names in the module."""
    return tensors_inside(tensors, "model.")


def build_module(
    recipe: Recipe, tensors: dict[str, Tensor], folder: Path | None = None
) -> nn.Module:
    """The recipe's module with these weights, in evaluation mode.

    Raises:
        RunFolderError: they are the weights of another network.
    """
    with torch.random.fork_rng():
        module = recipe.network.build()
    set_module_loss(module, recipe)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise RunFolderError(
            f"{folder}: its weights are not those of the network in its recipe "
            f"({str(error).splitlines()[-1].strip()}). Train the recipe again: netwise train "
            f"{folder}/recipe.toml"
        ) from None
    module.eval()
    return module


def set_module_loss(module: nn.Module, recipe: Recipe) -> None:
    """Give a new module the recipe's loss, where the module computes the loss itself. An energy
    model also registers the Markov chains of its negative phase, which are part of its state."""
    if isinstance(module, UnsupervisedModule):
        module.set_loss(recipe.loss)
