"""Files that are damaged in ways that a disk, a program or a person damages them.

    for damaged in mutations(raw, count=100, seed=3):
        ...

Half of the copies have other bytes; the others are still JSON, or lines of it, with another value.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from torture.mutations import entries

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.5, -1.5, 1e308, "nan", "inf",
    "-inf", "", "x", "\x1b[31m", "<script>", "ä" * 3000, "\ud800", "$x_{$", [], {}, [[]], [None],
    {"": 1}, [1] * 1000, {"a": {"b": {"c": []}}}, "0", [0.1, "a"],
)  # fmt: skip
TOKENS = (
    b"\x00", b"\xff", b"\n", b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"NaN", b"1e999",
    b"-", b"9" * 5000, b"[" * 100_000, b"\\ud800", b"\xef\xbb\xbf", b"\r\n", b"= ", b"'''",
)  # fmt: skip


def mutations(raw: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Damaged copies of the content of a file; the same ones for equal arguments."""
    draw = random.Random(seed)
    for number in range(count):
        changed = None if number % 2 else _with_another_value(raw, draw)
        yield _with_other_bytes(raw, draw) if changed is None else changed


def _with_other_bytes(raw: bytes, draw: random.Random) -> bytes:
    place, end = sorted(draw.randrange(len(raw) + 1) for _ in range(2))
    kind = draw.randrange(7)
    if kind == 0:  # a flipped bit
        place = min(place, len(raw) - 1)
        return raw[:place] + bytes([raw[place] ^ 1 << draw.randrange(8)]) + raw[place + 1 :]
    if kind == 1:  # the end is missing
        return raw[:place]
    if kind == 2:  # a part is missing
        return raw[:place] + raw[end:]
    if kind == 3:  # a part is there twice
        return raw[:end] + raw[place:]
    if kind == 4:  # a block of zeros, as after a power cut
        return raw[:place] + bytes(min(end - place, 4096)) + raw[end:]
    if kind == 5:  # random bytes
        return raw[:place] + draw.randbytes(draw.randrange(1, 20)) + raw[place:]
    return raw[:place] + draw.choice(TOKENS) + raw[place:]


def _with_another_value(raw: bytes, draw: random.Random) -> bytes | None:
    """The JSON, or one line of it, with one value replaced, removed, added or renamed."""
    lines = raw.split(b"\n")
    for start in (
        [None]
        if raw.lstrip()[:1] in b"{[" and _is_json(raw)
        else draw.sample(range(len(lines)), min(3, len(lines)))
    ):
        text = raw if start is None else lines[start]
        if not _is_json(text):
            continue
        changed = json.dumps(_changed(json.loads(text), draw)).encode()
        return (
            changed if start is None else b"\n".join([*lines[:start], changed, *lines[start + 1 :]])
        )
    return None


def _is_json(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def _changed(value: Any, draw: random.Random) -> Any:
    """The value, with another one at a random place in it."""
    places = list(entries(value))
    if not places:
        return draw.choice(STRANGE)
    holder, key = draw.choice(places)
    kind = draw.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[draw.choice(["", "x", "step", "kind", "\ud800", "a|b"])] = holder.pop(key)
    elif kind == 2 and isinstance(holder, dict):
        holder[draw.choice(["y", "extra", str(key) + "s"])] = draw.choice(STRANGE)
    else:
        holder[key] = draw.choice(STRANGE)
    return value
