"""From figures to SVG elements and files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netwise.report.pictures.drawing import FAINT, INK, figure, save, svg


def test_an_svg_takes_the_colours_of_its_page() -> None:
    with figure() as (made, axes):
        axes[0][0].set_title("A & B")
        text = svg(made, 'Loss of "A" & <B>')
    assert text.startswith('<svg viewBox="')
    assert 'aria-label="Loss of &quot;A&quot; &amp; &lt;B&gt;"' in text
    assert INK not in text
    assert FAINT not in text
    assert "currentColor" in text
    assert "var(--line)" in text
    assert "<metadata>" not in text


def test_ids_differ_between_pictures_and_are_the_same_each_time() -> None:
    def ids(title: str) -> list[str]:
        with figure() as (made, axes):
            axes[0][0].plot([1, 2])
            text = svg(made, title)
        for target in re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text):
            assert f'id="{target}"' in text
        return re.findall(r'id="([^"]+)"', text)

    assert ids("one") == ids("one")
    assert not set(ids("one")) & set(ids("two"))


@pytest.mark.parametrize("paper", [False, True])
def test_axes_come_as_a_table(paper: bool) -> None:
    with figure(columns=3, rows=2, paper=paper) as (made, axes):
        assert axes.shape == (2, 3)
        assert len(made.axes) == 6


def test_files_are_png_or_svg_in_colours_of_their_own(tmp_path: Path) -> None:
    with figure(paper=True) as (made, _):
        assert save(made, tmp_path / "a.png", "A").read_bytes().startswith(b"\x89PNG")
        text = save(made, tmp_path / "a.svg", "A").read_text("utf-8")
        assert "currentColor" not in text
        assert "var(--line)" not in text
        with pytest.raises(ValueError, match=r"a\.jpg: a picture has to be .* Write .*a\.png or"):
            save(made, tmp_path / "a.jpg", "A")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]
