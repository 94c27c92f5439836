"""Published numbers beside what netwise reaches: asked for, published, best known, measured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, TypedDict

from netwise.labs.record import recorded
from netwise.schema import read_json, typed

NUMBERS = Path(__file__).with_name("published.toml")
MEASURED = Path(__file__).with_name("published.json")
REACHED, MISSED, NOT_RUN = "reached", "not reached", "not run yet"


@dataclass(frozen=True)
class PublishedNumber:
    """A published number.

    Args:
        name: its id, such as "lenet5".
        what: what is measured, in words, with its unit.
        target: the value that is asked for.
        better: "higher" or "lower".
        published: the published value and where it is from.
        anchor: the best value known for this protocol, with its source.
        run: what measures it: a lab and the name of its number, such as "L05: best test accuracy,
            %", an entry of `recipes/entries.py`, or "" for none.
        remark: what a reader has to know.
    """

    name: str
    what: str
    target: float
    better: str
    published: str
    anchor: str
    run: str
    remark: str = ""


@dataclass(frozen=True)
class Measurement:
    """What netwise reached.

    Args:
        value: the mean over seeds.
        low, high: the lowest and highest seed; equal to `value` where only the mean is recorded.
        seeds: their number.
        seconds: of a run, or of the whole lab; None where they were not recorded.
        recipes: hashes of the recipes; empty where none was trained.
        date, versions, machine: of the measurement.
        command: repeats it.
        place: where a published single run lies among the seeds, as a sentence; "" where that is
            not measured.
    """

    value: float
    low: float
    high: float
    seeds: int
    seconds: float | None
    recipes: tuple[str, ...]
    date: str
    versions: Mapping[str, str]
    machine: str
    command: str
    place: str = ""


class MeasuredRecipe(TypedDict):
    """A result of `scripts/recipes`, over all seeds."""

    values: dict[str, float]
    seconds: float
    recipe: str
    date: str
    versions: dict[str, str]
    machine: str


@cache
def published_numbers() -> Mapping[str, PublishedNumber]:
    """All published numbers by name.

    Example:
        >>> from netwise.labs.published import published_numbers
        >>> published_numbers()["lenet5"].target
        0.8
    """
    rows = tomllib.loads(NUMBERS.read_text("utf-8"))["number"]
    made = (typed(PublishedNumber, row, f"{NUMBERS.name}, {row.get('name')}") for row in rows)
    return {number.name: number for number in made}


@cache
def _measured_recipes() -> Mapping[str, Any]:
    otherwise = "write it again: scripts/recipes --table"
    return dict(read_json(MEASURED, dict[str, MeasuredRecipe], otherwise))


def measurement(number: PublishedNumber) -> Measurement | None:
    """What netwise reached, from recorded results; None where nothing is recorded."""
    lab, _, key = number.run.partition(": ")
    if key:
        return _of_lab(lab, key)
    result = _measured_recipes().get(number.run)
    if result is None:
        return None
    values = list(result["values"].values())
    return Measurement(
        fmean(values),
        min(values),
        max(values),
        len(values),
        result["seconds"],
        (result["recipe"],),
        result["date"],
        result["versions"],
        result["machine"],
        f"scripts/recipes '{number.run}'",
    )


def _of_lab(lab: str, key: str) -> Measurement | None:
    result = recorded(lab)
    if result is None:
        return None
    numbers: Mapping[str, float] = result["numbers"]
    value = numbers[key] if key in numbers else numbers[f"{key}: mean"]
    return Measurement(
        value,
        numbers.get(f"{key}: lowest", value),
        numbers.get(f"{key}: highest", value),
        len(result["seeds"]),
        result.get("seconds"),
        tuple(result["recipes"].values()),
        result["date"],
        result["versions"],
        f"{result['cores']} cores" if "cores" in result else "",
        f"netwise lab {lab}",
        _place_of_run(numbers, key, len(result["seeds"])),
    )


def _place_of_run(numbers: Mapping[str, float], key: str, seeds: int) -> str:
    """Where the published run lies among the seeds of the arm that `key` is a number of."""
    arm, separator, _ = key.rpartition(": ")
    below = numbers.get(f"{arm}{separator}share of seeds at or below the published run")
    distance = numbers.get(f"{arm}{separator}published run, standard deviations above our mean")
    if below is None or distance is None:
        return ""
    side = "above" if distance > 0 else "below"
    return (
        f"{round(below * seeds)} of {seeds} seeds are at or below the published run, which is "
        f"{abs(distance):.1f} standard deviations {side} their mean"
    )


def state_of(number: PublishedNumber, measured: Measurement | None) -> str:
    """Whether the mean over seeds is as good as what is asked for."""
    if measured is None:
        return NOT_RUN
    higher = number.better == "higher"
    good = measured.value >= number.target if higher else measured.value <= number.target
    return REACHED if good else MISSED


def plain_number(number: PublishedNumber) -> dict[str, Any]:
    """One row of the table as plain values."""
    measured = measurement(number)
    row: dict[str, Any] = {
        "name": number.name,
        "what": number.what,
        "asked": number.target,
        "better": number.better,
        "published": number.published,
        "anchor": number.anchor,
        "state": state_of(number, measured),
    }
    if number.remark:
        row["remark"] = number.remark
    if measured is not None:
        row["netwise"] = {
            "mean": measured.value,
            "lowest": measured.low,
            "highest": measured.high,
            "seeds": measured.seeds,
            "seconds": measured.seconds,
            "recipes": list(measured.recipes),
            "date": measured.date,
            "versions": dict(measured.versions),
            "machine": measured.machine,
            "command": measured.command,
        }
        if measured.place:
            row["netwise"]["published_run"] = measured.place
    return row
