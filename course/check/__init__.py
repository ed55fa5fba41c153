"""Exercises and quizzes: an answer goes in, a verdict with its reason comes out.

Each lab has a module beside this one (`lab01`, ...) that holds its exercises and quizzes. A lab calls

    check.exercise("lab01-arrears", my_answer)
    check.quizzes("lab01")               # shows the questions; every option explains itself when opened
    check.quiz("lab01-safe", "b")        # marks an answer and keeps it in the progress file
    check.ask_for_help()                 # in a room with a trainer's board: shows the trainer your name

An exercise is judged by a small function that knows the likely mistakes, so that a wrong answer is told why
it is wrong. The stored wrong answers of each exercise are run by the tests.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from . import _board, _progress

# One module per lab stands beside this file: ("lab01", "lab02", ...).
LABS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("lab[0-9][0-9].py")))

RIGHT, NOT_YET, NOT_ATTEMPTED = "Right", "Not yet", "Not attempted yet"


@dataclass(frozen=True)
class Verdict:
    """What a check says: a status in words, and the reason. It shows as one bordered paragraph."""

    status: str
    message: str
    note: str = ""

    def __repr__(self) -> str:
        return f"{self.status}: {self.message}" + (f"\n{self.note}" if self.note else "")

    def _repr_html_(self) -> str:
        kind = self.status.lower().replace(" ", "-")
        said = f"<strong>{self.status}:</strong> {escape(self.message)}"
        said += f"<br><em>{escape(self.note)}</em>" if self.note else ""
        return f'<p class="verdict verdict-{kind}" role="status">{said}</p>'


def right(message: str) -> Verdict:
    return Verdict(RIGHT, message)


def not_yet(message: str) -> Verdict:
    return Verdict(NOT_YET, message)


def not_attempted(message: str) -> Verdict:
    return Verdict(NOT_ATTEMPTED, message)


def sort_into(
    answer: dict,
    wanted: dict[str, tuple[object, str]],
    done: str,
    *,
    what: str = "",
    near: dict[tuple, str] | None = None,
    words: tuple | None = None,
) -> Verdict:
    """Judge things sorted into words, as ``{"A": "leak", "B": "none found"}``: `done` if all are right.

    `wanted` gives each its word and the hint for whoever writes another. `near` has hints of their own for
    likely mistakes, by name and word. `words` are those to choose from, by default all that are wanted.
    `what` says what the names stand for, as "report".
    """
    words = words or tuple(dict.fromkeys(word for word, _ in wanted.values()))
    choice = f"one of: {', '.join(map(str, words))}"
    if answer and all(given is None for given in answer.values()):
        return not_attempted(f"give each {what or 'of them'} {choice}. Then run this cell again.")
    plain = {str(word).lower(): word for word in words}
    for name, (word, why) in wanted.items():
        given = plain.get(str(answer.get(name)).strip().lower())
        if given is None:
            return not_yet(f"{what} {name!r} needs {choice}.".strip())
        if given != word:
            return not_yet(f"{what} {name!r}: {(near or {}).get((name, given), why)}".strip())
    return right(done)


@dataclass(frozen=True)
class Wrong:
    """A stored wrong answer: code that makes it in the lab, and words its hint must contain."""

    code: str
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise. `judge(answer, **given)` returns a Verdict; `expects` names the kind of answer."""

    title: str
    expects: str
    judge: Callable[..., Verdict]
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True)
class Option:
    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Quiz:
    """One question with two or more options, each with its own explanation."""

    question: str
    options: tuple[Option, ...]

    def lettered(self) -> dict[str, Option]:
        return dict(zip("abcdefgh", self.options, strict=False))


@dataclass(frozen=True)
class QuizPage:
    """Questions as shown: every option opens to say whether it is right and why."""

    quizzes: dict[str, Quiz]

    def __repr__(self) -> str:
        return "\n\n".join(
            "\n".join(
                [quiz.question, *(f"  {letter}. {option.text}" for letter, option in quiz.lettered().items())]
            )
            for quiz in self.quizzes.values()
        )

    def _repr_html_(self) -> str:
        return "".join(_question_html(name, quiz) for name, quiz in self.quizzes.items())


def _question_html(name: str, quiz: Quiz) -> str:
    options = "".join(
        f"<details><summary>{letter.upper()}. {escape(option.text)}</summary>"
        f"<p><strong>{RIGHT if option.right else NOT_YET}:</strong> {escape(option.why)}</p></details>"
        for letter, option in quiz.lettered().items()
    )
    return (
        f'<section class="quiz" aria-label="Quiz question {name}">'
        f"<p><strong>{escape(quiz.question)}</strong></p>{options}"
        f"<p>Open an answer to see if it is right. To keep yours: "
        f"<code>check.quiz(&quot;{name}&quot;, &quot;a&quot;)</code></p></section>"
    )


