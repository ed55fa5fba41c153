"""The papers: a template and the run's figures become Markdown, and Markdown becomes an HTML page.

Each paper is one file of `templates/`, which can be read as a blank form. Its placeholders are of two kinds:
`{{ ask("A question in plain words?") }}` is a gap for a person, and everything else is a figure or a word of
the run. What comes from a run or from a person is text: no mark in it can become a heading, a link or HTML.

The rendered Markdown is read once, into tokens. The page here and the Word file (`word.py`) are both made
from them, so they cannot differ. A paragraph "Table: ..." before a table is its caption.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from course.pages import page
from course.release import measures as measured
from course.release.gaps import filled

if TYPE_CHECKING:
    from markdown_it.token import Token

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# Every paper, in the order of reading, and who may read it.
PUBLIC, INSIDE = "may be published with the data", "stays inside"
PAPERS = {
    "data-card": PUBLIC,
    "model-card": PUBLIC,
    "summary": PUBLIC,
    "transparency-record": PUBLIC,
    "licence": PUBLIC,
    "risk-assessment": INSIDE,
    "checklist": INSIDE,
    "impact-assessment": INSIDE,
    "policy": INSIDE,
}
GAP = "GAP:"


@dataclass
class Paper:
    """One paper: its Markdown, and the questions it asks, those without an answer apart."""

    name: str
    markdown: str
    asked: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return re.search(r"^# (.+)$", self.markdown, flags=re.M)[1].replace("\\", "")

    @property
    def readers(self) -> str:
        return PAPERS.get(self.name, INSIDE)

    def tokens(self) -> list[Token]:
        return tokens(self.markdown)

    def html(self, status: str) -> str:
        """The paper as a page that stands alone; `status` is its first line."""
        body = _reader().renderer.render(self.tokens(), _reader().options, {})
        first = f'<p class="first">{escape(status)}</p>'
        title = f"{status.partition(':')[0]}: {self.title}"
        return page(title, f"{first}\n{body}", style=STYLE)


STYLE = """.wide-table th[scope="row"] { min-width: 9rem; }
td { min-width: 6.5rem; }
main { overflow-wrap: break-word; }
strong.gap { text-decoration: underline dotted 2px; text-underline-offset: .25em; }
@media print {
  body { font-size: 10pt; line-height: 1.35; }
  h1 { font-size: 16pt; }
  h2 { font-size: 12pt; margin: .8rem 0 .3rem; }
}
"""


class Answer(str):
    """Text that is Markdown already, and is not to be escaped again."""

    __slots__ = ()


def fill(name: str, facts: dict, answers: dict[str, str]) -> Paper:
    """Fill the template called `name` with facts and answers. Returns a `Paper`."""
    paper = Paper(name, "")

    def ask(question: str) -> str:
        if question not in paper.asked:
            paper.asked.append(question)
        if filled(answers.get(question)):
            return Answer(text(answers[question].strip()))
        if question not in paper.gaps:
            paper.gaps.append(question)
        return Answer(f"**{GAP} {text(question)}**")

    def tick(question: str) -> str:
        return Answer("done" if filled(answers.get(question)) else r"\[ \] to do")

    paper.markdown = _forms().get_template(f"{name}.md").render(**facts, ask=ask, tick=tick)
    return paper


@cache
def _forms():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(  # what is filled in is escaped as Markdown, by `text`
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Answer) else text(value),
    )
    made.filters["percent"] = measured.percent
    made.filters["interval"] = measured.interval
    made.filters["number"] = lambda value: f"{value:,}"
    made.filters["listed"] = lambda values: ", ".join(map(str, values)) or "none"
    return made


def text(value) -> str:
    """A value as Markdown that shows it as it is, on one line."""
    words = " ".join(str(value).split())
    words = re.sub(r"([\\`*_{}\[\]<>|~&])", r"\\\1", words)
    words = re.sub(r"^([#+=-])", r"\\\1", words)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", words)


# ------------------------------------------------------------------------------ Markdown to tokens to HTML


@cache
def _reader():
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def tokens(markdown: str) -> list[Token]:
    """The tokens of a paper: tables with their captions and heads, gaps marked."""
    found, made, place = _reader().parse(markdown), [], 0
    while place < len(found):
        token = found[place]
        if token.type == "paragraph_open" and _is_caption(found, place):
            made += _table_open(found, place)
            place += 4
            continue
        made += [token, _block("</div>\n")] if token.type == "table_close" else [token]
        place += 1
    _heads(made)
    for token in made:
        _mark_gaps(token.children or [])
    return made


def _is_caption(found: list[Token], place: int) -> bool:
    return (
        found[place + 1].content.startswith("Table: ")
        and len(found) > place + 3
        and found[place + 3].type == "table_open"
    )


def _table_open(found: list[Token], place: int) -> list[Token]:
    """A table's beginning, in a box that scrolls and that the keyboard reaches, with its caption."""
    caption, table = found[place + 1], found[place + 3]
    table.meta["caption"] = re.sub(r"\\(.)", r"\1", caption.content.removeprefix("Table: "))
    end = next(i for i in range(place, len(found)) if found[i].type == "thead_close")
    table.meta["columns"] = sum(token.type == "th_open" for token in found[place:end])
    words = escape(table.meta["caption"])
    box = f'<div class="wide wide-table" role="region" aria-label="{words}" tabindex="0">\n'
    return [_block(box), table, _block(f"<caption>{words}</caption>\n")]


def _block(html: str) -> Token:
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=html)


def _heads(found: list[Token]) -> None:
    """Give every cell at the head of a column or of a row its scope."""
    first = False
    for place, token in enumerate(found):
        if token.type == "tr_open":
            first = True
        elif token.type == "th_open":
            token.attrs = {"scope": "col"}
        elif token.type == "td_open":
            token.attrs = {}
            if first:
                token.tag, token.attrs["scope"] = "th", "row"
                found[place + 2].tag = "th"
            first = False


def _mark_gaps(inline: list[Token]) -> None:
    for token, after in pairwise(inline):
        if token.type == "strong_open" and after.content.startswith(GAP):
            token.attrs = {"class": "gap"}
