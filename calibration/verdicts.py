"""What `nw.diagnose` says about recorded histories in the clinic's words, and if it is true."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.record import ROOT, Recording, clinic_folder

RIGHT, SYMPTOM, WRONG, SILENT = "correct", "symptom only", "wrong", "silent"
OK, ACCUSED = "ok", "accused"


@dataclass(frozen=True)
class Vocabulary:
    """The clinic's words.

    Args:
        names: word of each rule.
        roots, symptoms, neutral: all words.
        means: words that count as naming a fault.
    """

    names: Mapping[str, str]
    roots: frozenset[str]
    symptoms: frozenset[str]
    neutral: frozenset[str]
    means: Callable[[str], set[str]]


@dataclass(frozen=True)
class Said:
    """One finding: its rule, the word for it, its grade, sentence and first evidence."""

    rule: str
    word: str
    grade: str
    sentence: str
    module: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a report says of a recording.

    Args:
        recording: which run, without its histories.
        verdict: of the constants above.
        said: all findings.
        right, false: words that are true causes; words that are untrue.
    """

    recording: Recording
    verdict: str
    said: tuple[Said, ...]
    right: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


def vocabulary() -> Vocabulary:
    """The words of the clinic, and the word for each rule from the adapter of the tests."""
    clinic = clinic_folder()
    sys.path.insert(0, str(clinic))
    words = importlib.import_module("vocabulary")
    return Vocabulary(
        rule_words(ROOT / "tests" / "clinic" / "adapter.py"),
        frozenset(words.ROOTS),
        frozenset(words.SYMPTOMS),
        frozenset(words.NEUTRAL),
        words.means,
    )


def rule_words(adapter: Path) -> Mapping[str, str]:
    """NAMES of the adapter, which is read without the clinic's loop."""
    before = sys.modules.get("loop")
    sys.modules["loop"] = types.SimpleNamespace(Listener=object, train=None)  # type: ignore
    try:
        spec = importlib.util.spec_from_file_location("clinic_adapter", adapter)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        if before is None:
            del sys.modules["loop"]
        else:
            sys.modules["loop"] = before
    return dict(module.NAMES)


def histories_of(recording: Recording) -> dict[str, Any]:
    """The histories by the name of their root."""
    from netwise.storage.about_file import history_from_dict

    return {
        name: history_from_dict(plain, rows) for name, (plain, rows) in recording.histories.items()
    }


def findings(recording: Recording, words: Vocabulary) -> tuple[Said, ...]:
    """What the reports of all roots found."""
    import netwise as nw

    said = []
    for name, history in histories_of(recording).items():
        for each in nw.diagnose(history).found:
            word = words.names.get(each.rule, each.rule)
            said.append(Said(each.rule, word, each.grade, each.sentence, name))
    return tuple(said)


def verdict_of(recording: Recording, said: tuple[Said, ...], words: Vocabulary) -> Verdict:
    """Judges findings as the clinic's scorer does."""
    tags = {each.word for each in said} - words.neutral
    tags -= set(recording.plainly_true) - set(recording.roots)
    if recording.healthy:
        false = tags - set(recording.also)
        return Verdict(recording, ACCUSED if false else OK, said, (), tuple(sorted(false)))
    accepted = set(recording.also).union(*(words.means(root) for root in recording.roots))
    symptoms = words.symptoms if recording.group == "real" else set(recording.symptoms)
    right, false = tags & accepted, tags - accepted - symptoms
    if right:
        verdict = RIGHT
    elif tags & symptoms:
        verdict = SYMPTOM
    else:
        verdict = WRONG if tags else SILENT
    return Verdict(recording, verdict, said, tuple(sorted(right)), tuple(sorted(false)))


def judged(recording: Recording, words: Vocabulary) -> Verdict:
    """The verdict over a recording, which is kept without its histories."""
    from dataclasses import replace

    return verdict_of(replace(recording, histories={}), findings(recording, words), words)
