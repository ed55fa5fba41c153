"""Files as people really have them, made afresh: each with what `course.assess.read` must say of it.

Each case maps to (file name, its bytes, words). `TABLES` must be read, and the words are a part of a
decision, or None. `REFUSED` must be refused, and the words are a part of the sentence.
"""

import datetime
import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 120
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LOCKED = "EncryptedPackage".encode("utf-16-le")
# `people()` as an old Excel file: a hidden sheet of notes, and a title and merged headings above the table.
OLD_EXCEL = (Path(__file__).parent / "old.xls").read_bytes()


def people(seed=1):
    """A plain table: a reference, an area, an age, an income, a date and a yes or no."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "ref": [f"P{i:05d}" for i in range(ROWS)],
            "area": rng.choice(["North", "South", "Ynys Môn"], ROWS),
            "age": rng.integers(16, 95, ROWS),
            "income": rng.normal(500, 150, ROWS).round(2),
            "start": pd.Series(pd.Timestamp("2024-01-31") + pd.to_timedelta(rng.integers(0, 300, ROWS), "D")),
            "benefit": rng.choice(["Y", "N"], ROWS),
        }
    )


def csv(table=None, encoding="utf-8", **how):
    """A table as the bytes of a CSV file."""
    table = people() if table is None else table
    return table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n", **how).encode(encoding)


def lines(*text, encoding="utf-8"):
    return "\n".join(text).encode(encoding)


def changed(**columns):
    """The plain table with some columns replaced: values, or a function of the old column."""
    table = people()
    for name, value in columns.items():
        table[name] = table[name].map(value) if callable(value) else value
    return csv(table)


def excel(fill=None, table=None, **how):
    """An Excel file of a table, changed by `fill(sheet)`."""
    from openpyxl import load_workbook

    kept = io.BytesIO()
    (people() if table is None else table).to_excel(kept, index=False, **how)
    if fill is None:
        return kept.getvalue()
    book = load_workbook(kept)
    fill(book.active)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def parquet(table=None):
    kept = io.BytesIO()
    (people() if table is None else table).to_parquet(kept)
    return kept.getvalue()


def packed(**files):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as folder:
        for name, content in files.items():
            folder.writestr(name.replace("_", ".").replace("<rels>", "_rels/"), content)
    return kept.getvalue()


def merged_headings(sheet):
    """A title, and headings over two columns each, as in a published table."""
    sheet.insert_rows(1, 3)
    sheet["A1"] = "Table 4: People by area"
    sheet["A3"], sheet["C3"], sheet["E3"] = "Who", "What", "When and whether"
    for place in ("A3:B3", "C3:D3", "E3:F3"):
        sheet.merge_cells(place)


def errors(sheet):
    for row in (5, 9, 30):
        sheet.cell(row, 3).value = "#DIV/0!"
    sheet.cell(12, 4).value = "#N/A"


def two_sheets():
    kept = io.BytesIO()
    with pd.ExcelWriter(kept) as book:
        pd.DataFrame({"note": ["Read me"]}).to_excel(book, sheet_name="Notes", index=False)
        people().to_excel(book, sheet_name="Data", index=False)
        book.sheets["Notes"].sheet_state = "hidden"
    return kept.getvalue()


def formulas(sheet):
    """Formulas whose results nobody saved: a program wrote them, and Excel has not opened the file."""
    for row in range(2, 20):
        sheet.cell(row, 3).value = f"=LEN(B{row})"


def formatted(sheet):
    """Colour to the far end of some rows, as people do with whole rows: no cell there holds anything."""
    from openpyxl.styles import PatternFill

    for column in range(7, 2000):
        sheet.cell(3, column).fill = PatternFill("solid", fgColor="FFFF00")


def far_away(sheet):
    sheet.cell(1_048_576, 16_384).value = "x"


def broken_sheet():
    """An Excel file whose only sheet was cut off inside."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(excel())) as whole, zipfile.ZipFile(kept, "w") as book:
        for name in whole.namelist():
            content = whole.read(name)
            book.writestr(name, content[:700] if "sheet1" in name else content)
    return kept.getvalue()


