"""Data as statements of a script that load and split them: `parts` becomes (x, y) of the training,
validation and test part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from netwise.data import DATA
from netwise.data.catalogue.bundled import BundledClasses, Diabetes
from netwise.data.catalogue.image_sets import MNIST, PART
from netwise.data.catalogue.table_sets import PublicTable
from netwise.data.dataset import Data
from netwise.data.in_memory import Arrays
from netwise.data.table import Table
from netwise.data.text_file import Text
from netwise.errors import WrongValue
from netwise.recipe.script.table_lines import table_lines

DOUBLE = torch.float64


def data_lines(data: Data) -> str:
    """Statements that set `parts`.

    Raises:
        WrongValue: no statements of plain PyTorch, NumPy and scikit-learn load these data.
    """
    for cls, write in FORMS.items():
        if isinstance(data, cls):
            return write(data)
    supported = (kind for kind, cls in DATA.items() if issubclass(cls, tuple(FORMS)))
    kinds = ", ".join(kind for kind in supported if kind != "adult")  # see `_table`
    reason = f"cannot be written as a script: use one of {kinds}"
    raise WrongValue.of("recipe", "data", data.kind, reason)


def _scaled_targets(scaled: bool) -> list[str]:
    if not scaled:
        return []
    return [
        (
            "mean, scale = parts[0][1].mean(0), parts[0][1].std(0, unbiased=False)  "
            "# the network learns (y - mean) / scale"
        ),
        "scale = torch.where(scale > 0, scale, torch.ones_like(scale))",
        "parts = [(x, (y - mean) / scale) for x, y in parts]",
    ]


def _bundled(data: BundledClasses) -> str:
    shape = data.load().shape
    x = "torch.as_tensor(np.asarray(bunch.data, dtype=np.float32))"
    return f"""bunch = datasets.{data.loader}()
x = {x}.reshape(-1, *{shape}) / {data.divisor}
y = torch.as_tensor(bunch.target, dtype=torch.int64)
train, valid, test = split(bunch.target, len(x))
parts = [(x[rows], y[rows]) for rows in (train, valid, test)]"""


def _diabetes(data: Diabetes) -> str:
    return "\n".join(
        [
            "bunch = datasets.load_diabetes()",
            "x = torch.as_tensor(np.asarray(bunch.data, dtype=np.float32))",
            "y = torch.as_tensor(np.asarray(bunch.target), dtype=torch.float32)[:, None]",
            "parts = [(x[rows], y[rows]) for rows in split(None, len(x))]",
            *_scaled_targets(data.scale_target),
        ]
    )


def _idx(data: MNIST) -> str:
    names = [remote.name for remote in data.remotes]
    take_first = [f"x, y = x[: {data.first}], y[: {data.first}]"] if data.first else []
    if data.validate_on == PART:
        parts = [
            "train, valid, _ = split(y, len(y))",
            "inputs, targets = as_images(x), torch.from_numpy(y.astype(np.int64))",
            (
                "parts = [(inputs[train], targets[train]), (inputs[valid], targets[valid]), "
                "(as_images(x_test), torch.from_numpy(y_test.astype(np.int64)))]"
            ),
        ]
    else:
        parts = [
            (
                "parts = [(as_images(a), torch.from_numpy(b.astype(np.int64))) "
                "for a, b in ((x, y), (x_test, y_test), (x_test[:0], y_test[:0]))]"
            )
        ]
    return "\n".join(
        [
            "def read_idx(name):",
            "    raw = gzip.open(FOLDER / name).read()",
            '    shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])',
            "    return np.frombuffer(raw[4 + 4 * raw[3] :], np.uint8).reshape(shape)",
            "",
            "",
            "def as_images(x):",
            (
                f"    return torch.from_numpy(x.reshape(-1, *{data.shape}).copy())"
                ".float().div_(255.0)"
            ),
            "",
            "",
            f"x, y, x_test, y_test = (read_idx(name) for name in {names})",
            *take_first,
            *parts,
        ]
    )


def _text(data: Text) -> str:
    named = data.path == "tiny_shakespeare"
    path = 'FOLDER / "tinyshakespeare/input.txt"' if named else f"Path({data.path!r})"
    train = f"round(len(numbers) * (1 - {data.valid!r} - {data.test!r}))"
    valid = f"round(len(numbers) * {data.valid!r})"
    inputs, targets = (
        f"part[{rows}].reshape(-1, {data.length})" for rows in (":size", "1 : size + 1")
    )
    cuts = "numbers[:first], numbers[first : first + second], numbers[first + second :]"
    return f"""content = ({path}).read_text("utf-8")
