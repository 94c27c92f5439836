"""Networks as scikit-learn estimators, for its pipelines and grid searches."""

from __future__ import annotations

from netwise.estimators.classifier import NetClassifier
from netwise.estimators.hopfield_memory import HopfieldMemory
from netwise.estimators.regressor import NetRegressor
from netwise.estimators.transformers import AutoencoderTransformer, RBMTransformer

__all__ = [
    "AutoencoderTransformer",
    "HopfieldMemory",
    "NetClassifier",
    "NetRegressor",
    "RBMTransformer",
]
