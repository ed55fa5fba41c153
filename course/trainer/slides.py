"""Slides of a lab, made from the lab: one HTML file for any browser, offline, by keyboard, or on paper.

    python3 -m course trainer slides 3

What goes in follows from the lab's own structure, and nothing is written twice:

- the title with the question, and what people will be able to do: from the first cell
- each section: its heading, its first paragraph, its charts, a slide each, with their findings, and the last
  sentences that it printed. A section with no chart and no sentence has a slide if there is room.
- each exercise, with its solution folded, and each quiz question, with its explanations folded
- what was learned, and the decision
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path

from course import check
from course.chart import chart_html
from course.data import DataError
from course.environment import ROOT
from course.files import write_whole
from course.pages import page
from course.trainer.labs import NUMBERED, Cell, Lab, Section, Task, all_labs

MOST = 20  # slides, beyond which a section that shows nothing is left out
LINES, LETTERS = 5, 400  # the most of what a lab printed that one slide shows
CHART = "application/vnd.plotly.v1+json"
NOT_SHOWN = {"Exercises", "More exercises", "Quiz", "Check yourself", "What you learned", "The decision"}
HERE = Path(__file__).parent

ENDED = re.compile(r"([.!?]|\d%\))$")  # the end of a sentence, or of an interval
NO_SENTENCE = re.compile(r"^#|   |[=\[{|]|This takes some")  # a table, code, or what a fit says while it runs


# ------------------------------------------------------------------------------ from a lab to slides


def deck(lab: Lab) -> list[tuple[str, str]]:
    """The slides of a lab in order: (heading, HTML below it)."""
    learned, decision = lab.closing
    end = [("What you learned", html(learned)), ("The decision", html(decision))]
    tail = [*_tasks(lab), *_quizzes(lab)]
    room = MOST - 1 - len(end) - len(tail)
    return [(lab.title, _first(lab)), *_middle(lab, room), *tail, *end]


def _middle(lab: Lab, room: int) -> list[tuple[str, str]]:
    """The slides of the sections. Those that show nothing are taken in order, while there is room."""
    sections = [section for section in lab.sections if section.heading not in NOT_SHOWN]
    room -= sum(len(_section(section)) for section in sections if _shows(section))
    slides = []
    for section in sections:
        if _shows(section) or (room > 0 and _first_paragraph(section)):
            slides += _section(section)
            room -= not _shows(section)
    return slides


def _first(lab: Lab) -> str:
    """The question, and what people will be able to do. What a lab needs and its minutes stand below."""
    question = re.search(r"\*\*The question:\*\* *(.*)", lab.opening, re.S)[1]
    aims = re.search(r"\*\*In this lab you will be able to\*\*\s*(.*?)(?=\n\n\*\*|$)", lab.opening, re.S)[1]
    facts = f"Lab {lab.number}. {lab.reading} minutes to read and run, {lab.practice} to practise."
    return (
        f'<div class="question">{html(question[:1].upper() + question[1:])}</div>'
        f"<p><strong>You will be able to</strong></p>{html(aims)}<p class='note'>{facts}</p>"
    )


def _shows(section: Section) -> bool:
    """Does a section draw a chart, or print a sentence?"""
    return any(_charts(cell) or _printed(cell) for cell in section.cells)


def _section(section: Section) -> list[tuple[str, str]]:
    """One slide for each chart, or one for what was printed. The first paragraph stands on the first."""
    lead = _first_paragraph(section)
    places = [place for place, cell in enumerate(section.cells) if _charts(cell)]
    said = _sentences(section.cells[places[-1] + 1 :] if places else section.cells)
    if not places and not said:  # a last sentence that announces code has nothing to announce here
        lead = re.sub(r"(?<=[.?!]) [^.?!]*:$", "", lead)
    if not places:
        return [(section.heading, html(lead) + said)]
    slides = [chart for place in places for chart in _charts(section.cells[place])]
    slides[-1] += said
    slides[0] = html(lead) + slides[0]
    if len(slides) == 1:
        return [(section.heading, slides[0])]
    return [(f"{section.heading} ({n} of {len(slides)})", slide) for n, slide in enumerate(slides, 1)]


def _first_paragraph(section: Section) -> str:
    """The first paragraph, and what follows it if it ends with a colon: a list, a table, or a command.

    It is empty where an exercise begins at once, as that has a slide of its own.
    """
    text = next((cell.text for cell in section.cells if cell.kind == "markdown" and cell.text), "")
    if NUMBERED.match(text):
        return ""
    parts = [part for part in re.split(r"\n\s*\n", text) if not part.startswith("#")]
    return "\n\n".join(parts[: 2 if parts and parts[0].endswith(":") else 1])


def _charts(cell: Cell) -> list[str]:
    """Each chart of a cell with its finding and its numbers, which the lab stores beside it as HTML."""
    found = []
    for figure, words in pairwise(cell.outputs):
        if CHART in figure.get("data", {}):
            found.append(chart_html(figure["data"][CHART]) + _tamed("".join(words["data"]["text/html"])))
    return found


def _printed(cell: Cell) -> list[str]:
    """Sentences that a cell printed, each as one line. What a fit says while it runs is none of them."""
    if {"exercise", "solution"} & cell.tags:
        return []
    lines: list[str] = []
    for out in cell.outputs:
        for line in "".join(out["text"]).splitlines() if out["output_type"] == "stream" else ():
            if lines and len(lines[-1]) > 45 and not ENDED.search(lines[-1]):
                lines[-1] += f" {line.strip()}"  # a sentence on two lines
            else:
                lines.append(line.strip())
    return [line for line in lines if ENDED.search(line) and not NO_SENTENCE.search(line)]


def _sentences(cells: Iterable[Cell]) -> str:
    """The last few lines that cells printed."""
    lines = [line for cell in cells for line in _printed(cell)][-LINES:]
    while len(lines) > 1 and len(" ".join(lines)) > LETTERS:
        lines.pop(0)
    return f'<p class="said">{"<br>".join(map(escape, lines))}</p>' if lines else ""


def _tasks(lab: Lab) -> list[tuple[str, str]]:
    """A slide for each exercise, with its solution folded."""
    slides = []
    for number, task in enumerate(lab.tasks, 1):
        title = check.catalogue_of(lab.key, "EXERCISES")[task.name].title
        body = question(task) + folded("A solution", code(task.solution))
        slides.append((f"Exercise {number}. {title}", body))
    return slides


def question(task: Task) -> str:
    """An exercise without its number, and what the cells below it show, or else their code."""
    words = re.sub(r"^#.*$|^(\*\*)(?:Exercise )?\d+[.:] *", r"\1", task.question, count=1, flags=re.M)
    shown = "".join("".join(map(_output, cell.outputs)) or code(cell.text) for cell in task.shown)
    return html(words.strip()) + (folded("What it is about", shown) if len(shown) > 1500 else shown)


def _output(out: dict) -> str:
    """An output as HTML: a table, a chart, or what was printed."""
    if out["output_type"] == "stream":
        return code("".join(out["text"]))
    kinds = out.get("data", {})
    if CHART in kinds:
        return chart_html(kinds[CHART])
    return _tamed("".join(kinds["text/html"])) if "text/html" in kinds else code("".join(kinds["text/plain"]))


def _quizzes(lab: Lab) -> list[tuple[str, str]]:
    """A slide for each quiz question: its options, and what each would get, folded."""
    slides = []
    for number, quiz in enumerate(check.catalogue_of(lab.key, "QUIZZES").values(), 1):
        options = "".join(f"<li>{in_line(option.text)}</li>" for option in quiz.options)
        body = f'<p>{in_line(quiz.question)}</p><ol class="options">{options}</ol>'
        slides.append((f"Question {number}", body + folded("The answer", answers(quiz))))
    return slides


def answers(quiz: check.Quiz) -> str:
    """What each option of a quiz question is told, the right one first."""
    told = sorted(quiz.lettered().items(), key=lambda one: not one[1].right)
    return "".join(
        f"<p><strong>{letter.upper()}. {check.RIGHT if option.right else check.NOT_YET}:</strong> "
        f"{in_line(option.why)}</p>"
        for letter, option in told
    )


# ------------------------------------------------------------------------------ HTML


@cache
def _reader():
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html(markdown: str) -> str:
    """Markdown of a lab as HTML. A link to another page of the course becomes its words."""
    made = _reader().render(re.sub(r"\{term\}`([^`<]*?)(?: *<[^>]*>)?`", r"\1", markdown))
    made = re.sub(r'<a href="(?!https?:)[^"]*">(.*?)</a>', r"\1", made, flags=re.S)
    made = re.sub(r"<h[1-6]>(.*?)</h[1-6]>", r"<p><strong>\1</strong></p>", made)
    return _tamed(made)


def _tamed(made: str) -> str:
    """Tables in boxes that scroll and that the keyboard reaches."""
    box = '<div class="wide" role="region" aria-label="Table" tabindex="0">'
    return made.replace("<table", f"{box}<table").replace("</table>", "</table></div>")


def folded(summary: str, body: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def code(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>"


@cache
def _own(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def as_page(lab: Lab, static: str = "") -> str:
    """A deck as one page, with Plotly inside, or with the book's own from `static`, seen from the page."""
    slides = deck(lab)
    body = "".join(_slide(n, len(slides), *slide, lab.title) for n, slide in enumerate(slides, 1))
    keys = "Keys: right arrow or Page Down for the next slide, left arrow or Page Up for the one before."
    if static:
        files = ("plotly.min.js", "charts.js")
        drawing = "".join(f'<script src="{static}/{file}" defer></script>' for file in files)
    else:
        drawing = f"<script>{_safe(_plotly())}</script><script>{_safe(_drawing())}</script>"
    return page(
        f"{lab.title}: slides",
        f'<p class="note keys">{keys}</p>{body}',
        script=f"<script>{_own('slides.js')}</script>{drawing}",
        style=_own("slides.css"),
        beside=bool(static),
    )


