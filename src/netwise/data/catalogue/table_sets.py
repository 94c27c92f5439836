"""Public tables by name: Adult, Letter, Spambase, Sonar, California housing; read from their
original files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from netwise.data.dataset import SHARE, Samples, Split
from netwise.data.download import Remote, find, local_paths
from netwise.data.table import Table
from netwise.data.tables.sources import Cells
from netwise.part import flag, number
from netwise.tasks import CLASSIFICATION, REGRESSION

_UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases/"
_ADULT = (
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex "
    "capital-gain capital-loss hours-per-week native-country income"
)


@dataclass(frozen=True, kw_only=True)
class PublicTable(Split):
    """A table in the data folder.

    Args:
        scale_target: for regression, learn (y - mean) / spread and undo it in predictions. Default
            true.
        valid, test, split_seed: as in all split data.
    """

    scale_target: bool = flag(
        True, why="outputs of a new network have about mean 0 and spread 1; raw targets may not"
    )
    remotes: ClassVar[tuple[Remote, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    target: ClassVar[str] = ""
    task: ClassVar[str] = CLASSIFICATION
    reader: ClassVar[type[Table]] = Table

    def table(self) -> Table:
        """The same data as `data.csv` would name them, with the paths on this machine."""
        paths = [str(path) for path in find(self.remotes, type(self).__name__)]
        return self.reader(
            paths[0],
            self.target,
            task=self.task,
            columns=self.columns,
            test_file=paths[1] if len(paths) > 1 else None,
            scale_target=self.scale_target,
            valid=self.valid,
            test=self.test,
            split_seed=self.split_seed,
            stratify=self.stratify,
        )

    def files(self) -> Sequence[Path]:
        return local_paths(self.remotes)

    def read(self) -> Samples:
        return self.table().read()

    def refitted(self, train: np.ndarray, valid: np.ndarray) -> Samples | None:
        return self.table().refitted(train, valid)

    def raw_rows(self, count: int) -> dict[str, list[str]]:
        return self.table().raw_rows(count)


class _AdultTable(Table):
    """Its test file begins with a comment line, and has a full stop after each target."""

    def source_cells(self, path: str) -> Cells:
        import polars as pl  # heavy

        cells = super().source_cells(path)
        frame = cells.frame.with_columns(pl.col(self.target).str.strip_suffix("."))
        return replace(cells, frame=frame)


@dataclass(frozen=True, kw_only=True)
class Adult(PublicTable):
    """48,842 people by fourteen columns, some of words, some missing; does one earn over 50,000
    dollars a year?

    The second file is the test part. Source: Kohavi 1996; UCI Machine Learning Repository.
    """

    kind: ClassVar[str] = "adult"
    test: float = number(
        0.0,
        least=0,
        most=0,
        because="the files bring their own test part",
        why="the files bring their own",
    )
    remotes: ClassVar[tuple[Remote, ...]] = (
        Remote(
            "uci/adult.data",
            _UCI + "adult/adult.data",
            ("5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",),
        ),
        Remote(
            "uci/adult.test",
            _UCI + "adult/adult.test",
            ("a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",),
        ),
    )
    columns: ClassVar[tuple[str, ...]] = tuple(_ADULT.split())
    target: ClassVar[str] = "income"
    reader: ClassVar[type[Table]] = _AdultTable
    brings_test_part: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Letter(PublicTable):
    """20,000 printed letters by sixteen numbers of their shape; 26 classes. Source: Frey, Slate
    1991; UCI."""

    kind: ClassVar[str] = "letter"
    remotes: ClassVar[tuple[Remote, ...]] = (
        Remote(
            "uci/letter-recognition.data",
            _UCI + "letter-recognition/letter-recognition.data",
            ("2b89f3602cf768d3c8355267d2f13f2417809e101fc2b5ceee10db19a60de6e2",),
        ),
    )
    columns: ClassVar[tuple[str, ...]] = (
        "letter",
        *[
            "x-box",
            "y-box",
            "width",
            "height",
            "onpix",
            "x-bar",
            "y-bar",
            "x2bar",
            "y2bar",
            "xybar",
            "x2ybr",
            "xy2br",
            "x-ege",
            "xegvy",
            "y-ege",
            "yegvx",
        ],
    )
    target: ClassVar[str] = "letter"


@dataclass(frozen=True, kw_only=True)
class Spambase(PublicTable):
    """4,601 e-mails by 57 numbers, most of them shares of words; is it spam? Source: Hopkins et al.
    1999; UCI."""

    kind: ClassVar[str] = "spambase"
    remotes: ClassVar[tuple[Remote, ...]] = (
        Remote(
            "uci/spambase.data",
            _UCI + "spambase/spambase.data",
            ("b1ef93de71f97714d3d7d4f58fc9f718da7bbc8ac8a150eff2778616a8097b12",),
        ),
    )
    columns: ClassVar[tuple[str, ...]] = (*(f"feature{i}" for i in range(1, 58)), "spam")
    target: ClassVar[str] = "spam"


@dataclass(frozen=True, kw_only=True)
class Sonar(PublicTable):
    """208 echoes by 60 numbers; a mine or a rock? Source: Gorman, Sejnowski 1988; UCI."""

    kind: ClassVar[str] = "sonar"
    remotes: ClassVar[tuple[Remote, ...]] = (
        Remote(
            "uci/sonar.all-data",
            _UCI + "undocumented/connectionist-bench/sonar/sonar.all-data",
            ("e90434cdbf00fcf93ffa911fe447ae25606979658e60f1d32e155c3b5240234d",),
        ),
    )
    columns: ClassVar[tuple[str, ...]] = (*(f"band{i}" for i in range(1, 61)), "kind")
    target: ClassVar[str] = "kind"


@dataclass(frozen=True, kw_only=True)
class CaliforniaHousing(PublicTable):
    """20,640 blocks of houses by place, age, rooms, people and income; the target is the median
    value in dollars.

    Source: Pace, Barry 1997; the original columns, of which scikit-learn's variant divides some by
    households.
    """

    kind: ClassVar[str] = "california_housing"
    valid: float = number(
        0.2, least=0, below=1, because=SHARE, why="enough to rank settings on small data"
    )
    remotes: ClassVar[tuple[Remote, ...]] = (
        Remote(
            "california_housing/cal_housing.data",
            "https://ndownloader.figshare.com/files/5976036",
            ("a2b44dcc7e1c9091b43c4f458b25cbd1f7e8068d08edd26bc4703108d3fa6214",),
            member="CaliforniaHousing/cal_housing.data",
            archive="aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
        ),
    )
    columns: ClassVar[tuple[str, ...]] = (
        "longitude",
        "latitude",
        "age",
        "rooms",
        "bedrooms",
        "population",
        "households",
        "income",
        "value",
    )
    target: ClassVar[str] = "value"
    task: ClassVar[str] = REGRESSION
