"""netwise as scikit-learn's estimators: for pipelines, grid searches and everyone who starts
there."""

from __future__ import annotations

from netwise.estimators.hopfield_memory import HopfieldMemory
from netwise.estimators.supervised import NetClassifier, NetRegressor
from netwise.estimators.transformers import AutoencoderTransformer, RBMTransformer

__all__ = [
    "AutoencoderTransformer",
    "HopfieldMemory",
    "NetClassifier",
    "NetRegressor",
    "RBMTransformer",
]
