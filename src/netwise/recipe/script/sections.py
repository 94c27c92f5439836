"""The sections of a script, from the lines of its parts; each function gives the lines of one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netwise.networks.network import SEQUENCES
from netwise.parts import stopping
from netwise.recipe.fields import RecipeFields
from netwise.recipe.script.data_lines import split_function
from netwise.recipe.script.part_lines import AS_VALUES, AverageLines
from netwise.tasks import task_named

GAP = ("", "")  # two empty lines between definitions


@dataclass(frozen=True)
class Content:
    """A recipe, and the lines of a script that each of its parts becomes.

    Args:
        recipe: what the script trains.
        threads: that it computes with.
        data: statements that load the data and set `parts`.
        preprocess: statements that change `parts`, one text a step.
        augment: statements that change `x`, one text an augmentation.
        init: definitions of `draw_weight` and `draw_bias`, or "".
        loss: expression of `output` and `target`.
        penalty: expression that is added to the loss, or "".
        weight_limit: statements that change a weight `w` after a step, or "".
        clip: statement that clips gradients, or "".
        optimizer: expression below `torch.optim`.
        schedule: definition of `factor`, or "".
        average: how weights are averaged, or None.
        network: expression that makes the module.
        sources: definitions that `network` and `augment` need.
        channels_last: the kernels of convolutions train with the channels last in memory.
    """

    recipe: RecipeFields
    threads: int
    data: str
    preprocess: tuple[str, ...]
    augment: tuple[str, ...]
    init: str
    loss: str
    penalty: str
    weight_limit: str
    clip: str
    optimizer: str
    schedule: str
    average: AverageLines | None
    network: str
    sources: tuple[str, ...]
    channels_last: bool


def script_text(content: Content) -> str:
    """The whole script."""
    body = "\n".join(
        [
            *_settings(content),
            *_data(content),
            *_network(content),
            *_initial_weights(content),
            *_loss_and_optimizer(content),
            *_evaluation(),
            *_averaging(content),
            *_training(content),
            *_test_score(content),
        ]
    )
    title = (
        f"What netwise trains by recipe {content.recipe.hash}, as plain PyTorch: the same data, "
        "draws and steps, and so the same weights."
    )
    head = [f'"""{title}"""', "", "from __future__ import annotations", ""]
    return "\n".join([*head, *_imports(body), "", body])


def _heading(title: str) -> list[str]:
    return [f"# ---- {title}", *GAP]


def _settings(content: Content) -> list[str]:
    recipe = content.recipe
    folder = (
        'FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("NETWISE_DATA", "."))'
    )
    digest = 'hashlib.sha256(f"{SEED}/{name}/{epoch}/{step}".encode()).digest()[:8]'
    return [
        f"SEED, EPOCHS, BATCH_SIZE = {recipe.seed}, {recipe.epochs}, {recipe.batch_size}",
        *([folder] if "FOLDER" in content.data else []),
        f"torch.set_num_threads({content.threads})",
        *GAP,
        "def seed_of(name, epoch=0, step=0):",
        '    """Every draw has its own random stream, so that a new draw changes no other."""',
        f'    return int.from_bytes({digest}, "big") >> 1',
        *GAP,
        "def generator(name, epoch=0, step=0):",
        "    return torch.Generator().manual_seed(seed_of(name, epoch, step))",
        *GAP,
    ]


def _data(content: Content) -> list[str]:
    data = content.recipe.data
    valid, test, seed = (getattr(data, name, 0) for name in ("valid", "test", "split_seed"))
    stratify = getattr(data, "stratify", True)
    split = split_function(valid, test, seed, data.brings_test_part, stratify)
    calls_split = re.search(r"(?<![.\w])split\(", content.data) is not None
    return [
        *_heading("the data"),
        *([split, *GAP] if calls_split else []),
        content.data,
        *content.preprocess,
        "(x_train, y_train), (x_valid, y_valid), (x_test, y_test) = parts",
        *GAP,
    ]


def _network(content: Content) -> list[str]:
    return [
        *_heading("the network"),
        "\n\n".join(content.sources),
        "",
        'torch.manual_seed(seed_of("init"))',
        f"network = {content.network}",
        *GAP,
    ]


# Each gate of a recurrent layer is drawn as a layer of its own.
GATES = (
    "        if isinstance(layer, nn.RNNBase):",
    '            gates = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1)',
    "            for p in layer.parameters():",
    "                for piece in p.chunk(gates):",
    (
        "                    piece.copy_(draw_weight(tuple(piece.shape), piece.shape[1], "
        "piece.shape[0], g) if p.dim() > 1 else draw_bias(len(piece), g))"
    ),
)


def _initial_weights(content: Content) -> list[str]:
    if not content.init:
        return []
    recurrent = content.recipe.network.input_kind == SEQUENCES
    return [
        *_heading("the initial weights"),
        content.init,
        *GAP,
        'g = generator("init", step=1)',
        "with torch.no_grad():",
        "    for layer in network.modules():",
        *(GATES if recurrent else ()),
        "        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d)):",
        "            outs, ins = layer.weight.shape[:2]",
        "            field = layer.weight[0, 0].numel() if layer.weight.dim() > 2 else 1",
        '            fan_in, fan_out = ins * field, outs * field // getattr(layer, "groups", 1)',
        (
            "            layer.weight.copy_(draw_weight("
            "tuple(layer.weight.shape), fan_in, fan_out, g))"
        ),
        "            if layer.bias is not None:",
        "                layer.bias.copy_(draw_bias(len(layer.bias), g))",
        *GAP,
    ]


LAYOUT = (
    "# Kernels with the channels last are faster on this processor, and equal up to rounding.",
    "network.to(memory_format=torch.channels_last)",
)


def _loss_and_optimizer(content: Content) -> list[str]:
    as_values = [
        "def as_values(output, target):",
        (
            "    return target if target.is_floating_point() "
            "else F.one_hot(target, output.shape[-1]).to(output.dtype)"
        ),
        *GAP,
    ]
    return [
        *_heading("the loss and the optimizer"),
        *(as_values if AS_VALUES in content.loss else []),
        "def loss_of(output, target):",
        f"    return {content.loss}",
        *GAP,
        *([content.schedule, *GAP] if content.schedule else []),
        *(LAYOUT if content.channels_last else ()),
        "parameters = [p for p in network.parameters() if p.requires_grad]",
        (
            "weights = [p for p in parameters if p.dim() > 1]  "
            "# with a penalty: no biases, no norm layers"
        ),
        f"optimizer = torch.optim.{content.optimizer}",
        *GAP,
    ]


def _evaluation() -> list[str]:
    return [
        "def outputs_of(x):",
        "    network.eval()",
        "    rows = max(1, min(4096, 2**21 // max(1, x[0].numel())))",
        "    with torch.no_grad():",
        "        return torch.cat([network(piece) for piece in x.split(rows)])",
        *GAP,
    ]


def _averaging(content: Content) -> list[str]:
    if content.average is None:
        return []
    return [
        "average, count = {}, 0",
        *GAP,
        "@torch.no_grad()",
        "def update_average(share):",
        '    """Add the present weights to the average, with this share."""',
        "    global count",
        "    if share is None:",
        "        return",
        "    live = network.state_dict()",
        (
            "    floats = [name for name, value in live.items() "
            "if value.is_floating_point()] if average else []"
        ),
        "    if floats:",
        (
            "        torch._foreach_lerp_([average[name] for name in floats], "
            "[live[name] for name in floats], share)"
        ),
        "    for name in live.keys() - set(floats):",
        "        average[name] = live[name].clone()",
        "    count += 1",
        *GAP,
    ]


def _training(content: Content) -> list[str]:
    best = content.recipe.stopping
    average = content.average
    keeps_best = isinstance(best, stopping.Patience)
    lines = ["best, best_epoch, kept = math.inf, -1, None"] if keeps_best else []
    lines += [
        "for epoch in range(EPOCHS):",
        '    torch.manual_seed(seed_of("forward", epoch))  # what dropout draws from',
        "    network.train()",
        (
            "    batches = torch.randperm(len(x_train), "
            'generator=generator("order", epoch)).split(BATCH_SIZE)'
        ),
        (
            "    if len(batches) > 1 and len(batches[-1]) == 1 and BATCH_SIZE > 1:  "
            "# batch norm needs two samples"
        ),
        "        batches = (*batches[:-2], torch.cat(batches[-2:]))",
        "    for number, rows in enumerate(batches):",
        *_indented(_step(content), 8),
        '    line = f"epoch {epoch + 1}/{EPOCHS}  loss {float(loss.detach()):.4f}"',
        "    if len(x_valid):",
        "        valid_loss = float(loss_of(outputs_of(x_valid), y_valid))",
        '        line += f"  valid loss {valid_loss:.4f}"',
        "    print(line)",
    ]
    if isinstance(best, stopping.Patience):
        lines += _stopping(best)
    if average is not None and average.when == "epoch":
        lines += [f"    update_average({average.share})"]
    if average is not None:
        lines += ["", "if average:", "    network.load_state_dict(average)"]
    return lines


def _step(content: Content) -> list[str]:
    """One step: a batch, its loss and gradient, and the change of the weights."""
    recipe, average = content.recipe, content.average
    lines = ["x, y = x_train.index_select(0, rows), y_train.index_select(0, rows)"]
    if content.schedule:
        when = "epoch + number / len(batches)" if recipe.schedule.each_step else "epoch"
        lines += [
            "for group in optimizer.param_groups:",
            f"    group['lr'] = {recipe.optimizer.lr!r} * factor({when})",
        ]
    if content.augment:
        lines += ['g = generator("augment", epoch, number)', *content.augment]
    lines += ["optimizer.zero_grad()", "output = network(x)"]
    if recipe.network.has_auxiliary_outputs:
        weight = recipe.network.auxiliary_weight
        lines += [
            "output, *others = output",
            (
                f"loss = loss_of(output, y) + {weight!r} * "
                "torch.stack([loss_of(each, y) for each in others]).sum()"
            ),
        ]
    else:
        lines += ["loss = loss_of(output, y)"]
    if content.penalty:
        lines += [f"loss = loss + {content.penalty}"]
    lines += ["loss.backward()"]
    if content.clip:
        lines += [content.clip]
    lines += ["optimizer.step()"]
    if content.weight_limit:
        lines += ["with torch.no_grad():", "    for w in weights:"]
        lines += _indented([content.weight_limit], 8)
    if average is not None and average.when == "step":
        lines += [f"update_average({average.share})"]
    return lines


def _stopping(rule: stopping.Patience) -> list[str]:
    negative_accuracy = "-float((outputs_of(x_valid).argmax(1) == y_valid).sum()) / y_valid.numel()"
    return [
        f"    value = {'valid_loss' if rule.by == stopping.LOSS else negative_accuracy}",
        "    if value < best:",
        (
            "        best, best_epoch, kept = value, epoch, "
            "{name: p.clone() for name, p in network.state_dict().items()}"
        ),
        f"    elif epoch - best_epoch >= {rule.epochs}:",
        "        break",
        "",
        "network.load_state_dict(kept)",
    ]


def _test_score(content: Content) -> list[str]:
    stock = ["network.to(memory_format=torch.contiguous_format)"] if content.channels_last else []
    lines = ["", *stock, "network.eval()", "if len(x_test):"]
    if task_named(content.recipe.data.load().task).has_classes:
        accuracy = "float((outputs_of(x_test).argmax(1) == y_test).float().mean())"
        lines += [f'    print(f"test accuracy {{100 * {accuracy}:.2f}} %")']
    else:
        r2 = "float((1 - error / (y_test - y_test.mean(0)).double().square().sum(0)).mean())"
        lines += [
            "    error = (outputs_of(x_test) - y_test).double().square().sum(0)",
            f'    print(f"test R2 {{{r2}:.4f}}")',
        ]
    return [*lines, 'torch.save(network.state_dict(), "weights.pt")', ""]


def _indented(texts: list[str], by: int) -> list[str]:
    """The lines of all texts, further to the right."""
    lines = [line for text in texts for line in text.splitlines()]
    return [" " * by + line if line else line for line in lines]


# Imports that a script may need, and a pattern that its text has where it does.
IMPORTS: tuple[tuple[str, str], ...] = (
    *(
        (f"import {name}", rf"\b{name}\.")
        for name in (
            "csv",
            "datetime",
            "gzip",
            "hashlib",
            "io",
            "math",
            "os",
            "re",
            "struct",
            "sys",
        )
    ),
    ("from collections import OrderedDict", r"\bOrderedDict\("),
    ("from collections.abc import Sequence", r"\bSequence\["),
    ("from pathlib import Path", r"\bPath\("),
    ("", ""),
    ("import numpy as np", r"\bnp\."),
    ("import torch", r"\btorch\."),
    ("from sklearn import datasets", r"\bdatasets\."),
    ("from sklearn.feature_extraction.text import HashingVectorizer", r"\bHashingVectorizer\("),
    ("from sklearn.model_selection import train_test_split", r"\btrain_test_split\("),
    ("from sklearn.preprocessing import normalize", r"\bnormalize\(counts"),
    ("from torch import Tensor, nn", r"\bTensor\b"),
    ("from torch import nn", r"^(?![\s\S]*\bTensor\b)[\s\S]*\bnn\."),
    ("from torch.nn import functional as F", r"\bF\."),
)


def _imports(text: str) -> list[str]:
    """The imports that the text of a script uses."""
    return [line for line, pattern in IMPORTS if re.search(pattern, text)]
