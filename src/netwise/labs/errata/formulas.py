"""Checks of errata by formulas: variances, sizes, slopes, steps."""

from __future__ import annotations

import math

import torch

from netwise.labs.errata.erratum import Check
from netwise.networks.sizes import valid
from netwise.parts.initializers import Glorot, He, Initializer, LeCun

FAN_IN, FAN_OUT = 400, 100
CLOSE = 0.02  # relative; the sample standard deviation of 40,000 weights has an error of 0.4 %


def _variance(initializer: Initializer) -> float:
    g = torch.Generator().manual_seed(0)
    weight = initializer.sample((FAN_OUT, FAN_IN), fan_in=FAN_IN, fan_out=FAN_OUT, generator=g)
    return float(weight.var())


def _near(value: float, expected: float, relative: float = CLOSE) -> bool:
    return math.isclose(value, expected, rel_tol=relative)


def glorot_variance() -> Check:
    """E01: the variance of both forms of Glorot's initializer."""
    square = 2 / (FAN_IN + FAN_OUT)
    bound = math.sqrt(6 / (FAN_IN + FAN_OUT))
    measured = {
        "variance of normal weights": _variance(Glorot(shape="normal")),
        "2 / (in + out)": square,
        "sqrt(2 / (in + out))": math.sqrt(square),
        "variance of the uniform distribution, bound² / 3": bound**2 / 3,
    }
    right = _near(measured["variance of normal weights"], square) and _near(bound**2 / 3, square)
    return Check(measured, not _near(math.sqrt(square), bound**2 / 3), right)


def he_variance() -> Check:
    """E02: sizes of the signal behind five ReLU layers, with either reading of the formula."""
    ends = {}
    for name, std in (
        ("sqrt(2 / in) as the standard deviation", math.sqrt(2 / FAN_IN)),
        ("sqrt(2 / in) as the variance", (2 / FAN_IN) ** 0.25),
    ):
        g = torch.Generator().manual_seed(0)
        x = torch.randn(1000, FAN_IN, generator=g)
        start = float(x.std())
        for _ in range(5):
            z = x @ (std * torch.randn(FAN_IN, FAN_IN, generator=g))
            x = z.relu()
        ends[f"signal after five layers over its start, {name}"] = float(z.std()) / start / 2**0.5
    kept, grown = ends.values()
    return Check(ends, grown > 100, 0.5 < kept < 2)


def input_variance() -> Check:
    """E03: the spread of a sum of inputs with weights of either variance."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(1000, FAN_IN, generator=g)
    w = torch.randn(FAN_IN, 100, generator=g)
    measured = {
        "std of the sums, weights of variance 1 / inputs": float((x @ w / FAN_IN**0.5).std()),
        "std of the sums, weights of variance 1 / sqrt(inputs)": float(
            (x @ w / FAN_IN**0.25).std()
        ),
        "std of LeCun's weights times sqrt(inputs)": _variance(LeCun()) ** 0.5 * FAN_IN**0.5,
    }
    one, wide, code = measured.values()
    return Check(measured, wide > 3, _near(one, 1, 0.05) and _near(code, 1))


def output_size() -> Check:
    """E04: the formula with and without brackets beside torch's convolution."""
    cases = [
        (size, kernel, stride) for size in (7, 28, 32) for kernel in (3, 5) for stride in (2, 3)
    ]
    printed = right = 0
    for size, kernel, stride in cases:
        layer = torch.nn.Conv2d(1, 1, kernel, stride)
        out = layer(torch.zeros(1, 1, size, size)).shape[-1]
        printed += math.ceil(size - kernel + 1 / stride) == out
        right += valid(size, kernel, stride) == out == math.ceil((size - kernel + 1) / stride)
    measured = {
        "share of sizes that the printed formula gives": printed / len(cases),
        "share that the right one gives": right / len(cases),
    }
    return Check(measured, printed < len(cases), right == len(cases))


def adam_step() -> Check:
    """E06: the first step of Adam by the printed and by the right formula beside torch's."""
    gradient, rate, epsilon = 0.3, 0.01, 1e-8
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=rate)
    weight.grad = torch.tensor([gradient])
    optimizer.step()
    step = -float(weight.detach())

    def first_step(beta1: float, beta2: float, corrected: bool) -> float:
        m, v = (1 - beta1) * gradient, (1 - beta2) * gradient**2
        if corrected:
            m, v = m / (1 - beta1), v / (1 - beta2)
        return rate * m / (math.sqrt(v) + epsilon)

    measured = {
        "torch's first step": step,
        "printed: one beta, moments not corrected": first_step(0.9, 0.9, False),
        "right": first_step(0.9, 0.999, True),
    }
    _, printed, right = measured.values()
    return Check(measured, not _near(printed, step), _near(right, step, 1e-4))


def batch_names() -> Check:
    """E07: the gradient of a few samples is not the gradient of all, that of all samples is."""
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(1000, generator=g), torch.randn(1000, generator=g)
    whole = float((x * (x - y)).mean())
    few = (x * (x - y)).view(100, 10).mean(1)
    measured = {
        "std of the gradient of ten samples over that of all": (float(few.std()) / abs(whole)),
        "mean of the gradients of all batches over that of all samples": (
            float(few.mean()) / whole
        ),
    }
    spread, mean = measured.values()
    return Check(measured, spread > 0.1, _near(mean, 1, 1e-3))


