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
        plain[name] = plain_value(value)
    return plain


def plain_value(value: Any) -> Any:
    """The value of a field as its file has it: parts as `plain_of` gives them, also in a row."""
    if isinstance(value, Part):
        return plain_of(value)
    if isinstance(value, tuple):
        return [plain_value(item) for item in value]
    return value


def toml_of(part: Part) -> str:
    """A part as TOML; single values come before tables, as the format requires."""
    import tomli_w

    plain = plain_of(part)
    tables = {key: value for key, value in plain.items() if isinstance(value, dict | list)}
    values = {key: value for key, value in plain.items() if key not in tables}
    return tomli_w.dumps({**values, **tables})
