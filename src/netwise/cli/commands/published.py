"""The command `published`: published numbers beside what netwise reaches. It loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netwise.cli.options import json_option
from netwise.cli.output import echo_json, echo_table
from netwise.cli.terminal import echo
from netwise.errors import UnknownName

if TYPE_CHECKING:
    from netwise.labs.published import Measurement, PublishedNumber


@click.command()
@click.argument("name", required=False)
@json_option
def published(name: str | None, as_json: bool) -> None:
    """Compare published numbers with what netwise reaches.

    Each row has what was asked for, the published value, the best value known, and the mean of
    netwise over its seeds with the lowest and the highest. With NAME: how it was measured, where,
    at which cost, and the command that repeats it.

    \b
    Examples:
      netwise published
      netwise published lenet5
      netwise published --json
    """
    from netwise.labs.published import (  # other commands need none
        REACHED,
        measurement,
        plain_number,
        published_numbers,
        state_of,
    )

    known = published_numbers()
    if name is not None and name.lower() not in known:
        raise UnknownName("published number", name, known)
    chosen = [each for each in known.values() if name is None or each.name == name.lower()]
    if as_json:
        echo_json([plain_number(each) for each in chosen])
        return
    if name is not None:
        for line in _full(chosen[0], measurement(chosen[0])):
            echo(line)
        return
    rows = [(each, measurement(each)) for each in chosen]
    echo_table(
        [
            ("number", "asked", "published", "best known", "netwise", "measured", ""),
            *(
                (
                    each.name,
                    _asked(each),
                    each.published,
                    each.anchor,
                    _reached(measured),
                    "-" if measured is None else measured.date,
                    state_of(each, measured),
                )
                for each, measured in rows
            ),
        ]
    )
    met = sum(state_of(*row) == REACHED for row in rows)
    echo(f"{met} of {len(rows)} reached. What a number is, and its command: netwise published NAME")


def _asked(number: PublishedNumber) -> str:
    return f"at {'least' if number.better == 'higher' else 'most'} {number.target:g}"


def _reached(measured: Measurement | None) -> str:
    """The mean with its range: 0.83 (0.72 to 0.89, 3 seeds)."""
    if measured is None:
        return "-"
    runs = "1 seed" if measured.seeds == 1 else f"{measured.seeds} seeds"
    span = f"{measured.low:.4g} to {measured.high:.4g}, " if measured.low < measured.high else ""
    return f"{measured.value:.4g} ({span}{runs})"


def _full(number: PublishedNumber, measured: Measurement | None) -> list[str]:
    from netwise.labs.published import state_of  # as above

    lines = [
        f"{number.name}: {number.what}",
        f"  asked:      {_asked(number)}",
        f"  published:  {number.published}",
        f"  best known: {number.anchor}",
        f"  netwise:    {_reached(measured)}, {state_of(number, measured)}",
    ]
    if measured is not None and measured.place:
        lines.append(f"  its place:  {measured.place}")
    if number.remark:
        lines.append(f"  remark:     {number.remark}")
    if measured is not None:
        versions = ", ".join(f"{name} {version}" for name, version in measured.versions.items())
        seconds = "not recorded" if measured.seconds is None else f"{measured.seconds:.0f} s"
        lines += [
            f"  measured:   {measured.date}, {measured.machine or 'machine not recorded'}",
            f"  versions:   {versions}",
            f"  cost:       {seconds}",
            f"  recipes:    {', '.join(measured.recipes) or 'none'}",
            f"  run it:     {measured.command}",
        ]
    return lines
