"""Forms that people fill in on their own computer, and the files that come back.

A form is one page (`page_of`). It asks no host for anything and sends nothing: it checks that everything is
answered, and saves the answers as a small CSV file, which people hand in. The rest of this module reads such
files as people save them, and writes files that are not there yet. The survey of `course.consensus` and the
forms of `course.trainer` are made so.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from course.data import DataError
from course.pages import page

HERE = Path(__file__).resolve().parent
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
CONTACT = r"\S+@\S+|\+?\d[\d\s()-]{6,}\d"  # an e-mail address or a long number, in what people write
CODE_WORDS = "letters, figures and hyphens, with no spaces"


# ------------------------------------------------------------------------------ the page


def style() -> str:
    """The looks of forms and of bars in tables, beside those of every page that stands alone."""
    return (HERE / "forms.css").read_text(encoding="utf-8")


def page_of(
    title: str,
    opening: str,
    boxes: str,
    columns: Sequence[tuple[str, str]],
    facts: dict[str, str],
    file: str,
    script: str = "",
) -> str:
    """A form as a page: the opening, the boxes with its questions, and a button that saves a CSV file.

    `columns` are the headings of the file, each with where its value comes from: "item", "answer" and
    "reason" of each question (an element with data-item), else a control of that name, else one of `facts`.
    `file` is the file's name; names in braces stand for such values. "{random}" is drawn when the file is
    saved, as is the source "random". An element with data-problem must be answered (and match data-pattern);
    the words say what to do. What stands in a hidden element is neither asked for nor saved.
    """
    kept = "".join(f' data-{name}="{escape(value)}"' for name, value in facts.items())
    body = (
        f"<h1>{escape(title)}</h1>\n{opening}"
        '<noscript><p class="first">This form needs JavaScript to save your answers. Without it, '
        "print the page and write on it.</p></noscript>"
        '<div id="errors" class="errors" role="alert" tabindex="-1" hidden>'
        f'<h2>There is a problem</h2><ul></ul></div><form novalidate{kept} data-file="{escape(file)}" '
        f'autocomplete="off">{boxes}'
        '<button type="submit">Save my answers as a file</button></form>'
        '<div id="saved" role="status" tabindex="-1" hidden><h2>Saved</h2><p>Your browser saved the file '
        "<strong></strong>. Give it to the person who asked you to fill this in. If there is no such file, "
        'give them these lines:</p><textarea readonly rows="6" aria-label="Your answers as text"></textarea>'
        "</div>"
    )
    said = json.dumps(list(columns)).replace("</", "<\\/")
    scripts = (
        f'<script type="application/json" id="columns">{said}</script>\n<script>\n{_script()}</script>\n'
    )
    more = f"<script>\n{script}</script>\n" if script else ""
    return page(title, body, script=scripts + more, style=style())


def _script() -> str:
    return (HERE / "forms.js").read_text(encoding="utf-8")


def code_field(name: str, label: str, hint: str, value: str = "") -> str:
    """A field for a code that stands for a person."""
    return (
        f'<div class="field"><label for="{name}">{escape(label)}</label><p class="note" id="{name}-hint">'
        f'{hint}</p><input type="text" id="{name}" name="{name}" value="{escape(value)}" '
        f'aria-describedby="{name}-hint" spellcheck="false" data-pattern="{CODE.pattern}" '
        f'data-problem="Enter your code: {CODE_WORDS}"></div>'
    )


def choice(name: str, label: str, options: Sequence[str], chosen: str, problem: str) -> str:
    """A list to choose one from."""
    listed = "".join(
        f'<option value="{escape(one)}"{" selected" if one == chosen else ""}>{escape(one)}</option>'
        for one in options
    )
    return (
        f'<div class="field"><label for="{name}">{escape(label)}</label><select id="{name}" name="{name}" '
        f'data-problem="{escape(problem)}"><option value="">Choose</option>{listed}</select></div>'
    )


# ------------------------------------------------------------------------------ files


def rows(path: Path, needed: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    """The lines of a CSV file as people save it: (line number, values by heading, all stripped)."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({(error.strerror or 'why is unknown').lower()}).") from None
    if content.startswith((b"PK", b"\xd0\xcf", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        raise DataError(f"{path.name} is no CSV file in UTF-8. Save it from your spreadsheet as CSV UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    limit = csv.field_size_limit(100_000)  # the limit is the whole program's, and other libraries move it
    try:
        heads, *body = [(lines.line_num, cells) for cells in lines] or [(1, [])]
    except csv.Error:
        raise DataError(f"{path.name}, line {lines.line_num + 1}: a quotation mark is not closed.") from None
    finally:
        csv.field_size_limit(limit)
    heads = [cell.strip().lower().replace("_", " ") for cell in heads[1]]
    missing = [name for name in needed if heads.count(name) != 1]
    if missing:
        raise DataError(f"{path.name} needs one column {missing[0]!r} in its first line.")
    for line, cells in body:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(heads):
            raise DataError(f"{path.name}, line {line}: there are more cells than columns. Quote the text.")
        values = [_plain(cell) for cell in cells] + [""] * (len(heads) - len(cells))
        yield line, dict(zip(heads, values, strict=True))


def short(text: str) -> str:
    """What somebody wrote, between quotation marks, on one line, and not at any length."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _plain(cell: str) -> str:
    """A cell without spaces round it, and without the apostrophe that keeps a spreadsheet from running it."""
    return re.sub(r"^'(?=[=+\-@\t\r])", "", cell.strip())


def write_csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence]) -> None:
    """A CSV file that a spreadsheet opens with its letters right, and in which nothing runs as a formula."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(heads)
    for row in rows:
        lines.writerow(
            [re.sub(r"^(?=[=+\-@\t\r])", "'", cell) if isinstance(cell, str) else cell for cell in row]
        )
    write_new(path, "\ufeff" + text.getvalue())


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with open(path, "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise DataError(
            f"{path} is there already, and nothing is written over. Choose another place."
        ) from None


def new_folder(folder: Path) -> Path:
    """Make a folder that is not there yet."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise DataError(
            f"{folder} is there already, and nothing is written over. Choose another name."
        ) from None
    except OSError as error:
        raise DataError(
            f"{folder} cannot be made ({(error.strerror or 'why is unknown').lower()})."
        ) from None
    return folder


def returned_files(folder: Path) -> list[Path]:
    """The CSV files in the folder. Any other file there stops the reading: it may hold answers."""
    found = sorted(
        file for file in folder.glob("*") if not file.name.startswith((".", "~", "Thumbs.", "desktop."))
    )
    for file in found:
        if file.suffix.lower() != ".csv":
            raise DataError(f"{file} is no CSV file. Save it as CSV, or take it out of the folder.")
    if not found:
        raise DataError(f"There are no answers yet. Put the CSV files into {folder}.")
    return found
