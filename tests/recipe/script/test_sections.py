"""Sections of a script: each is there exactly where the recipe needs it, and the whole compiles."""

from __future__ import annotations

import ast

import pytest

import netwise as nw

PLAIN = nw.Recipe(
    data=nw.data.digits(), network=nw.MLP((64, 10)), optimizer=nw.SGD(lr=0.25), epochs=7, seed=5
)
PARTS: dict[str, tuple[nw.Recipe, str]] = {
    "init": (PLAIN.but(init=nw.He()), "def draw_weight("),
    "schedule": (PLAIN.but(schedule=nw.Cosine()), "group['lr'] = 0.25 * factor(epoch)"),
    "one cycle": (PLAIN.but(schedule=nw.OneCycle()), "factor(epoch + number / len(batches))"),
    "cycles": (PLAIN.but(schedule=nw.Cyclical()), "factor(epoch + number / len(batches))"),
    "penalty": (PLAIN.but(penalty=nw.L2()), "loss = loss + "),
    "limit": (PLAIN.but(penalty=nw.MaxNorm()), "for w in weights:"),
    "clip": (PLAIN.but(clip=nw.Clip()), "nn.utils.clip_grad_norm_"),
    "average by step": (PLAIN.but(average=nw.EMA()), "        update_average("),
    "average by epoch": (PLAIN.but(average=nw.SWA()), "\n    update_average("),
    "stopping": (PLAIN.but(stopping=nw.Patience(4)), "elif epoch - best_epoch >= 4:"),
    "augment": (PLAIN.but(augment=(nw.Noise(),)), 'g = generator("augment", epoch, number)'),
    "values of classes": (PLAIN.but(loss=nw.Quadratic()), "def as_values("),
    "gates": (
        PLAIN.but(network=nw.GRU(features=8, units=3), init=nw.LeCun()),
        "isinstance(layer, nn.RNNBase)",
    ),
}


@pytest.mark.parametrize(("recipe", "line"), PARTS.values(), ids=PARTS)
def test_a_section_is_there_where_it_is_needed(recipe: nw.Recipe, line: str) -> None:
    script = recipe.to_script()
    ast.parse(script)
    assert line in script
    assert line not in PLAIN.to_script()


def test_settings_are_those_of_the_recipe() -> None:
    script = nw.to_script(PLAIN, threads=3)
    assert "SEED, EPOCHS, BATCH_SIZE = 5, 7, 64" in script
    assert "torch.set_num_threads(3)" in script
    assert PLAIN.hash in script.splitlines()[0]


def test_every_name_is_imported_and_every_import_used() -> None:
    for recipe, _ in PARTS.values():
        tree = ast.parse(recipe.to_script())
        imported = {
            (name.asname or name.name).split(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in node.names
        } - {"annotations"}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert imported <= used
        modules = {"csv", "gzip", "hashlib", "io", "math", "os", "np", "torch", "nn", "F", "Path"}
        assert used & modules <= imported


def test_the_test_score_follows_the_task() -> None:
    assert "test accuracy" in PLAIN.to_script()
    regression = PLAIN.but(
        data=nw.data.diabetes(), network=nw.MLP((10, 1)), loss=nw.MeanSquaredError()
    )
    assert "test R2" in regression.to_script()
