"""Which pictures a folder has, and of what class and part each is, by the folders that they lie in.

People keep pictures in many ways: a folder for each class, such folders below `train` and `test`,
folders below the folder of a class, all of it inside one more folder of an archive. One rule reads
them all: the folders of a picture, from the outermost, are wrappers, a part, the class, and what
the class is divided into.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from netwise.data.image_files.decoding import ENDINGS
from netwise.errors import DataError
from netwise.printed_text import printable
from netwise.regular_files import open_regular

TRAIN, VALID, TEST = "train", "valid", "test"
PART_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("valid", "validation", "validate", "val", "dev"), VALID),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "holdout"), TEST),
}
FIRST, LAST, NAME = "first folder", "last folder", "file name"
SYSTEM_NAMES = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "lost+found"}
)
# Pictures that no format of `FORMATS` holds: they are named, since a class may consist of them.
# fmt: off
OTHER_PICTURES = frozenset({
    ".heic", ".heif", ".hif", ".jp2", ".j2k", ".jpx", ".jxl", ".svg", ".psd", ".ico", ".tga",
    ".exr", ".hdr", ".dds", ".xcf", ".eps", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf",
    ".rw2", ".dcm", ".nii", ".npy",
})
# fmt: on
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
MOST_FILES = 5_000_000  # a folder of more was named by mistake

HIDDEN = "hidden files or files of the system"
NO_PICTURE = "files that are no pictures"
UNREAD = "pictures of a format that is not read (save them as PNG or JPEG)"
NO_CLASS = "pictures that lie in the folder of no class"
EMPTY = "empty folders"
NO_PART = "pictures beside the folders of the parts"
ONE = {  # of each, how one is written
    HIDDEN: "hidden file or file of the system",
    NO_PICTURE: "file that is no picture",
    UNREAD: "picture of a format that is not read (save it as PNG or JPEG)",
    NO_CLASS: "picture that lies in the folder of no class",
    EMPTY: "empty folder",
    NO_PART: "picture beside the folders of the parts",
}


@dataclass(frozen=True)
class Picture:
    """One picture of a data set.

    Args:
        path: of its file.
        label: its class, or its number as text.
        part: "train", "valid", "test"; "" where netwise chooses it.
    """

    path: Path
    label: str
    part: str = ""


@dataclass(frozen=True)
class LeftOutFiles:
    """Files that are not used.

    Args:
        reason: what they are, in the plural.
        count: how many.
        examples: paths of some of them.
    """

    reason: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.examples) else ""
        reason = ONE.get(self.reason, self.reason) if self.count == 1 else self.reason
        return printable(f"{self.count:,} {reason}: {', '.join(self.examples)}{more}")


@dataclass(frozen=True)
class Listing:
    """What a folder has.

    Args:
        pictures: of all classes, by class and path.
        left_out: everything else.
        notes: sentences on how the folders were understood.
        are_numbers: labels are numbers to learn, and no classes.
    """

    pictures: tuple[Picture, ...]
    left_out: tuple[LeftOutFiles, ...] = ()
    notes: tuple[str, ...] = ()
    are_numbers: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({picture.label for picture in self.pictures}))


@dataclass(frozen=True)
class _Found:
    """A picture whose class is not known yet: its path, and the folders that still tell it."""

    path: Path
    folders: tuple[str, ...]
    part: str = ""
    unread: bool = False  # of no format that is read


class _Leftovers:
    """Counts what is left out, and keeps the first names of each kind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def add(self, path: Path, reason: str) -> None:
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < 3:
            examples.append(str(path.relative_to(self.root)))

    def all(self) -> tuple[LeftOutFiles, ...]:
        return tuple(LeftOutFiles(r, n, tuple(self.examples[r])) for r, n in self.counts.items())


