"""The quiz before and after a session: its pages, its files, and what they say question by question.

    quiz_page("before")                   # the page to hand out; course.trainer.papers writes it
    report_page(findings(read(folder)))   # after the day

`quiz.yml` holds twelve aims with two questions each. Half the room has form A before and form B after, the
other half the other way round, by the code that each person invents. So nobody meets a question twice, and
a form that is easier than the other favours neither before nor after. Nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from course import forms
from course.data import DataError
from course.pages import page, table
from course.trainer import items

HERE = Path(__file__).resolve().parent
BEFORE, AFTER = "before", "after"
DO_NOT_KNOW = "?"
EXAMPLE = "example-"  # how the codes of people who are made up begin
COLUMNS = (
    ("code", "code"),
    ("when", "when"),
    ("form", "form"),
    ("question", "item"),
    ("answer", "answer"),
    ("quiz", "quiz"),
)


@dataclass(frozen=True)
class Question:
    """One question: its id such as "07B", its aim, form, words, options by letter, and the right letter."""

    name: str
    aim: str
    form: str
    ask: str
    options: dict[str, str]
    reasons: dict[str, str]
    right: str


@lru_cache
def load() -> dict[str, Question]:
    """Every question by its id: 01A to 12A, and 01B to 12B."""
    import yaml

    found = {}
    for number, aim in enumerate(yaml.safe_load((HERE / "quiz.yml").read_text(encoding="utf-8")), 1):
        for form in "AB":
            answers = dict(zip("abcd", aim[form]["answers"], strict=True))
            (right,) = (letter for letter, answer in answers.items() if "right" in answer)
            name = f"{number:02d}{form}"
            options = {letter: answer["text"] for letter, answer in answers.items()}
            reasons = {letter: answer.get("wrong") or answer["right"] for letter, answer in answers.items()}
            found[name] = Question(name, aim["aim"], form, aim[form]["ask"], options, reasons, right)
    return found


def fingerprint() -> str:
    """What changes when a question or an answer changes: 12 signs of their SHA-256."""
    said = [[one.name, one.ask, one.options, one.right] for one in load().values()]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def form_of(code: str, when: str) -> str:
    """The form, "A" or "B", that a person with this code has before or after. As in `quiz.js`."""
    total = sum(ord(sign) for sign in code.strip().lower())
    return "AB"[(total + (when == AFTER)) % 2]


# ------------------------------------------------------------------------------ the pages


def quiz_page(when: str) -> str:
    """The quiz as a page. It holds both forms, and no word on which answer is right."""
    hint = (
        "Invent one and write it down: you need the same code again after the session. A word and a number "
        "will do, such as teapot-482. Do not use your name, or a number that others know you by."
        if when == BEFORE
        else "The code that you invented before the session. If you have lost it, invent another."
    )
    opening = (
        f"<p>Twelve questions, about ten minutes. This is the quiz <strong>{when}</strong> the session. "
        "It tells the trainer what the room knows. It does not mark you.</p>"
        "<p>Each question has one best answer. If you do not know, say so: that helps more than a guess.</p>"
        "<p>Nobody is asked for a name, and this page sends nothing. When you press the button at the end, "
        "your browser saves a file on this computer, for you to hand in. Its name holds your code.</p>"
    )
    parts = "".join(
        f'<section data-form="{form}"><h2 tabindex="-1">Questions, form {form}</h2>'
        + "".join(_box(one) for one in load().values() if one.form == form)
        + "</section>"
        for form in "AB"
    )
    only = "A" if when == BEFORE else "B"
    paper = f"<noscript><p>On paper, answer form {only} only.</p></noscript>"
    return forms.page_of(
        f"Quiz {when} the session",
        opening,
        forms.code_field("code", "Your code", hint) + paper + parts,
        COLUMNS,
        {"when": when, "form": "", "quiz": fingerprint()},
        "quiz-{when}-{code}",
        (HERE / "quiz.js").read_text(encoding="utf-8"),
    )


def _box(one: Question) -> str:
    """One question with its four answers and "I do not know"."""
    choices = [*one.options.items(), (DO_NOT_KNOW, "I do not know")]
    said = "".join(
        f'<label><input type="radio" id="q{one.name}-{place}" name="{one.name}" value="{letter}"> '
        f"{escape(text)}</label>"
        for place, (letter, text) in enumerate(choices, 1)
    )
    return (
        f'<fieldset data-item="{one.name}" data-problem="Choose an answer to question {int(one.name[:2])}">'
        f'<legend>{int(one.name[:2])}. {escape(one.ask)}</legend><div class="choices">{said}</div></fieldset>'
    )


def key_page() -> str:
    """For the trainer: the right answer to each question, and the misunderstanding behind each other one."""
    parts = []
    for one in load().values():
        rows = [
            (
                f"{letter}. {text}",
                "Right" if letter == one.right else "Not right",
                one.reasons[letter],
            )
            for letter, text in one.options.items()
        ]
        heads = ("Answer", "Verdict", "Why, or the misunderstanding behind it")
        parts.append(f"<h2>{one.name}. {escape(one.aim)}</h2><p>{escape(one.ask)}</p>")
        parts.append(table(f"Answers to {one.name}", heads, rows))
    opening = (
        "<h1>Quiz: the key</h1><p class='first'>For the trainer. Keep it back until everyone has done the "
        "quiz after the session. Then you may hand it out.</p><p>A question's id is the number of its aim "
        "and its form. 07A and 07B ask for the same idea in two settings.</p>"
    )
    return page("Quiz: the key", opening + "".join(parts), style=forms.style())


# ------------------------------------------------------------------------------ answers


@dataclass(frozen=True)
class Sheet:
    """What one person answered on one occasion: code, "before" or "after", form, letter by question."""

    code: str
    when: str
    form: str
    answers: dict[str, str]

    @property
    def right(self) -> list[int]:
        """0 or 1 for each of the twelve questions of the form, in order. No answer is not right."""
        return [
            int(self.answers.get(one.name) == one.right) for one in load().values() if one.form == self.form
        ]


def read(folder: Path) -> list[Sheet]:
    """All answer sheets in the CSV files of a folder, one file or many.

    Raises DataError, with one sentence, for a code, occasion, form, question or answer that cannot be, an
    answer given twice, answers to another quiz, and made-up people among real ones.
    """
    found: dict[tuple[str, str], tuple[str, dict[str, str], str]] = {}
    for file in forms.returned_files(folder):
        for line, row in forms.rows(file, [head for head, _ in COLUMNS[:5]]):
            where = f"{file.name}, line {line}"
            _check(row, where)
            key = row["code"].lower(), row["when"]
            form, answers, first = found.setdefault(key, (row["form"], {}, file.name))
            if row["question"] in answers or form != row["form"]:
                raise DataError(
                    f"{where}: the code {key[0]} answers {row['when']} the session twice; the first time is "
                    f"in {first}. Keep one, or if two people chose one code, change it in one person's files."
                )
            answers[row["question"]] = row["answer"]
    sheets = [Sheet(code, when, form, answers) for (code, when), (form, answers, _) in found.items()]
    if len({sheet.code.startswith(EXAMPLE) for sheet in sheets}) > 1:
        raise DataError("Some answers are the example's and some are not. Keep them in two folders.")
    return sheets


def _check(row: dict[str, str], where: str) -> None:
    """Raise DataError with one sentence if a row cannot have come from the quiz."""
    if not forms.CODE.fullmatch(row["code"]):
        raise DataError(f"{where}: the code {forms.short(row['code'])} may hold {forms.CODE_WORDS}.")
    if row["when"] not in (BEFORE, AFTER):
        raise DataError(f"{where}: when is {forms.short(row['when'])}. It must be before or after.")
    if row.get("quiz", "") not in ("", fingerprint()):
        raise DataError(f"{where}: this answers another version of the quiz. Use the pages of one folder.")
    question = load().get(row["question"])
    if question is None or question.form != row["form"]:
        raise DataError(
            f"{where}: there is no question {forms.short(row['question'])} in form "
            f"{forms.short(row['form'])}."
        )
    if row["answer"] not in (*question.options, DO_NOT_KNOW, ""):
        raise DataError(
            f"{where}: the answer is {forms.short(row['answer'])}. It must be a, b, c or d, or ? for "
            "do not know."
        )


# ------------------------------------------------------------------------------ the report


def findings(sheets: Sequence[Sheet]) -> dict:
    """Everything that the report says, as plain values. No code of a person is in it.

    Raises DataError for fewer than ten people.
    """
    people = {sheet.code for sheet in sheets}
    if len(people) < items.FEWEST:
        raise DataError(
            f"There are answers of {len(people)} people. A report is made from {items.FEWEST} on: with "
            "fewer, the figures say little, and people can be recognised by them."
        )
    first, second = ({s.code: s for s in sheets if s.when == when} for when in (BEFORE, AFTER))
    both = sorted(first.keys() & second.keys())
    matched = [(first[code], second[code]) for code in both if first[code].form != second[code].form]
    return {
        "example": all(code.startswith(EXAMPLE) for code in people),
        "before": len(first),
        "after": len(second),
        "matched": len(matched),
        "same_form": len(both) - len(matched),
        "orders": {form: sum(a.form == form for a, _ in matched) for form in "AB"},
        "means": {
            when: sum(sum(s.right) for s in group.values()) / len(group) if group else None
            for when, group in ((BEFORE, first), (AFTER, second))
        },
        "score": _score(matched),
        "aims": _aims(matched),
        "questions": [_question(one, sheets) for one in load().values()],
        "reliability": {
            (form, when): items.kr20([s.right for s in sheets if (s.form, s.when) == (form, when)] or [[]])
            for form in "AB"
            for when in (BEFORE, AFTER)
        },
    }


def _score(matched: Sequence[tuple[Sheet, Sheet]]) -> items.Estimate | None:
    """The mean gain in questions right, with the order of the forms taken out."""
    gains = {form: [sum(b.right) - sum(a.right) for a, b in matched if a.form == form] for form in "AB"}
    return items.score_gain(gains["A"], gains["B"])


def _aims(matched: Sequence[tuple[Sheet, Sheet]]) -> list[dict]:
    """The gain on each aim, with McNemar's p after Holm's correction for twelve tests."""
    from statsmodels.stats.multitest import multipletests

    names = list(dict.fromkeys(one.aim for one in load().values()))
    if len(matched) < items.FEWEST:
        return []
    rows = []
    for place, aim in enumerate(names):
        before, after = ([pair[i].right[place] for pair in matched] for i in (0, 1))
        rows.append(
            {
                "aim": aim,
                "before": items.facility(before),
                "after": items.facility(after),
                "gain": items.gain(before, after),
            }
        )
    adjusted = multipletests([row["gain"].p for row in rows], method="holm")[1]
    return [row | {"p": float(p)} for row, p in zip(rows, adjusted, strict=True)]


def _question(one: Question, sheets: Sequence[Sheet]) -> dict:
    """One question: facility before and after, discrimination over both, and who chose what."""
    asked = [sheet for sheet in sheets if sheet.form == one.form]
    place = int(one.name[:2]) - 1
    right = [sheet.right[place] for sheet in asked]
    rest = [sum(sheet.right) - mark for sheet, mark in zip(asked, right, strict=True)]
    row: dict = {"question": one, "n": len(asked)}
    row["discrimination"] = items.discrimination(right, rest, [sheet.when for sheet in asked])
    for when in (BEFORE, AFTER):
        marks = [mark for sheet, mark in zip(asked, right, strict=True) if sheet.when == when]
        row[when] = items.facility(marks) if marks else None
        row[f"chosen_{when}"] = Counter(
            sheet.answers.get(one.name) or DO_NOT_KNOW for sheet in asked if sheet.when == when
        )
    row["look"] = _look(row)
    return row


def _look(row: dict) -> str:
    """What a trainer should look at, in words; nothing if no figure stands out."""
    said = []
    value = row["discrimination"]
    # About two standard errors below nothing at all: less than that is common by chance.
    if value is not None and value < -2 / row["n"] ** 0.5:
        said.append("People who do well elsewhere miss it: read the question again.")
    before, after = row[BEFORE], row[AFTER]
    if before and before.low > 0.75:
        said.append("Nearly everyone knew it before.")
    if after and after.high < 0.5:
        said.append("Most do not know it afterwards: teach it in another way.")
    wrong = {letter: n for letter, n in row[f"chosen_{AFTER}"].items() if letter in row["question"].options}
    if wrong and max(wrong, key=wrong.__getitem__) != row["question"].right:
        said.append("Afterwards a wrong answer is the commonest: see the key.")
    return " ".join(said)


def report_page(said: dict) -> str:
    """The report as a page."""
    made_up = "Made-up answers: nobody in this report is real. " if said["example"] else ""
    body = [
        "<h1>Quiz report</h1>",
        f'<p class="first">{made_up}{escape(summary(said))}</p>',
        "<h2>What people gained</h2>",
        _gain_part(said),
        "<h2>Each question</h2>",
        _question_part(said),
        "<h2>Which answers were chosen</h2>",
        _chosen_part(said),
        "<h2>How far the questions agree with each other</h2>",
        _reliability_part(said),
        "<h2>What this does not show</h2>",
        LIMITS,
    ]
    return page("Quiz report", "\n".join(body), style=forms.style())


def summary(said: dict) -> str:
    """The report in two or three sentences."""
    means = [
        f"{said['means'][when]:.1f} of 12 right {when}"
        for when in (BEFORE, AFTER)
        if said["means"][when] is not None
    ]
    people = (
        f"{said['before']} people answered before and {said['after']} after; {said['matched']} can be "
        f"matched by their codes. On average {' and '.join(means)}."
    )
    score = said["score"]
    if score is None:
        return f"{people} Too few are matched to say what was gained."
    return (
        f"{people} The matched people gained {score.value:.1f} questions (95% interval {score.low:.1f} to "
        f"{score.high:.1f})."
    )


def _share(estimate: items.Estimate | None) -> str:
    if estimate is None:
        return "–"
    return f"{estimate.value:.0%} ({100 * estimate.low:.0f} to {100 * estimate.high:.0f})"


def _gain_part(said: dict) -> str:
    orders = said["orders"]
    note = (
        f"<p>{orders['A']} of the matched people had form A first, {orders['B']} had form B first. The two "
        "questions of an aim are not equally hard. Where the two numbers are alike, that cancels out. The "
        "gain in the first line above takes the order out in any case; the table below does not.</p>"
    )
    if said["same_form"]:
        note += f"<p>{said['same_form']} people had the same form twice, and are not counted as matched.</p>"
    if not said["aims"]:
        return note + f"<p>Fewer than {items.FEWEST} people are matched, so no aim is shown by itself.</p>"
    rows = [
        (
            row["aim"],
            f"{row['before'].value:.0%}",
            f"{row['after'].value:.0%}",
            row["gain"].gained,
            row["gain"].lost,
            f"{100 * row['gain'].value:+.0f} ({100 * row['gain'].low:+.0f} to {100 * row['gain'].high:+.0f})",
            f"{row['p']:.3f}" if row["p"] >= 0.001 else "under 0.001",
        )
        for row in said["aims"]
    ]
    heads = (
        "Aim",
        "Right before",
        "Right after",
        "Wrong, then right",
        "Right, then wrong",
        "Gain in percentage points (95% interval)",
        "p",
    )
    method = (
        "<p>The interval of each gain is Agresti and Min's for matched pairs. p is McNemar's exact test, "
        "after Holm's correction for twelve tests. With thirty people an interval is often 40 points wide, "
        "so compare aims with care.</p>"
    )
    return note + method + table(f"Gain on each aim, {said['matched']} matched people", heads, rows)


def _question_part(said: dict) -> str:
    rows = [
        (
            f"{row['question'].name}. {row['question'].aim}",
            _share(row[BEFORE]),
            _share(row[AFTER]),
            "–" if row["discrimination"] is None else f"{row['discrimination']:.2f}",
            " and ".join(str(row[when].n if row[when] else 0) for when in (BEFORE, AFTER)),
            row["look"] or "–",
        )
        for row in said["questions"]
    ]
    heads = (
        "Question",
        "Right before",
        "Right after",
        "Item-rest correlation",
        "People each time",
        "Look at",
    )
    return (
        "<p>Right before and after: the share of those who had this question then, with Wilson's 95% "
        "interval. They are different people, as nobody has a question twice. The item-rest correlation says "
        "whether people who got it right did better on the other eleven, before and after taken apart. "
        f"Near 0, the question tells nobody apart. It is left out below {items.FEWEST} people, and rough at "
        "thirty: a question that tells nobody apart would still often lie anywhere from -0.36 to 0.36.</p>"
        + table("Each question", heads, rows)
    )


def _chosen_part(said: dict) -> str:
    rows = []
    for row in said["questions"]:
        one = row["question"]
        for letter, text in (*one.options.items(), (DO_NOT_KNOW, "I do not know")):
            why = "" if letter == DO_NOT_KNOW else one.reasons[letter]
            verdict = "Right" if letter == one.right else "–" if letter == DO_NOT_KNOW else "Not right"
            counts = [row[f"chosen_{when}"][letter] for when in (BEFORE, AFTER)]
            rows.append((f"{one.name} {letter}. {text}", verdict, *counts, why or "–"))
    heads = ("Answer", "Verdict", "Before", "After", "Why, or the misunderstanding behind it")
    return (
        "<p>A question left blank counts as <em>I do not know</em>, and both count as not right.</p>"
        "<details><summary>Show every answer with its counts</summary>"
        + table("How many chose each answer", heads, rows)
        + "</details>"
    )


def _reliability_part(said: dict) -> str:
    rows = [
        (
            f"Form {form}, {when}",
            *(
                ("–", "–", f"too few, or all alike (fewer than {items.FEWEST} people count as too few)")
                if found is None
                else (f"{found.value:.2f}", f"{found.low:.2f} to {found.high:.2f}", found.n)
            ),
        )
        for (form, when), found in said["reliability"].items()
    ]
    return (
        "<p>Kuder and Richardson's formula 20 (KR-20), with Feldt's 95% interval. 1 would mean that all "
        "questions order people alike. The twelve aims are different things, so a low value is no fault "
        "here. With fifteen people to a form the interval is so wide that a value means little. Do not use "
        "this quiz to mark anybody.</p>"
        + table("KR-20 of each form", ("Form", "KR-20", "95% interval", "People"), rows)
    )


LIMITS = (
    "<ul><li><strong>That the session caused the gain.</strong> There is no group without a session. People "
    "also learn from a quiz itself, and from each other.</li>"
    "<li><strong>That it lasts,</strong> or that anybody works in another way. Ask again after a month.</li>"
    "<li><strong>What those who left know.</strong> Only people who answered both times are matched.</li>"
    "<li><strong>Small differences.</strong> Thirty people and one question an aim cannot show them.</li>"
    "<li><strong>Who knows what.</strong> No name is asked for, and this page holds no code.</li></ul>"
)


# ------------------------------------------------------------------------------ made-up answers, for practice


def example(people: int = 30, seed: int = 1) -> list[Sheet]:
    """Answers of people who are made up, to practise with. No figure is an estimate of real learners."""
    import numpy as np

    random = np.random.default_rng(seed)
    sheets = []
    for number in range(1, people + 1):
        code, ability = f"{EXAMPLE}{number:02d}", random.normal()
        for when, learned in ((BEFORE, -0.5), (AFTER, 0.7)):
            form = form_of(code, when)
            asked = [one for one in load().values() if one.form == form]
            answers = {}
            for one in asked:
                chance = 1 / (1 + np.exp(-(ability + learned + random.normal(0, 0.3))))
                wrong = [letter for letter in one.options if letter != one.right] + [DO_NOT_KNOW]
                answers[one.name] = one.right if random.random() < chance else str(random.choice(wrong))
            if when == BEFORE or random.random() > 0.1:
                sheets.append(Sheet(code, when, form, answers))
    return sheets


def write_sheet(sheet: Sheet, folder: Path) -> None:
    """Write one sheet as the page would save it."""
    rows = [
        (sheet.code, sheet.when, sheet.form, name, letter, fingerprint())
        for name, letter in sheet.answers.items()
    ]
    forms.write_csv(folder / f"quiz-{sheet.when}-{sheet.code}.csv", [head for head, _ in COLUMNS], rows)


# ------------------------------------------------------------------------------ the command


def main(arguments: list[str]) -> int:
    """Write the report on the quiz files in a session's folder, and print its first line."""
    words = argparse.ArgumentParser(prog="python3 -m course trainer quiz-report")
    words.add_argument("folder", help="the folder that papers made, with the answers in its folder quiz")
    words.add_argument("--to", help="the file to write; by default quiz-report.html in the folder")
    chosen = words.parse_args(arguments)
    folder = Path(chosen.folder)
    path = Path(chosen.to) if chosen.to else folder / "quiz-report.html"
    said = findings(read(folder / "quiz"))
    forms.write_new(path, report_page(said))
    print(summary(said))
    print(f"Wrote {path}.")
    return 0
