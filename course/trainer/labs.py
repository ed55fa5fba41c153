"""What a trainer's papers take from a lab: its minutes, its sections, its exercises with their solutions.

Everything is read from the notebook as it is stored, so that nothing has to be written twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from course.environment import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = ROOT / "notebooks"

# How an exercise begins: "**1. A title.**", "**Exercise 1. A title.**", or "### Exercise 1: a title".
NUMBERED = re.compile(r"^(?:\*\*(?:Exercise )?|#+ Exercise )\d+[.:]", re.M)


@dataclass(frozen=True)
class Cell:
    """One cell as stored: its text, its tags, and its outputs as the notebook has them."""

    kind: str
    text: str
    tags: frozenset[str]
    outputs: tuple[dict, ...]


@dataclass(frozen=True)
class Section:
    """A heading of the second rank and all cells under it; the text of its first cell begins below it."""

    heading: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Task:
    """An exercise: its name in ``course.check``, its question in Markdown, the code of its solution.

    ``shown`` are the cells of code between the question and the place for an answer: what it is about.
    """

    name: str
    question: str
    shown: tuple[Cell, ...]
    solution: str


@dataclass(frozen=True)
class Lab:
    """One lab. ``reading`` and ``practice`` are minutes; ``needs`` are the labs it asks for, by number."""

    number: int
    stem: str
    title: str
    part: str
    level: str
    reading: int
    practice: int
    cells: tuple[Cell, ...]

    @property
    def minutes(self) -> int:
        return self.reading + self.practice

    @property
    def key(self) -> str:
        """The lab's name in ``course.check``, such as "lab03"."""
        return f"lab{self.number:02}"

    @cached_property
    def opening(self) -> str:
        """The first cell, without its heading."""
        return self.cells[0].text.partition("\n")[2].strip()

    @cached_property
    def needs(self) -> tuple[int, ...]:
        """The labs named after "You need". What only helps comes after a semicolon or "have met"."""
        said = re.search(r"\*\*You need\*\*(.*?)(;|have met|\*\*Minutes|$)", self.opening, re.S)[1]
        found: set[int] = set()
        for numbers in re.findall(r"\blabs? (\d+(?:(?:, | to | and )\d+)*)", said):
            for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
                found |= set(range(int(first), int(last or first) + 1))
        return tuple(sorted(found))

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The lab by its headings of the second rank. What stands before the first is the opening."""
        found: list[tuple[str, list[Cell]]] = []
        for cell in self.cells:
            parts = re.split(r"^## (.+)$", cell.text, flags=re.M) if cell.kind == "markdown" else [cell.text]
            if parts[0].strip() and found:
                found[-1][1].append(Cell(cell.kind, parts[0].strip(), cell.tags, cell.outputs))
            for heading, text in zip(parts[1::2], parts[2::2], strict=True):
                found.append((heading.strip(), [Cell("markdown", text.strip(), cell.tags, ())]))
        return tuple(Section(heading, tuple(cells)) for heading, cells in found)

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Every exercise in order: the Markdown from its number on, and the solution that comes next."""
        found = []
        for place, cell in enumerate(self.cells):
            name = re.search(r"check\.exercise\(\s*[\"']([\w-]+)[\"']", cell.text)
            if "exercise" not in cell.tags or not name:
                continue
            after = next(one for one in self.cells[place:] if "solution" in one.tags)
            solution = after.text.partition("\n")[2]  # the first line only says what the cell is
            found.append(Task(name[1], *self._question(place), solution.strip()))
        return tuple(found)

    def _question(self, place: int) -> tuple[str, tuple[Cell, ...]]:
        """The Markdown before a cell, from the number of its exercise on, and the code between."""
        text, shown = "", []
        for cell in reversed(self.cells[:place]):
            if cell.kind != "markdown":
                shown.insert(0, cell)
                continue
            text = f"{cell.text}\n\n{text}"
            if numbered := list(NUMBERED.finditer(text)):
                return text[numbered[-1].start() :].strip(), tuple(shown)
        raise ValueError(f"Lab {self.number} has an exercise without a number.")

    @cached_property
    def closing(self) -> tuple[str, str]:
        """What was learned, and the decision, both in Markdown."""
        names = [section.heading for section in self.sections]
        last = self.sections[names.index("What you learned") :]
        text = "\n\n".join(cell.text for section in last for cell in section.cells if cell.kind == "markdown")
        learned, _, decision = re.split(r"(\*\*(?:The|One) decision\.\*\*)", text) if len(last) == 1 else (
            _joined(last[0]), "", _joined(last[1])
        )  # fmt: skip
        return learned.strip(), decision.strip()


def _joined(section: Section) -> str:
    return "\n\n".join(cell.text for cell in section.cells if cell.kind == "markdown")


def read(path: Path) -> Lab:
    """A lab from its notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    course = notebook["metadata"]["course"]
    cells = tuple(
        Cell(
            cell["cell_type"],
            "".join(cell["source"]),
            frozenset(cell["metadata"].get("tags", ())),
            tuple(cell.get("outputs", ())),
        )
        for cell in notebook["cells"]
    )
    facts = (course[name] for name in ("title", "part", "level", "reading_minutes", "practice_minutes"))
    return Lab(int(path.stem[:2]), path.stem, *facts, cells)


@cache
def all_labs() -> dict[int, Lab]:
    """Every lab, by number."""
    labs = map(read, sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")))
    return {lab.number: lab for lab in labs}
