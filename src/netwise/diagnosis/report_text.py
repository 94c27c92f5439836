"""The report as text for people: short by default, with everything on request."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netwise.diagnosis.rules import RULES, Finding

NO_PROBLEM = "No problem found."
MOST_TITLES = 6  # of rules in one line of the short text
MOST_REASONS = 4  # why rules were not checked, in the short text
# What a lone symptom offers instead of a list of remedies.
TRIALS_OF_A_LOOP = (
    "report = nw.diagnose(w, trials=True)  # w: the nw.watch() of the loop, still in memory"
)
TRIALS_OF_A_RUN = "report = nw.diagnose(run, trials=True)"
NO_CAUSE = "The signals show no cause. Short trials on copies would decide"


def rule_title(name: str) -> str:
    """A rule's title as part of a sentence; its name in words where it is not one of netwise's."""
    title = next((rule.title for rule in RULES if rule.name == name), name.replace("_", " "))
    return inside_sentence(title)


def inside_sentence(title: str) -> str:
    """A title as part of a sentence; a word that has capitals inside keeps its first."""
    first = title.split(" ")[0]
    return title if first[1:] != first[1:].lower() else title[0].lower() + title[1:]


def report_lines(
    found: Sequence[Finding],
    clear: Sequence[str],
    unchecked: Sequence[tuple[str, str]],
    *,
    of_recipe: bool,
    tried: bool,
    everything: bool,
) -> list[str]:
    """The lines of a report.

    Args:
        found, clear, unchecked: as in `Report`.
        of_recipe: whether a recipe can be changed, rather than lines of a loop.
        tried: whether short trials were run.
        everything: explanations, and all names and reasons, instead of a few of each.
    """
    lines = [
        line
        for finding in found
        for line in finding_lines(finding, of_recipe=of_recipe, tried=tried, everything=everything)
    ]
    if not found:
        lines.append(NO_PROBLEM)
    if clear:
        most = None if everything else MOST_TITLES
        lines.append(f"No sign of: {_titles([rule_title(name) for name in clear], most)}.")
    return lines + _unchecked_lines(unchecked, everything)


def finding_lines(
    finding: Finding, *, of_recipe: bool, tried: bool = False, everything: bool = False
) -> list[str]:
    """A finding on top of a report with its consequences, as lines of text."""
    title = finding.title or rule_title(finding.rule)
    lines = [f"{title[0].upper()}{title[1:]} ({finding.grade}). {finding.sentence}"]
    lines += [f"    {text}" for text in evidence_texts(finding)]
    lines += _change_lines(finding, of_recipe, tried)
    if everything and finding.explanation:
        lines.append(f"    what it means: {finding.explanation}")
    if finding.healthy:
        lines.append(f"    in a run that learns well: {_in_sentence(finding.healthy)}")
    if finding.source:
        lines.append(f"    source: {finding.source.removesuffix('.')}")
    for consequence in finding.consequences:
        lines += _consequence_lines(consequence, everything, "    ")
    return lines


def _consequence_lines(finding: Finding, everything: bool, indent: str) -> list[str]:
    title = finding.title or rule_title(finding.rule)
    how = relation(finding)
    lines = [f"{indent}{how}: {inside_sentence(title)}. {finding.sentence}"]
    if everything:
        lines += [f"{indent}    {text}" for text in evidence_texts(finding)]
    for consequence in finding.consequences:
        lines += _consequence_lines(consequence, everything, f"{indent}    ")
    return lines


def relation(finding: Finding) -> str:
    """What a finding is to the one above it."""
    return "consequence" if finding.explained else "seen too"


def evidence_texts(finding: Finding) -> list[str]:
    """The numbers that a finding rests on, each with its limit."""
    return [str(each) for each in finding.evidence if math.isfinite(each.limit)]


def _change_lines(finding: Finding, of_recipe: bool, tried: bool) -> list[str]:
    """What to change: lines of code for a loop, remedies for a recipe, trials for a symptom."""
    if finding.undecided:
        line = TRIALS_OF_A_RUN if of_recipe else TRIALS_OF_A_LOOP
        return [] if tried else [f"    {NO_CAUSE}:", f"        {line}"]
    lines = []
    if finding.change and not of_recipe:
        lines.append("    change in the program:")
        lines += [f"        {line}" for line in finding.change.splitlines()]
    if finding.remedies and (of_recipe or not finding.change):
        lines.append(f"    remedies to try: {', '.join(finding.remedies)}")
    return lines


def _unchecked_lines(unchecked: Sequence[tuple[str, str]], everything: bool) -> list[str]:
    """A line for each reason, with the rules that share it; the reasons of most rules first."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in unchecked:
        by_reason.setdefault(reason, []).append(rule_title(name))
    reasons = list(by_reason.items())
    if not everything:
        reasons = sorted(reasons, key=lambda each: -len(each[1]))[:MOST_REASONS]
    most = None if everything else MOST_TITLES
    lines = [f"Not checked: {_titles(titles, most)}, because {why}." for why, titles in reasons]
    more = len(by_reason) - len(reasons)
    if more:
        rest = len(unchecked) - sum(len(titles) for _, titles in reasons)
        lines.append(
            f"Not checked for {more} other reason{'s' * (more > 1)}: {rest} rule{'s' * (rest > 1)}."
        )
    return lines


def _titles(titles: Sequence[str], most: int | None) -> str:
    """All titles, or the first of them and how many more there are."""
    if most is None or len(titles) <= most + 1:
        return ", ".join(titles)
    return f"{', '.join(titles[:most])} and {len(titles) - most} more"


def _in_sentence(text: str) -> str:
    """The text as part of a sentence, without its period."""
    text = text.removesuffix(".")
    return inside_sentence(text) if text.split(" ", 1)[0].isalpha() else text
