"""The page of a run: self-contained, complete and escaped."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwise as nw
from netwise.report.run_page import run_page
from report.html_page import check_page


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    sick = nw.gallery.sick["rate_too_low"].recipe
    return {
        "digits": run_page(nw.fit(nw.suggest(nw.data.digits(), epochs=4))),
        "regression": run_page(nw.fit(nw.suggest(nw.data.diabetes(), epochs=4))),
        "lenet5": run_page(nw.fit(nw.suggest(nw.data.digits(), "lenet5", epochs=1))),
        "diverged": run_page(nw.fit(sick.but(optimizer=nw.SGD(lr=1e9)))),
        "no parts": run_page(nw.fit(sick.but(data=nw.data.digits(valid=0, test=0), epochs=1))),
    }


@pytest.mark.parametrize("name", ["digits", "regression", "lenet5", "diverged", "no parts"])
def test_a_page_is_well_formed_and_self_contained(pages: dict[str, str], name: str) -> None:
    check_page(pages[name])


def test_a_page_shows_what_was_recorded(pages: dict[str, str]) -> None:
    for text in (
        "MLP on Digits",
        "Test accuracy",
        "No problem found.",
        "Loss",
        "Accuracy",
        "Gradient (rms, log scale)",
        "Confusion matrix",
        "Most confident mistakes",
        "multiply-adds",
        "[optimizer]",
        "<h2>Data</h2>",
        "digits: 1,797 samples of 1 x 8 x 8 numbers.",
        "To answer <code>3</code> always is right in 10.2 %.",
    ):
        assert text in pages["digits"], text
    assert "R²" in pages["regression"]
    assert "Confusion matrix" not in pages["regression"]
    assert "Diverged at step" in pages["diverged"]


def test_names_that_users_chose_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    path = tmp_path / f"{evil[1:7]}.csv"
    column, town = f'a"{evil}', f"{evil}'&"
    rows = [f"{i},{town if i % 2 else 'Bern'}" for i in range(60)]
    path.write_text("\n".join([f"'{column}',y".replace("'", ""), *rows]).replace('a"', "a"))
    run = nw.fit(nw.suggest(nw.data.csv(path, "y"), epochs=2), folder=tmp_path / "a<b>&run")
    text = run_page(run)
    assert evil not in text
    assert "&lt;script&gt;" in text
    check_page(text)


def test_findings_have_their_evidence_remedies_and_the_command_that_tries_them() -> None:
    run = nw.fit(nw.gallery.sick["vanishing_gradient"].recipe)
    text = run_page(run)
    finding = nw.diagnose(run).found[0]
    check_page(text)
    assert "<h3>Vanishing gradient <span" in text
    assert "<h3>Consequence: Failure to learn</h3>" in text
    for name in finding.remedies:
        assert f"<strong>{name}</strong>: " in text
    assert "takes 45 runs, about" in text  # 5 seeds, untreated and with 8 remedies
    assert "<code>netwise treat RUN</code>" in text


def test_a_remedy_of_the_users_own_is_shown_by_its_name(small: nw.Recipe) -> None:
    found = nw.Finding("mine", "Something is wrong.", remedies=("my_remedy",), title="mine")
    text = run_page(nw.fit(small), diagnosis=nw.Report((found,), (), ()))
    assert "<h3>Mine <span" in text
    assert "<li><strong>my_remedy</strong></li>" in text


def test_a_network_of_text_shows_what_it_writes(tmp_path: Path) -> None:
    (tmp_path / "song.txt").write_text("do re mi fa " * 100)
    network = nw.GRU(symbols=9, features=4, units=8, outputs=9, answers="each")
    data = nw.data.text(str(tmp_path / "song.txt"), length=12)
    text = run_page(nw.fit(nw.Recipe(data=data, network=network, epochs=1)))
    check_page(text)
    assert "<h2>Generated text</h2>" in text
    assert "The first 12 characters are from the validation part" in text
