"""Every lab has its recorded result, which is of the present recipes; quick labs give it again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

import netwise as nw
from netwise.cli import main
from netwise.data.catalogue.image_sets import ImageSet
from netwise.data.dataset import Samples, provide_data
from netwise.errors import UnknownName
from netwise.labs.record import RESULTS, recorded, recorded_result

LONG = [lab for lab in nw.LABS if lab.minutes > 0]
QUICK = [lab for lab in nw.LABS if lab.minutes == 0]
SMALL = [lab for lab in nw.LABS if lab.small]


@pytest.mark.parametrize("lab", LONG, ids=lambda lab: lab.name)
def test_a_recorded_result_is_of_the_present_recipes(lab: nw.Lab[Any]) -> None:
    result = recorded(lab.name)
    assert result is not None, f"run: netwise lab {lab.name} --record"
    assert result["recipes"] == {
        name: recipe.hash for name, recipe in lab.arms(lab.settings).items()
    }
    assert result["criteria"]
    assert {"date", "versions", "seeds"} <= set(result)
    assert result["claim"] == lab.claim


@pytest.mark.parametrize("lab", nw.LABS, ids=lambda lab: lab.name)
def test_a_recorded_result_is_read_as_a_result_of_the_present_settings(lab: nw.Lab[Any]) -> None:
    result, old = recorded_result(lab), recorded(lab.name)
    assert result is not None
    assert old is not None
    assert result.settings == lab.settings.written_fields()
    assert result.verdict == old["verdict"]


@pytest.mark.parametrize("lab", nw.LABS, ids=lambda lab: lab.name)
def test_the_words_of_a_recorded_figure_are_inside_it(lab: nw.Lab[Any]) -> None:
    picture = (RESULTS / f"{lab.name}.svg").read_text("utf-8")
    view = re.search(r'viewBox="0 0 ([\d.]+) ', picture)
    assert view
    assert "mathdefault" not in picture
    for style, place, words in re.findall(r'<text style="([^"]*)"([^>]*)>([^<]{20,})<', picture):
        x = re.search(r'translate\(([-\d.]+)|\bx="([-\d.]+)"', place)
        turned = re.search(r"rotate\(-?90", place)
        size = re.search(r"font-size: ([\d.]+)px", style)
        if x and size and not turned:
            font = FontProperties(weight="bold" if "700" in style else "normal")
            width = TextPath((0, 0), words, size=float(size[1]), prop=font).get_extents().width
            start = float(x[1] or x[2]) - {"middle": width / 2, "end": width}.get(
                (re.search(r"text-anchor: (\w+)", style) or [""] * 2)[1], 0.0
            )
            assert -3 < start < float(view[1]) - width + 3, words


@pytest.mark.parametrize("lab", QUICK, ids=lambda lab: lab.name)
def test_a_quick_lab_gives_its_recorded_result_again(lab: nw.Lab[Any]) -> None:
    result, old = lab.run(), recorded(lab.name)
    assert old is not None, "run: scripts/labs"
    assert old["verdict"] == result.verdict
    assert old["recipes"] == dict(result.recipes)
    assert old["seeds"] == list(result.seeds)
    assert [row["holds"] for row in old["criteria"]] == [c.holds for c in result.criteria]
    assert [row["of_the_note"] for row in old["criteria"]] == [
        c.part_of_claim for c in result.criteria
    ]
    assert list(old["numbers"]) == list(result.numbers)
    for name, value in result.numbers.items():
        assert old["numbers"][name] == pytest.approx(value, abs=1e-4)
    for criterion, row in zip(result.criteria, old["criteria"], strict=True):
        assert row["seen"] == pytest.approx(criterion.value, abs=1e-4)
    assert result.figure.startswith("<svg")


def test_a_lab_is_found_by_its_id_in_any_case() -> None:
    assert nw.lab("l58") is nw.lab("L58")


def test_an_unknown_id_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match=r"unknown lab 'L580'.*L58"):
        nw.lab("L580")


@pytest.mark.parametrize("lab", nw.LABS, ids=lambda lab: lab.name)
def test_a_lab_names_a_publication_and_ends_its_sentences(lab: nw.Lab[Any]) -> None:
    assert re.search(r"\b(19|20)\d\d\b|CS231n", lab.text.source)
    assert not re.search(r"\bnote \d", lab.text.source)
    assert lab.claim.endswith(".")
    assert lab.text.experiment.endswith(".")


class NoisyClasses:
    """In the place of sets of images: few images of ten classes that can be told apart, of the same
    shape, so that labs are tried without reading and evaluating 10,000 of them.

    It is asked for all data, and keeps what it gave: nothing of it enters the cache of real data.
    """

    def __init__(self) -> None:
        self._given: dict[nw.data.Data, Samples] = {}

    def loaded(self, data: nw.data.Data) -> Samples:
        if data not in self._given:
            self._given[data] = data.read()
        return self._given[data]

    def preprocessed(self, data: nw.data.Data, steps: Any) -> None:
        return None

    @staticmethod
    def images(data: ImageSet) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(training images, labels, test images, labels): each class has a faint picture of its
        own, and a fifth of the labels are wrong, so that no network is perfect."""
        rng = np.random.default_rng(0)
        count, tested, size = max(data.first, 2500), 300, int(np.prod(data.shape))
        y = np.arange(count + tested) % 10
        noise = rng.integers(0, 100, (count + tested, size), dtype=np.uint8)
        x = noise + (rng.random((10, size)) < 0.1)[y] * np.uint8(30)
        x[:, : size // 4] = 0
        y = np.where(rng.random(len(y)) < 0.2, rng.integers(0, 10, len(y)), y)
        return x[:count], y[:count], x[count:], y[count:]


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for kind in (nw.data.mnist, nw.data.fashion_mnist, nw.data.cifar10):
        monkeypatch.setattr(type(kind()), "read_images", NoisyClasses.images)
    with provide_data(NoisyClasses()):
        yield


@pytest.mark.parametrize("lab", SMALL, ids=lambda lab: lab.name)
@pytest.mark.usefixtures("few_images")
def test_a_lab_runs_on_a_small_scale(lab: nw.Lab[Any]) -> None:
    result, old = lab.run(**lab.small), recorded(lab.name)
    assert old is not None, f"run: netwise lab {lab.name} --record"
    assert all(np.isfinite(value) for value in result.numbers.values())
    assert len(result.criteria) == len(old["criteria"])
    assert [row["of_the_note"] for row in old["criteria"]] == [
        criterion.part_of_claim for criterion in result.criteria
    ]
    assert list(result.recipes) == list(old["recipes"])
    assert result.figure.startswith("<svg")
    assert "mathdefault" not in result.figure  # ticks as formulas, which pages show as they are


@pytest.mark.parametrize("lab", nw.LABS, ids=lambda lab: lab.name)
def test_what_a_lab_proposes_to_change_can_be_changed(lab: nw.Lab[Any]) -> None:
    assert len(lab.text.change) > 0
    for variation in lab.text.change:
        if variation.run:
            program, command, *_ = variation.run.split()
            assert program == "netwise"
            assert command in main.commands
            continue
        assert lab.with_settings(variation.set) != lab.settings
    if lab.stops:
        name, values = lab.stops
        assert getattr(lab.settings, name) in values
        assert all(lab.with_settings({name: value}) for value in values)


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(UnknownName, match="unknown setting of L01 'rat'. Did you mean `rate`"):
        nw.lab("L01").run(rat=1.0)
    with pytest.raises(nw.WrongValue, match="rate = -1  must be above 0"):
        nw.lab("L01").run(rate=-1)


def test_an_empty_list_is_no_setting() -> None:
    for lab in nw.LABS:
        for name, value in lab.settings.written_fields().items():
            if isinstance(value, tuple):
                with pytest.raises(nw.WrongValue):
                    lab.with_settings({name: ()})
