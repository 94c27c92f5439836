"""Preprocessing: fitted on the training part alone, saved and applied with the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from netwise.errors import DataError, Problem, interface_error
from netwise.memory import require_memory
from netwise.part import Part, integer, integers, number, text

Fitted = dict[str, Tensor]  # statistics of the training part


class Preprocess(Part):
    """Interface of preprocessing steps: `fit` computes statistics of the training inputs, `apply`
    uses them on the inputs of any part.

    Example:
        >>> import netwise as nw, torch
        >>> step, x = nw.Standardise(), torch.tensor([[1.0], [3.0]])
        >>> step.apply(torch.tensor([[2.0]]), step.fit(x)).tolist()
        [[0.0]]
    """

    family_name: ClassVar[str] = "preprocessing step"

    def fit(self, x: Tensor) -> Fitted:
        """Statistics of the training inputs `x`, (samples, ...)."""
        return {}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        """The transformed inputs."""
        raise interface_error(self, "Standardise()")

    def traced(self, x: Tensor, fitted: Fitted) -> Tensor:
        """What `apply` gives, by torch operations alone, none of which depends on a value: this is
        what exported files have."""
        return self.apply(x, fitted)


@dataclass(frozen=True)
class Standardise(Preprocess):
    """Each feature to mean 0 and standard deviation 1; images by channel. A constant feature
    becomes 0.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[0.0, 5.0], [2.0, 5.0]])
        >>> nw.Standardise().apply(x, nw.Standardise().fit(x)).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]

    Source: scikit-learn's `StandardScaler`.
    """

    def fit(self, x: Tensor) -> Fitted:
        axes = (0, 2, 3) if x.dim() == 4 else (0,)
        mean = x.mean(axes, keepdim=True)
        spread = x.std(axes, unbiased=False, keepdim=True)
        # The deviation of a constant feature is a rounding error, far below its own size.
        constant = spread <= 1e-6 * mean.abs()
        return {
            "mean": mean,
            "scale": torch.where(constant | (spread == 0), torch.ones_like(spread), spread),
        }

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return (x - fitted["mean"]) / fitted["scale"]


@dataclass(frozen=True)
class Scale(Preprocess):
    """Multiply every input by one constant.

    Args:
        factor: above 0. Default 1.0; 255/256 turns netwise's images (bytes / 255) into bytes / 256.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Scale(0.5).apply(torch.tensor([[4.0]]), {}).tolist()
        [[2.0]]
    """

    factor: float = number(1.0, above=0, because="it keeps the sign", why="unchanged inputs")

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return x * self.factor


@dataclass(frozen=True)
class ClipInputs(Preprocess):
    """Clamp inputs to [-reach, reach]. Use it after `Standardise`, which turns rare values of
    nearly constant features into large inputs.

    Args:
        reach: largest absolute input, above 0. Default 5.0.

    Example:
        >>> import netwise as nw, torch
        >>> nw.ClipInputs(3.0).apply(torch.tensor([[-40.0, 1.0]]), {}).tolist()
        [[-3.0, 1.0]]
    """

    reach: float = number(
        5.0,
        above=0,
        because="it is a distance",
        why="five standard deviations: one of two million normal inputs is beyond",
    )

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return x.clamp(-self.reach, self.reach)


@dataclass(frozen=True)
class MinMax(Preprocess):
    """Each feature to the range 0 to 1 over the training part; images by channel.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[2.0], [6.0]])
        >>> nw.MinMax().apply(torch.tensor([[4.0]]), nw.MinMax().fit(x)).tolist()
        [[0.5]]

    Source: scikit-learn's `MinMaxScaler`.
    """

    def fit(self, x: Tensor) -> Fitted:
        axes = (0, 2, 3) if x.dim() == 4 else (0,)
        low, high = x.amin(axes, keepdim=True), x.amax(axes, keepdim=True)
        return {"low": low, "range": torch.where(high > low, high - low, torch.ones_like(low))}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return (x - fitted["low"]) / fitted["range"]


@dataclass(frozen=True, kw_only=True)
class GlobalContrast(Preprocess):
    """Global contrast normalisation: each image by itself to mean 0 and equal contrast.

        x <- scale * (x - mean(x)) / max(epsilon, sqrt(bias + var(x)))

    Args:
        scale: of the result, above 0. Default 1.0.
        bias: added to the variance, at least 0; limits the noise of almost constant images.
            Default 0.0.
        epsilon: smallest divisor, above 0. Default 1e-8.
        convention: "variance" divides by the root of the mean square, "norm" by the root of the sum
            of squares, which is pylearn2's default (with scale = 55 for CIFAR-10). Default
            "variance".

    Example:
        >>> import netwise as nw, torch
        >>> nw.GlobalContrast().apply(torch.tensor([[1.0, 3.0], [10.0, 30.0]]), {}).tolist()
        [[-1.0, 1.0], [-1.0, 1.0]]

    Source: Coates, Lee, Ng 2011; Goodfellow, Bengio, Courville 2016, eq. 12.3.
    """

    scale: float = number(1.0, above=0, because="a factor", why="contrast 1")
    bias: float = number(0.0, least=0, because="it is added to a variance", why="the plain form")
    epsilon: float = number(
        1e-8, above=0, because="it keeps a division finite", why="far below any contrast"
    )
    convention: str = text(
        "variance", among=("variance", "norm"), why="independent of the size of an image"
    )

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        flat = x.flatten(1)
        flat = flat - flat.mean(1, keepdim=True)
        size = (
            flat.square().mean(1, keepdim=True)
            if self.convention == "variance"
            else flat.square().sum(1, keepdim=True)
        )
        return (self.scale * flat / (size + self.bias).sqrt().clamp_min(self.epsilon)).reshape(
            x.shape
        )


@dataclass(frozen=True, kw_only=True)
class Whiten(Preprocess):
    """Uncorrelated features of unit variance over the training part; images are flattened.

        ZCA:  x <- U (L + epsilon)^(-1/2) U^T (x - mean)
        PCA:  x <-   (L + epsilon)^(-1/2) U^T (x - mean)

    U and L are the eigenvectors and eigenvalues of the covariance. ZCA is closest to the original,
    so images still look like images; PCA projects on the directions of largest variance, the first
    `keep` of them.

    Args:
        form: "zca" or "pca". Default "zca".
        epsilon: added to each eigenvalue, above 0. Default 0.1: smaller values amplify noise in
            pixels from 0 to 1.
        keep: number of directions that PCA keeps, at least 0; 0: all. Default 0.
        convention: "sample" divides the covariance by n - 1, "pylearn2" by n. Default "sample".

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
        >>> x, step = x @ torch.tensor([[2.0, 1.0], [0.0, 1.0]]), nw.Whiten(epsilon=1e-9)
        >>> white = step.apply(x, step.fit(x))
        >>> torch.allclose(torch.cov(white.T), torch.eye(2), atol=1e-4)
        True

    Source: Bell, Sejnowski 1997; Krizhevsky 2009, appendix A; pylearn2's `ZCA`.
    """

    form: str = text("zca", among=("zca", "pca"), why="images still look like images")
    epsilon: float = number(
        0.1, above=0, because="it keeps a division finite", why="pylearn2's value for images"
    )
    keep: int = integer(0, least=0, because="it counts directions", why="all of them")
    convention: str = text(
        "sample", among=("sample", "pylearn2"), why="the unbiased covariance, as in scikit-learn"
    )

    def conflicts(self) -> list[Problem]:
        if self.keep and self.form == "zca":
            reason = 'is for form = "pca": ZCA keeps all features'
            return [Problem("keep", str(self.keep), reason, "0")]
        return []

    def fit(self, x: Tensor) -> Fitted:
        features = x[0].numel()
        what = f"takes the covariance of {features:,} features, whose matrices need"
        require_memory(16 * features**2, "preprocess", "Whiten", "", what, "Standardise()")
        flat = x.flatten(1).double()
        mean = flat.mean(0)
        centred = flat - mean
        covariance = (
            centred.T
            @ centred
            / (len(flat) if self.convention == "pylearn2" else max(len(flat) - 1, 1))
        )
        values, vectors = torch.linalg.eigh(covariance)
        values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)
        if self.keep:
            values, vectors = values[: self.keep], vectors[:, : self.keep]
        # The sign of an eigenvector is arbitrary: make its largest component positive.
        signs = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
        scaled = (vectors * signs) / (values + self.epsilon).sqrt()
        matrix = scaled @ (vectors * signs).T if self.form == "zca" else scaled
        return {"mean": mean.float(), "matrix": matrix.float()}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        white = (x.flatten(1) - fitted["mean"]) @ fitted["matrix"]
        return white.reshape(x.shape) if self.form == "zca" else white


@dataclass(frozen=True, kw_only=True)
class Quantile(Preprocess):
    """Map each feature to a normal distribution by the rank of its values in the training part:
    outliers and skewed distributions lose their influence.

    For tables with counts, amounts and shares. Equal values get the middle of their ranks; values
    beyond the training range become its ends. A constant feature becomes 0.

    Args:
        knots: number of quantiles, from 2 to 100,000; ranks between them are interpolated. Default
            1000.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[1.0], [2.0], [1000.0]])
        >>> [round(v, 2) for v in nw.Quantile().apply(x, nw.Quantile().fit(x)).flatten().tolist()]
        [-5.2, 0.0, 5.2]

    Source: scikit-learn's `QuantileTransformer(output_distribution="normal")`, with equal results
    except for ties at the minimum or maximum: there they become the end of the range, here the
    middle of their ranks.
    """

    knots: int = integer(
        1000, least=2, most=100_000, because="a range has two ends", why="scikit-learn's value"
    )

    def fit(self, x: Tensor) -> Fitted:
        _rows(x, self)
        shares = np.linspace(0, 1, min(self.knots, len(x)))
        return {"quantiles": torch.from_numpy(np.nanquantile(x.double().numpy(), shares, axis=0))}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        quantiles = fitted["quantiles"].numpy()
        shares = np.linspace(0, 1, len(quantiles))
        columns = []
        for feature, knots in zip(_rows(x, self).double().numpy().T, quantiles.T, strict=True):
            # The mean of the ranks from both sides: equal values get the middle of their ranks.
            rank = 0.5 * (
                np.interp(feature, knots, shares) - np.interp(-feature, -knots[::-1], -shares[::-1])
            )
            columns.append(np.zeros_like(rank) if knots[0] == knots[-1] else rank)
        ranks = torch.from_numpy(np.stack(columns, 1))
        constant = torch.from_numpy(quantiles[0] == quantiles[-1])
        normal = torch.special.ndtri(ranks.clamp(1e-7, 1 - 1e-7)).float()
        return torch.where(constant, torch.zeros_like(normal), normal)

    def traced(self, x: Tensor, fitted: Fitted) -> Tensor:
        low, high = fitted["quantiles"][:-1], fitted["quantiles"][1:]
        value = x.double()[:, None]  # (samples, 1, features), against (knots - 1, features)
        tie = 0.5 * ((value >= low).double() + (value > low).double())
        width = torch.where(high > low, high - low, 1.0)
        inside = torch.where(high > low, ((value - low) / width).clamp(0, 1), tie)
        lowest, highest = value.new_tensor([1e-7, 1 - 1e-7])  # as in `_ratio`
        rank = inside.mean(1).maximum(lowest).minimum(highest)
        normal = normal_quantile(rank).float()
        return torch.where(low[0] == high[-1], torch.zeros_like(normal), normal)


# (numerator, denominator) from the highest power, for the middle and for the tails.
_MIDDLE = (
    (
        -3.969683028665376e01,
        2.209460984245205e02,
        -2.759285104469687e02,
        1.383577518672690e02,
        -3.066479806614716e01,
        2.506628277459239e00,
    ),
    (
        -5.447609879822406e01,
        1.615858368580409e02,
        -1.556989798598866e02,
        6.680131188771972e01,
        -1.328068155288572e01,
        1.0,
    ),
)
_TAIL = (
    (
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e00,
        -2.549732539343734e00,
        4.374664141464968e00,
        2.938163982698783e00,
    ),
    (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0),
)
_TAIL_SHARE = 0.02425


def normal_quantile(share: Tensor) -> Tensor:
    """What `torch.special.ndtri` gives, to 2e-9 of it, by operations that every engine has.

    Args:
        share: float64, above 0 and below 1.

    Example:
        >>> import torch
        >>> from netwise.parts.preprocess import normal_quantile
        >>> normal_quantile(torch.tensor([0.5, 0.975], dtype=torch.float64))
        tensor([0.0000, 1.9600], dtype=torch.float64)

    Source: Acklam 2003, "An algorithm for computing the inverse normal cumulative distribution
    function".
    """
    lower = torch.minimum(share, 1 - share)
    centre = lower - 0.5
    middle = centre * _ratio(_MIDDLE, centre * centre)
    tail = _ratio(_TAIL, (-2 * lower.log()).sqrt())
    quantile = torch.where(lower < _TAIL_SHARE, tail, middle)
    return torch.where(share > 0.5, -quantile, quantile)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Tensor) -> Tensor:
    """The quotient of two polynomials, by Horner's scheme."""
    values = []
    for each in coefficients:
        factors = x.new_tensor(each)  # a tensor: an exporter may round plain numbers to float32
        value = factors[0]
        for factor in factors[1:]:
            value = value * x + factor
        values.append(value)
    return values[0] / values[1]


