"""The HTML page of the notes: all sections, with a search box."""

from __future__ import annotations

import base64
import hashlib
from itertools import groupby
from pathlib import Path

from netwise.atomic import write_atomically
from netwise.labs.catalogue import lab_texts
from netwise.labs.errata.erratum import errata
from netwise.notes.outline import contents, items, notes
from netwise.report.page import render, source_of


def write_notes_page(path: Path) -> Path:
    """Write the page. Its only script is the search; the page's policy names it by its digest, so
    that no other script runs.

    Raises:
        FileAccessError: the file cannot be written.
    """
    script = source_of("notes.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    grouped = [
        (number, notes()[number], list(group))
        for number, group in groupby(contents(), lambda content: content.note)
    ]
    counts = (
        f"{len(grouped)} notes, {sum(len(group) for *_, group in grouped)} sections, "
        f"{len(items())} things that they describe, {len(lab_texts())} labs, "
        f"{len(errata())} errata."
    )
    text = render(
        "notes.html",
        title="Study notes",
        counts=counts,
        notes=grouped,
        script=script,
        script_digest=digest,
    )
    write_atomically(path, text)
    return path
