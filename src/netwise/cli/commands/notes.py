"""The commands `notes` and `errata`. Only checks of errata load torch."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.cli.options import json_option
from netwise.cli.output import echo_json, require_new_file
from netwise.cli.terminal import echo
from netwise.errors import UnknownName, short_repr

if TYPE_CHECKING:
    from netwise.labs.errata.erratum import Check, Erratum
    from netwise.notes.outline import SectionContent


@click.command()
@click.argument("words", nargs=-1)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    help="Write all sections, with a search box, to this new HTML file.",
)
@json_option
def notes(words: tuple[str, ...], page: Path | None, as_json: bool) -> None:
    """Print the outline of the study notes with what of netwise belongs to each section.

    With WORDS, in English or Chinese, or the id of an item, a lab or an erratum: only the sections
    that have them.

    \b
    Examples:
      netwise notes
      netwise notes vanishing gradient
      netwise notes 梯度消失
      netwise notes N12
      netwise notes --html notes.html
    """
    if page is not None:
        require_new_file(page, (".html",))
        from netwise.notes.notes_page import write_notes_page  # heavy

        echo(f"Page: {write_notes_page(page)}")
        if not words and not as_json:
            return
    from netwise.notes.outline import (  # other commands need no outline
        contents,
        find_sections,
        notes as all_notes,
    )

    found = find_sections(" ".join(words)) if words else contents()
    if not found:
        raise click.UsageError(
            f"no section has all of the words {short_repr(' '.join(words))}. Write fewer words of "
            "a heading, such as dropout, or an id, such as N12, L07 or E05."
        )
    if as_json:
        echo_json([content.plain() for content in found])
        return
    for number, group in groupby(found, lambda content: content.note):
        note = all_notes()[number]
        echo(f"Note {number}: {note.en} ({note.zh})")
        for content in group:
            for line in _section_lines(content, full=bool(words)):
                echo(line)
        echo("")


def _section_lines(content: SectionContent, full: bool) -> list[str]:
    """A section as lines; `full` with the words of labs and errata."""
    lines = [f"  {content.section.zh}: {content.section.en}"]
    for name, item in content.items.items():
        where = f"  [{', '.join(item.where)}]" if item.where else ""
        lines.append(f"    {name}  {item.en}{where}")
    if full:
        lines += [
            f"    lab {name}  {line.text.claim} [{line.verdict or 'not run yet'}]"
            for name, line in content.labs.items()
        ]
        lines += [
            f"    erratum {name}  {each.topic}: {each.right}"
            for name, each in content.errata.items()
        ]
        return lines
    if content.labs:
        lines.append(f"    labs: {', '.join(content.labs)}")
    if content.errata:
        lines.append(f"    errata: {', '.join(content.errata)}")
    return lines


@click.command()
@click.argument("name", required=False)
@click.option("--check", "run_all", is_flag=True, help="Run the checks of all errata.")
@json_option
def errata(name: str | None, run_all: bool, as_json: bool) -> None:
    """List what the study notes print wrongly, and what is right; with NAME, run its check.

    \b
    Examples:
      netwise errata
      netwise errata E05
      netwise errata --check
    """
    from netwise.labs.errata.erratum import errata as all_errata  # other commands need none

    known = all_errata()
    if name is not None and name.upper() not in known:
        raise UnknownName("erratum", name, known)
    chosen = {key: each for key, each in known.items() if name is None or key == name.upper()}
    checks = _checks(list(chosen)) if name is not None or run_all else {}
    if as_json:
        echo_json([_plain(key, each, checks.get(key)) for key, each in chosen.items()])
        return
    for key, each in chosen.items():
        for line in _erratum_lines(key, each, checks.get(key)):
            echo(line)
    if not checks:
        echo("Run the check of one: netwise errata NAME")


def _checks(names: list[str]) -> dict[str, Check]:
    from netwise.labs.errata.checks import check_erratum  # heavy

    return {name: check_erratum(name) for name in names}


def _plain(name: str, erratum: Erratum, check: Check | None) -> dict[str, Any]:
    fields = ("note", "section", "topic", "topic_zh", "printed", "right")
    plain: dict[str, Any] = {"id": name, **{field: getattr(erratum, field) for field in fields}}
    plain["lab"] = erratum.lab or None
    if check is not None:
        plain["measured"] = dict(check.measured)
        plain["printed_fails"] = check.printed_fails
        plain["right_holds"] = check.right_holds
    return plain


def _erratum_lines(name: str, erratum: Erratum, check: Check | None) -> list[str]:
    lines = [
        f"{name}  {erratum.topic} ({erratum.topic_zh}), note {erratum.note}",
        f"  printed: {erratum.printed}",
        f"  right:   {erratum.right}",
    ]
    if check is not None:
        lines += [f"  measured: {what} = {value:.4g}" for what, value in check.measured.items()]
        lines.append(
            f"  What is printed {'fails' if check.printed_fails else 'holds here'}; "
            f"what is right {'holds' if check.right_holds else 'FAILS here'}."
        )
    if erratum.lab:
        lines.append(f"  Measured at length: netwise lab {erratum.lab}")
    return lines
