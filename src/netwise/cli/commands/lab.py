"""The command `lab`: list labs, find them by words, run them. Lists load no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.atomic import delete_empty_folder, make_folder
from netwise.cli.options import json_option
from netwise.cli.output import echo_json
from netwise.cli.parsing import parse_settings
from netwise.cli.terminal import echo
from netwise.errors import UnknownName, close_matches, short_repr

if TYPE_CHECKING:
    from netwise.labs.catalogue import LabText
    from netwise.labs.lab_definition import Lab, LabResult


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME]")
@click.option("--all", "run_all", is_flag=True, help="Run all labs of at most --minutes.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="With --all: the longest labs to run, by their estimate on two cores.",
)
@click.option(
    "--record", "keep_result", is_flag=True, help="Store the results with the labs' code."
)
@click.option(
    "--recorded",
    "show_recorded",
    is_flag=True,
    help="Run nothing: print the recorded result and write its page.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Change a setting of the experiment, such as epochs=5. May be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("labs"),
    show_default=True,
    help="Folder for the pages.",
)
@json_option
def lab(
    words: tuple[str, ...],
    run_all: bool,
    minutes: float,
    keep_result: bool,
    show_recorded: bool,
    settings: tuple[str, ...],
    output: Path,
    as_json: bool,
) -> None:
    """Test a claim about neural networks by experiment.

    NAME is the id of a lab, which is run, or words of its claim in English or Chinese, which list
    the labs that have them with their recorded verdicts. Without NAME, list all.

    \b
    Examples:
      netwise lab
      netwise lab L02
      netwise lab L01 --set rate=0.5
      netwise lab L25 --recorded
      netwise lab vanishing gradients
    """
    if show_recorded and (settings or keep_result):
        raise click.UsageError("--recorded runs nothing. Write it without --set and --record.")
    if settings and (run_all or keep_result):
        raise click.UsageError(
            "--set changes one experiment, and recorded results are those of the settings of the "
            "lab. Write --set without --all and --record."
        )
    texts = _named(" ".join(words))
    by_words = " ".join(words).upper() not in texts and not (
        settings or keep_result or show_recorded
    )
    if not run_all and (len(texts) > 1 or by_words):
        _list_labs(texts, as_json)
        return
    from netwise.labs.all_labs import LABS, lab as find_lab  # heavy

    chosen = [each for each in LABS if show_recorded or each.minutes <= minutes]
    if not run_all:
        chosen = [find_lab(name) for name in texts]
    if show_recorded:
        documents = [_show_recorded(each, output, as_json) for each in chosen]
    else:
        changes = parse_settings(settings)
        documents = [_run_lab(each, changes, keep_result, output, as_json) for each in chosen]
    if as_json:
        echo_json(documents if run_all else documents[0])


def _named(words: str) -> Mapping[str, LabText]:
    """All labs, the one with this id, or those whose text has these words."""
    from netwise.labs.catalogue import find_labs, lab_texts  # other commands need none

    texts = lab_texts()
    if not words:
        return texts
    if words.upper() in texts:
        return {words.upper(): texts[words.upper()]}
    found = find_labs(words)
    if not found:
        raise _unknown(words, texts)
    return found


def _unknown(words: str, texts: Mapping[str, LabText]) -> Exception:
    """The error for an id that does not exist, or for words that no lab has."""
    if re.fullmatch(r"[a-zA-Z]?\d+", words):
        return UnknownName("lab", words, texts)
    from netwise.labs.catalogue import words_of_labs  # as above

    known = words_of_labs()
    close = [
        f"{matches} for {word}"
        for word in words.lower().split()
        if word not in known and (matches := close_matches(word, known))
    ]
    hint = f"Did you mean {', '.join(close)}?" if close else "List all labs: netwise lab"
    return click.UsageError(f"no lab has all of the words {short_repr(words)}. {hint}")


def _list_labs(texts: Mapping[str, LabText], as_json: bool) -> None:
    """Print labs with the verdicts of their recorded results."""
    from netwise.labs.record import recorded

    results = {name: recorded(name) for name in texts}
    if as_json:
        echo_json(
            [
                {"name": name, "claim": text.claim, "recorded": results[name]}
                for name, text in texts.items()
            ]
        )
        return
    for name, text in texts.items():
        result = results[name]
        verdict = f"  [{result['verdict']}, {result['date']}]" if result else "  [not run yet]"
        echo(f"{name}  {text.claim}{verdict}")
    echo("Run one: netwise lab NAME")


def _run_lab(
    lab: Lab[Any], changes: Mapping[str, Any], keep_result: bool, output: Path, as_json: bool
) -> dict[str, Any]:
    """Run one lab, print it, write its page, and return it as plain values.

    A folder that cannot be written is refused before the experiment; what was measured is printed
    before the page is written, so that a full disk loses no result.
    """
    from netwise.labs.lab_page import write_lab  # heavy
    from netwise.labs.record import record

    make_folder(output)
    if lab.minutes >= 1 and not changes:
        echo(
            f"{lab.name} takes about {lab.minutes:g} min on two idle cores. Its recorded result at "
            f"once: netwise lab {lab.name} --recorded",
            err=True,
        )
    try:
        result = lab.run(**changes)
    except BaseException:
        delete_empty_folder(output)
        raise
    if not as_json:
        for line in _lab_lines(lab, result):
            echo(line)
    page = write_lab(lab, result, output / f"{lab.name}.html")
    if keep_result:
        record(lab, result)
    if not as_json:
        echo(f"Page: {page}")
    return {"name": lab.name, "claim": lab.claim, **result.plain(), "page": str(page)}


def _show_recorded(lab: Lab[Any], output: Path, as_json: bool) -> dict[str, Any]:
    """Print the recorded result of a lab, write its page, and return it as plain values."""
    from netwise.labs.lab_page import write_lab  # heavy
    from netwise.labs.record import recorded, recorded_result, recorded_with

    result, when = recorded_result(lab), recorded_with(lab.name)
    if result is None:
        raise click.UsageError(f"{lab.name} has no recorded result. Run it: netwise lab {lab.name}")
    make_folder(output)
    page = write_lab(lab, result, output / f"{lab.name}.html", recorded=when)
    if not as_json:
        for line in (*_lab_lines(lab, result), when, f"Page: {page}"):
            echo(line)
    return {"name": lab.name, **(recorded(lab.name) or {}), "page": str(page)}


def _lab_lines(lab: Lab[Any], result: LabResult) -> Sequence[str]:
    criteria = [
        f"  {'met    ' if criterion.holds else 'NOT MET'}  {criterion.statement} "
        f"(measured: {criterion.value:.4g})"
        for criterion in result.criteria
    ]
    from netwise.labs.lab_page import changed_settings  # heavy

    lines = [f"{lab.name}: {result.verdict}. {lab.claim}", *criteria, result.conclusion]
    if result.seconds:
        lines.append(f"Time: {result.seconds:.3g} s")
    if changed := changed_settings(lab, result):
        lines.append(
            f"Changed: {changed}. The criteria are those of the recorded settings, so a verdict on "
            "the claim needs a second look."
        )
    if result.settings:
        shown = ", ".join(f"{name} = {value}" for name, value in result.settings.items())
        lines.append(f"Settings (change one by --set NAME=VALUE): {shown}")
    return lines
