"""The encoding of a file of text, found from its bytes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from netwise.errors import DataError

SAMPLE = 2**18  # bytes that are looked at where the text is no UTF-8
# Marks at the beginning of a file; those of UTF-32 begin with those of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
LEAST_FOREIGN = 16  # bytes beyond ASCII that a guess needs
MIXED = "utf-8 and cp1252"
LEAST_MIXED, MIXED_SHARE = 3, 0.05  # lines that are UTF-8, and their share of those beyond ASCII
FOREIGN = 0.25  # share of letters beyond ASCII from which on a text may be no western one


@dataclass(frozen=True)
class Decoded:
    """A text as UTF-8.

    Args:
        utf8: its bytes, without a byte order mark.
        encoding: of the file.
        reason: how it was found.
    """

    utf8: bytes
    encoding: str
    reason: str


def decode(raw: bytes, path: str, given: str | None = None) -> Decoded:
    """The text of a file as UTF-8.

    Args:
        raw: the bytes of the file.
        path: of the file, for messages.
        given: the encoding, where it is known.

    Raises:
        DataError: the bytes are no text of the given encoding, or of any.
    """
    if given is not None:
        return _as_given(raw, path, given)
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            reason = "the byte order mark says so"
            return Decoded(_utf8(raw[len(mark) :], encoding, path, reason), encoding, reason)
    wide = wide_encoding(raw)
    if wide:
        reason = "every other byte is zero"
        return Decoded(_utf8(raw, wide, path, reason), wide, reason)
    try:
        raw.decode("utf-8")
        return Decoded(raw, "utf-8", "all bytes are valid")
    except UnicodeDecodeError as error:
        encoding, reason = _narrow(raw, error)
    return Decoded(_utf8(raw, encoding, path, reason), encoding, reason)


def _as_given(raw: bytes, path: str, given: str) -> Decoded:
    try:
        name = codecs.lookup(given).name
    except LookupError:
        raise DataError(
            f"encoding = {given!r} is no encoding that Python knows: write utf-8, cp1252, latin-1 "
            "or utf-16, or leave it out to have it found"
        ) from None
    try:
        text = raw.decode(name)
    except (UnicodeDecodeError, AssertionError) as error:
        raise DataError(
            f"{path} is no {given} text ({error}): leave encoding out to have it found"
        ) from None
    return Decoded(text.removeprefix("\ufeff").encode("utf-8", "replace"), name, "as given")


def _utf8(raw: bytes, encoding: str, path: str, reason: str) -> bytes:
    if encoding == MIXED:
        return of_mixed(raw).encode("utf-8")
    if encoding == "utf-8":
        return raw.decode("utf-8", "replace").encode("utf-8") if not _valid(raw) else raw
    try:
        return raw.decode(encoding, "replace").encode("utf-8", "replace")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} looks like {encoding} text ({reason}), and is none ({error}): pass its "
            'encoding, such as encoding="cp1252"'
        ) from None


def _valid(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def wide_encoding(raw: bytes) -> str:
    """UTF-16 without a mark: plain text has a zero in every other byte."""
    sample = raw[: SAMPLE // 2 * 2]
    if len(sample) < 4 or b"\0" not in sample:
        return ""
    half = len(sample) // 2
    even, odd = sample[::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else ""


def _is_mixed(raw: bytes) -> bool:
    """Whether characters beyond ASCII are UTF-8 in some lines and not in others, as in files that
    were put together. Single lines of cp1252 that happen to be UTF-8 are too few to count."""
    lines = [line for line in raw.splitlines() if not line.isascii()]
    valid = sum(map(_valid, lines))
    return valid < len(lines) and valid >= max(LEAST_MIXED, MIXED_SHARE * len(lines))


def of_mixed(raw: bytes) -> str:
    """A text of which each line is UTF-8, or else western Windows."""
    lines = raw.splitlines(keepends=True)
    return "".join(line.decode("utf-8" if _valid(line) else "cp1252", "replace") for line in lines)


def _narrow(raw: bytes, error: UnicodeDecodeError) -> tuple[str, str]:
    """The encoding of a text that is no UTF-8."""
    text = raw.decode("utf-8", "replace")
    if _is_mixed(raw):
        return MIXED, "some lines are UTF-8, and others are text of western Windows"
    broken = text.count("\ufffd")
    beyond = sum(1 for c in text[:SAMPLE] if ord(c) > 127 and c != "\ufffd")
    if beyond > 10 * broken:
        line = raw.count(b"\n", 0, error.start) + 1
        return "utf-8", f"{broken} broken characters are shown as \ufffd, the first in line {line}"
    lines = [line for line in raw.splitlines() if not line.isascii()]
    sample = b"\n".join(lines)[:SAMPLE]
    high = sum(byte > 127 for byte in sample)
    letters = high + sum(chr(byte).isalpha() for byte in sample if byte < 128)
    if high >= LEAST_FOREIGN and high > FOREIGN * letters:
        from charset_normalizer import from_bytes  # heavy

        best = from_bytes(sample).best()
        if best is not None and not best.encoding.startswith(("ascii", "utf")):
            return best.encoding, "charset-normalizer finds it the likeliest"
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", "some bytes are no UTF-8, and some no cp1252"
    return "cp1252", "some bytes are no UTF-8, and all are characters of western Windows"
