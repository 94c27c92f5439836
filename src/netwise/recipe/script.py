"""A recipe as a plain PyTorch script without netwise: to learn from, and as a way out. It gives the same weights, bit for bit."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from netwise import activations, augment, averaging, initializers, losses, networks, optimizers, penalties, preprocess, schedules, stopping
from netwise.augment import moves
from netwise.augment.augment import uniform
from netwise.clipping import Clip, ClipValue
from netwise.data.arrays import Arrays
from netwise.data.bundled import Diabetes, _Classes
from netwise.data.characters import Text
from netwise.data.encoding import NumberColumn, TableEncoder
from netwise.data.image_sets import MNIST, PART
from netwise.data.source import Data
from netwise.data.table import Table
from netwise.data.tables import _Public
from netwise.errors import Problem, WrongValue
from netwise.losses import CLASSIFICATION
from netwise.networks import alexnet, dropconnect, flatten, inception, lenet, pooling, recurrent, residual, resnet, sizes, stack
from netwise.recipe.recipe import Recipe

# What the source of a module's class needs around it, in order.
SOURCES: dict[type[nn.Module], tuple[Any, ...]] = {
    pooling.MaxPool2: (),
    stack.ImageStack: (),
    activations.MaxPieces: (),
    dropconnect.DropConnectLinear: (),
    residual.Residual: (),
    sizes.SameConv2d: (sizes._positive, sizes.same_size, sizes.same_padding),
    alexnet.FeaturesHead: (),
    lenet.ScaledTanh: (),
    lenet.Subsample: (),
    lenet.PartlyConnected: (f"CONNECTIONS = {lenet.CONNECTIONS}",),
    lenet.Distances: (f"GLYPHS = {lenet.GLYPHS}", lenet.class_codes),
    recurrent.Sequencer: ('LAST = "last"', recurrent.as_rows),
    resnet.ResNetModule: ('AFTER, BEFORE = "after", "before"', residual.kept, resnet.Shortcut, resnet.ResidualBlock),
    inception.GoogLeNetModule: (f"BLOCKS = {inception.BLOCKS}", inception.Conv, inception.InceptionBlock, inception.AuxiliaryHead),
}


def to_script(recipe: Recipe, *, threads: int = 1) -> str:
    """The text of a Python file that trains what the recipe says, with torch, NumPy and scikit-learn alone.

    It draws from the same streams, takes the same steps, and ends with the weights of `fit(recipe, threads=threads)`, bit
    for bit on one machine and one version of torch; written to `weights.pt`. Data files are looked for in the folder
    that `NETWISE_DATA` names, or the script's first argument.

    Args:
        recipe: what to write.
        threads: that the script computes with. Default 1, as `fit` takes for small networks.

    Raises:
        WrongValue: a part that has no plain form; names it.

    Example:
        >>> import netwise as nw
        >>> recipe = nw.Recipe(data=nw.data.digits(), network=nw.MLP((64, 30, 10)))
        >>> script = nw.to_script(recipe)
        >>> "import netwise" in script, "optimizer.step()" in script
        (False, True)
    """
    problems: list[Problem] = []

    def told(field: str, part: Any, writers: dict[type[Any], Callable[..., str]], *more: Any) -> str:
        write = next((each for cls, each in writers.items() if type(part) is cls or (field == "data" and isinstance(part, cls))), None)
        if write is None:
            can = ", ".join(cls.__name__.lstrip("_") for cls in writers)
            problems.append(Problem(field, type(part).__name__, f"has no plain form as a script. These have: {can}"))
            return ""
        return write(part, *more)

    if recipe.tuning is not None:
        problems.append(Problem("tuning", "FineTune", "has no plain form as a script", "none"))
    average = "|" if recipe.average is None else told("average", recipe.average, AVERAGES)
    if recipe.average is not None and recipe.stopping.keeps_best:
        problems.append(Problem("average", type(recipe.average).__name__, "together with a stopping rule that keeps the best has no plain form as a script"))
    data = told("data", recipe.data, DATA)
    steps = [told("preprocess", step, PREPROCESSES) for step in recipe.preprocess]
    changes = [told("augment", change, AUGMENTS) for change in recipe.augment]
    start = told("init", recipe.init, INITIALIZERS)
    loss = told("loss", recipe.loss, LOSSES)
    price, limit = ("", "") if recipe.penalty is None else told("penalty", recipe.penalty, PENALTIES).split("|")
    clip = "" if recipe.clip is None else told("clip", recipe.clip, CLIPPINGS)
    optimizer = told("optimizer", recipe.optimizer, OPTIMIZERS)
    rate = told("schedule", recipe.schedule, SCHEDULES, recipe)
    if type(recipe.stopping) not in (stopping.Never, stopping.Patience):
        problems.append(Problem("stopping", type(recipe.stopping).__name__, "has no plain form as a script. These have: Never, Patience"))
    if isinstance(recipe.network, networks.Own):
        problems.append(Problem("network", str(recipe.network.source), "is code of your own: paste it into a script yourself"))
    network, sources = "", [""]
    if not problems:
        network, sources = module_text(recipe.network)
    if problems:
        raise WrongValue("recipe", problems)
    movers = [_source(each) for change in recipe.augment for each in MOVERS.get(type(change), ())]
    sources += [mover for mover in dict.fromkeys(movers) if mover not in sources]
    return _assembled(recipe, threads, data, steps, changes, start, loss, price, limit, clip, optimizer, rate, network, sources, average)


def module_text(network: networks.Network) -> tuple[str, list[str]]:
    """(an expression that makes the network's module, the sources that it needs).

    Raises:
        WrongValue: it holds a module that is neither torch's nor netwise's.
    """
    with torch.random.fork_rng():
        module = network.build()
    needed: list[str] = []
    return _constructed(module, needed, 0), needed


def _constructed(module: nn.Module, needed: list[str], depth: int) -> str:
    kind, pad = type(module), "    " * (depth + 1)
    torch_own = kind.__module__.startswith("torch.")
    if kind is flatten.Flatten:
        return "nn.Flatten()"  # the same numbers
    if not torch_own:
        if kind not in SOURCES:
            raise WrongValue("recipe", [Problem("network", kind.__name__, "is code of your own: paste it into a script yourself")])
        for source in (*SOURCES[kind], kind):
            text = source if isinstance(source, str) else _source(source)
            if text not in needed:
                needed.append(text)
    name = f"nn.{kind.__name__}" if torch_own else kind.__name__
    if isinstance(module, nn.Sequential):
        children = list(module._modules.items())  # `named_children` leaves out a layer that stands in two places
        if all(label == str(i) for i, (label, _) in enumerate(children)):
            inner = [f"{pad}{_constructed(child, needed, depth + 1)}," for _, child in children]
            return "\n".join([f"{name}(", *inner, f"{'    ' * depth})"])
        inner = [f'{pad}    ("{label}", {_constructed(child, needed, depth + 2)}),' for label, child in children]
        return "\n".join([f"{name}(OrderedDict([", *inner, f"{'    ' * depth}]))"])
    if isinstance(module, alexnet.FeaturesHead):
        first, last = (_constructed(child, needed, depth + 1) for child in (module.features, module.classifier))
        return f"FeaturesHead(\n{pad}{first},\n{pad}{module.avgpool.output_size},\n{pad}{last},\n{'    ' * depth})"
    if isinstance(module, nn.ZeroPad2d):
        return f"nn.ZeroPad2d({module.padding})"
    if isinstance(module, nn.PReLU):
        return f"nn.PReLU(init={float(module.weight.detach()[0])!r})"
    if isinstance(module, nn.MaxPool2d):
        return f"nn.MaxPool2d({module.kernel_size}, {module.stride}, {module.padding}, ceil_mode={module.ceil_mode})"
    return f"{name}({module.extra_repr()})"


def _source(thing: Any) -> str:
    """The source of a class or function, without the examples in its docstring, which speak of netwise."""
    kept: list[str] = []
    skipping = False
    for line in inspect.getsource(thing).splitlines():
        if line.strip() == "Example:":
            skipping = True
            while kept and not kept[-1].strip():
                kept.pop()
        elif skipping and (not line.strip() or line.strip() == '"""'):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept) + "\n"


# ---- parts as lines of code; each gives an expression or a block, indented as it is used


def _bundled(data: Any) -> str:
    import numpy as np

    shape = data.shape or tuple(np.asarray(getattr(__import__("sklearn.datasets", fromlist=["x"]), data.loader)().data).shape[1:])
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
    path = 'FOLDER / "tinyshakespeare/input.txt"' if data.path == "tiny_shakespeare" else f"Path({data.path!r})"
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
    table: Table = data.table() if isinstance(data, _Public) else data
    if type(table) is not Table:
        raise WrongValue("recipe", [Problem("data", type(data).__name__, "has no plain form as a script: its file needs a reader of its own")])
    samples = data.load()
    encoder = samples.encoder
    assert isinstance(encoder, TableEncoder)
    columns = []
    for column in encoder.columns:
        if isinstance(column, NumberColumn):
            columns.append(f"    ({column.name!r}, {column.median!r}, {column.mean!r}, {column.scale!r}),")
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
        raise WrongValue("recipe", [Problem("data.test_file", table.test_file, "has no plain form as a script: split the test part off one file")])
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
    labels = "y.numpy()" if data.classes else "None"
    return f"""from safetensors.torch import load_file

held = load_file(FOLDER / "data.safetensors")  # X and y, as netwise.write_recipe puts them beside a recipe
x, y = held["X"], held["y"]
parts = [(x[rows], y[rows]) for rows in split({labels}, len(x))]{_targets(data.scale_target and not data.classes)}"""


DATA: dict[type[Data], Callable[..., str]] = {
    _Classes: _bundled,
    Diabetes: _diabetes,
    MNIST: _idx,
    Text: _text,
    Table: _table,
    _Public: _table,
    Arrays: _arrays,
}

PREPROCESSES: dict[type[Any], Callable[..., str]] = {
    preprocess.Standardise: lambda step: (
        """axes = (0, 2, 3) if parts[0][0].dim() == 4 else (0,)
mean, spread = parts[0][0].mean(axes, keepdim=True), parts[0][0].std(axes, unbiased=False, keepdim=True)
spread = torch.where((spread <= 1e-6 * mean.abs()) | (spread == 0), torch.ones_like(spread), spread)
parts = [((x - mean) / spread, y) for x, y in parts]"""
    ),
    preprocess.MinMax: lambda step: (
        """axes = (0, 2, 3) if parts[0][0].dim() == 4 else (0,)
low, high = parts[0][0].amin(axes, keepdim=True), parts[0][0].amax(axes, keepdim=True)
width = torch.where(high > low, high - low, torch.ones_like(low))
parts = [((x - low) / width, y) for x, y in parts]"""
    ),
    preprocess.Resize: lambda step: (
        f'parts = [(F.interpolate(x, ({step.height}, {step.width}), mode="bilinear", align_corners=False) if len(x) else x, y) for x, y in parts]'
    ),
    preprocess.Flatten: lambda step: "parts = [(x.flatten(1), y) for x, y in parts]",
    preprocess.Scale: lambda step: f"parts = [(x * {step.factor!r}, y) for x, y in parts]",
    preprocess.GlobalContrast: lambda step: (
        "flat = [x.flatten(1) - x.flatten(1).mean(1, keepdim=True) for x, _ in parts]\n"
        f"sizes = [f.square().{'mean' if step.convention == 'variance' else 'sum'}(1, keepdim=True) for f in flat]\n"
        f"flat = [{step.scale!r} * f / (size + {step.bias!r}).sqrt().clamp_min({step.epsilon!r}) for f, size in zip(flat, sizes)]\n"
        "parts = [(f.reshape(x.shape), y) for f, (x, y) in zip(flat, parts)]"
    ),
}

PAD = {"zeros": "constant", "border": "replicate", "reflection": "reflect"}
AUGMENTS: dict[type[Any], Callable[..., str]] = {
    augment.Noise: lambda change: f"x = x + {change.std!r} * torch.randn(x.shape, generator=g)",
    augment.Flip: lambda change: (
        f"chosen = torch.rand(len(x), generator=g) < {change.chance!r}\nx = torch.where(chosen[:, None, None, None], x.flip({2 if change.vertical else 3}), x)"
    ),
    augment.Shift: lambda change: (
        f"""padded = F.pad(x, ({change.pixels},) * 4, mode={PAD[change.fill]!r})
down, right = torch.randint(0, {2 * change.pixels + 1}, (2, len(x), 1), generator=g)
rows, columns = down + torch.arange(x.shape[2]), right + torch.arange(x.shape[3])
sample, channel = torch.arange(len(x))[:, None, None, None], torch.arange(x.shape[1])[None, :, None, None]
x = padded[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]"""
    ),
    augment.Affine: lambda change: _affine(change.degrees, change.shift, change.scale, change.shear, change.fill),
    augment.Rotate: lambda change: _affine(change.degrees, 0.0, 0.0, 0.0, change.fill),
    augment.Elastic: lambda change: (
        f"field = smooth_field(len(x), x.shape[2], x.shape[3], {change.smoothness!r}, g)\nx = bent(x, {change.strength!r} * field.to(x), {change.fill!r})"
    ),
    augment.Erase: lambda change: (
        f"""height, width = x.shape[2:]
tall, wide, top, left, luck = torch.rand((5, len(x), 1), generator=g)
tall = 1 + (tall * max(1, round({change.share!r} * height))).floor()
wide = 1 + (wide * max(1, round({change.share!r} * width))).floor()
top, left = (top * (height - tall + 1)).floor(), (left * (width - wide + 1)).floor()
rows, columns = torch.arange(height), torch.arange(width)
inside = ((rows >= top) & (rows < top + tall))[:, :, None] & ((columns >= left) & (columns < left + wide))[:, None, :]
x = torch.where((inside & (luck < {change.chance!r})[:, :, None])[:, None], torch.full((), {change.value!r}), x)"""
    ),
}
# Functions of netwise that an augmentation's lines call.
MOVERS: dict[type[Any], tuple[Any, ...]] = {
    augment.Affine: (uniform, moves.moved),
    augment.Rotate: (uniform, moves.moved),
    augment.Elastic: (moves.smooth_field, moves.bent),
}


def _affine(degrees: float, shift: float, scale: float, shear: float, fill: str) -> str:
    return f"""turn = uniform((len(x),), -{degrees!r}, {degrees!r}, g) * math.pi / 180
sheared = torch.tan(uniform((len(x),), -{shear!r}, {shear!r}, g) * math.pi / 180)
size = uniform((len(x),), 1 - {scale!r}, 1 + {scale!r}, g)
across, down = uniform((2, len(x)), -2 * {shift!r}, 2 * {shift!r}, g)
x = moved(x, turn, size, sheared, across, down, {fill!r})"""


AVERAGES: dict[type[Any], Callable[..., str]] = {  # when, and with what share of the present weights
    averaging.EMA: lambda average: f"step|1 - min({average.decay!r}, (1 + count) / (10 + count))",
    averaging.SWA: lambda average: f"epoch|1 / (count + 1) if (epoch + 1) / EPOCHS > {average.start!r} else None",
}


def _he(init: initializers.He) -> str:
    square = 2.0 if isinstance(init.activation, activations.ReLU) else activations.gain(init.activation) ** 2
    std = f"{init.gain!r} * math.sqrt({square!r} / fan_in)"
    return _weights(
        f"torch.randn(shape, generator=g) * ({std})" if init.shape == "normal" else f"(torch.rand(shape, generator=g) * 2 - 1) * math.sqrt(3) * ({std})"
    )


def _glorot(init: initializers.Glorot) -> str:
    std = "math.sqrt(2 / (fan_in + fan_out))"
    return _weights(
        f"torch.randn(shape, generator=g) * {std}" if init.shape == "normal" else f"(torch.rand(shape, generator=g) * 2 - 1) * math.sqrt(3) * {std}"
    )


def _weights(weight: str, bias: str = "torch.zeros(size)") -> str:
    return f"""def draw_weight(shape, fan_in, fan_out, g):
    return {weight}


def draw_bias(size, g):
    return {bias}"""


def _normal(init: initializers.Normal) -> str:
    if init.truncated:
        raise WrongValue("recipe", [Problem("init.truncated", "True", "has no plain form as a script", "false")])
    bias = f"torch.full((size,), {init.bias!r})" if not init.bias_std else f"{init.bias!r} + torch.randn((size,), generator=g) * {init.bias_std!r}"
    return _weights(f"torch.randn(shape, generator=g) * {init.std!r}", bias)


INITIALIZERS: dict[type[Any], Callable[..., str]] = {
    initializers.ByNetwork: lambda init: "",
    initializers.Constant: lambda init: _weights(f"torch.full(shape, {init.weight!r})", f"torch.full((size,), {init.bias!r})"),
    initializers.Normal: _normal,
    initializers.Uniform: lambda init: _weights(f"(torch.rand(shape, generator=g) * 2 - 1) * {init.reach!r}", f"torch.full((size,), {init.bias!r})"),
    initializers.LeCun: lambda init: _weights(
        "torch.randn(shape, generator=g) * math.sqrt(1 / fan_in)",
        f"torch.randn((size,), generator=g) * {init.bias_std!r}" if init.bias_std else "torch.zeros(size)",
    ),
    initializers.Glorot: _glorot,
    initializers.He: _he,
}


def _cross_entropy(loss: losses.CrossEntropy) -> str:
    weight = f", weight=torch.tensor({list(loss.weights)})" if loss.weights else ""
    smoothing = f", label_smoothing={loss.label_smoothing!r}" if loss.label_smoothing or loss.weights else ""
    return f"F.cross_entropy(output, target{weight}{smoothing})"


WANTED = "as_values(output, target)"
LOSSES: dict[type[Any], Callable[..., str]] = {
    losses.CrossEntropy: _cross_entropy,
    losses.BinaryCrossEntropy: lambda loss: (
        f'F.binary_cross_entropy_with_logits(output, {WANTED}, reduction="sum") / {"output.numel()" if loss.outputs == losses.MEAN else "len(output)"}'
    ),
    losses.Quadratic: lambda loss: f"(output - {WANTED}).square().sum() / (2 * {'output.numel()' if loss.outputs == losses.MEAN else 'len(output)'})",
    losses.MeanSquaredError: lambda loss: f"F.mse_loss(output, {WANTED})",
    losses.MeanAbsoluteError: lambda loss: f"F.l1_loss(output, {WANTED})",
    losses.Huber: lambda loss: f"F.huber_loss(output, {WANTED}, delta={loss.delta!r})",
    losses.Hinge: lambda loss: f"F.multi_margin_loss(output, target, p={loss.power}, margin={loss.margin!r}) * output.shape[1]",
}

SQUARES = "sum((w.square().sum() for w in weights[1:]), weights[0].square().sum())"
SIZES = "sum((w.abs().sum() for w in weights[1:]), weights[0].abs().sum())"
PENALTIES: dict[type[Any], Callable[..., str]] = {  # price | limit
    penalties.L2: lambda penalty: f"{penalty.strength!r} / 2 * {SQUARES}|",
    penalties.L1: lambda penalty: f"{penalty.strength!r} * {SIZES}|",
    penalties.ElasticNet: lambda penalty: f"{penalty.l1!r} * {SIZES} + {penalty.l2!r} / 2 * {SQUARES}|",
    penalties.MaxNorm: lambda penalty: (
        f"|long = torch.linalg.vector_norm(w.flatten(1), dim=1).clamp_min({penalty.norm!r})\n"
        f"w.mul_(({penalty.norm!r} / long).reshape(-1, *[1] * (w.dim() - 1)))"
    ),
}

CLIPPINGS: dict[type[Any], Callable[..., str]] = {
    Clip: lambda clip: f"nn.utils.clip_grad_norm_(parameters, {clip.norm!r})",
    ClipValue: lambda clip: f"nn.utils.clip_grad_value_(parameters, {clip.value!r})",
}

OPTIMIZERS: dict[type[Any], Callable[..., str]] = {
    optimizers.SGD: lambda o: (
        f"SGD(parameters, lr={o.lr!r}, momentum={o.momentum!r}, nesterov={o.nesterov and o.momentum > 0}, weight_decay={o.weight_decay!r}, fused=True)"
    ),
    optimizers.Adam: lambda o: f"Adam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, fused=True)",
    optimizers.AdamW: lambda o: (
        f"AdamW(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, weight_decay={o.weight_decay!r}, fused=True)"
    ),
    optimizers.AMSGrad: lambda o: f"Adam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, amsgrad=True, fused=True)",
    optimizers.NAdam: lambda o: f"NAdam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, momentum_decay={o.psi!r})",
    optimizers.RAdam: lambda o: f"RAdam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r})",
    optimizers.Adagrad: lambda o: f"Adagrad(parameters, lr={o.lr!r}, eps={o.epsilon!r}, initial_accumulator_value={o.start!r})",
    optimizers.RMSProp: lambda o: f"RMSprop(parameters, lr={o.lr!r}, alpha={o.decay!r}, eps={o.epsilon!r})",
    optimizers.Adadelta: lambda o: f"Adadelta(parameters, lr={o.lr!r}, rho={o.rho!r}, eps={o.epsilon!r})",
}


def _factors(schedule: schedules.Schedule, recipe: Recipe) -> str:
    if schedule.each_step:
        told = 'changes at each step: only `OneCycle` of these has a plain form; write each = "epoch"'
        raise WrongValue("recipe", [Problem("schedule", type(schedule).__name__, told)])
    state, factors = schedule.init(), []
    for epoch in range(recipe.epochs):
        factor, state = schedule.next(state, schedules.Moment(epoch, recipe.epochs))
        factors.append(factor)
    if set(factors) == {1.0}:
        return ""
    return f"FACTORS = {json.dumps(factors)}  # {type(schedule).__name__}, epoch by epoch\n\n\ndef factor(done):\n    return FACTORS[int(done)]"


def _one_cycle(schedule: schedules.OneCycle, recipe: Recipe) -> str:
    return f"""def eased(a, b, share):
    return b + (a - b) * (1 + math.cos(math.pi * share)) / 2


def factor(done):  # one cycle; asked at each step
    done = done / EPOCHS
    if done < {schedule.rise!r}:
        return eased({schedule.start!r}, 1.0, done / {schedule.rise!r})
    return eased(1.0, {schedule.last!r}, min((done - {schedule.rise!r}) / (1 - {schedule.rise!r}), 1.0))"""


SCHEDULES: dict[type[Any], Callable[..., str]] = {
    schedules.ConstantRate: _factors,
    schedules.StepDecay: _factors,
    schedules.Milestones: _factors,
    schedules.TwoStage: _factors,
    schedules.Exponential: _factors,
    schedules.Cosine: _factors,
    schedules.OneCycle: _one_cycle,
}


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line else line for line in text.splitlines())


