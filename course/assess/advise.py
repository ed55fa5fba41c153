"""Advice from the decision guide: what to make for a purpose and an audience, with which rungs and checks.

    advice = advise(answers)
    advice.rungs         # the generators that stand on the advised level, the one that keeps least first
    advice.record()      # all of it, for a file

The guide is `guide.yml`, which the course's page also shows, so that command and page say the same. A person
answers its questions; where they gave no answer the careful one is taken, and said to be so.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course.assess.answers import Answers

SOURCE = Path(__file__).with_name("guide.yml")
PURPOSE, AUDIENCE, TESTED = "purpose", "who-gets-it", ("counts-tested", "model-tested")
INSIDE, OUTSIDE, TOO_LATE = (
    "Tested, and every result is inside its limit",
    "Tested, and at least one result is outside its limit",
    "Tested, but the limits were set afterwards, or there was no control group",
)
# What each generator reads and keeps, in plain words, and its level in the decision guide.
KEEPS = {
    "structural": ("structure", "the description of the columns only", "no relation between columns"),
    "valid": (
        "structure",
        "the description of the columns and their codes (a code that fewer than 10 rows have is not in it)",
        "no relation between columns",
    ),
    "marginal": (
        "columns",
        "each column alone, with small groups put together",
        "the shape of each column, and no relation between columns",
    ),
    "ipf": (
        "together",
        "counts of columns and of pairs of columns, small ones left out and the rest rounded",
        "how the columns of each pair go together, and no relation of three columns",
    ),
    "copula": (
        "together",
        "each column, and how strongly each pair of columns rises and falls together",
        "the strength of each pair, and no relation of another shape",
    ),
    "cart": ("near-copy", "every row, with trees", "detailed relations between columns, and real values"),
    **{
        f"parent-child-{leaf}": (
            "near-copy",
            f"every row of every table, with trees that have at least {leaf} real rows in a leaf",
            "how many rows belong to a person, how each follows from the person and from the row before it, "
            "and real values",
        )
        for leaf in (25, 5)
    },
}


# ------------------------------------------------------------------------------ the guide


@functools.cache
def load() -> dict:
    """The guide as it stands in its file."""
    import yaml

    return yaml.safe_load(SOURCE.read_text(encoding="utf-8"))


def checks(guide: dict, result: dict) -> list[str]:
    """Every check that an answer asks for: those of every table that is made, of its levels, and its own."""
    found = []
    if level := result.get("level"):
        found += [] if level == "description" else guide["all_made"]
        for name in (*guide["levels"][level]["also"], level):
            found += guide["levels"][name]["checks"]
    return found + result.get("checks", [])


def gaps(guide: dict, result: dict) -> list[str]:
    """What a person must still write down, whichever way led to the answer."""
    return guide["verdicts"][result["verdict"]]["gaps"]


def shorts(question: str) -> dict[str, str]:
    """What the command calls the answers of a question: {its short name: the answer}."""
    return {answer["short"]: answer["say"] for answer in load()["questions"][question]["answers"]}


def walk(said: dict[str, str]) -> tuple[list[dict], str]:
    """The way through the guide that some answers take, {question: answer}, and the name of the result.

    Each step is a dict: question (its name), ask, say, given (whether a person said so), and a gap or None.
    """
    guide, name, way = load(), load()["start"], []
    while name in guide["questions"]:
        question = guide["questions"][name]
        say = said.get(name, question.get("unsaid"))
        answer = next(answer for answer in question["answers"] if answer["say"] == say)
        step = {"question": name, "ask": question["ask"], "say": say, "given": name in said}
        way.append(step | {"gap": answer.get("gap")})
        name = answer["go"]
    return way, name


# ------------------------------------------------------------------------------ advice for one table


@dataclass(frozen=True)
class Advice:
    """What the guide says: `way` is how it was found (see `walk`), the rest stands in the guide."""

    result: str  # its name in the guide
    title: str
    verdict: str  # make, not-yet, instead or refuse
    level: str | None  # None where no table is made or given out
    rungs: list[str]
    access: str
    why: str
    now: list[str]
    checks: list[str]
    gaps: list[str]
    evidence: list[str]  # labs
    way: list[dict]

    def record(self) -> dict:
        """All of it as a dict for a JSON file."""
        return asdict(self)

    def allows(self, generator: str) -> bool:
        """Whether a rung of the ladder keeps no more than the advised level does."""
        levels = list(load()["levels"])
        return self.level is not None and any(
            generator in load()["levels"][level]["rungs"] for level in levels[: levels.index(self.level) + 1]
        )

    def __str__(self):
        guide = load()
        lines = [
            f"Advice: {self.title}. ({guide['verdicts'][self.verdict]['name']}.)",
            f"  Why: {self.why}",
            f"  Who may have it: {self.access}.",
        ]
        if self.level:
            level = guide["levels"][self.level]
            lines.append(f"  Level: {level['name']}. Fit for {level['fit_for']}. Not for {level['not_for']}.")
        for name in self.rungs:
            _, read, kept = KEEPS[name]
            lines.append(f"  Rung {name}: reads {read}. Keeps {kept}.")
        lines += ["  What to do now:", *(f"  - {step}" for step in self.now)]
        if open_ones := self.gaps[: len(self.gaps) - len(guide["verdicts"][self.verdict]["gaps"])]:
            lines += ["  For a person to settle:", *(f"  - {gap}." for gap in open_ones)]
        if taken := [step for step in self.way if not step["given"] and step["question"] not in TESTED]:
            lines.append('  Nobody answered these, so the careful answer was taken. To answer, use "guide":')
            for step in taken:
                lines.append(f'  - "{step["question"]}": {step["ask"]} Taken: "{step["say"]}".')
                others = [answer["say"] for answer in guide["questions"][step["question"]]["answers"]]
                lines += [f'      or "{say}"' for say in others if say != step["say"]]
        return "\n".join(lines)


def advise(answers: Answers, highest: float | None = None) -> Advice:
    """What the guide advises for the answers that a person gave of their table.

    `highest` is what the attacks found, once there is something: the largest upper end of an excess (a share)
    on the rung that is to be released. It is held against the limit; one set afterwards does not count.
    """
    said = answers.guide | {
        PURPOSE: shorts(PURPOSE)[answers.purpose],
        AUDIENCE: shorts(AUDIENCE)[answers.audience],
    }
    if highest is not None:
        late = answers.limit is None
        said |= dict.fromkeys(TESTED, TOO_LATE if late else INSIDE if highest < answers.limit else OUTSIDE)
    guide = load()
    way, name = walk(said)
    result = guide["results"][name]
    level = result.get("level")
    return Advice(
        result=name,
        title=result["title"],
        verdict=result["verdict"],
        level=level,
        rungs=guide["levels"][level]["rungs"] if level else [],
        access=result["access"],
        why=result["why"],
        now=result["now"],
        checks=checks(guide, result),
        gaps=[*(step["gap"] for step in way if step["gap"]), *_of_the_table(answers), *gaps(guide, result)],
        evidence=result["evidence"],
        way=way,
    )


def _of_the_table(answers: Answers) -> list[str]:
    """What a person must look at because of this table."""
    if answers.rows is not None:  # made from a description: nobody is in it
        return ["Whether the description tells of a real person: a rare code, one person's limit"]
    found = []
    if answers.person is None:
        found.append("Whether each row is another person. It was taken to be so")
    if any(answers.schema.categories(column) for column in answers.schema.columns):
        found.append(
            "Whether every code may be told. Those here were read off the table (10 rows or more each)"
        )
    if answers.limit is None:
        found.append("The limit for risk, written down before anybody looks at a result")
    return found
