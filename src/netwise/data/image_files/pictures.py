"""The data set of image files: a folder of them, or a table of paths and labels."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import Pairs, Samples, Split, split_rows, standardised_targets
from netwise.data.image_files.decoding import BrokenImage
from netwise.data.image_files.label_file import list_table
from netwise.data.image_files.listing import (
    FIRST,
    LAST,
    NAME,
    TEST,
    TRAIN,
    VALID,
    Listing,
    Picture,
    list_folder,
)
from netwise.data.image_files.loading import Loaded, Shape, load_pictures
from netwise.data.image_files.picture_encoder import PictureEncoder
from netwise.data.image_files.picture_notes import (
    broken_note,
    counted,
    doubtful_classes,
    equal_pictures,
    shown,
)
from netwise.data.image_files.picture_size import DEFAULT_SIDE, fitting_size
from netwise.data.image_files.pixels import Pixels
from netwise.errors import DataError
from netwise.part import flag, integer, text
from netwise.tasks import CLASSIFICATION, REGRESSION, task_named

GREY, COLOUR = "grey", "colour"
AS_FLOATS = 2**28  # bytes; more are kept as bytes, and become floats batch by batch
WAYS = (FIRST, LAST, NAME)


@dataclass(frozen=True)
class Pictures(Split):
    """Image files with their classes. Made by `data.images`.

    Folders are read as people have them: one for each class, of any depth inside; such folders in
    `train`, `valid` and `test`, which are the parts then; all of it in a folder of an archive. Or
    `path` is a table of paths and labels. What is used and what is left out is said in
    `load().notes`.

    Each picture is read as a viewer shows it (EXIF orientation, transparency on white, first
    frame), resized to `height` x `width` (bilinear, without keeping the aspect ratio) and scaled to
    numbers from 0 to 1; pictures of more than 8 bits by the least and largest value that any of
    them has. Several threads read them once. Large sets are kept as bytes, in a file of the cache
    (`NETWISE_CACHE`), and become floats batch by batch.

    Args:
        path: the folder, or the table.
        height, width: pixels, from 1 to 4096. Defaults 32 and 32.
        colour: "colour" (3 channels) or "grey" (1). Default "colour".
        skip_broken: leave out image files that cannot be read, with a warning that has their
            number. Default false: they are an error that names them.
        classes_from: "first folder": that below the wrappers and parts, with all folders in it;
            "last folder": each folder is a class; "file name": the letters that it begins with.
            Default "first folder".
        target: for a table, its column of labels. Default: found by its name.
        folder: for a table, where its paths begin. Default: its own folder, or one in that.
        valid, test, split_seed: as in all split data; stratified by class. They apply to parts
            that have no folder of their own.
    """

    kind: ClassVar[str] = "images"
    path: str = text(because="it names a folder or a table", write='"photos"')
    height: int = integer(
        32, least=1, most=4096, because="an image has pixels", why="quick to learn from"
    )
    width: int = integer(
        32, least=1, most=4096, because="an image has pixels", why="quick to learn from"
    )
    colour: str = text(COLOUR, among=(COLOUR, GREY), why="colours may separate classes")

    skip_broken: bool = flag(False, why="a broken file may be the sign of a broken copy")
    classes_from: str = text(FIRST, among=WAYS, why="the usual way to keep pictures")
    target: str | None = text(None, optional=True, because="it names a column", why="by its name")
    folder: str | None = text(
        None, optional=True, because="it names a folder", why="paths begin where the table is"
    )

    def written_fields(self) -> dict[str, Any]:
        """All but unused fields that files of earlier versions do not have."""
        unused = {"skip_broken": False, "classes_from": FIRST, "target": None, "folder": None}
        fields = super().written_fields()
        return {n: value for n, value in fields.items() if n not in unused or value != unused[n]}

    def files(self) -> Sequence[Path]:
        try:
            listed = [picture.path for picture in self.listing().pictures]
        except (DataError, OSError):  # reading says what is wrong
            return [Path(self.path)]
        return [*listed, *([] if Path(self.path).is_dir() else [Path(self.path)])]

    def listing(self) -> Listing:
        """The pictures with their labels and parts, and what is left out; none is opened.

        Raises:
            DataError: there is no such folder or table, or it has less than two classes.
        """
        path = Path(self.path)
        if path.is_file():
            folder = None if self.folder is None else Path(self.folder)
            return list_table(path, self.target, folder)
        return list_folder(path, self.classes_from)

    def read(self) -> Samples:
        listing = self.listing()
        shape = Shape(self.height, self.width, 3 if self.colour == COLOUR else 1)
        loaded = load_pictures([picture.path for picture in listing.pictures], shape)
        broken = self._broken(listing, loaded)
        kept = np.setdiff1d(np.arange(len(listing.pictures)), [row for row, _ in broken])
        pictures = [listing.pictures[row] for row in kept]
        task, classes, y = _targets(self.path, pictures, listing.are_numbers)
        labels = y.numpy() if task_named(task).has_classes else None
        rows = self._split(pictures, labels)
        _require_trained(self.path, pictures, rows, task)
        x = _inputs(loaded.store, torch.from_numpy(kept))
        parts = tuple(Pairs(x, y).rows(each) for each in rows)
        mean, scale = torch.zeros(1), torch.ones(1)
        if labels is None:
            parts, mean, scale = standardised_targets(parts)
        encoder = PictureEncoder(
            (shape.channels, shape.height, shape.width), loaded.about.low, loaded.about.high
        )
        train, valid, test = parts
        return Samples(
            train,
            valid,
            test,
            task,
            classes,
            encoder,
            _fingerprint(Path(self.path), pictures, [loaded.about.sums[row] for row in kept]),
            mean,
            scale,
            notes=(
                counted(pictures, classes, self.height, self.width, self.colour),
                *doubtful_classes(pictures, classes),
                *listing.notes,
                *[f"Left out: {each}." for each in listing.left_out],
                *broken_note(listing, broken),
                *shown(loaded),
                *equal_pictures(pictures, [loaded.about.sums[row] for row in kept], rows),
            ),
        )

    def split_sentence(self, has_classes: bool) -> str:
        own = {picture.part for picture in self.listing().pictures} - {""}
        if not own - {TRAIN}:
            return super().split_sentence(has_classes)
        return f"{', '.join(part for part in (TRAIN, VALID, TEST) if part in own)} as they came"

    def _broken(self, listing: Listing, loaded: Loaded) -> tuple[tuple[int, str], ...]:
        """The pictures that could not be read, where they may be left out."""
        broken = loaded.about.broken
        if not broken:
            return ()
        row, reason = broken[0]
        error = BrokenImage(listing.pictures[row].path, reason)
        count, total = len(broken), len(listing.pictures)
        if not self.skip_broken:
            if count == 1:
                raise error
            others = ", ".join(str(listing.pictures[row].path) for row, _ in broken[1:10])
            more = ", ..." if count > 10 else ""
            raise DataError(
                f"{error}. {count:,} of {total:,} image files are broken; remove or replace "
                f"these too: {others}{more}"
            )
        counts = Counter(picture.label for picture in listing.pictures)
        counts.subtract(listing.pictures[row].label for row, _ in broken)
        for row, reason in broken:
            label = listing.pictures[row].label
            if not counts[label]:
                files = sum(picture.label == label for picture in listing.pictures)
                raise DataError(
                    f"{Path(self.path) / label}: none of its {files} image files can be read: "
                    f"replace them, or remove the folder. The first: "
                    f"{BrokenImage(listing.pictures[row].path, reason)}"
                )
        first = str(error).partition(". Remove")[0]
        warnings.warn(
            f"{self.path}: {count} of {total} image files cannot be read and are left "
            f"out, as skip_broken = true asks for. The first: {first}",
            stacklevel=3,
        )
        return broken

    def _split(
        self, pictures: Sequence[Picture], labels: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row numbers of the three parts: those of folders, and the others split off."""
        parts = np.array([picture.part or TRAIN for picture in pictures])
        train, valid, test = (np.flatnonzero(parts == part) for part in (TRAIN, VALID, TEST))
        if not len(valid) and not len(test):
            return split_rows(labels, len(pictures), self)
        shares = self.but(
            valid=0.0 if len(valid) else self.valid, test=0.0 if len(test) else self.test
        )
        own = None if labels is None else labels[train]
        rest, some, last = split_rows(own, len(train), shares)
        return (
            train[rest],
            valid if len(valid) else train[some],
            test if len(test) else train[last],
        )


