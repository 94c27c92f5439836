"""Recipe files: what is written comes back, and all that is wrong is named at once."""

from __future__ import annotations

import random
import tomllib
from copy import deepcopy
from pathlib import Path

import pytest
import tomli_w
from hypothesis import example, given, settings, strategies as st

import netwise as nw
from netwise.recipe.plain import plain_of
from netwise.recipe.reader import recipe_from_bytes, recipe_of
from netwise.recipe.writer import recipe_text


def unit(top: float = 0.99) -> st.SearchStrategy[float]:
    return st.floats(0, top)


POSITIVE = st.floats(1e-12, 1e6)
ACTIVATION = st.one_of(
    st.sampled_from([nw.ReLU(), nw.Sigmoid(), nw.Tanh(), nw.Identity(), nw.Softmax()]),
    st.builds(nw.LeakyReLU, slope=unit(1.0)),
    st.builds(nw.ELU, alpha=POSITIVE),
)
NETWORK = st.one_of(
    st.builds(
        nw.MLP,
        st.lists(st.integers(1, 10**6), min_size=2, max_size=8).map(tuple),
        activation=ACTIVATION,
        output=ACTIVATION,
        batch_norm=st.booleans(),
        dropout=unit(),
    ),
    st.builds(
        nw.LeNet5,
        st.tuples(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 4096)),
        st.integers(1, 1000),
        activation=ACTIVATION,
    ),
    st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,5})?:[A-Z][a-z]{0,9}", fullmatch=True).map(
        nw.CustomNetwork
    ),
)
DATA = st.one_of(
    st.builds(
        nw.data.digits, valid=unit(0.4), test=unit(0.4), split_seed=st.integers(0, 2**32 - 1)
    ),
    st.builds(
        nw.data.csv,
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
        columns=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=3),
    ),
    st.sampled_from([nw.data.mnist(), nw.data.cifar10(), nw.data.diabetes(scale_target=False)]),
)
RECIPES = st.builds(
    nw.Recipe,
    data=DATA,
    network=NETWORK,
    preprocess=st.lists(
        st.one_of(
            st.just(nw.Standardise()),
            st.just(nw.MinMax()),
            st.builds(nw.Resize, st.integers(1, 4096), st.integers(1, 4096)),
        ),
        max_size=3,
    ).map(tuple),
    augment=st.lists(
        st.one_of(
            st.builds(nw.Noise, std=POSITIVE), st.builds(nw.Shift, pixels=st.integers(0, 64))
        ),
        max_size=2,
    ).map(tuple),
    init=st.one_of(
        st.just(nw.ModuleDefault()),
        st.builds(nw.Normal, std=POSITIVE),
        st.builds(nw.He, gain=POSITIVE),
        st.builds(nw.Glorot, shape=st.sampled_from(["uniform", "normal"])),
    ),
    loss=st.one_of(
        st.builds(nw.CrossEntropy, label_smoothing=unit()),
        st.sampled_from([nw.Quadratic(), nw.BinaryCrossEntropy(), nw.MeanAbsoluteError()]),
    ),
    penalty=st.one_of(
        st.none(), st.builds(nw.L2, strength=POSITIVE), st.builds(nw.L1, strength=POSITIVE)
    ),
    optimizer=st.one_of(
        st.builds(nw.SGD, lr=POSITIVE, momentum=unit(), nesterov=st.booleans()),
        st.builds(nw.Adam, lr=POSITIVE, beta1=unit(), beta2=unit()),
        st.builds(nw.RMSProp, decay=unit()),
    ),
    schedule=st.one_of(
        st.just(nw.ConstantRate()),
        st.builds(nw.Cosine, last=unit()),
        st.builds(nw.StepDecay, every=st.integers(1, 99), factor=st.floats(0.01, 1)),
    ),
    clip=st.one_of(st.none(), st.builds(nw.Clip, POSITIVE), st.builds(nw.ClipValue, POSITIVE)),
    batch_size=st.integers(1, 10**9),
    epochs=st.integers(1, 10**6),
    stopping=st.one_of(st.just(nw.Never()), st.builds(nw.Patience, st.integers(1, 1000))),
    seed=st.integers(0, 2**63 - 1),
)


