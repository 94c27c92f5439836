"""A folder of images, one folder inside for each class."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from netwise.data.dataset import Samples, Split, pairs, split_rows
from netwise.data.encoding import ArrayEncoder
from netwise.errors import DataError
from netwise.part import integer, text
from netwise.tasks import CLASSIFICATION

ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)
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

    def files(self) -> Sequence[Path]:
        return sorted(
            path
            for path in Path(self.path).glob("*/*")
            if path.suffix.lower() in ENDINGS and not path.parent.name.startswith(".")
        )

    def read(self) -> Samples:
        from PIL import Image, UnidentifiedImageError

        folder = Path(self.path)
        if not folder.is_dir():
            raise DataError(
                f"{folder} is no folder (looked in {Path.cwd()}): name the folder that has one "
                "folder of images for each class"
            )
        classes = sorted(
            each.name
            for each in folder.iterdir()
            if each.is_dir() and not each.name.startswith(".")
        )
        if len(classes) < 2:
            raise DataError(
                f"{folder} has {len(classes)} folders inside, and classification needs two: make "
                "one for each class"
            )
        rows, labels, content_hash = [], [], hashlib.sha256()
        for label, name in enumerate(classes):
            files = sorted(
                each for each in (folder / name).iterdir() if each.suffix.lower() in ENDINGS
            )
            if not files:
                raise DataError(
                    f"{folder / name} has no image files: add some ({', '.join(sorted(ENDINGS))}), "
                    "or remove the folder"
                )
            for file in files:
                try:
                    with Image.open(file) as image:
                        pixels = image.convert("RGB" if self.colour == COLOUR else "L").resize(
                            (self.width, self.height), Image.Resampling.BILINEAR
                        )
                except (UnidentifiedImageError, OSError) as error:
                    raise DataError(
                        f"{file} cannot be read as an image: {error}. Remove or replace it"
                    ) from None
                rows.append(np.asarray(pixels, dtype=np.uint8))
                labels.append(label)
                content_hash.update(str(file.relative_to(folder)).encode() + rows[-1].tobytes())
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


def images(
    path: str | Path,
    *,
    height: int = 32,
    width: int = 32,
    colour: str = COLOUR,
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
        valid=valid,
        test=test,
        split_seed=split_seed,
    )
