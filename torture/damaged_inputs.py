"""Tables and pictures that are damaged: data, or an error that names the file."""

from __future__ import annotations

import gzip
import io
import random
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

import netwise as nw
from torture.attack import REFUSED, Attack, Failed, answer
from torture.mutations import damaged

CELLS = (
    *(
        "",
        " ",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "0x10",
        "1_000",
        "１２",
        "−1",
        "1,5",
        "\x00",
        "\x1b[2J",
    ),
    *('"', '""', "'", "=1+1", "<script>", "$x_{$", "[bold]", "a\nb", "\u202e", "\ud83d", "9" * 400),
    *("\x00", "\x1b[2J", "x" * 200_000, "2020-01-01", "True", "None", "-", "?", "NA", "\ufeff"),
)
LINE_ENDS = ("\n", "\r\n", "\r", "\n\n", "\x0b", "\u2028", "")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32")
MODES = ("L", "RGB", "RGBA", "P", "1", "I;16", "CMYK", "F")


def table_text(chance: random.Random, rows: int = 60) -> str:
    """A table of three columns; some cells are strange, some lines have another length."""
    lines = [["weight", "colour", "pet"]] + [
        [
            f"{chance.uniform(1, 40):.1f}",
            chance.choice(("red", "black")),
            chance.choice(("cat", "dog")),
        ]
        for _ in range(rows)
    ]
    for _ in range(chance.choice((0, 1, 1, 3))):
        line = chance.choice(lines)
        line[chance.randrange(len(line))] = chance.choice(CELLS)
    if chance.random() < 0.3:
        line = chance.choice(lines)
        line[:] = chance.choice((line[:-1], [*line, "more"], [], line * 50))
    separator = chance.choice((",", ",", ";", "\t", "|", " ", "§"))
    return chance.choice(LINE_ENDS[:3]).join(separator.join(line) for line in lines)


