"""Data sets, by name: `nw.data.digits()`, `nw.data.csv("table.csv", "price")`.

Each is a frozen value; `load()` gives its training, validation and test part. Only the final score
touches the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from netwise.data.catalogue.bundled import BreastCancer, Diabetes, Digits, Iris, Wine
from netwise.data.catalogue.image_sets import (
    CIFAR10,
    MNIST,
    USPS,
    BinarizedMNIST,
    FashionMNIST,
    Olivetti,
    Silhouettes,
)
from netwise.data.catalogue.patterns import EncoderProblem, RandomPatterns
from netwise.data.catalogue.sequences import Adding, Copying
from netwise.data.catalogue.table_sets import Adult, CaliforniaHousing, Letter, Sonar, Spambase
from netwise.data.dataset import Data, Pairs, Samples, Split
from netwise.data.image_files.pictures import Pictures, images
from netwise.data.in_memory import Arrays, arrays
from netwise.data.streams.stream import Stream, stream
from netwise.data.table import Table, csv
from netwise.data.text_file import Text, text
from netwise.data.views import Fewer, Fold

digits, iris, wine, breast_cancer, diabetes = Digits, Iris, Wine, BreastCancer, Diabetes
mnist, fashion_mnist, cifar10, usps, olivetti, silhouettes = (
    MNIST,
    FashionMNIST,
    CIFAR10,
    USPS,
    Olivetti,
    Silhouettes,
)
binarized_mnist = BinarizedMNIST
encoder_problem, random_patterns = EncoderProblem, RandomPatterns
adult, letter, spambase, sonar, california_housing = (
    Adult,
    Letter,
    Spambase,
    Sonar,
    CaliforniaHousing,
)
adding, copying = Adding, Copying

# The kinds that a recipe file and the command line can name.
DATA: Mapping[str, type[Data]] = MappingProxyType(
    {
        each.kind: each
        for each in (
            Digits,
            Iris,
            Wine,
            BreastCancer,
            Diabetes,
            MNIST,
            FashionMNIST,
            BinarizedMNIST,
            CIFAR10,
            USPS,
            Olivetti,
            Silhouettes,
            Adult,
            Letter,
            Spambase,
            Sonar,
            CaliforniaHousing,
            Text,
            Adding,
            Copying,
            EncoderProblem,
            RandomPatterns,
            Pictures,
            Table,
            Arrays,
            Stream,
            Fold,
            Fewer,
        )
    }
)

__all__ = [
    "Adding",
    "Adult",
    "Arrays",
    "BinarizedMNIST",
    "BreastCancer",
    "CIFAR10",
    "CaliforniaHousing",
    "Copying",
    "DATA",
    "Data",
    "Diabetes",
    "Digits",
    "EncoderProblem",
    "FashionMNIST",
    "Fewer",
    "Fold",
    "Iris",
    "Letter",
    "MNIST",
    "Olivetti",
    "Pairs",
    "Pictures",
    "RandomPatterns",
    "Samples",
    "Silhouettes",
    "Sonar",
    "Spambase",
    "Split",
    "Stream",
    "Table",
    "Text",
    "USPS",
    "Wine",
    "adding",
    "adult",
    "arrays",
    "binarized_mnist",
    "breast_cancer",
    "california_housing",
    "cifar10",
    "copying",
    "csv",
    "diabetes",
    "digits",
    "fashion_mnist",
    "images",
    "iris",
    "letter",
    "mnist",
    "olivetti",
    "silhouettes",
    "sonar",
    "spambase",
    "stream",
    "text",
    "usps",
    "wine",
    "encoder_problem",
    "random_patterns",
]