@given(RECIPES)
@settings(max_examples=300)
def test_any_recipe_comes_back_from_its_file_with_an_equal_hash(recipe: nw.Recipe) -> None:
    again = recipe_from_bytes(recipe_text(recipe).encode())
    assert again == recipe
    assert again.hash == recipe.hash
    assert recipe_text(again) == recipe_text(recipe)


def test_a_file_names_every_wrong_field_at_once(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        'data = "digit"\nbatch_size = 0\noptimiser = "sgd"\n[optimizer]\nlr = -0.1\n'
        '[network]\nkind = "MLP"\nwidths = [64, 10]\n'
        'activation = {kind = "LeakyReLU", slope = "steep"}\n'
    )
    with pytest.raises(nw.RecipeFileError) as caught:
        nw.read_recipe(path)
    assert (
        str(caught.value)
        == """\
recipe.toml: 5 problems. Nothing was trained.
  data = 'digit'                      is no known data set. Did you mean `digits`?
  network.activation.slope = 'steep'  must be a number: a leak is a part of the input. Write 0.01.
  optimizer.lr = -0.1                 must be above 0: a negative step climbs. Write 0.001.
  batch_size = 0                      must be at least 1: a step needs a sample. Write 64.
  optimiser                           unknown field. Did you mean `optimizer`?"""
    )


SHORT = 'data = "digits"\nnetwork = {kind = "MLP", widths = [64, 10]}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "optimizer = 3",
            "optimizer = 3  must be a table with a kind, or the name of an optimizer",
        ),
        (
            'optimizer = "momentm"',
            (
                "optimizer = 'momentm'  is no known optimizer. "
                "Did you mean `Momentum` or `MomentOptimizer`?"
            ),
        ),
        ("clip = {value = 1.0}", "clip = {'value': 1.0}  needs a kind: which clipping?"),
        ('preprocess = "Standardise"', "preprocess = 'Standardise'  must be a list of tables"),
        (
            'preprocess = ["Standardise", {kind = "Resize", width = 3}]',
            "preprocess.1.height  is missing: an image has pixels. Write 28.",
        ),
        (
            'optimizer = {kind = "Adam", momentum = 0.9}',
            "optimizer.momentum  unknown field. There are: lr, beta1, beta2, epsilon.",
        ),
        ("seed = 1e3", "seed = 1000.0  must be a whole number"),
        ("epochs = 2026-01-01", "epochs = datetime.date(2026, 1, 1)  must be a whole number"),
        ("[optimizer]\nlr = nan", "optimizer.lr = nan  must be a finite number"),
    ],
)
def test_a_wrong_value_is_named_with_its_field(text: str, message: str) -> None:
    with pytest.raises(nw.RecipeFileError) as caught:
        recipe_from_bytes((SHORT + text).encode())
    assert message in " ".join(str(p) for p in caught.value.problems)


def test_names_are_taken_in_any_case_and_a_name_alone_means_defaults() -> None:
    recipe = recipe_from_bytes((SHORT + 'optimizer = "sgd"\nstopping = "patience"').encode())
    assert recipe.optimizer == nw.SGD()
    assert recipe.stopping == nw.Patience()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff\xfe", "is no UTF-8 text (byte 0)"),
        (b"a = ", "is no TOML"),
        (b"a = " + b"[" * 100_000, ""),
        (b"a = " + b"9" * 10_000, ""),
        (b"", "data  is missing"),
        (b"\0", "is no TOML"),
    ],
)
def test_what_is_no_recipe_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(nw.RecipeFileError) as caught:
        recipe_from_bytes(raw)
    assert message in " ".join(str(p) for p in caught.value.problems)


def test_a_file_of_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    path.write_bytes(b"#" * 2_000_000)
    with pytest.raises(nw.RecipeFileError, match="is larger than a recipe can be"):
        nw.read_recipe(path)
    with pytest.raises(nw.RecipeFileError, match="cannot be read: No such file"):
        nw.read_recipe(tmp_path / "absent.toml")


