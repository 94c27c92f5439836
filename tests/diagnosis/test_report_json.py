"""The report for programs: it keeps to its schema, which is part of the package."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

import netwise as nw
from netwise.diagnosis.report import Report

SCHEMA = json.loads(files("netwise.diagnosis").joinpath("report_schema.json").read_text("utf-8"))
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
}


def wrong(value: Any, schema: dict[str, Any], place: str = "report") -> list[str]:
    """Where a value breaks its schema: the few words of JSON schema that ours uses. Unknown keys
    count, too, so that a new field is written into the schema."""
    if "$ref" in schema:
        return wrong(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], place)
    if "anyOf" in schema:
        answers = [wrong(value, each, place) for each in schema["anyOf"]]
        return [] if [] in answers else answers[0]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{place}: {value!r}"]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{place}: {value!r}"]
    kind = schema["type"]
    is_bool = isinstance(value, bool) and kind != "boolean"
    if not isinstance(value, TYPES[kind]) or is_bool:
        return [f"{place}: {value!r} is no {kind}"]
    if kind == "array":
        few = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
        items = [wrong(each, schema["items"], f"{place}[{i}]") for i, each in enumerate(value)]
        return sum(items, [] if few else [f"{place}: {len(value)} items"])
    if kind == "object":
        if "additionalProperties" in schema:
            any_key = schema["additionalProperties"]
            return [w for k, each in value.items() for w in wrong(each, any_key, f"{place}.{k}")]
        fields = schema["properties"]
        keys = [f"{place}.{key} is missing" for key in schema["required"] if key not in value]
        keys += [f"{place}.{key} is not in the schema" for key in value if key not in fields]
        return sum((wrong(value[k], fields[k], f"{place}.{k}") for k in fields if k in value), keys)
    return []


def test_a_report_keeps_to_the_schema_and_is_strict_json(sick_run: nw.Run) -> None:
    report = nw.diagnose(sick_run)
    plain = json.loads(report.to_json())
    assert plain == report.as_dict()
    assert wrong(plain, SCHEMA) == []
    assert plain["grade"] == "cause"
    assert plain["found"][0]["evidence"][0]["limit"] == 25
    assert plain["found"][0]["consequences"][0]["rule"] == "not_learning"


def test_numbers_that_are_not_finite_and_findings_of_other_grades_keep_to_the_schema() -> None:
    evidence = (nw.Evidence("loss", math.inf, -math.inf), nw.Evidence("x", math.nan, 1.0, False))
    finding = nw.Finding(
        "mine", "It is.", strength=math.nan, evidence=evidence, grade="proved", change="a\nb"
    )
    trial = nw.ShortTrial("rate", "the rate", "proved", "It falls.", "mine", {"fall": math.inf})
    plain = json.loads(Report((finding,), ("a",), (("b", "c"),), (trial,)).to_json())
    assert plain["trials"][0]["numbers"] == {"fall": "inf"}
    assert wrong(plain, SCHEMA) == []
    assert plain["grade"] == "proved"
    found = plain["found"][0]
    assert found["change"] == ["a", "b"]
    assert [each["value"] for each in found["evidence"]] == ["inf", "nan"]
    assert [each["found"] for each in found["evidence"]] == ["above", "below"]


def test_the_schema_refuses_other_values(sick_run: nw.Run) -> None:
    plain = nw.diagnose(sick_run).as_dict()
    plain["found"][0]["grade"] = "sure"
    plain["found"][0]["steps"] = [0, 1, 2]
    del plain["clear"]
    plain["more"] = 1
    assert sorted(wrong(plain, SCHEMA)) == [
        "report.clear is missing",
        "report.found[0].grade: 'sure'",
        "report.found[0].steps: 3 items",
        "report.more is not in the schema",
    ]


def test_an_empty_report_has_no_grade() -> None:
    assert Report((), (), ()).as_dict()["grade"] is None


def test_keys_of_earlier_versions_are_kept(sick_run: nw.Run) -> None:
    plain = nw.diagnose(sick_run).as_dict()
    assert {"found", "clear", "unchecked"} <= set(plain)
    assert {"what", "value", "limit", "found"} <= set(plain["found"][0]["evidence"][0])
