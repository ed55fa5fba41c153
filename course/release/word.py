"""The tokens of a paper as a Word file: real headings, tables with heads that repeat, British English."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course.release.papers import Paper

LANGUAGE = "en-GB"
MOST_UPRIGHT = 6  # columns of a table that an upright page holds


def document(paper: Paper, status: str) -> bytes:
    """The paper as the bytes of a .docx file; `status` is its first line."""
    import docx

    made = docx.Document()
    made.core_properties.title = f"{status.partition(':')[0]}: {paper.title}"
    made.core_properties.language = LANGUAGE
    made.core_properties.author = ""
    made.core_properties.comments = ""
    _speak(made)
    made.add_paragraph().add_run(status).bold = True
    words = paper.tokens()
    _page(
        made, wide=any(token.type == "table_open" and token.meta["columns"] > MOST_UPRIGHT for token in words)
    )
    Writer(made).write(words)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def _page(made, wide: bool) -> None:
    """A4, and on its side where a table needs that."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    section = made.sections[0]
    section.page_width, section.page_height = (Mm(297), Mm(210)) if wide else (Mm(210), Mm(297))
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(20)


def _speak(made) -> None:
    """Set the language of every word, by the style that all others rest on."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    defaults = made.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    language = defaults.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        defaults.append(language)
    for name in ("w:val", "w:eastAsia"):
        language.set(qn(name), LANGUAGE)


class Writer:
    """Writes tokens into a document, one kind after the other."""

    def __init__(self, made):
        self.made, self.style, self.rows, self.caption = made, None, None, ""

    def write(self, tokens) -> None:
        for place, token in enumerate(tokens):
            if token.type in ("bullet_list_open", "ordered_list_open"):
                self.style = "List Bullet" if token.type.startswith("bullet") else "List Number"
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self.style = None
            elif token.type == "table_open":
                self.rows, self.caption = [], token.meta.get("caption", "")
            elif token.type == "tr_open":
                self.rows.append([])
            elif token.type == "table_close":
                self._table()
            elif token.type == "inline":
                self._words(token, tokens[place - 1])

    def _words(self, token, opened) -> None:
        """Words go into a cell, a heading or a paragraph, by what was opened before them."""
        if opened.type in ("th_open", "td_open"):
            self.rows[-1].append(token)
        elif opened.type == "heading_open":
            self._runs(self.made.add_heading(level=int(opened.tag[1])), token)
        else:
            self._runs(self.made.add_paragraph(style=self.style), token)

    def _runs(self, paragraph, token) -> None:
        """The words of a token as runs, bold and gaps kept. A link's address stands behind its words."""
        bold, italic, address = False, False, ""
        for part in token.children:
            if part.type in ("strong_open", "strong_close"):
                bold = part.type == "strong_open"
            elif part.type in ("em_open", "em_close"):
                italic = part.type == "em_open"
            elif part.type == "link_open":
                address = part.attrs["href"]
            elif part.type == "link_close":
                paragraph.add_run(f" ({address})")
            elif part.type in ("softbreak", "hardbreak"):
                paragraph.add_run(" ")
            elif part.content:
                run = paragraph.add_run(part.content)
                run.bold, run.italic = bold or None, italic or None

    def _table(self) -> None:
        """A table with its caption above, its first row marked as the head and repeated on every page."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        self.made.add_paragraph(self.caption, style="Caption").paragraph_format.keep_with_next = True
        table = self.made.add_table(rows=len(self.rows), cols=len(self.rows[0]), style="Table Grid")
        for row, cells in zip(table.rows, self.rows, strict=True):
            for cell, token in zip(row.cells, cells, strict=True):
                self._runs(cell.paragraphs[0], token)
        head = table.rows[0]._tr.get_or_add_trPr()
        head.append(OxmlElement("w:tblHeader"))
        for cell in table.rows[0].cells:
            for run in cell.paragraphs[0].runs:
                run.bold = True
        described = OxmlElement("w:tblCaption")
        described.set(qn("w:val"), self.caption)
        table._tbl.tblPr.append(described)
        self.made.add_paragraph()
