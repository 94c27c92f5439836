"""Tables that are one JSON object: columns, rows by their labels, or a list of rows inside."""

from __future__ import annotations

import json
from typing import Any


def table_of_object(raw: bytes) -> Any:
    """The table in a text that is one JSON object: a mapping of columns or a list of rows; None
    for several objects, one in each line, and for an object that is a single row.

    Read are `{"a": [1, 2]}`, `{"a": {"0": 1, "1": 2}}` (pandas' `to_json()`), `{"columns": ["a"],
    "data": [[1], [2]]}` (its `orient="split"`), rows by their labels (`orient="index"`), and
    objects of which one value is a list of rows, such as `{"data": [{"a": 1}, {"a": 2}]}`.

    >>> table_of_object(b'{"a": {"0": 1, "1": 2}}'), table_of_object(b'{"a": 1}')
    ({'a': [1, 2]}, None)
    """
    first, _, rest = raw.strip().partition(b"\n")
    if rest and _is_whole(first):
        return None  # an object in each line
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(found, dict) or not found:
        return None
    return _table(found)


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _have_length(lists: list[Any], length: int) -> bool:
    return bool(lists) and all(isinstance(each, list) and len(each) == length for each in lists)


def _table(found: dict[str, Any]) -> Any:
    columns, rows = found.get("columns"), found.get("data")
    if isinstance(columns, list) and isinstance(rows, list) and _have_length(rows, len(columns)):
        return {str(name): [row[i] for row in rows] for i, name in enumerate(columns)}
    values = list(found.values())
    is_of_rows = isinstance(values[0], list) and any(isinstance(v, dict) for v in values[0])
    if not is_of_rows and isinstance(values[0], list) and _have_length(values, len(values[0])):
        return found
    if all(isinstance(value, dict) for value in values):
        labels = list(values[0])
        if labels and all(list(value) == labels for value in values):
            numbered = all(label.isdigit() for label in labels)
            if numbered or len(labels) > len(values):
                return {name: list(value.values()) for name, value in found.items()}
            return values if len(values) > 1 else None
    lists = [v for v in values if isinstance(v, list) and v and isinstance(v[0], dict)]
    return lists[0] if len(lists) == 1 else None
