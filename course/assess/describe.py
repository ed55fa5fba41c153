"""No data at all: a table described by hand, and test data made from the description alone.

    reading, proposal = describe.read("claims.yml")
    describe.make(reading, answers, folder)      # synthetic/structural.csv and synthetic/valid.csv

A description is a Table Schema of Frictionless, as JSON or YAML, alone or in a `datapackage.json`: a list of
`fields`, each with a name, a type, and its codes (`categories`) or limits (`constraints`). At a terminal it
can be typed column by column, and is kept as it comes.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course import generate
from course.assess import answers, ask, ladder
from course.assess.propose import Proposal, propose
from course.assess.read import Reading, content_of
from course.data import DataError, Schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from course.assess.answers import Answers

RUNGS = ("structural", "valid")
MOST = 5000  # columns
TYPES = {
    "string": "string",
    "any": "string",
    "integer": "integer",
    "year": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "date",
}
DTYPES = {"integer": "int64", "number": "float64", "boolean": "bool", "date": "datetime64[ns]"}


# ------------------------------------------------------------------------------ a description in a file


def read(path: Path) -> tuple[Reading, Proposal]:
    """A description as a `Reading` without rows and a `Proposal`. DataError if it is bad."""
    content = content_of(path)
    found = _parsed(content, path.name)
    described, decisions = _described(found, path.name), []
    fields = [_field(one, number, path.name) for number, one in enumerate(described["fields"], 1)]
    names = [field["name"] for field in fields]
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataError(f"{path.name} describes {twice[0]!r} more than once. Give each column its own name.")
    if any(one.get("formula") for one in described["fields"]):
        decisions.append("Formulas were left out: this command runs nothing that stands in a file.")
    table = pd.DataFrame(
        {field["name"]: pd.Series(dtype=DTYPES.get(field["type"], object)) for field in fields}
    )
    source = {
        "name": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "format": answers.DESCRIPTION,
    }
    decisions.append("It is a description: no record was read, and what is made from it counts nobody.")
    return Reading(table, source, decisions), _proposal(table, fields, path.stem)


def _proposal(table: pd.DataFrame, fields: list[dict], name: str) -> Proposal:
    """Roles as described, or else by the headings; types, codes and limits as described."""
    proposal = propose(table, name)
    rows = proposal.columns
    for row, field in enumerate(fields):
        if "role" in field:
            rows.loc[row, ["role", "reason"]] = field["role"], "The description says so."
        field["role"] = rows.loc[row, "role"]
    schema = Schema(name, tuple(fields))
    rows["kind"] = [schema.kind(column) for column in schema.columns]
    return Proposal(schema, rows, None)


def _parsed(content: bytes, name: str):
    """The file as lists, dicts and text: a code stays as it was typed, be it 007 or NO."""
    import yaml

    try:
        text = content.decode("utf-8-sig")
        if text.lstrip()[:1] in "{[":
            return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        return yaml.load(text, Loader=yaml.BaseLoader)
    except UnicodeDecodeError:
        raise DataError(f"{name} is not in UTF-8. Save it again with that encoding.") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{name} is not whole: look at line {error.lineno}, perhaps for a comma.") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f"look at line {place.line + 1}" if place else "look for characters that are no text"
        raise DataError(f"{name} cannot be read as YAML: {where}.") from None
    except RecursionError:
        raise DataError(f"{name} has lists in lists without end. It is no description of a table.") from None


def _described(found, name: str) -> dict:
    """The part with the list of fields, wherever it stands."""
    tables = found.get("resources") if isinstance(found, dict) else None
    if isinstance(tables, list):
        tables = [one for one in tables if isinstance(one, dict) and "schema" in one]
        if len(tables) != 1:
            raise DataError(f"{name} describes {len(tables)} tables. Keep the one that you want in the file.")
        found = tables[0]
    if isinstance(found, dict) and isinstance(found.get("schema"), dict):
        found = found["schema"]
    fields = found.get("fields") if isinstance(found, dict) else None
    if not isinstance(fields, list) or not fields:
        raise DataError(f'{name} has no list "fields". Each field needs at least a name and a type.')
    if len(fields) > MOST:
        raise DataError(f"{name} describes {len(fields):,} columns. Here a table can have up to {MOST:,}.")
    return {"fields": [one if isinstance(one, dict) else {} for one in fields]}


def _field(given: dict, number: int, file: str) -> dict:
    """One field with what generators use, each part checked and typed; the rest of it is left out."""
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"{file}: field {number} has no name.")
    kind = TYPES.get(given.get("type", "string"))
    if kind is None:
        known = ", ".join(TYPES)
        raise DataError(f"{file}: {name!r} has the type {given['type']!r}. It is one of: {known}.")
    limits = given.get("constraints", {})
    if not isinstance(limits, dict):
        raise DataError(
            f'{file}: write the "constraints" of {name!r} as names with values, such as minimum: 0.'
        )
    title = given.get("title") if isinstance(given.get("title"), str) else name
    field = {"name": name.strip(), "type": kind, "title": title}
    if (role := given.get("role")) is not None:
        known = ("identifier", "quasi-identifier", "sensitive", "other")
        if role not in known:
            raise DataError(f"{file}: {name!r} has the role {role!r}. It is one of: {', '.join(known)}.")
        field["role"] = role
    codes = given.get("categories") or limits.get("enum") or []
    if codes:
        field["categories"] = _codes(codes, kind, name, file)
    if kept := _limits(limits, kind, name, file):
        field["constraints"] = kept
    return field


def _codes(codes, kind: str, name: str, file: str) -> list[dict]:
    if not isinstance(codes, list):
        raise DataError(f"{file}: write the codes of {name!r} as a list.")
    found = []
    for code in codes:
        value, label = (code.get("value"), code.get("label")) if isinstance(code, dict) else (code, None)
        if not isinstance(value, str | bool):
            raise DataError(f"{file}: a code of {name!r} has no value.")
        found.append({"value": _value(str(value), kind, name, file), "label": str(label or value)})
    return found


def _limits(given: dict, kind: str, name: str, file: str) -> dict:
    """The limits that generators know. Dates stay text, as Frictionless writes them."""
    kept = {}
    for end in ("minimum", "maximum"):
        if end in given and kind in ("integer", "number", "date"):
            kept[end] = _value(str(given[end]), kind, name, file)
    if len(kept) == 2 and kept["minimum"] > kept["maximum"]:
        raise DataError(f"{file}: the minimum of {name!r} is above its maximum.")
    if str(given.get("required")).lower() in ("true", "yes", "1"):
        kept["required"] = True
    if isinstance(given.get("pattern"), str) and kind == "string":
        kept["pattern"] = given["pattern"]
    return kept


def _value(said: str, kind: str, name: str, file: str):
    """One code or limit with the type of its column."""
    try:
        if kind == "integer":
            return int(said)
        if kind == "number":
            value = float(said)
            if not np.isfinite(value):
                raise ValueError
            return value
        if kind == "date":
            return pd.to_datetime(said, format="%Y-%m-%d").strftime("%Y-%m-%d")
    except ValueError:
        shape = {"integer": "a whole number", "number": "a number", "date": "a date such as 2026-04-01"}[kind]
        raise DataError(f"{file}: {said!r} stands under {name!r} and is not {shape}.") from None
    return said


# ------------------------------------------------------------------------------ a description typed by hand

HOLDS = {
    "codes or words from a list": ("string", None),
    "whole numbers": ("integer", None),
    "numbers with a fraction": ("number", None),
    "dates": ("date", None),
    "true or false": ("boolean", None),
    "free words": ("string", None),
    "a reference that names one person or thing": ("string", "identifier"),
}


def typed_in(path: Path) -> None:
    """Ask at the terminal for one column after the other, and keep the description in a file as it comes."""
    described = {"unfinished": True, "fields": []}
    if path.exists():
        described = _parsed(content_of(path), path.name)
        if not isinstance(described, dict) or "unfinished" not in described:
            return
        _described(described, path.name)
    print("Describe your table, column by column. ? explains. Control-C stops and keeps it all.")
    fields = described["fields"]
    while True:
        taken = [field["name"] for field in fields]
        name = ask.reply(
            f"\nName of column {len(fields) + 1}? [no more columns]",
            "  The heading, as in the real file.",
            lambda said, taken=taken: _new_name(said, taken),
        )
        if not name:
            break
        fields.append(_asked(name))
        ask.keep(path, described)
    described.pop("unfinished")
    ask.keep(path, described)
    print(f"\nThe description is in {path}, where you can change it.\n")


def _asked(name: str) -> dict:
    print("It holds:")
    holds = ask.choose(tuple(HOLDS), "  What the column is, not how it looks in one row.")
    kind, role = HOLDS[holds]
    field: dict = {"name": name, "type": kind} | ({"role": role} if role else {})
    limits: dict = {}
    if holds == next(iter(HOLDS)):
        codes = ask.reply("Its codes, with commas between?", "  All that may stand there: Y, N", _codes_said)
        field["categories"] = [{"value": code, "label": code} for code in codes]
    if kind in ("integer", "number", "date"):
        for end, word in (("minimum", "Smallest"), ("maximum", "Largest")):
            said = ask.reply(
                f"{word} that is allowed? [no limit]",
                "  Of the rules, not of the data: the smallest and largest in the data may be one person's.",
                lambda said, end=end, limits=limits: _limit_said(said, end, limits, kind, name),
            )
            limits = limits if said is None else limits | {end: said}
    if not role:
        print("May it be blank?")
        blank = ask.choose(("yes", "no"), "  If yes, one row in ten will be.", "yes") == "yes"
        limits |= {} if blank else {"required": True}
    return field | ({"constraints": limits} if limits else {})


def _new_name(said: str, taken: list[str]) -> str:
    if said in taken:
        raise ValueError(f"There is a column {said!r} already.")
    if not said and len(taken) < 2:
        raise ValueError("A table needs two columns or more.")
    return said


def _codes_said(said: str) -> list[str]:
    codes = list(dict.fromkeys(code.strip() for code in re.split(r"[,;]", said) if code.strip()))
    if not codes:
        raise ValueError("Type at least one code.")
    return codes


def _limit_said(said: str, end: str, limits: dict, kind: str, name: str):
    if not said:
        return None
    try:
        return _limits({**limits, end: said}, kind, name, "Here")[end]
    except DataError as error:
        raise ValueError(str(error)) from None


# ------------------------------------------------------------------------------ tables


def make(given: Answers, folder: Path, say: Callable = print) -> pd.DataFrame:
    """Make both tables, labelled, and check the second against the description. One row for each rung."""
    rows = []
    for name in RUNGS:
        say(f"Making {given.rows:,} rows of {name} data ...", end=" ", flush=True)
        try:
            table = generate.fit(name, None, given.schema).sample(given.rows, given.seed)
        except generate.GeneratorError as error:
            rows.append({"generator": name, "why": str(error)})
            say(error)
            continue
        ladder.save(table, folder / "synthetic" / f"{name}.csv")
        rows.append({"generator": name, "rows": len(table), "strange": strange(table, given.schema)})
        say("done.")
    return pd.DataFrame(rows)


def strange(table: pd.DataFrame, schema: Schema) -> int:
    """How many values of a table the description does not allow: codes not listed, numbers beyond limits."""
    many = 0
    for field in schema.fields:
        values, limits = table[field["name"]].dropna(), field.get("constraints", {})
        if codes := schema.categories(field["name"]):
            many += int((~values.isin(list(codes))).sum())
        as_typed = pd.Timestamp if field["type"] == "date" else float
        if "minimum" in limits:
            many += int((values < as_typed(limits["minimum"])).sum())
        if "maximum" in limits:
            many += int((values > as_typed(limits["maximum"])).sum())
    return many


def in_words(found: pd.DataFrame, given: Answers) -> str:
    lines = [f"Purpose: {given.purpose}. Audience: {given.audience}."]
    for row in found.to_dict("records"):
        if isinstance(row.get("why"), str):
            lines.append(f"  {row['generator']:10} no table: {row['why']}")
        else:
            broken = f"{row['strange']:.0f} values that the description does not allow"
            lines.append(f"  {row['generator']:10} {row['rows']:.0f} rows; {broken}")
    lines.append("Made from a description only: no figure in them means anything, and nobody was attacked.")
    return "\n".join(lines)
