"""Back-propagation (反向传播) written out, with thresholds, as the textbook has it: no autograd."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ThresholdNetwork:
    """A network of sigmoid layers with thresholds: b = f(v^T x - gamma), y = f(w^T b - theta), and
    so on.

    Args:
        weights: of each layer, (inputs, outputs): v_ih, w_hj.
        thresholds: of each layer, (outputs,): gamma_h, theta_j; they are subtracted.

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(1)
        >>> net = nw.learning_rules.ThresholdNetwork.drawn((2, 4, 1), g)
        >>> x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1.0]], dtype=torch.float64)
        >>> y = torch.tensor([[0], [1], [1], [0.0]], dtype=torch.float64)  # XOR
        >>> for _ in range(4000):
        ...     net = net.accumulated(x, y, rate=4.0)
        >>> [round(v) for v in net.outputs(x).flatten().tolist()]
        [0, 1, 1, 0]

    Source: Zhou 2016, Machine Learning (in Chinese), section 5.3.
    """

    weights: tuple[Tensor, ...]
    thresholds: tuple[Tensor, ...]

    @staticmethod
    def drawn(widths: tuple[int, ...], generator: torch.Generator) -> ThresholdNetwork:
        """Weights and thresholds from N(0, 1), in float64."""
        weights = tuple(
            torch.randn(a, b, generator=generator, dtype=torch.float64) for a, b in pairwise(widths)
        )
        return ThresholdNetwork(
            weights,
            tuple(torch.randn(b, generator=generator, dtype=torch.float64) for b in widths[1:]),
        )

    def layers(self, x: Tensor) -> list[Tensor]:
        """The input and the outputs of each layer."""
        outputs = [x]
        for w, theta in zip(self.weights, self.thresholds, strict=True):
            outputs.append(torch.sigmoid(outputs[-1] @ w - theta))
        return outputs

    def outputs(self, x: Tensor) -> Tensor:
        """(samples, outputs)."""
        return self.layers(x)[-1]

    def cost(self, x: Tensor, y: Tensor) -> Tensor:
        """The error of each sample, E_k = sum_j (y^_j - y_j)^2 / 2, as (samples,)."""
        return (self.outputs(x) - y).square().sum(1) / 2

    def step(self, x: Tensor, y: Tensor, rate: float) -> ThresholdNetwork:
        """Standard back-propagation: one step for each sample, in order, the next one with the new
        weights."""
        net = self
        for k in range(len(x)):
            net = net.accumulated(x[k : k + 1], y[k : k + 1], rate)
        return net

    def accumulated(self, x: Tensor, y: Tensor, rate: float) -> ThresholdNetwork:
        """Accumulated back-propagation: one step down the mean error of all samples.

            output layer  g_j = y^_j (1 - y^_j) (y_j - y^_j)
            hidden layer  e_h = b_h (1 - b_h) sum_j w_hj g_j
            dw_hj = rate g_j b_h,  dtheta_j = -rate g_j
            dv_ih = rate e_h x_i,  dgamma_h = -rate e_h

        Standard is to accumulated back-propagation as stochastic is to batch gradient descent.
        """
        outputs = self.layers(x)
        g = outputs[-1] * (1 - outputs[-1]) * (y - outputs[-1])
        weights, thresholds = list(self.weights), list(self.thresholds)
        for i in reversed(range(len(weights))):
            below = outputs[i]
            e = (
                below * (1 - below) * (g @ self.weights[i].T)
            )  # with the weights from before the step
            weights[i] = weights[i] + rate * below.T @ g / len(x)
            thresholds[i] = thresholds[i] - rate * g.mean(0)
            g = e
        return ThresholdNetwork(tuple(weights), tuple(thresholds))