def _inputs(store: Tensor, rows: Tensor) -> Tensor:
    """Pictures as floats, or as bytes that become floats where those of all are too many."""
    x = Pixels.of(store, rows)
    return x.floats() if 4 * x.numel() <= AS_FLOATS else x


def _targets(
    path: str, pictures: Sequence[Picture], are_numbers: bool
) -> tuple[str, tuple[str, ...], Tensor]:
    """Task, classes and targets."""
    labels = [picture.label for picture in pictures]
    if are_numbers and labels:
        return REGRESSION, (), torch.tensor([[float(label)] for label in labels])
    classes = tuple(sorted(set(labels)))
    if len(classes) < 2:
        raise DataError(
            f"{path}: all {len(labels)} pictures are of the class {classes[0]!r}, so there is "
            "nothing to classify: add pictures of another class, or name another column"
            if labels
            else f"{path} has no picture with a label: add some"
        )
    places = {name: i for i, name in enumerate(classes)}
    return CLASSIFICATION, classes, torch.tensor([places[label] for label in labels])


def _require_trained(
    path: str, pictures: Sequence[Picture], rows: Sequence[np.ndarray], task: str
) -> None:
    """Refuse classes that only other parts than the training part have in folders of their own."""
    if task != CLASSIFICATION or not any(picture.part for picture in pictures):
        return
    known = {picture.label for picture in pictures if (picture.part or TRAIN) == TRAIN}
    unknown = {picture.label: picture for picture in pictures if picture.label not in known}
    for label, picture in sorted(unknown.items()):
        raise DataError(
            f"{path}: class {label!r} is in the {picture.part} part only, such as {picture.path}: "
            f"rename its folder to one of {', '.join(sorted(known)[:10])}, or add such pictures to "
            "the training part"
        )


