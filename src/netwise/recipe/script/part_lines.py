"""Parts as expressions and statements of a script: one table a family, one entry a part."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from netwise.errors import WrongValue
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
from netwise.parts.augment import geometric
from netwise.parts.augment.augment import uniform
from netwise.parts.clipping import Clip, ClipValue

T = TypeVar("T")
Forms = Mapping[type[Any], Callable[[Any], T]]


def part_lines(field: str, part: Any, forms: Forms[T]) -> T:
    """What a part of the recipe's `field` becomes in a script, by the table of its family.

    Raises:
        WrongValue: the table has no entry for it, or one of its fields has no form.
    """
    write = forms.get(type(part))
    if write is None:
        names = ", ".join(cls.__name__ for cls in forms)
        reason = f"cannot be written as a script: use one of {names}"
        raise WrongValue.of("recipe", field, part.kind, reason)
    return write(part)


# ---- preprocessing: statements that change `parts`, (x, y) of training, validation and test


def _standardise(step: preprocess.Standardise) -> str:
    return "\n".join(
        [
            "axes = (0, 2, 3) if parts[0][0].dim() == 4 else (0,)",
            (
                "mean, spread = parts[0][0].mean(axes, keepdim=True), "
                "parts[0][0].std(axes, unbiased=False, keepdim=True)"
            ),
            (
                "spread = torch.where((spread <= 1e-6 * mean.abs()) | (spread == 0), "
                "torch.ones_like(spread), spread)"
            ),
            "parts = [((x - mean) / spread, y) for x, y in parts]",
        ]
    )


def _min_max(step: preprocess.MinMax) -> str:
    return "\n".join(
        [
            "axes = (0, 2, 3) if parts[0][0].dim() == 4 else (0,)",
            (
                "low, high = parts[0][0].amin(axes, keepdim=True), "
                "parts[0][0].amax(axes, keepdim=True)"
            ),
            "width = torch.where(high > low, high - low, torch.ones_like(low))",
            "parts = [((x - low) / width, y) for x, y in parts]",
        ]
    )


def _resize(step: preprocess.Resize) -> str:
    resized = (
        f'F.interpolate(x, ({step.height}, {step.width}), mode="bilinear", align_corners=False)'
    )
    return f"parts = [({resized} if len(x) else x, y) for x, y in parts]"


def _global_contrast(step: preprocess.GlobalContrast) -> str:
    mean_or_sum = "mean" if step.convention == "variance" else "sum"
    scaled = f"{step.scale!r} * f / (size + {step.bias!r}).sqrt().clamp_min({step.epsilon!r})"
    return "\n".join(
        [
            "flat = [x.flatten(1) - x.flatten(1).mean(1, keepdim=True) for x, _ in parts]",
            f"sizes = [f.square().{mean_or_sum}(1, keepdim=True) for f in flat]",
            f"flat = [{scaled} for f, size in zip(flat, sizes)]",
            "parts = [(f.reshape(x.shape), y) for f, (x, y) in zip(flat, parts)]",
        ]
    )


PREPROCESSES: Forms[str] = {
    preprocess.Standardise: _standardise,
    preprocess.MinMax: _min_max,
    preprocess.Resize: _resize,
    preprocess.Flatten: lambda step: "parts = [(x.flatten(1), y) for x, y in parts]",
    preprocess.ClipInputs: lambda step: (
        f"parts = [(x.clamp(-{step.reach!r}, {step.reach!r}), y) for x, y in parts]"
    ),
    preprocess.Scale: lambda step: f"parts = [(x * {step.factor!r}, y) for x, y in parts]",
    preprocess.GlobalContrast: _global_contrast,
}


# ---- augmentation: statements that change a batch `x` with draws of the generator `g`

PADDING_MODES = {"zeros": "constant", "border": "replicate", "reflection": "reflect"}


def _flip(change: augment.Flip) -> str:
    axis = 2 if change.vertical else 3
    return "\n".join(
        [
            f"chosen = torch.rand(len(x), generator=g) < {change.chance!r}",
            f"x = torch.where(chosen[:, None, None, None], x.flip({axis}), x)",
        ]
    )


def _shift(change: augment.Shift) -> str:
    mode = PADDING_MODES[change.fill]
    return "\n".join(
        [
            f"padded = F.pad(x, ({change.pixels},) * 4, mode={mode!r})",
            f"down, right = torch.randint(0, {2 * change.pixels + 1}, (2, len(x), 1), generator=g)",
            "rows, columns = down + torch.arange(x.shape[2]), right + torch.arange(x.shape[3])",
            (
                "sample, channel = torch.arange(len(x))[:, None, None, None], "
                "torch.arange(x.shape[1])[None, :, None, None]"
            ),
            "x = padded[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]",
        ]
    )


def _affine(degrees: float, shift: float, scale: float, shear: float, fill: str) -> str:
    return "\n".join(
        [
            f"turn = uniform((len(x),), -{degrees!r}, {degrees!r}, g) * math.pi / 180",
            f"sheared = torch.tan(uniform((len(x),), -{shear!r}, {shear!r}, g) * math.pi / 180)",
            f"size = uniform((len(x),), 1 - {scale!r}, 1 + {scale!r}, g)",
            f"across, down = uniform((2, len(x)), -2 * {shift!r}, 2 * {shift!r}, g)",
            f"x = transform(x, turn, size, sheared, across, down, {fill!r})",
        ]
    )


def _elastic(change: augment.Elastic) -> str:
    return "\n".join(
        [
            f"field = smooth_field(len(x), x.shape[2], x.shape[3], {change.smoothness!r}, g)",
            f"x = warp(x, {change.strength!r} * field.to(x), {change.fill!r})",
        ]
    )


def _erase(change: augment.Erase) -> str:
    return "\n".join(
        [
            "height, width = x.shape[2:]",
            "tall, wide, top, left, luck = torch.rand((5, len(x), 1), generator=g)",
            f"tall = 1 + (tall * max(1, round({change.share!r} * height))).floor()",
            f"wide = 1 + (wide * max(1, round({change.share!r} * width))).floor()",
            "top, left = (top * (height - tall + 1)).floor(), (left * (width - wide + 1)).floor()",
            "rows, columns = torch.arange(height), torch.arange(width)",
            (
                "inside = ((rows >= top) & (rows < top + tall))[:, :, None] & "
                "((columns >= left) & (columns < left + wide))[:, None, :]"
            ),
            (
                f"x = torch.where((inside & (luck < {change.chance!r})[:, :, None])[:, None], "
                f"torch.full((), {change.value!r}), x)"
            ),
        ]
    )


AUGMENTS: Forms[str] = {
    augment.Noise: lambda change: f"x = x + {change.std!r} * torch.randn(x.shape, generator=g)",
    augment.Flip: _flip,
    augment.Shift: _shift,
    augment.Affine: lambda change: _affine(
        change.degrees, change.shift, change.scale, change.shear, change.fill
    ),
    augment.Rotate: lambda change: _affine(change.degrees, 0.0, 0.0, 0.0, change.fill),
    augment.Elastic: _elastic,
    augment.Erase: _erase,
}
# Functions of netwise that the statements of an augmentation call; their source is copied.
AUGMENT_FUNCTIONS: Mapping[type[Any], tuple[Any, ...]] = {
    augment.Affine: (uniform, geometric.transform),
    augment.Rotate: (uniform, geometric.transform),
    augment.Elastic: (geometric.smooth_field, geometric.warp),
}


# ---- averages of weights


class AverageLines(NamedTuple):
    """When weights enter the average ("step" or "epoch"), and an expression of their share."""

    when: str
    share: str


AVERAGES: Forms[AverageLines] = {
    averaging.EMA: lambda average: AverageLines(
        "step", f"1 - min({average.decay!r}, (1 + count) / (10 + count))"
    ),
    averaging.SWA: lambda average: AverageLines(
        "epoch", f"1 / (count + 1) if (epoch + 1) / EPOCHS > {average.start!r} else None"
    ),
}


# ---- initial weights: functions that draw a weight and a bias


def _draws(weight: str, bias: str = "torch.zeros(size)") -> str:
    return f"""def draw_weight(shape, fan_in, fan_out, g):
    return {weight}