symbols = sorted(set(content))
places = {{symbol: i for i, symbol in enumerate(symbols)}}
numbers = torch.tensor([places[symbol] for symbol in content])
first, second = {train}, {valid}


def pieces(part):
    size = max(0, (len(part) - 1) // {data.length}) * {data.length}
    return {inputs}, {targets}


parts = [pieces(part) for part in ({cuts})]"""


def _table(data: PublicTable | Table) -> str:
    return table_lines(data, _scaled_targets)


def _arrays(data: Arrays) -> str:
    for name in ("group", "time", "own_valid", "own_test"):
        given = getattr(data, name)
        if given is not None and (not isinstance(given, int) or given > 0):
            reason = "cannot be written as a script, which splits at random: leave it out"
            raise WrongValue.of("recipe", f"data.{name}", "", reason)
    if data.weights is not None:
        shape = tuple(data.weights.shape)
        reason = "cannot be written as a script, whose loss has no weights: pass weights=None"
        raise WrongValue.of("recipe", "data.weights", f"weights of shape {shape}", reason)
    labels = "y.numpy()" if data.classes else "None"
    return "\n".join(
        [
            "from safetensors.torch import load_file",
            "",
            (
                'held = load_file(FOLDER / "data.safetensors")  '
                "# X and y, as netwise.write_recipe writes them beside a recipe"
            ),
            'x, y = held["X"], held["y"]',
            *_centred_inputs(data),
            f"parts = [(x[rows], y[rows]) for rows in split({labels}, len(x))]",
            *_scaled_targets(data.scale_target and not data.classes),
            *(["parts = [(x, y.float()) for x, y in parts]"] if data.y.dtype == DOUBLE else []),
        ]
    )


def _centred_inputs(data: Arrays) -> list[str]:
    """Inputs that float32 cannot tell apart are centred before they are cast."""
    encoder = data.load().encoder.plain()
    if "centre" not in encoder:
        return []
    centre, shape = encoder["centre"], tuple(encoder["shape"])
    return [
        f"centre = torch.tensor({centre!r}, dtype=torch.float64)  # means of the training part",
        f"x = (x - centre.reshape({shape!r})).float()",
    ]


FORMS: Mapping[type[Data], Callable[[Any], str]] = {
    BundledClasses: _bundled,
    Diabetes: _diabetes,
    MNIST: _idx,
    Text: _text,
    Table: _table,
    PublicTable: _table,
    Arrays: _arrays,
}


def split_function(
    valid: float, test: float, seed: int, own_test: bool, stratify: bool = True
) -> str:
    """The definition of `split`, with the shares and the seed of a recipe's data."""
    condition = "labels is not None" if stratify else "False"
    size = "0" if own_test else f"int(np.ceil(count * {test!r}))"
    title = (
        "Row numbers of the training, validation and test part; by class where every class has "
        "enough rows."
    )
    taken = f"train_test_split(rows, test_size=size, random_state={seed}, stratify=groups)"
    return f'''def split(labels, count):
    """{title}"""

    def cut(rows, size):
        if not size:
            return rows, rows[:0]
        groups = None
        if {condition}:
            kinds, counts = np.unique(labels[rows], return_counts=True)
            if counts.min() >= 2 and min(size, len(rows) - size) >= len(kinds):
                groups = labels[rows]
        left, taken = {taken}
        return np.sort(left), np.sort(taken)

    rest, test = cut(np.arange(count), {size})
    train, valid = cut(rest, int(count * {valid!r}))
    return tuple(torch.from_numpy(rows) for rows in (train, valid, test))'''
