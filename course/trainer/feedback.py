"""The feedback form of a session, without names, and a summary of what came back.

`form` is the page that people fill in: it works without a network and saves a small CSV file. `read` reads
the files, and `summary_page` counts. Groups of fewer than ten people are not broken down.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course import forms
from course.consensus import FEWEST, VOICE, shown_groups
from course.data import DataError
from course.pages import page, table

EXAMPLE = "example-"
COLUMNS = (("response", "random"), ("group", "group"), ("question", "item"), ("answer", "answer"))
GROUPS = (
    "I analyse data",
    "I look after data or decide about it",
    "I study or teach",
    "Something else",
    "I prefer not to say",
)
AGREE = ("Strongly agree", "Agree", "Neither", "Disagree", "Strongly disagree", "Cannot say")

# Questions to choose from: id, words, answers.
CHOICES = {
    "able": ("I can do something now that I could not do before.", AGREE),
    "pace": ("How was the pace?", ("Too slow", "About right", "Too fast", "Cannot say")),
    "hints": ("When my answer was wrong, I understood why.", AGREE),
    "help": ("When I was stuck, I could get help.", AGREE),
    "access": ("I could take part in a way that suits me.", AGREE),
    "computer": ("The computer and the network let me work.", AGREE),
    "again": ("I would recommend this session to a colleague.", AGREE),
}
# Questions to answer in words: id, words.
TEXTS = {
    "useful": "What was most useful?",
    "hard": "What got in your way?",
    "next": "What will you do differently at work or in your studies?",
    "change": "What should we change?",
}


# ------------------------------------------------------------------------------ the form


def form() -> str:
    """The feedback form as a page."""
    opening = (
        "<p>This takes about five minutes. Nobody is asked for a name. The page sends nothing: when you "
        "press the button at the end, your browser saves a file on this computer, for you to hand in. The "
        "file's name is drawn at random. You may also print the page and write on it.</p>"
    )
    group = forms.choice("group", "What fits you best?", GROUPS, "", "Choose what fits you best")
    boxes = "".join(_choose(name, words, options) for name, (words, options) in CHOICES.items())
    texts = "".join(
        f'<div class="field" data-item="{name}"><label for="{name}">{escape(words)} (if you like)</label>'
        f'<p class="note" id="{name}-hint">Others will read it. Name nobody.</p><textarea id="{name}" '
        f'rows="3" maxlength="2000" aria-describedby="{name}-hint"></textarea></div>'
        for name, words in TEXTS.items()
    )
    return forms.page_of("Feedback", opening, group + boxes + texts, COLUMNS, {}, "feedback-{random}")


def _choose(name: str, words: str, options: Sequence[str]) -> str:
    said = "".join(
        f'<label><input type="radio" id="{name}-{place}" name="{name}" value="{option}"> {option}</label>'
        for place, option in enumerate(options, 1)
    )
    problem = f'data-problem="Choose an answer: {escape(words)}"'
    return (
        f'<fieldset data-item="{name}" {problem}><legend>{escape(words)}</legend>'
        f'<div class="scores">{said}</div></fieldset>'
    )


# ------------------------------------------------------------------------------ what came back


@dataclass(frozen=True)
class Response:
    """One person's form: a random name, the group, and the answer to each question."""

    name: str
    group: str
    answers: dict[str, str]


def read(folder: Path) -> list[Response]:
    """All forms in the CSV files of a folder. Raises DataError, with one sentence, for what cannot be."""
    found: dict[str, Response] = {}
    for file in forms.returned_files(folder):
        for line, row in forms.rows(file, [head for head, _ in COLUMNS]):
            where = f"{file.name}, line {line}"
            _check(row, where)
            one = found.setdefault(row["response"], Response(row["response"], row["group"], {}))
            if row["question"] in one.answers:
                raise DataError(f"{where}: this form is there twice. Take one of the two files out.")
            one.answers[row["question"]] = row["answer"]
    return list(found.values())


def _check(row: dict[str, str], where: str) -> None:
    if not row["response"]:
        raise DataError(f"{where}: the response has no number. Give each paper form one of its own.")
    if row["group"] not in GROUPS:
        raise DataError(f"{where}: there is no group {forms.short(row['group'])}. Use the form's own words.")
    if row["question"] not in (*CHOICES, *TEXTS):
        raise DataError(f"{where}: there is no question {forms.short(row['question'])} in the form.")
    options = CHOICES.get(row["question"], ("", ()))[1]
    if options and row["answer"] not in (*options, ""):
        raise DataError(
            f"{where}: {forms.short(row['answer'])} is no answer to {row['question']}. Use one of: "
            f"{', '.join(options)}."
        )