def _assembled(
    recipe: Recipe,
    threads: int,
    data: str,
    steps: list[str],
    changes: list[str],
    start: str,
    loss: str,
    price: str,
    limit: str,
    clip: str,
    optimizer: str,
    rate: str,
    network: str,
    sources: list[str],
    average: str,
) -> str:
    task = recipe.data.load().task
    valid, test, seed = (getattr(recipe.data, name, 0) for name in ("valid", "test", "split_seed"))
    best = recipe.stopping if isinstance(recipe.stopping, stopping.Patience) else None
    stepwise = rate.startswith("def eased")
    cut = [_split_text(valid, test, seed, isinstance(recipe.data, MNIST)), "", ""] if re.search(r"(?<![.\w])split\(", data) else []
    body = [
        f"SEED, EPOCHS, BATCH_SIZE = {recipe.seed}, {recipe.epochs}, {recipe.batch_size}",
        *(['FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("NETWISE_DATA", "."))'] if "FOLDER" in data else []),
        f"torch.set_num_threads({threads})",
        "",
        "",
        "def seed_of(name, epoch=0, step=0):",
        '    """Every draw has a stream of its own, so that a new one shifts no other."""',
        '    return int.from_bytes(hashlib.sha256(f"{SEED}/{name}/{epoch}/{step}".encode()).digest()[:8], "big") >> 1',
        "",
        "",
        "def generator(name, epoch=0, step=0):",
        "    return torch.Generator().manual_seed(seed_of(name, epoch, step))",
        "",
        "",
        "# ---- the data",
        "",
        "",
        *cut,
        data,
        *steps,
        "(x_train, y_train), (x_valid, y_valid), (x_test, y_test) = parts",
        "",
        "",
        "# ---- the network",
        "",
        "",
        "\n\n".join(sources),
        "",
        'torch.manual_seed(seed_of("init"))',
        f"network = {network}",
        "",
        "",
    ]
    if start:
        body += [
            "# ---- where its weights start",
            "",
            "",
            start,
            "",
            "",
            'g = generator("init", step=1)',
            "with torch.no_grad():",
            "    for layer in network.modules():",
            *(GATES if isinstance(recipe.network, networks.ElmanRNN | networks.LSTM | networks.GRU) else []),
            "        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d)):",
            "            outs, ins = layer.weight.shape[:2]",
            "            field = layer.weight[0, 0].numel() if layer.weight.dim() > 2 else 1",
            '            fan_in, fan_out = ins * field, outs * field // getattr(layer, "groups", 1)',
            "            layer.weight.copy_(draw_weight(tuple(layer.weight.shape), fan_in, fan_out, g))",
            "            if layer.bias is not None:",
            "                layer.bias.copy_(draw_bias(len(layer.bias), g))",
            "",
            "",
        ]
    body += ["# ---- what is made small, and how", "", ""]
    if WANTED in loss:
        body += [
            "def as_values(output, target):",
            "    return target if target.is_floating_point() else F.one_hot(target, output.shape[-1]).to(output.dtype)",
            "",
            "",
        ]
    body += ["def loss_of(output, target):", f"    return {loss}", "", ""]
    if rate:
        body += [rate, "", ""]
    body += [
        "parameters = [p for p in network.parameters() if p.requires_grad]",
        "weights = [p for p in parameters if p.dim() > 1]  # what a penalty is for: no biases, no norm layers",
        f"optimizer = torch.optim.{optimizer}",
        "",
        "",
        "def outputs_of(x):",
        "    network.eval()",
        "    rows = max(1, min(4096, 2**21 // max(1, x[0].numel())))",
        "    with torch.no_grad():",
        "        return torch.cat([network(piece) for piece in x.split(rows)])",
        "",
        "",
    ]
    when_averaged, share = average.split("|")
    if share:
        body += [
            "average, count = {}, 0",
            "",
            "",
            "@torch.no_grad()",
            "def take_in(share):",
            '    """The present weights enter the average that the run ends with."""',
            "    global count",
            "    if share is None:",
            "        return",
            "    live = network.state_dict()",
            "    moving = [name for name, value in live.items() if value.is_floating_point()] if average else []",
            "    if moving:",
            "        torch._foreach_lerp_([average[name] for name in moving], [live[name] for name in moving], share)",
            "    for name in live.keys() - set(moving):",
            "        average[name] = live[name].clone()",
            "    count += 1",
            "",
            "",
        ]
    if best:
        body += ["best, best_epoch, kept = math.inf, -1, None"]
    body += [
        "for epoch in range(EPOCHS):",
        '    torch.manual_seed(seed_of("forward", epoch))  # what dropout draws from',
        "    network.train()",
        '    batches = torch.randperm(len(x_train), generator=generator("order", epoch)).split(BATCH_SIZE)',
        "    if len(batches) > 1 and len(batches[-1]) == 1 and BATCH_SIZE > 1:  # batch norm learns nothing from one sample",
        "        batches = (*batches[:-2], torch.cat(batches[-2:]))",
        "    for number, rows in enumerate(batches):",
        "        x, y = x_train.index_select(0, rows), y_train.index_select(0, rows)",
    ]
    if rate:
        when = "epoch + number / len(batches)" if stepwise else "epoch"
        body += ["        for group in optimizer.param_groups:", f"            group['lr'] = {recipe.optimizer.lr!r} * factor({when})"]
    if changes:
        body += ['        g = generator("augment", epoch, number)', *(_indented(change, 8) for change in changes)]
    body += ["        optimizer.zero_grad()", "        output = network(x)"]
    if isinstance(recipe.network, networks.GoogLeNet) and recipe.network.auxiliary:
        weight = recipe.network.auxiliary_weight
        body += [
            "        output, *others = output",
            f"        loss = loss_of(output, y) + {weight!r} * torch.stack([loss_of(each, y) for each in others]).sum()",
        ]
    else:
        body += ["        loss = loss_of(output, y)"]
    if price:
        body += [f"        loss = loss + {price}"]
    body += ["        loss.backward()"]
    if clip:
        body += [f"        {clip}"]
    body += ["        optimizer.step()"]
    if limit:
        body += ["        with torch.no_grad():", "            for w in weights:", _indented(limit, 16)]
    if when_averaged == "step":
        body += [f"        take_in({share})"]
    body += ['    told = f"epoch {epoch + 1}/{EPOCHS}  loss {float(loss.detach()):.4f}"', "    if len(x_valid):"]
    body += ["        valid_loss = float(loss_of(outputs_of(x_valid), y_valid))", '        told += f"  valid loss {valid_loss:.4f}"', "    print(told)"]
    if best:
        measure = "valid_loss" if best.by == stopping.LOSS else "-float((outputs_of(x_valid).argmax(1) == y_valid).sum()) / y_valid.numel()"
        body += [
            f"    value = {measure}",
            "    if value < best:",
            "        best, best_epoch, kept = value, epoch, {name: p.clone() for name, p in network.state_dict().items()}",
            f"    elif epoch - best_epoch >= {best.epochs}:",
            "        break",
            "",
            "network.load_state_dict(kept)",
        ]
    if when_averaged == "epoch":
        body += [f"    take_in({share})"]
    if share:
        body += ["", "if average:", "    network.load_state_dict(average)"]
    body += ["", "network.eval()", "if len(x_test):"]
    if task == CLASSIFICATION:
        body += ['    print(f"test accuracy {100 * float((outputs_of(x_test).argmax(1) == y_test).float().mean()):.2f} %")']
    else:
        body += [
            "    error = (outputs_of(x_test) - y_test).double().square().sum(0)",
            '    print(f"test R2 {float((1 - error / (y_test - y_test.mean(0)).double().square().sum(0)).mean()):.4f}")',
        ]
    body += ['torch.save(network.state_dict(), "weights.pt")', ""]
    text = "\n".join(body)
    told = f"What netwise trains by recipe {recipe.hash}, as plain PyTorch: the same data, draws and steps, and so the same weights."
    return "\n".join([f'"""{told}"""', "", "from __future__ import annotations", "", *_imports(text), "", text])