def _rows(x: Tensor, step: Preprocess) -> Tensor:
    if x.dim() != 2:
        raise DataError(
            f"{type(step).__name__} takes inputs of shape (samples, features), not"
            f" {tuple(x.shape)}: put Flatten before it"
        )
    return x


@dataclass(frozen=True, kw_only=True)
class FillMissing(Preprocess):
    """Replace missing values (NaN) by the feature's median or mean over the training part.

    For arrays made with `allow_missing=True`; tables fill their missing values by themselves.

    Args:
        by: "median" or "mean". Default "median".

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[1.0], [3.0], [float("nan")]])
        >>> nw.FillMissing().apply(x, nw.FillMissing().fit(x)).flatten().tolist()
        [1.0, 3.0, 2.0]
    """

    by: str = text("median", among=("median", "mean"), why="robust against outliers")

    def fit(self, x: Tensor) -> Fitted:
        if self.by == "mean":
            return {"fill": torch.nanmean(x, 0).nan_to_num()}
        return {"fill": torch.nanquantile(x.double(), 0.5, 0).float().nan_to_num()}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return torch.where(torch.isnan(x), fitted["fill"], x)


@dataclass(frozen=True, kw_only=True)
class OneHot(Preprocess):
    """One-hot encoding: selected features become one input per value in the training part.

    Args:
        columns: indices of the features, from 0. Values that are not in the training part become
            all zeros.

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[0.5, 0.0], [0.7, 2.0]])
        >>> nw.OneHot(columns=(1,)).apply(x, nw.OneHot(columns=(1,)).fit(x))[1].tolist()
        [0.699999988079071, 0.0, 1.0]

    Source: scikit-learn's `OneHotEncoder`, with equal columns, after the other features.
    """

    columns: tuple[int, ...] = integers(
        least=0, because="they are indices of features", write="[0]"
    )

    def fit(self, x: Tensor) -> Fitted:
        return {f"values{column}": x[:, column].unique() for column in self.columns}

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        values = sum(len(fitted[f"values{column}"]) for column in self.columns)
        what = f"have {values:,} values in {len(x):,} samples, one input each: these need"
        needed = 4 * len(x) * values
        require_memory(needed, "OneHot", "columns", list(self.columns), what)
        return self.traced(x, fitted)

    def traced(self, x: Tensor, fitted: Fitted) -> Tensor:
        rest = [i for i in range(x.shape[1]) if i not in self.columns]
        coded = [
            (x[:, column, None] == fitted[f"values{column}"]).float() for column in self.columns
        ]
        return torch.cat([x[:, rest], *coded], 1)


