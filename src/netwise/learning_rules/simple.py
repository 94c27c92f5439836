"""Learning rules without a gradient: Hebb's, Oja's, which is Hebb's with normalisation, and the
delta rule."""

from __future__ import annotations

from torch import Tensor


def hebb(w: Tensor, x: Tensor, y: Tensor, rate: float) -> Tensor:
    """Hebb's rule, one step: w_ij + rate * y_i x_j, mean over samples. The weights grow without
    limit; those of `oja` do not.

    Args:
        w: weights (outputs, inputs).
        x: inputs (samples, inputs), in the notes -1 or 1.
        y: outputs (samples, outputs).
        rate: above 0.

    Returns:
        New weights (outputs, inputs).

    Example:
        >>> import netwise as nw, torch
        >>> x, y = torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0]])
        >>> nw.learning_rules.hebb(torch.zeros(1, 2), x, y, rate=0.5).tolist()
        [[0.5, -0.5]]

    Source: Hebb 1949.
    """
    return w + rate * y.T @ x / len(x)


def oja(w: Tensor, x: Tensor, rate: float) -> Tensor:
    """Oja's rule, one step: w + rate * (y x - y^2 w) with y = w x: Hebb's rule whose weights keep
    length 1.

    With several outputs it is Sanger's form, each output after the ones before it: they become the
    principal components of centred inputs, in order.

    Args:
        w: weights (outputs, inputs).
        x: inputs (samples, inputs), centred.
        rate: above 0; small ones are exact.

    Returns:
        New weights (outputs, inputs).

    Example:
        >>> import netwise as nw, torch
        >>> g = torch.Generator().manual_seed(0)
        >>> x = torch.randn(500, 2, generator=g) * torch.tensor([3.0, 0.5])
        >>> w = torch.tensor([[0.5, 0.5]])
        >>> for _ in range(200):
        ...     w = nw.learning_rules.oja(w, x, rate=0.02)
        >>> round(float(w.norm()), 2), bool(w[0, 0].abs() > 0.99)  # length 1, first component
        (1.0, True)

    Source: Oja 1982; Sanger 1989.
    """
    y = x @ w.T
    return w + rate * (y.T @ x - (y.T @ y).tril() @ w) / len(x)


def delta(w: Tensor, x: Tensor, target: Tensor, y: Tensor, rate: float) -> Tensor:
    """The delta rule, one step: w_ij + rate * (d_i - y_i) x_j, mean over samples.

    Without the factor f'(z): it is the gradient of squared error for linear outputs (LMS),
    Rosenblatt's rule for thresholds, and the gradient of cross-entropy for sigmoid outputs; not
    that of squared error through a sigmoid.

    Args:
        w: weights (outputs, inputs).
        x: inputs (samples, inputs).
        target: d (samples, outputs).
        y: outputs of the layer (samples, outputs).
        rate: above 0.

    Returns:
        New weights (outputs, inputs).

    Example:
        >>> import netwise as nw, torch
        >>> x = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1.0]])  # the 1: a bias
        >>> either = torch.tensor([[0], [1], [1], [1.0]])
        >>> w = torch.zeros(1, 3)
        >>> for _ in range(20):
        ...     w = nw.learning_rules.delta(w, x, either, (x @ w.T > 0).float(), rate=1.0)
        >>> (x @ w.T > 0).int().flatten().tolist()
        [0, 1, 1, 1]

    Source: Widrow, Hoff 1960; Rosenblatt 1958.
    """
    return w + rate * (target - y).T @ x / len(x)
