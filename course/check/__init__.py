"""Exercises and quizzes: an answer goes in, a verdict with its reason comes out.

Each lab has a module beside this one (`lab01`, `lab02`, ...) that holds its exercises and quizzes. A lab calls

    check.exercise("lab01-arrears", my_answer)
    check.quiz("lab01-safe")             # shows the question; every option explains itself when opened
    check.quiz("lab01-safe", "b")        # marks the answer and keeps it in the progress file

An exercise is judged by a small function that knows the likely mistakes, so that a wrong answer is told why
it is wrong. The stored wrong answers of each exercise are run by the tests.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from . import progress as _progress

LABS = ("lab01", "lab02", "lab03")

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
        note = f"<br><em>{escape(self.note)}</em>" if self.note else ""
        return f'<p class="verdict verdict-{kind}" role="status"><strong>{self.status}:</strong> {escape(self.message)}{note}</p>'


def right(message: str) -> Verdict:
    return Verdict(RIGHT, message)


def not_yet(message: str) -> Verdict:
    return Verdict(NOT_YET, message)


@dataclass(frozen=True)
class Wrong:
    """A stored wrong answer: code that makes it in the lab, and words its hint must contain."""

    code: str
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise. `judge(answer, **given)` returns a Verdict; `expects` says what kind of answer it takes."""

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
    """A quiz as shown: a question and its options, each of which opens to say whether it is right and why."""

    name: str
    quiz: Quiz

    def __repr__(self) -> str:
        options = [f"  {letter}. {option.text}" for letter, option in self.quiz.lettered().items()]
        return "\n".join([self.quiz.question, *options])

    def _repr_html_(self) -> str:
        options = "".join(
            f"<details><summary>{letter.upper()}. {escape(option.text)}</summary>"
            f"<p><strong>{RIGHT if option.right else NOT_YET}:</strong> {escape(option.why)}</p></details>"
            for letter, option in self.quiz.lettered().items()
        )
        return (
            f'<section class="quiz" aria-label="Quiz question"><p><strong>{escape(self.quiz.question)}</strong></p>{options}'
            f"<p>Open an answer to see if it is right. To keep it in your progress, write its letter: "
            f"<code>check.quiz({self.name!r}, &quot;a&quot;)</code></p></section>"
        )


def exercise(name: str, answer: object, **given: object) -> Verdict:
    """Judge an answer and keep the result in the progress file.

    `given` holds what the judge needs from the lab besides the answer, such as the learner's own synthetic
    table. An untouched stub (None or ...) is "Not attempted yet". An answer of the wrong kind is told what kind
    is expected. KeyError, naming the known exercises, if there is none called `name`.
    """
    known = _find("EXERCISES", name)
    if answer is None or answer is ...:
        return Verdict(NOT_ATTEMPTED, f"give {known.expects}, then run this cell again.")
    try:
        verdict = known.judge(answer, **given)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        given = type(answer).__name__
        verdict = not_yet(f"this exercise takes {known.expects}; what it was given ({given}) could not be used: {error}")
    return _kept(name, verdict)


def quiz(name: str, choice: str | None = None) -> QuizPage | Verdict:
    """Show a quiz question, or mark `choice` (a letter) and keep the result in the progress file."""
    known = _find("QUIZZES", name)
    if choice is None:
        return QuizPage(name, known)
    option = known.lettered().get(str(choice).strip().lower())
    if option is None:
        return Verdict(NOT_ATTEMPTED, f"the answers are {', '.join(known.lettered())}; {choice!r} is not one of them.")
    return _kept(name, right(option.why) if option.right else not_yet(option.why))


def catalogue() -> dict[str, dict[str, Exercise | Quiz]]:
    """Every exercise and quiz of the course, by lab: {"lab01": {"lab01-arrears": Exercise(...), ...}}."""
    modules = {lab: importlib.import_module(f"{__name__}.{lab}") for lab in LABS}
    return {lab: {**module.EXERCISES, **module.QUIZZES} for lab, module in modules.items()}


def progress() -> None:
    """Print how far this learner has come, from the one local progress file."""
    entries, note = _progress.read()
    for lab, items in catalogue().items():
        done = [name for name in items if entries.get(name, {}).get("right")]
        print(f"{lab}: {len(done)} of {len(items)} done")
        for name, item in items.items():
            mark = "done" if name in done else "tried" if name in entries else "to do"
            print(f"  {mark:6} {name}: {item.title if isinstance(item, Exercise) else item.question}")
    print(note or f"Kept in {_progress.path()}. It stays on this computer.")


def _find(register: str, name: str):
    lab = name.split("-")[0]
    found = getattr(importlib.import_module(f"{__name__}.{lab}"), register) if lab in LABS else {}
    if name not in found:
        known = ", ".join(found) or "those of " + ", ".join(LABS)
        raise KeyError(f"There is no {name!r} here. Known: {known}.")
    return found[name]


def _kept(name: str, verdict: Verdict) -> Verdict:
    note = _progress.record(name, verdict.status == RIGHT)
    return Verdict(verdict.status, verdict.message, note)
