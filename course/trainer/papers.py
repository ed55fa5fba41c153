"""The papers of one session, in a new folder: quiz before and after, its key, and the feedback form."""

from __future__ import annotations

import argparse
from pathlib import Path

from course import forms
from course.__main__ import for_this_system
from course.trainer import feedback, quiz


def write(folder: Path, example: bool = False) -> None:
    """Make the folder. With `example`, put in answers of people who are made up, to practise with.

    Raises DataError if the folder is there already.
    """
    forms.new_folder(folder)
    for name in ("quiz", "feedback"):
        (folder / name).mkdir()
    for when in (quiz.BEFORE, quiz.AFTER):
        forms.write_new(folder / f"quiz-{when}.html", quiz.quiz_page(when))
    forms.write_new(folder / "quiz-key.html", quiz.key_page())
    forms.write_new(folder / "feedback.html", feedback.form())
    if example:
        for sheet in quiz.example():
            quiz.write_sheet(sheet, folder / "quiz")
        feedback.write_example(folder / "feedback")


def main(arguments: list[str]) -> int:
    """Make the folder of a session, and say what to do with it."""
    words = argparse.ArgumentParser(prog="python3 -m course trainer papers")
    words.add_argument("folder", help="the folder to make")
    words.add_argument("--example", action="store_true", help="with answers of 30 people who are made up")
    chosen = words.parse_args(arguments)
    folder = Path(chosen.folder)
    write(folder, chosen.example)
    print(f"Made {folder}. Hand out quiz-before.html, quiz-after.html and feedback.html; keep quiz-key.html.")
    print(f"Put the files that come back into {folder / 'quiz'} and {folder / 'feedback'}.")
    print(for_this_system(f"Then: python3 -m course trainer quiz-report {chosen.folder}"))
    print(for_this_system(f"And:  python3 -m course trainer feedback-report {chosen.folder}"))
    return 0
