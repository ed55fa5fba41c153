"""The decisions only a person can take, in one file that they correct: `answers.json`.

`write` fills it from the proposal and never overwrites one, and `ask` asks at the terminal. `check` reads it
back against the table, and says in one sentence what is missing or wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from course.assess import advise
from course.data import DataError, Schema

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from course.assess.propose import Proposal
    from course.assess.read import Reading

NAME = "answers.json"
DESCRIPTION = "description"  # the format of a table without data (see describe.py)
NO_ATTACK = ("person", "keys", "targets", "limit")  # what is not decided where there is nobody to attack
ROWS = 1000  # of a table made from a description
ROLES = ("identifier", "quasi-identifier", "sensitive", "other", "leave out")
MOST_KEYS, MOST_TARGETS, MOST_COLUMNS, MOST_ROWS = 5, 3, 50, 1_000_000
PURPOSES, AUDIENCES = (tuple(advise.shorts(question)) for question in (advise.PURPOSE, advise.AUDIENCE))
ABOUT = (
    "Correct what is wrong, then run the same command again. A role is one of: " + ", ".join(ROLES) + ". "
    "keys: what an intruder may know about a person. targets: what they would like to learn. person: the "
    "column that says which rows belong to one person, or null where each row is another person. "
    "purpose: one of: " + "; ".join(PURPOSES) + ". audience: one of: " + "; ".join(AUDIENCES) + ". "
    "limit: what you accept at most as the upper end of an attack's excess, such as 0.1 for 10 in 100; write "
    "it before you look at a result. generator: the rung to release, or null to take the advice. guide: more "
    "answers to the course's decision guide, as the command asks for them."
)


@dataclass(frozen=True)
class Answers:
    """What was decided: the columns that are used, as a `Schema`, and how the table is attacked.

    What changes no synthetic table and no attack is left out of its text (`repr`), by which results are kept.
    """

    schema: Schema
    keys: list[str]
    targets: list[str]
    person: str | None
    purpose: str = field(repr=False)
    audience: str = field(repr=False)
    seed: int
    generator: str | None = field(default=None, repr=False)  # the rung to release; None takes the advice
    limit: float | None = field(default=None, repr=False)  # the most accepted of an excess's upper end
    guide: dict[str, str] = field(default_factory=dict, repr=False)  # further answers, by question
    rows: int | None = None  # to make from a description; None where there are real rows to go by


def write(folder: Path, reading: Reading, proposal: Proposal, linked: list[dict] | None = None) -> Path:
    """Write the proposed answers into a folder, which is made if need be. DataError if they are there.

    `linked` is what is proposed of linked tables (see linked.py).
    """
    roles = dict(zip(proposal.columns["column"], proposal.columns["role"], strict=True))
    reasons = dict(zip(proposal.columns["column"], proposal.columns["reason"], strict=True))
    used = [name for name, role in roles.items() if role != "text"]
    beyond = [name for name in used if roles[name] != "identifier"][MOST_COLUMNS:]
    for name in beyond:
        roles[name], reasons[name] = "leave out", f"Only the first {MOST_COLUMNS} columns are used."
    proposed = {
        "about": ABOUT,
        "file": {part: reading.source[part] for part in ("name", "sha256", "format")},
        "purpose": None,
        "audience": None,
        "person": proposal.person,
        "keys": [name for name, role in roles.items() if role == "quasi-identifier"][:MOST_KEYS],
        "targets": [name for name, role in roles.items() if role == "sensitive"][:MOST_TARGETS],
        "limit": None,
        "generator": None,
        "guide": {},
        "seed": 1,
        "columns": {
            name: {"role": "leave out" if role == "text" else role, "reason": reasons[name]}
            for name, role in roles.items()
        },
    }
    if linked:
        proposed |= {"linked": linked, "columns": proposed.pop("columns")}  # the long list stays last
    if reading.source["format"] == DESCRIPTION:
        proposed["rows"] = ROWS
        for part in NO_ATTACK:
            del proposed[part]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(proposed, file, indent=1, ensure_ascii=False)
    except FileExistsError:
        raise DataError(f"{path} is there already, and was left as it is.") from None
    return path


def load(folder: Path, reading: Reading) -> dict:
    """The answers of a folder as they stand in its file. DataError where they are not about this table."""
    path = folder / NAME
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not whole: look at line {error.lineno}, perhaps for a comma.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not in UTF-8. Save it again with that encoding.") from None
    if not isinstance(given, dict) or not isinstance(given.get("columns"), dict):
        raise DataError(
            f'{path} lacks its part "columns". Delete it, and run the command again for a new one.'
        )
    about = given.get("file")
    if not isinstance(about, dict) or about.get("sha256") != reading.source["sha256"]:
        raise DataError(
            f"{path} is about another file, or yours has changed since. Choose another folder for this one."
        )
    return given


def check(folder: Path, reading: Reading, proposal: Proposal) -> Answers:
    """Read the answers of a folder and hold them against the table. DataError where they do not fit."""
    path = folder / NAME
    given = load(folder, reading)
    roles = {name: said.get("role") for name, said in given["columns"].items() if isinstance(said, dict)}
    check_roles(roles, list(reading.table), path)
    for part, known in (("purpose", PURPOSES), ("audience", AUDIENCES)):
        if given.get(part) not in known:
            raise DataError(f"{path}: write the {part} first. It is one of: {'; '.join(known)}.")
    described = reading.source["format"] == DESCRIPTION
    used = [name for name, role in roles.items() if role in (ROLES[:4] if described else ROLES[1:4])]
    if len(used) < (1 if given.get("linked") else 2):
        raise DataError(f"{path}: fewer than two columns are left in. Give more of them a role.")
    attacked = {} if described else _attacked(given, used, reading.table, path)
    return Answers(
        schema=_schema(proposal.schema, roles, [name for name in reading.table if name in used]),
        **{"keys": [], "targets": [], "person": None} | attacked,
        purpose=given["purpose"],
        audience=given["audience"],
        seed=_whole(given, "seed", 1, 0, path),
        generator=_generator(given.get("generator"), bool(given.get("linked")), path),
        guide=_guide(given.get("guide", {}), path),
        rows=_whole(given, "rows", ROWS, 1, path) if described else None,
    )


def _attacked(given: dict, used: list[str], table: pd.DataFrame, path: Path) -> dict:
    """What an intruder knows and wants, whose the rows are, and the limit."""
    keys, targets = (_listed(given, part, used, path) for part in ("keys", "targets"))
    if both := set(keys) & set(targets):
        raise DataError(
            f"{path}: {min(both)!r} is among keys and targets. An intruder either knows it or not."
        )
    person, limit = _person(given.get("person"), table, path), _limit(given.get("limit"), path)
    return {"keys": keys, "targets": targets, "person": person, "limit": limit}


def check_roles(roles: dict, columns: list[str], path: Path) -> None:
    if missing := [name for name in columns if name not in roles]:
        raise DataError(f"{path}: the column {missing[0]!r} is not in it. Give it a role.")
    if strange := [name for name, role in roles.items() if role not in ROLES]:
        raise DataError(f"{path}: {strange[0]!r} has no role. It is one of: {', '.join(ROLES)}.")
    if unknown := [name for name in roles if name not in columns]:
        raise DataError(f"{path}: the table has no column {unknown[0]!r}. Check the spelling.")


def _listed(given: dict, part: str, used: list[str], path: Path) -> list[str]:
    """The names under "keys" or "targets", each a column that is used."""
    names = given.get(part)
    if names == [] and part == "targets" and given.get("linked"):
        return []  # what is sensitive may stand in the linked tables
    if not isinstance(names, list) or not names:
        raise DataError(f'{path}: name at least one column under "{part}", in square brackets.')
    if wrong := [name for name in names if name not in used]:
        raise DataError(f"{path}: {wrong[0]!r} is among the {part}, and is not a column that is used.")
    return list(dict.fromkeys(names))


def _person(person, table: pd.DataFrame, path: Path) -> str | None:
    if person is not None and person not in list(table):
        raise DataError(f"{path}: person is {person!r}, which is no column. Name one, or write null.")
    return person


def _whole(given: dict, part: str, usual: int, least: int, path: Path) -> int:
    number = given.get(part, usual)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= MOST_ROWS:
        raise DataError(
            f'{path}: "{part}" is {number!r}. Write a whole number from {least} to {MOST_ROWS:,}.'
        )
    return number


def _generator(name, is_linked: bool, path: Path) -> str | None:
    from course.assess import ladder, linked

    known = linked.RUNGS if is_linked else ladder.GENERATORS
    if name is not None and name not in known:
        raise DataError(f"{path}: the generator is {name!r}. Write null, or one of: {', '.join(known)}.")
    return name


def _limit(limit, path: Path) -> float | None:
    if limit is None:
        return None
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not 0 < limit < 1:
        raise DataError(
            f"{path}: the limit is {limit!r}. Write null, or a number between 0 and 1, such as 0.05."
        )
    return float(limit)


def _guide(said, path: Path) -> dict[str, str]:
    """The answers to the guide's further questions, each with the words of the guide."""
    asked = {
        name: [answer["say"] for answer in question["answers"]]
        for name, question in advise.load()["questions"].items()
        if name not in (advise.PURPOSE, advise.AUDIENCE, *advise.TESTED)
    }
    if not isinstance(said, dict):
        raise DataError(f'{path}: write "guide" with curly brackets: {{}} where there is nothing to say.')
    for name, say in said.items():
        if name not in asked:
            raise DataError(f"{path}: the guide has no question {name!r}. It has {', '.join(asked)}.")
        if say not in asked[name]:
            raise DataError(f"{path}: answer {name!r} with one of: {'; '.join(asked[name])}.")
    return said


def _schema(proposed: Schema, roles: dict, used: list[str]) -> Schema:
    """The proposed schema of the columns that are used, with the roles a person gave them."""
    return Schema(proposed.name, tuple({**proposed.field(name), "role": roles[name]} for name in used))
