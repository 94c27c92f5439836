"""A recipe as a plain PyTorch script without netwise: to learn from, and as a way out. It gives the
same weights, bit for bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from netwise import networks
from netwise.data.catalogue.image_sets import MNIST
from netwise.errors import Problem, WrongValue
from netwise.parts import stopping
from netwise.recipe.fields import RecipeFields
from netwise.recipe.script.data import DATA, split_text
from netwise.recipe.script.modules import module_text, source_of
from netwise.recipe.script.parts import (
    AUGMENTS,
    AVERAGES,
    CLIPPINGS,
    INITIALIZERS,
    LOSSES,
    MOVERS,
    OPTIMIZERS,
    PENALTIES,
    PREPROCESSES,
    SCHEDULES,
    WANTED,
)
from netwise.tasks import CLASSIFICATION


def to_script(recipe: RecipeFields, *, threads: int = 1) -> str:
    """The text of a Python file that trains what the recipe says, with torch, NumPy and
    scikit-learn alone.

    It draws from the same streams, takes the same steps, and ends with the weights of `fit(recipe,
    threads=threads)`, bit for bit on one machine and one version of torch; written to `weights.pt`.
    Data files are looked for in the folder that `NETWISE_DATA` names, or the script's first
    argument.

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

    def told(
        field: str, part: Any, writers: dict[type[Any], Callable[..., str]], *more: Any
    ) -> str:
        write = next(
            (
                each
                for cls, each in writers.items()
                if type(part) is cls or (field == "data" and isinstance(part, cls))
            ),
            None,
        )
        if write is None:
            can = ", ".join(cls.__name__.lstrip("_") for cls in writers)
            problems.append(
                Problem(
                    field, type(part).__name__, f"has no plain form as a script. These have: {can}"
                )
            )
            return ""
        return write(part, *more)

    if recipe.tuning is not None:
        problems.append(Problem("tuning", "FineTune", "has no plain form as a script", "none"))
    average = "|" if recipe.average is None else told("average", recipe.average, AVERAGES)
    if recipe.average is not None and recipe.stopping.keeps_best:
        problems.append(
            Problem(
                "average",
                type(recipe.average).__name__,
                "together with a stopping rule that keeps the best has no plain form as a script",
            )
        )
    data = told("data", recipe.data, DATA)
    steps = [told("preprocess", step, PREPROCESSES) for step in recipe.preprocess]
    changes = [told("augment", change, AUGMENTS) for change in recipe.augment]
    start = told("init", recipe.init, INITIALIZERS)
    loss = told("loss", recipe.loss, LOSSES)
    price, limit = (
        ("", "")
        if recipe.penalty is None
        else told("penalty", recipe.penalty, PENALTIES).split("|")
    )
    clip = "" if recipe.clip is None else told("clip", recipe.clip, CLIPPINGS)
    optimizer = told("optimizer", recipe.optimizer, OPTIMIZERS)
    rate = told("schedule", recipe.schedule, SCHEDULES, recipe)
    if type(recipe.stopping) not in (stopping.Never, stopping.Patience):
        problems.append(
            Problem(
                "stopping",
                type(recipe.stopping).__name__,
                "has no plain form as a script. These have: Never, Patience",
            )
        )
    if recipe.network.own_task is not None or recipe.network.is_energy_model:
        problems.append(
            Problem(
                "network",
                type(recipe.network).__name__,
                "learns its inputs in a way of its own, which has no plain form as a script",
            )
        )
    if isinstance(recipe.network, networks.CustomNetwork):
        problems.append(
            Problem(
                "network",
                str(recipe.network.source),
                "is code of your own: paste it into a script yourself",
            )
        )
    network, sources = "", [""]
    if not problems:
        network, sources = module_text(recipe.network)
    if problems:
        raise WrongValue("recipe", problems)
    movers = [source_of(each) for change in recipe.augment for each in MOVERS.get(type(change), ())]
    sources += [mover for mover in dict.fromkeys(movers) if mover not in sources]
    return _assembled(
        recipe,
        threads,
        data,
        steps,
        changes,
        start,
        loss,
        price,
        limit,
        clip,
        optimizer,
        rate,
        network,
        sources,
        average,
    )


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line else line for line in text.splitlines())


def _assembled(
    recipe: RecipeFields,
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
    cut = (
        [split_text(valid, test, seed, isinstance(recipe.data, MNIST)), "", ""]
        if re.search(r"(?<![.\w])split\(", data)
        else []
    )
    body = [
        f"SEED, EPOCHS, BATCH_SIZE = {recipe.seed}, {recipe.epochs}, {recipe.batch_size}",
        *(
            [
                'FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("NETWISE_DATA", "."))'
            ]
            if "FOLDER" in data
            else []
        ),
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
            *(
                GATES
                if isinstance(recipe.network, networks.ElmanRNN | networks.LSTM | networks.GRU)
                else []
            ),
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
        body += [
            "        for group in optimizer.param_groups:",
            f"            group['lr'] = {recipe.optimizer.lr!r} * factor({when})",
        ]
    if changes:
        body += [
            '        g = generator("augment", epoch, number)',
            *(_indented(change, 8) for change in changes),
        ]
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
        body += [
            "        with torch.no_grad():",
            "            for w in weights:",
            _indented(limit, 16),
        ]
    if when_averaged == "step":
        body += [f"        take_in({share})"]
    body += [
        '    told = f"epoch {epoch + 1}/{EPOCHS}  loss {float(loss.detach()):.4f}"',
        "    if len(x_valid):",
    ]
    body += [
        "        valid_loss = float(loss_of(outputs_of(x_valid), y_valid))",
        '        told += f"  valid loss {valid_loss:.4f}"',
        "    print(told)",
    ]
    if best:
        measure = (
            "valid_loss"
            if best.by == stopping.LOSS
            else "-float((outputs_of(x_valid).argmax(1) == y_valid).sum()) / y_valid.numel()"
        )
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
        body += [
            '    print(f"test accuracy {100 * float((outputs_of(x_test).argmax(1) == y_test).float().mean()):.2f} %")'
        ]
    else:
        body += [
            "    error = (outputs_of(x_test) - y_test).double().square().sum(0)",
            '    print(f"test R2 {float((1 - error / (y_test - y_test.mean(0)).double().square().sum(0)).mean()):.4f}")',
        ]
    body += ['torch.save(network.state_dict(), "weights.pt")', ""]
    text = "\n".join(body)
    told = f"What netwise trains by recipe {recipe.hash}, as plain PyTorch: the same data, draws and steps, and so the same weights."
    return "\n".join(
        [f'"""{told}"""', "", "from __future__ import annotations", "", *_imports(text), "", text]
    )


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
    *(
        (f"import {name}", rf"\b{name}\.")
        for name in ("csv", "gzip", "hashlib", "io", "math", "os", "struct", "sys")
    ),
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
