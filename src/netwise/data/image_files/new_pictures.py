"""Pictures that a network is to answer: one file, or all of a folder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from netwise.data.image_files.decoding import ENDINGS, BrokenImage, decode, quiet
from netwise.data.image_files.loading import reading_threads
from netwise.data.image_files.picture_encoder import PictureEncoder
from netwise.errors import DataError

if TYPE_CHECKING:
    import polars as pl

FILE = "file"  # the column of their paths


def takes_paths(encoder: object) -> bool:
    """Whether an encoder reads picture files."""
    return isinstance(encoder, PictureEncoder)


def is_of_pictures(path: Path) -> bool:
    """Whether a path is a folder, or a file whose ending is that of a picture."""
    return path.is_dir() or path.suffix.casefold() in ENDINGS


def picture_blocks(
    path: Path, rows: int = 1000, skip_broken: bool = False
) -> Iterator[pl.DataFrame]:
    """The paths of a picture, or of all pictures in a folder and the folders in it, in their order;
    hidden files are left out.

    Args:
        path: of the picture or folder.
        rows: paths in a block.
        skip_broken: leave out files that cannot be read, with a warning.

    Raises:
        DataError: the folder has none.
    """
    import polars as pl  # heavy

    files = [path]
    if path.is_dir():
        files = sorted(
            each
            for each in path.rglob("*")
            if each.suffix.casefold() in ENDINGS
            and not any(name.startswith(".") for name in each.relative_to(path).parts)
            and "__MACOSX" not in each.parts
        )
    if skip_broken:
        files = _readable(path, files)
    if not files:
        raise DataError(f"{path} holds no picture: name a folder with some, or a picture")
    yield from pl.DataFrame({FILE: [str(each) for each in files]}).iter_slices(rows)


def _readable(path: Path, files: list[Path]) -> list[Path]:
    """The files that can be read, and a warning that counts and names the others."""

    def problem(file: Path) -> str:
        try:
            decode(file, height=8, width=8, colour=False)
        except BrokenImage as error:
            return f"{file} ({error.reason})"
        return ""

    with quiet(), reading_threads() as pool:
        problems = list(pool.map(problem, files))
    broken = [each for each in problems if each]
    if broken:
        more = ", ..." if len(broken) > 10 else ""
        warnings.warn(
            f"{path}: {len(broken)} of {len(files)} image files cannot be read and have no answer: "
            f"{', '.join(broken[:10])}{more}",
            stacklevel=3,
        )
    return [file for file, found in zip(files, problems, strict=True) if not found]
