"""Sentences on how pictures were read, for people who want to know what is used."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from netwise.data.image_files.listing import Listing, Picture
from netwise.data.image_files.loading import DEEP, FRAMES, TRANSPARENT, TURNED, Loaded

# Folders that hold pictures which nobody has named, and masks or outlines of other pictures.
NO_NAMES = ("unlabeled", "unlabelled", "unsorted", "unclassified", "todo", "to_sort")
MASKS = ("mask", "masks", "label", "labels", "annotations", "segmentation", "gt", "ground_truth")


def counted(
    pictures: Sequence[Picture], classes: Sequence[str], height: int, width: int, colour: str
) -> str:
    """How many pictures there are of each class, and how they are read."""
    size = f"read as {height} x {width} pixels in {colour}"
    if not classes:
        return f"{len(pictures):,} pictures with numbers, {size}."
    counts = Counter(picture.label for picture in pictures).most_common()
    some = ", ".join(f"{name} {count:,}" for name, count in counts[:12])
    more = f", ... {counts[-1][0]} {counts[-1][1]:,}" if len(counts) > 12 else ""
    return f"{len(pictures):,} pictures of {len(classes)} classes ({some}{more}), {size}."


def doubtful_classes(pictures: Sequence[Picture], classes: Sequence[str]) -> list[str]:
    """Sentences on folders that are hardly a class each: names that differ only in how they are
    written, pictures beside the masks that belong to them, and pictures without a class."""
    notes = []
    written: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        written[re.sub(r"[\W_]+", "", name.casefold())].append(name)
    for names in written.values():
        if len(names) > 1:
            listed = ", ".join(map(repr, names))
            notes.append(
                f"{listed} differ only in how they are written: join them if they are one."
            )
    for name in classes:
        if name.casefold() in NO_NAMES:
            notes.append(
                f"{name!r} is a class like the others: move it out if its pictures have none."
            )
    masks = [name for name in classes if name.casefold() in MASKS]
    files = {name: {p.path.stem for p in pictures if p.label == name} for name in classes}
    for mask in masks:
        beside = [name for name in classes if name not in masks and files[mask] == files[name]]
        if beside and len(classes) == len(masks) + len(beside):
            notes.append(
                f"{mask!r} has a file for each of {beside[0]!r}, as masks of its pictures. The "
                "network learns to tell these two folders apart: for classes, name a folder with "
                "one folder for each."
            )
    return notes


def broken_note(listing: Listing, broken: Sequence[tuple[int, str]]) -> list[str]:
    """A sentence on pictures that could not be read."""
    if not broken:
        return []
    names = ", ".join(f"{listing.pictures[row].path} ({why})" for row, why in broken[:3])
    files = "file" if len(broken) == 1 else "files"
    return [f"Left out: {len(broken):,} broken image {files}: {names}."]


def shown(loaded: Loaded) -> list[str]:
    """Sentences on what was done to show pictures as a viewer does."""
    counts, about = loaded.about.counts, loaded.about
    sentences = {
        TURNED: "turned upright, as their EXIF orientation says",
        TRANSPARENT: "put on white, where they are transparent",
        FRAMES: "of several frames: the first is used",
        DEEP: f"of more than 8 bits: their range of {about.low:g} to {about.high:g} becomes 0 to 1",
    }
    return [
        f"{counts[name]:,} picture{'s' if counts[name] > 1 else ''} {sentence}."
        for name, sentence in sentences.items()
        if counts.get(name)
    ]


def equal_pictures(
    pictures: Sequence[Picture], sums: Sequence[str], rows: Sequence[np.ndarray]
) -> list[str]:
    """Sentences on pictures that are equal: in several parts they make a score too good, in
    several classes one of their labels is wrong."""
    part_of_row = {int(row): part for part, some in enumerate(rows) for row in some}
    groups: dict[str, list[int]] = defaultdict(list)
    for row, each in enumerate(sums):
        groups[each].append(row)
    several = [group for group in groups.values() if len(group) > 1]
    across = [group for group in several if len({part_of_row[row] for row in group}) > 1]
    mixed = [group for group in several if len({pictures[row].label for row in group}) > 1]
    notes = []
    for found, where, so in (
        (across, "in several parts", "the scores of valid and test are too good"),
        (mixed, "with several labels", "some of these labels are wrong"),
    ):
        if found:
            one, other = (pictures[row].path for row in found[0][:2])
            count = sum(map(len, found))
            notes.append(f"{count:,} pictures are equal {where}, such as {one} and {other}: {so}.")
    return notes
