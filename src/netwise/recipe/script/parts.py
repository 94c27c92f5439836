"""Parts as expressions and lines: tables of one entry a part."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from netwise.errors import Problem, WrongValue
from netwise.parts import (
    activations,
    augment,
    averaging,
    initializers,
    losses,
    optimizers,
    penalties,
    preprocess,
    schedules,
)
from netwise.parts.augment import geometric as moves
from netwise.parts.augment.augment import uniform
from netwise.parts.clipping import Clip, ClipValue
from netwise.recipe.fields import RecipeFields

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
    preprocess.ClipInputs: lambda step: (
        f"parts = [(x.clamp(-{step.reach!r}, {step.reach!r}), y) for x, y in parts]"
    ),
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
    augment.Affine: lambda change: _affine(
        change.degrees, change.shift, change.scale, change.shear, change.fill
    ),
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


AVERAGES: dict[
    type[Any], Callable[..., str]
] = {  # when, and with what share of the present weights
    averaging.EMA: lambda average: f"step|1 - min({average.decay!r}, (1 + count) / (10 + count))",
    averaging.SWA: lambda average: (
        f"epoch|1 / (count + 1) if (epoch + 1) / EPOCHS > {average.start!r} else None"
    ),
}


def _he(init: initializers.He) -> str:
    square = (
        2.0
        if isinstance(init.activation, activations.ReLU)
        else activations.gain(init.activation) ** 2
    )
    std = f"{init.gain!r} * math.sqrt({square!r} / fan_in)"
    return _weights(
        f"torch.randn(shape, generator=g) * ({std})"
        if init.shape == "normal"
        else f"(torch.rand(shape, generator=g) * 2 - 1) * math.sqrt(3) * ({std})"
    )


def _glorot(init: initializers.Glorot) -> str:
    std = "math.sqrt(2 / (fan_in + fan_out))"
    return _weights(
        f"torch.randn(shape, generator=g) * {std}"
        if init.shape == "normal"
        else f"(torch.rand(shape, generator=g) * 2 - 1) * math.sqrt(3) * {std}"
    )


def _weights(weight: str, bias: str = "torch.zeros(size)") -> str:
    return f"""def draw_weight(shape, fan_in, fan_out, g):
    return {weight}


