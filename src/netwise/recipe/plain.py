"""Parts as plain values (tables, rows, numbers, texts) and as TOML: what files hold, and what
hashes are computed of."""

from __future__ import annotations

from typing import Any

from netwise.part import Part


def plain_of(part: Part) -> dict[str, Any]:
    """A part as the plain values that its file has: its kind, and every field that is set.

    Fields that are None or an empty row are left out: TOML has no word for None.

    Example:
        >>> import netwise as nw
        >>> from netwise.recipe.plain import plain_of
        >>> plain_of(nw.StepDecay(every=5))
        {'kind': 'StepDecay', 'every': 5, 'factor': 0.1}
    """
    plain: dict[str, Any] = {"kind": part.kind} if part.kind else {}
    for name, value in part.written_fields().items():
        if value is None or value == ():
            continue
        if isinstance(value, Part):
            plain[name] = plain_of(value)
        elif isinstance(value, tuple):
            plain[name] = [plain_of(item) if isinstance(item, Part) else item for item in value]
        else:
            plain[name] = value
    return plain


def toml_of(part: Part) -> str:
    """A part as TOML; single values come before tables, as the format requires."""
    import tomli_w

    plain = plain_of(part)
    tables = {key: value for key, value in plain.items() if isinstance(value, dict | list)}
    values = {key: value for key, value in plain.items() if key not in tables}
    return tomli_w.dumps({**values, **tables})