def ods(table):
    """A table as an OpenDocument spreadsheet, with a million blank rows below it, as they are saved."""

    def cell(value):
        if isinstance(value, pd.Timestamp):
            return f'<table:table-cell office:value-type="date" office:date-value="{value:%Y-%m-%d}"/>'
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    rows = [list(table), *table.itertuples(index=False)]
    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{one}="{urn}:{one}:1.0"' for one in ("office", "table", "text"))
    blank = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
    blank += 'table:number-columns-repeated="16384"/></table:table-row>'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="Data">{body}{blank}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return packed(mimetype=kind, content_xml=content, **{"META-INF/manifest_xml": "<a/>"})


def xlsb(table):
    """A table as a binary Excel file, by hand: records of a kind, a length and a body (MS-XLSB)."""

    def record(kind, body=b""):
        head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
        sizes, size = [len(body) & 127], len(body) >> 7
        while size:
            sizes[-1] |= 128
            sizes.append(size & 127)
            size >>= 7
        return head + bytes(sizes) + body

    def words(text):
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    def cell(place, value):
        if isinstance(value, str):
            return record(6, struct.pack("<II", place, 0) + words(value))
        date = isinstance(value, pd.Timestamp)
        number = (value - pd.Timestamp("1899-12-30")).days if date else value
        return record(5, struct.pack("<IId", place, int(date), number))

    rows = [list(table), *table.itertuples(index=False)]
    body = [
        record(0, struct.pack("<IIHBBBI", i, 0, 300, 0, 0, 0, 0))
        + b"".join(cell(place, value) for place, value in enumerate(row))
        for i, row in enumerate(rows)
    ]
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, table.shape[1] - 1)
    sheet = [record(129), record(148, size), record(145), *body, record(146), record(130)]
    named = record(156, struct.pack("<II", 0, 1) + words("rId1") + words("Data"))
    formats = [record(47, struct.pack("<HH", 0, kind) + bytes(12)) for kind in (0, 14)]  # 14 is a date
    styles = [record(278), record(617, struct.pack("<I", 2)), *formats, record(618), record(279)]
    urn = "http://schemas.openxmlformats.org"
    kind = f"{urn}/officeDocument/2006/relationships/worksheet"
    link = (
        f'<?xml version="1.0"?><Relationships xmlns="{urn}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}" Target="worksheets/sheet1.bin"/></Relationships>'
    )
    parts = {
        "xl/workbook_bin": b"".join([record(131), record(143), named, record(144), record(132)]),
        "xl/_rels/workbook_bin_rels": link,
        "xl/worksheets/sheet1_bin": b"".join(sheet),
        "xl/styles_bin": b"".join(styles),
    }
    return packed(**{name.replace("_rels/", "<rels>"): content for name, content in parts.items()})


def wide(columns=5000, heading="q"):
    rng = np.random.default_rng(0)
    return csv(
        pd.DataFrame(rng.integers(0, 9, (60, columns)), columns=[f"{heading}{i}" for i in range(columns)])
    )


def money(amount):
    return f"£{amount * 30:,.2f}"


def shuffled(sentence):
    return [sentence + " " + "word " * (i % 9) for i in range(ROWS)]


