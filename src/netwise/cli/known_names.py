"""Names that a typing error is compared with, without loading torch. Tests compare each tuple with
the names that the package defines."""

from __future__ import annotations

# Data sets that need no further settings; all others are named in a recipe file.
DATA_SETS = (
    "digits",
    "iris",
    "wine",
    "breast_cancer",
    "diabetes",
    "mnist",
    "fashion_mnist",
    "binarized_mnist",
    "cifar10",
    "usps",
    "olivetti",
    "silhouettes",
    "adult",
    "letter",
    "spambase",
    "sonar",
    "california_housing",
    "text",
    "adding",
    "copying",
    "encoder_problem",
    "random_patterns",
)
# Metrics that a recipe can name.
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auc", "log_loss", "r2", "mae", "rmse")
# What makes steps faster than plain torch, in the order of `training/speedups.py`.
SPEEDUPS = (
    "channels_last",
    "channels_last_weights",
    "sliced_pooling",
    "fused_update",
    "gathered_batches",
    "late_checks",
    "captured_steps",
    "compiled_steps",
)
# Networks that `netwise train --network` can fit to a data set.
SUGGESTED_NETWORKS = ("mlp", "ensemble", "lenet5", "lenet", "convnet", "resnet", "lstm")
