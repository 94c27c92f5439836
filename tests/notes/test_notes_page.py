"""The page has every section, is searched by one known script, and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from netwise.notes.notes_page import write_notes_page
from netwise.notes.outline import contents

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_notes_page(tmp_path_factory.mktemp("notes") / "notes.html")


def test_every_section_stands_on_the_page(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.count("<section") == len(contents())
    assert "受限玻尔兹曼机" in text
    assert "Erratum E05" in text
    assert not re.search(r"(?:src|href)=", text)


def test_the_policy_allows_this_script_alone(page: Path) -> None:
    text = page.read_text("utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_search_hides_other_sections(page: Path) -> None:
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [*command, f"{page.as_uri()}#contrastive%20divergence"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    shown = re.findall(r"<section class=\"card\" data-words=\"[^\"]*\">", done.stdout)
    hidden = re.findall(r"<section class=\"card\" data-words=\"[^\"]*\" hidden", done.stdout)
    assert 0 < len(shown) < 4
    assert len(shown) + len(hidden) == len(contents())