TEXT = csv().decode()
HEAD, *BODY = TEXT.splitlines()
TABLES = {
    "plain": ("a.csv", csv(), None),
    "no newline at the end": ("a.csv", csv().rstrip(b"\n"), None),
    "windows line ends": ("a.csv", TEXT.replace("\n", "\r\n").encode(), None),
    "old mac line ends": ("a.csv", TEXT.replace("\n", "\r").encode(), None),
    "byte order mark": ("a.csv", csv(encoding="utf-8-sig"), None),
    "windows-1252": ("a.csv", csv(encoding="cp1252"), "cp1252, not in UTF-8"),
    "utf-16": ("a.csv", csv(encoding="utf-16"), "utf-16, not in UTF-8"),
    "utf-16 without its mark": ("a.csv", csv(encoding="utf-16-le"), "utf-16-le"),
    "utf-16 big end first": ("a.csv", csv(encoding="utf-16-be"), "utf-16-be"),
    "one wrong byte": ("a.csv", TEXT.encode().replace(b"South", b"So\x81th", 1), "cp1252"),
    "semicolons": ("a.csv", csv(sep=";"), "separated by semicolons"),
    "tabs": ("a.tsv", csv(sep="\t"), "separated by tabs"),
    "upright bars": ("a.txt", csv(sep="|"), "separated by upright bars"),
    "blanks": ("a.txt", changed(area="North").replace(b",", b" "), "separated by blanks"),
    "blanks in columns": (
        "a.txt",
        people().to_string(index=False, columns=["ref", "age", "income"]).encode(),
        "separated by blanks",
    ),
    "excel's own word for the separator": ("a.csv", b"sep=;\n" + csv(sep=";"), "semicolons"),
    "all quoted": ("a.csv", csv(quoting=1), None),
    "commas inside quotes": ("a.csv", changed(area="Leeds, West"), None),
    "line breaks inside quotes": ("a.csv", changed(area="1 High Street\nLeeds"), None),
    "a quote never closed": ("a.csv", TEXT.replace("North", '"North', 1).encode(), "never closed"),
    "decimal commas": ("a.csv", csv(decimal=",", sep=";"), "comma is the decimal point"),
    "thousands and pounds": ("a.csv", changed(income=money), "Pound signs were taken out"),
    "thousands": ("a.csv", changed(income=lambda x: f"{x * 30:,.0f}"), "Commas between thousands"),
    "accountants' brackets": ("a.csv", changed(income=lambda x: f"({x})" if x < 400 else x), None),
    "minus at the end": ("a.csv", changed(income=lambda x: f"{x}-" if x < 400 else x), None),
    "per cent": ("a.csv", changed(income=lambda x: f"{x / 10:.1f}%"), "Per cent signs"),
    "scientific numbers": ("a.csv", changed(income=lambda x: f"{x:.4E}"), None),
    "UK dates": (
        "a.csv",
        csv(people().assign(start=people()["start"].dt.strftime("%d/%m/%Y"))),
        "day, month",
    ),
    "US dates": (
        "a.csv",
        csv(people().assign(start=people()["start"].dt.strftime("%m/%d/%Y"))),
        "month, day",
    ),
    "dates with words": ("a.csv", changed(start=lambda d: f"{d:%d %B %Y}"), "day, month, year"),
    "two-digit years": ("a.csv", changed(start=lambda d: f"{d:%d/%m/%y}"), "day, month, year"),
    "times of day": ("a.csv", changed(start=lambda d: f"{d:%Y-%m-%d} 09:30:00"), "Times of day"),
    "times with a zone": ("a.csv", changed(start=lambda d: f"{d:%Y-%m-%d}T09:30:00Z"), "Times of day"),
    "some impossible dates": (
        "a.csv",
        changed(start=lambda d: "31/02/2024" if d.day == 3 else f"{d:%d/%m/%Y}"),
        "do not fit became blank",
    ),
    "marks for missing": (
        "a.csv",
        changed(age=lambda a: "n/a" if a > 90 else a),
        "Marks for a missing value",
    ),
    "statistics' shorthand": ("a.csv", changed(age=lambda a: "[c]" if a > 80 else a), "Marks for a missing"),
    "a word among numbers": ("a.csv", changed(age=lambda a: "ninety" if a == 94 else a), None),
    "spreadsheet errors": (
        "a.csv",
        changed(age=lambda a: "#DIV/0!" if a > 85 else a),
        "Errors of a spreadsheet",
    ),
    "numbers with blanks round them": ("a.csv", changed(age=lambda a: f"  {a} "), None),
    "NHS-like numbers": ("a.csv", changed(ref=lambda r: f"9{int(r[1:]):09d}"), None),
    "leading noughts": ("a.csv", changed(ref=lambda r: r[1:]), None),
    "codes that look like powers": ("a.csv", changed(ref=lambda r: f"E12{r[1:]}"), None),
    "free text": ("a.csv", changed(area=shuffled("She came on Monday and said, again,")), None),
    "formulas": ("a.csv", changed(area="=1+1"), "would run values as formulas"),
    "a giant category": ("a.csv", changed(area="x" * 30_000), None),
    "duplicate headings": (
        "a.csv",
        csv(people().set_axis(["a", "a", "b", "c", "d", "a"], axis=1)),
        "called 'a'",
    ),
    "blank headings": ("a.csv", csv(people().rename(columns={"age": "", "area": " "})), "without a heading"),
    "all missing columns": ("a.csv", changed(area="", income=""), "hold nothing were left out"),
    "trailing separators": ("a.csv", lines(*(f"{line},,," for line in [HEAD, *BODY])), "hold nothing"),
    "no headings": ("a.csv", lines(*BODY), "There are no headings"),
    "years as headings": (
        "a.csv",
        lines("area,1990,1991,1992", *(f"Area {i},{i}.5,{i + 1}.5,{i + 2}.25" for i in range(60))),
        None,
    ),
    "a title above": ("a.csv", lines("Claims in 2024", "", TEXT), "above the table were left out: 1"),
    "notes below": (
        "a.csv",
        lines(TEXT.strip(), "", "Source: the Department"),
        "below the table were left out: 1",
    ),
    "a total below": ("a.csv", lines(TEXT.strip(), "Total,,5000,60000,,"), "is a total"),
    "blank lines between": ("a.csv", lines(HEAD, *(line + "\n" for line in BODY)), None),
    "a few lines too long": (
        "a.csv",
        lines(TEXT.strip(), BODY[0] + ",x,y", BODY[1]),
        "were left out: 1, the first line",
    ),
    "lines too short": ("a.csv", lines(TEXT.strip(), "P90000,North", "P90001,South"), None),
    "headings in capitals and spaces": ("a.csv", TEXT.replace("age", " AGE at  Claim ").encode(), None),
    "five thousand columns": ("a.csv", wide(), None),
    "headings of a megabyte": ("a.csv", wide(1000, "a long heading " * 60), None),
    "five rows": ("a.csv", lines(HEAD, *BODY[:5]), None),
    "one constant column": ("a.csv", changed(area="North"), None),
    "emoji and Welsh": ("a.csv", changed(area="Tŷ Gwyn 🏠"), None),
    "null bytes": ("a.csv", TEXT.replace("North", "No\x00rth", 3).encode(), None),
    "excel": ("a.xlsx", excel(), None),
    "excel under another name": ("a.csv", excel(), None),
    "excel with merged headings": ("a.xlsx", excel(merged_headings), "cells were taken apart"),
    "excel with errors": ("a.xlsx", excel(errors), "count as blank. In the file: 4"),
    "excel with several sheets": ("a.xlsx", two_sheets(), "Hidden in the file: Notes"),
    "excel with blank columns before": (
        "a.xlsx",
        excel(lambda sheet: sheet.insert_cols(1, 2)),
        "hold nothing",
    ),
    "excel with formulas nobody has run": (
        "a.xlsx",
        excel(formulas),
        "without a result count as blank. In the",
    ),
    "excel with colour far to the right": ("a.xlsx", excel(formatted), None),
    "old excel": ("a.xls", OLD_EXCEL, "Hidden in the file: Notes"),
    "binary excel": ("a.xlsb", xlsb(people()), "cannot be told from a blank"),
    "open document": ("a.ods", ods(people()), "cannot be told from a blank"),
    "line ends of two kinds": (
        "a.csv",
        lines(HEAD + "\r", *BODY[:60], *(line + "\r" for line in BODY[60:])),
        None,
    ),
    "parquet": ("a.parquet", parquet(), None),
    "parquet with categories": ("a.parquet", parquet(people().astype({"area": "category"})), None),
    "parquet with times": (
        "a.parquet",
        parquet(people().assign(start=datetime.datetime(2024, 5, 1, 9, tzinfo=datetime.UTC))),
        "Times of day",
    ),
}
REFUSED = {
    "empty": ("a.csv", b"", "is empty"),
    "blanks only": ("a.csv", b" \n\n \n", "is empty"),
    "headings only": ("a.csv", HEAD.encode(), "headings and no rows"),
    "one column": (
        "a.csv",
        lines("name", *(f"person {i}" for i in range(50))),
        "no columns that can be told apart",
    ),
    "prose": (
        "a.txt",
        lines(*["It was a cold day in April and the clocks were striking."] * 20),
        "no columns",
    ),
    "web page": ("a.csv", b"<!DOCTYPE html><html><body>Please log in</body></html>", "a web page"),
    "json": ("a.json", people().to_json(orient="records").encode(), "is JSON"),
    "pdf": ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 9, "a PDF"),
    "picture": ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(500), "a picture"),
    "an old Word file": ("a.doc", OLD_OFFICE + bytes(2000), "is damaged, or no workbook"),
    "half an old excel": ("a.xls", OLD_EXCEL[:9000], "is damaged, or no workbook"),
    "excel with a password": ("a.xlsx", OLD_OFFICE + bytes(900) + LOCKED + bytes(900), "has a password"),
    "half a binary excel": ("a.xlsb", xlsb(people())[:9000], "is damaged"),
    "open document of another kind": (
        "a.odt",
        packed(**{"content_xml": "<a>"}),
        "is damaged, or no workbook",
    ),
    "a cell at the far end": ("a.xlsx", excel(far_away), "Delete what stands far from the table"),
    "a sheet that is no XML": ("a.xlsx", broken_sheet(), "is damaged"),
    "damaged excel": ("a.xlsx", excel()[:3000], "is damaged"),
    "damaged parquet": ("a.parquet", parquet()[:500], "is damaged"),
    "a zip of a CSV": ("a.zip", packed(data_csv=csv()), "compressed file or another Office file"),
    "compressed": ("a.csv.gz", gzip.compress(csv()), "a compressed file"),
    "random bytes": ("a.csv", np.random.default_rng(3).bytes(5000), "not a table"),
    "lines too long": (
        "a.csv",
        lines(HEAD, *(line + ",x" * (i % 7) for i, line in enumerate(BODY))),
        "In a.csv",
    ),
    "one endless line": ("a.csv", b"1," * 2**20, "has lines of"),
    "an empty sheet": ("a.xlsx", excel(table=pd.DataFrame()), "no sheet with a table"),
    "all missing": ("a.csv", lines("a,b,c", *[",,"] * 30), ""),
}