@dataclass(frozen=True)
class Flatten(Preprocess):
    """Flatten images to vectors of pixels, for networks that take vectors.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Flatten().apply(torch.zeros(5, 1, 8, 8), {}).shape
        torch.Size([5, 64])
    """

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return x.flatten(1)


@dataclass(frozen=True)
class Resize(Preprocess):
    """Resize images by bilinear interpolation; for example 8x8 digits for a network for 28x28.

    Args:
        height, width: pixels, from 1 to 4096.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Resize(28, 28).apply(torch.zeros(5, 1, 8, 8), {}).shape
        torch.Size([5, 1, 28, 28])
    """

    height: int = integer(least=1, most=4096, because="an image has pixels", write="28")
    width: int = integer(least=1, most=4096, because="an image has pixels", write="28")

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        if x.dim() != 4:
            raise DataError(
                f"Resize takes images (samples, channels, height, width), not {tuple(x.shape)}:"
                " remove it from preprocess, or choose data with images"
            )
        images = x.shape[0] * x.shape[1]
        what = f"and width = {self.width} make {images:,} pictures, which need"
        needed = 4 * images * self.height * self.width
        require_memory(needed, "Resize", "height", self.height, what, "28")
        return self.traced(x, fitted)

    def traced(self, x: Tensor, fitted: Fitted) -> Tensor:
        return F.interpolate(x, (self.height, self.width), mode="bilinear", align_corners=False)


@dataclass(frozen=True, kw_only=True)
class Binarise(Preprocess):
    """1 where an input is at least the threshold, else 0. The likelihood of an energy model with
    binary units is defined for such inputs.

    Args:
        threshold: in the units of the inputs. Default 0.5: the middle of pixels from 0 to 1.

    Example:
        >>> import netwise as nw, torch
        >>> nw.Binarise().apply(torch.tensor([[0.2, 0.5, 0.9]]), {}).tolist()
        [[0.0, 1.0, 1.0]]
    """

    threshold: float = number(0.5, why="the middle of pixels from 0 to 1")

    def apply(self, x: Tensor, fitted: Fitted) -> Tensor:
        return (x >= self.threshold).to(x.dtype)


PREPROCESSES: tuple[type[Preprocess], ...] = (
    ClipInputs,
    Standardise,
    MinMax,
    Scale,
    GlobalContrast,
    Whiten,
    Quantile,
    FillMissing,
    OneHot,
    Flatten,
    Resize,
    Binarise,
)
