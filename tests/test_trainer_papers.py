"""Feedback, certificate and nbgrader: what goes out and comes back, without names and without a server."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from extra import tools
from test_consensus import check_structure
from test_site import accessibility_faults

from course import check, forms, tasks
from course.__main__ import COMMANDS
from course.data import DataError
from course.trainer import __main__ as trainer
from course.trainer import certificate, feedback, nbgrader

ROOT = Path(__file__).resolve().parent.parent


# Feedback -----------------------------------------------------------------------------------------------


def responses(sizes, **answers):
    """People in groups of these sizes, who all answer alike."""
    return [
        feedback.Response(f"{group}-{number}", feedback.GROUPS[group], answers)
        for group, size in enumerate(sizes)
        for number in range(size)
    ]


def test_the_form_is_filled_by_keyboard_and_its_file_is_read(browser, tmp_path):
    forms.write_new(tmp_path / "form.html", feedback.form())
    check_structure(feedback.form())
    (tmp_path / "back").mkdir()
    context = browser.new_context(accept_downloads=True, viewport={"width": 320, "height": 800})
    tab = context.new_page()
    tab.goto((tmp_path / "form.html").as_uri())
    save = tab.get_by_role("button", name="Save my answers as a file")
    save.press("Enter")
    assert tab.locator("#errors li").count() == 1 + len(feedback.CHOICES)
    assert accessibility_faults(tab) == []
    tab.locator("#errors a").first.press("Enter")
    tab.keyboard.type("I look")
    for _ in feedback.CHOICES:
        tab.keyboard.press("Tab")
        tab.keyboard.press("Space")
        tab.keyboard.press("ArrowRight")
    for _ in feedback.TEXTS:
        tab.keyboard.press("Tab")
        tab.keyboard.type("=1+1, ask ann@example.org")
    with tab.expect_download() as download:
        save.press("Enter")
    name = download.value.suggested_filename
    assert re.fullmatch(r"feedback-[0-9a-f]{10}\.csv", name)
    download.value.save_as(tmp_path / "back" / name)
    context.close()
    (one,) = feedback.read(tmp_path / "back")
    assert one.group == feedback.GROUPS[1] and set(one.answers) == {*feedback.CHOICES, *feedback.TEXTS}
    assert all(one.answers[key] == options[1] for key, (_, options) in feedback.CHOICES.items())
    assert one.answers["useful"] == "=1+1, ask ann@example.org"


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (320, "dark")])
def test_the_summary_fits_its_screen(browser, tmp_path, width, scheme):
    feedback.write_example(tmp_path)
    forms.write_new(tmp_path / "summary.html", feedback.summary_page(feedback.read(tmp_path)))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    tab.goto((tmp_path / "summary.html").as_uri())
    assert accessibility_faults(tab, colours_only=scheme == "dark") == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    bars = tab.locator("table.bars").first.locator(".bar").evaluate_all("all => all.map(b => b.clientWidth)")
    assert max(bars) > 40 and min(bars) == 0
    context.close()


def test_the_summary_counts_and_takes_out_addresses():
    found = responses([4], pace="Too fast", useful="<b>lab 3</b>, ask ann@example.org or 020 7946 0000")
    html = feedback.summary_page(found + responses([0, 2], pace="About right"))
    check_structure(html)
    assert "6 forms came back" in html and '<th scope="row">Too fast</th><td>4</td>' in html
    assert "&lt;b&gt;lab 3&lt;/b&gt;, ask [removed] or [removed]" in html
    assert html.count("[removed] or") == 1 and "No answer" in html


@pytest.mark.parametrize(
    "sizes, shown", [([14, 12], 2), ([14, 12, 4], 0), ([14, 12, 10, 3], 2), ([9, 9, 9], 0)]
)
def test_small_groups_are_not_broken_down(sizes, shown):
    html = feedback.summary_page(responses(sizes, pace="Too fast"))
    part = html.partition("<h2>By group</h2>")[2].partition("<h2>")[0]
    assert sum(group in part for group in feedback.GROUPS) == shown


def test_the_smallest_rooms_have_no_summary():
    with pytest.raises(DataError, match="nobody stands alone"):
        feedback.summary_page(responses([2]))


GOOD = f"response,group,question,answer\nr1,{feedback.GROUPS[0]},pace,Too fast\n"
ODD = {
    "group": (GOOD.replace("I analyse data", "Director"), "no group 'Director'"),
    "question": (GOOD.replace("pace", "salary"), "no question 'salary'"),
    "answer": (GOOD.replace("Too fast", "Fine"), "'Fine' is no answer to pace"),
    "response": (GOOD.replace("r1", ""), "has no number"),
    "twice": (GOOD + GOOD.partition("\n")[2], "there twice"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_feedback_gets_one_sentence(tmp_path, kind):
    text, expected = ODD[kind]
    (tmp_path / "one.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(expected)) as caught:
        feedback.read(tmp_path)
    assert "\n" not in str(caught.value)


# Certificate --------------------------------------------------------------------------------------------


def kept(names, day="2026-11-20"):
    return {name: {"tries": 2, "right": True, "on": day} for name in names}


EVERYTHING = [name for items in check.catalogue().values() for name in items]


def test_the_certificate_names_what_was_done_and_no_more():
    entries = kept(["lab03-alone", "lab03-control"]) | {
        "lab03-excess": {"tries": 4, "right": False},
        "lab99-gone": {"tries": 1, "right": True, "on": "2026-11-20"},
        "lab01-arrears": {"tries": 1, "right": True, "on": "yesterday"},
    }
    found = certificate.done(entries)
    assert [(one.lab, one.exercises[0], one.questions[0], one.days) for one in found] == [
        ("1 Your first synthetic table", 1, 0, ()),
        ("3 Be the intruder", 1, 1, ("2026-11-20",)),
    ]
    html = certificate.certificate_page("Ada <b>Example", found, datetime.date(2026, 11, 22))
    check_structure(html)
    assert "Ada &lt;b&gt;Example" in html and "2 exercises answered right, in 2 of the" in html
    assert "1 of 3" in html and "not kept" in html and "made on 2026-11-22" in html
    assert "not an assessment" in html and "In 0 of them, every exercise" in html


def test_a_whole_lab_counts_as_whole():
    found = certificate.done(kept(check.catalogue()["lab01"]))
    assert [one.whole for one in found] == [True]


def test_the_certificate_of_everything_prints_on_one_page(browser, tmp_path):
    days = [f"2026-11-{1 + place % 28:02d}" for place in range(len(EVERYTHING))]
    entries = {name: kept([name], day)[name] for name, day in zip(EVERYTHING, days, strict=True)}
    name = " ".join(["Wilhelmina"] * 7)
    forms.write_new(tmp_path / "one.html", certificate.certificate_page(name, certificate.done(entries)))
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 320, "height": 800}, color_scheme=scheme)
        tab = context.new_page()
        tab.goto((tmp_path / "one.html").as_uri())
        assert accessibility_faults(tab, colours_only=scheme == "dark") == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        assert len(re.findall(rb"/Type /Page\b", tab.pdf(format="A4"))) == 1
        context.close()


def test_the_certificate_command(tmp_path, monkeypatch, capsys):
    progress = tmp_path / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(progress))
    monkeypatch.chdir(tmp_path)
    assert COMMANDS["certificate"] == ("tasks", "certificate")
    for words, sentence in {
        ("Ada",): "Nothing is answered right yet",
        (): "Give your name",
        ("A" * 81,): "81 letters",
        ("Ada\u202e",): "cannot be printed",
    }.items():
        assert tasks.certificate([*words]) == 1
        said = capsys.readouterr().out
        assert sentence in said and said.count("\n") == 1
    check._progress.record("lab01-arrears", True)
    assert tasks.certificate(["Ada", "Example"]) == 0
    assert "Ada Example" in (tmp_path / "certificate.html").read_text(encoding="utf-8")
    assert tasks.certificate(["Ada"]) == 1  # nothing is written over
    assert tasks.certificate(["Ada", "--to", "second.html"]) == 0
    progress.write_text("{")
    capsys.readouterr()
    assert tasks.certificate(["Ada", "--to", "third.html"]) == 1
    assert "is damaged" in capsys.readouterr().out


def test_the_certificate_needs_the_standard_library_only(tmp_path):
    progress = tmp_path / "progress.json"
    progress.write_text(json.dumps({"version": 1, "entries": kept(["lab01-arrears"])}))
    told = {**os.environ, "COURSE_PROGRESS": str(progress), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-m", "course", "certificate", "Ada"], cwd=tmp_path, env=told, timeout=60
    )
    assert done.returncode == 0 and (tmp_path / "certificate.html").is_file()


# nbgrader -----------------------------------------------------------------------------------------------

LAB = "06-published-counts"
# The two commands `nbgrader autograde` and `nbgrader export` in one process, which need not start twice.
MARK_AND_EXPORT = """
import sys
from nbgrader.apps import AutogradeApp, ExportApp
AutogradeApp.launch_instance([sys.argv[1]])
AutogradeApp.clear_instance()
ExportApp.launch_instance([])
"""


@pytest.fixture(scope="module")
def tool():
    """The environment's variables with nbgrader at hand, which is no part of the course."""
    folder = tools("nbgrader")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic
    paths = os.pathsep.join([str(ROOT), str(folder)])
    return {**os.environ, "PATH": programs, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


def run(tool, folder, *words):
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=tool,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def submit(folder, who, answers):
    """Hand in the learners' version, with these answers in place of the open ones."""
    notebook = nbformat.read(folder / "release" / LAB / f"{LAB}.ipynb", as_version=4)
    for cell in notebook.cells:
        facts = cell.metadata.nbgrader
        if facts.solution:
            cell.source = answers.get(facts.grade_id.removesuffix("-answer"), cell.source)
    place = folder / "submitted" / who / LAB
    place.mkdir(parents=True)
    nbformat.write(notebook, place / f"{LAB}.ipynb")


def test_nbgrader_makes_marks_and_exports(tool, tmp_path):
    folder = tmp_path / "course"
    nbgrader.write(folder, [ROOT / "notebooks" / f"{LAB}.ipynb"])
    run(tool, folder, "-m", "nbgrader", "generate_assignment", LAB)
    released = (folder / "release" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8")
    assert "# Write your answer here" in released and "SOLUTION" not in released
    source = nbformat.read(folder / "source" / LAB / f"{LAB}.ipynb", as_version=4)
    solutions = {
        cell.metadata.nbgrader.grade_id.removesuffix("-answer"): cell.source
        for cell in source.cells
        if cell.metadata.nbgrader.solution
    }
    exercises = check.catalogue_of("lab06", "EXERCISES")
    assert list(solutions) == list(exercises)
    first, second, *_ = exercises
    wrong = exercises[second].wrong[0]
    submit(folder, "right", solutions)
    submit(folder, "mixed", {first: solutions[first], second: wrong.code})
    run(tool, folder, "-c", MARK_AND_EXPORT, LAB)
    rows = [line.split(",") for line in (folder / "grades.csv").read_text().splitlines()]
    marks = {row[rows[0].index("student_id")]: row[rows[0].index("score")] for row in rows[1:]}
    assert marks == {"right": f"{len(exercises)}.0", "mixed": "1.0"}
    marked = (folder / "autograded" / "mixed" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8")
    assert wrong.hint.lower() in marked.lower()


@pytest.mark.parametrize("lab", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem[:2])
def test_every_lab_is_an_assignment(lab):
    made = nbformat.read(lab, as_version=4)
    cells = nbgrader.assignment(made).cells
    facts = [cell.metadata.nbgrader for cell in cells]
    exercises = check.catalogue_of(f"lab{lab.stem[:2]}", "EXERCISES")
    assert len({one.grade_id for one in facts}) == len(cells) == len(made.cells)
    assert [one.grade_id for one in facts if one.grade] == list(exercises)
    assert [one.grade_id for one in facts if one.solution] == [f"{name}-answer" for name in exercises]
    assert all(one.locked for one in facts if not one.solution)
    for cell in cells:
        if cell.metadata.nbgrader.grade:
            compile(cell.source, "test", "exec")
            assert cell.source.count("check.exercise(") == 1
        if cell.metadata.nbgrader.solution:
            compile(cell.source, "answer", "exec")
            assert "check.exercise" not in cell.source and cell.source.count("SOLUTION") == 2
    nbformat.validate(nbgrader.assignment(made))


@pytest.mark.parametrize("status, fails", [(check.RIGHT, False), (check.NOT_YET, True)])
def test_a_test_cell_fails_on_a_wrong_answer_and_not_on_a_warning(status, fails, capsys):
    """nbgrader 0.9.6 takes the point away for anything on stderr. Lab 22 checks with a library that warns."""

    class Check:
        RIGHT = check.RIGHT

        @staticmethod
        def exercise(*_, **__):
            print("a library warns", file=sys.stderr)
            return check.Verdict(status, "because")

    made = nbgrader.assignment(nbformat.read(ROOT / "notebooks" / f"{LAB}.ipynb", as_version=4))
    source = next(cell.source for cell in made.cells if cell.metadata.nbgrader.grade)
    given = dict.fromkeys(re.findall(r"\bmy_\w+|(?<==)\w+", source)) | {"check": Check}
    code = compile(source, "test", "exec")
    if fails:
        with pytest.raises(AssertionError, match="because"):
            exec(code, given)  # noqa: S102
    else:
        exec(code, given)  # noqa: S102
    assert capsys.readouterr().err == ""


def test_the_nbgrader_command(tmp_path, capsys):
    where = ["--in", str(tmp_path), "nbgrader"]
    assert trainer.main([*where, "ours", "9", "trade"]) == 0
    assert "2 assignments" in capsys.readouterr().out
    results = tmp_path / "ours" / "source" / "09-neural-generators" / "results"
    assert (results / "lab09-runs.csv").is_file() and not list(results.glob("lab20*"))
    assert trainer.main([*where, "ours", "09"]) == 1
    assert trainer.main([*where, "other", "no-such-lab"]) == 1
    assert not (tmp_path / "other").exists() and capsys.readouterr().out.count("\n") == 2


# The command --------------------------------------------------------------------------------------------


def test_the_feedback_command_and_the_way_to_it(tmp_path, monkeypatch, capsys):
    where = ["--in", str(tmp_path)]
    assert trainer.main([*where, "papers", "day", "--example"]) == 0
    assert trainer.main([*where, "feedback-report", "day"]) == 0
    html = (tmp_path / "day" / "feedback-report.html").read_text(encoding="utf-8")
    assert "Made-up answers" in html and "30 forms came back" in html
    assert trainer.main([*where, "feedback-report", "nowhere"]) == 1
    assert trainer.main(["dance"]) == 2 and trainer.main([]) == 0
    called = []
    monkeypatch.setattr(tasks, "ready_python", lambda: "python")
    monkeypatch.setattr(tasks, "run_python", lambda python, arguments: called.append(arguments) or 0)
    monkeypatch.chdir(tmp_path)
    assert tasks.trainer(["papers", "day"]) == 0
    assert called == [["-m", "course.trainer", "--in", str(tmp_path), "papers", "day"]]


def test_the_pages_name_commands_and_files_that_are_there(tmp_path):
    from course.trainer import papers

    papers.write(tmp_path / "session")
    made = {path.name for path in (tmp_path / "session").iterdir()}
    for name in ("trainer-running", "trainer-papers"):
        text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
        for command in re.findall(r"python3 -m course (\w+)", text):
            assert command in COMMANDS or command == "hub", command
        for step in re.findall(r"course trainer ([\w-]+)", text):
            assert step in trainer.STEPS, step
        for file in re.findall(r"`((?:quiz|feedback)[\w-]*\.html)`", text):
            assert file in made or file.endswith("-report.html"), file