# ------------------------------------------------------------------------------ no data, but a description

DESCRIPTION = """
fields:
  - {name: ref, type: string, role: identifier}
  - {name: area, categories: [N, NO, 007, {value: W, label: West}]}
  - {name: grade, type: integer, constraints: {enum: [1, 2, 3], required: true}}
  - {name: age, type: integer, constraints: {minimum: 16, maximum: 99, required: true}}
  - {name: income, type: number, constraints: {minimum: 0}}
  - {name: start, type: date, constraints: {minimum: 2020-01-01, maximum: 2024-12-31}}
  - {name: benefit, type: boolean}
  - {name: code, type: string, constraints: {pattern: "[A-C]{2}[0-9]"}}
"""
BAD_DESCRIPTIONS = {
    "empty": ("", "is empty"),
    "prose": ("It has a name and an age", 'no list "fields"'),
    "no fields": ("{}", 'no list "fields"'),
    "fields that are none": ("fields: [age, sex]", "field 1 has no name"),
    "half a JSON": ('{"fields": [', "look at line 1"),
    "half a YAML": ("fields: [", "look at line 1"),
    "a type nobody knows": ("fields: [{name: a, type: colour}]", "'colour'. It is one of: string"),
    "a role nobody knows": ("fields: [{name: a, role: secret}]", "'secret'. It is one of: identifier"),
    "two of a name": ("fields: [{name: a}, {name: a}]", "more than once"),
    "codes that are no list": ("fields: [{name: a, categories: Y}]", "as a list"),
    "codes without values": ("fields: [{name: a, categories: [{label: yes}]}]", "has no value"),
    "a code of the wrong type": ("fields: [{name: a, type: integer, categories: [x]}]", "not a whole number"),
    "limits that are none": ("fields: [{name: a, constraints: 3}]", "names with values"),
    "a limit that is no number": ("fields: [{name: a, type: number, constraints: {minimum: x}}]", "a number"),
    "an endless limit": ("fields: [{name: a, type: number, constraints: {minimum: inf}}]", "a number"),
    "a date that is none": (
        "fields: [{name: a, type: date, constraints: {maximum: 2/1/20}}]",
        "2026-04-01",
    ),
    "limits the wrong way round": (
        "fields: [{name: a, type: integer, constraints: {minimum: 9, maximum: 1}}]",
        "above its maximum",
    ),
    "several tables": (
        '{"resources": [{"schema": {"fields": []}}, {"schema": {"fields": []}}]}',
        "describes 2 tables",
    ),
    "lists without end": ("[" * 30_000, "without end"),
    "not text": ("fields: [{name: \x00}]", "cannot be read as YAML"),
    "an object of Python": ("fields: !!python/object/apply:os.getcwd []", 'no list "fields"'),
}
