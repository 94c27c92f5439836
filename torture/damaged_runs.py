"""Runs whose files are damaged: the numbers of before, or an error that names the file."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import netwise as nw
from torture.attack import REFUSED, Attack, Failed, answer
from torture.mutations import changed_json, changed_lines, changed_value, damaged

RECIPE = nw.Recipe(
    data=nw.data.iris(),
    network=nw.MLP((4, 8, 3), dropout=0.2),
    optimizer=nw.Adam(lr=0.01),
    batch_size=32,
    epochs=6,
)
FINISHED, INTERRUPTED, INPUTS = (
    "finished",
    "interrupted",
    ((5.1, 3.5, 1.4, 0.2), (6.0, 3.0, 5.0, 2.0)),
)


def prepare(folder: Path) -> None:
    """A finished run, and the same run interrupted after half of its epochs."""
    nw.fit(RECIPE, folder=folder / FINISHED, checkpoint_every=4)
    nw.fit(
        RECIPE,
        folder=folder / INTERRUPTED,
        checkpoint_every=4,
        halt=lambda epochs, row: "half is enough" if epochs == 3 else None,
    )


def numbers(run: nw.Run) -> tuple[Any, ...]:
    """All that a run has computed."""
    weights = {name: value.numpy().tobytes() for name, value in run.module.state_dict().items()}
    series = {name: series.values for name, series in run.history.series.items()}
    return weights, series, run.score


def damage_checkpoint(prepared: Path, scratch: Path, chance: random.Random) -> None:
    """Resuming falls back to the checkpoint before, or says that both are damaged."""
    run = copied(prepared / INTERRUPTED, scratch)
    checkpoints = sorted((run / "checkpoints").iterdir())
    targets = [checkpoints[-1]] if chance.random() < 0.7 else checkpoints
    is_sealed = chance.random() < 0.3  # by someone who writes valid sums
    for checkpoint in targets:
        file = chance.choice(sorted(checkpoint.iterdir()))
        change = changed_json if file.suffix == ".json" and chance.random() < 0.5 else damaged
        file.write_bytes(change(file.read_bytes(), chance))
        if is_sealed and file.name != "manifest.json":
            seal_checkpoint(checkpoint, file)
    resumed = answer(lambda: nw.resume(run), run.name, "checkpoints/step-")
    if resumed is not REFUSED and not is_sealed:
        require_same(numbers(resumed), numbers(nw.load(prepared / FINISHED)), "resumed run")


def seal_checkpoint(checkpoint: Path, file: Path) -> None:
    """Write the sum of a changed file into the manifest."""
    manifest = checkpoint / "manifest.json"
    sums = json.loads(manifest.read_text())
    manifest.write_text(
        json.dumps({**sums, file.name: hashlib.sha256(file.read_bytes()).hexdigest()})
    )


def damage(
    name: str, change: Callable[[bytes, random.Random], bytes]
) -> Callable[[Path, Path, random.Random], None]:
    """The attack on one file of a run.

    Args:
        name: of the file, below the folder of the run.
        change: makes another file of it, besides damaged bytes.
    """

    def attack(prepared: Path, scratch: Path, chance: random.Random) -> None:
        run = copied(prepared / (FINISHED if chance.random() < 0.7 else INTERRUPTED), scratch)
        before = json.loads((run / "about.json").read_text())["ended"]["how"]
        path = run / name
        if not path.exists():
            path = run / "about.json"
        way = change if chance.random() < 0.5 else damaged
        path.write_bytes(way(path.read_bytes(), chance))
        shutil.copytree(prepared / FINISHED, scratch / "another")
        judge(run, prepared, before == "finished", path.name)

    return attack


def judge(run: Path, prepared: Path, has_ended: bool, file: str) -> None:
    """Each way of reading gives the numbers of before, or refuses with the name of the run or of
    the damaged file; other runs stay listed."""
    original = prepared / (FINISHED if has_ended else INTERRUPTED)
    listed = [Path(entry.folder).name for entry in nw.list_runs(run.parent)]
    if "another" not in listed:
        raise Failed(f"one damaged run hides others: only {listed} are listed")
    history = answer(lambda: nw.load_history(run), run.name, file)
    if history is not REFUSED:
        require_same(history, nw.load_history(original), "history")
        answer(lambda: str(nw.diagnose(history)))
    if has_ended:
        loaded = answer(lambda: nw.load(run), run.name, file)
        if loaded is not REFUSED:
            expected = nw.load(original)
            require_same(numbers(loaded), numbers(expected), "loaded run")
            answers = loaded.predict(INPUTS).tolist()
            require_same(answers, expected.predict(INPUTS).tolist(), "answers")
    else:
        resumed = answer(lambda: nw.resume(run), run.name, file)
        if resumed is not REFUSED:
            require_same(numbers(resumed), numbers(nw.load(prepared / FINISHED)), "resumed run")


def require_same(found: Any, expected: Any, what: str) -> None:
    """Values that are equal, also where they hold numbers that are not."""
    if repr(found) != repr(expected):
        raise Failed(f"other numbers in the {what}, and no error")


def copied(run: Path, scratch: Path) -> Path:
    """A copy of a run folder under another name, since messages have to name it."""
    return Path(shutil.copytree(run, scratch / "run-1"))


def changed_recipe(raw: bytes, chance: random.Random) -> bytes:
    """A recipe file with one entry changed; still TOML where that can be."""
    import tomllib

    import tomli_w

    value = changed_value(tomllib.loads(raw.decode()), chance)
    try:
        return tomli_w.dumps(value).encode()
    except (TypeError, AttributeError, ValueError, RecursionError):
        return damaged(raw, chance)


def changed_header(raw: bytes, chance: random.Random) -> bytes:
    """A safetensors file with another header, or another length of it."""
    length = int.from_bytes(raw[:8], "little")
    header, content = raw[8 : 8 + length], raw[8 + length :]
    if chance.random() < 0.2:
        wrong = chance.choice((0, 1, length - 1, length + 1, 2**31, 2**62, 2**64 - 1))
        return wrong.to_bytes(8, "little") + header + content
    header = changed_json(header, chance)
    return len(header).to_bytes(8, "little") + header + content


def damage_weight_file(prepared: Path, scratch: Path, chance: random.Random) -> None:
    """Weights that a recipe starts from, in a file of a stranger."""
    path = scratch / "weights.safetensors"
    raw = (prepared / FINISHED / "weights.safetensors").read_bytes()
    path.write_bytes(changed_header(raw, chance) if chance.random() < 0.8 else damaged(raw, chance))
    recipe = RECIPE.but(init=nw.From(path=str(path)), epochs=1)
    torch.manual_seed(0)
    answer(lambda: nw.fit(recipe), path.name)


ATTACKS = (
    Attack("damaged checkpoints", 500, damage_checkpoint, prepare),
    Attack("damaged about.json", 500, damage("about.json", changed_json), prepare),
    Attack("damaged rows.jsonl", 500, damage("history/rows.jsonl", changed_lines), prepare),
    Attack("damaged recipe.toml", 500, damage("recipe.toml", changed_recipe), prepare),
    Attack("damaged weights", 500, damage("weights.safetensors", changed_header), prepare),
    Attack("headers of weight files", 500, damage_weight_file, prepare),
)
