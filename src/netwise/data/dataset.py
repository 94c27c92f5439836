"""What all data sets have: a value that describes them, three parts of samples, and a split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from netwise.data.columns.number_column import centre_and_scale
from netwise.data.content import FileKey, files_key
from netwise.data.lazy_rows import on_device
from netwise.data.preparation import Preparation, marked, unmarked
from netwise.data.raw_inputs import RawInput
from netwise.data.splitting import TIME, SplitKey, cut_by_class, cut_by_group, cut_by_time
from netwise.data.summary.data_summary import DataSummary
from netwise.data.summary.samples_summary import LoadedParts, summary_of_samples
from netwise.errors import DataError, Problem, interface_error
from netwise.file_errors import file_errors
from netwise.part import Part, flag, integer, number
from netwise.parts.preprocess import Fitted, Preprocess
from netwise.tasks import task_named


class Encoder(Protocol):
    """From raw inputs (rows of a table, pixels of 0 to 255) to the tensors that a network
    takes, in two halves: `encode(raw)` is `computed(numbers(raw))`, with checks of the values."""

    def encode(self, raw: Any) -> Tensor:
        """float32 inputs (samples, ...)."""

    def raw_inputs(self) -> tuple[RawInput, ...]:
        """What `numbers` gives one tensor for."""

    def numbers(self, raw: Any) -> tuple[Tensor, ...]:
        """Raw inputs as plain numbers: texts are read, words become codes."""

    def words(self, raw: Any) -> dict[str, np.ndarray]:
        """Raw inputs as text, for those of `raw_inputs` that have codes."""

    def raw(self, x: Tensor) -> Any:
        """Raw inputs whose encoding is `x`."""

    def computed(self, numbers: Sequence[Tensor]) -> Tensor:
        """The inputs of the network of what `numbers` gave. Torch operations alone, none of which
        depends on a value, so that an exported file has them too."""

    def plain(self) -> dict[str, Any]:
        """Everything that was fitted, as values of a JSON file: `encoder_from` reads it."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Inputs and targets of one part.

    Args:
        x: float32 (samples, ...), or int64 indices into an alphabet.
        y: int64 (samples,) or float32 (samples, outputs).
        weight: of each sample in the loss, float32 (samples,); None: all are equal.
        key: int64 (samples,): the group of each sample, or its place in time, where the data are
            split by that (`Samples.split_by`); None: they are drawn one by one.
    """

    x: Tensor
    y: Tensor
    weight: Tensor | None = None
    key: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def rows(self, rows: np.ndarray) -> Pairs:
        """The samples with these numbers."""
        index = torch.from_numpy(rows)
        weight = None if self.weight is None else self.weight[index]
        key = None if self.key is None else self.key[index]
        return Pairs(self.x[index], self.y[index], weight, key)

    def to(self, device: torch.device) -> Pairs:
        """The same on another device."""
        weight = None if self.weight is None else self.weight.to(device)
        return Pairs(on_device(self.x, torch.device(device)), self.y.to(device), weight)


@dataclass(frozen=True, eq=False)
class Samples:
    """Data, loaded and split.

    Args:
        train, valid, test: the three parts; valid and test may be empty.
        task: "classification" or "regression".
        classes: names of the classes in the order of their numbers; empty for regression.
        encoder: from raw inputs to tensors; saved with the network.
        fingerprint: changes when the content does.
        target_mean, target_scale: of the training targets, for regression: y is (raw - mean) /
            scale.
        in_order: training rows follow each other, as pieces of one text; batches keep their order.
        split_by: "group" or "time" where no group is in two parts, or where the parts follow each
            other in time; folds keep to it. "": rows are drawn one by one.
        notes: sentences on how the data were read: what is used, what is left out, and why.
    """

    train: Pairs
    valid: Pairs
    test: Pairs
    task: str
    classes: tuple[str, ...]
    encoder: Encoder
    fingerprint: str
    target_mean: Tensor = field(default_factory=lambda: torch.zeros(1))
    target_scale: Tensor = field(default_factory=lambda: torch.ones(1))
    in_order: bool = False
    split_by: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.x.shape[1:])

    @property
    def outputs(self) -> int:
        """Outputs that a network needs: one for each class, or for each target."""
        return len(self.classes) if task_named(self.task).has_classes else self.train.y.shape[1]

    def marked(
        self, steps: tuple[Preprocess, ...] = (), fitted: tuple[Fitted, ...] = ()
    ) -> Samples:
        """The same samples. The type of their inputs shows that they went through the encoder, and
        then through these preprocessing steps."""
        mark = Preparation(self.encoder, self.shape, steps, fitted)
        return self._with_inputs(lambda x: marked(x, mark))

    def unmarked(self) -> Samples:
        """The same samples with plain tensors, as training takes them."""
        return self._with_inputs(unmarked)

    def _with_inputs(self, change: Callable[[Tensor], Tensor]) -> Samples:
        parts = {name: getattr(self, name) for name in ("train", "valid", "test")}
        return replace(self, **{n: replace(part, x=change(part.x)) for n, part in parts.items()})


class Data(Part):
    """The description of a data set; `load` gives its samples. Equal values give equal samples.

    Example:
        >>> import netwise as nw
        >>> samples = nw.data.digits().load()
        >>> len(samples.train), len(samples.valid), len(samples.test)
        (1078, 359, 360)
    """

    family_name: ClassVar[str] = "data set"
    brings_test_part: ClassVar[bool] = False  # its files have one, so that none is split off

    def load(self) -> Samples:
        """The samples. They stay in memory for the next call with an equal value, as long as the
        files of the data do not change.

        Their inputs are encoded: pixels from 0 to 1, a number for each word of a table. Their type
        shows it, so that `run.predict(data.load().test)` does not encode them again.
        """
        provider = data_provider()
        shared = None if provider is None else provider.loaded(self)
        if shared is not None:
            return shared.marked()
        with file_errors(getattr(self.innermost, "path", "")):
            return _read_once(self, files_key(self.files()))

    def files(self) -> Sequence[Path]:
        """The files that the data are read from, whether they exist or not; none by default."""
        return ()

    @property
    def title(self) -> str:
        """What the data are called: the name of their file or folder, or their kind."""
        path = getattr(self.innermost, "path", "")
        return Path(path).name if isinstance(path, str) and path else self.innermost.kind

    def split_sentence(self, has_classes: bool) -> str:
        """How the parts are chosen, as a sentence without its full stop; "" where not known."""
        return ""

    def summary(self) -> DataSummary:
        """What the data hold: columns, target, parts, repeated rows, and what to look at before
        training. Printed by `netwise data`.

        Raises:
            DataMissing, DataError: the data cannot be read.

        Example:
            >>> import netwise as nw
            >>> print(nw.data.iris().summary())
            iris: 150 samples of 4 numbers.
            ...
            Parts: 90 rows to train on, 30 to validate on, 30 for the test; drawn at random...
        """
        return _summary_once(self, files_key(self.files()))

    def new_summary(self) -> DataSummary:
        """The summary, without any cache."""
        samples = self.load().unmarked()
        parts = (samples.train, samples.valid, samples.test)
        loaded = LoadedParts(
            [part.x for part in parts],
            [part.y for part in parts],
            samples.task,
            samples.classes,
            samples.target_mean,
            samples.target_scale,
            samples.split_by,
            samples.notes,
        )
        sentence = self.split_sentence(task_named(samples.task).has_classes)
        return summary_of_samples(self.title, loaded, sentence)

    @property
    def made_in_python(self) -> str:
        """The class of the object in Python that the data come from, as "module:name"; "" where a
        file can hold all that they are made of."""
        return ""

    @property
    def innermost(self) -> Data:
        """The data behind all views; other data are their own."""
        return self

    def raw_rows(self, count: int) -> Any:
        """At most `count` raw inputs, spread over the training part, as `Run.predict` takes
        them."""
        samples = self.load()
        rows = np.linspace(0, len(samples.train) - 1, min(count, len(samples.train)))
        return samples.encoder.raw(unmarked(samples.train.x[rows.astype(np.int64)]))

    def without_arrays(self) -> Data:
        """The same data for a worker that finds the samples elsewhere: arrays in memory are
        replaced by their digest. Data without arrays are returned as they are."""
        return self

    def read(self) -> Samples:
        """The samples, without any cache."""
        raise interface_error(self, "data.digits()")

    def refitted(self, train: np.ndarray, valid: np.ndarray) -> Samples | None:
        """The samples with another training and validation part, and with all that is fitted to a
        training part (encoder, scale of the targets) fitted to this one.

        Args:
            train, valid: places of their samples in the two parts of `load`, joined.

        Returns:
            None where nothing is fitted to rows.
        """
        return None


@lru_cache(maxsize=8)
def _read_once(data: Data, content: tuple[FileKey, ...]) -> Samples:
    return data.read().marked()


@lru_cache(maxsize=8)
def _summary_once(data: Data, content: tuple[FileKey, ...]) -> DataSummary:
    return data.new_summary()


class DataProvider(Protocol):
    """Gives a worker process the data that another process has read."""

    def loaded(self, data: Data) -> Samples | None:
        """The samples of `data`, or None where they are not provided."""

    def preprocessed(
        self, data: Data, steps: tuple[Preprocess, ...]
    ) -> tuple[Samples, tuple[Fitted, ...]] | None:
        """The samples after these steps, and what the steps were fitted to; None where they are not
        provided."""


_PROVIDER: ContextVar[DataProvider | None] = ContextVar("data_provider", default=None)


def data_provider() -> DataProvider | None:
    """The provider of this context, or None."""
    return _PROVIDER.get()


@contextmanager
def provide_data(provider: DataProvider) -> Iterator[None]:
    """Inside, `Data.load` and preprocessing use what `provider` has."""
    token = _PROVIDER.set(provider)
    try:
        yield
    finally:
        _PROVIDER.reset(token)


def inputs_of(inputs: Any) -> Any:
    """The inputs of a part of samples; any other inputs as they are.

    Raises:
        DataError: they are a whole data set, of which a part has to be named.
    """
    if isinstance(inputs, Samples | Data):
        part = "data.load().test" if isinstance(inputs, Data) else "samples.test"
        raise DataError(
            f"{type(inputs).__name__} has several parts of samples: pass one of them, {part}"
        )
    if isinstance(inputs, torch.utils.data.Dataset | torch.utils.data.DataLoader):
        raise DataError(
            f"{type(inputs).__name__} gives samples one by one: pass "
            "data.stream(it, valid=0.0, test=0.0).load().train for all of them"
        )
    return inputs.x if isinstance(inputs, Pairs) else inputs


SHARE = "it is a share of the samples"


@dataclass(frozen=True, kw_only=True)
class Split(Data):
    """Data that netwise splits: stratified by class, with a seed of their own. Tables and arrays
    can be split by group or by time too, or bring parts of their own.

    Args:
        valid: share of all samples to validate on, from 0 to below 1. Default 0.2.
        test: share of all samples kept for the final score, from 0 to below 1. Default 0.2.
        split_seed: of the split; not the seed of a recipe, so that runs with several seeds have
            the same split. Default 0.
        stratify: give each class its share of each part, where every class has enough rows.
            Default true; false draws rows regardless of their class.

    Example:
        >>> import netwise as nw
        >>> len(nw.data.iris(valid=0.0, test=0.2).load().valid)
        0
    """

    valid: float = number(
        0.2, least=0, below=1, because=SHARE, why="enough to rank settings on small data"
    )
    test: float = number(
        0.2, least=0, below=1, because=SHARE, why="enough for a usable interval on small data"
    )
    split_seed: int = integer(
        0, least=0, most=2**32 - 1, because="it seeds the draw", why="one split for all"
    )
    stratify: bool = flag(True, why="a rare class could be absent from a part")

    def written_fields(self) -> dict[str, Any]:
        """Without `stratify` where it is true, as in files of earlier versions."""
        fields = super().written_fields()
        return {name: fields[name] for name in fields if name != "stratify" or not fields[name]}

    def split_sentence(self, has_classes: bool) -> str:
        if self.brings_test_part:
            return "the test part is the data's own"
        by_class = ", each class by its share" if has_classes and self.stratify else ""
        return f"drawn at random (split_seed {self.split_seed}){by_class}"

    def conflicts(self) -> list[Problem]:
        if self.valid + self.test >= 1:
            reason = f"and test = {self.test} leave nothing to train on"
            return [Problem("valid", repr(self.valid), reason, "0.2")]
        return []


def split_rows(
    labels: np.ndarray | None,
    rows: int,
    data: Split,
    own_test: bool = False,
    *,
    own_valid: bool = False,
    key: SplitKey | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of the three parts.

    Args:
        labels: class of each row, to stratify by, where every class has enough rows; None: rows
            are drawn regardless of class.
        rows: how many there are.
        data: with the shares and the seed.
        own_test, own_valid: this part comes from elsewhere; none is split off.
        key: splits by group or by time. Default: rows are drawn one by one.

    Returns:
        (train, valid, test), each in increasing order.

    Raises:
        DataError: there are too few rows, groups or points in time.
    """

    labels = labels if data.stratify else None

    def cut(rows: np.ndarray, size: int, parts: int = 1) -> tuple[np.ndarray, np.ndarray]:
        if not size:
            return rows, rows[:0]
        if size >= len(rows):
            raise DataError(
                f"{len(rows)} samples are too few for parts of valid = {data.valid} and "
                f"test = {data.test}: write smaller shares, or add samples"
            )
        if key is None:
            return cut_by_class(rows, size, labels, data.split_seed)
        if key.by == TIME:
            return cut_by_time(rows, size, key.of_row, parts)
        return cut_by_group(rows, size, key.of_row, labels, data.split_seed, parts)

    validated = 0 if own_valid else int(rows * data.valid)
    tested = 0 if own_test else int(np.ceil(rows * data.test))
    rest, test = cut(np.arange(rows), tested, 2 if validated else 1)
    train, valid = cut(rest, validated)
    return train, valid, test


def pairs(
    x: Tensor, y: Tensor, rows: np.ndarray, weight: Tensor | None = None, key: Tensor | None = None
) -> Pairs:
    """The samples with these row numbers."""
    return Pairs(x, y, weight, key).rows(rows)


def standardised_targets(parts: tuple[Pairs, ...]) -> tuple[tuple[Pairs, ...], Tensor, Tensor]:
    """The parts with targets scaled to mean 0 and standard deviation 1 on the first part, and that
    mean and scale. Targets in float64 are scaled so, then cast to float32."""
    y = parts[0].y
    if y.dtype == torch.float64:
        fitted = [centre_and_scale(column, "the target") for column in y.numpy().T]
        mean, scale = torch.tensor(fitted, dtype=torch.float64).T
    else:
        mean, scale = y.mean(0), y.std(0, unbiased=False)
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return tuple(replace(part, y=((part.y - mean) / scale).float()) for part in parts), mean, scale
