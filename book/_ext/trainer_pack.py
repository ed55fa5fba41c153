"""The trainer's pages: timetables and notes made from the labs as they are, and the slides of each lab.

`trainer-timetable NAME` shows one timetable of `course.trainer.timetable`, with no date. `trainer-notes`
writes out `book/trainer-notes.yml`, a section for each lab, with what the lab and `course.check` say
themselves: minutes, solutions, right answers. When the book is built, slides and example timetables go
beside it.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from course import check
from course.trainer import slides, timetable
from course.trainer.labs import NOTEBOOKS, Lab, all_labs

NOTES = Path(__file__).resolve().parents[1] / "trainer-notes.yml"
EXAMPLE = datetime(2026, 12, 1, 9, 30)  # the start of the example files
PARTS = {
    "stick": "Where people stick",
    "ask": "What to ask the room",
    "skip": "Short of time: leave out",
    "show": "On the projector",
}


# 1. Timetables --------------------------------------------------------------------------------------------


class TrainerTimetable(SphinxDirective):
    """`trainer-timetable`: the timetable of a length by its name, from half past nine."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        depend_on_labs(self.env)
        name = self.arguments[0]
        made = timetable.plan(name, EXAMPLE)
        links = ", ".join(
            f'<a href="timetables/{timetable.file_name(made)}.{kind}">{words}</a>'
            for kind, words in (("html", "as a page to print"), ("ics", "as a calendar file"))
        )
        html = timetable.tables(made, dated=False) + timetable.notes(made)
        html += f"<p>An example, for {timetable.in_words(EXAMPLE)}: {links}.</p>"
        return [nodes.raw(text=html, format="html")]


def depend_on_labs(env) -> None:
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        env.note_dependency(str(notebook))


# 2. Notes -------------------------------------------------------------------------------------------------


class TrainerNotes(SphinxDirective):
    """`trainer-notes`: one section for each lab. Takes no options."""

    def run(self) -> list[nodes.Node]:
        depend_on_labs(self.env)
        self.env.note_dependency(str(NOTES))
        notes = load()
        return [section(lab, notes[number]) for number, lab in all_labs().items()]


def load() -> dict[int, dict]:
    """The notes by the number of the lab."""
    import yaml

    return yaml.safe_load(NOTES.read_text(encoding="utf-8"))


def section(lab: Lab, note: dict) -> nodes.section:
    """The section of one lab, which the page's own table of contents will list."""
    title = f"Lab {lab.number}. {lab.title}"
    known = {"ids": [lab.key], "names": [nodes.fully_normalize_name(title)]}
    body = nodes.raw(text=note_html(lab, note), format="html", classes=["trainer-notes"])
    return nodes.section("", nodes.title(text=title), body, **known)


def note_html(lab: Lab, note: dict) -> str:
    """Aim, timing and links; then each part of the note; then the answers, folded."""
    needs = f" It builds on {timetable.labs_in_words(lab.needs)}." if lab.needs else ""
    parts = "".join(
        f"<h3>{heading}</h3>{SHOWN_AS.get(part, paragraph)(note[part])}" for part, heading in PARTS.items()
    )
    return (
        f"<p><strong>Aim.</strong> {escape(note['aim'])}</p>"
        f"<p><strong>Timing.</strong> {lab.reading} minutes to read and run, {lab.practice} to practise. "
        f"Level: {escape(lab.level)}.{needs}</p>"
        f'<p><a href="../notebooks/{lab.stem}.html">Read lab {lab.number}</a>. '
        f'<a href="slides/{lab.stem}.html">Slides of lab {lab.number}</a>.</p>'
        f"{parts}{slides.folded(f'Answers of lab {lab.number}', answers_html(lab))}"
    )


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def listed(items: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def left_out(skip: dict) -> str:
    """Sections and exercises to leave out, and what to know of that."""
    items = [f"Section \u201c{name}\u201d" for name in skip["sections"]]
    items += [f"Exercise {number}" for number in skip["exercises"]]
    return listed(items) + paragraph(skip["words"])


SHOWN_AS = {"stick": listed, "ask": listed, "skip": left_out}


def answers_html(lab: Lab) -> str:
    """The solution of every exercise, from the lab; the right answer of every question, from its check."""
    exercises = check.catalogue_of(lab.key, "EXERCISES")
    made = [
        f"<p><strong>Exercise {number}. {escape(exercises[task.name].title)}</strong></p>"
        f"{slides.code(task.solution)}"
        for number, task in enumerate(lab.tasks, 1)
    ]
    for number, quiz in enumerate(check.catalogue_of(lab.key, "QUIZZES").values(), 1):
        letter, option = next(one for one in quiz.lettered().items() if one[1].right)
        made.append(
            f"<p><strong>Question {number}. {slides.in_line(quiz.question)}</strong></p>"
            f"<p>{letter.upper()}. {slides.in_line(option.text)} "
            f"<em>Why:</em> {slides.in_line(option.why)}</p>"
        )
    return "".join(made)


# 3. Files beside the book --------------------------------------------------------------------------------


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write the slides of every lab, with the book's one copy of Plotly, and the example timetables."""
    if exception or app.builder.format != "html":
        return
    folders = [Path(app.outdir, "book", name) for name in ("slides", "timetables")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for lab in all_labs().values():
        page = slides.as_page(lab, static="../../_static")
        Path(folders[0], f"{lab.stem}.html").write_text(page, encoding="utf-8")
    for name in timetable.LENGTHS:
        timetable.write(timetable.plan(name, EXAMPLE), folders[1])


def setup(app: Sphinx) -> dict:
    """Register the directives and the files with Sphinx."""
    app.add_directive("trainer-timetable", TrainerTimetable)
    app.add_directive("trainer-notes", TrainerNotes)
    app.connect("build-finished", write_files)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
