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
import itertools
import re
import warnings
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course.assess import values
from course.data import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

HEAD, LOOK = 400, 2**20  # records, and letters, looked at to find the separator and the headings
MOST_COLUMNS = 16_384  # as in Excel
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # how .xls begins, and .xlsx with a password
LOCKED = "has a password. Open it, save it without one where only you can see it, and give that file"
MOST_UNPACKED = 8 * 2**30  # bytes of a packed workbook
MOST_NOTES = 1000  # lines below a table
MOST_CELLS = 100_000_000  # of a sheet, from its first cell to its last
# What a file is, told by its first bytes, and what to do about it.
OTHER_FILES = {
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
    """Read CSV, a workbook (.xlsx, .xls, .xlsb, .ods) or Parquet as a `Reading`. `sheet` is for workbooks.

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
    if content.startswith((b"PK", OLD_OFFICE)):
        return _workbook(content, name, sheet, source, decisions)
    for start, words in OTHER_FILES.items():
        if content.startswith(start):
            raise DataError(f"{name} is {words}.")
    if sheet is not None:
        raise DataError(f"{name} is not a workbook, so it has no sheet {sheet!r}. Leave the sheet out.")
    return _text(content, name, source, decisions)


# ------------------------------------------------------------------------------ text files


def _text(content: bytes, name: str, source: dict, decisions: list[str]) -> pd.DataFrame:
    """A file of separated values, as a grid of text."""
    encoding = encoding_of(content, name)
    text = content.decode(encoding, errors="replace").replace("\x00", "")
    if encoding not in ("utf-8", "utf-8-sig"):
        decisions.append(f"The text is in {encoding}, not in UTF-8. Look at letters with accents and at £.")
    _refuse_other_text(text, name)
    told = re.match(r"sep=(.)\r?\n", text)
    text = text[told.end() :] if told else text
    separator = told[1] if told else _separator(text, name)
    if separator != ",":
        words = {**SEPARATORS, " ": "blanks"}.get(separator, repr(separator))
        decisions.append(f"The values are separated by {words}.")
    if (wide := _width(text, separator)[0]) > MOST_COLUMNS:
        raise DataError(
            f"{name} has lines of {wide:,} cells or more. A table can have {MOST_COLUMNS:,} columns."
        )
    source |= {"format": "CSV", "encoding": encoding, "separator": separator}
    found = _cells(text, separator, csv.QUOTE_MINIMAL)
    if found is None:
        decisions.append("A quotation mark is never closed, so quotation marks were read as letters.")
        found = _cells(text, separator, csv.QUOTE_NONE)
    if found is None:
        raise DataError(f"{name} cannot be cut into lines and cells. Export it as CSV again.")
    grid, too_long = found
    _say_what_spilt(too_long, len(grid), name, decisions)
    return grid


def encoding_of(content: bytes, name: str) -> str:
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
    lines = text[:LOOK]
    best = max(SEPARATORS, key=lambda one: _steadiness(lines, one))
    if _steadiness(lines, best) == 0:
        if _separated_by_blanks(lines):
            return " "
        raise DataError(
            f"{name} has no columns that can be told apart. A table needs two or more, separated by commas."
        )
    return best


def _separated_by_blanks(text: str) -> bool:
    """Whether nearly all lines have as many words, some of them figures under a heading: prose does not."""
    cells = [cells for cells in _records(text, " ") if any(cells)]
    steady = [one for one in cells if len(one) == len(cells[0]) > 1]
    figures = [any(values.is_figure(cell) for cell in one) for one in steady[1:]]
    return len(steady) > 0.95 * len(cells) > 4 and all(figures)


def _steadiness(text: str, separator: str) -> float:
    """The share of records that have the usual number of cells; 0 where that is one cell."""
    width, widths = _width(text, separator)
    return 0.0 if width == 1 else widths[width] / sum(widths.values()) + width / 1e6


def _width(text: str, separator: str) -> tuple[int, Counter]:
    """The usual number of cells in the first records (the larger of equally usual ones), and all numbers."""
    widths = Counter(len(record) for record in _records(text, separator) if any(record))
    return max(widths, key=lambda width: (widths[width] * (width > 1), width)), widths


def _records(text: str, separator: str) -> list[list[str]]:
    """The first records of a text, each as its cells."""
    lines, blanks = io.StringIO(text[:LOOK]), separator == " "
    try:
        return list(itertools.islice(csv.reader(lines, delimiter=separator, skipinitialspace=blanks), HEAD))
    except csv.Error:
        return [line.split(separator) for line in text[:LOOK].splitlines()[:HEAD]]


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
                skipinitialspace=separator == " ",
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
    words = f"{len(too_long):,}, the first line {too_long[0]}"
    if len(too_long) > 0.05 * (rows + len(too_long)):
        raise DataError(
            f"In {name} too many lines have more cells than there are columns: {words}. "
            "Put quotation marks round values with a separator in them."
        )
    decisions.append(f"Lines with more cells than there are columns were left out: {words}.")


# ------------------------------------------------------------------------------ workbooks and Parquet


def _workbook(
    content: bytes, name: str, sheet: str | None, source: dict, decisions: list[str]
) -> pd.DataFrame:
    """One sheet of a workbook as a grid of text. Merged cells hold their value in each part."""
    import pandas as pd
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    if "EncryptedPackage".encode("utf-16-le") in content:
        raise DataError(f"{name} {LOCKED}.")
    kind = _kind_of_workbook(content, name)
    if kind == ".xlsx":
        _look_inside(content, name, decisions)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {
            one.name: (book.get_sheet_by_name(one.name), one.visible == SheetVisibleEnum.Visible)
            for one in book.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet
        }
    except PasswordError:
        raise DataError(f"{name} {LOCKED}.") from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library is written in Rust, whose panics are no Exceptions
        raise DataError(f"{name} is damaged, or no workbook. Save it again, as .xlsx or CSV.") from error
    chosen = _sheet(sheets, name, sheet, decisions)
    grid = pd.DataFrame(chosen.to_python(skip_empty_area=False), dtype=object)
    merged = [one for one in chosen.merged_cell_ranges or [] if one[0][0] < len(grid)]
    for (top, left), (bottom, right) in merged:
        grid.iloc[top : bottom + 1, left : right + 1] = grid.iat[top, left]
    if merged:
        decisions.append(f"Merged cells were taken apart, and each part holds the value: {len(merged):,}.")
    if kind != ".xlsx":
        decisions.append(f"In an {kind} file an error, such as #N/A, cannot be told from a blank.")
    source |= {"format": f"Workbook ({kind})", "sheet": chosen.name}
    return grid.map(values.as_text)


def _kind_of_workbook(content: bytes, name: str) -> str:
    """Whether a file is .xls, .xlsx, .xlsb or .ods, by what is in it. DataError if it is none of them."""
    if content.startswith(OLD_OFFICE):
        return ".xls"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size, inside = sum(one.file_size for one in packed.infolist()), set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise DataError(f"{name} is damaged: it cannot be unpacked. Save it again.") from error
    kinds = {"xl/workbook.xml": ".xlsx", "xl/workbook.bin": ".xlsb", "content.xml": ".ods"}
    kind = next((kind for part, kind in kinds.items() if part in inside), None)
    if kind is None:
        raise DataError(f"{name} is a compressed file or another Office file. Give a workbook or a CSV file.")
    if size > MOST_UNPACKED:
        raise DataError(f"{name} unpacks to {size / 2**30:,.0f} GB, which is too much. Export it as CSV.")
    return kind


def _look_inside(content: bytes, name: str, decisions: list[str]) -> None:
    """Look through the sheets of an .xlsx file for what the library does not tell, or cannot bear.

    It shows errors, and formulas without a result, as blanks. And it fills the whole rectangle up to the last
    cell, so that one stray cell at the far end of a sheet would take hundreds of gigabytes.
    """
    errors = unsaved = 0
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for part in packed.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", part):
                continue
            rows, columns = 0, {b""}
            for text in _by_rows(packed, part, name):
                errors += len(re.findall(rb"<(?:\w+:)?c [^>]*t=\"e\"", text))
                unsaved += len(re.findall(rb"</(?:\w+:)?f>(?:<v/>|<v></v>)?</(?:\w+:)?c>", text))
                cells = re.findall(rb"<(?:\w+:)?c [^>]*?r=\"([A-Z]+)(\d+)\"(?:[^>]*[^/])?>", text)
                rows = max(rows, int(cells[-1][1])) if cells else rows
                columns.update(column for column, _ in cells)
            last = max(columns, key=lambda one: (len(one), one))
            if rows * _place(last) > MOST_CELLS:
                raise DataError(
                    f"{name} has a cell in column {last.decode()}, and {rows:,} rows. "
                    "Delete what stands far from the table, or export it as CSV."
                )
    if errors:
        decisions.append(f"Cells with an error, such as #N/A, count as blank. In the file: {errors:,}.")
    if unsaved:
        decisions.append(
            f"Formulas without a result count as blank. In the file: {unsaved:,}. Open and save it in Excel "
            "to have the results."
        )


def _by_rows(packed: zipfile.ZipFile, part: str, name: str) -> Iterator[bytes]:
    """The text of a sheet in pieces that end with a row."""
    kept = b""
    try:
        with packed.open(part) as file:
            while piece := file.read(2**24):
                kept += piece
                end = kept.rfind(b"row>") + 4
                if end > 4:
                    yield kept[:end]
                    kept = kept[end:]
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name} is damaged: it cannot be unpacked. Save it again.") from error


def _place(column: bytes) -> int:
    """The number of a column from its letters: A is 1, XFD is 16,384."""
    number = 0
    for letter in column:
        number = 26 * number + letter - 64
    return number


def _sheet(sheets: dict, name: str, sheet: str | None, decisions: list[str]):
    """The sheet asked for; or the only one, or the one with the most rows."""
    if sheet is not None and sheet not in sheets:
        raise DataError(f"{name} has no sheet {sheet!r}. Its sheets are: {', '.join(sheets)}.")
    full = [one for one, _ in sheets.values() if one.height > 1 and one.width > 1]
    if not full:
        raise DataError(f"{name} has no sheet with a table in it. Check that it was saved with its values.")
    if sheet is not None:
        return sheets[sheet][0]
    chosen = max(full, key=lambda one: one.height)
    if len(sheets) > 1:
        decisions.append(f"There are {len(sheets)} sheets; {chosen.name!r} has the most rows and was read.")
    if hidden := [title for title, (_, visible) in sheets.items() if not visible]:
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
    for column in grid:
        grid[column] = _stripped(grid[column])
    filled = (grid != "").sum(axis=1)
    if not filled.all():
        grid, filled = grid[filled > 0], filled[filled > 0]
    enough = max(2, int(filled.max()) // 2)
    above = int((filled >= enough).to_numpy().argmax())
    if above:
        decisions.append(f"Lines above the table were left out: {above}, the first {_first(grid.iloc[0])!r}.")
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


def _stripped(column: pd.Series) -> pd.Series:
    """A column of text without blanks round its values. Each different value is looked at once."""
    import pandas as pd

    codes, words = pd.factorize(column)
    bare = np.array([word.strip() for word in words], dtype=object)
    return column if (bare == words).all() else pd.Series(bare.take(codes), index=column.index)


def _heading_rows(grid: pd.DataFrame) -> int:
    """How many of the first lines are headings: those before the first that looks like the rest.

    A line looks like the rest if it has a number or a date in a column of numbers or dates.
    """
    body = grid.iloc[5:200] if len(grid) > 10 else grid.iloc[1:]
    telling = [c for c in grid if values.share_of_figures(body[c]) > 0.6]
    for row in range(min(4, len(grid) - 1)):
        cells = grid.iloc[row]
        figures = [cells[c] for c in telling if values.is_figure(cells[c])]
        if figures and not _are_years(figures, body[telling]):
            return row
    return 1


def _are_years(figures: list[str], body: pd.DataFrame) -> bool:
    """Whether the figures of a line are years in order, over columns of something else: headings."""
    years = all(re.fullmatch(r"(18|19|20)\d\d", one) for one in figures)
    in_order = len(figures) > 1 and sorted(set(figures)) in (figures, figures[::-1])
    return years and in_order and not body.isin(figures).any(axis=None)


def _first(cells: pd.Series) -> str:
    """The first cell of a line that holds something, cut short."""
    word = next(cell for cell in cells if cell)
    return word if len(word) < 60 else word[:57] + "..."


def _without_foot(table: pd.DataFrame, decisions: list[str]) -> pd.DataFrame:
    """The table without notes and totals below it."""
    if table.shape[1] < 3:
        return table
    filled = (table.tail(MOST_NOTES) != "").sum(axis=1).to_numpy()
    notes = 0
    while notes < len(filled) and filled[-1 - notes] <= 1:
        notes += 1
    if notes and notes < len(table):
        decisions.append(
            f"Lines below the table were left out: {notes}, the first {_first(table.iloc[-notes])!r}."
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
            f"Columns without a heading were numbered: {len(blank):,}, the first {names[blank[0]]!r}."
        )
    if repeated:
        decisions.append(f"More than one column is called {repeated[0]!r}: they were numbered.")
    return names


def _worth_keeping(table: pd.DataFrame, name: str, decisions: list[str]) -> pd.DataFrame:
    """The table without columns that hold nothing; one sentence where too little is left."""
    empty = [column for column in table if table[column].isna().all()]
    if empty:
        decisions.append(f"Columns that hold nothing were left out: {values.listed(empty)}.")
    table = table.drop(columns=empty)
    if table.shape[1] < 2:
        raise DataError(f"{name} has fewer than two columns with anything in them. Give a file with more.")
    return table
