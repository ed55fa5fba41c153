"""The decision guide: `course/assess/guide.yml`, written out as questions, answers and a ladder.

The `decision-guide` directive shows one part: `ask` (where `guide.js` puts one question at a time),
`questions`, `answers` or `ladder`. The script reads the questions and answers from the page itself, so that
what is asked step by step, what stands on the page without JavaScript, and what the tests walk are the same.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BOOK.parent))

from course.assess.advise import SOURCE, checks, gaps, load  # noqa: E402

# 1. The ways through the guide ----------------------------------------------------------------------------


def paths(guide: dict, question: str | None = None):
    """Yield each way through the guide: its (question, answer) pairs, and the name of the result.

    A way that came back to a question it had asked would never end, so it is an error.
    """
    trail: list[tuple[str, dict]] = []

    def walk(name: str):
        if name in guide["results"]:
            yield list(trail), name
            return
        if any(name == asked for asked, _ in trail):
            raise ValueError(f"The guide comes back to the question {name!r}.")
        for answer in guide["questions"][name]["answers"]:
            trail.append((name, answer))
            yield from walk(answer["go"])
            trail.pop()

    yield from walk(question or guide["start"])


# 2. The page ----------------------------------------------------------------------------------------------


def ask_html(guide: dict) -> str:
    """The place of the step-by-step guide, and the way on without JavaScript."""
    start = place(guide["start"])
    return (
        f'<div id="guide-ask" class="guide-ask" data-start="{start}"><noscript><p>The step-by-step form '
        "needs JavaScript. You do not need it: the whole guide stands below. "
        f'<a href="#{start}">Begin with the first question</a> and follow the links.</p></noscript></div>'
    )


def questions_html(guide: dict) -> str:
    return "".join(question_html(guide, name) for name in guide["questions"])


def question_html(guide: dict, name: str) -> str:
    """One question: each answer, with a link to what comes next."""
    question = guide["questions"][name]
    items = []
    for answer in question["answers"]:
        go, say, gap = answer["go"], escape(answer["say"]), escape(answer.get("gap", ""))
        follows = guide["questions"][go]["ask"] if go in guide["questions"] else guide["results"][go]["title"]
        note = f' <span class="guide-gap">Gap to note: {gap}.</span>' if gap else ""
        kept = f' data-gap="{gap}"' if gap else ""
        items.append(
            f'<li data-go="{place(go)}"{kept}><span class="guide-say">{say}</span>: '
            f'<a href="#{place(go)}">{escape(follows)}</a>{note}</li>'
        )
    return (
        f'<section class="guide-question" id="{place(name)}"><h3>{escape(question["ask"])}</h3>'
        f'<p class="guide-help">{escape(question["help"])}</p><ul>{"".join(items)}</ul></section>'
    )


def answers_html(guide: dict) -> str:
    return "".join(answer_html(guide, name) for name in guide["results"])


def answer_html(guide: dict, name: str) -> str:
    """One answer: verdict, level, access, reason, what to do, checks, gaps, and the labs behind it."""
    result = guide["results"][name]
    verdict = result["verdict"]
    facts = "".join(
        f"<div><dt>{term}</dt><dd>{escape(text)}.</dd></div>" for term, text in facts_of(guide, result)
    )
    shown = [f'<a href="../notebooks/{lab}.html">{escape(title_of(lab))}</a>' for lab in result["evidence"]]
    return (
        f'<section class="guide-answer" id="{place(name)}"><h3>{escape(result["title"])}</h3>'
        f'<p class="guide-verdict guide-{verdict}">Answer: '
        f"<strong>{escape(guide['verdicts'][verdict]['name'])}</strong></p>"
        f'<p class="guide-why">{escape(result["why"])}</p><dl>{facts}</dl>'
        f"<h4>What to do now</h4>{listed(result['now'], 'ol', 'guide-now')}"
        f"<h4>Checks</h4>{listed(checks(guide, result), 'ul', 'guide-checks')}"
        f"<h4>Gaps for a person to fill</h4>{listed(gaps(guide, result), 'ul', 'guide-gaps')}"
        f'<p class="guide-evidence">Where the course shows it: {", ".join(shown)}.</p></section>'
    )


def facts_of(guide: dict, result: dict) -> list[tuple[str, str]]:
    """Level, what it is made from, what it is for and not for, and who may have it."""
    facts = []
    if name := result.get("level"):
        level = guide["levels"][name]
        facts = [
            ("Level of fidelity", f"{level['name']} ({level['six']})"),
            ("Made from", capital(level["made_from"])),
            ("Fit for", capital(level["fit_for"])),
            ("Not for", capital(level["not_for"])),
        ]
    else:
        facts = [("Level of fidelity", "None: no synthetic table is made or given out")]
    return [*facts, ("Who may have it", result["access"])]


def ladder_html(guide: dict) -> str:
    """The levels as a table, from least to most real."""
    columns = ("Level", "Among the six levels", "Made from", "Fit for", "Not for", "Its own checks")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    rows = []
    for level in guide["levels"].values():
        cells = [level["six"], level["made_from"], level["fit_for"], level["not_for"]]
        own = "".join(f"<td>{escape(capital(cell))}</td>" for cell in cells)
        own += f"<td>{escape(' '.join(level['checks']))}</td>"
        rows.append(f'<tr><th scope="row">{escape(level["name"])}</th>{own}</tr>')
    return (
        '<div class="wide-table" role="region" aria-label="Levels of the guide" tabindex="0">'
        f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def place(name: str) -> str:
    """The name of a question or an answer on the page."""
    return f"guide-{name}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def listed(items: list[str], tag: str, name: str) -> str:
    return f'<{tag} class="{name}">' + "".join(f"<li>{escape(item)}</li>" for item in items) + f"</{tag}>"


def title_of(lab: str) -> str:
    """The number and the title of a lab, as its notebook gives them."""
    notebook = json.loads((BOOK.parent / "notebooks" / f"{lab}.ipynb").read_text(encoding="utf-8"))
    return f"lab {int(lab[:2])}, {notebook['metadata']['course']['title']}"


PARTS = {"ask": ask_html, "questions": questions_html, "answers": answers_html, "ladder": ladder_html}


# 3. Set-up ------------------------------------------------------------------------------------------------


class DecisionGuide(SphinxDirective):
    """`decision-guide`: one part of the guide, by its name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(SOURCE))
        part = self.arguments[0]
        if part not in PARTS:
            raise self.error(f"There is no part {part!r}. Known: {', '.join(PARTS)}.")
        return [nodes.raw(text=PARTS[part](load()), format="html", classes=["decision-guide"])]


def setup(app: Sphinx) -> dict:
    """Register the directive with Sphinx."""
    app.add_directive("decision-guide", DecisionGuide)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
