"""The progress file: nothing is ever lost, and each fault is one sentence."""

from __future__ import annotations

import json

import pytest

from course import check
from course.check import _progress as progress


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    return path


def test_a_right_answer_stays_right(file):
    progress.record("lab01-x", False)
    progress.record("lab01-x", True)
    progress.record("lab01-x", False)
    entry = json.loads(file.read_text())["entries"]["lab01-x"]
    assert entry["right"] and entry["tries"] == 3 and entry["on"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"version": 1, "entries": {"lab01-x": {"tries": 1, "ri', "damaged"),
        ("", "damaged"),
        ('["not", "a", "progress", "file"]', "damaged"),
        ('{"version": 1, "entries": {"lab01-x": true}}', "another version"),
        ('{"version": 1, "entries": {"lab01-x": {}}}', "another version"),
        ('{"version": 1, "entries": {"lab01-y": {"tries": "one", "right": false}}}', "another version"),
        ('{"version": 0, "entries": {}}', "another version"),
        ('{"version": 99, "entries": {}}', "another version"),
    ],
)
def test_an_unreadable_file_is_set_aside_whole(file, content, says):
    file.write_text(content)
    note = progress.record("lab01-y", True)
    assert says in note and note.count("\n") == 0
    kept = file.with_name("progress-set-aside-1.json")
    assert kept.read_text() == content
    assert json.loads(file.read_text())["entries"]["lab01-y"]["right"]


def test_two_damaged_files_are_both_kept(file):
    for content in ("{", "{{"):
        file.write_text(content)
        progress.read()
    assert file.with_name("progress-set-aside-1.json").read_text() == "{"
    assert file.with_name("progress-set-aside-2.json").read_text() == "{{"


def test_a_place_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "no such folder" / "progress.json"))
    note = progress.record("lab01-x", True)
    assert "could not be kept" in note and "still counts" in note


def test_no_half_written_file_is_left_behind(file, monkeypatch):
    progress.record("lab01-x", True)
    before = file.read_text()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress.os, "replace", fail)
    assert "No space left" in progress.record("lab01-y", True)
    assert file.read_text() == before
    assert list(file.parent.iterdir()) == [file]


def test_the_progress_page_lists_everything(file, capsys):
    check.progress()
    printed = capsys.readouterr().out
    for items in check.catalogue().values():
        assert all(name in printed for name in items)


def test_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(KeyError, match="Known: lab01-"):
        check.exercise("lab01-nonsense", 1)


def test_a_quiz_letter_that_is_not_there(file):
    name = next(iter(check.importlib.import_module("course.check.lab01").QUIZZES))
    verdict = check.quiz(name, "z")
    assert verdict.status == check.NOT_ATTEMPTED and not file.exists()


def test_answers_of_the_wrong_kind_get_a_sentence(file):
    for items in check.catalogue().values():
        for name, item in items.items():
            if isinstance(item, check.Exercise):
                for answer in ("nonsense", [], {}, object(), float("nan"), -1e9):
                    verdict = check.exercise(name, answer)
                    assert verdict.status == check.NOT_YET, f"{name} accepts {answer!r}: {verdict}"
                    assert "\n" not in verdict.message


@pytest.mark.parametrize("error", [ZeroDivisionError, NameError, NotImplementedError, RecursionError])
def test_a_function_that_fails_gets_a_sentence(file, error):
    def fails(*_):
        raise error("went\nwrong")

    verdict = check.exercise("lab03-excess", fails)
    assert verdict.status == check.NOT_YET and verdict.message.endswith("went wrong")


def test_verdicts_do_not_rest_on_colour():
    page = check.right("because it is so")._repr_html_()
    assert "Right:" in page and 'role="status"' in page
