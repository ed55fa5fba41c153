"""Ask at the terminal for what `answers.json` wants to know, question by question, and keep each answer.

A question has numbers to choose from, or a proposal that Enter takes, and `?` explains it. Control-C stops.
The same command goes on from there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from course.assess import advise, answers
from course.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOWN = 60  # columns listed at once
ROLE_HELP = (
    "  identifier: names or numbers one person. It is never synthesised.\n"
    "  quasi-identifier: others may know it: age, area, job.\n"
    "  sensitive: people may not want it known: income, health, crime.\n"
    "  other: neither. leave out: it is not used at all."
)
PERSON_HELP = (
    "  If one person can have several rows, name the column that is the same in all of them, such as a\n"
    "  patient number. Then nobody is on both sides of the test."
)
KEYS_HELP = "  The attacks pretend to know these about a person, and look for the person with them."
TARGETS_HELP = "  The attacks try to find these out. Choose what would hurt most."
LIMIT_HELP = (
    "  An attack guesses about people in your table, and about people who were left out. The excess is how\n"
    "  much more often it is right about the first. Its interval has an upper end: the limit is for that.\n"
    "  Decide before you see a result. There is no official number: it is for you to defend."
)


def wanted(given: dict) -> bool:
    """Whether there is something to ask: nothing was decided yet, or the asking was stopped half-way."""
    undecided = given.get("purpose") is None or given.get("audience") is None
    return undecided or not set(questions(given)) <= set(given.get("asked", QUESTIONS))


def questions(given: dict) -> dict[str, Callable]:
    """The questions for a table or, where it is only described, those for a description."""
    return {name: question for name, question in QUESTIONS.items() if name in ("roles", "guide", *given)}


def ask(given: dict, path: Path) -> None:
    """Ask what is not answered yet. The answers are put into `given`, and go into the file as they come."""
    given.setdefault("asked", [])
    print("Type a number, or Enter for what is in [brackets]. ? explains. Control-C stops and keeps it all.")
    for name, question in questions(given).items():
        if name not in given["asked"]:
            print()
            question(given, lambda: keep(path, given))
            given["asked"].append(name)
            keep(path, given)
    print(f"\nThat is all. Your answers are in {path}, where you can change them.\n")


# ------------------------------------------------------------------------------ the questions


def _roles(given: dict, keep: Callable) -> None:
    columns = given["columns"]
    print("What each column is:")
    _correct(columns, keep)
    for part, role, most in (
        ("keys", "quasi-identifier", answers.MOST_KEYS),
        ("targets", "sensitive", answers.MOST_TARGETS),
    ):
        if part in given:
            given[part] = [name for name in columns if columns[name]["role"] == role][:most]


def _correct(columns: dict, keep: Callable) -> None:
    """Show what each column is, and let the person change it until nothing is wrong."""
    names = list(columns)
    for number, name in enumerate(names[:SHOWN], 1):
        print(f"  {number:3} {name}: {columns[name]['role']}. {columns[name]['reason']}")
    if len(names) > SHOWN:
        print(f"  ... and {len(names) - SHOWN:,} more, which you can change by their names.")
    question = "Which one is wrong? Its number or name. [none]"
    while name := reply(question, ROLE_HELP, lambda said: _column(said, names) if said else None):
        print(f"{name} is:")
        columns[name] = {"role": choose(answers.ROLES, ROLE_HELP), "reason": "You said so."}
        keep()


def _linked(given: dict, keep: Callable) -> None:
    """For each linked table: whose its rows are, and what its columns are."""
    for one in given["linked"]:
        name, people = one["file"]["name"], list(given["columns"])
        for part, words, names in (
            ("column", f"Which column of {name} says whose a row is?", list(one["columns"])),
            ("key", "And which column of the first table does it point to?", people),
        ):
            one[part] = reply(
                f"{words} [{one[part]}]",
                "  " + ", ".join(names),
                lambda said, part=part, names=names, one=one: _column(said, names) if said else one[part],
            )
            keep()
        print(f"What each column of {name} is:")
        _correct(one["columns"], keep)


def _person(given: dict, keep: Callable) -> None:
    names = list(given["columns"])
    given["person"] = reply(
        "Which column says whose row it is? Or - where each row is another person. "
        f"[{given['person'] or '-'}]",
        PERSON_HELP,
        lambda said: given["person"] if not said else None if said == "-" else _column(said, names),
    )


def _keys(given: dict, keep: Callable) -> None:
    given["keys"] = _several(given, "keys", "What may others know about a person?", KEYS_HELP)


def _targets(given: dict, keep: Callable) -> None:
    given["targets"] = _several(given, "targets", "What would they like to learn?", TARGETS_HELP)


def _guide(given: dict, keep: Callable) -> None:
    """Purpose and audience, and then what else the decision guide asks on that way."""
    guide = advise.load()["questions"]
    for part, question in (("purpose", advise.PURPOSE), ("audience", advise.AUDIENCE)):
        if given.get(part) is None:
            print(guide[question]["ask"])
            shorts = advise.shorts(question)
            said = choose(list(shorts.values()), "  " + guide[question]["help"])
            given[part] = next(short for short, say in shorts.items() if say == said)
            keep()
    said = {
        advise.PURPOSE: advise.shorts(advise.PURPOSE)[given["purpose"]],
        advise.AUDIENCE: advise.shorts(advise.AUDIENCE)[given["audience"]],
    }
    while left := [
        step["question"]
        for step in advise.walk(said | given["guide"])[0]
        if not step["given"] and step["question"] not in advise.TESTED
    ]:
        question = guide[left[0]]
        print(f"\n{question['ask']}")
        says = [answer["say"] for answer in question["answers"]]
        given["guide"][left[0]] = choose(says, "  " + question["help"], question["unsaid"])
        keep()


def _limit(given: dict, keep: Callable) -> None:
    given["limit"] = reply(
        "How large an excess do you accept at most, in people out of 100? Such as 5. [not decided]",
        LIMIT_HELP,
        _share,
    )


QUESTIONS = {
    "roles": _roles,
    "linked": _linked,
    "person": _person,
    "keys": _keys,
    "targets": _targets,
    "guide": _guide,
    "limit": _limit,
}


# ------------------------------------------------------------------------------ replies


def reply(question: str, help_text: str, understood: Callable):
    """Ask until `understood` makes something of the reply; it raises ValueError, in one sentence, if not."""
    while True:
        said = input(f"{question} ").strip()
        if said == "?":
            print(help_text)
            continue
        try:
            return understood(said)
        except ValueError as error:
            print(f"  {error}")


def choose(options: list[str] | tuple, help_text: str, proposed: str | None = None) -> str:
    for number, option in enumerate(options, 1):
        print(f"  {number} {option}")

    def understood(said: str) -> str:
        if not said and proposed:
            return proposed
        if said in options:
            return said
        if said.isdecimal() and 1 <= int(said) <= len(options):
            return options[int(said) - 1]
        raise ValueError(f"Type a number from 1 to {len(options)}.")

    bracket = f" [{options.index(proposed) + 1}]" if proposed else ""
    return reply(f"Number?{bracket}", help_text, understood)


def _several(given: dict, part: str, question: str, help_text: str) -> list[str]:
    """Some columns that are used, and that are not on the other side of the attack."""
    names, other = list(given["columns"]), {"keys": "targets", "targets": "keys"}[part]
    used = [name for name in names if given["columns"][name]["role"] in answers.ROLES[1:4]]
    proposed = [name for name in given[part] if part == "keys" or name not in given[other]]

    def understood(said: str) -> list[str]:
        chosen = [_column(one, names) for one in said.split(",")] if said else proposed
        if not chosen and not (part == "targets" and "linked" in given):
            raise ValueError("Name at least one column.")
        if unused := [name for name in chosen if name not in used]:
            raise ValueError(f"{unused[0]} is not used, being {given['columns'][unused[0]]['role']}.")
        if part == "targets" and (both := [name for name in chosen if name in given["keys"]]):
            raise ValueError(f"{both[0]} is known already. An intruder either knows it or not.")
        return list(dict.fromkeys(chosen))

    shown = ", ".join(proposed) or ("none here" if "linked" in given else "no proposal")
    return reply(f"{question} Columns, with commas between. [{shown}]", help_text, understood)


def _column(said: str, names: list[str]) -> str:
    said = said.strip()
    if said in names:
        return said
    if said.isdecimal() and 1 <= int(said) <= len(names):
        return names[int(said) - 1]
    raise ValueError(f"There is no column {said!r}. Type its number or its name.")


def _share(said: str) -> float | None:
    if not said:
        return None
    try:
        share = round(float(said.rstrip("%")) / 100, 6)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise ValueError("Type a number between 0 and 100, such as 5.")
    return share


# ------------------------------------------------------------------------------ the file


def keep(path: Path, given: dict) -> None:
    """Keep the answers as they are now."""
    write_whole(path, json.dumps(given, indent=1, ensure_ascii=False))
