"""The names of this package, once; see `netwise.lazy_names`."""

from netwise.data.catalogue.bundled import (
    BreastCancer as BreastCancer,
    Diabetes as Diabetes,
    Digits as Digits,
    Iris as Iris,
    Wine as Wine,
)
from netwise.data.catalogue.image_sets import (
    CIFAR10 as CIFAR10,
    MNIST as MNIST,
    USPS as USPS,
    BinarizedMNIST as BinarizedMNIST,
    FashionMNIST as FashionMNIST,
    Olivetti as Olivetti,
    Silhouettes as Silhouettes,
)
from netwise.data.catalogue.patterns import (
    EncoderProblem as EncoderProblem,
    RandomPatterns as RandomPatterns,
)
from netwise.data.catalogue.sequences import Adding as Adding, Copying as Copying
from netwise.data.catalogue.table_sets import (
    Adult as Adult,
    CaliforniaHousing as CaliforniaHousing,
    Letter as Letter,
    Sonar as Sonar,
    Spambase as Spambase,
)
from netwise.data.dataset import Data as Data, Pairs as Pairs, Samples as Samples, Split as Split
from netwise.data.image_files.pictures import Pictures as Pictures, images as images
from netwise.data.in_memory import Arrays as Arrays, arrays as arrays
from netwise.data.streams.stream import Stream as Stream, stream as stream
from netwise.data.table import Table as Table, csv as csv
from netwise.data.text_file import Text as Text, text as text
from netwise.data.views import Fewer as Fewer, Fold as Fold
from netwise.part import Kinds

digits = Digits
iris = Iris
wine = Wine
breast_cancer = BreastCancer
diabetes = Diabetes
mnist = MNIST
fashion_mnist = FashionMNIST
binarized_mnist = BinarizedMNIST
cifar10 = CIFAR10
usps = USPS
olivetti = Olivetti
silhouettes = Silhouettes
adult = Adult
letter = Letter
spambase = Spambase
sonar = Sonar
california_housing = CaliforniaHousing
adding = Adding
copying = Copying
encoder_problem = EncoderProblem
random_patterns = RandomPatterns

DATA: Kinds
__all__: list[str]
