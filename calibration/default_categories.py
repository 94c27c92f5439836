"""The seven categories of faults of DEFault (Jahan, Shah, Mahbub, Rahman, ICSE 2025), and for each
word of the clinic the categories that it stands for.

DEFault, DeepFD and UMLAUT name categories, no causes. Its paper's table for 52 real programs counts
a program where one of its true categories was named: DEFault 33, DeepFD 27, UMLAUT 14. Programs of
that table come from DeepLocalize, DeepFD and others, of which the clinic has a part. Here a program
is right where a cause that netwise names is of a category of one of its published faults. Faults of
the data, of wiring and of metrics have no category of DEFault, so a program that has only those is
not counted. The programs of the clinic are rebuilt in PyTorch at a smaller size, and they are not
the same 52: the numbers stand beside each other, and are no contest.
"""

from __future__ import annotations

PUBLISHED = {"DEFault": 33, "DeepFD": 27, "UMLAUT": 14}
OF = 52

HYPERPARAMETER = "hyperparameter"
LAYER = "layer"
LOSS = "loss"
OPTIMIZATION = "optimization"
ACTIVATION = "activation"
WEIGHTS = "weights"
REGULARISATION = "regularisation"

CATEGORIES: dict[str, frozenset[str]] = {
    "lr_too_high": frozenset({HYPERPARAMETER}),
    "lr_too_low": frozenset({HYPERPARAMETER}),
    "lr_schedule": frozenset({HYPERPARAMETER}),
    "too_few_epochs": frozenset({HYPERPARAMETER}),
    "batch_size": frozenset({HYPERPARAMETER}),
    "wrong_optimizer": frozenset({OPTIMIZATION}),
    "init_symmetry": frozenset({WEIGHTS}),
    "init_too_small": frozenset({WEIGHTS}),
    "init_too_large": frozenset({WEIGHTS}),
    "dead_relu": frozenset({ACTIVATION}),
    "saturation": frozenset({ACTIVATION}),
    "vanishing_gradient": frozenset({ACTIVATION}),
    "missing_nonlinearity": frozenset({ACTIVATION}),
    "wrong_hidden_activation": frozenset({ACTIVATION}),
    "wrong_output_activation": frozenset({ACTIVATION}),
    "wrong_output_units": frozenset({LAYER}),
    "wrong_layers": frozenset({LAYER}),
    "underfitting_capacity": frozenset({LAYER}),
    "wrong_loss": frozenset({LOSS}),
    "loss_scale": frozenset({LOSS}),
    "numerically_unstable_loss": frozenset({LOSS}),
    "target_shape_broadcast": frozenset({LOSS}),
    "overfitting": frozenset({REGULARISATION}),
    "over_regularised": frozenset({REGULARISATION}),
}


def categories(words: set[str]) -> frozenset[str]:
    """The categories of these words."""
    return frozenset().union(*(CATEGORIES.get(word, frozenset()) for word in words))
