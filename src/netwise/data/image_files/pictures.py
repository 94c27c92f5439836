"""A folder of images, one folder inside for each class."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from netwise.data.dataset import Samples, Split, pairs, split_rows
from netwise.data.encoding import ArrayEncoder
from netwise.data.image_files.decoding import ENDINGS, BrokenImage, read_image
from netwise.errors import DataError
from netwise.memory import require_memory
from netwise.part import flag, integer, text
from netwise.tasks import CLASSIFICATION

GREY, COLOUR = "grey", "colour"


@dataclass(frozen=True)
class Pictures(Split):
    """Image files, one folder for each class. Made by `data.images`.

    Each is resized to `height` x `width` (bilinear, without keeping the aspect ratio) and scaled to
    numbers from 0 to 1.

    Args:
        path: the folder; the names of the folders in it are the classes.
        height, width: pixels, from 1 to 4096. Defaults 32 and 32.
        colour: "colour" (3 channels) or "grey" (1). Default "colour".
        skip_broken: leave out image files that cannot be read, with a warning that has their
            number. Default false: the first one is an error.
        valid, test, split_seed: as in all split data; stratified by class.
    """

    kind: ClassVar[str] = "images"
    path: str = text(because="it names a folder", write='"photos"')
    height: int = integer(
        32, least=1, most=4096, because="an image has pixels", why="quick to learn from"
    )
    width: int = integer(
        32, least=1, most=4096, because="an image has pixels", why="quick to learn from"
    )
    colour: str = text(COLOUR, among=(COLOUR, GREY), why="colours may separate classes")

    skip_broken: bool = flag(False, why="a broken file may be the sign of a broken copy")

    def written_fields(self) -> dict[str, Any]:
        """All but an unused `skip_broken`, which files of earlier versions do not have."""
        fields = super().written_fields()
        return {name: fields[name] for name in fields if name != "skip_broken" or fields[name]}

    def files(self) -> Sequence[Path]:
        return sorted(
            path
            for path in Path(self.path).glob("*/*")
            if path.suffix.lower() in ENDINGS and not path.parent.name.startswith(".")
        )

    def read(self) -> Samples:
        folder = Path(self.path)
        classes = _classes_in(folder)
        numbers = len(self.files()) * self.height * self.width * (3 if self.colour == COLOUR else 1)
        what = f"and width = {self.width} make images that need"
        require_memory(4 * numbers, "data.images", "height", self.height, what, "32")
        rows, labels, content_hash = [], [], hashlib.sha256()
        broken: list[BrokenImage] = []
        for label, name in enumerate(classes):
            files = [each for each in _entries(folder / name) if each.suffix.lower() in ENDINGS]
            if not files:
                raise DataError(
                    f"{folder / name} has no image files: add some ({', '.join(sorted(ENDINGS))}), "
                    "or remove the folder"
                )
            for file in files:
                try:
                    pixels = read_image(
                        file, height=self.height, width=self.width, colour=self.colour == COLOUR
                    )
                except BrokenImage as error:
                    if not self.skip_broken:
                        raise
                    broken.append(error)
                    continue
                rows.append(pixels)
                labels.append(label)
                content_hash.update(os.fsencode(file.relative_to(folder)) + pixels.tobytes())
            if not labels or labels[-1] != label:
                raise DataError(
                    f"{folder / name}: none of its {len(files)} image files can be read: replace "
                    f"them, or remove the folder. The first: {broken[-len(files)]}"
                )
        if broken:
            warnings.warn(_left_out(folder, broken, len(rows)), stacklevel=2)
        y = np.array(labels)
        stacked = np.stack(rows)
        x = stacked.transpose(0, 3, 1, 2) if self.colour == COLOUR else stacked[:, None]
        encoder = ArrayEncoder(tuple(x.shape[1:]), 255.0)
        inputs, targets = (
            torch.from_numpy(np.ascontiguousarray(x)).float().div_(255.0),
            torch.from_numpy(y),
        )
        parts = [pairs(inputs, targets, each) for each in split_rows(y, len(y), self)]
        return Samples(
            parts[0],
            parts[1],
            parts[2],
            CLASSIFICATION,
            tuple(classes),
            encoder,
            content_hash.hexdigest()[:16],
        )


def _classes_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted, without hidden ones."""
    if not folder.is_dir():
        raise DataError(
            f"{folder} is no folder (looked in {Path.cwd()}): name the folder that has one "
            "folder of images for each class"
        )
    classes = [
        each.name for each in _entries(folder) if each.is_dir() and not each.name.startswith(".")
    ]
    if len(classes) < 2:
        raise DataError(
            f"{folder} has {len(classes)} folders inside, and classification needs two: make "
            "one for each class"
        )
    return classes


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder} cannot be listed: {error.strerror}. Allow it: chmod u+rx '{folder}'"
        ) from None


def _left_out(folder: Path, broken: Sequence[BrokenImage], kept: int) -> str:
    first = str(broken[0]).partition(". Remove or replace")[0]
    return (
        f"{folder}: {len(broken)} of {len(broken) + kept} image files cannot be read and are left "
        f"out, as skip_broken = true asks for. The first: {first}"
    )


def images(
    path: str | Path,
    *,
    height: int = 32,
    width: int = 32,
    colour: str = COLOUR,
    skip_broken: bool = False,
    valid: float = 0.2,
    test: float = 0.2,
    split_seed: int = 0,
) -> Pictures:
    """Image files, one folder for each class; see `Pictures` for what each argument means.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> from PIL import Image
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name, grey in [("day", 220), ("night", 20)]:
        ...     (folder / name).mkdir()
        ...     for i in range(5):
        ...         Image.new("L", (40, 30), grey + i).save(folder / name / f"{i}.png")
        >>> samples = nw.data.images(folder, height=8, width=8, colour="grey").load()
        >>> samples.classes, samples.shape, len(samples.train)
        (('day', 'night'), (1, 8, 8), 6)
    """
    return Pictures(
        str(path),
        height=height,
        width=width,
        colour=colour,
        skip_broken=skip_broken,
        valid=valid,
        test=test,
        split_seed=split_seed,
    )
