"""Damage to bytes and to plain values, as disks, editors and strangers make it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

WEIRD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 10**400, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), "", "nan", "inf", "x" * 5000, "\x00", "\ud800", "../../etc"),
    *("0", "1e999", [], {}, [[]], [None], {"": ""}, [1, 2, 3], ["a", "b"], {"kind": "MLP"}),
)
DEPTH = 3000  # of nested lists, more than Python's recursion limit


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """The bytes with one to three random changes."""
    for _ in range(chance.randint(1, 3)):
        raw = chance.choice(_CHANGES)(raw, chance)
    return raw


def _flip(raw: bytes, chance: random.Random) -> bytes:
    if not raw:
        return b"\x01"
    place = chance.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ (1 << chance.randrange(8))]) + raw[place + 1 :]


def _digit(raw: bytes, chance: random.Random) -> bytes:
    """Another digit in the place of one: the file stays readable."""
    places = [place for place, byte in enumerate(raw[:100_000]) if 48 <= byte <= 57]
    if not places:
        return _flip(raw, chance)
    place = chance.choice(places)
    return raw[:place] + str(chance.randrange(10)).encode() + raw[place + 1 :]


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randint(0, len(raw))]


def _remove(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randint(0, len(raw))
    return raw[:start] + raw[start + chance.choice((1, 2, 10, 1000)) :]


def _insert(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randint(0, len(raw))
    return raw[:start] + chance.choice(_PIECES) + raw[start:]


def _zero(raw: bytes, chance: random.Random) -> bytes:
    """Blocks of zeros, as a file system leaves them after a power failure."""
    start, length = chance.randint(0, len(raw)), chance.choice((1, 8, 512, 4096))
    return raw[:start] + bytes(len(raw[start : start + length])) + raw[start + length :]


def _repeat(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randint(0, len(raw))
    return raw[: start + chance.randint(0, 2000)] + raw[start:]


def _random(raw: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 7, 8, 9, 100, 5000)))


def _other(raw: bytes, chance: random.Random) -> bytes:
    return chance.choice(_FILES)


_CHANGES = (
    *(_flip, _flip, _flip, _digit, _digit, _cut, _remove, _insert, _zero, _repeat),
    *(_random, _other),
)
_PIECES = (
    *(
        b"\x00",
        b"\n",
        b"\r",
        b'"',
        b"'",
        b"{",
        b"}",
        b"[" * DEPTH,
        b",",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ),
    *(
        b"\xef\xbb\xbf",
        b"\x1b[2J",
        b"1e999",
        b"-",
        b"null",
        b"NaN",
        "\u2028".encode(),
        b"\xed\xa0\x80",
        b"9" * 6000,
    ),
)
_FILES = (
    *(
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\x00" * 100,
    ),
    *(
        b"\x00" * 100,
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"GIF89a",
        b"\x80\x02.",
        b"a,b\n1,2\n",
    ),
    *(b"\xff\xff\xff\xff\xff\xff\xff\x7f{}", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"),
)


def changed_value(value: Any, chance: random.Random) -> Any:
    """A plain value, as JSON or TOML has it, with one entry replaced, removed, renamed or added."""
    value = copy.deepcopy(value)
    places = list(entries(value))
    if not places:
        return chance.choice(WEIRD)
    container, key = chance.choice(places)
    kind = chance.randrange(8)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[f"{key}x"] = container.pop(key)
    elif kind == 2 and isinstance(container, dict):
        container[chance.choice(("", "kind", "__class__", "new"))] = chance.choice(WEIRD)
    elif kind == 3:
        other_container, other = chance.choice(places)
        container[key] = copy.deepcopy(other_container[other])
    else:
        container[key] = chance.choice(WEIRD)
    return value


def entries(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of all entries, in all depths."""
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield value, key
            yield from entries(value[key])


def changed_json(raw: bytes, chance: random.Random) -> bytes:
    """The bytes of a JSON file with one entry changed; still JSON, or what Python writes for it."""
    return json.dumps(changed_value(json.loads(raw), chance)).encode()


def changed_lines(raw: bytes, chance: random.Random) -> bytes:
    """The bytes of a file with a JSON value in each line, with one of them changed, removed,
    repeated, or exchanged with another."""
    lines = raw.splitlines(keepends=True)
    one, other = (chance.randrange(len(lines)) for _ in range(2))
    kind = chance.randrange(4)
    if kind == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 1:
        lines.insert(other, lines[one])
    elif kind == 2:
        del lines[one]
    else:
        lines[one] = changed_json(lines[one], chance) + b"\n"
    return b"".join(lines)
