"""Data as lines that load and split them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netwise.data.arrays import Arrays
from netwise.data.catalogue.bundled import BundledClasses, Diabetes
from netwise.data.catalogue.image_sets import MNIST, PART
from netwise.data.catalogue.table_sets import PublicTable
from netwise.data.dataset import Data
from netwise.data.encoding import NumberColumn, TableEncoder
from netwise.data.table import Table
from netwise.data.text import Text
from netwise.errors import Problem, WrongValue
from netwise.tasks import CLASSIFICATION


def _bundled(data: Any) -> str:
    import numpy as np

    shape = data.shape or tuple(
        np.asarray(
            getattr(__import__("sklearn.datasets", fromlist=["x"]), data.loader)().data
        ).shape[1:]
    )
    return f"""bunch = datasets.{data.loader}()
x = torch.as_tensor(np.asarray(bunch.data, dtype=np.float32)).reshape(-1, *{shape}) / {data.divisor}
y = torch.as_tensor(bunch.target, dtype=torch.int64)
train, valid, test = split(bunch.target, len(x))
parts = [(x[rows], y[rows]) for rows in (train, valid, test)]"""


def _diabetes(data: Diabetes) -> str:
    return f"""bunch = datasets.load_diabetes()
x = torch.as_tensor(np.asarray(bunch.data, dtype=np.float32))
y = torch.as_tensor(np.asarray(bunch.target), dtype=torch.float32)[:, None]
parts = [(x[rows], y[rows]) for rows in split(None, len(x))]{_targets(data.scale_target)}"""


def _targets(scaled: bool) -> str:
    if not scaled:
        return ""
    return """
mean, scale = parts[0][1].mean(0), parts[0][1].std(0, unbiased=False)  # the network learns (y - mean) / scale
scale = torch.where(scale > 0, scale, torch.ones_like(scale))
parts = [(x, (y - mean) / scale) for x, y in parts]"""


def _idx(data: MNIST) -> str:
    names = [remote.name for remote in data.remotes]
    take = f"\nx, y = x[: {data.first}], y[: {data.first}]" if data.first else ""
    if data.validate_on == PART:
        cut = "train, valid, _ = split(y, len(y))\ninputs, targets = as_images(x), torch.from_numpy(y.astype(np.int64))\n"
        cut += "parts = [(inputs[train], targets[train]), (inputs[valid], targets[valid]), (as_images(x_test), torch.from_numpy(y_test.astype(np.int64)))]"
    else:
        cut = "parts = [(as_images(a), torch.from_numpy(b.astype(np.int64))) for a, b in ((x, y), (x_test, y_test), (x_test[:0], y_test[:0]))]"
    return f"""def read_idx(name):
    raw = gzip.open(FOLDER / name).read()
    shape = struct.unpack(f">{{raw[3]}}I", raw[4 : 4 + 4 * raw[3]])
    return np.frombuffer(raw[4 + 4 * raw[3] :], np.uint8).reshape(shape)


def as_images(x):
    return torch.from_numpy(x.reshape(-1, *{data.shape}).copy()).float().div_(255.0)


x, y, x_test, y_test = (read_idx(name) for name in {names}){take}
{cut}"""


def _text(data: Text) -> str:
    path = (
        'FOLDER / "tinyshakespeare/input.txt"'
        if data.path == "tiny_shakespeare"
        else f"Path({data.path!r})"
    )
    return f"""content = ({path}).read_text("utf-8")
symbols = sorted(set(content))
places = {{symbol: i for i, symbol in enumerate(symbols)}}
numbers = torch.tensor([places[symbol] for symbol in content])
first, second = round(len(numbers) * (1 - {data.valid!r} - {data.test!r})), round(len(numbers) * {data.valid!r})


