"""All scores of the diagnosis, by one command, kept with date, versions and misses.

scripts/clinic                         everything, into calibration/results/clinic.md and .json
scripts/clinic planted healthy faults  some parts
scripts/clinic --seeds 0 --jobs 4
scripts/clinic --recordings FOLDER     judge what is recorded there

Parts: planted (one fault built in), faults (injected into healthy programs), healthy (healthy
programs, controls, repaired programs, the zoo), real (programs of others, and DEFault's categories
beside them), when (the share of the run at which a right cause is first found), reports (small
programs after public reports). What watching costs is measured by scripts/bench watch.

NETWISE_CLINIC is the folder of the clinic. NETWISE_REPORTS is that of the reports; without it they
are looked for beside the clinic.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from calibration.calibrate import RESULTS, rules_hash
from calibration.default_categories import OF, PUBLISHED, categories
from calibration.limits import folds
from calibration.record import SUITES, ZOO, reading, record_all
from calibration.reported import reports_folder, run_program
from calibration.truncated import first_share
from calibration.verdicts import (
    ACCUSED,
    RIGHT,
    SILENT,
    SYMPTOM,
    WRONG,
    Verdict,
    histories_of,
    judged,
    vocabulary,
)

PARTS = ("planted", "faults", "healthy", "real", "when", "reports")
_WORDS = []  # of the worker processes


@dataclass(frozen=True)
class Judged:
    """A verdict, and when its cause was first found."""

    verdict: Verdict
    first: tuple[float, str] | None


@dataclass(frozen=True)
class Part:
    """One section of the page: lines of text, and the same as plain values."""

    title: str
    lines: tuple[str, ...]
    plain: dict[str, object]


def _judge(work: tuple[str, bool]) -> Judged:
    path, when = work
    if not _WORDS:
        _WORDS.append(vocabulary())
    words, recording = _WORDS[0], reading(Path(path))
    verdict = judged(recording, words)
    if not when or verdict.verdict != RIGHT:
        return Judged(verdict, None)
    right = set(verdict.right)
    found = first_share(
        list(histories_of(recording).values()), lambda rule: words.names.get(rule, rule) in right
    )
    return Judged(verdict, found)


def upper_bound(count: int, of: int, level: float = 0.95) -> float:
    """The upper end of a share's one-sided confidence interval (Clopper and Pearson)."""
    from scipy.stats import beta

    return 1.0 if count >= of else float(beta.ppf(level, count + 1, of - count))


def percent(part: int, whole: int) -> str:
    """Such as "12 of 40 (30 %)"."""
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def missed(each: Verdict) -> str:
    """A line for a verdict that is not as it should be."""
    recording = each.recording
    said = "; ".join(f"{s.rule} [{s.grade}]: {s.sentence}" for s in each.said) or "-"
    draw = f" draw {recording.draw}" if recording.draw else ""
    roots = f", true: {', '.join(recording.roots)}" if recording.roots else ""
    return f"- {recording.id} (seed {recording.seed}{draw}) **{each.verdict}**{roots}. Said: {said}"


def planted(rows: Sequence[Judged]) -> Part:
    """Runs that were built with one fault."""
    mine = [r.verdict for r in rows if r.verdict.recording.suite == "cases.py"]
    mine = [v for v in mine if not v.recording.healthy]
    lines, plain = [], {}
    for seed in sorted({v.recording.seed for v in mine}):
        these = [v for v in mine if v.recording.seed == seed]
        right, false = sum(v.verdict == RIGHT for v in these), sum(len(v.false) for v in these)
        lines.append(f"- seed {seed}: named {percent(right, len(these))}, false words {false}")
        plain[str(seed)] = {"named": right, "of": len(these), "false": false}
    lines += ["", "Misses:", "", *(missed(v) for v in mine if v.verdict != RIGHT or v.false)]
    return Part("Planted faults", tuple(lines), plain)


