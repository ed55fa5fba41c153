"""Slides and notes of every lab: made from the lab and its check, whole offline, by keyboard and on paper."""

from __future__ import annotations

import re
import shutil
import symtable
import sys
from html import escape, unescape
from pathlib import Path

import pytest
from test_site import accessibility_faults

from course import check
from course.environment import ROOT
from course.trainer import slides
from course.trainer.__main__ import main
from course.trainer.labs import all_labs

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import trainer_pack

LABS = all_labs()
NOTES = trainer_pack.load()
each_lab = pytest.mark.parametrize("lab", LABS.values(), ids=lambda lab: lab.key)


def words(html: str) -> str:
    """The text of a piece of HTML, without scripts."""
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.S)
    return " ".join(unescape(text).split())


def plain(text: str) -> str:
    """A text as `words` gives it, whatever Markdown stands in it."""
    return words(slides.in_line(text))


# Every lab has slides and a note --------------------------------------------------------------------------


@each_lab
def test_slides_go_from_the_question_to_the_decision(lab):
    deck = slides.deck(lab)
    headings = [heading for heading, _ in deck]
    assert headings[0] == lab.title and headings[-2:] == ["What you learned", "The decision"]
    assert len(headings) == len(set(headings)) and 10 <= len(headings) <= 22
    assert all(len(words(body)) > 10 for _, body in deck), "no slide is empty"
    question = lab.opening.partition("**The question:**")[2]
    assert plain(question).casefold() in words(deck[0][1]).casefold()
    assert "{term}" not in str(deck)


@each_lab
def test_every_chart_is_shown_once_with_its_finding(lab):
    page = slides.as_page(lab, "../_static")
    alts = [
        out["data"]["application/vnd.plotly.v1+json"]["layout"]["meta"]["alt"]
        for cell in lab.cells
        for out in cell.outputs
        if "application/vnd.plotly.v1+json" in out.get("data", {})
    ]
    assert alts and all(page.count(f'aria-label="{escape(alt)}"') == 1 for alt in alts)
    assert page.count('class="chart-finding"') == page.count('class="chart-data"') == len(alts)


@each_lab
def test_answers_are_those_of_the_lab_and_its_check(lab):
    deck = dict(slides.deck(lab))
    note = trainer_pack.note_html(lab, NOTES[lab.number])
    exercises = check.catalogue_of(lab.key, "EXERCISES")
    assert [task.name for task in lab.tasks] == list(exercises)
    stored = [cell.text for cell in lab.cells if "solution" in cell.tags]
    for number, (task, cell) in enumerate(zip(lab.tasks, stored, strict=True), 1):
        body = deck[f"Exercise {number}. {exercises[task.name].title}"]
        folded = body.partition("<summary>A solution</summary>")[2]
        assert cell.partition("\n")[2].strip() == task.solution
        assert slides.code(task.solution) in folded and slides.code(task.solution) in note
        assert task.solution not in unescape(body.partition("<summary>A solution</summary>")[0])
    for number, quiz in enumerate(check.catalogue_of(lab.key, "QUIZZES").values(), 1):
        asked, _, told = deck[f"Question {number}"].partition("<summary>The answer</summary>")
        letter, right = next(one for one in quiz.lettered().items() if one[1].right)
        assert words(told).startswith(f"{letter.upper()}. Right: {plain(right.why)}")
        assert plain(right.why) not in words(asked)
        assert all(plain(option.text) in words(asked) for option in quiz.options)
        assert f"{letter.upper()}. {plain(right.text)} Why: {plain(right.why)}" in words(note)


@each_lab
def test_every_lab_has_a_whole_note_with_no_result_typed_in_it(lab):
    note = NOTES[lab.number]
    assert list(note) == ["aim", *trainer_pack.PARTS]
    assert len(note["stick"]) >= 3 and len(note["ask"]) >= 2
    text = " ".join([note["aim"], *note["stick"], *note["ask"], note["skip"]["words"], note["show"]])
    assert not re.search(r"\d\.\d|\d ?%|\bper cent\b", text), "a result belongs in a cell, not in a note"
    for number in range(1, len(lab.tasks) + 1):
        assert f"exercise {number}" in text, f"the note does not speak of exercise {number}"
    shown = words(trainer_pack.note_html(lab, note))
    assert f"{lab.reading} minutes to read and run, {lab.practice} to practise" in shown


HEADING = re.compile(r"^(##+) (.+)$", re.M)


@each_lab
def test_what_a_note_leaves_out_is_needed_by_no_later_cell(lab):
    """By name. What a cell adds to a list is not seen here: run the rest of a lab when its note changes."""
    skip = NOTES[lab.number]["skip"]
    headings = {
        found[2] for cell in lab.cells if cell.kind == "markdown" for found in HEADING.finditer(cell.text)
    }
    assert set(skip["sections"]) <= headings and set(skip["exercises"]) <= set(range(1, len(lab.tasks) + 1))
    kept, lost = set(), set()
    for cell, left_out in zip(lab.cells, cells_left_out(lab, skip), strict=True):
        if cell.kind == "markdown":
            continue
        assigned, used = names(cell.text)
        if left_out:
            lost |= assigned - kept
        else:
            assert not (used & lost) - kept - assigned, cell.text
            kept |= assigned


def cells_left_out(lab, skip) -> list[bool]:
    """For each cell: does it stand in a section that is left out, or belong to such an exercise?"""
    open_headings: list[tuple[int, str]] = []
    tasks = [lab.tasks[number - 1] for number in skip["exercises"]]
    found, solution_out = [], False
    for cell in lab.cells:
        if cell.kind == "markdown":
            for heading in HEADING.finditer(cell.text):
                depth = len(heading[1])
                open_headings = [one for one in open_headings if one[0] < depth] + [(depth, heading[2])]
        exercise = "exercise" in cell.tags and any(f'"{task.name}"' in cell.text for task in tasks)
        given = any(cell in task.shown for task in tasks)
        inside = any(name in skip["sections"] for _, name in open_headings)
        found.append(inside or exercise or given or ("solution" in cell.tags and solution_out))
        solution_out = exercise or (solution_out and "solution" not in cell.tags)
    return found


