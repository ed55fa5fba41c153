"""A page on what a learner has done, made on their own computer from the progress file.

    certificate_page("Ada Example", done(entries))

It needs the standard library only.

It counts exercises and quiz questions that were answered right at least once, lab by lab, with the days on
which that was first so. The name is the one that is typed. The page says what it is not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course import check, forms
from course.check import _progress
from course.data import DataError
from course.environment import ROOT
from course.pages import page, table

LONGEST_NAME = 80

STYLE = """
main { max-width: 48rem; }
.name { font-size: 1.6rem; font-weight: 700; overflow-wrap: anywhere; }
td, th { padding-bottom: .15rem; padding-top: .15rem; }
@page { size: A4; margin: 12mm; }
@media print {
  body { font-size: 9.5pt; line-height: 1.3; }
  main { padding: 0; }
  h1 { font-size: 16pt; margin: 0; }
  h2 { font-size: 11pt; margin: 2mm 0 1mm; }
  p, ul { margin: 1.5mm 0; }
  .name { font-size: 14pt; }
  .wide { margin: 0; }
  td, th { font-size: 8.5pt; padding: .2mm 3mm .2mm 0; }
}
"""


@dataclass(frozen=True)
class Done:
    """What was done of one lab: (right, in all) of its exercises and of its questions, and the days."""

    lab: str
    exercises: tuple[int, int]
    questions: tuple[int, int]
    days: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every exercise and question of the lab was answered right."""
        return self.exercises[0] == self.exercises[1] and self.questions[0] == self.questions[1]


def done(entries: dict) -> list[Done]:
    """What the progress file's entries amount to: one `Done` for each lab in which something is right.

    Entries of exercises that the course does not have are left out, and so are days that are no date.
    """
    found = []
    for lab, items in check.catalogue().items():
        right = [name for name in items if entries.get(name, {}).get("right")]
        if not right:
            continue
        kinds = [
            [n for n, item in items.items() if isinstance(item, kind)]
            for kind in (check.Exercise, check.Quiz)
        ]
        exercises, questions = ((len(set(names) & set(right)), len(names)) for names in kinds)
        days = sorted({day for name in right if (day := _day(entries[name].get("on")))})
        found.append(Done(_title(lab), exercises, questions, tuple(days)))
    return found


def _day(text: object) -> str | None:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except (TypeError, ValueError):
        return None


def _title(lab: str) -> str:
    """A lab's number and title, as its notebook gives them: "lab01" is "1 Your first synthetic table"."""
    number = lab.removeprefix("lab")
    (path,) = (ROOT / "notebooks").glob(f"{number}-*.ipynb")
    title = json.loads(path.read_text(encoding="utf-8"))["metadata"]["course"]["title"]
    return f"{int(number)} {title}"


def checked_name(name: str) -> str:
    """The name as it will stand on the page. Raises DataError for an empty, long or unprintable one."""
    name = " ".join(name.split())
    if not name:
        raise DataError("Give your name after the command, between quotation marks.")
    if len(name) > LONGEST_NAME:
        raise DataError(f"The name has {len(name)} letters. Give one of {LONGEST_NAME} or fewer.")
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in name):
        raise DataError("The name holds a sign that cannot be printed. Type it again.")
    return name


def certificate_page(name: str, labs: Sequence[Done], today: datetime.date | None = None) -> str:
    """The certificate as a page, which prints on one sheet of A4."""
    made = (today or datetime.date.today()).isoformat()
    rows = [
        (
            lab.lab,
            f"{lab.exercises[0]} of {lab.exercises[1]}",
            f"{lab.questions[0]} of {lab.questions[1]}",
            _period(lab.days),
        )
        for lab in labs
    ]
    right, whole = sum(lab.exercises[0] for lab in labs), sum(lab.whole for lab in labs)
    everything = len(check.LABS)
    heads = ("Lab", "Exercises right", "Questions right", "First right on")
    body = (
        "<h1>Synthetic Data in Practice: what I have done</h1>"
        f'<p class="name">{escape(name)}</p>'
        f"<p>{right} {'exercise' if right == 1 else 'exercises'} answered right, in {len(labs)} of the "
        f"course's {everything} labs. In {whole} of them, every exercise and every question was answered "
        f"right. {_between(labs)}This page was made on {made}.</p>"
        f"<h2>Lab by lab</h2>{table('What was answered right', heads, rows)}"
        "<h2>What this page is not</h2><ul>"
        "<li>It is not an assessment and not a qualification. Nobody has watched, marked or checked it.</li>"
        "<li>It reports on itself. It was made by the learner, from a file that can be changed by hand. The "
        "name is the one that was typed.</li>"
        "<li>Right means right in the end. Every exercise may be tried any number of times, and its solution "
        "stands in the lab.</li></ul>"
    )
    return page("Synthetic Data in Practice: what I have done", body, style=STYLE)


def _period(days: Sequence[str]) -> str:
    if not days:
        return "not kept"
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _between(labs: Sequence[Done]) -> str:
    days = sorted(day for lab in labs for day in lab.days)
    if not days:
        return ""
    return f"The first was on {days[0]}, the last on {days[-1]}. "


def main(arguments: list[str]) -> int:
    """Write certificate.html into the folder where the person is, and say what is on it."""
    words = argparse.ArgumentParser(prog="python3 -m course certificate")
    words.add_argument("name", nargs="*", help="your name, as it should stand on the page")
    words.add_argument("--to", default="certificate.html", help="the file to write")
    chosen = words.parse_args(arguments)
    try:
        name = checked_name(" ".join(chosen.name))
        entries, note = _progress.read()
        if note:
            raise DataError(note)
        labs = done(entries)
        if not labs:
            raise DataError(f"Nothing is answered right yet in {_progress.path()}. Do an exercise first.")
        forms.write_new(Path(chosen.to), certificate_page(name, labs))
    except DataError as problem:
        print(problem)
        return 1
    right = sum(lab.exercises[0] for lab in labs)
    print(f"Wrote {chosen.to}. Exercises right: {right}. Labs: {len(labs)}.")
    print("Open it in a browser to read or print it; from JupyterLab, download it first. Nothing was sent.")
    return 0
