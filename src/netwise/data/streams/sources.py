"""Every source of a stream, opened: its rows, its targets and how it can be read."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netwise.data.array_encoder import ArrayEncoder
from netwise.data.dataset import Encoder
from netwise.data.lazy_rows import RowStore
from netwise.data.streams.array_files import BLOCK_BYTES, ArrayFileRows, mapped_files
from netwise.data.streams.block_rows import BlockRows
from netwise.data.streams.indexed import IndexedRows
from netwise.data.streams.row_plan import RowPlan
from netwise.data.streams.sample_form import SampleForm
from netwise.data.streams.sequence import SampleSequence, require_new_starts
from netwise.data.streams.table_blocks import BLOCK_ROWS, ENDINGS, TableBlocks, TableFiles
from netwise.data.streams.windowed_arrays import WindowedArrays
from netwise.errors import DataError

WINDOW, WINDOW_BYTES = 2**16, 2**28

# Called with (numbers of the training rows, targets, classes, rows to fit to).
FitEncoder = Callable[[np.ndarray, np.ndarray, int, int], Encoder]


@dataclass(frozen=True, eq=False)
class Opened:
    """A source that was opened.

    Args:
        rows: how many samples it has.
        y: their targets as they came; None: there are none.
        encoder: fits the encoder to training rows.
        store: the rows, by the encoder, a plan, and how many rows are used.
        window: rows that are shuffled together where nothing is said.
        block: see `RowPlan`.
        in_sequence: it is read from its start.
        reorders: its samples come in another order, or changed, in each epoch.
        repeats: a second pass of the same epoch gives the same samples.
        read_targets: the targets of rows as they were read last; None: they are always `y`.
    """

    rows: int
    y: np.ndarray | None
    encoder: FitEncoder
    store: Callable[[Encoder, RowPlan, int], RowStore]
    window: int
    block: int = 0
    in_sequence: bool = False
    reorders: bool = False
    repeats: bool = True


def window_for(row_bytes: int) -> int:
    """Rows that are shuffled together by default: 65,536, or as many as need 256 MiB."""
    return max(2, min(WINDOW, WINDOW_BYTES // max(1, row_bytes)))


def found_files(paths: Sequence[str]) -> list[str]:
    """The files that paths, folders and patterns name, each folder's in the order of their names.

    Raises:
        DataError: there is none.
    """
    files: list[str] = []
    for path in paths:
        inside = sorted(
            str(each)
            for each in Path(path).rglob("*")
            if each.name.lower().endswith((*ENDINGS, ".npy")) and not each.name.startswith(".")
        )
        named = sorted(glob.glob(path)) or [path]  # noqa: PTH207  # absolute patterns too
        files += inside if Path(path).is_dir() else named
    if not files:
        raise DataError(
            f"{paths[0]} has no .npy, Parquet or Arrow file: name files, a folder or a pattern"
        )
    return files


def open_files(
    paths: Sequence[str], target: str, columns: Sequence[str], rows: int, missing: bool
) -> Opened:
    """Open .npy, Parquet or Arrow files."""
    files = found_files(paths)
    endings = {Path(path).suffix.lower() for path in files}
    if endings == {".npy"}:
        return _open_arrays(files, target, rows, missing)
    if endings <= set(ENDINGS):
        return _open_tables(files, target, columns)
    known = ", ".join((".npy", *ENDINGS))
    if ".csv" in endings:
        raise DataError(
            f"{files[0]} is text, which has to be read from its start: write it as Parquet once, "
            'polars.scan_csv("x.csv").sink_parquet("x.parquet"), or use data.csv(...)'
        )
    raise DataError(
        f"{files[0]} is of no kind that is read row by row: name {known}; for a folder of pictures "
        "use data.images(...), which keeps them in a file"
    )


def _open_arrays(files: Sequence[str], target: str, rows: int, missing: bool) -> Opened:
    arrays = mapped_files(files)
    count = sum(map(len, arrays))
    y = None
    if target:
        y = np.concatenate(mapped_files(found_files([target])))
        if len(y) != count:
            raise DataError(
                f"{files[0]} has {count:,} samples and {target} has {len(y):,} targets: name files "
                "with one target for each sample"
            )
    arrays = [each[:, None] if each.ndim == 1 else each for each in arrays]
    shape, size = arrays[0].shape[1:], arrays[0][:1].nbytes
    large = sum(each.nbytes for each in arrays) > 2**31
    return Opened(
        count,
        y,
        lambda train, y, classes, most: ArrayEncoder(tuple(shape), missing=missing),
        lambda encoder, plan, used: (
            WindowedArrays(arrays, plan, used, missing)
            if plan.block
            else ArrayFileRows(arrays, plan, missing)
        ),
        window=window_for(4 * arrays[0][:1].size) if large else max(2, count),
        block=max(1, BLOCK_BYTES // max(1, size)),
    )


def _open_tables(files: Sequence[str], target: str, columns: Sequence[str]) -> Opened:
    table = TableFiles(files, columns, target)
    return Opened(
        table.rows,
        table.targets() if target else None,
        table.fitted_encoder,
        lambda encoder, plan, used: BlockRows(TableBlocks(table, encoder), plan, used),  # type: ignore[arg-type]
        window=window_for(4 * len(table.names)),
        block=BLOCK_ROWS,
    )


def open_object(
    source: Any, target: str, columns: Sequence[str], rows: int, missing: bool
) -> Opened:
    """Open a data set or loader in Python."""
    from torch.utils.data import default_collate  # quick: torch is loaded

    form = SampleForm(tuple(columns), target)
    collate, are_batches, inner = None, False, source
    if _is_loader(source):
        if _can_index(source.dataset) and _in_plain_order(source):
            inner = source.dataset
            collate = None if source.collate_fn is default_collate else source.collate_fn
        else:
            are_batches = source.batch_size is not None or source.batch_sampler is not None
    if inner is not source or _can_index(source):
        return _open_indexed(inner, form, collate, rows, missing)
    require_new_starts(source)
    sequence = SampleSequence(source, form, are_batches, rows, missing)
    y = sequence.measure()
    x = sequence.read(0).x
    return Opened(
        sequence.rows,
        y,
        lambda train, y, classes, most: ArrayEncoder(tuple(x.shape[1:]), missing=missing),
        lambda encoder, plan, used: BlockRows(sequence, plan, used),
        window=window_for(4 * x[:1].numel()),
        in_sequence=True,
        reorders=sequence.reorders,
        repeats=sequence.repeats,
    )


def _open_indexed(dataset: Any, form: SampleForm, collate: Any, rows: int, missing: bool) -> Opened:
    count = min(rows or len(dataset), len(dataset))
    if not count:
        raise DataError("the data set has no samples: pass one that has some")
    store = IndexedRows(dataset, count, form, collate, missing)
    y = store.targets()
    shape = tuple(store.read([0])[0].shape[1:])

    def with_plan(encoder: Encoder, plan: RowPlan, used: int) -> IndexedRows:
        store.plan = plan
        return store

    return Opened(
        count,
        None if y is None else y[:count],
        lambda train, y, classes, most: ArrayEncoder(shape, missing=missing),
        with_plan,
        window=max(2, count),
    )


def _can_index(source: Any) -> bool:
    return hasattr(source, "__getitem__") and hasattr(source, "__len__")


def _is_loader(source: Any) -> bool:
    return (
        hasattr(source, "dataset") and hasattr(source, "collate_fn") and hasattr(source, "sampler")
    )


def _in_plain_order(loader: Any) -> bool:
    """Whether a loader takes each sample once, so that the order may be netwise's own."""
    from torch.utils.data import (  # quick: torch is in
        BatchSampler,
        RandomSampler,
        SequentialSampler,
    )

    plain = type(loader.sampler) in (RandomSampler, SequentialSampler)
    batches = loader.batch_sampler is None or type(loader.batch_sampler) is BatchSampler
    return plain and batches and not getattr(loader.sampler, "replacement", False)
