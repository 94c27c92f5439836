"""The judge of attacks: what counts as a failure, what is kept, and what the table says."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

import netwise as nw
from torture import __main__ as runner
from torture.attack import REFUSED, Attack, Failed, Skipped, answer, made
from torture.mutations import changed_json, changed_lines, damaged


def attack(run: object, count: int = 3) -> Attack:
    return Attack("an attack", count, run, seconds=0.2)  # type: ignore[arg-type]


def raising(error: BaseException) -> object:
    def run(prepared: Path, scratch: Path, chance: random.Random) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "tries", "failure", "skipped"),
    [
        (lambda *places: None, 1, "", ""),
        (lambda *places: 7, 7, "", ""),
        (raising(Failed("other numbers")), 1, "other numbers", ""),
        (raising(KeyError("ended")), 1, "KeyError: 'ended'", ""),
        (raising(Skipped("no browser")), 0, "", "no browser"),
        (lambda *places: time.sleep(5), 1, "no answer in 0 s", ""),
    ],
)
def test_an_attack_is_judged(
    run: object, tries: int, failure: str, skipped: str, tmp_path: Path
) -> None:
    outcome = made(attack(run), 0, tmp_path)
    assert (outcome.tries, outcome.skipped) == (tries, skipped)
    assert failure in outcome.failure
    assert bool(failure) == bool(outcome.failure)


def test_a_refusal_has_to_name_the_file() -> None:
    def refuse() -> None:
        raise nw.DataError("rows.jsonl is damaged. Train again.")

    assert answer(refuse, "about.json", "rows.jsonl") is REFUSED
    with pytest.raises(Failed, match="names no file"):
        answer(refuse, "about.json")
    with pytest.raises(KeyError):
        answer(lambda: {}["ended"])


def test_damage_depends_on_the_number_alone() -> None:
    raw = json.dumps({"a": [1, 2, {"b": "c"}], "d": 0.5}).encode()
    lines = b'{"step": 0}\n{"step": 1}\n'
    for change, given in ((damaged, raw), (changed_json, raw), (changed_lines, lines)):
        made_twice = [
            [change(given, random.Random(number)) for number in range(200)] for _ in range(2)
        ]
        assert made_twice[0] == made_twice[1]
        assert len(set(made_twice[0])) > (100 if given is raw else 10)


def test_a_suite_that_was_stopped_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def run(prepared: Path, scratch: Path, chance: random.Random) -> None:
        calls.append(chance.random())
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.make_all([attack(run)], 1.0, tmp_path)
    outcomes = runner.make_all([attack(run)], 1.0, tmp_path)
    assert [outcome.number for outcome in outcomes] == [0, 1, 2]
    assert len(calls) == 4  # the first was kept, the second was made again
    table = runner.as_table([attack(run)], outcomes)
    assert "| an attack | 3 | 3 | 0 |" in table
    assert "3 of 3, 0 failed" in capsys.readouterr().err