def damage_table(prepared: Path, scratch: Path, chance: random.Random) -> None:
    """Training data: read as a table, or refused with the file's name."""
    path = scratch / "pets.csv"
    encoding = chance.choice(ENCODINGS) if chance.random() < 0.3 else "utf-8"
    raw = table_text(chance).encode(encoding, "replace")
    path.write_bytes(damaged(raw, chance) if chance.random() < 0.6 else raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = answer(lambda: nw.data.csv(path, target="pet"), path.name)
        loaded = REFUSED if data is REFUSED else answer(data.load, path.name)
    if loaded is not REFUSED:
        require_samples(loaded)


def write_tables(folder: Path) -> None:
    """One table in the forms that are no text."""
    import polars as pl

    chance = random.Random(0)
    frame = pl.DataFrame(
        {
            "weight": [chance.uniform(1, 40) for _ in range(60)],
            "colour": [chance.choice(("red", "black", None)) for _ in range(60)],
            "pet": ["cat", "dog"] * 30,
        }
    )
    frame.write_parquet(folder / "pets.parquet")
    frame.write_ipc(folder / "pets.arrow")
    frame.write_ipc_stream(folder / "pets.arrows")
    frame.write_ndjson(folder / "pets.jsonl")
    frame.write_json(folder / "pets.json")
    frame.write_excel(folder / "pets.xlsx")
    (folder / "pets.csv.gz").write_bytes(gzip.compress(frame.write_csv().encode()))


def damage_other_table(prepared: Path, scratch: Path, chance: random.Random) -> None:
    """Training data in a form that is no text: as `damage_table`, also in parts of archives."""
    source = chance.choice(sorted(path for path in prepared.iterdir() if path.suffix))
    path = scratch / source.name
    raw = source.read_bytes()
    if path.suffix == ".xlsx" and chance.random() < 0.7:
        raw = damaged_part(raw, chance)
    else:
        raw = damaged(raw, chance)
    path.write_bytes(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = answer(lambda: nw.data.csv(path, target="pet"), path.name)
        loaded = REFUSED if data is REFUSED else answer(data.load, path.name)
    if loaded is not REFUSED:
        require_samples(loaded)


def damaged_part(raw: bytes, chance: random.Random) -> bytes:
    """A workbook with one of its files damaged, or with cells far from all others."""
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = chance.choice(sorted(parts))
    if chance.random() < 0.3:
        name = next(each for each in parts if each.endswith("sheet1.xml"))
        row, column = chance.choice((10, 2**20, 10**10)), chance.choice(("D", "XFD", "ZZZZZZ"))
        cell = f'<row r="{row}"><c r="{column}{row}"><v>1</v></c></row></sheetData>'
        parts[name] = parts[name].replace(b"</sheetData>", cell.encode())
    else:
        parts[name] = damaged(parts[name], chance)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return changed.getvalue()


def require_samples(samples: object) -> None:
    """Inputs are finite numbers, or empty cells where those are asked for."""
    for part in ("train", "valid", "test"):
        x = getattr(samples, part).x
        if x.isinf().any():
            raise Failed(f"infinite numbers in the {part} part, and no error")


def damage_questions(prepared: Path, scratch: Path, chance: random.Random) -> None:
    """A file to predict: one answer for each row, or an error."""
    from netwise.data.tables import ReadOptions
    from netwise.data.tables.sources import cells_of

    path = scratch / "new.csv"
    rows = chance.choice((1, 2, 60))
    raw = table_text(chance, rows).encode("utf-8", "replace")
    path.write_bytes(damaged(raw, chance) if chance.random() < 0.5 else raw)
    run = nw.load(prepared / "run")
    cells = answer(lambda: cells_of(path, ReadOptions(), ("weight", "colour")), path.name)
    if cells is REFUSED:
        return
    answers = answer(lambda: run.predict(path).tolist(), path.name)
    if answers is not REFUSED and len(answers) != len(cells.frame):
        raise Failed(f"{len(answers)} answers for {len(cells.frame)} rows")


def train_on_table(folder: Path) -> None:
    """A run whose inputs are the columns of a table."""
    chance = random.Random(0)
    rows = [
        f"{chance.uniform(1, 40):.1f},{chance.choice(('red', 'black'))},{pet}"
        for pet in ("cat", "dog") * 30
    ]
    (folder / "pets.csv").write_text("\n".join(["weight,colour,pet", *rows, ""]))
    data = nw.data.csv(folder / "pets.csv", target="pet")
    nw.fit(nw.suggest(data, epochs=2), folder=folder / "run")


def draw_pictures(folder: Path) -> None:
    """A folder of pictures in several formats, two classes with six each."""
    chance = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / "pictures" / name).mkdir(parents=True)
        for i, ending in enumerate(("png", "jpg", "gif", "bmp", "webp", "png")):
            pixels = chance.integers(0, 255, (12, 14, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / name / f"{i}.{ending}")


def damage_picture(prepared: Path, scratch: Path, chance: random.Random) -> None:
    """One damaged picture is refused by its name, read, or left out where that is asked for."""
    import shutil

    home = Path(shutil.copytree(prepared / "pictures", scratch / "pictures"))
    path = chance.choice(sorted(home.glob("*/*")))
    raw = path.read_bytes()
    if chance.random() < 0.3:
        path.write_bytes(png_with_header(chance))
    elif chance.random() < 0.2:
        mode = chance.choice(MODES)
        path = path.with_suffix(".tif" if mode in ("I;16", "CMYK", "F") else ".png")
        Image.new(mode, (chance.choice((1, 5, 3000)), 4)).save(path)
    else:
        path.write_bytes(damaged(raw, chance))
    skip = chance.random() < 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = nw.data.images(home, height=8, width=8, valid=0.2, test=0.2, skip_broken=skip)
        samples = answer(data.load, path.name, *(["pictures"] if skip else []))
    if samples is not REFUSED:
        require_samples(samples)


def png_with_header(chance: random.Random) -> bytes:
    """A PNG whose header has another size or kind, with valid check sums."""
    sizes = (0, 1, 7, 20_000, 65_535, 2**31 - 1, 2**32 - 1)
    header = struct.pack(
        ">IIBBBBB",
        chance.choice(sizes),
        chance.choice(sizes),
        chance.choice((1, 2, 8, 16, 3)),
        chance.choice((0, 2, 3, 4, 6, 9)),
        *(chance.choice((0, 0, 0, 1)) for _ in range(3)),
    )
    pixels = zlib.compress(bytes(chance.choice((0, 10, 3_000_000))))
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    if chance.random() < 0.3:  # a text that unpacks to much more than its file
        chunks.insert(1, (b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A piece of a PNG: its length, kind, content and check sum."""
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


ATTACKS = (
    Attack("tables to train on", 500, damage_table),
    Attack("tables that are no text", 500, damage_other_table, write_tables),
    Attack("tables to predict", 500, damage_questions, train_on_table),
    Attack("pictures", 500, damage_picture, draw_pictures),
)