def names(code: str) -> tuple[set[str], set[str]]:
    """The names that a cell assigns, and those that it or a function in it takes from the notebook."""
    top = symtable.symtable(code, "cell", "exec")
    assigned = {one.get_name() for one in top.get_symbols() if one.is_assigned() or one.is_imported()}
    used = {one.get_name() for one in top.get_symbols() if one.is_referenced()}
    tables = top.get_children()
    while tables:
        table = tables.pop()
        used |= {one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced()}
        tables += table.get_children()
    return assigned, used


# One file, in a browser -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deck_file(tmp_path_factory) -> Path:
    """The slides of lab 3, as the command writes them."""
    folder = tmp_path_factory.mktemp("slides")
    assert main(["--in", str(folder), "slides", "3"]) == 0
    return next(folder.glob("slides-03-*.html"))


@pytest.fixture(scope="module")
def deck_of_the_book(tmp_path_factory) -> Path:
    """The slides of lab 18, with Plotly beside them, as the book has them."""
    import plotly

    folder = tmp_path_factory.mktemp("book")
    (folder / "_static").mkdir()
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder / "_static")
    shutil.copy(ROOT / "book" / "_static" / "charts.js", folder / "_static")
    path = folder / "slides" / "18.html"
    path.parent.mkdir()
    path.write_text(slides.as_page(LABS[18], "../_static"), encoding="utf-8")
    return path


def opened(browser, path, **settings):
    """A tab with the slides in it, what it asked for, and its errors."""
    tab = browser.new_context(viewport={"width": 1280, "height": 720}, **settings).new_page()
    asked, errors = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(path.as_uri(), wait_until="load")
    return tab, asked, errors


@pytest.mark.parametrize("which", ["deck_file", "deck_of_the_book"])
def test_slides_meet_wcag_light_and_dark_and_ask_for_nothing_else(browser, request, which):
    path = request.getfixturevalue(which)
    tab, asked, errors = opened(browser, path, color_scheme="light")
    for chart in tab.query_selector_all(".slide > .course-chart"):
        chart.scroll_into_view_if_needed()
        tab.wait_for_function("(chart) => chart.querySelector('svg.main-svg')", arg=chart, timeout=10_000)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    light = accessibility_faults(tab)
    ink = "getComputedStyle(document.querySelector('.course-chart .xtick text')).fill"
    before = tab.evaluate(f"() => {ink}")
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function(f"(before) => {ink} !== before", arg=before, timeout=5_000)
    dark = accessibility_faults(tab, colours_only=True)
    tab.set_viewport_size({"width": 320, "height": 700})
    tab.wait_for_timeout(300)
    wide = tab.evaluate("document.documentElement.scrollWidth")
    tab.context.close()
    assert (light, dark, errors) == ([], [], []) and wide <= 320
    here = path.parent.parent.as_uri()
    assert all(url.startswith((here, "data:", "blob:")) for url in asked)
    assert which == "deck_of_the_book" or asked == [path.as_uri()]


def test_keys_go_from_slide_to_slide(browser, deck_file):
    tab, _, errors = opened(browser, deck_file)
    where = "document.activeElement.getAttribute('aria-labelledby')"
    last = tab.locator(".slide").count()
    for key, slide in [
        ("ArrowRight", 2), ("PageDown", 3), ("ArrowLeft", 2), ("PageUp", 1), ("PageUp", 1), ("End", last),
        ("ArrowRight", last), ("Home", 1),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        assert tab.evaluate(where) == f"s{slide}", key
        assert abs(tab.evaluate("document.activeElement.getBoundingClientRect().top")) < 2 or slide == last
    tab.keyboard.press("End")
    tab.locator("details.chart-data").first.evaluate("(one) => (one.open = true)")
    tab.locator("details.chart-data .wide").first.focus()
    tab.keyboard.press("ArrowRight")  # scrolls the box, and stays
    assert tab.evaluate("document.activeElement.className") == "wide"
    tab.locator("summary").last.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("details").last.get_attribute("open") is not None and errors == []
    tab.context.close()


def test_slides_are_whole_without_javascript_and_on_paper(browser, deck_file):
    tab, _, errors = opened(browser, deck_file, java_script_enabled=False)
    count = tab.locator(".slide").count()
    assert all(heading.is_visible() for heading in tab.locator(".slide :is(h1, h2)").all())
    assert all(finding.is_visible() for finding in tab.locator("p.chart-finding").all())
    tab.context.close()
    tab, _, errors = opened(browser, deck_file, color_scheme="dark")
    pages = len(re.findall(rb"/Type /Page\b", tab.pdf(prefer_css_page_size=True)))
    tab.emulate_media(media="print")
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.context.close()
    assert ground == "rgb(255, 255, 255)" and count <= pages <= count + 3 and errors == []


def test_bad_words_get_one_sentence(tmp_path, capsys):
    assert main(["--in", str(tmp_path), "slides", "99"]) == 1
    said = capsys.readouterr().out.strip()
    assert said.startswith("There is no lab 99") and "\n" not in said
    (tmp_path / f"slides-{LABS[1].stem}.html").mkdir()  # something of that name which is no file
    assert main(["--in", str(tmp_path), "slides", "1"]) == 1
    assert "cannot be written" in capsys.readouterr().out
