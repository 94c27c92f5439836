"""Checksums of a run's files, all in `about.json`, which has one of its own.

    sha256   of all other values of about.json, as canonical JSON
    recipe   the text of recipe.toml: a changed recipe is refused with what differs
    rows     number, size and SHA-256 of the rows in their file when about.json was written
    files    SHA-256 of other files, by name

Each file is written and synced before the about.json that counts on it. Folders of earlier versions
have none of these entries, and are read unchecked.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netwise.errors import short_repr
from netwise.renamed import with_old_names
from netwise.schema import SchemaError

SHA256, RECIPE_TEXT, ROWS_SEAL, FILES = "sha256", "recipe", "rows", "files"


@dataclass(frozen=True)
class RowsSeal:
    """What the first rows of a history are known to be.

    Args:
        count: of rows.
        size: of their lines in bytes, each with its end.
        sha256: of these bytes.
    """

    count: int
    size: int
    sha256: str

    @staticmethod
    def of(raw: bytes) -> RowsSeal:
        """That of these complete lines."""
        return RowsSeal(raw.count(b"\n"), len(raw), hashlib.sha256(raw).hexdigest())

    @staticmethod
    def read(about: Mapping[str, Any]) -> RowsSeal | None:
        """That in the values of about.json; None where there is none."""
        plain = about.get(ROWS_SEAL)
        return None if plain is None else RowsSeal(**plain)


class RowsCheck:
    """Compares a file of rows with its seal while the file is read.

    Args:
        seal: of the file's first rows.
    """

    def __init__(self, seal: RowsSeal) -> None:
        self.seal, self._size, self._digest = seal, 0, hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        left = self.seal.size - self._size
        self._size += len(chunk)
        if left > 0:
            self._digest.update(chunk[:left])

    def require(self, may_have_more: bool) -> None:
        """Check that all rows of the seal were there.

        Args:
            may_have_more: later rows may follow.

        Raises:
            SchemaError: rows are missing, changed, or too many.
        """
        rows, more = f"the {self.seal.count} rows of this run", self._size - self.seal.size
        if more < 0:
            raise SchemaError("", f"is {-more} bytes shorter than {rows}")
        if self._digest.hexdigest() != self.seal.sha256:
            raise SchemaError("", f"has others than {rows}: their SHA-256 sum differs")
        if more and not may_have_more:
            raise SchemaError("", f"has {more} bytes after {rows}")


def sealed(about: Mapping[str, Any]) -> dict[str, Any]:
    """The values of about.json with their checksum. They have to be plain, as JSON holds them."""
    return {**about, SHA256: _digest(about)}


def is_whole(about: Mapping[str, Any]) -> bool:
    """Whether the values of about.json have the checksum that they hold; true without one."""
    rest = {name: value for name, value in about.items() if name != SHA256}
    return SHA256 not in about or about[SHA256] == _digest(rest)


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def recipe_changes(text: str, about: Mapping[str, Any], recipe_hash: str) -> list[str]:
    """How a recipe's file differs from the recipe that a run was begun with, such as "optimizer.lr
    = 0.5, and was 0.1". Comments and the order of fields do not count.

    Args:
        text: of the file.
        about: values of about.json. Earlier versions recorded only the hash of the recipe.
        recipe_hash: of the recipe in the file.
    """
    recorded = about.get(RECIPE_TEXT)
    if recorded is not None:
        return [] if text == recorded else _changes(tomllib.loads(text), tomllib.loads(recorded))
    known = about.get("made_by", {}).get("recipe")
    # The hash of the text is that of the version that wrote it, which may have had fewer fields.
    if not known or known in (recipe_hash, hash_of_text(text)):
        return []
    return [f"the hash of the recipe is {recipe_hash}, and was {known}"]


def hash_of_text(text: str) -> str:
    """The hash of the recipe whose file has this text; see `Recipe.hash`."""
    return hashlib.sha256(with_old_names(text).encode()).hexdigest()[:12]


def _changes(now: Any, before: Any, name: str = "") -> list[str]:
    if isinstance(now, dict) and isinstance(before, dict):
        inner = f"{name}." if name else ""
        return [
            change
            for key in {**before, **now}
            for change in _changes(now.get(key), before.get(key), f"{inner}{key}")
        ]
    if type(now) is type(before) and now == before:
        return []
    old = "absent" if before is None else short_repr(before)
    return (
        [f"{name} is absent, and was {old}"]
        if now is None
        else [f"{name} = {short_repr(now)}, and was {old}"]
    )
