"""Tables as statements of a script: how the file is cut into cells, what each cell means, and the
columns as the encoder that was fitted makes inputs of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from netwise.data.catalogue.table_sets import PublicTable
from netwise.data.columns import calendar
from netwise.data.columns.column import ColumnEncoder
from netwise.data.columns.many_categories_column import ManyCategoriesColumn
from netwise.data.columns.table_encoder import TableEncoder
from netwise.data.columns.text_column import HASHED, PIECES
from netwise.data.table import Table
from netwise.data.tables.date_forms import PLAINER
from netwise.data.tables.delimited import Head, find_head
from netwise.data.tables.dialects import BLANKS, NO_QUOTE
from netwise.data.tables.encodings import MIXED, decode
from netwise.data.tables.gaps import MISSING_WORDS, numbers_in
from netwise.data.tables.kinds import CATEGORY, DATE, NUMBER, TEXT
from netwise.data.tables.packed import content
from netwise.data.tables.quantities import INTO
from netwise.data.tables.typing_cells import TRUTH
from netwise.errors import WrongValue
from netwise.tasks import task_named

MOST_LABELS = 10_000  # ways in which the cells of a target are written


def table_lines(data: PublicTable | Table, scaled_targets: Callable[[bool], list[str]]) -> str:
    """Statements that read a table from its file and set `parts`.

    Args:
        data: the table.
        scaled_targets: gives the statements that standardise the targets.

    Raises:
        WrongValue: something in it cannot be written as plain code.
    """
    table: Table = data.table() if isinstance(data, PublicTable) else data
    _require_plain(data, table)
    samples = data.load()
    encoder = samples.encoder
    assert isinstance(encoder, TableEncoder)
    encoded = [_column(table, each) for each in encoder.columns]
    kinds = dict.fromkeys(each.kind for each in encoder.columns)
    classes = task_named(samples.task).has_classes
    return "\n".join(
        [
            *_rows(table),
            "",
            "",
            *_gaps(table.na),
            *[line for kind in kinds for line in ("", "", *FUNCTIONS[kind])],
            "",
            "",
            "# Fitted on the training part, column by column.",
            "x = torch.cat([",
            *(f"    {each}," for each in encoded),
            "], dim=1)",
            *_targets(table, samples.classes, kinds),
            (
                f"parts = [(x[rows], y[rows]) for rows in split({'labels' if classes else None}, "
                "len(x))]"
            ),
            *scaled_targets(table.scale_target and not classes),
        ]
    )


def _require_plain(data: PublicTable | Table, table: Table) -> None:
    if type(table) is not Table:
        reason = "needs a reader for its file, which no script has: train with netwise.fit"
        raise WrongValue.of("recipe", "data", data.kind, reason)
    for name in ("test_file", "valid_file", "time", "group", "together"):
        if getattr(table, name):
            reason = "cannot be written as a script: split one file at random instead"
            raise WrongValue.of("recipe", f"data.{name}", str(getattr(table, name)), reason)
    cells = table.source_cells(table.path)
    if not cells.sep:
        reason = "is no text, and scripts read no other tables: save it as CSV"
        raise WrongValue.of("recipe", "data.path", table.path, reason)
    left_out = len(cells.frame) - len(table.content().y)
    if left_out:
        reason = f"has {left_out} rows that are left out, which no script does: remove them"
        raise WrongValue.of("recipe", "data.path", table.path, reason)


def _rows(table: Table) -> list[str]:
    """Statements that set `cells`: of each column, by its name."""
    path = Path(table.path)
    text = decode(content(path), table.path, table.encoding)
    head = find_head(text.utf8, table.path, table.options, [table.target])
    if text.encoding == MIXED:
        reason = "has lines of two encodings, which no script reads: save it as UTF-8"
        raise WrongValue.of("recipe", "data.path", table.path, reason)
    encoding = "utf-8-sig" if text.encoding == "utf-8" else text.encoding
    return [
        f"content = Path({table.path!r}).read_bytes().decode({encoding!r})",
        'lines = io.StringIO(content.removeprefix("\\ufeff"), newline="").readlines()',
        f"lines = lines[{head.lines} :]  # the rows below the header",
        f"names = {list(head.names)!r}",
        *_reader(head),
        "rows = [row for row in rows if len(row) == len(names)]  # no comments, no empty lines",
        "cells = dict(zip(names, zip(*[[cell.strip() for cell in row] for row in rows])))",
    ]


def _reader(head: Head) -> list[str]:
    dialect = head.dialect
    lines, sep = "lines", dialect.sep
    if sep == BLANKS:
        lines, sep = '(" ".join(line.split()) for line in lines)', " "
    elif len(sep) > 1:
        lines, sep = f'(line.replace({sep!r}, "\\x1f") for line in lines)', "\x1f"
    options = [f"delimiter={sep!r}"]
    if dialect.quote == NO_QUOTE:
        options.append("quoting=csv.QUOTE_NONE")
    elif dialect.quote != '"':
        options.append(f"quotechar={dialect.quote!r}")
    if dialect.escape:
        options.append(f"escapechar={dialect.escape!r}, doublequote=False")
    if dialect.spaced:
        options.append("skipinitialspace=True")
    return [f"rows = csv.reader({lines}, {', '.join(options)})"]


def _gaps(na: tuple[str, ...]) -> list[str]:
    """Statements that define `is_gap`."""
    numbers = numbers_in(na)
    of_numbers = f"""
    try:
        if float(cell.replace(",", ".")) in {numbers}:
            return True
    except ValueError:
        pass"""
    return [
        f"MISSING = {sorted(MISSING_WORDS)!r}",
        "",
        "",
        "def is_gap(cell):",
        *(_lines_of(of_numbers) if numbers else []),
        f"    return cell.lower() in MISSING or cell in {list(na)!r}",
    ]


def _column(table: Table, column: ColumnEncoder) -> str:
    """The call that makes the inputs of a column."""
    if column.kind == ManyCategoriesColumn.kind:
        reason = (
            f"has {len(column.raw_input().codes or ()):,} categories, the mean target of each is "
            "an input, which for a training row comes from other rows: a script that computed it "
            "from all rows would train on answers. Leave it out by "
            f"kinds={{{column.name!r}: 'identifier'}} (or --kind), or join its rare words"
        )
        raise WrongValue.of("recipe", "data", column.name, reason)
    if column.kind not in FUNCTIONS:
        reason = f"is a column of kind {column.kind}, which no script reads: leave it out"
        raise WrongValue.of("recipe", "data", column.name, reason)
    fields = column.plain()
    form = table.reading().column(column.name).form
    if column.kind == NUMBER and f" {INTO}" in form:
        reason = "has units of several sizes, which no script reads: write it in one unit"
        raise WrongValue.of("recipe", "data", column.name, reason)
    name, known = fields.pop("name"), tuple(fields[key] for key in fields if key != "kind")
    if column.kind == NUMBER:
        return f"numbers({name!r}, {(form or '.')[0]!r}, *{known!r})"
    if column.kind == DATE:
        parts, gaps = known
        written = [tuple(part.values()) for part in parts]
        return f"dates({name!r}, {form.split('|')!r}, {written!r}, {gaps!r})"
    return f"{'texts' if column.kind == TEXT else 'categories'}({name!r}, *{known!r})"


_TRUE, _FALSE = (sorted({pair[i] for pair in TRUTH}) for i in (0, 1))
NUMBERS = f'''
def number(cell, decimal):
    """A cell as a number: also with thousands, a unit, a minus behind it or brackets for one."""
    if is_gap(cell):
        return float("nan")
    if cell.lower() in {_TRUE!r}:
        return 1.0
    if cell.lower() in {_FALSE!r}:
        return 0.0
    try:
        return float(cell.replace(decimal, "."))
    except ValueError:
        digits = "".join(sign for sign in cell if sign.isdigit() or sign == decimal)
        value = float(digits.replace(decimal, ".")) / (2 if cell[0] in "<\u2264" else 1)
        return -value if set(cell) & set("-\\u2212\\u2013(") else value


def numbers(name, decimal, median, mean, scale, gaps):
    """Standardised numbers; a gap is the median."""
    x = torch.tensor([number(cell, decimal) for cell in cells[name]], dtype=torch.float64)
    missing = x.isnan()
    scaled = ((torch.where(missing, median, x) - mean) / scale).float()[:, None]
    return torch.cat([scaled, missing.float()[:, None]], dim=1) if gaps else scaled
'''
CATEGORIES = '''
def categories(name, words, rest):
    """An input for each known word, and one for all others where the training part had some."""
    places = {word: i for i, word in enumerate(words)}
    out = torch.zeros(len(rows), len(words) + rest)
    for row, cell in enumerate(cells[name]):
        place = places.get("(missing)" if is_gap(cell) else cell, len(words) if rest else -1)
        if place >= 0:
            out[row, place] = 1.0
    return out
'''
DATES = '''
def seconds(cell, forms):
    """A cell as seconds since 1970, UTC."""
    if is_gap(cell):
        return float("nan")
    if forms[0] in ("seconds since 1970", "milliseconds since 1970"):
        return float(cell) / (1 if forms[0][0] == "s" else 1000)
    text = cell
    for pattern, plain in PLAINER:  # without weekdays and other signs around a date
        text = re.sub(pattern, plain, text)
    late = re.sub(r"(^|[ T])24:00", r"\\g<1>00:00", text)
    quarter = re.compile(r"Q([1-4])")  # written by its first month
    for form in forms:
        if "Q%m" in form:
            late = quarter.sub(lambda q: f"Q{3 * int(q[1]) - 2:02d}", text.upper())
        short = form.replace("%.f", "").replace("%#z", "%z")
        fraction = re.search(r":\\d\\d(\\.\\d+)", late) if "%.f" in form else None
        written = late.replace(fraction[1], "", 1) if fraction else late
        if "%d" not in short and "%V" not in short and ("%m" in short or "%b" in short.lower()):
            written, short = "1 " + written, "%d " + short
        elif "%H" in short[:2] or "%I" in short[:2]:
            written, short = "1970-01-01 " + written, "%Y-%m-%d " + short
        elif "%V" in short and "%u" not in short:
            written, short = written + "1", short + "%u"
        try:
            found = datetime.datetime.strptime(written, short)
        except ValueError:
            continue
        found = found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)
        more = 86400.0 if late != text else 0.0
        return found.timestamp() + (float(fraction[1]) if fraction else 0.0) + more
    raise ValueError(f"{cell!r} is no date of the forms {forms}")


def dates(name, forms, parts, gaps):
    """Parts of the calendar; a gap is 0 everywhere."""
    x = torch.tensor([seconds(cell, forms) for cell in cells[name]], dtype=torch.float64)
    now, missing = calendar(x), x.isnan()[:, None]
    pieces = []
    for part, mean, scale in parts:
        values = now[part]
        if part in ("days", "year"):
            pieces.append(((values - mean) / scale)[:, None])
        elif part in ("weekday", "month"):
            count = 7 if part == "weekday" else 12
            pieces.append((values[:, None] == torch.arange(count)).double())
        else:
            turns = 2 * math.pi * values
            waves = [wave(k * turns) for k in (1, 2) for wave in (torch.sin, torch.cos)]
            pieces.append(torch.stack(waves, dim=1))
    pieces = [torch.where(missing, 0.0, piece) for piece in pieces]
    pieces += [missing.double()] if gaps else []
    return torch.cat(pieces, dim=1).float()
'''
TEXTS = f'''
def texts(name, pieces, means, scales, gaps):
    """Pieces of words, hashed and counted."""
    options = dict(n_features={HASHED}, alternate_sign=False, norm=None)
    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range={PIECES}, **options)
    counts = vectorizer.transform(["" if is_gap(cell) else cell for cell in cells[name]])
    np.log1p(counts.data, out=counts.data)
    counts = normalize(counts, copy=False)[:, list(pieces)].toarray().astype(np.float32)
    scaled = (torch.from_numpy(counts) - torch.tensor(means)) / torch.tensor(scales)
    missing = torch.tensor([[float(is_gap(cell))] for cell in cells[name]])
    return torch.cat([scaled, missing], dim=1) if gaps else scaled
'''


def _lines_of(text: str) -> list[str]:
    return text.strip("\n").split("\n")


def _calendar() -> list[str]:
    """The source of the calendar, which is torch alone."""
    source = inspect.getsource(calendar)
    return [*_lines_of(source[source.index("DAY =") :]), "", ""]


def _plainer() -> list[str]:
    """The statement that sets `PLAINER`, in the notation of Python."""
    pairs = [(pattern, re.sub(r"\$\{?(\d)\}?", r"\\\1", plain)) for pattern, plain in PLAINER]
    return ["PLAINER = [", *(f"    {pair!r}," for pair in pairs), "]"]


FUNCTIONS: Mapping[str, list[str]] = {
    NUMBER: _lines_of(NUMBERS),
    CATEGORY: _lines_of(CATEGORIES),
    DATE: [*_calendar(), *_plainer(), "", "", *_lines_of(DATES)],
    TEXT: _lines_of(TEXTS),
}


def _targets(table: Table, classes: tuple[str, ...], kinds: Collection[str]) -> list[str]:
    """Statements that set `y`, and `labels` for classes: of each way in which a cell is written."""
    content_, cells = table.content(), table.reading().cells[table.target].str.strip_chars()
    if not classes:
        form = table.reading().column(table.target).form or "."
        numbers = f"[[number(cell, {form[0]!r})] for cell in cells[{table.target!r}]]"
        lines = ["", "", *_number()] if NUMBER not in kinds else []
        return [*lines, f"y = torch.tensor({numbers}, dtype=torch.float32)"]
    pairs = dict(zip(cells.to_list(), content_.y.tolist(), strict=True))
    if len(pairs) > MOST_LABELS:
        reason = f"has {len(pairs):,} different labels, too many for a script: use fewer classes"
        raise WrongValue.of("recipe", "data.target", table.target, reason)
    return [
        f"classes = {list(classes)!r}",
        f"number_of_class = {pairs!r}",
        f"labels = np.array([number_of_class[cell] for cell in cells[{table.target!r}]])",
        "y = torch.from_numpy(labels)",
    ]


def _number() -> list[str]:
    """The definition of `number` alone."""
    return [*_lines_of(NUMBERS.partition("\n\n\ndef numbers")[0]), "", ""]
