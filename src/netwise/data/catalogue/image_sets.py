"""Public sets of images, read from their original files; each keeps the test part it brings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from netwise.data.dataset import SHARE, Data, Pairs, Samples, Split, pairs, split_rows
from netwise.data.download import Remote, data_folder, find, local_paths
from netwise.data.encoding import ArrayEncoder
from netwise.data.formats import read_bits, read_cifar, read_idx, read_mat, read_numbers
from netwise.errors import DataError, interface_error
from netwise.part import integer, number, text
from netwise.tasks import CLASSIFICATION, DENSITY

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
_BINARIZED = "https://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/binarized_mnist_"
IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


PART, TEST = "part", "test"


@dataclass(frozen=True, kw_only=True)
class ImageSet(Split):
    """Images with a test part of their own.

    Args:
        valid: share of the training images to validate on. Default 1/6: 10 000 of MNIST's 60 000.
        test: has no effect here: the files bring their own test part.
        split_seed: which split. Default 0.
        first: take only the first so many training images; 0: all. Default 0.
        validate_on: "part" of the training images, or the "test" images, epoch by epoch. With
            "test" nothing is left for a final score, and the best epoch is chosen on the very
            images that evaluate it, so its score is too high. Default "part".
    """

    valid: float = number(
        1 / 6, least=0, below=1, because=SHARE, why="10 000 of MNIST's 60 000, the usual cut"
    )
    test: float = number(
        0.0,
        least=0,
        most=0,
        because="the files bring their own test part",
        why="the files bring their own",
    )
    first: int = integer(0, least=0, because="it counts images", why="all of them")
    validate_on: str = text(
        PART, among=(PART, TEST), why="the test images stay untouched until the end"
    )
    brings_test_part: ClassVar[bool] = True
    shape: ClassVar[tuple[int, ...]]
    classes: ClassVar[tuple[str, ...]]
    divisor: ClassVar[float] = 255.0

    def read_images(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(training images, labels, test images, labels), as bytes."""
        raise interface_error(self, "data.mnist()")

    def read(self) -> Samples:
        x, y, x_test, y_test = self.read_images()
        if self.first > len(y):
            raise _too_few_images(self.first, len(y))
        if self.first:
            x, y = x[: self.first], y[: self.first]
        encoder = ArrayEncoder(self.shape, self.divisor)
        inputs, targets = _scaled(x, encoder), torch.from_numpy(y.astype(np.int64))
        test = Pairs(_scaled(x_test, encoder), torch.from_numpy(y_test.astype(np.int64)))
        fingerprint = hashlib.sha256(y.tobytes() + x[:100].tobytes()).hexdigest()[:16]
        if self.validate_on == TEST:
            return Samples(
                Pairs(inputs, targets),
                test,
                Pairs(test.x[:0], test.y[:0]),
                CLASSIFICATION,
                self.classes,
                encoder,
                fingerprint,
            )
        train, valid, _ = split_rows(y, len(y), self, own_test=True)
        return Samples(
            pairs(inputs, targets, train),
            pairs(inputs, targets, valid),
            test,
            CLASSIFICATION,
            self.classes,
            encoder,
            fingerprint,
        )


def _too_few_images(first: int, images: int) -> DataError:
    return DataError(
        f"first = {first} is more than the {images} training images there are: write {images}, "
        "or 0 for all"
    )


def _scaled(x: np.ndarray, encoder: ArrayEncoder) -> Tensor:
    return torch.from_numpy(x.reshape(-1, *encoder.shape)).float().div_(encoder.divisor)