def _fingerprint(path: Path, pictures: Sequence[Picture], sums: Sequence[str]) -> str:
    root = path if path.is_dir() else path.parent
    content = hashlib.sha256()
    for picture, each in zip(pictures, sums, strict=True):
        name = os.path.relpath(picture.path, root)
        content.update(os.fsencode(f"{picture.part}\0{picture.label}\0{name}\0{each}\n"))
    return content.hexdigest()[:16]


def images(
    path: str | Path,
    *,
    height: int | None = None,
    width: int | None = None,
    colour: str = COLOUR,
    skip_broken: bool = False,
    classes_from: str = FIRST,
    target: str | None = None,
    folder: str | Path | None = None,
    valid: float = 0.2,
    test: float = 0.2,
    split_seed: int = 0,
) -> Pictures:
    """Image files with their classes: a folder, or a table of paths and labels; see `Pictures` for
    what each argument means. Without a height and width, they are chosen by looking at the
    pictures: their usual shape, of at most 64 x 64 pixels.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> from PIL import Image
        >>> photos = pathlib.Path(tempfile.mkdtemp())
        >>> for name, grey in [("day", 220), ("night", 20)]:
        ...     (photos / name).mkdir()
        ...     for i in range(5):
        ...         Image.new("L", (40, 30), grey + i).save(photos / name / f"{i}.png")
        >>> samples = nw.data.images(photos, height=8, width=8, colour="grey").load()
        >>> samples.classes, samples.shape, len(samples.train)
        (('day', 'night'), (1, 8, 8), 6)
        >>> print(samples.notes[0])
        10 pictures of 2 classes (day 5, night 5), read as 8 x 8 pixels in grey.
    """
    data = Pictures(
        str(path),
        colour=colour,
        skip_broken=skip_broken,
        classes_from=classes_from,
        target=target,
        folder=None if folder is None else str(folder),
        valid=valid,
        test=test,
        split_seed=split_seed,
    )
    if height is None or width is None:
        try:
            fits = fitting_size(data.listing())
        except (DataError, OSError):  # loading says what is wrong
            fits = (DEFAULT_SIDE, DEFAULT_SIDE)
        height, width = height or width or fits[0], width or height or fits[1]
    return data.but(height=height, width=width)
