"""The words of ``python3 -m course trainer``: what is made for a trainer, each by its own module."""

import sys
from contextlib import chdir
from importlib import import_module

from course.__main__ import for_this_system
from course.data import DataError

STEPS = {
    "timetable": "timetable",
    "slides": "slides",
    "papers": "papers",
    "quiz-report": "quiz",
    "feedback-report": "feedback",
    "nbgrader": "nbgrader",
}

HELP = """python3 -m course trainer timetable LENGTH START   a timetable as a page and a calendar file
python3 -m course trainer slides [LABS]            slides of each lab, or of the labs named
python3 -m course trainer papers FOLDER            quiz before and after, its key, and the feedback form
python3 -m course trainer quiz-report FOLDER       what the returned quiz files say, question by question
python3 -m course trainer feedback-report FOLDER   what the returned feedback forms say
python3 -m course trainer nbgrader FOLDER [LABS]   a course folder for nbgrader, for universities

LENGTH is half-day, one-day or two-days. START is like 2026-12-01T09:30. Files are written where you are."""


def main(arguments: list[str]) -> int:
    """Hand the words on to the module they name. ``--in FOLDER`` comes first: where the person is.

    What cannot be done is printed as the one sentence that the module raises.
    """
    place = "."
    if arguments[:1] == ["--in"]:
        _, place, *arguments = arguments
    step, *words = arguments or ["help"]
    if step not in STEPS:
        said = HELP if step in ("help", "-h", "--help") else f"There is no '{step}' here.\n\n{HELP}"
        print(for_this_system(said))
        return 0 if step in ("help", "-h", "--help") else 2
    with chdir(place):
        try:
            return import_module(f"course.trainer.{STEPS[step]}").main(words)
        except DataError as problem:
            print(problem)
            return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