BASES = [
    nw.Recipe(
        data=nw.data.digits(),
        network=nw.MLP((64, 30, 10), activation=nw.LeakyReLU()),
        preprocess=(nw.Standardise(), nw.Resize(8, 8)),
        augment=(nw.Noise(),),
        penalty=nw.L2(),
        clip=nw.Clip(),
        stopping=nw.Patience(),
    ),
    nw.Recipe(
        data=nw.data.csv("a.csv", "y", columns=("x", "y")),
        network=nw.LeNet5(),
        optimizer=nw.SGD(lr=0.1),
        schedule=nw.Cosine(),
        init=nw.Glorot(),
    ),
    nw.Recipe(
        data=nw.data.mnist(),
        network=nw.CustomNetwork("models:Net"),
        loss=nw.CrossEntropy(label_smoothing=0.1),
    ),
]
JUNK: list[object] = [
    None,
    True,
    -1,
    0,
    3.7,
    float("nan"),
    float("inf"),
    1e308,
    10**30,
    "",
    "x" * 5000,
    "\u202e<script>",
    [],
    [[]],
    {},
    {"kind": []},
    {"kind": "SGD"},
    {"": {}},
    [1, "a", {}],
    [{"kind": "Noise"}] * 3,
]


def mutated(draw: random.Random) -> bytes:
    """A recipe file with a few things wrong: values, names, nesting, bytes."""
    plain = plain_of(draw.choice(BASES))
    for _ in range(draw.randint(1, 3)):
        place: object = plain
        while isinstance(place, dict) and place:
            key = draw.choice(list(place))
            if isinstance(place[key], dict) and draw.random() < 0.7:
                place = place[key]
                continue
            choice = draw.random()
            if choice < 0.6:
                value = draw.choice(JUNK)
                if value is None:
                    del place[key]
                else:
                    place[key] = deepcopy(value)  # a shared one could come to hold itself
            elif choice < 0.8:
                place[key[:-1] + draw.choice("xyz")] = place.pop(key)
            else:
                for _ in range(draw.randint(1, 60)):
                    place[key] = {draw.choice(["kind", "a", key]): place[key]}
            break
    raw = tomli_w.dumps(plain).encode()
    if draw.random() < 0.3:
        at = draw.randrange(len(raw))
        raw = raw[:at] + bytes([draw.randrange(256)]) + raw[at + draw.randint(0, 5) :]
    return raw


@pytest.mark.parametrize("block", range(6))
def test_thousands_of_mutated_files_give_a_named_field_or_a_recipe(block: int) -> None:
    draw = random.Random(block)
    read, refused = 0, 0
    for _ in range(600):
        raw = mutated(draw)
        try:
            recipe = recipe_from_bytes(raw)
        except nw.RecipeFileError as error:
            assert error.problems
            assert all(problem.field and problem.reason for problem in error.problems)
            assert len(str(error)) < 20_000
            refused += 1
        else:
            assert recipe_from_bytes(recipe_text(recipe).encode()) == recipe
            read += 1
    assert read > 0
    assert refused > 200


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=20,
    )
)
@example({"data": {"kind": "arrays"}})
@example({"data": {"kind": "csv"}, "network": {"kind": "CustomNetwork", "source": "os:abort; x"}})
def test_no_plain_value_raises_another_error(plain: object) -> None:
    if isinstance(plain, dict):
        with pytest.raises(nw.RecipeFileError):
            recipe_of(plain)


def test_reading_runs_nothing_that_a_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = recipe_from_bytes(
        b'data = "digits"\nnetwork = {kind = "CustomNetwork", source = "trap:Net"}'
    )
    assert recipe.network == nw.CustomNetwork("trap:Net")
    assert nw.check(recipe) == []


def test_the_file_is_what_toml_reads() -> None:
    plain = tomllib.loads(recipe_text(BASES[0]))
    assert plain["network"]["activation"] == {"kind": "LeakyReLU", "slope": 0.01}
    assert plain["preprocess"] == [
        {"kind": "Standardise"},
        {"kind": "Resize", "height": 8, "width": 8},
    ]
