"""Files that use the names of earlier versions are read, and their recipes keep their hashes."""

from __future__ import annotations

import tomllib

import pytest

import netwise as nw
from netwise.recipe.families import FAMILIES
from netwise.recipe.reader import recipe_of
from netwise.renamed import NAMESPACES, RENAMED, current_name, public_hint
from netwise.searches.plan_file import plan_from_dict, plan_hash

MLP = 'network = {kind = "MLP", widths = [64, 30, 10]}'

# Old name -> (lines of a recipe, its hash). The hashes were computed by commit 41173f0, which knew
# the old names only.
OLD_RECIPES = {
    "Activity": (f'{MLP}\npenalty = {{kind = "Activity", power = 2}}', "23a87609376a"),
    "Annealed": (
        'network = {kind = "BoltzmannMachine", visible = 64}\nloss = {kind = "Annealed"}',
        "8812d8f0941e",
    ),
    "ByNetwork": (f'{MLP}\ninit = "ByNetwork"', "9b1295bf6e41"),
    "Exact": (
        'network = {kind = "BoltzmannMachine", visible = 64}\nloss = "Exact"',
        "a8caf59e04a1",
    ),
    "Frame": (f'{MLP}\noptimizer = {{kind = "Frame", lr = 0.01}}', "a28efc19a5b3"),
    "Limit": (
        f'{MLP}\npreprocess = ["Standardise", {{kind = "Limit", reach = 3.0}}]',
        "9f2bc092d676",
    ),
    "Own": ('network = {kind = "Own", source = "torch.nn:Flatten"}', "9278ba5fa531"),
    "Switch": (f'{MLP}\noptimizer = {{kind = "Switch", epoch = 2}}', "75eb33310d78"),
    "Together": (
        (
            f"{MLP}\n"
            'penalty = {kind = "Together", members = [{kind = "Activity"}, {kind = "L2"}]}'
        ),
        "204a45ccbd70",
    ),
    "Torch": (f'{MLP}\noptimizer = {{kind = "Torch", name = "Rprop"}}', "eca9ea03fab0"),
}
OF_AXES = {"Whole"}  # in files of searches

# What `recipe_text` of commit 41173f0 wrote for the recipe of "Own".
OLD_TEXT = """\
batch_size = 64
epochs = 20
seed = 0

[data]
kind = "digits"
valid = 0.2
test = 0.2
split_seed = 0

[network]
kind = "Own"
source = "torch.nn:Flatten"

[init]
kind = "ByNetwork"

[loss]
kind = "CrossEntropy"
label_smoothing = 0.0

[optimizer]
kind = "Adam"
lr = 0.001
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-08

[schedule]
kind = "ConstantRate"

[stopping]
kind = "Never"
"""


def read(lines: str) -> nw.Recipe:
    return recipe_of(tomllib.loads(f'data = "digits"\n{lines}'))


def test_every_old_name_is_tried_below() -> None:
    assert set(OLD_RECIPES) | OF_AXES == set(RENAMED)


def test_no_part_has_the_name_that_another_part_had() -> None:
    """An old name in a file has one meaning."""
    names = {name for members in FAMILIES.values() for name in members}
    assert not names & set(RENAMED)
    assert set(RENAMED.values()) - {"Integer"} <= names


@pytest.mark.parametrize("old", OLD_RECIPES)
def test_an_old_name_reads_as_the_new_class_and_keeps_the_hash(old: str) -> None:
    lines, old_hash = OLD_RECIPES[old]
    recipe = read(lines)
    assert recipe == read(lines.replace(f'"{old}"', f'"{RENAMED[old]}"'))
    assert recipe == read(lines.replace(f'"{old}"', f'"{old.lower()}"'))  # as of any kind
    assert recipe.hash == old_hash
    assert f'kind = "{RENAMED[old]}"' in nw.recipe_text(recipe)


def test_a_whole_file_of_the_version_before_is_read() -> None:
    recipe = recipe_of(tomllib.loads(OLD_TEXT))
    assert recipe == read(OLD_RECIPES["Own"][0])
    assert recipe == recipe_of(tomllib.loads(nw.recipe_text(recipe)))


def test_an_axis_of_a_search_file_is_read_by_its_old_name() -> None:
    plan = plan_from_dict(
        {
            "trials": 3,
            "space": {"axes": [{"kind": "Whole", "field": "width", "low": 2, "high": 32}]},
        }
    )
    assert plan.space.axes == (nw.axes.Integer("width", 2, 32),)
    assert plan_hash(plan) == "f7eeb75b"  # computed by commit 41173f0


def test_a_name_of_today_stays_as_it_is() -> None:
    for name in ("MLP", "mlp", "ClipInputs", "digits"):
        assert current_name(name) == name


def test_the_names_in_namespaces_are_there() -> None:
    for space, names in NAMESPACES.items():
        for name in names:
            assert hasattr(getattr(nw, space), name)
            assert not hasattr(nw, name)


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("Own", ": write nw.CustomNetwork"),
        ("Log", ": write nw.axes.Log"),
        ("Whole", ": write nw.axes.Integer"),
        ("ais", ": write nw.energy.ais"),
        ("same", ": write nw.sizes.same"),
        ("Neuron", ": write nw.learning_rules.Neuron"),
        ("Hee", ""),
    ],
)
def test_an_old_public_name_is_answered_with_where_it_is_now(old: str, hint: str) -> None:
    assert public_hint(old) == hint
    with pytest.raises(AttributeError, match=f"netwise has no public '{old}'") as caught:
        getattr(nw, old)
    assert str(caught.value).endswith(hint)
