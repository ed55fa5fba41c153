"""The lab contract: every promise a lab makes to its reader, checked on the notebook itself.

nbval compares the stored outputs; this file looks at the shape of the lab, and runs it once more with every
exercise answered three ways: the stub, the stored wrong answers, and the solution.
"""

from __future__ import annotations

import ast
import datetime
import json
import re
import statistics
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from course import chart, check

ROOT = Path(__file__).resolve().parent.parent
LABS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What the kernel used: CPU seconds (on a shared machine wall seconds measure the neighbours) and peak MiB.
USE = "import time; from course.labs import peak_mib; print(time.process_time(), peak_mib())"
RUNS = ROOT / "build" / "lab-runs.json"


@pytest.fixture(params=LABS, ids=lambda path: path.stem)
def lab(request):
    notebook = nbformat.read(request.param, as_version=4)
    notebook.path = request.param
    return notebook


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    """The words of the lab: Markdown cells without code, links, tables of codes or HTML."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|<[^>]*>", " ", text, flags=re.S)


def tags(cell):
    return set(cell.metadata.get("tags", []))


def called(cell, function):
    """The names passed to check.exercise(...) or check.quizzes(...) in a cell."""
    return re.findall(rf"check\.{function}\(\s*[\"']([\w-]+)[\"']", cell.source)


def test_three_labs_or_more():
    assert len(LABS) >= 3


def test_metadata(lab):
    course = lab.metadata["course"]
    assert course["title"] and course["part"] and course["level"]
    assert course["reading_minutes"] > 0 and course["practice_minutes"] > 0
    assert course["time_budget_seconds"] <= 120 and course["memory_budget_mib"] <= 1536
    assert lab.metadata["kernelspec"]["name"] == "python3"


def test_opening_skeleton(lab):
    opening = "\n".join(cell.source for cell in lab.cells[:4] if cell.cell_type == "markdown").lower()
    for part in ("you will be able to", "you need", "minutes", "the question"):
        assert part in opening, f"the opening does not say {part!r}"


def test_closing(lab):
    closing = "\n".join(cell.source for cell in lab.cells[-4:] if cell.cell_type == "markdown").lower()
    assert "what you learned" in closing
    assert "decision" in closing, "a lab ends with one decision about a release"


def test_cell_lengths(lab):
    lines = sorted(
        len([line for line in cell.source.splitlines() if line.strip()]) for cell in code_cells(lab)
    )
    assert statistics.median(lines) <= 4
    assert lines[int(0.9 * (len(lines) - 1))] <= 13
    assert lines[-1] <= 30


def test_lines_fit_the_page(lab):
    long = [line for cell in code_cells(lab) for line in cell.source.splitlines() if len(line) > 88]
    assert not long, f"these lines run off the page of the book: {long}"


def test_markdown_to_code(lab):
    code = len(code_cells(lab))
    assert 0.9 <= (len(lab.cells) - code) / code <= 1.5


def test_no_typed_results(lab):
    found = re.findall(r"\d+\.\d+|\d+\s?%|\d+ per cent|\d+ in \d+", prose(lab))
    assert not found, f"results are typed in the prose: {found}"


def test_nothing_unrun(lab):
    for cell in code_cells(lab):
        assert cell.execution_count, f"a cell was never run: {cell.source[:60]!r}"
        assert not [out for out in cell.outputs if out.output_type == "error"]


def test_charts_have_words_and_numbers(lab):
    for cell in code_cells(lab):
        for place, output in enumerate(cell.outputs):
            figure = output.get("data", {}).get("application/vnd.plotly.v1+json")
            if figure:
                alt = figure["layout"]["meta"]["alt"]
                assert len(alt.split()) >= 6 and alt.rstrip().endswith((".", "?"))
                following = cell.outputs[place + 1]["data"]["text/html"]
                assert "chart-finding" in following and "<table" in following


def test_charts_take_blanks(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda output, **_: shown.append(output))
    numbers = pd.array([0.5, None], dtype="Float64")
    table = pd.DataFrame({"group": ["a", "b"], "share": numbers, "low": numbers, "high": numbers})
    for draw in (chart.bars, chart.intervals):
        draw(table, "Shares", "share", "One share is blank.")
        trace = shown[-2]["application/vnd.plotly.v1+json"]["data"][0]
        assert [0.5, None] in (trace["x"], trace["y"])
    with pytest.raises(ValueError, match="every one is blank"):
        chart.densities({"real": pd.Series([None, None])}, "Shares", "share", "Nothing.")


def test_tables_keep_long_text_whole():
    words = "a long label " * 20
    assert words.strip() in chart.table(pd.DataFrame({"label": [words]}), "Labels").data


def test_every_exercise_of_the_register_is_in_its_lab(lab):
    number = lab.path.stem.split("-")[0]
    items = check.catalogue()[f"lab{number}"]
    exercises = {name for name, item in items.items() if isinstance(item, check.Exercise)}
    source = {name for cell in code_cells(lab) for name in called(cell, "exercise")}
    assert source == exercises
    assert source == {
        name for cell in code_cells(lab) if "exercise" in tags(cell) for name in called(cell, "exercise")
    }
    assert [name for cell in code_cells(lab) for name in called(cell, "quizzes")] == [f"lab{number}"]
    assert set(items) - exercises, "a lab has a quiz"


def test_the_lab_goes_on_where_an_exercise_is_left_for_later(lab):
    """No later cell needs a name that only an answer sets."""
    for cell in code_cells(lab):
        if not {"exercise", "solution"} & set(cell.metadata.get("tags", [])):
            names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
            assert not [name for name in names if name.startswith("my_")], cell.id


def test_solutions_are_folded_and_do_not_show(lab):
    for cell in code_cells(lab):
        if "solution" in tags(cell):
            assert {"hide-input"} <= tags(cell) and cell.metadata["jupyter"]["source_hidden"]
            # JupyterLab shows the first line of a folded cell: it must not be the answer.
            assert cell.source.startswith("# Solution: open this cell")


def test_quizzes_explain_every_option():
    for items in check.catalogue().values():
        for name, item in items.items():
            if isinstance(item, check.Quiz):
                assert len(item.options) >= 3, name
                assert sum(option.right for option in item.options) == 1, name
                assert all(len(option.why.split()) >= 6 for option in item.options), name


def trials(notebook):
    """The lab with trial cells after each exercise, and the trials: (name, expected status, words)."""
    cells, expected = [], []
    catalogue = {name: item for items in check.catalogue().values() for name, item in items.items()}
    for place, cell in enumerate(notebook.cells):
        cells.append(cell)
        for name in called(cell, "exercise") if cell.cell_type == "code" else []:
            call = cell.source[cell.source.index("check.exercise(") :]
            solution = next(later for later in notebook.cells[place + 1 :] if "solution" in tags(later))
            answers = [(wrong.code, check.NOT_YET, wrong.hint) for wrong in catalogue[name].wrong]
            for source, status, words in [*answers, (solution.source, check.RIGHT, "")]:
                cells.append(
                    nbformat.v4.new_code_cell(f"{source}\n{call}", metadata={"trial": len(expected)})
                )
                expected.append((name, status, words))
    cells.append(nbformat.v4.new_code_cell(USE))
    return cells, expected


def test_exercises_answer_stub_mistakes_and_solution(lab, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    source = lab.path
    stubs = [cell for cell in code_cells(lab) if called(cell, "exercise")]
    lab.cells, expected = trials(lab)
    NotebookClient(lab, timeout=120, resources={"metadata": {"path": str(source.parent)}}).execute()

    for cell in stubs:
        assert text(cell).startswith(check.NOT_ATTEMPTED), f"the stub is judged: {text(cell)}"
    said = {cell.metadata["trial"]: text(cell) for cell in lab.cells if "trial" in cell.metadata}
    hints = {}
    for number, (name, status, words) in enumerate(expected):
        assert said[number].startswith(status + ":"), f"{name}: {said[number]}"
        assert words.lower() in said[number].lower(), f"{name} should have said {words!r}: {said[number]}"
        hints.setdefault(name, []).append(said[number])
    for name, verdicts in hints.items():
        assert len(verdicts) >= 3 and len(set(verdicts)) == len(verdicts), (
            f"{name}: two mistakes get one hint"
        )

    seconds, peak = map(float, "".join(out["text"] for out in lab.cells[-1].outputs).split())
    keep_run(source.stem, seconds, round(peak))
    assert seconds <= lab.metadata["course"]["time_budget_seconds"]
    assert peak <= lab.metadata["course"]["memory_budget_mib"]


def text(cell):
    """What a cell's last result says, as plain text."""
    results = [out["data"]["text/plain"] for out in cell.outputs if "data" in out]
    return results[-1] if results else "".join(str(out.get("evalue", "")) for out in cell.outputs)


def keep_run(name, seconds, peak):
    RUNS.parent.mkdir(exist_ok=True)
    runs = json.loads(RUNS.read_text()) if RUNS.exists() else {}
    runs[name] = {"seconds": round(seconds, 1), "peak_mib": peak, "date": datetime.date.today().isoformat()}
    RUNS.write_text(json.dumps(runs, indent=1, sort_keys=True) + "\n")
