"""Columns of text as they stand in files, turned into numbers, dates or text: by rule, every loss counted.

A column becomes numbers or dates where at least 95% of its values can be read so. The rest become blank, and
a decision says how many and shows one. Codes that only look like numbers stay text: 007, NHS numbers,
references. Each different value is read once, however often it stands in the column.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MOST = 0.95  # the least share of a column's values that must fit
# Marks that mean "nothing here" in a column of numbers or dates. In a column of words they stay.
BLANK = {
    *("na", "n/a", "nan", "null", "none", "nil", "-", "--", ".", "..", "...", "?", "*", ":", "x", "c"),
    *("unknown", "not known", "missing", "not applicable", "not available"),
    *("[c]", "[x]", "[z]", "[u]", "[low]"),  # the shorthand of government statistics
}
ERRORS = {"#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!", "#spill!", "#calc!"}
SIGN, MONEY = r"[-+−]?\s?", r"[£$€]?\s?"
WHOLE = r"(?:\d+|\d{1,3}(?:,\d{3})+)"
POINT = rf"\(?{SIGN}{MONEY}{SIGN}(?:{WHOLE}(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s?%?\)?-?"
COMMA = rf"{SIGN}{MONEY}(?:\d+|\d{{1,3}}(?:\.\d{{3}})+)(?:,\d+)?\s?[%€]?"
SYMBOLS = {"£": "Pound signs", "$": "Dollar signs", "€": "Euro signs", "%": "Per cent signs"}
TIME = r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[AaPp][Mm]|[+-]\d{2}:?\d{2})?$"
# Orders of a date's parts, the usual one here first; an underscore stands for a space.
DATES = {
    "day, month, year": "%d/%m/%Y %d-%m-%Y %d.%m.%Y %d_%B_%Y %d_%b_%Y %d-%b-%Y %d/%m/%y %d-%b-%y %d.%m.%y",
    "year, month, day": "%Y-%m-%d %Y/%m/%d %Y%m%d %Y.%m.%d",
    "month, day, year": "%m/%d/%Y %m-%d-%Y %B_%d,_%Y %b_%d,_%Y %m/%d/%y",
}


def as_text(value) -> str:
    """One cell of Excel or Parquet as the text a CSV file would have."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):  # pandas' own timestamps and its missing one are of this kind
        return "" if value != value else value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, float | np.floating):
        return (
            ""
            if value != value
            else str(int(value))
            if value == value // 1 and abs(value) < 1e15
            else str(value)
        )
    return "" if str(value) == "<NA>" else str(value)


def listed(names: list, most: int = 5) -> str:
    """The first few names in a sentence."""
    words = ", ".join(map(str, names[:most]))
    return words if len(names) <= most else f"{words} and {len(names) - most:,} more"


def typed(table: pd.DataFrame, decisions: list[str]) -> pd.DataFrame:
    """Every column of text as numbers, dates or text. Adds to `decisions` what was decided."""
    import pandas as pd

    said: dict[str, list] = {}
    columns = {}
    for name in table:
        columns[name], notes = _column(table[name])
        for words, detail in notes:
            said.setdefault(words, []).append(f"{name!r} ({detail})" if detail else repr(name))
    decisions += [f"{words}: {listed(names)}." for words, names in said.items()]
    return pd.DataFrame(columns)


def _column(column: pd.Series) -> tuple:
    """One column typed, and notes on it: pairs of words and a detail."""
    import pandas as pd

    codes, words = pd.factorize(column)
    text, rows = pd.Series(words, dtype=object), pd.Series(np.bincount(codes, minlength=len(words)))
    notes = []
    errors = text.str.lower().isin(ERRORS)
    if errors.any():
        notes.append(("Errors of a spreadsheet became blank", f"{rows[errors].sum():,}"))
    text = text.where(~errors & (text != ""))
    plain = text[text.notna() & ~text.str.lower().isin(BLANK)]
    found = (_plain(plain) or _dates(plain, rows) or _numbers(plain, rows)) if len(plain) else None
    if found is None:
        formulas = text.str.match(r"[=@]|\+\D", na=False)
        if formulas.any():
            many = f"{rows[formulas].sum():,}"
            notes.append(("A spreadsheet would run values as formulas, and here they are text", many))
        return text.take(codes).set_axis(column.index), notes
    values, more = found
    marks = text.notna() & ~text.index.isin(plain.index)
    for which, words in (
        (marks[marks].index, "Marks for a missing value became blank"),
        (plain.index[values.isna()], "Values that do not fit became blank"),
    ):
        if len(which):
            example = text[which[0]] if len(text[which[0]]) < 30 else text[which[0]][:27] + "..."
            more.append((words, f"{rows[which].sum():,}, such as {example!r}"))
    return _whole(values.reindex(text.index).take(codes).set_axis(column.index)), notes + more