def exercise(name: str, answer: object, **given: object) -> Verdict:
    """Judge an answer and keep the result in the progress file.

    `given` holds what the judge needs from the lab besides the answer, such as the learner's own synthetic
    table. An untouched stub (None or ...) is "Not attempted yet". An answer of the wrong kind, or a function
    that fails when it is called, is told what is expected and what went wrong. On a hub with a trainer's
    board, the kind of verdict is counted there. KeyError, naming the known exercises, if there is no `name`.
    """
    verdict = _kept(name, _judged(_find("EXERCISES", name), answer, given))
    told = _board.report(name, verdict.status)
    return replace(verdict, note=" ".join(filter(None, (verdict.note, told))))


def ask_for_help(name: str = "") -> Verdict:
    """Ask the trainer to come, on a hub with a board: shows them your name and the exercise you are at.

    `name` is an exercise, such as "lab01-arrears"; by default the one that was checked last.
    """
    name = name or _board.last_exercise()
    where = f" at the exercise {_find('EXERCISES', name).title!r}" if name else ""
    return _told_the_board(
        "help",
        {"exercise": name},
        Verdict("Asked for help", f"your trainer now sees your name{where}. To cancel: check.cancel_help()"),
    )


def cancel_help() -> Verdict:
    """Take back a call for help. The trainer no longer sees your name."""
    return _told_the_board("cancel", {}, Verdict("Cancelled", "you are not asking for help."))


def quizzes(lab: str) -> QuizPage:
    """Show every quiz question of a lab, such as "lab01"."""
    return QuizPage(catalogue_of(lab, "QUIZZES"))


def quiz(name: str, choice: str) -> Verdict:
    """Mark `choice` (a letter) for one question and keep the result in the progress file."""
    known = _find("QUIZZES", name)
    option = known.lettered().get(str(choice).strip().lower())
    if option is None:
        return not_attempted(f"the answers are {', '.join(known.lettered())}; {choice!r} is not one of them.")
    return _kept(name, right(option.why) if option.right else not_yet(option.why))


def catalogue() -> dict[str, dict[str, Exercise | Quiz]]:
    """Every exercise and quiz of the course, by lab: {"lab01": {"lab01-arrears": Exercise(...), ...}}."""
    return {lab: catalogue_of(lab, "EXERCISES") | catalogue_of(lab, "QUIZZES") for lab in LABS}


def progress() -> None:
    """Print how far this learner has come, from the one local progress file."""
    entries, note = _progress.read()
    print(note or f"Kept in {_progress.path()}. It stays on this computer.")
    for lab, items in catalogue().items():
        done = [name for name in items if entries.get(name, {}).get("right")]
        print(f"{lab}: {len(done)} of {len(items)} done")
        for name, item in items.items():
            mark = "done" if name in done else "tried" if name in entries else "to do"
            print(f"  {mark:6} {name}: {item.title if isinstance(item, Exercise) else item.question}")


def catalogue_of(lab: str, register: str) -> dict:
    """The EXERCISES or the QUIZZES of one lab. KeyError, naming the labs, if there is no such lab."""
    if lab not in LABS:
        raise KeyError(f"There is no lab {lab!r}. Known: {', '.join(LABS)}.")
    return getattr(importlib.import_module(f"{__name__}.{lab}"), register)


def _judged(known: Exercise, answer: object, given: dict) -> Verdict:
    """The verdict on one answer, whatever it is and however the judge fails on it."""
    if answer is None or answer is ...:
        return not_attempted(f"give {known.expects}, then run this cell again.")
    try:
        return known.judge(answer, **given)
    except Exception as error:  # a function that a learner wrote can fail in any way
        kind, why = type(answer).__name__, " ".join(str(error).split())
        return not_yet(
            f"this exercise takes {known.expects}; what it was given ({kind}) could not be used: {why}"
        )


def _told_the_board(path: str, message: dict, done: Verdict) -> Verdict:
    """Send the trainer's board something that the learner asked for, and say whether it arrived."""
    failed = "Not done"
    if not _board.is_here():
        return Verdict(failed, "there is no trainer's board here, so nothing was sent.")
    try:
        status = _board.send(path, message)
    except Exception as error:  # no board, a slow one, an answer that is not HTTP
        why = " ".join(str(error).split()) or type(error).__name__
        return Verdict(failed, f"the trainer's board does not answer ({why}). Raise your hand instead.")
    if status == 204:
        return done
    why = {409: "it does not count trainers", 429: "it has had too many messages; wait a minute"}
    return Verdict(failed, f"the trainer's board refused: {why.get(status, f'status {status}')}.")


def _find(register: str, name: str):
    found = catalogue_of(name.split("-")[0], register)
    if name not in found:
        raise KeyError(f"There is no {name!r} here. Known: {', '.join(found)}.")
    return found[name]


def _kept(name: str, verdict: Verdict) -> Verdict:
    if verdict.status == NOT_ATTEMPTED:
        return verdict
    note = _progress.record(name, verdict.status == RIGHT)
    return Verdict(verdict.status, verdict.message, note)