def l1_step() -> Check:
    """E08: the step of the L1 penalty by automatic differentiation beside both formulas."""
    rate, strength, n = 0.5, 5.0, 100
    w = torch.tensor([-2.0, -0.1, 0.3, 1.5], requires_grad=True)
    (gradient,) = torch.autograd.grad(strength / n * w.abs().sum(), w)
    step = w.detach() - rate * gradient
    printed = (1 - rate * strength / n) * w.detach()
    right = w.detach() - rate * strength / n * w.detach().sign()
    measured = {
        "largest difference of the printed step": float((printed - step).abs().max()),
        "largest difference of the right one": float((right - step).abs().max()),
    }
    far, near = measured.values()
    return Check(measured, far > 1e-3, near < 1e-6)


def accuracy_gap() -> Check:
    """E09: the difference of the two accuracies of the figure."""
    train, test = 48932 / 500, 95.33  # stored run of Nielsen's fig/overfitting_full.json
    measured = {"training accuracy, %": train, "test accuracy, %": test, "gap": train - test}
    gap = round(train - test, 2)
    return Check(measured, gap != 1.53, gap == 2.53)


def gain_of_a_pair() -> Check:
    """E10: the accuracies of the stored pair of runs."""
    without, regularised = 95.33, 96.49  # fig/overfitting_full.json, regularized_full.json
    gain = round(regularised - without, 2)
    measured = {"without L2, %": without, "with L2, %": regularised, "gain, points": gain}
    return Check(measured, gain != 1.0, gain == 1.16)


def saturation_of_tanh() -> Check:
    """E16: where the slopes of tanh and of the sigmoid fall to 1 % of their peaks."""
    tanh = math.acosh(10.0)  # 1 / cosh² = 0.01
    sigmoid = 2 * tanh  # tanh(x) = 2 sigmoid(2x) - 1
    slope = 1 / (1 + math.exp(-sigmoid)) * (1 - 1 / (1 + math.exp(-sigmoid))) / 0.25
    measured = {"|x|, tanh": tanh, "|x|, sigmoid": sigmoid, "slope of the sigmoid there": slope}
    return Check(measured, tanh < sigmoid, _near(slope, 0.01, 1e-6))


def slope_of_sigmoid() -> Check:
    """E17: the slope of the sigmoid at 1 over its peak."""
    at_one = 1 / (1 + math.exp(-1.0))
    share = at_one * (1 - at_one) / 0.25
    return Check({"slope at 1 over that at 0": share}, share > 0.5, _near(share, 0.786, 1e-3))


def year_of_batch_norm() -> Check:
    """E19: the years of the two publications."""
    years = {
        "Szegedy et al., Going deeper with convolutions (arXiv)": 2014.0,
        "Ioffe, Szegedy, Batch normalization (arXiv)": 2015.0,
    }
    network, normalization = years.values()
    return Check(years, normalization > network, normalization > network)


def default_activation() -> Check:
    """E20: a dense layer is linear: twice the input gives twice the output, and negative values."""
    layer = torch.nn.Linear(3, 200)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(200, 3, generator=torch.Generator().manual_seed(0)))
        layer.bias.zero_()
        once, twice = layer(torch.ones(1, 3)), layer(torch.full((1, 3), 2.0))
    measured = {
        "share of negative outputs": float((once < 0).float().mean()),
        "largest deviation from a linear map": float((twice - 2 * once).abs().max()),
    }
    negative, deviation = measured.values()
    return Check(measured, negative > 0.2, deviation < 1e-5)


def same_variance() -> Check:
    """E21: variances of the exchanged initializers."""
    measured = {
        "glorot_uniform": _variance(Glorot()),
        "xavier_normal": _variance(Glorot(shape="normal")),
        "he_normal": _variance(He()),
    }
    uniform, normal, he = measured.values()
    return Check(measured, _near(uniform, normal, 0.05), not _near(he, uniform, 0.2))


def error_of_alexnet() -> Check:
    """E22: top-5 errors in the paper."""
    measured = {
        "average of five networks, validation, %": 16.4,
        "entry of seven networks with more data, test, %": 15.3,
    }  # Krizhevsky, Sutskever, Hinton 2012, table 2 and its text
    five, seven = measured.values()
    return Check(measured, five != seven, seven < five)


def bias_gradient() -> Check:
    """E24: the gradient with respect to the bias of a neuron beside (a - y)."""
    x, y = torch.tensor([0.5, -1.0]), 0.0
    w, b = torch.tensor([0.3, 0.7]), torch.tensor(0.2, requires_grad=True)
    a = torch.sigmoid(w @ x + b)
    (gradient,) = torch.autograd.grad(-torch.log(1 - a), b)
    difference = abs(float(gradient - (a - y).detach()))
    return Check({"difference from a - y": difference}, True, difference < 1e-6)
