"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from netwise.cli import main
from netwise.cli.options import home_option, jobs_option, picture_option, set_option


@click.command()
@set_option("epochs=3")
@picture_option("the curve")
@jobs_option
@home_option
def show(settings: tuple[str, ...], picture: Path | None, jobs: int | None, home: Path) -> None:
    click.echo(repr((settings, picture, jobs, home)))


def test_settings_may_be_repeated_and_paths_are_paths() -> None:
    result = CliRunner().invoke(show, ["--set", "a=1", "--set", "b=2", "--picture", "p.png"])
    assert result.stdout.strip() == repr((("a=1", "b=2"), Path("p.png"), None, Path("runs")))


def test_jobs_are_at_least_one() -> None:
    result = CliRunner().invoke(show, ["--jobs", "0"])
    assert result.exit_code == 2
    assert "0 is not in the range x>=1" in result.stderr


def test_the_help_has_the_example_and_what_is_drawn() -> None:
    text = " ".join(CliRunner().invoke(show, ["--help"]).stdout.split())
    assert "Change a field of the recipe, such as epochs=3. May be repeated." in text
    assert "Draw the curve into a new .png or .svg file." in text


@pytest.mark.parametrize("name", sorted(main.commands))
def test_an_option_has_one_meaning_in_all_commands(name: str) -> None:
    shared = {"--json": "as_json", "--runs": "home", "--jobs": "jobs", "--set": "settings"}
    for parameter in main.commands[name].params:
        for option in parameter.opts:
            if option in shared:
                assert parameter.name == shared[option]