def list_folder(root: Path, classes_from: str = FIRST) -> Listing:
    """The pictures of a folder, of whatever depth, with their classes and parts.

    Args:
        root: the folder.
        classes_from: what names the class of a picture. `FIRST`: the outermost folder that is no
            wrapper and no part; `LAST`: all of them, joined by "/", so that each folder is a class;
            `NAME`: the letters that its file name begins with.

    Raises:
        DataError: no such folder, one that cannot be listed, or less than two classes in it.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> for name in ("train/cat/1.jpg", "train/dog/poodle/2.jpg", "test/cat/3.jpg", "._x.jpg"):
        ...     (root / name).parent.mkdir(parents=True, exist_ok=True)
        ...     _ = (root / name).write_bytes(b"")
        >>> listing = list_folder(root)
        >>> [(picture.label, picture.part) for picture in listing.pictures]
        [('cat', 'test'), ('cat', 'train'), ('dog', 'train')]
        >>> str(listing.left_out[0])
        '1 hidden file or file of the system: ._x.jpg'
    """
    if not root.is_dir():
        raise DataError(
            f"{root} is no folder (looked in {Path.cwd()}): name the folder that has one "
            "folder of images for each class, or a CSV file of paths and labels"
        )
    left = _Leftovers(root)
    found = [
        _Found(
            path, path.relative_to(root).parts[:-1], "", path.suffix.casefold() in OTHER_PICTURES
        )
        for path in _files(root, left)
    ]
    found, notes = _without_wrappers(found, classes_from)
    found, parts = _with_parts(found, left, classes_from)
    notes += parts
    naming: Callable[[_Found], str | None] = _NAMING[classes_from]
    pictures: list[Picture] = []
    unread: dict[str | None, Path] = {}
    for each in found:
        name = naming(each)
        if each.unread:
            left.add(each.path, UNREAD)
            unread[name] = each.path
        elif name is None:
            left.add(each.path, NO_CLASS)
        else:
            pictures.append(Picture(each.path, name, each.part))
    pictures.sort(key=lambda each: (each.label, each.path))
    listing = Listing(tuple(pictures), left.all(), tuple(notes + _divided(found, classes_from)))
    _require_classes(root, listing, found)
    lost = sorted(name for name in unread if name is not None and name not in listing.classes)
    if lost:
        raise DataError(
            f"{root}: all pictures of class {lost[0]!r} are of a format that is not read, such as "
            f"{unread[lost[0]]}: save them as PNG or JPEG, or move them elsewhere"
        )
    return listing


_NAMING: Mapping[str, Callable[[_Found], str | None]] = {
    FIRST: lambda each: each.folders[0] if each.folders else None,
    LAST: lambda each: "/".join(each.folders) or None,
    NAME: lambda each: _name_class(each.path.name),
}


def _name_class(name: str) -> str | None:
    """The letters that a file name begins with: "cat" of cat.12.jpg and of cat_black-3.png."""
    letters = re.match(r"[^\W\d_]+", name.rpartition(".")[0])
    return letters[0] if letters else None


def _files(root: Path, left: _Leftovers) -> Iterator[Path]:
    """All pictures below a folder; what is none goes to `left`. Links to
    folders are followed, except into a folder that they lie in."""
    count = 0
    stack: list[tuple[Path, tuple[str, ...]]] = [(root, (os.path.realpath(root),))]
    while stack:
        folder, above = stack.pop()
        entries = _entries(folder)
        if not entries:
            left.add(folder, EMPTY)
        for entry in entries:
            count += 1
            if count > MOST_FILES:
                raise DataError(
                    f"{root} has more than {MOST_FILES:,} files: name the folder of the pictures"
                )
            path = folder / entry.name
            if entry.name.startswith(".") or entry.name.casefold() in SYSTEM_NAMES:
                left.add(path, HIDDEN)
            elif entry.is_dir():
                inside = os.path.realpath(path)
                if inside not in above:
                    stack.append((path, (*above, inside)))
            elif path.suffix.casefold() in OTHER_PICTURES or _is_picture(path, entry):
                yield path
            else:
                left.add(path, NO_PICTURE)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be listed: {error.strerror}. Allow it: chmod u+rx '{folder}'"
        ) from None


def _is_picture(path: Path, entry: os.DirEntry[str]) -> bool:
    """By the ending; a file of unknown or no ending by its first bytes."""
    ending = path.suffix.casefold()
    if ending in ENDINGS:
        return True
    if mimetypes.guess_type(path.name)[0] or not entry.is_file():
        return False
    try:
        with open_regular(path) as file:
            start = file.read(16)
    except OSError:
        return False
    return start.startswith(SIGNATURES) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def _without_wrappers(found: list[_Found], classes_from: str) -> tuple[list[_Found], list[str]]:
    """The pictures without outer folders that hold all folders, as those of an archive do, and a
    sentence on them. Pictures beside the folders of classes, such as a cover, do not make a wrapper
    the only class; where each folder is a class, they make it one of them."""
    depth = min if classes_from == LAST else max
    wrappers: list[str] = []
    while True:
        inside = [each.folders for each in found if each.folders]
        first = {folders[0] for folders in inside}
        if len(first) != 1 or part_of(next(iter(first))) or depth(map(len, inside)) < 2:
            break
        wrappers += first
        found = [replace(each, folders=each.folders[1:]) for each in found]
    note = f"All folders of classes lie in {'/'.join(wrappers)}." if wrappers else ""
    return found, [note] if note else []