def _slide(number: int, of: int, heading: str, body: str, title: str) -> str:
    rank = "h1" if number == 1 else "h2"
    return (
        f'<section class="slide" tabindex="-1" aria-labelledby="s{number}">'
        f'<{rank} id="s{number}">{in_line(heading)}</{rank}>{body}'
        f'<p class="count">{escape(title)}, {number} of {of}</p></section>'
    )


def in_line(text: str) -> str:
    """One line of Markdown as HTML."""
    return _reader().renderInline(text)


def _safe(script: str) -> str:
    """A script that may stand in a page: none of its texts ends the element."""
    return script.replace("</script", "<\\/script")


@cache
def _plotly() -> str:
    import plotly

    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return path.read_text(encoding="utf-8")


@cache
def _drawing() -> str:
    return (ROOT / "book" / "_static" / "charts.js").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------ the command


def main(arguments: list[str]) -> int:
    """Write the slides of the labs named, or of every lab."""
    words = argparse.ArgumentParser(
        prog="python3 -m course trainer slides",
        description="Slides of each lab, or of the labs named: one file each, about 5 MB, for any browser.",
    )
    words.add_argument("labs", type=int, nargs="*", help="labs by number; none means every lab")
    chosen = words.parse_args(arguments)
    known = all_labs()
    if unknown := [number for number in chosen.labs if number not in known]:
        raise DataError(f"There is no lab {unknown[0]}: choose from 1 to {max(known)}.")
    for number in chosen.labs or known:
        path = Path(f"slides-{known[number].stem}.html")
        try:
            write_whole(path, as_page(known[number]))
        except OSError as error:
            raise DataError(
                f"{path} cannot be written ({error.strerror}): go to a folder of your own."
            ) from None
        print(f"Wrote {path}")
    return 0