@dataclass(frozen=True, kw_only=True)
class MNIST(ImageSet):
    """70 000 handwritten digits of 28x28 pixels, from 0 to 1; the last 10 000 are the test part."""

    kind: ClassVar[str] = "mnist"
    shape: ClassVar[tuple[int, ...]] = (1, 28, 28)
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    remotes: ClassVar[tuple[Remote, ...]] = tuple(
        Remote(f"MNIST/raw/{name}", _MNIST + name, (checksum,))
        for name, checksum in zip(
            IDX_FILES,
            (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
            strict=True,
        )
    )

    def files(self) -> Sequence[Path]:
        return local_paths(self.remotes)

    def read_images(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        x, y, x_test, y_test = (read_idx(path) for path in find(self.remotes, type(self).__name__))
        return x, y, x_test, y_test


@dataclass(frozen=True, kw_only=True)
class FashionMNIST(MNIST):
    """70 000 pictures of clothes in MNIST's format; ten classes, harder than digits."""

    kind: ClassVar[str] = "fashion_mnist"
    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    remotes: ClassVar[tuple[Remote, ...]] = tuple(
        Remote(f"FashionMNIST/raw/{name}", _FASHION + name, (checksum,))
        for name, checksum in zip(
            IDX_FILES,
            (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
            strict=True,
        )
    )


@dataclass(frozen=True, kw_only=True)
class CIFAR10(ImageSet):
    """60 000 colour photographs of 32x32 pixels, from 0 to 1; ten classes."""

    kind: ClassVar[str] = "cifar10"
    shape: ClassVar[tuple[int, ...]] = (3, 32, 32)
    classes: ClassVar[tuple[str, ...]] = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    remote: ClassVar[Remote] = Remote(
        "cifar10/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        ("6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",),
    )
    checksums: ClassVar[dict[str, str]] = {
        "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
        "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
        "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
        "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
        "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
        "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
    }

    def files(self) -> Sequence[Path]:
        return [self._local_archive() or local_paths([self.remote])[0]]

    def read_images(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        batches = read_cifar(self.archive(), self.checksums)
        train = [batches[f"data_batch_{i}"] for i in range(1, 6)]
        x, y = np.concatenate([b[0] for b in train]), np.concatenate([b[1] for b in train])
        return x, y, *batches["test_batch"]

    def archive(self) -> Path:
        """The archive, downloaded where it is absent; its batches are checked, not how they were
        compressed."""
        return self._local_archive() or find([self.remote], type(self).__name__)[0]

    def _local_archive(self) -> Path | None:
        stem = data_folder() / self.remote.name.removesuffix(".gz")
        archives = (stem.with_name(stem.name + end) for end in ("", ".gz", ".xz", ".bz2"))
        return next((path for path in archives if path.is_file()), None)


@dataclass(frozen=True, kw_only=True)
class USPS(ImageSet):
    """9,298 handwritten digits of 16x16 pixels, from -1 to 1; the 2,007 harder ones are the test
    part.

    Source: LeCun et al. 1989; files of Hastie, Tibshirani, Friedman, The elements of statistical
    learning.
    """

    kind: ClassVar[str] = "usps"
    shape: ClassVar[tuple[int, ...]] = (1, 16, 16)
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    divisor: ClassVar[float] = 1.0
    remotes: ClassVar[tuple[Remote, ...]] = (
        Remote(
            "usps/zip.train.gz",
            "https://hastie.su.domains/ElemStatLearn/datasets/zip.train.gz",
            (
                "66ebf231ab51f2cf6ac1a892d0f98ccffee1079d7a5db638c1f11f366046ca16",
                "ba497d38020ad113b3b779d48082b1ccbd9d4244866bcde6b02a783c6e30dcc3",  # a copy's text
            ),
        ),
        Remote(
            "usps/zip.test.gz",
            "https://hastie.su.domains/ElemStatLearn/datasets/zip.test.gz",
            (
                "8dacc3c6e136af6c3488de9e5113a7daf140c8c2f1f0b61c54ee02f03f1a962f",
                "6bde17b4f1cd68e0630cd2751d6495b5795d9165ab2dc4a0be8b7002b732f4cc",  # a copy's text
            ),
        ),
    )

    def files(self) -> Sequence[Path]:
        return local_paths(self.remotes)

    def read_images(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        tables = [read_numbers(path, 257) for path in find(self.remotes, "USPS")]
        return tables[0][:, 1:], tables[0][:, 0], tables[1][:, 1:], tables[1][:, 0]


@dataclass(frozen=True, kw_only=True)
class Olivetti(Split):
    """400 pictures of the faces of 40 people, 64x64 grey pixels from 0 to 1. For models of images,
    not to identify anyone.

    Args:
        valid, test, split_seed: as in all split data; stratified by person.

    Source: Samaria, Harter 1994; AT&T Laboratories Cambridge; file of Sam Roweis.
    """

    kind: ClassVar[str] = "olivetti"
    remote: ClassVar[Remote] = Remote(
        "olivetti/olivettifaces.mat",
        "https://ndownloader.figshare.com/files/5976027",
        (
            "b612fb967f2dc77c9c62d3e1266e0c73d5fca46a4b8906c18e454d41af987794",
            "b1988d02c72fe5b8ee82b5ef3bb7982eafc74f1e1ff0ae0ade35061ad0af534d",  # saved anew
        ),
    )

    def files(self) -> Sequence[Path]:
        return local_paths([self.remote])

    def read(self) -> Samples:
        faces = read_mat(find([self.remote], "Olivetti")[0], ("faces",))["faces"]
        if faces.shape != (4096, 400):
            raise DataError(
                f"Olivetti: faces are {faces.shape}, and should be (4096, 400): delete "
                f"{local_paths([self.remote])[0]} and fetch it again"
            )
        # One column a picture, stored by columns of pixels.
        x = np.ascontiguousarray(faces.T.reshape(400, 64, 64).transpose(0, 2, 1))
        people = np.arange(400) // 10
        encoder = ArrayEncoder((1, 64, 64), 255.0)
        inputs, targets = _scaled(x, encoder), torch.from_numpy(people)
        parts = [pairs(inputs, targets, rows) for rows in split_rows(people, 400, self)]
        fingerprint = hashlib.sha256(x.tobytes()).hexdigest()[:16]
        return Samples(
            parts[0],
            parts[1],
            parts[2],
            CLASSIFICATION,
            tuple(f"person {i + 1}" for i in range(40)),
            encoder,
            fingerprint,
        )


@dataclass(frozen=True, kw_only=True)
class Silhouettes(Data):
    """8,671 outlines of objects, 28x28 pixels of 0 and 1 (1 is the object); 101 classes, in the
    published three parts.

    The file has 0 for the object; values are inverted, as in most papers. Source: Marlin, Swersky,
    Chen, de Freitas 2010.
    """

    kind: ClassVar[str] = "silhouettes"
    remote: ClassVar[Remote] = Remote(
        "caltech101_silhouettes/caltech101_silhouettes_28_split1.mat",
        "https://people.cs.umass.edu/~marlin/data/caltech101_silhouettes_28_split1.mat",
        ("eb6735e8d84b1850fabc5590124aab1755e90c9fd28123585324398405e1e42a",),
    )

    def files(self) -> Sequence[Path]:
        return local_paths([self.remote])

    def read(self) -> Samples:
        names = [
            f"{part}_{what}" for part in ("train", "val", "test") for what in ("data", "labels")
        ]
        arrays = read_mat(find([self.remote], "Silhouettes")[0], (*names, "classnames"))
        encoder = ArrayEncoder((1, 28, 28))
        parts = []
        for part in ("train", "val", "test"):
            x = 1 - arrays[f"{part}_data"].reshape(-1, 28, 28).transpose(0, 2, 1)
            parts.append(
                Pairs(
                    _scaled(np.ascontiguousarray(x), encoder),
                    torch.from_numpy(arrays[f"{part}_labels"].astype(np.int64).reshape(-1) - 1),
                )
            )
        classes = tuple(str(np.ravel(name)[0]) for name in np.ravel(arrays["classnames"]))
        fingerprint = hashlib.sha256(arrays["train_data"].tobytes()).hexdigest()[:16]
        return Samples(parts[0], parts[1], parts[2], CLASSIFICATION, classes, encoder, fingerprint)


@dataclass(frozen=True, kw_only=True)
class BinarizedMNIST(Data):
    """70 000 handwritten digits of 28x28 pixels, each drawn once as 0 or 1 with its grey as the
    chance; without labels, in the published three parts of 50 000, 10 000 and 10 000. For models of
    how likely an image is.

    Args:
        first: take only the first so many training images; 0: all. Default 0.

    Source: Salakhutdinov, Murray 2008; Larochelle, Murray 2011; files of Hugo Larochelle.
    """

    kind: ClassVar[str] = "binarized_mnist"
    first: int = integer(0, least=0, because="it counts images", why="all of them")
    remotes: ClassVar[tuple[Remote, ...]] = tuple(
        Remote(
            f"binarized_mnist/binarized_mnist_{part}.amat.gz",
            f"{_BINARIZED}{part}.amat",
            (checksum,),  # of the published text; a gzip file of it is taken too
        )
        for part, checksum in (
            ("train", "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d"),
            ("valid", "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2"),
            ("test", "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c"),
        )
    )

    def files(self) -> Sequence[Path]:
        return local_paths(self.remotes)

    def read(self) -> Samples:
        files = find(self.remotes, "BinarizedMNIST")
        train, valid, test = (read_bits(path, 784) for path in files)
        if self.first > len(train):
            raise _too_few_images(self.first, len(train))
        encoder = ArrayEncoder((1, 28, 28))
        fingerprint = hashlib.sha256(np.packbits(train).tobytes()).hexdigest()[:16]
        kept = train[: self.first] if self.first else train
        parts = [Pairs(_scaled(x, encoder), torch.zeros(len(x), 0)) for x in (kept, valid, test)]
        return Samples(parts[0], parts[1], parts[2], DENSITY, (), encoder, fingerprint)