def summary_page(responses: Sequence[Response]) -> str:
    """What came back, as a page: counts, counts by group where groups are large enough, and the words."""
    if len(responses) < VOICE:
        raise DataError(
            f"There are {len(responses)} forms. A summary is made from {VOICE} on, so that nobody "
            "stands alone."
        )
    example = all(one.name.startswith(EXAMPLE) for one in responses)
    first = "Made-up answers: nobody here is real. " if example else ""
    body = [
        "<h1>Feedback: summary</h1>",
        f'<p class="first">{first}{len(responses)} forms came back.</p>',
        "<p>These are the people who answered. What the others think is not known.</p>",
        "<h2>Everyone</h2>",
        *(_counts(name, responses) for name in CHOICES),
        "<h2>By group</h2>",
        _groups_part(responses),
        "<h2>In their own words</h2>",
        "<p>In an order that says nothing. E-mail addresses and long numbers are taken out. Read the rest "
        "before you share it: a program cannot see who is meant by a description.</p>",
        *(_words(name, responses) for name in TEXTS),
    ]
    style = forms.style() + "table.bars { margin: 1rem 0; }\n"
    return page("Feedback: summary", "\n".join(body), style=style)


def _counts(name: str, responses: Sequence[Response]) -> str:
    """One question: how many gave each answer, as numbers with bars."""
    words, options = CHOICES[name]
    counts = Counter(one.answers.get(name) or "No answer" for one in responses)
    shown = [*options, *(["No answer"] if counts["No answer"] else [])]
    most = max(counts.values())
    lines = "".join(
        f'<tr><th scope="row">{option}</th><td>{counts[option]}</td>'
        f'<td><span class="bar" style="--of-most:{counts[option] / most:.3f}"></span></td></tr>'
        for option in shown
    )
    head = '<tr><th scope="col">Answer</th><th scope="col">People</th><th scope="col">As a bar</th></tr>'
    return (
        f'<table class="bars"><caption>{escape(words)}</caption><thead>{head}</thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _groups_part(responses: Sequence[Response]) -> str:
    sizes = Counter(one.group for one in responses)
    shown = [group for group in GROUPS if group in shown_groups(sizes)]
    note = (
        f"<p>A group is shown by itself only if {FEWEST} people or more are in it, and if the rest cannot be "
        "worked out by subtraction.</p>"
    )
    if len(shown) < 2:
        return note + "<p>Here, fewer than two groups can be shown, so none is.</p>"
    rows = []
    for name, (words, options) in CHOICES.items():
        for option in options:
            numbers = [sum(r.answers.get(name) == option for r in responses if r.group == g) for g in shown]
            rows.append((f"{words} {option}", *numbers))
    heads = ("Question and answer", *(f"{group} ({sizes[group]})" for group in shown))
    return note + table("How many of each group", heads, rows)


def _words(name: str, responses: Sequence[Response]) -> str:
    """What people wrote to one question, each once, in an order drawn at random."""
    said = {
        re.sub(forms.CONTACT, "[removed]", one.answers[name]) for one in responses if one.answers.get(name)
    }
    order = random.sample(sorted(said), len(said))
    listed = "".join(f"<li>{escape(text)}</li>" for text in order)
    return f"<h3>{escape(TEXTS[name])}</h3>" + (
        f"<ul>{listed}</ul>" if said else "<p>Nobody wrote anything.</p>"
    )


# ------------------------------------------------------------------------------ practice, and the command


def write_example(folder: Path, people: int = 30, seed: int = 1) -> None:
    """Write forms of people who are made up, one file each."""
    draw = random.Random(seed)
    for number in range(1, people + 1):
        name, group = f"{EXAMPLE}{number:02d}", GROUPS[number % 2]
        answers = {key: draw.choice(options[:3]) for key, (_, options) in CHOICES.items()}
        if not number % 6:
            answers |= {"useful": f"Made up: the attack in lab 3 ({number}).", "hard": "Made up: the pace."}
        rows = [(name, group, key, answers.get(key, "")) for key in (*CHOICES, *TEXTS)]
        forms.write_csv(folder / f"feedback-{name}.csv", [head for head, _ in COLUMNS], rows)


def main(arguments: list[str]) -> int:
    """Write the summary of the forms in a session's folder."""
    words = argparse.ArgumentParser(prog="python3 -m course trainer feedback-report")
    words.add_argument("folder", help="the folder that papers made, with the forms in its folder feedback")
    words.add_argument("--to", help="the file to write; by default feedback-report.html in the folder")
    chosen = words.parse_args(arguments)
    folder = Path(chosen.folder)
    path = Path(chosen.to) if chosen.to else folder / "feedback-report.html"
    responses = read(folder / "feedback")
    forms.write_new(path, summary_page(responses))
    print(f"{len(responses)} forms. Wrote {path}.")
    return 0
