"""The data set of data that do not fit in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import (
    Data,
    Encoder,
    Pairs,
    Samples,
    Split,
    split_rows,
    standardised_targets,
)
from netwise.data.lazy_rows import LazyRows
from netwise.data.streams.row_plan import RowPlan, first_rows, plan_of, some_rows
from netwise.data.streams.sources import Opened, found_files, open_files, open_object
from netwise.data.streams.targets import ReadTargets, TargetKind, kind_of_targets
from netwise.data.summary.data_summary import DataSummary
from netwise.data.summary.samples_summary import LoadedParts, summary_of_samples
from netwise.errors import DataError, Problem
from netwise.part import flag, integer, part, text, texts
from netwise.tasks import task_named

HELD_BYTES = 2**26  # a validation or test part of so many stays in memory
LARGE = 1_000_000  # rows, of which parts are drawn regardless of class: each has nearly its share


@dataclass(frozen=True, eq=False)
class SourceObject:
    """A source in Python, equal to itself alone.

    Args:
        value: a data set, a loader or what iterates.
    """

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceObject) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(frozen=True, kw_only=True)
class Stream(Split):
    """Data that are read batch by batch. Made by `data.stream`, which says what a source may be.

    Targets are kept in memory (8 bytes of each), inputs are not. The validation and the test part
    have at most `held_out` rows each; up to 64 MiB they stay in memory. Of more than a million rows
    they are drawn regardless of class.

    Args:
        paths: of .npy, Parquet or Arrow files, folders of them or patterns; none for a source in
            Python.
        target: of tables the column to predict, of .npy files the file of targets, of samples that
            are mappings the name of their target; "none": there are no targets.
        columns: of tables and mappings those that are inputs; none: all but the target.
        made_by: the class of a source in Python, which no file can hold.
        rows: samples of one pass over a source in Python; 0: all.
        shuffle: rows that are shuffled together, and of a source that is read from its start are in
            memory together; 1: the order of the source; 0: all rows where each can be read by
            itself, else 65,536 or as many as need 256 MiB.
        fit_rows: training rows that preprocessing and the encoder of a table are fitted to.
        held_out: most rows of the validation and of the test part.
        allow_missing: inputs may hold NaN, which `FillMissing` fills.
        scale_target: for regression, learn (y - mean) / spread.
        own_valid, own_test: streams that are the validation and the test part.
        valid, test, split_seed, stratify: as in all split data.
    """

    kind: ClassVar[str] = "stream"
    paths: tuple[str, ...] = texts(
        (), because="they name files", write='["x.parquet"]', why="a source in Python has no file"
    )
    target: str = text("none", because="it names the targets", why="inputs alone can be learned")
    columns: tuple[str, ...] = texts((), because="they name columns", why="all but the target")
    made_by: str | None = text(None, optional=True, because="it names a class", why="files")
    rows: int = integer(0, least=0, because="it counts samples", why="all of them")
    shuffle: int = integer(
        0, least=0, because="it counts rows", why="all where that costs nothing, else 256 MiB"
    )
    fit_rows: int = integer(
        100_000, least=2, because="statistics need rows", why="a mean is known to 0.3 % of a spread"
    )
    held_out: int = integer(
        10_000, least=1, because="it counts rows", why="an accuracy is known to 1 %"
    )
    allow_missing: bool = flag(False, why="a missing number is usually a mistake")
    scale_target: bool = flag(True, why="outputs of a new network have about mean 0 and spread 1")
    own_valid: Any = part(
        Data, None, optional=True, because="it is a part", write="0.2", why="a share of the rows"
    )
    own_test: Any = part(
        Data, None, optional=True, because="it is a part", write="0.2", why="a share of the rows"
    )
    source: SourceObject | None = field(default=None, repr=False)

    def written_fields(self) -> dict[str, Any]:
        """What a file can hold: all but the source in Python."""
        fields = super().written_fields()
        fields.pop("source", None)
        return fields

    def conflicts(self) -> list[Problem]:
        problems = super().conflicts()
        if bool(self.paths) == (self.made_by is not None):
            given = short(self.paths or self.made_by)
            problems.append(Problem("paths", given, "must name files", 'data.stream("x.parquet")'))
        for name in ("own_valid", "own_test"):
            other = getattr(self, name)
            if other is not None and not isinstance(other, Stream):
                reason = "must be a stream, as the training part is one"
                problems.append(Problem(name, other.kind, reason, "data.stream(...)"))
        return problems

    def files(self) -> Sequence[Path]:
        own = [path for each in (self.own_valid, self.own_test) if each for path in each.files()]
        names = found_files(self.paths) if self.paths else []
        if names and names[0].endswith(".npy") and self.target != "none":
            names += found_files([self.target])
        return [*map(Path, names), *own]

    @property
    def made_in_python(self) -> str:
        own = [each.made_in_python for each in self._own().values()]
        return self.made_by or next(filter(None, own), "")

    @property
    def title(self) -> str:
        return Path(self.paths[0]).name if self.paths else str(self.made_by).rpartition(":")[2]

    def split_sentence(self, has_classes: bool) -> str:
        own = [f"the {name} part is a stream of its own" for name in self._own()]
        return "; ".join([*([] if len(own) == 2 else [super().split_sentence(has_classes)]), *own])

    def _own(self) -> dict[str, Stream]:
        named = {"validation": self.own_valid, "test": self.own_test}
        return {name: each for name, each in named.items() if each is not None}

    def opened(self) -> Opened:
        """The source."""
        target = "" if self.target == "none" else self.target
        if self.paths:
            return open_files(self.paths, target, self.columns, self.rows, self.allow_missing)
        if self.source is None:
            raise DataError(
                f"these data come from {self.made_by}, an object in Python that no file can hold: "
                "pass them again, resume(folder, data=data.stream(...)) or "
                "recipe.but(data=data.stream(...))"
            )
        return open_object(self.source.value, target, self.columns, self.rows, self.allow_missing)

    def read(self) -> Samples:
        opened = self.opened()
        others = {name: each.opened() for name, each in self._own().items()}
        raw = opened.y
        kind = kind_of_targets(raw)
        y = kind.tensor(raw, opened.rows)
        own_valid, own_test = (others.get(name) for name in ("validation", "test"))
        rows = self._split(opened, y if kind.classes else None)
        encoder = opened.encoder(rows[0], y.numpy(), len(kind.classes), self.fit_rows)
        plan = self._plan(opened, len(rows[0]))
        x = LazyRows.of(opened.store(encoder, plan, len(rows[0])))
        parts = [Pairs(x.at(torch.from_numpy(rows[0])), y[rows[0]])]
        held = iter(self._held(x, rows[1:]))
        for number, other in enumerate((own_valid, own_test), 1):
            inputs = next(held)
            if other is None:
                parts.append(Pairs(inputs, y[rows[number]]))
            else:
                parts.append(self._part(other, encoder, kind))
        mean, scale = torch.zeros(1), torch.ones(1)
        pairs = tuple(parts)
        if task_named(kind.task).has_values:
            if self.scale_target:
                pairs, mean, scale = standardised_targets(pairs)
            else:
                pairs = tuple(replace(each, y=each.y.float()) for each in pairs)
                mean, scale = torch.zeros(y.shape[1]), torch.ones(y.shape[1])
        if opened.reorders:
            read = partial(_read_targets, x.store, kind, mean, scale)
            pairs = (replace(pairs[0], y=ReadTargets.of(pairs[0].y, read)), *pairs[1:])
        return Samples(
            pairs[0],
            pairs[1],
            pairs[2],
            kind.task,
            kind.classes,
            encoder,
            _fingerprint(pairs[0].x, y),
            mean,
            scale,
            notes=_notes(opened, plan, len(rows[0])),
        )

    def _plan(self, opened: Opened, used: int) -> RowPlan:
        window = self.shuffle or min(opened.window, max(2, used))
        block = opened.block if window < used else 0
        return RowPlan(window, block, self.fit_rows, opened.in_sequence)

    def _split(self, opened: Opened, labels: Tensor | None) -> tuple[np.ndarray, ...]:
        most = self.held_out / opened.rows
        valid = 0.0 if self.own_valid is not None else min(self.valid, most)
        test = 0.0 if self.own_test is not None else min(self.test, most)
        if opened.reorders and (valid or test):
            raise DataError(
                "the source gives its samples in another order each time, so no part of them can "
                "be kept apart: pass valid=data.stream(...) and test=data.stream(...) of other "
                "samples, or valid=0.0 and test=0.0"
            )
        if opened.rows > LARGE:
            return _drawn_parts(opened.rows, valid, test, self.split_seed)
        shares = self.but(valid=valid, test=test)
        return split_rows(None if labels is None else labels.numpy(), opened.rows, shares)

    def _held(self, x: LazyRows, rows: Sequence[np.ndarray]) -> list[Tensor]:
        """The inputs of the held-out parts: in memory where they are small."""
        parts = [x.at(torch.from_numpy(each)) for each in rows]
        if 4 * sum(each.numel() for each in parts) > HELD_BYTES * len(parts):
            return list(parts)
        both = np.sort(np.concatenate(rows))  # one pass over a source that is read from its start
        together = x.at(torch.from_numpy(both)).floats()
        return [together[torch.from_numpy(np.searchsorted(both, each))] for each in rows]

    def _part(self, opened: Opened, encoder: Encoder, kind: TargetKind) -> Pairs:
        """All rows of a source as one part."""
        plan = RowPlan(1, 0, self.fit_rows, opened.in_sequence)
        x = LazyRows.of(opened.store(encoder, plan, opened.rows))
        every = np.arange(opened.rows)
        return Pairs(self._held(x, [every])[0], kind.tensor(opened.y, opened.rows))

    def new_summary(self) -> DataSummary:
        samples = self.load().unmarked()
        parts = (samples.train, samples.valid, samples.test)
        loaded = LoadedParts(
            [part.x for part in parts],
            [torch.as_tensor(part.y.numpy()) for part in parts],
            samples.task,
            samples.classes,
            samples.target_mean,
            samples.target_scale,
            samples.split_by,
            samples.notes,
        )
        sentence = self.split_sentence(task_named(samples.task).has_classes)
        return summary_of_samples(self.title, loaded, sentence)


def short(value: object) -> str:
    """For an error."""
    return repr(value)[:60]


def _drawn_parts(rows: int, valid: float, test: float, seed: int) -> tuple[np.ndarray, ...]:
    """Row numbers of the three parts, in memory of little more than the result."""
    tested, validated = int(np.ceil(rows * test)), int(rows * valid)
    drawn = np.random.default_rng(seed).choice(rows, tested + validated, replace=False)
    rest = np.ones(rows, bool)
    rest[drawn] = False
    return np.flatnonzero(rest), np.sort(drawn[tested:]), np.sort(drawn[:tested])


def _read_targets(
    store: Any, kind: TargetKind, mean: Tensor, scale: Tensor, rows: Tensor
) -> Tensor:
    y = kind.tensor(store.targets(rows), len(rows))
    return y if kind.classes else ((y - mean) / scale).float()


def _fingerprint(x: Tensor, y: Tensor) -> str:
    """16 hex digits of the targets, the shape and the first samples."""
    content = hashlib.sha256(f"{tuple(x.shape)}{tuple(y.shape)}".encode())
    content.update(np.ascontiguousarray(y.numpy()).data.cast("B") if y.numel() else b"")
    plan = plan_of(x)
    assert plan is not None
    shown = first_rows(x, 64) if plan.in_sequence else some_rows(x, 64)
    content.update(np.ascontiguousarray(shown.numpy()).data.cast("B"))
    return content.hexdigest()[:16]


def _notes(opened: Opened, plan: RowPlan, used: int) -> tuple[str, ...]:
    order = f"shuffled in windows of {plan.window:,}"
    if plan.window == 1:
        order = "in the order of the source"
    elif plan.window >= used:
        order = "shuffled"
    notes = [f"Rows are read when they are needed, {order}."]
    if not opened.repeats:
        notes.append(
            "The source gives other samples each time it is read: a run that continues does not "
            "have the numbers of one that was not interrupted."
        )
    return tuple(notes)


def stream(
    source: Any,
    target: Any = None,
    *,
    columns: Sequence[str] = (),
    rows: int = 0,
    shuffle: int = 0,
    fit_rows: int = 100_000,
    held_out: int = 10_000,
    allow_missing: bool = False,
    scale_target: bool = True,
    valid: float | Stream = 0.2,
    test: float | Stream = 0.2,
    split_seed: int = 0,
    stratify: bool = True,
) -> Stream:
    """Data that do not fit in memory: rows are read when a batch needs them.

    Args:
        source: paths of .npy files, or of Parquet or Arrow files, a folder of them, or a pattern
            such as `part-*.parquet`. Or a data set with `__getitem__` and `__len__`
            (`torch.utils.data.Dataset`, Hugging Face's `Dataset`), whose samples are (inputs,
            target), inputs alone, or mappings. Or a `DataLoader`: of such a data set its
            `collate_fn` is used, and the order is netwise's own; with another sampler, or of an
            `IterableDataset`, it is read as it comes. Or what iterates from its start each time
            (`IterableDataset`), or a function that returns such a thing.
        target: of tables the column to predict; of .npy files the path of those of targets; of
            samples that are mappings the name of their target, by default "label", "labels",
            "target" or "y". Default None: tables and .npy files have no targets.
        valid, test: share of the rows, of which `held_out` at most are used, or another stream.
            Default 0.2.
        columns, rows, shuffle, fit_rows, held_out: see `data.Stream`.
        allow_missing, scale_target, split_seed, stratify: see `data.Stream`.

    Raises:
        DataError: when loaded: the source cannot be read as often as training needs it, or has no
            samples.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
        >>> dataset = torch.utils.data.TensorDataset(x, (x[:, 0] > 0).long())
        >>> samples = nw.data.stream(dataset).load()
        >>> len(samples.train), len(samples.valid), samples.classes
        (300, 100, ('0', '1'))
    """
    own = {
        f"own_{name}": share
        for name, share in (("valid", valid), ("test", test))
        if isinstance(share, Stream)
    }
    settings: dict[str, Any] = {
        "target": "none" if target is None else str(target),
        "columns": (columns,) if isinstance(columns, str) else tuple(columns),
        "rows": rows,
        "shuffle": shuffle,
        "fit_rows": fit_rows,
        "held_out": held_out,
        "allow_missing": allow_missing,
        "scale_target": scale_target,
        "valid": valid if isinstance(valid, Real) else 0.2,
        "test": test if isinstance(test, Real) else 0.2,
        "split_seed": split_seed,
        "stratify": stratify,
        **own,
    }
    paths = [source] if isinstance(source, str | Path) else source
    if isinstance(paths, list | tuple) and paths and all(isinstance(p, str | Path) for p in paths):
        return Stream(paths=tuple(str(path) for path in paths), **settings)
    if isinstance(source, np.ndarray | Tensor):
        raise DataError(
            f"the source is an array of shape {tuple(source.shape)}: pass data.arrays(X, y), which "
            "leaves a mapped file where it is, or the path of a .npy file"
        )
    kind = type(source)
    return Stream(
        made_by=f"{kind.__module__}:{kind.__qualname__}", source=SourceObject(source), **settings
    )
