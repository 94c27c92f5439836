"""Transfer: weights from a run, a recipe or a file; the head is initialised."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import netwise as nw
from netwise.recipe.origin import load_matching, read_weights
from netwise.recipe.plain import plain_of
from netwise.recipe.reader import recipe_of

FIRST = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)), init=nw.He(), epochs=2)


def start_of(recipe: nw.Recipe) -> dict[str, torch.Tensor]:
    """The weights before the first step, as near as a step of nothing comes."""
    return nw.fit(recipe.but(optimizer=nw.SGD(lr=1e-30), epochs=1), test=False).module.state_dict()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> nw.Run:
    return nw.fit(FIRST, folder=tmp_path_factory.mktemp("first") / "run")


def test_a_run_folder_a_recipe_and_files_give_the_same_weights(run: nw.Run, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = run.module.state_dict()
    torch.save(state, tmp_path / "weights.pt")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "checkpoint.pth")
    save_file(dict(state), tmp_path / "weights.safetensors")
    for init in (
        nw.From(str(run.folder)),
        nw.From(recipe=FIRST),
        nw.From(str(tmp_path / "weights.pt")),
        nw.From(str(tmp_path / "checkpoint.pth")),
        nw.From(str(tmp_path / "weights.safetensors")),
    ):
        initial = start_of(FIRST.but(init=init))
        assert all(torch.equal(initial[name], state[name]) for name in state), init


def test_the_head_is_initialised_and_not_copied(run: nw.Run) -> None:
    wide = FIRST.but(
        network=nw.MLP((64, 30, 20, 10)),
        init=nw.From(str(run.folder), layers=("layer1",), rest=nw.Constant(weight=0.25)),
    )
    initial = start_of(wide)
    assert torch.equal(initial["layer1.weight"], run.module.state_dict()["layer1.weight"])
    assert bool((initial["layer2.weight"] == 0.25).all())
    with pytest.raises(
        nw.DataError,
        match=r"layer2.weight has shape \(10, 30\) in the other network and \(20, 30\) in "
        r"this one: write anew = \('layer2',\)",
    ):
        nw.fit(wide.but(init=nw.From(str(run.folder))))
    nw.fit(wide.but(init=nw.From(str(run.folder), anew=("layer2",)), epochs=1))


def test_what_cannot_be_copied_is_refused(run: nw.Run, tmp_path: Path) -> None:
    with pytest.raises(nw.WrongValue, match="weights come from one: delete either"):
        nw.From("a", recipe=FIRST)
    with pytest.raises(nw.WrongValue, match="must be given: whose weights"):
        nw.From()
    with pytest.raises(
        nw.DataError, match="neither a run folder nor a file of weights: check the path"
    ):
        nw.fit(FIRST.but(init=nw.From(str(tmp_path / "nothing.pt"))))
    with pytest.raises(
        nw.DataError,
        match=r"no layer 'features\*' is in both networks: use one of .* There are: layer1, layer2",
    ):
        nw.fit(FIRST.but(init=nw.From(str(run.folder), layers=("features*",))))
    (tmp_path / "trap.pt").write_bytes(b"cos\nsystem\n(S'echo trapped'\ntR.")
    with pytest.raises(nw.DataError, match="holds no plain weights .* save module.state_dict"):
        nw.fit(FIRST.but(init=nw.From(str(tmp_path / "trap.pt"))))


def test_a_chain_is_a_value_and_goes_through_a_file() -> None:
    chain = FIRST.but(
        init=nw.From(recipe=FIRST, anew=("layer2",)),
        tuning=nw.FineTune(freeze=("layer1",)),
        optimizer=nw.SGD(lr=0.01),
    )
    assert recipe_of(plain_of(chain)) == chain
    assert chain.hash != chain.but(init=nw.From(recipe=FIRST.but(seed=1), anew=("layer2",))).hash
    with pytest.raises(nw.RecipeFileError, match=r"init.recipe.epochs = 0"):
        recipe_of(
            {
                **plain_of(chain),
                "init": {"kind": "From", "recipe": {**plain_of(FIRST), "epochs": 0}},
            }
        )


def test_arrays_of_a_first_recipe_are_refused_by_files_with_a_way_out(tmp_path: Path) -> None:
    arrays = FIRST.but(
        data=nw.data.arrays(torch.rand(40, 64), [0, 1] * 20), network=nw.MLP((64, 30, 2))
    )
    with pytest.raises(nw.WrongValue, match="train the first recipe into a folder and use"):
        nw.write_recipe(arrays.but(init=nw.From(recipe=arrays)), tmp_path / "recipe.toml")


def test_knowledge_of_a_related_task_helps_where_samples_are_few() -> None:
    samples = nw.data.digits().load().train
    x, y = samples.x.flatten(1), samples.y
    network = nw.MLP((64, 100, 10))
    source = nw.Recipe(
        data=nw.data.arrays(x, y, valid=0.1, test=0.0), network=network, init=nw.He(), epochs=30
    )
    # The same digits, fainter and soiled.
    soiled = 0.5 * x + 0.2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    few = nw.Recipe(
        data=nw.data.arrays(soiled, y, valid=0.0, test=0.95),
        network=network,
        init=nw.He(),
        epochs=60,
        batch_size=8,
    )
    warm = few.but(init=nw.From(recipe=source), tuning=nw.FineTune(decay=0.5))
    gains = []
    for seed in range(5):
        cold_run, warm_run = (nw.fit(recipe.but(seed=seed)) for recipe in (few, warm))
        assert cold_run.score is not None
        assert warm_run.score is not None
        gains.append(warm_run.score.value - cold_run.score.value)
    assert min(gains) > 0


def test_fine_tuning_in_a_file_needs_no_kind() -> None:
    plain = {**plain_of(FIRST), "tuning": {"freeze": ["layer1"]}}
    assert recipe_of(plain).tuning == nw.FineTune(freeze=("layer1",))
    with pytest.raises(
        nw.RecipeFileError, match=r"tuning.freez  unknown field. Did you mean `freeze`"
    ):
        recipe_of({**plain, "tuning": {"freez": []}})


def test_an_archive_that_unpacks_to_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(300, 300)}, tmp_path / "plain.pt")
    assert read_weights(tmp_path / "plain.pt")["layer.weight"].shape == (300, 300)
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for entry in plain.infolist():
            bomb.writestr(entry.filename, plain.read(entry))
    with pytest.raises(nw.DataError, match=r"unpacks to 36\d,\d+: torch.save compresses nothing"):
        read_weights(tmp_path / "bomb.pt")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (Tensor.to_sparse, "in the form torch.sparse_coo"),
        (lambda w: w.to(torch.complex64), "of type torch.complex64"),
        (lambda w: w.to("meta"), "without numbers"),
    ],
    ids=["sparse", "complex", "meta"],
)
def test_tensors_of_other_forms_are_refused(
    form: Callable[[Tensor], Tensor], message: str, tmp_path: Path
) -> None:
    torch.save({"layer.weight": form(torch.ones(3, 2))}, tmp_path / "w.pt")
    with pytest.raises(nw.DataError, match=message):
        read_weights(tmp_path / "w.pt")


def test_tensors_without_names_are_refused(tmp_path: Path) -> None:
    torch.save({1: torch.ones(3, 2)}, tmp_path / "w.pt")
    with pytest.raises(nw.DataError, match="under the name 1"):
        read_weights(tmp_path / "w.pt")


def test_weights_that_are_not_finite_are_refused() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    weights = {"0.weight": torch.full((3, 2), torch.nan), "0.bias": torch.zeros(3)}
    with pytest.raises(nw.DataError, match=r"w\.pt: 0\.weight has values that are not finite"):
        load_matching(module, nw.From("w.pt"), weights)
