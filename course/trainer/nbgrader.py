"""A course folder for nbgrader, for universities: every lab as an assignment, marked by its own checks.

    write(Path("our-course"), [lab])

nbgrader (https://nbgrader.readthedocs.io) is not part of the course. The folder is written without it. Each
exercise becomes a locked question, an answer between BEGIN SOLUTION and END SOLUTION, and a locked test worth
points, which passes when `check.exercise` says "Right". All other cells are read-only, so that a mark depends
on the answers only. The metadata follow nbgrader's schema, version 3.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from course import forms
from course.data import DataError
from course.labs import find

if TYPE_CHECKING:
    from nbformat import NotebookNode

POINTS = 1
CALL = re.compile(r"^check\.exercise\(.*", re.DOTALL | re.MULTILINE)

CONFIG = '''"""nbgrader's settings for this course. Made by `python3 -m course trainer nbgrader`."""

import os
import tempfile

c = get_config()  # nbgrader gives this
c.CourseDirectory.course_id = "synthetic-data-in-practice"
# What takes the place of a solution. It raises nothing, so that the cells after an open question still run.
c.ClearSolutions.code_stub = {"python": "# Write your answer here"}
# Some steps of the labs take longer than the usual 30 seconds on a busy machine.
c.ExecutePreprocessor.timeout = 300
c.Execute.timeout = 300
# What learners have done must not be counted as the progress of whoever marks it.
os.environ["COURSE_PROGRESS"] = os.path.join(tempfile.mkdtemp(), "progress.json")
'''

README = """# nbgrader course folder

Made from the labs of *Synthetic Data in Practice*. nbgrader must be in the course's own environment:
`python -m uv pip install nbgrader`, with the environment's Python. Then run these commands in this folder,
with the environment's folder of programs on the PATH.

1. `nbgrader generate_assignment {first}` writes the learners' version into `release`.
2. Put what learners hand in into `submitted/NAME/{first}/`.
3. `nbgrader autograde {first}` runs and marks it.
4. `nbgrader generate_feedback {first}` writes a page for each learner.
5. `nbgrader export` writes all marks into `grades.csv`.

Each exercise is worth {points} point: the check of the course says "Right", or it does not. There are no
marks in between.

Before you use these marks for anything:

- **The solutions are public.** Labs and checks are in the course's repository. Use the marks for practice and
  for taking part, not for a degree.
- **Marking runs what learners wrote.** Do it on a computer, or in an account, that holds nothing else.
- **A learner who sets out to can fool a test**, because answer and test run in one program. Read answers that
  surprise you.
- The cells between the exercises are read-only. A learner who wants to try something adds a cell.
"""


def assignment(notebook: NotebookNode) -> NotebookNode:
    """A copy of a lab with nbgrader's metadata on its cells, and no outputs.

    Raises DataError if an exercise has no solution after it, as then no answer could be cleared.
    """
    made = copy.deepcopy(notebook)
    cells: list[NotebookNode] = []
    waiting = list(made.cells)
    while waiting:
        cell = waiting.pop(0)
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            if not waiting or "solution" not in waiting[0].metadata.get("tags", []):
                raise DataError(f"The exercise in cell {cell.id} is not followed by its solution.")
            cells += _exercise(cell, waiting.pop(0))
        else:
            cells.append(_given(cell))
    made.cells = cells
    return made


def _exercise(stub: NotebookNode, solution: NotebookNode) -> list[NotebookNode]:
    """The answer cell and the test cell of one exercise, from its stub with its check, and its solution."""
    from nbformat.v4 import new_code_cell

    call = CALL.search(stub.source)[0]
    name = re.search(r"[\"'](lab[\w-]+)[\"']", call)[1]
    start = stub.source[: CALL.search(stub.source).start()].rstrip()
    body = solution.source.partition("\n")[2]  # without the line that says what the folded cell is
    answer = f"{start}\n\n### BEGIN SOLUTION\n{body}\n### END SOLUTION"
    # nbgrader gives no point where anything stands on stderr, a library's warning included.
    test = (
        f"# {POINTS} point. This cell says what is right or wrong in the answer above.\n"
        "import contextlib\nimport io\n\n"
        f"with contextlib.redirect_stderr(io.StringIO()):\n    verdict = {_indented(call)}\n"
        "print(verdict)\n"
        "assert verdict.status == check.RIGHT, verdict.message"
    )
    return [
        new_code_cell(answer, id=stub.id, metadata=_marked(f"{name}-answer", solution=True)),
        new_code_cell(test, id=solution.id, metadata=_marked(name, grade=True)),
    ]


def _indented(call: str) -> str:
    """A call that may run over several lines, to stand in a block."""
    return call.strip().replace("\n", "\n    ")


def _given(cell: NotebookNode) -> NotebookNode:
    """A cell that learners read or run and do not change. A folded one stays folded."""
    kept = {key: cell.metadata[key] for key in ("tags", "jupyter") if key in cell.metadata}
    cell.metadata = {**kept, **_marked(f"cell-{cell.id}")}
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _marked(name: str, *, solution: bool = False, grade: bool = False) -> dict:
    """nbgrader's metadata for one cell: an answer, a test worth points, or a cell to be left alone."""
    facts = {
        "grade": grade,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return {"nbgrader": facts | ({"points": POINTS} if grade else {})}


def write(folder: Path, labs: list[Path]) -> Path:
    """Write the course folder for these labs. Raises DataError if the folder is there already."""
    import nbformat

    forms.new_folder(folder)
    for lab in labs:
        place = folder / "source" / lab.stem
        place.mkdir(parents=True)
        made = assignment(nbformat.read(lab, as_version=4))
        forms.write_new(place / lab.name, nbformat.writes(made) + "\n")
        _stored_results(lab, place)
    forms.write_new(folder / "nbgrader_config.py", CONFIG)
    forms.write_new(folder / "README.md", README.format(first=labs[0].stem, points=POINTS))
    return folder


def _stored_results(lab: Path, place: Path) -> None:
    """Copy the results that a lab reads from the folder beside it, such as results/lab09-runs.csv."""
    source = json.dumps(json.loads(lab.read_text(encoding="utf-8"))["cells"])
    for name in sorted(set(re.findall(r"results/(lab\d\d)", source))):
        for found in sorted((lab.parent / "results").glob(f"{name}*")):
            to = place / "results" / found.name
            to.parent.mkdir(exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, to)
            else:
                shutil.copyfile(found, to)


def is_called(lab: Path, name: str) -> bool:
    """Whether a name means this lab: its number, or a part of its file's name."""
    return int(lab.stem.partition("-")[0]) == int(name) if name.isdecimal() else name in lab.stem


def main(arguments: list[str]) -> int:
    """Write a course folder for nbgrader, with the labs that are named, or all of them."""
    words = argparse.ArgumentParser(prog="python3 -m course trainer nbgrader")
    words.add_argument("folder", help="the folder to make")
    words.add_argument("labs", nargs="*", help="labs' numbers or parts of their names; by default every lab")
    chosen = words.parse_args(arguments)
    folder = Path(chosen.folder)
    labs = [lab for lab in find([]) if not chosen.labs or any(is_called(lab, name) for name in chosen.labs)]
    if not labs:
        raise DataError(f"No lab has a name like {' or '.join(chosen.labs)}. Give a number such as 1.")
    write(folder, labs)
    print(f"Wrote {len(labs)} {'assignment' if len(labs) == 1 else 'assignments'} into {folder / 'source'}.")
    print(f"What to do next, and what the marks are not good for: {folder / 'README.md'}")
    return 0