def draw_bias(size, g):
    return {bias}"""


def _normal_or_uniform(shape: str, std: str) -> str:
    if shape == "normal":
        return f"torch.randn(shape, generator=g) * {std}"
    return f"(torch.rand(shape, generator=g) * 2 - 1) * math.sqrt(3) * {std}"


def _he(init: initializers.He) -> str:
    activation = init.activation
    is_relu = isinstance(activation, activations.ReLU)
    square = 2.0 if is_relu else activations.gain(activation) ** 2
    std = f"{init.gain!r} * math.sqrt({square!r} / fan_in)"
    return _draws(_normal_or_uniform(init.shape, f"({std})"))


def _glorot(init: initializers.Glorot) -> str:
    return _draws(_normal_or_uniform(init.shape, "math.sqrt(2 / (fan_in + fan_out))"))


def _normal(init: initializers.Normal) -> str:
    if init.truncated:
        reason = "cannot be written as a script"
        raise WrongValue.of("recipe", "init.truncated", init.truncated, reason, "false")
    bias = (
        f"torch.full((size,), {init.bias!r})"
        if not init.bias_std
        else f"{init.bias!r} + torch.randn((size,), generator=g) * {init.bias_std!r}"
    )
    return _draws(f"torch.randn(shape, generator=g) * {init.std!r}", bias)


def _lecun(init: initializers.LeCun) -> str:
    weight = "torch.randn(shape, generator=g) * math.sqrt(1 / fan_in)"
    if not init.bias_std:
        return _draws(weight)
    return _draws(weight, f"torch.randn((size,), generator=g) * {init.bias_std!r}")


INITIALIZERS: Forms[str] = {
    initializers.ModuleDefault: lambda init: "",
    initializers.Constant: lambda init: _draws(
        f"torch.full(shape, {init.weight!r})", f"torch.full((size,), {init.bias!r})"
    ),
    initializers.Normal: _normal,
    initializers.Uniform: lambda init: _draws(
        f"(torch.rand(shape, generator=g) * 2 - 1) * {init.reach!r}",
        f"torch.full((size,), {init.bias!r})",
    ),
    initializers.LeCun: _lecun,
    initializers.Glorot: _glorot,
    initializers.He: _he,
}


# ---- losses: expressions of `output` and `target`

AS_VALUES = "as_values(output, target)"  # targets as numbers, also where they are classes


def _cross_entropy(loss: losses.CrossEntropy) -> str:
    weight = f", weight=torch.tensor({list(loss.weights)})" if loss.weights else ""
    smoothing = (
        f", label_smoothing={loss.label_smoothing!r}"
        if loss.label_smoothing or loss.weights
        else ""
    )
    output = f"output + torch.tensor({list(loss.priors)}).log()" if loss.priors else "output"
    return f"F.cross_entropy({output}, target{weight}{smoothing})"


def _divisor(outputs: str) -> str:
    return "output.numel()" if outputs == losses.MEAN else "len(output)"


def _binary_cross_entropy(loss: losses.BinaryCrossEntropy) -> str:
    total = f'F.binary_cross_entropy_with_logits(output, {AS_VALUES}, reduction="sum")'
    return f"{total} / {_divisor(loss.outputs)}"


def _hinge(loss: losses.Hinge) -> str:
    mean = f"F.multi_margin_loss(output, target, p={loss.power}, margin={loss.margin!r})"
    return f"{mean} * output.shape[1]"


LOSSES: Forms[str] = {
    losses.CrossEntropy: _cross_entropy,
    losses.BinaryCrossEntropy: _binary_cross_entropy,
    losses.Quadratic: lambda loss: (
        f"(output - {AS_VALUES}).square().sum() / (2 * {_divisor(loss.outputs)})"
    ),
    losses.MeanSquaredError: lambda loss: f"F.mse_loss(output, {AS_VALUES})",
    losses.MeanAbsoluteError: lambda loss: f"F.l1_loss(output, {AS_VALUES})",
    losses.Huber: lambda loss: f"F.huber_loss(output, {AS_VALUES}, delta={loss.delta!r})",
    losses.Hinge: _hinge,
}


# ---- penalties


class PenaltyLines(NamedTuple):
    """An expression that is added to the loss, and statements that limit a weight `w` after each
    step; either may be empty."""

    term: str
    limit: str


SQUARES = "sum((w.square().sum() for w in weights[1:]), weights[0].square().sum())"
SIZES = "sum((w.abs().sum() for w in weights[1:]), weights[0].abs().sum())"


def _max_norm(penalty: penalties.MaxNorm) -> PenaltyLines:
    norms = f"torch.linalg.vector_norm(w.flatten(1), dim=1).clamp_min({penalty.norm!r})"
    factor = f"({penalty.norm!r} / long).reshape(-1, *[1] * (w.dim() - 1))"
    return PenaltyLines("", f"long = {norms}\nw.mul_({factor})")


PENALTIES: Forms[PenaltyLines] = {
    penalties.L2: lambda penalty: PenaltyLines(f"{penalty.strength!r} / 2 * {SQUARES}", ""),
    penalties.L1: lambda penalty: PenaltyLines(f"{penalty.strength!r} * {SIZES}", ""),
    penalties.ElasticNet: lambda penalty: PenaltyLines(
        f"{penalty.l1!r} * {SIZES} + {penalty.l2!r} / 2 * {SQUARES}", ""
    ),
    penalties.MaxNorm: _max_norm,
}

CLIPPINGS: Forms[str] = {
    Clip: lambda clip: f"nn.utils.clip_grad_norm_(parameters, {clip.norm!r})",
    ClipValue: lambda clip: f"nn.utils.clip_grad_value_(parameters, {clip.value!r})",
}


# ---- optimizers: expressions below `torch.optim`


def _optimizer(name: str, **arguments: object) -> str:
    settings = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}(parameters, {settings})"


OPTIMIZERS: Forms[str] = {
    optimizers.SGD: lambda o: _optimizer(
        "SGD",
        lr=o.lr,
        momentum=o.momentum,
        nesterov=o.nesterov and o.momentum > 0,
        weight_decay=o.weight_decay,
        fused=True,
    ),
    optimizers.Adam: lambda o: _optimizer(
        "Adam", lr=o.lr, betas=(o.beta1, o.beta2), eps=o.epsilon, fused=True
    ),
    optimizers.AdamW: lambda o: _optimizer(
        "AdamW",
        lr=o.lr,
        betas=(o.beta1, o.beta2),
        eps=o.epsilon,
        weight_decay=o.weight_decay,
        fused=True,
    ),
    optimizers.AMSGrad: lambda o: _optimizer(
        "Adam", lr=o.lr, betas=(o.beta1, o.beta2), eps=o.epsilon, amsgrad=True, fused=True
    ),
    optimizers.NAdam: lambda o: _optimizer(
        "NAdam", lr=o.lr, betas=(o.beta1, o.beta2), eps=o.epsilon, momentum_decay=o.psi
    ),
    optimizers.RAdam: lambda o: _optimizer(
        "RAdam", lr=o.lr, betas=(o.beta1, o.beta2), eps=o.epsilon
    ),
    optimizers.Adagrad: lambda o: _optimizer(
        "Adagrad", lr=o.lr, eps=o.epsilon, initial_accumulator_value=o.start
    ),
    optimizers.RMSProp: lambda o: _optimizer("RMSprop", lr=o.lr, alpha=o.decay, eps=o.epsilon),
    optimizers.Adadelta: lambda o: _optimizer("Adadelta", lr=o.lr, rho=o.rho, eps=o.epsilon),
}


# ---- schedules: of a run's number of epochs, the definition of `factor`


def _factors(schedule: schedules.Schedule) -> Callable[[int], str]:
    if schedule.each_step:
        reason = "changes at each step, which only OneCycle and Cyclical do in a script"
        instead = f'{schedule.kind}(each="epoch")'
        raise WrongValue.of("recipe", "schedule", schedule.kind, reason, instead)

    def lines(epochs: int) -> str:
        state, factors = schedule.init(), []
        for epoch in range(epochs):
            factor, state = schedule.next(state, schedules.ScheduleContext(epoch, epochs))
            factors.append(factor)
        if set(factors) == {1.0}:
            return ""
        table = f"FACTORS = {json.dumps(factors)}  # {schedule.kind}, epoch by epoch"
        return f"{table}\n\n\ndef factor(done):\n    return FACTORS[int(done)]"

    return lines


def _one_cycle(schedule: schedules.OneCycle) -> Callable[[int], str]:
    rise = f"{schedule.rise!r}"
    text = f"""def eased(a, b, share):
    return b + (a - b) * (1 + math.cos(math.pi * share)) / 2


