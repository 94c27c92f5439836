"""Words of the command line as recipes, data and settings."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

import netwise as nw
from netwise.cli.parsing import (
    allow_own_code,
    column_names,
    data_for,
    network_for,
    own_network,
    parse_settings,
    parse_whole_numbers,
    recipe_for,
)
from netwise.file_text import FileText
from netwise.recipe.user_code import foreign_code_in


def test_a_data_set_a_table_a_folder_and_a_recipe_are_recognised() -> None:
    assert data_for("iris", None) == nw.data.iris()
    Path("pets.csv").write_text("weight,pet\n4,cat\n")
    assert data_for("pets.csv", "pet") == nw.data.csv("pets.csv", "pet")
    Path("photos/cats").mkdir(parents=True)
    assert data_for("photos", None) == nw.data.images("photos")
    suggested = recipe_for("iris", epochs=3, seed=7, settings=("optimizer.lr=0.5",))
    assert suggested == nw.with_learning_rate(nw.suggest(nw.data.iris(), epochs=3, seed=7), 0.5)
    nw.write_recipe(suggested, "recipe.toml")
    assert recipe_for("recipe.toml") == suggested
    assert recipe_for("recipe.toml", epochs=9, settings=("epochs=4",)).epochs == 9


def test_a_data_set_wins_over_a_folder_of_its_name() -> None:
    Path("iris").mkdir()
    assert data_for("iris", None) == nw.data.iris()


def test_settings_are_toml_values_or_text() -> None:
    settings = ("a.b=0.5", "c=[1, 2]", "d=He", "e=true", 'f={kind="SGD", lr=1}', "g=x=y")
    assert parse_settings(settings) == {
        "a.b": 0.5,
        "c": [1, 2],
        "d": "He",
        "e": True,
        "f": {"kind": "SGD", "lr": 1},
        "g": "x=y",
    }
    with pytest.raises(click.UsageError, match=r"Write FIELD=VALUE, such as optimizer\.lr=0\.01"):
        parse_settings(("epochs",))
    for text in ("9" * 5000, "[" * 100_000, "{a = " * 100_000):
        assert parse_settings((f"a={text}",)) == {"a": text}


def test_whole_numbers_with_a_separator() -> None:
    assert parse_whole_numbers("--image", "3x224X224", "x", "3x224x224") == [3, 224, 224]
    for text in ("3,224", "0x3", "", "axb"):
        with pytest.raises(click.UsageError, match="write whole numbers above 0 with 'x' between"):
            parse_whole_numbers("--image", text, "x", "3x224x224")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_column_names_are_those_that_the_table_reader_finds(separator: str) -> None:
    from netwise.data.tables import ReadOptions, read_table

    rows = [["weight", "fur colour", "pet"], ["4", "red, dark", "cat"], ["30", "black", "dog"]]
    quoted = [[f'"{cell}"' if "," in cell else cell for cell in row] for row in rows]
    Path("t.csv").write_text("\n".join(separator.join(row) for row in quoted) + "\n")
    assert (
        column_names(Path("t.csv")) == rows[0] == read_table("t.csv", ReadOptions()).frame.columns
    )


def test_a_network_is_found_by_name_with_its_input_shape() -> None:
    network, shape = network_for("resnet", ("depth=50",), False)
    assert network == nw.ResNet(depth=50)
    assert shape == network.image
    assert network_for("MLP", ("widths=[5, 2]",), False) == (nw.MLP((5, 2)), (5,))


def test_own_code_is_refused_until_it_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", ["unchanged"])
    own = nw.CustomNetwork(FileText("mine:net"))
    recipe = nw.Recipe(data=nw.data.iris(), network=own)
    with pytest.raises(nw.WrongValue, match=r"mine:net .* add --trust-own to import and run it"):
        allow_own_code(recipe, False)
    import sys

    assert sys.path == ["unchanged"]
    allowed = allow_own_code(recipe, True)
    assert (allowed, foreign_code_in(allowed), own_network(allowed)) == (recipe, (), own)
    assert sys.path[0] == str(Path.cwd())
    plain = recipe.but(network=nw.MLP((4, 3)))
    assert allow_own_code(plain, False) is plain
    assert own_network(plain) is None


def test_options_of_tables_are_fields_of_their_data() -> None:
    Path("t.csv").write_text("a;y\n" + "1,5;u\n2,5;v\n" * 5)
    reading = {"sep": ";", "decimal": ",", "na": ("unknown",), "kinds": ("a=number",)}
    data = data_for("t.csv", "y", reading=reading)
    assert data == nw.data.csv("t.csv", "y", sep=";", decimal=",", na="unknown", kinds=["a=number"])
    assert recipe_for("t.csv", target="y", reading=reading).data == data
    with pytest.raises(click.UsageError, match="--sep: digits is no table in a file"):
        data_for("digits", None, reading={"sep": ";"})
