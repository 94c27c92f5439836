"""Data sets, by name: `nw.data.digits()`, `nw.data.csv("table.csv", "price")`.

Each is a frozen value; `load()` gives its training, validation and test part. Only the final score touches the last.
"""

from __future__ import annotations

from netwise.data.arrays import Arrays, arrays
from netwise.data.bundled import BreastCancer, Diabetes, Digits, Iris, Wine
from netwise.data.images import CIFAR10, MNIST, FashionMNIST
from netwise.data.source import Data, Pairs, Samples, Split
from netwise.data.table import Table, csv

digits, iris, wine, breast_cancer, diabetes = Digits, Iris, Wine, BreastCancer, Diabetes
mnist, fashion_mnist, cifar10 = MNIST, FashionMNIST, CIFAR10

# What a recipe file and the command line call them.
DATA: dict[str, type[Data]] = {
    "digits": Digits,
    "iris": Iris,
    "wine": Wine,
    "breast_cancer": BreastCancer,
    "diabetes": Diabetes,
    "mnist": MNIST,
    "fashion_mnist": FashionMNIST,
    "cifar10": CIFAR10,
    "csv": Table,
    "arrays": Arrays,
}

__all__ = [
    "CIFAR10",
    "DATA",
    "MNIST",
    "Arrays",
    "BreastCancer",
    "Data",
    "Diabetes",
    "Digits",
    "FashionMNIST",
    "Iris",
    "Pairs",
    "Samples",
    "Split",
    "Table",
    "Wine",
    "arrays",
    "breast_cancer",
    "cifar10",
    "csv",
    "diabetes",
    "digits",
    "fashion_mnist",
    "iris",
    "mnist",
    "wine",
]
