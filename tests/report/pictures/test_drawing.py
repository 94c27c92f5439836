"""From figures to SVG elements and files."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from netwise.report.pictures.drawing import FAINT, INK, figure, save, save_png, svg, use_log_scale


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


@pytest.mark.parametrize("name", ["$x_{$", r"$\undefined$", "a$b$c_", r"\$", "$$", "^_{}"])
def test_names_are_drawn_as_they_are(name: str, tmp_path: Path) -> None:
    with figure() as (made, axes):
        axis = axes[0][0]
        axis.plot([1, 2], [1, 1000], label=f"of {name}")
        axis.set_title(name)
        axis.set_xlabel(name)
        axis.set_xticks([1, 2], [name, name])
        use_log_scale(axis, "y")
        axis.legend()
        text = svg(made, name)
        save_png(made, tmp_path / "inside.png")
    save_png(made, tmp_path / "outside.png")
    assert text.count(f">{name}<") == 4
    assert f">of {name}<" in text
    assert (tmp_path / "outside.png").stat().st_size > 1000


def test_ticks_of_a_logarithmic_axis_are_numbers() -> None:
    with figure() as (made, axes):
        axes[0][0].plot([1, 2], [1e-5, 1e3])
        use_log_scale(axes[0][0], "y")
        made.canvas.draw()
        ticks = [label.get_text().replace("−", "-") for label in axes[0][0].get_yticklabels()]
    values = [float(tick) for tick in ticks if tick]
    assert len(values) > 2
    assert all(math.log10(value).is_integer() for value in values)


def test_a_matplotlibrc_in_the_folder_gives_no_text_to_tex(tmp_path: Path) -> None:
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True}), figure(paper=True) as (made, axes):
        axes[0][0].set_title(r"\input{/etc/hosts}")
        assert r">\input{/etc/hosts}<" in svg(made, "A")
        save_png(made, tmp_path / "a.png")