def _whole(values: pd.Series) -> pd.Series:
    """Numbers without fractions as integers."""
    if values.dtype.kind != "f" or (values.dropna() % 1 != 0).any() or values.abs().max() >= 2**53:
        return values
    return values.astype("int64" if values.notna().all() else "Int64")


def _share(which: pd.Series, rows: pd.Series) -> float:
    """The share of rows for which something is so, from the values for which it is."""
    return rows[which.index[which]].sum() / rows[which.index].sum()


def _plain(plain: pd.Series) -> tuple | None:
    """Numbers with nothing odd about them, which most columns are; None where there may be more to it."""
    import pandas as pd

    numbers = pd.to_numeric(plain, errors="coerce")
    odd = numbers.isna() | (numbers.abs() >= 1e7) | plain.str.match(r"0\d")  # from 1e7: dates, references
    return None if odd.any() else (numbers.astype(float), [])


def _numbers(plain: pd.Series, rows: pd.Series) -> tuple | None:
    """Text as floats, with notes; None if too few are numbers, or if they are codes."""
    import pandas as pd

    if _is_code(plain, rows):
        return None
    notes = []
    point, comma = plain.str.fullmatch(POINT), plain.str.fullmatch(COMMA)
    if _share(point, rows) >= MOST:
        fits, cleaned = point, plain.str.replace(",", "", regex=False)
        if plain[fits].str.contains(",", regex=False).any():
            notes.append(("Commas between thousands were taken out", ""))
    elif _share(comma, rows) >= MOST:
        fits = comma
        cleaned = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        notes.append(("The comma is the decimal point", ""))
    else:
        return None
    for sign, name in SYMBOLS.items():
        if plain[fits].str.contains(sign, regex=False).any():
            notes.append((f"{name} were taken out", ""))
    below = cleaned.str.contains(r"^\(|(?<![eE])[-−]")
    bare = pd.to_numeric(cleaned.str.replace(r"[£$€%()\s−+]|(?<![eE])-", "", regex=True), errors="coerce")
    return bare.where(~below, -bare).where(fits).astype(float), notes


def _is_code(plain: pd.Series, rows: pd.Series) -> bool:
    """Whether whole numbers are codes: a leading nought in any, or ten digits and more in most."""
    whole = plain.str.fullmatch(r"\d+")
    if _share(whole, rows) < MOST:
        return False
    digits = plain[whole]
    return bool(digits.str.match("0.").any() or _share(digits.str.len() >= 10, rows) > 0.5)


def _dates(plain: pd.Series, rows: pd.Series) -> tuple | None:
    """Text as dates, with notes, or None. Where two orders would do the day comes first, as usual here."""
    import pandas as pd

    if _share(plain.str.match(r".*\d.*[-/. ,].*\d|(19|20)\d{6}$"), rows) < MOST:
        return None
    days = plain.str.replace(TIME, "", regex=True)
    found = {}
    for order, formats in DATES.items():
        values = pd.Series(pd.NaT, index=days.index, dtype="datetime64[ns]")
        for pattern in formats.split(" "):
            left = days[values.isna()]
            values[left.index] = pd.to_datetime(left, format=pattern.replace("_", " "), errors="coerce")
        found[order] = values
    order = max(found, key=lambda one: _share(found[one].notna(), rows))
    if _share(found[order].notna(), rows) < MOST:
        return None
    notes = [] if order == "year, month, day" else [(f"Dates were read as {order}", "")]
    if (days != plain).any():
        notes.append(("Times of day were left out", ""))
    return found[order], notes


def is_figure(text: str) -> bool:
    """Whether one cell holds a number or a date."""
    day = r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}"
    return bool(re.fullmatch(POINT, text) or re.fullmatch(COMMA, text) or re.match(day, text))


def share_of_figures(column: pd.Series) -> float:
    """The share of a column's cells, blanks left out, that hold a number or a date."""
    present = column[column != ""]
    return float(present.map(is_figure).mean()) if len(present) else 0.0