def pieces(part):
    size = max(0, (len(part) - 1) // {data.length}) * {data.length}
    return part[:size].reshape(-1, {data.length}), part[1 : size + 1].reshape(-1, {data.length})


parts = [pieces(part) for part in (numbers[:first], numbers[first : first + second], numbers[first + second :])]"""


def _table(data: Any) -> str:
    table: Table = data.table() if isinstance(data, PublicTable) else data
    if type(table) is not Table:
        raise WrongValue(
            "recipe",
            [
                Problem(
                    "data",
                    type(data).__name__,
                    "has no plain form as a script: its file needs a reader of its own",
                )
            ],
        )
    samples = data.load()
    encoder = samples.encoder
    assert isinstance(encoder, TableEncoder)
    columns = []
    for column in encoder.columns:
        if isinstance(column, NumberColumn):
            columns.append(
                f"    ({column.name!r}, {column.median!r}, {column.mean!r}, {column.scale!r}),"
            )
        else:
            columns.append(f"    ({column.name!r}, {list(column.categories)!r}, {column.other!r}),")
    names = f"{list(table.columns)!r}" if table.columns else "next(rows)"
    target = "labels" if samples.task == CLASSIFICATION else "None"
    goal = (
        f"classes = {list(samples.classes)!r}\n"
        f"labels = np.array([classes.index(cell.strip()) for cell in cells[{table.target!r}]])\n"
        "y = torch.from_numpy(labels)"
        if samples.task == CLASSIFICATION
        else f"y = torch.tensor([[float(cell)] for cell in cells[{table.target!r}]], dtype=torch.float32)"
    )
    if table.test_file:
        raise WrongValue(
            "recipe",
            [
                Problem(
                    "data.test_file",
                    table.test_file,
                    "has no plain form as a script: split the test part off one file",
                )
            ],
        )
    return f"""# What was learned of each column in the training part: numbers as (name, median, mean, scale),
# words as (name, known words, is there one for the rest).
COLUMNS = [
{chr(10).join(columns)}
]
MISSING = {{"", "?", "na", "n/a", "nan", "null", "none"}}
content = Path({table.path!r}).read_text("utf-8-sig")
try:
    dialect = csv.Sniffer().sniff(content[:65536], ",;\\t|")
except csv.Error:
    dialect = "excel"
lines = csv.reader(io.StringIO(content, newline=""), dialect, skipinitialspace=True)
rows = iter([[cell.strip() for cell in row] for row in lines if any(cell.strip() for cell in row)])
names = {names}
cells = dict(zip(names, zip(*rows)))


def encoded(name, *known):
    column = [cell.strip() for cell in cells[name]]
    if len(known) == 3:
        median, mean, scale = known
        values = np.array([median if cell.lower() in MISSING else float(cell) for cell in column])
        return ((values - mean) / scale)[:, None]
    words, rest = known
    places = {{word: i for i, word in enumerate(words)}}
    out = np.zeros((len(column), len(words) + rest))
    for row, cell in enumerate(column):
        place = places.get("(missing)" if cell.lower() in MISSING else cell, len(words) if rest else -1)
        if place >= 0:
            out[row, place] = 1.0
    return out


x = torch.from_numpy(np.concatenate([encoded(*column) for column in COLUMNS], axis=1).astype(np.float32))
{goal}
parts = [(x[rows], y[rows]) for rows in split({target}, len(x))]{_targets(table.scale_target and samples.task != CLASSIFICATION)}"""


def _arrays(data: Arrays) -> str:
    if data.weights is not None:
        raise WrongValue(
            "recipe",
            [
                Problem(
                    "data.weights",
                    "",
                    "have no plain form as a script: its loss counts all samples alike",
                )
            ],
        )
    labels = "y.numpy()" if data.classes else "None"
    return f"""from safetensors.torch import load_file

held = load_file(FOLDER / "data.safetensors")  # X and y, as netwise.write_recipe puts them beside a recipe
x, y = held["X"], held["y"]
parts = [(x[rows], y[rows]) for rows in split({labels}, len(x))]{_targets(data.scale_target and not data.classes)}"""


DATA: dict[type[Data], Callable[..., str]] = {
    BundledClasses: _bundled,
    Diabetes: _diabetes,
    MNIST: _idx,
    Text: _text,
    Table: _table,
    PublicTable: _table,
    Arrays: _arrays,
}


def split_text(valid: float, test: float, seed: int, own_test: bool) -> str:
    return f'''def split(labels, count):
    """Row numbers of the training, validation and test part; by class where every class has enough rows."""

    def cut(rows, size):
        if not size:
            return rows, rows[:0]
        groups = None
        if labels is not None:
            kinds, counts = np.unique(labels[rows], return_counts=True)
            if counts.min() >= 2 and min(size, len(rows) - size) >= len(kinds):
                groups = labels[rows]
        left, taken = train_test_split(rows, test_size=size, random_state={seed}, stratify=groups)
        return np.sort(left), np.sort(taken)

    rest, test = cut(np.arange(count), {"0" if own_test else f"int(np.ceil(count * {test!r}))"})
    train, valid = cut(rest, int(count * {valid!r}))
    return tuple(torch.from_numpy(rows) for rows in (train, valid, test))'''
