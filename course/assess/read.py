"""Read a table from a file as people really have them, and say what was decided on the way.

    reading = read("claims.csv")
    reading.table        # a DataFrame, every column typed
    reading.decisions    # what was decided, in sentences: "The values are separated by semicolons."

The file is opened for reading only. Whatever is odd in it either becomes a decision that a person can check,
or stops the reading with one sentence (a `DataError`) on what is wrong and what to do. Nothing is guessed
silently.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from course.assess import values
from course.data import DataError

if TYPE_CHECKING:
    import pandas as pd

HEAD = 400  # records looked at to find the separator and the headings
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}
# What a file is, told by its first bytes, and what to do about it.
OTHER_FILES = {
    b"\xd0\xcf\x11\xe0": "an old Excel file, or one with a password. Save it from Excel as .xlsx",
    b"%PDF": "a PDF. Tables cannot be taken from it safely: ask for the data as CSV",
    b"\x89PNG": "a picture. Ask for the data as CSV",
    b"\xff\xd8\xff": "a picture. Ask for the data as CSV",
    b"SQLite format 3": "a database. Export the table you need as CSV",
    b"\x1f\x8b": "a compressed file. Unpack it and give the file inside",
    b"7z\xbc\xaf": "a compressed file. Unpack it and give the file inside",
    b"$FL2": "an SPSS file. Save it as CSV from SPSS",
    b"<stata_dta": "a Stata file. Save it as CSV with export delimited",
}


@dataclass
class Reading:
    """What `read` found: the table, how the file was read, and every decision, in sentences."""

    table: pd.DataFrame
    source: dict  # name, bytes, sha256, format, and sheet or encoding and separator
    decisions: list[str] = field(default_factory=list)

    def __str__(self):
        rows, columns = self.table.shape
        many = f"{rows:,} rows, {columns:,} columns" if rows else f"{columns:,} columns described"
        first = f"{self.source['name']}: {many}."
        return "\n".join([first, *(f"- {sentence}" for sentence in self.decisions)])


def read(path: str | Path, *, sheet: str | None = None) -> Reading:
    """Read a CSV, Excel (.xlsx) or Parquet file as a `Reading`. `sheet` names the sheet of an Excel file.

    Raises DataError, with one sentence on what to do, for a file that is not a table.
    """
    path = Path(path)
    content = content_of(path)
    source = {
        "name": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    decisions: list[str] = []
    if content.startswith(b"PAR1"):
        table = _parquet(content, path.name)
        source["format"] = "Parquet"
    else:
        grid = _grid(content, path.name, sheet, source, decisions)
        table = _table(grid, path.name, decisions)
    table = values.typed(table, decisions)
    return Reading(_worth_keeping(table, path.name, decisions), source, decisions)


def content_of(path: Path) -> bytes:
    """All bytes of the file, or one sentence."""
    if path.is_dir():
        raise DataError(f"{path} is a folder. Give the name of one file in it.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"There is no file {path}. Check the name and the folder.") from None
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise DataError(f"{path} cannot be read ({reason}). Close it elsewhere, or copy it first.") from None
    if not content.strip():
        raise DataError(f"{path.name} is empty. Save it again from where it came.")
    return content


def _grid(content: bytes, name: str, sheet: str | None, source: dict, decisions: list[str]) -> pd.DataFrame:
    """All cells of the file as text, without headings yet; empty cells are empty text."""
    if content.startswith(b"PK"):
        return _excel(content, name, sheet, source, decisions)
    for start, words in OTHER_FILES.items():
        if content.startswith(start):
            raise DataError(f"{name} is {words}.")
    if sheet is not None:
        raise DataError(f"{name} is not an Excel file, so it has no sheet {sheet!r}. Leave the sheet out.")
    return _text(content, name, source, decisions)


# ------------------------------------------------------------------------------ text files


def _text(content: bytes, name: str, source: dict, decisions: list[str]) -> pd.DataFrame:
    """A file of separated values, as a grid of text."""
    encoding = _encoding(content, name)
    text = content.decode(encoding, errors="replace").replace("\x00", "")
    if encoding not in ("utf-8", "utf-8-sig"):
        decisions.append(f"The text is in {encoding}, not in UTF-8. Look at letters with accents and at £.")
    _refuse_other_text(text, name)
    told = re.match(r"sep=(.)\r?\n", text)
    text = text[told.end() :] if told else text
    separator = told[1] if told else _separator(text, name)
    if separator != ",":
        decisions.append(f"The values are separated by {SEPARATORS.get(separator, repr(separator))}.")
    source |= {"format": "CSV", "encoding": encoding, "separator": separator}
    found = _cells(text, separator, csv.QUOTE_MINIMAL)
    if found is None:
        decisions.append("A quotation mark is never closed, so quotation marks were read as letters.")
        found = _cells(text, separator, csv.QUOTE_NONE)
    grid, too_long = found
    _say_what_spilt(too_long, len(grid), name, decisions)
    return grid


def _encoding(content: bytes, name: str) -> str:
    """The encoding of a text file: what its first bytes say, or UTF-8, or else the one Windows uses here."""
    marks = {
        codecs.BOM_UTF8: "utf-8-sig",
        codecs.BOM_UTF32_LE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
    for mark, encoding in marks.items():
        if content.startswith(mark):
            return encoding
    start = content[:4000]
    zeros = start[::2].count(0), start[1::2].count(0)
    if max(zeros) > len(start) / 5:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    controls = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1a" for byte in start)
    if controls > len(start) / 50:
        raise DataError(f"{name} is not a table of text, Excel or Parquet. Export the data as CSV.")
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        return "cp1252"


def _refuse_other_text(text: str, name: str) -> None:
    """One sentence for text files that are no tables."""
    start = text.lstrip()[:300].lower()
    if re.match(r"<!doctype html|<html|<\?xml|<table|<head|<body", start):
        raise DataError(f"{name} is a web page or XML, not a table. Export the data as CSV.")
    if re.match(r"[{\[]\s*([\"{\[]|$)", start):
        raise DataError(f"{name} is JSON, not a table. Export the data as CSV.")


def _separator(text: str, name: str) -> str:
    """The separator with which most records have the same number of cells, and more than one."""
    lines = text[: 200 * HEAD]
    best = max(SEPARATORS, key=lambda one: _steadiness(lines, one))
    if _steadiness(lines, best) == 0:
        raise DataError(
            f"{name} has no columns that can be told apart. A table needs two or more, separated by commas."
        )
    return best


def _steadiness(text: str, separator: str) -> float:
    """The share of records that have the usual number of cells; 0 where that is one cell."""
    width, widths = _width(text, separator)
    return 0.0 if width == 1 else widths[width] / sum(widths.values()) + width / 1e6


def _width(text: str, separator: str) -> tuple[int, Counter]:
    """The usual number of cells in the first records (the larger of equally usual ones), and all numbers."""
    try:
        records = list(csv.reader(io.StringIO(text[: 200 * HEAD]), delimiter=separator))[:HEAD]
    except csv.Error:
        records = [line.split(separator) for line in text[: 200 * HEAD].splitlines()[:HEAD]]
    widths = Counter(len(record) for record in records if any(record))
    return max(widths, key=lambda width: (widths[width] * (width > 1), width)), widths


def _cells(text: str, separator: str, quoting: int) -> tuple[pd.DataFrame, list[str]] | None:
    """All records as a grid of text, and the numbers of the lines left out because they have too many cells.

    None where a quotation mark is never closed.
    """
    import pandas as pd

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            grid = pd.read_csv(
                io.BytesIO(text.encode("utf-8", errors="replace")),
                sep=separator,
                header=None,
                names=range(_width(text, separator)[0]),
                index_col=False,
                dtype=str,
                na_filter=False,
                quoting=quoting,
                on_bad_lines="warn",
                low_memory=False,
            )
    except pd.errors.ParserError:
        return None
    long = [grid[c][grid[c].str.len() > 2000] for c in grid] if '"' in text and not quoting else []
    if any((cells.str.count("\n") > 20).any() for cells in long):
        return None
    return grid, re.findall(r"Skipping line (\d+)", " ".join(str(one.message) for one in caught))


def _say_what_spilt(too_long: list[str], rows: int, name: str, decisions: list[str]) -> None:
    """Count the lines with more cells than there are columns; one sentence where they are many."""
    if not too_long:
        return
    words = f"lines have more cells than there are columns, the first of them line {too_long[0]}"
    if len(too_long) > 0.05 * (rows + len(too_long)):
        raise DataError(
            f"In {name} {len(too_long):,} {words}. Put quotation marks round values with a separator in them."
        )
    decisions.append(f"{len(too_long):,} {words}. They were left out.")


# ------------------------------------------------------------------------------ Excel and Parquet


def _excel(content: bytes, name: str, sheet: str | None, source: dict, decisions: list[str]) -> pd.DataFrame:
    """One sheet of an Excel file as a grid of text. Merged cells hold their value in each part."""
    import pandas as pd
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            inside = set(packed.namelist())
        if "xl/workbook.xml" not in inside:
            raise DataError(f"{name} is a compressed file or another Office file. Give an .xlsx or CSV file.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), data_only=True)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name} is damaged: Excel's file cannot be opened. Save it again.") from error
    chosen = _sheet(book, name, sheet, decisions)
    grid = pd.DataFrame(list(chosen.iter_rows(values_only=True)), dtype=object)
    for merged in chosen.merged_cells.ranges:
        rows = slice(merged.min_row - 1, merged.max_row)
        grid.iloc[rows, merged.min_col - 1 : merged.max_col] = chosen.cell(
            merged.min_row, merged.min_col
        ).value
    if chosen.merged_cells.ranges:
        many = len(chosen.merged_cells.ranges)
        decisions.append(f"{many:,} merged cells were taken apart; each part holds the value.")
    source |= {"format": "Excel", "sheet": chosen.title}
    return grid.map(values.as_text)


def _sheet(book, name: str, sheet: str | None, decisions: list[str]):
    """The sheet asked for; or the only one, or the one with the most rows."""
    sheets = {one.title: one for one in book.worksheets}
    if sheet is not None and sheet not in sheets:
        raise DataError(f"{name} has no sheet {sheet!r}. Its sheets are: {', '.join(sheets)}.")
    full = {title: one for title, one in sheets.items() if one.max_row > 1 and one.max_column > 1}
    if not full:
        raise DataError(f"{name} has no sheet with a table in it. Check that it was saved with its values.")
    if sheet is not None:
        return sheets[sheet]
    chosen = max(full.values(), key=lambda one: one.max_row)
    if len(sheets) > 1:
        decisions.append(f"There are {len(sheets)} sheets; {chosen.title!r} has the most rows and was read.")
    hidden = [title for title, one in sheets.items() if one.sheet_state != "visible"]
    if hidden:
        decisions.append(
            f"Hidden in the file: {', '.join(hidden)}. Check that you may have what is in there."
        )
    return chosen


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    """A Parquet file, its columns as text where they hold anything but numbers and dates."""
    import pandas as pd

    try:
        table = pd.read_parquet(io.BytesIO(content))
    except Exception as error:
        raise DataError(f"{name} is damaged: the Parquet file cannot be opened. Save it again.") from error
    table = table.reset_index() if table.index.name else table.reset_index(drop=True)
    return table.map(values.as_text)


# ------------------------------------------------------------------------------ headings


def _table(grid: pd.DataFrame, name: str, decisions: list[str]) -> pd.DataFrame:
    """The grid with its headings as column names, and without what stands above and below the table."""
    grid = grid.apply(lambda column: column.str.strip())
    filled = (grid != "").sum(axis=1)
    grid, filled = grid[filled > 0], filled[filled > 0]
    enough = max(2, int(filled.max()) // 2)
    above = int((filled >= enough).to_numpy().argmax())
    if above:
        decisions.append(
            f"{above} lines above the table were left out. The first is {_first(grid.iloc[0])!r}."
        )
    grid = grid.iloc[above:]
    many = _heading_rows(grid)
    if many == 0:
        decisions.append("There are no headings, because the first line holds numbers: columns are numbered.")
        headings = [""] * grid.shape[1]
    else:
        headings = [" ".join(dict.fromkeys(filter(None, column))) for column in grid.iloc[:many].T.to_numpy()]
    if many > 1:
        decisions.append(f"The headings stand in {many} lines, and were put together.")
    table = _without_foot(grid.iloc[many:], decisions)
    if table.empty:
        raise DataError(f"{name} has headings and no rows. Give a file with data in it.")
    table.columns = _names(headings, table, decisions)
    return table.reset_index(drop=True)


def _heading_rows(grid: pd.DataFrame) -> int:
    """How many of the first lines are headings: those before the first that looks like the rest.

    A line looks like the rest if it has a number or a date in a column of numbers or dates.
    """
    body = grid.iloc[5:200] if len(grid) > 10 else grid.iloc[1:]
    telling = [c for c in grid if values.share_of_figures(body[c]) > 0.6]
    for row in range(min(4, len(grid) - 1)):
        cells = grid.iloc[row]
        if any(values.is_figure(cells[c]) for c in telling):
            return row
    return 1


def _first(cells: pd.Series) -> str:
    """The first cell of a line that holds something, cut short."""
    word = next(cell for cell in cells if cell)
    return word if len(word) < 60 else word[:57] + "..."


def _without_foot(table: pd.DataFrame, decisions: list[str]) -> pd.DataFrame:
    """The table without notes and totals below it."""
    if table.shape[1] < 3:
        return table
    filled = (table != "").sum(axis=1).to_numpy()
    notes = 0
    while notes < len(table) and filled[len(table) - 1 - notes] <= 1:
        notes += 1
    if notes and notes < len(table):
        decisions.append(
            f"{notes} lines below the table were left out. The first is {_first(table.iloc[-notes])!r}."
        )
        table = table.iloc[:-notes]
    if len(table) > 1 and re.fullmatch(r"(grand )?totals?|all|sum", _first(table.iloc[-1]).lower()):
        decisions.append(f"The last line is a total ({_first(table.iloc[-1])!r}) and was left out.")
        table = table.iloc[:-1]
    return table


def _names(headings: list[str], table: pd.DataFrame, decisions: list[str]) -> list[str]:
    """One name per column: blank ones are numbered, repeated ones counted."""
    names, seen = [], Counter()
    blank = [i for i, heading in enumerate(headings) if not heading]
    for i, heading in enumerate(headings):
        name = re.sub(r"\s+", " ", heading) or f"column {i + 1}"
        seen[name] += 1
        while seen[name] > 1 and f"{name} ({seen[name]})" in headings:
            seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    repeated = [name for name, many in seen.items() if many > 1]
    if blank and len(blank) < len(headings):
        decisions.append(
            f"{len(blank)} columns have no heading and were numbered, the first {names[blank[0]]!r}."
        )
    if repeated:
        decisions.append(f"More than one column is called {repeated[0]!r}: they were numbered.")
    return names


def _worth_keeping(table: pd.DataFrame, name: str, decisions: list[str]) -> pd.DataFrame:
    """The table without columns that hold nothing; one sentence where too little is left."""
    empty = [column for column in table if table[column].isna().all()]
    if empty:
        decisions.append(f"{len(empty)} columns hold nothing and were left out: {values.listed(empty)}.")
    table = table.drop(columns=empty)
    if table.shape[1] < 2:
        raise DataError(f"{name} has fewer than two columns with anything in them. Give a file with more.")
    return table