@cache
def part_of(name: str) -> str:
    """The part that the name of a folder means, such as "train" of `Training_set`; "" if none.

    Example:
        >>> [part_of(name) for name in ("train", "seg_test", "Val", "test1", "cats", "trains")]
        ['train', 'test', 'valid', 'test', '', '']
    """
    words = [word.rstrip("0123456789") for word in re.split(r"[\W_]+", name.casefold())]
    parts = {PART_WORDS[word] for word in words if word in PART_WORDS}
    return parts.pop() if len(parts) == 1 else ""


def _with_parts(
    found: list[_Found], left: _Leftovers, classes_from: str
) -> tuple[list[_Found], list[str]]:
    """The pictures with their parts, where folders are named after parts: the outer ones, or those
    in the folder of each class."""
    for level in (0, 1):
        deep = [each for each in found if len(each.folders) > level]
        names = {each.folders[level] for each in deep}
        parts = {part_of(name) for name in names}
        others = "" in parts
        # A class may be called train; beside it there is another class, and no other part.
        if TRAIN not in parts or (others and (level or len(parts) < 3)):
            continue
        with_class = any(part_of(each.folders[level]) and len(each.folders) > 1 for each in deep)
        if not with_class or (level and len(deep) < len(found)):
            continue
        return _split_by_part(found, level, left, classes_from)
    return found, []


def _split_by_part(
    found: list[_Found], level: int, left: _Leftovers, classes_from: str
) -> tuple[list[_Found], list[str]]:
    """The pictures in folders of parts, without these folders in their paths."""
    by_part: dict[str, list[_Found]] = {TRAIN: [], VALID: [], TEST: []}
    for each in found:
        part = part_of(each.folders[level]) if len(each.folders) > level else ""
        if part:
            folders = each.folders[:level] + each.folders[level + 1 :]
            by_part[part].append(replace(each, folders=folders, part=part))
        else:
            left.add(each.path, NO_PART)
    # An archive train.zip with a folder train in it becomes train/train.
    same = {
        part: all(part_of(each.folders[0]) == part for each in some if each.folders)
        for part, some in by_part.items()
    }
    kept = [
        replace(each, folders=each.folders[1:]) if same[part] and not level else each
        for part, some in by_part.items()
        for each in some
    ]
    kept, _ = _without_wrappers(kept, classes_from) if not level else (kept, [])
    used = {each.part for each in kept if each.folders}
    names = ", ".join(part for part in by_part if part in used)
    absent = [part for part in (VALID, TEST) if part not in used]
    verb = "are" if len(absent) > 1 else "is"
    more = f" {' and '.join(absent)} {verb} split off train." if absent else ""
    return kept, [f"Folders are named after parts: {names}.{more}"]


def _divided(found: Sequence[_Found], classes_from: str) -> list[str]:
    """A sentence on folders inside those of the classes."""
    inner = {each.folders for each in found if len(each.folders) > 1}
    if classes_from != FIRST or not inner:
        return []
    count = sum(len(each.folders) > 1 for each in found)
    example = "/".join(min(inner))
    return [
        (
            f"{count:,} pictures in {len(inner):,} folders inside those of classes, such as "
            f"{example}, are of the outer class. For a class from each folder: "
            f'classes_from = "{LAST}".'
        )
    ]


def _require_classes(root: Path, listing: Listing, found: Sequence[_Found]) -> None:
    """Refuse less than two classes, with what the folder has and what to do."""
    classes = listing.classes
    if len(classes) >= 2:
        return
    left = "".join(f" Left out: {each}." for each in listing.left_out)
    if not found:
        endings = ", ".join(sorted(ENDINGS))
        raise DataError(f"{root} has no image files: add some ({endings}).{left}")
    have = f"pictures of the single class {classes[0]!r}" if classes else "no folders of classes"
    raise DataError(
        f"{root} has {have}, and classification needs two: make one folder for each class, or name "
        f"a CSV file of paths and labels.{_names_hint(found)}{left}"
    )


def _names_hint(found: Sequence[_Found]) -> str:
    """What file names would give as classes, if they look like that."""
    names = Counter(_name_class(each.path.name) for each in found)
    if not 2 <= len(names) <= 1000 or None in names or min(names.values()) < 2:
        return ""
    common = ", ".join(f"{name} ({count:,})" for name, count in names.most_common(5))
    return f' File names begin with {common}: if these are classes, write classes_from = "{NAME}".'
