"""Pages of the labs, the study notes and their errata, made from the package itself."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rst import contents, heading, plain  # beside this file

import netwise as nw
from netwise.labs.errata.erratum import errata
from netwise.labs.published import measurement, published_numbers, state_of
from netwise.labs.record import RESULTS, recorded, recorded_with
from netwise.notes.outline import SectionContent, contents as sections, notes


def lab_pages() -> dict[str, str]:
    """A page for each lab with its recorded result."""
    pages = {lab.name: _lab_page(lab) for lab in nw.LABS}
    intro = (
        "A lab is a published claim as an experiment that runs again: ``netwise lab L01``. "
        "Its criteria can fail; the verdicts here are those of the recorded results."
    )
    titles = [f"{_title(lab)}. {lab.claim} <{lab.name}>" for lab in nw.LABS]
    pages["published"] = published_page()
    pages["index"] = contents("Labs", intro, ["published", *titles])
    return pages


def published_page() -> str:
    """A table of published numbers and what netwise reaches."""
    page = heading("Published numbers")
    page += "On the command line: ``netwise published``. Means over seeds, with their range.\n\n"
    page += ".. list-table::\n   :header-rows: 1\n\n"
    page += _row("what", "asked", "published", "best known", "netwise", "")
    for number in published_numbers().values():
        measured = measurement(number)
        reached = "not measured"
        if measured is not None:
            span = f"{measured.low:.4g} to {measured.high:.4g}, " * (measured.low < measured.high)
            reached = f"{measured.value:.4g} ({span}seeds: {measured.seeds}), {measured.date}"
        asked = f"at {'least' if number.better == 'higher' else 'most'} {number.target:g}"
        state = state_of(number, measured)
        what = f"{number.what} ({number.remark})" if number.remark else number.what
        page += _row(what, asked, number.published, number.anchor, reached, state)
    return page


def _row(*cells: str) -> str:
    lines = (f"{'   * -' if i == 0 else '     -'} {plain(c)}\n" for i, c in enumerate(cells))
    return "".join(lines)


def _title(lab: nw.Lab[Any]) -> str:
    result = recorded(lab.name)
    return f"{lab.name}: {result['verdict'] if result else 'not run yet'}"


def _lab_page(lab: nw.Lab[Any]) -> str:
    text, result = lab.text, recorded(lab.name)
    page = heading(_title(lab)) + f"**{plain(lab.claim)}**\n\n"
    if text.claim_zh:
        page += f"{plain(text.claim_zh)}\n\n"
    if text.why:
        page += heading("Why one would believe it", "-") + f"{plain(text.why)}\n\n"
    page += heading("Experiment", "-") + f"{plain(text.experiment)}\n\n"
    if (RESULTS / f"{lab.name}.svg").is_file():
        page += f".. image:: {lab.name}.svg\n   :alt: the figure of {lab.name}\n\n"
    page += heading("What was found", "-")
    if text.meaning:
        page += f"{plain(text.meaning)}\n\n"
    if result:
        page += "".join(_criterion(row) for row in result["criteria"]) + "\n"
        page += f"{recorded_with(lab.name)}\n\n"
    if text.erratum:
        page += f"It shows erratum :ref:`{text.erratum} <{text.erratum}>`.\n\n"
    page += heading("Change one thing", "-")
    page += "".join(f"- {plain(each.text)} ``{each.command(lab.name)}``\n" for each in text.change)
    return (
        page + f"- Run it as it is: ``netwise lab {lab.name}``\n\nSource: {plain(text.source)}.\n"
    )


def _criterion(row: dict[str, Any]) -> str:
    holds = "holds" if row["holds"] else "does not hold"
    if not row["of_the_note"]:
        holds += " (beside the claim)"
    return f"- {plain(row['says'])}: measured {row['seen']:.4g}, {holds}.\n"


def note_pages() -> dict[str, str]:
    """A page for each study note, and one of all errata."""
    pages = {}
    for number, group in groupby(sections(), lambda content: content.note):
        note = notes()[number]
        text = heading(f"Note {number}: {note.en} ({note.zh})")
        pages[number] = text + "".join(_section(content) for content in group)
    pages["errata"] = heading("Errata of the notes") + "".join(
        f".. _{name}:\n\n{heading(f'{name}: {plain(each.topic)}', '-')}"
        f"Printed: {plain(each.printed)}\n\nRight: {plain(each.right)}\n\n"
        f"Check it: ``netwise errata {name}``\n\n"
        for name, each in errata().items()
    )
    intro = (
        "netwise implements what five study notes on neural networks describe. These pages follow "
        "their outline: what each section describes, where netwise has it, and the labs that test "
        "its claims. On the command line: ``netwise notes``."
    )
    pages["index"] = contents("Study notes", intro, list(pages))
    return pages


def _section(content: SectionContent) -> str:
    known = {lab.name for lab in nw.LABS}
    text = heading(plain(content.section.zh), "-") + f"{plain(content.section.en)}\n\n"
    for name, item in content.items.items():
        where = ", ".join(f"``{place}``" for place in item.where)
        text += f"- {name}: {plain(item.en)}. {where}\n"
    text += "".join(
        f"- Lab :doc:`{name} </labs/{name}>`: {plain(line.text.claim)} "
        f"({line.verdict or 'not run yet'})\n"
        for name, line in content.labs.items()
        if name in known
    )
    text += "".join(
        f"- Erratum :ref:`{name} <{name}>`: {plain(each.topic)}\n"
        for name, each in content.errata.items()
    )
    return text + "\n"
