"""Dates and times as people write them, as datetimes in microseconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 400  # different values that a format is tried on before it is tried on the column
LEAST_SHARE = 0.5  # of a sample, for a format to be tried on the whole column
_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %m %Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d"),
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d. %b %Y", "%b %d, %Y", "%b %d %Y", "%d/%b/%Y"),
    *("%d %B %Y", "%d. %B %Y", "%B %d, %Y", "%B %d %Y"),
    *("%G-W%V-%u", "%GW%V%u"),
)
_TIMES = (
    *("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S%.f%#z", "%H:%M%#z"),
    *("%H.%M", "%H.%M.%S", "%H%M%S", "%H%M"),
)
_JOINTS = (" ", "T", ", ")
_SHORT_YEAR = r"^\d{2}-|[^\d]\d{2}(?:$|[ T,])"
# Without the Spanish mar and the Dutch ma, which may be months.
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tues tue wed thurs thur thu fri"
    " sat sun montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr"
    " sa so lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim lunes"
    " martes miércoles jueves viernes sábado domingo mié jue vie sáb dom lunedì martedì mercoledì"
    " giovedì venerdì sabato domenica gio sab maandag dinsdag woensdag donderdag vrijdag zaterdag"
    " zondag wo vr za zo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira"
)
_PLAIN = r"^[0-9T:./+-]+(?: [0-9:.]+)?$"  # dates around which there is nothing
# What people write around a date, and the same without it: in this order.
PLAINER = (
    (r"\s+", " "),
    (rf"(?i)^(?:{_WEEKDAYS.replace(' ', '|')})\.?,? ", ""),
    (r"(?i)\s*(?:z|utc|gmt|uhr)$", ""),
    (r" ([+-]\d{2}:?\d{2})$", "$1"),
    # Mar 24 10:20:30 +0000 2024, as of C's ctime.
    (
        r"^([^\W\d_]{3} \d{1,2}) (\d{2}:\d{2}:\d{2})(?: ?([+-]\d{4})| [A-Z]{3,4})? (\d{4})$",
        "$1 $4 $2$3",
    ),
    (r"^(\d{1,2}/[^\W\d_]{3}/\d{4}):", "$1 "),  # of web servers
    (r"(?i) de ", " "),  # 3 de marzo de 2024
    (r"(\d)(?:st|nd|rd|th|er)\b", "$1"),
    (r"(\d)\s?[年년]\s?(\d{1,2})\s?[月월]\s?(?:(\d{1,2})\s?[日일])?", "$1-$2-$3"),
    (r"^(\d{4}-\d{1,2})-$", "$1"),
    (r"(?i)\b([ap])\.\s?m\b\.?", "${1}m"),
    (r"([^\W\d_]{3})\.", "$1"),  # of a month
)
_CLOCK = "%H:%M:%S%.f", "%H:%M", "%I:%M %p", "%I:%M:%S %p"
# Names of months in other languages that the English ones do not begin, by the English one.
_OTHER_NAMES = {
    "Jan": "januari januar janvier janv enero ene janeiro gennaio gen",
    "Feb": "februari februar février févr febrero fevereiro febbraio",
    "Mar": "märz mär mrz mars marzo março maart",
    "Apr": "aprile avril avr abril abr",
    "May": "mai mayo maio maggio mei",
    "Jun": "juni juin junio junho giugno",
    "Jul": "juli juillet juil julio julho luglio",
    "Aug": "augustus août agosto ago",
    "Sep": "septembre septiembre setembro settembre sept",
    "Oct": "oktober okt octobre octubre outubro ottobre",
    "Nov": "novembre noviembre novembro",
    "Dec": "dezember dez décembre déc diciembre dic dezembro dicembre",
}
_ENGLISH = "january february march april june july august september october november december"
# The longest first: Januar is the beginning of January.
_NAMES = dict(
    sorted(
        [
            *((name, short) for short, names in _OTHER_NAMES.items() for name in names.split()),
            *((name, name.title()) for name in _ENGLISH.split()),
        ],
        key=lambda pair: -len(pair[0]),
    )
)
_WEEKS = "%G-W%V", "%GW%V"
_MIDNIGHT = r"(^|[ T])24:00((?::00(?:\.0+)?)?(?:$|[ Z+-]))"  # the end of a day
_QUARTERS = {f"Q{k}": f"Q{3 * k - 2:02d}" for k in (1, 2, 3, 4)}  # by their first month
_OF_QUARTERS = "%YQ%m", "%Y-Q%m", "%Y Q%m", "Q%m %Y", "Q%m/%Y", "Q%m-%Y", "Q%m.%Y", "Q%m%Y"
SECONDS, MILLISECONDS = "seconds since 1970", "milliseconds since 1970"
_SINCE = {SECONDS: 1e6, MILLISECONDS: 1e3}  # microseconds
_MONTHS = *_OF_QUARTERS, "%Y-%m", "%b %Y", "%B %Y", "%m/%Y", "%m.%Y", "%b-%Y", "%Y/%m", "%b-%y"
# Read alike by two formats, of which the rows decide; the second is the American one.
_TWINS = {"%d/%m": "%m/%d", "%d-%m": "%m-%d"}


def dates(cells: pl.Series, form: str) -> pl.Series:
    """The texts as datetimes; null where a text is no date of this form.

    Args:
        cells: texts without blanks around them, or null.
        form: formats in the notation of `strptime` with a bar between them; the first that fits a
            cell is taken. An offset from UTC is added, so that all times are those of UTC.
    """
    import polars as pl  # heavy

    unique = cells.unique(maintain_order=True)
    if unit := _SINCE.get(form):
        seconds = cells.cast(pl.Float64, strict=False)
        return (seconds * unit).round().cast(pl.Int64).cast(pl.Datetime("us"))
    values = _read(_plainer(unique), form)
    if len(unique) == len(cells):
        return values.alias(cells.name)
    return cells.replace_strict(unique, values, return_dtype=pl.Datetime("us"))


def _plainer(texts: pl.Series) -> pl.Series:
    """Without weekdays, marks of UTC and other signs around dates."""
    texts = texts.str.strip_suffix("Z")
    if texts.str.contains(_PLAIN).all():
        return texts
    for pattern, plain in PLAINER:
        texts = texts.str.replace_all(pattern, plain)
    return texts


def _read(plain: pl.Series, form: str) -> pl.Series:
    """The texts, which `_plainer` gave, as datetimes; null where one is no date of this form."""
    import polars as pl  # heavy

    form = form.replace("%a, ", "").replace("%a ", "")  # in files of earlier versions
    if "%b" in form or "%B" in form:
        plain = plain.str.replace_many(_NAMES, ascii_case_insensitive=True, leftmost=True)
    if "Q%m" in form:
        plain = plain.str.to_uppercase().str.replace_many(_QUARTERS)
    late = plain.str.contains(_MIDNIGHT).fill_null(False)
    if late.any():
        plain = plain.str.replace(_MIDNIGHT, "${1}00:00${2}")
    found = [_parsed(plain, one) for one in form.split("|")]
    values = pl.select(pl.coalesce(found)).to_series()
    if late.any():
        values = values + late.cast(pl.Int64) * timedelta(days=1)
    return values


def _parsed(texts: pl.Series, form: str) -> pl.Series:
    import polars as pl  # heavy

    zone = form.endswith("z")
    if form in _WEEKS:
        joint = "-" if "-" in form else ""
        texts, form = texts + f"{joint}1", f"{form}{joint}%u"
    if form in _MONTHS:
        texts, form = pl.Series("", ["1 "]) + texts, f"%d {form}"
    if form in _CLOCK:
        texts, form = pl.Series("", ["1970-01-01 "]) + texts, f"%Y-%m-%d {form}"
    if form == "%Y%m":
        texts, form = texts + "01", "%Y%m%d"
    if form == "%Y%m%d%H%M%S":  # else shorter numbers fit as well
        texts = texts.set(~texts.str.contains(r"^\d{14}$").fill_null(False), None)
    elif "%Y%m%d" in form:  # else shorter numbers fit as well
        texts = texts.set(~texts.str.contains(r"^\d{8}(?:\D|$)").fill_null(False), None)
    if "%d" in form and ("%b" in form or "%B" in form):  # else 2023 is read as 20 and 23
        texts = texts.set(~texts.str.contains(r"\d\D+\d").fill_null(False), None)
    if "%y" in form:  # a year of one digit is a part of a version or a section
        texts = texts.set(~texts.str.contains(_SHORT_YEAR).fill_null(False), None)
    if "Q%m" in form:
        texts = texts.set(~texts.str.contains(r"Q\d\d").fill_null(False), None)
    elif "%Y" in form.replace("%Y%m%d", ""):
        texts = texts.set(~texts.str.contains(r"(?:^|\D)\d{4}(?:\D|$)").fill_null(False), None)
    parsed = texts.str.to_datetime(
        form, time_unit="us", strict=False, time_zone="UTC" if zone else None
    )
    return parsed.dt.replace_time_zone(None) if zone else parsed


def find_form(cells: pl.Series) -> str:
    """The form of a column of dates: of all cells, not of the first; "" where most are no dates.

    Where day and month can be read either way in every cell, the way in which the rows are in
    order of time is taken, else the European one for points and the American one for slashes.

    Args:
        cells: texts without blanks around them, no gaps.
    """
    unique = cells.unique(maintain_order=True)
    step = max(1, len(unique) // SAMPLE)
    sample = _plainer(unique.gather_every(step))
    if not _may_be_dates(sample):
        return ""
    day = _best(sample, (*_DAYS, *_CLOCK, *_MONTHS, *_WEEKS))
    whole = [(day, _share(sample, day))] if day else []
    timed = _best(
        sample, tuple(f"{d}{j}{t}" for d in _likely_days(sample) for j in _JOINTS for t in _TIMES)
    )
    if timed:
        whole.append((timed, _share(sample, timed)))
    if not whole:
        return ""
    form = max(whole, key=lambda each: each[1])[0]
    twin = next((form.replace(a, b) for a, b in _TWINS.items() if a in form), "")
    if twin and (twin_values := dates(cells, twin)).null_count() == 0:
        values = dates(cells, form)
        if values.null_count() or (twin_values.is_sorted() and not values.is_sorted()):
            return twin
        if "/" in form and values.is_sorted() == twin_values.is_sorted():
            return twin
    return form


def other_form(form: str) -> str:
    """The form with day and month the other way round; "" where that is no usual one, as
    behind a year."""
    if form.startswith("%Y"):
        return ""
    pairs = [*_TWINS.items(), *((b, a) for a, b in _TWINS.items())]
    return next((form.replace(a, b) for a, b in pairs if a in form), "")


def _may_be_dates(sample: pl.Series) -> bool:
    likely = sample.str.contains(r"^\D{0,10}\d{1,4}\D").sum() or 0
    digits = sample.str.contains(r"^(?:19|20)\d{6}(?:\D|$)").sum() or 0
    months = sample.str.contains(r"^\p{L}{3,9}\.?[ -]").sum() or 0
    return bool(max(likely, digits, months) >= LEAST_SHARE * len(sample))


def _likely_days(sample: pl.Series) -> Iterator[str]:
    """Formats of days that fit the first part of the texts."""
    for form in _DAYS:
        blanks = form.count(" ")
        first = sample.str.extract(rf"^((?:\S+\s+){{{blanks}}}[^\sT,]+,?)", 1).str.strip_chars(",")
        if _share(first.drop_nulls(), form) > LEAST_SHARE:
            yield form


def _best(sample: pl.Series, forms: tuple[str, ...]) -> str:
    """The form that reads most texts, joined with others that read the rest; "" for none."""

    chosen: list[str] = []
    rest = sample
    while len(rest) and len(chosen) < 3:
        shares = [(_share(rest, form), form) for form in forms]
        share, form = max(shares, key=lambda each: each[0], default=(0.0, ""))
        if share <= 0 or (not chosen and share <= LEAST_SHARE / 2):
            break
        chosen.append(form)
        rest = rest.filter(_read(rest, form).is_null())
    return "|".join(chosen)


def _share(sample: pl.Series, form: str) -> float:
    if not len(sample):
        return 0.0
    return 1 - _read(sample, form).null_count() / len(sample)