def draw_bias(size, g):
    return {bias}"""


def _normal(init: initializers.Normal) -> str:
    if init.truncated:
        raise WrongValue(
            "recipe", [Problem("init.truncated", "True", "has no plain form as a script", "false")]
        )
    bias = (
        f"torch.full((size,), {init.bias!r})"
        if not init.bias_std
        else f"{init.bias!r} + torch.randn((size,), generator=g) * {init.bias_std!r}"
    )
    return _weights(f"torch.randn(shape, generator=g) * {init.std!r}", bias)


INITIALIZERS: dict[type[Any], Callable[..., str]] = {
    initializers.ModuleDefault: lambda init: "",
    initializers.Constant: lambda init: _weights(
        f"torch.full(shape, {init.weight!r})", f"torch.full((size,), {init.bias!r})"
    ),
    initializers.Normal: _normal,
    initializers.Uniform: lambda init: _weights(
        f"(torch.rand(shape, generator=g) * 2 - 1) * {init.reach!r}",
        f"torch.full((size,), {init.bias!r})",
    ),
    initializers.LeCun: lambda init: _weights(
        "torch.randn(shape, generator=g) * math.sqrt(1 / fan_in)",
        f"torch.randn((size,), generator=g) * {init.bias_std!r}"
        if init.bias_std
        else "torch.zeros(size)",
    ),
    initializers.Glorot: _glorot,
    initializers.He: _he,
}


def _cross_entropy(loss: losses.CrossEntropy) -> str:
    weight = f", weight=torch.tensor({list(loss.weights)})" if loss.weights else ""
    smoothing = (
        f", label_smoothing={loss.label_smoothing!r}"
        if loss.label_smoothing or loss.weights
        else ""
    )
    return f"F.cross_entropy(output, target{weight}{smoothing})"


WANTED = "as_values(output, target)"
LOSSES: dict[type[Any], Callable[..., str]] = {
    losses.CrossEntropy: _cross_entropy,
    losses.BinaryCrossEntropy: lambda loss: (
        f'F.binary_cross_entropy_with_logits(output, {WANTED}, reduction="sum") / {"output.numel()" if loss.outputs == losses.MEAN else "len(output)"}'
    ),
    losses.Quadratic: lambda loss: (
        f"(output - {WANTED}).square().sum() / (2 * {'output.numel()' if loss.outputs == losses.MEAN else 'len(output)'})"
    ),
    losses.MeanSquaredError: lambda loss: f"F.mse_loss(output, {WANTED})",
    losses.MeanAbsoluteError: lambda loss: f"F.l1_loss(output, {WANTED})",
    losses.Huber: lambda loss: f"F.huber_loss(output, {WANTED}, delta={loss.delta!r})",
    losses.Hinge: lambda loss: (
        f"F.multi_margin_loss(output, target, p={loss.power}, margin={loss.margin!r}) * output.shape[1]"
    ),
}

SQUARES = "sum((w.square().sum() for w in weights[1:]), weights[0].square().sum())"
SIZES = "sum((w.abs().sum() for w in weights[1:]), weights[0].abs().sum())"
PENALTIES: dict[type[Any], Callable[..., str]] = {  # price | limit
    penalties.L2: lambda penalty: f"{penalty.strength!r} / 2 * {SQUARES}|",
    penalties.L1: lambda penalty: f"{penalty.strength!r} * {SIZES}|",
    penalties.ElasticNet: lambda penalty: (
        f"{penalty.l1!r} * {SIZES} + {penalty.l2!r} / 2 * {SQUARES}|"
    ),
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
    optimizers.Adam: lambda o: (
        f"Adam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, fused=True)"
    ),
    optimizers.AdamW: lambda o: (
        f"AdamW(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, weight_decay={o.weight_decay!r}, fused=True)"
    ),
    optimizers.AMSGrad: lambda o: (
        f"Adam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, amsgrad=True, fused=True)"
    ),
    optimizers.NAdam: lambda o: (
        f"NAdam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r}, momentum_decay={o.psi!r})"
    ),
    optimizers.RAdam: lambda o: (
        f"RAdam(parameters, lr={o.lr!r}, betas=({o.beta1!r}, {o.beta2!r}), eps={o.epsilon!r})"
    ),
    optimizers.Adagrad: lambda o: (
        f"Adagrad(parameters, lr={o.lr!r}, eps={o.epsilon!r}, initial_accumulator_value={o.start!r})"
    ),
    optimizers.RMSProp: lambda o: (
        f"RMSprop(parameters, lr={o.lr!r}, alpha={o.decay!r}, eps={o.epsilon!r})"
    ),
    optimizers.Adadelta: lambda o: (
        f"Adadelta(parameters, lr={o.lr!r}, rho={o.rho!r}, eps={o.epsilon!r})"
    ),
}


def _factors(schedule: schedules.Schedule, recipe: RecipeFields) -> str:
    if schedule.each_step:
        told = (
            'changes at each step: only `OneCycle` of these has a plain form; write each = "epoch"'
        )
        raise WrongValue("recipe", [Problem("schedule", type(schedule).__name__, told)])
    state, factors = schedule.init(), []
    for epoch in range(recipe.epochs):
        factor, state = schedule.next(state, schedules.ScheduleContext(epoch, recipe.epochs))
        factors.append(factor)
    if set(factors) == {1.0}:
        return ""
    return f"FACTORS = {json.dumps(factors)}  # {type(schedule).__name__}, epoch by epoch\n\n\ndef factor(done):\n    return FACTORS[int(done)]"


def _one_cycle(schedule: schedules.OneCycle, recipe: RecipeFields) -> str:
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
