"""The table of README.md, and the results that go with the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import fmean

from netwise.atomic import write_atomically
from netwise.labs.published import MEASURED, published_numbers
from recipes.entries import ENTRIES, HERE, Entry
from recipes.recording import Result, valid_results

TABLE_MARK = "<!-- the table, by measure.py -->"

HEADER = (
    "recipe",
    "measured",
    "goal",
    "reached",
    "seeds",
    "seconds a run",
    "threads",
    "recipe's hash",
    "date",
    "published, and others measured here",
)


def mean_of(results: Mapping[str, Result], key: str = "value") -> float:
    return fmean(result[key] for result in results.values())


def peer_means(results: Mapping[str, Result]) -> dict[str, float]:
    rows = [result["peers"] for result in results.values()]
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


def is_reached(entry: Entry, results: Mapping[str, Result]) -> bool | None:
    """Whether the mean over seeds reaches the goal, in the time where the goal names one; None
    where there is no goal."""
    if entry.goal.startswith("none"):
        return None
    mean = mean_of(results)
    if entry.peers:
        return mean >= max(peer_means(results).values()) - 0.5
    in_time = not entry.max_minutes or mean_of(results, "seconds") <= 60 * entry.max_minutes
    return entry.low <= mean <= entry.high and in_time


def measured_text(entry: Entry, results: Mapping[str, Result]) -> str:
    """The mean with its range over seeds, and what it is compared with."""
    values = [result["value"] for result in results.values()]
    text = f"{entry.label} {entry.text.format(fmean(values))}"
    if len(values) > 1:
        text += f" ({entry.text.format(min(values))} to {entry.text.format(max(values))})"
    texts = [text]
    if entry.baseline:
        others = valid_results(next(other for other in ENTRIES if other.name == entry.baseline))
        gains = [
            results[seed]["value"] - others[seed]["value"] for seed in results if seed in others
        ]
        if gains:
            texts.append(
                f"paired gain {fmean(gains):+.2f} points ({min(gains):+.2f} to {max(gains):+.2f})"
            )
    if entry.peers:
        means = peer_means(results).items()
        texts.append("scikit-learn's " + ", ".join(f"{name} {mean:.2f}" for name, mean in means))
    extras = [result["more"] for result in results.values() if "more" in result]
    if extras:
        means = ((name, fmean(extra[name] for extra in extras)) for name in extras[0])
        texts.append(", ".join(f"{name} {entry.text.format(mean)}" for name, mean in means))
    return "; ".join(texts)


def row(entry: Entry) -> str:
    results = valid_results(entry)
    if not results:
        cells = [entry.name, "not run yet", entry.goal, "", str(len(entry.seeds)), *[""] * 4]
    else:
        first = next(iter(results.values()))
        cells = [
            entry.name,
            measured_text(entry, results),
            entry.goal,
            {True: "yes", False: "no", None: ""}[is_reached(entry, results)],
            str(len(results)),
            f"{mean_of(results, 'seconds'):.0f}",
            str(first["threads"]),
            f"`{first['recipe']}`",
            first["date"],
        ]
    return f"| {' | '.join([*cells, entry.published])} |"


def table() -> str:
    """The rows, the machines and versions of all results, and samples of text."""
    results = [(entry, result) for entry in ENTRIES for result in valid_results(entry).values()]
    machines = sorted({result["machine"] for _, result in results})
    versions = sorted({json.dumps(result["versions"]) for _, result in results})
    version_texts = [
        ", ".join(f"{name} {version}" for name, version in json.loads(text).items())
        for text in versions
    ]
    return "\n".join(
        [
            f"| {' | '.join(HEADER)} |",
            f"|{' --- |' * len(HEADER)}",
            *(row(entry) for entry in ENTRIES),
            "",
            f"Machine: {'; '.join(machines)}. Versions: {'; '.join(version_texts)}.",
            "",
            *(text_sample(entry, result) for entry, result in results if "sample" in result),
        ]
    )


def text_sample(entry: Entry, result: Result) -> str:
    lines = "\n".join(f"    {line}".rstrip() for line in result["sample"].splitlines())
    return f"What {entry.name} writes after `ROMEO:`, at temperature 0.8:\n\n{lines}\n"


def write_published() -> None:
    """The results that `netwise published` shows, with the package: it has no `recipes/`."""
    wanted = {number.run for number in published_numbers().values()}
    content = {}
    for entry in ENTRIES:
        results = valid_results(entry)
        if entry.name in wanted and results:
            first = next(iter(results.values()))
            content[entry.name] = {
                "values": {seed: result["value"] for seed, result in results.items()},
                "seconds": round(mean_of(results, "seconds"), 1),
                **{name: first[name] for name in ("recipe", "date", "versions", "machine")},
            }
    write_atomically(MEASURED, json.dumps(content, indent=1) + "\n")


def write_table() -> None:
    write_published()
    page = HERE / "README.md"
    head, mark, _ = page.read_text("utf-8").partition(TABLE_MARK)
    write_atomically(page, f"{head}{mark}\n\n{table()}")
    print(f"The table is in {page}.")