# Each gate of a recurrent layer is drawn as a layer of its own.
GATES = [
    "        if isinstance(layer, nn.RNNBase):",
    '            gates = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1)',
    "            for p in layer.parameters():",
    "                for piece in p.chunk(gates):",
    "                    piece.copy_(draw_weight(tuple(piece.shape), piece.shape[1], piece.shape[0], g) if p.dim() > 1 else draw_bias(len(piece), g))",
]

# What a script may need, and how it is known that it does.
IMPORTS: tuple[tuple[str, str], ...] = (
    *((f"import {name}", rf"\b{name}\.") for name in ("csv", "gzip", "hashlib", "io", "math", "os", "struct", "sys")),
    ("from collections import OrderedDict", r"\bOrderedDict\("),
    ("from collections.abc import Sequence", r"\bSequence\["),
    ("from pathlib import Path", r"\bPath\("),
    ("", ""),
    ("import numpy as np", r"\bnp\."),
    ("import torch", r"\btorch\."),
    ("from sklearn import datasets", r"\bdatasets\."),
    ("from sklearn.model_selection import train_test_split", r"\btrain_test_split\("),
    ("from torch import Tensor, nn", r"\bTensor\b"),
    ("from torch import nn", r"^(?![\s\S]*\bTensor\b)[\s\S]*\bnn\."),
    ("from torch.nn import functional as F", r"\bF\."),
)


def _imports(text: str) -> list[str]:
    """The imports that the text of a script uses."""
    return [line for line, sign in IMPORTS if re.search(sign, text)]


def _split_text(valid: float, test: float, seed: int, own_test: bool) -> str:
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