def factor(done):  # one cycle; called at each step
    done = done / EPOCHS
    if done < {rise}:
        return eased({schedule.start!r}, 1.0, done / {rise})
    return eased(1.0, {schedule.last!r}, min((done - {rise}) / (1 - {rise}), 1.0))"""
    return lambda epochs: text


def _cyclical(schedule: schedules.Cyclical) -> Callable[[int], str]:
    low = f"{schedule.low!r}"
    heights = {
        "triangular": "",
        "triangular2": " * 2.0 ** (1 - c)",
        "exp_range": f" * {schedule.decay!r} ** done",
    }
    text = f"""def factor(done):  # triangles; called at each step
    t = done / {schedule.half!r}
    c = math.floor(1 + t / 2)
    height = max(0.0, 1 - abs(t - 2 * c + 1)){heights[schedule.shape]}
    return {low} + (1 - {low}) * height"""
    return lambda epochs: text


SCHEDULES: Forms[Callable[[int], str]] = {
    schedules.ConstantRate: _factors,
    schedules.StepDecay: _factors,
    schedules.Milestones: _factors,
    schedules.TwoStage: _factors,
    schedules.Exponential: _factors,
    schedules.Cosine: _factors,
    schedules.OneCycle: _one_cycle,
    schedules.Cyclical: _cyclical,
}