def faults(rows: Sequence[Judged]) -> Part:
    """Faults injected into healthy programs, whole and by left-out programs."""
    mine = [r.verdict for r in rows if r.verdict.recording.suite.startswith("mutants")]
    mine = [v for v in mine if not v.recording.healthy]
    lines, plain = [], {}
    for draw in sorted({v.recording.draw for v in mine}):
        count = Counter(v.verdict for v in mine if v.recording.draw == draw)
        total = sum(count.values())
        text = ", ".join(f"{name} {percent(count[name], total)}" for name in _VERDICTS)
        lines.append(f"- draw {draw or 0}: {text}")
        plain[f"draw {draw or 0}"] = dict(count)
    shares = []
    for out in folds([v.recording.program for v in mine]):
        these = [v.verdict for v in mine if v.recording.program in out]
        shares.append(sum(v == RIGHT for v in these) / max(len(these), 1))
    if shares:
        text = ", ".join(f"{share:.2f}" for share in shares)
        lines.append(f"- named on the five thirds of programs that calibration leaves out: {text}")
    by_operator: dict[str, Counter[str]] = defaultdict(Counter)
    for v in mine:
        by_operator[v.recording.operators][v.verdict] += 1
    lines += ["", f"| fault | {' | '.join(_VERDICTS)} |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, count in sorted(by_operator.items()):
        lines.append(f"| {name} | {' | '.join(str(count[v] or '') for v in _VERDICTS)} |")
    lines += ["", "Wrong:", "", *(missed(v) for v in mine if v.verdict == WRONG)]
    lines += ["", "Silent: " + ", ".join(v.recording.id for v in mine if v.verdict == SILENT)]
    return Part("Injected faults", tuple(lines), plain)


_VERDICTS = (RIGHT, SYMPTOM, WRONG, SILENT)


def healthy(rows: Sequence[Judged]) -> Part:
    """Programs of which nothing may be said."""
    mine = [r.verdict for r in rows if r.verdict.recording.healthy]
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for v in mine:
        r = v.recording
        if r.group == "fixed":
            name = "repaired programs" if r.counts else "repaired programs that do not learn"
        else:
            kind = "controls" if "~" in r.id else "healthy programs"
            name = "zoo" if r.suite == ZOO else f"{kind} of {r.suite}"
        groups[name].append(v)
    lines, plain = [], {}
    learning = [v for name, each in groups.items() if "repaired" not in name for v in each]
    for name, each in [*sorted(groups.items()), ("all but repaired programs", learning)]:
        accused = sum(v.verdict == ACCUSED for v in each)
        bound = f"; at most {100 * upper_bound(accused, len(each)):.1f} % with 95 % confidence"
        lines.append(f"- {name}: accused {percent(accused, len(each))}{bound if each else ''}")
        plain[name] = {"accused": accused, "of": len(each)}
    counted = [v for v in mine if v.recording.counts]
    lines += ["", "Accused:", "", *(missed(v) for v in counted if v.verdict == ACCUSED)]
    errors = [v.recording for v in mine if v.recording.errors]
    lines += ["", "Errors:", "", *(f"- {r.id}: {', '.join(r.errors)}" for r in errors)]
    return Part("Healthy runs", tuple(lines), plain)


def real(rows: Sequence[Judged]) -> Part:
    """Programs of others: published faults named, and categories beside those of DEFault."""
    words = vocabulary()
    mine = [r.verdict for r in rows if r.verdict.recording.group == "real"]
    counted = [v for v in mine if v.recording.counts]
    truths = [(root, v) for v in counted for root in v.recording.roots]
    named = sum(bool(words.means(root) & {s.word for s in v.said}) for root, v in truths)
    right = sum(len(v.right) for v in counted)
    false = sum(len(set(v.false) & words.roots) for v in counted)
    hit = sum(v.verdict == RIGHT for v in counted)
    lines = [
        f"- programs with a true cause named: {percent(hit, len(counted))}",
        f"- published faults named (recall): {percent(named, len(truths))}",
        f"- words for causes that are true (precision): {percent(right, right + false)}",
    ]
    by_category = [v for v in mine if categories(set(v.recording.roots)) and not v.recording.seed]
    hits = [
        v
        for v in by_category
        if categories({s.word for s in v.said}) & categories(set(v.recording.roots))
    ]
    counting = [v for v in by_category if v.recording.counts]
    both = sum(v in hits for v in counting)
    published = ", ".join(f"{name} {count}" for name, count in PUBLISHED.items())
    beside = (
        f"DEFault's table counts programs with a right category, of {OF}: {published}. netwise, on "
        f"the programs of the clinic that have such a category: "
        f"{percent(len(hits), len(by_category))}; of those that bite when rebuilt: "
        f"{percent(both, len(counting))}. How a category is judged, and why these are not the same "
        "programs: calibration/default_categories.py."
    )
    misses = [missed(v) for v in counted if v.verdict != RIGHT or v.false]
    lines += ["", beside, "", "Misses:", "", *misses]
    plain: dict[str, object] = {
        "recall": [named, len(truths)],
        "precision": [right, right + false],
        "categories": {"netwise": [len(hits), len(by_category)], **PUBLISHED, "of": OF},
    }
    return Part("Real programs", tuple(lines), plain)


def when(rows: Sequence[Judged]) -> Part:
    """The share of the run after which a right cause is found and stays. Too few epochs are left
    out: of a run that was cut off they are always true."""
    import netwise as nw

    exact = {rule.name for rule in nw.RULES if rule.exact}
    found = [
        r.first
        for r in rows
        if r.first is not None and "too_few_epochs" not in r.verdict.recording.roots
    ]
    facts = [share for share, rule in found if rule in exact]
    signs = [share for share, rule in found if rule not in exact]
    lines = []
    for name, shares in (("exact facts", facts), ("other causes", signs)):
        if shares:
            within = sum(share <= 0.1 for share in shares)
            lines.append(
                f"- {name}: median {100 * median(shares):.0f} % of the run, within the first "
                f"tenth {percent(within, len(shares))}"
            )
    plain: dict[str, object] = {
        "exact": median(facts) if facts else None,
        "others": median(signs) if signs else None,
    }
    return Part("When a cause is first found", tuple(lines), plain)


def reports(jobs: int) -> Part:
    """Small programs after public reports."""
    folder = reports_folder()
    if folder is None:
        reason = "not run: set NETWISE_REPORTS to the folder of the reports"
        return Part("Reports", (reason,), {})
    paths = [
        *sorted((folder / "networks").glob("n*.py")),
        *sorted((folder / "programs").glob("r*.py")),
    ]
    with get_context("fork").Pool(jobs) as pool:
        done = pool.map(run_program, paths, chunksize=1)
    lines = []
    for each in done:
        word = {True: "right", False: "**missed**", None: "run"}[each.named]
        ended = ", crashed" if each.crashed else ""
        lines.append(f"- {each.name}: {word}{ended}; found {', '.join(each.found) or 'nothing'}")
    judged_ = [each for each in done if each.named is not None]
    right = sum(bool(each.named) for each in judged_)
    lines.insert(0, f"- named right, or silent where healthy: {percent(right, len(judged_))}\n")
    return Part("Reports", tuple(lines), {each.name: each.named for each in done})


def page(parts: Iterable[Part], about: dict[str, object]) -> str:
    """The file of Markdown."""
    facts = "\n".join(f"- {name}: {value}" for name, value in about.items())
    texts = "\n\n".join(f"## {p.title}\n\n" + "\n".join(p.lines) for p in parts)
    return f"# Scores of the diagnosis\n\nWritten by `scripts/clinic`.\n\n{facts}\n\n{texts}\n"


def files_of(folder: Path, suites: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """Recordings of these suites and seeds."""
    names = {suite.replace("/", "_") for suite in suites}
    found = (path.name.split("@") for path in sorted(folder.glob("*.json")))
    return [
        str(folder / "@".join(words))
        for words in found
        if words[0] in names and int(words[2]) in seeds
    ]


def parts_of(names: Sequence[str], folder: Path, seeds: Sequence[int], jobs: int) -> list[Part]:
    """The parts, from recordings and runs."""
    rows: list[Judged] = []
    if set(names) - {"reports"}:
        files = files_of(folder, SUITES, seeds)
        with get_context("fork").Pool(jobs) as pool:
            rows = pool.map(_judge, [(path, "when" in names) for path in files], chunksize=8)
    made = {"planted": planted, "faults": faults, "healthy": healthy, "real": real, "when": when}
    return [reports(jobs) if name == "reports" else made[name](rows) for name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("scripts/clinic", description=__doc__, formatter_class=form)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--draws", nargs="+", default=["", "1"], help="MUTANTS_DRAW; '' is first")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--recordings", type=Path, help="a folder of recordings")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}. Write some of {', '.join(PARTS)}")
    names = options.parts or list(PARTS)
    folder = options.recordings
    if folder is None and set(names) - {"reports"}:
        few = options.seeds[:1]
        record_all(["cases.py", ZOO], options.seeds, [""], options.jobs)
        record_all(["mutants/mutants.py", "real_bugs.py"], few, options.draws, options.jobs)
        folder = record_all([], few, [""], options.jobs)
    parts = parts_of(names, folder or Path(), options.seeds, options.jobs)
    about: dict[str, object] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **{name: version(name) for name in ("netwise", "torch")},
        "python": platform.python_version(),
        "hash of the rules": rules_hash(),
        "recordings": folder.name if folder else "-",
        "seeds": ", ".join(map(str, options.seeds)),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    whole = names == list(PARTS)
    stem = "clinic" if whole else "clinic-" + "-".join(names)
    text = page(parts, about)
    (RESULTS / f"{stem}.md").write_text(text)
    plain = {"about": about, "parts": [asdict(part) for part in parts]}
    (RESULTS / f"{stem}.json").write_text(json.dumps(plain, indent=1) + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
