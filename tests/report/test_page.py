"""Templates: escaped, complete, and part of the package."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from netwise.labs.catalogue import LabText
from netwise.report.page import render

LAB = {
    "title": "L1",
    "name": "L1",
    "verdict": "confirmed",
    "text": LabText("<script>alert(1)</script>", experiment="One & two.", source="A 'b'"),
    "conclusion": "",
    "changed": "",
    "erratum": None,
    "stops": None,
    "variations": [],
    "settings": "",
    "seconds": "",
    "recorded": "",
    "drawn": ["<svg>picture</svg>"],
    "criteria": [("a < b", "1", "holds", "yes")],
    "numbers": [],
    "recipes": "",
}


def test_text_is_escaped_and_pictures_are_not() -> None:
    page = render("lab.html", **LAB)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "One &amp; two." in page
    assert "<td>a &lt; b</td>" in page
    assert '<figure class="figure"><svg>picture</svg></figure>' in page


def test_columns_of_numbers_are_marked() -> None:
    page = render("lab.html", **LAB)
    assert '<th>statement</th><th class="number">measured</th>' in page
    assert '<td class="number">1</td>' in page


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="conclusion"):
        render("lab.html", **{name: value for name, value in LAB.items() if name != "conclusion"})


def test_the_policy_allows_no_script_and_no_network() -> None:
    page = render("lab.html", **LAB)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<html") == page.count("</html>") == 1
