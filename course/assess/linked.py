"""Linked tables: people in one file, and what belongs to them in others, tied by a key.

    links = [propose(parents, children)]              # which column points to which, with the orphans counted
    climb(reading, links, answers, folder)            # split by person, make, measure, attack: run.json

The people are split, and all that belongs to a person goes with the person, so that nothing of the training
part is in the control. The attacks look at one row for each person: the person's own columns, how many rows
belong to them in each other table, and the mean or the commonest value of a few of its columns.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from course import generate
from course.assess import figures, ladder
from course.assess.answers import check_roles
from course.assess.propose import REFERENCE, Proposal, words_of
from course.assess.propose import propose as describe
from course.data import DataError, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from course.assess.answers import Answers
    from course.assess.read import Reading

PEOPLE = "people"
# Parents and then their children, from trees with so many real rows in a leaf (lab 11).
RUNGS = {"parent-child-25": {"min_leaf": 25}, "parent-child-5": {"min_leaf": 5}}
ABOUT = "Rungs for linked tables: parents, then the children of each, from trees of 25 or of 5 rows a leaf."
TOO_CLOSE = "Linked tables keep more than that. They are made to show what they would give away."
NOT_MEASURED = (
    "Not measured: how alike the rows of one person are, in what order they come, and whether a single row "
    "of a linked table is that of a real person."
)
MOST_ORPHANS = 0.5  # the share of a table's rows that may belong to nobody here
SUMMED = 3  # columns of each linked table that the attacks see, beside the number of rows


@dataclass(frozen=True)
class Link:
    """A table, which of its columns names the person, and which column of the people's table that is."""

    reading: Reading
    proposal: Proposal
    column: str
    key: str
    orphans: int  # rows that belong to nobody in the people's table, and are left out

    @property
    def name(self) -> str:
        return self.proposal.schema.name

    def __str__(self):
        said = (
            f"{self.column!r} of {self.name} says whose a row is, as {self.key!r} does in the people's table."
        )
        many = f"{self.orphans:,} of {len(self.reading.table):,}"
        return f"{said} Rows of nobody there are left out: {many}." if self.orphans else said


def propose(people: Reading, other: Reading, name: str) -> Link:
    """The link between two tables: a column without repeats or blanks, and one whose values are among them.

    Of several, the one with the fewest orphans is taken, then one of the same name, then the first. DataError
    where there is none.
    """
    found = [*_pointing(people, other)]
    if found:
        _, orphans, _, _, column, key = min(found)
        return Link(other, describe(other.table, name), column, key, orphans)
    here, there = people.source["name"], other.source["name"]
    if next(_pointing(other, people), None):
        raise DataError(
            f"{here} points to {there}, not the other way round. Give {there} first, and {here} with "
            "--linked."
        )
    raise DataError(
        f"No column of {there} points to {here}, where a key must be without blanks and without repeats. "
        "Leave the file out, or add the key."
    )


def _pointing(people: Reading, other: Reading) -> Iterator[tuple]:
    """Pairs of columns that may be a link, each as what it is sorted by, the likeliest first."""
    keys = {name: set(_words(column)) for name, column in people.table.items() if _is_key(column)}
    for place, (column, values) in enumerate(other.table.items()):
        for key, known in keys.items():
            orphans = int((~_words(values).isin(known)).sum() + values.isna().sum())
            few = orphans <= MOST_ORPHANS * len(values) and values.nunique() > 1
            if few and (_is_text(values) or _of_one_name(column, key, people.source["name"])):
                yield values.is_unique, orphans, column != key, place, column, key


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column)


def _of_one_name(column: str, key: str, file: str) -> bool:
    """Whether two headings speak of one thing. Whole numbers are often among a table's numbers by chance."""
    if column == key:
        return True
    said = [word for word in words_of(column) if word not in REFERENCE.split()]
    return any(word in words_of(key) or any(one.startswith(word) for one in words_of(file)) for word in said)


def _is_key(column: pd.Series) -> bool:
    whole = not pd.api.types.is_float_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column)
    return bool(whole and column.notna().all() and column.is_unique)


def _words(column: pd.Series) -> pd.Series:
    """The values of a column as text, without blanks: 12 and "12" are the same key."""
    return column.dropna().astype(str)


def as_answers(links: list[Link]) -> list[dict]:
    """The proposed links, for `answers.json`, where a person corrects them."""
    return [
        {
            "file": {part: link.reading.source[part] for part in ("name", "sha256")},
            "column": link.column,
            "key": link.key,
            "columns": {
                row["column"]: {
                    "role": "leave out" if row["role"] == "text" else row["role"],
                    "reason": row["reason"],
                }
                for row in link.proposal.columns.to_dict("records")
            },
        }
        for link in links
    ]


def check(given: dict, people: Reading, links: list[Link], path: Path) -> list[Link]:
    """The links as a person left them in `answers.json`. DataError where they do not fit the tables."""
    said = given.get("linked", [])
    if (
        not isinstance(said, list)
        or len(said) != len(links)
        or not all(isinstance(one, dict) for one in said)
    ):
        names = ", ".join(link.reading.source["name"] for link in links) or "none"
        raise DataError(
            f"{path} was made with other linked tables than were given now ({names}). Give the same with "
            "--linked, or choose another folder."
        )
    checked = []
    for one, link in zip(said, links, strict=True):
        about, name = one.get("file"), link.reading.source["name"]
        if not isinstance(about, dict) or about.get("sha256") != link.reading.source["sha256"]:
            raise DataError(
                f"{path} is about another {name}, or it has changed. Choose another folder for it."
            )
        checked.append(_checked(one, link, people, path))
    if len({link.key for link in checked}) > 1:
        raise DataError(f"{path}: linked tables point to different keys of the people. Let all use one.")
    return checked


def _checked(one: dict, link: Link, people: Reading, path: Path) -> Link:
    name, table = link.reading.source["name"], link.reading.table
    column, key = one.get("column"), one.get("key")
    for part, known in ((column, table), (key, people.table)):
        if part not in list(known):
            raise DataError(f"{path}: {part!r} is no column that could link {name}. Check the spelling.")
    if not _is_key(people.table[key]):
        raise DataError(f"{path}: {key!r} has blanks or repeats, so it does not say who a person is.")
    columns = one.get("columns") if isinstance(one.get("columns"), dict) else {}
    roles = {c: said.get("role") for c, said in columns.items() if isinstance(said, dict)}
    check_roles(roles, list(table), path)
    fields = tuple({**link.proposal.schema.field(c), "role": roles[c]} for c in table)
    found = link.proposal.columns.assign(role=[roles[c] for c in table])
    owned = table[column].notna() & table[column].astype(str).isin(set(_words(people.table[key])))
    if not owned.any():
        raise DataError(f"{path}: no row of {name} belongs to anybody by {column!r} and {key!r}. Check both.")
    return Link(
        link.reading, Proposal(Schema(link.name, fields), found, None), column, key, int((~owned).sum())
    )


# ------------------------------------------------------------------------------ tables and schemas


def tables(people: Reading, links: list[Link], keep: set | None = None) -> dict[str, pd.DataFrame]:
    """The tables with keys as text and without orphans; only the rows of the people in `keep`, if given."""
    key = links[0].key
    known = people.table.assign(**{key: _words(people.table[key])})
    known = known[known[key].isin(keep)] if keep is not None else known
    found = {PEOPLE: known.reset_index(drop=True)}
    for link in links:
        table = link.reading.table
        owner = table[link.column].astype(object).where(table[link.column].notna(), None)
        table = table.assign(**{link.column: owner.map(str, na_action="ignore")})
        found[link.name] = table[table[link.column].isin(set(known[key]))].reset_index(drop=True)
    return found


def schemas(answers: Answers, links: list[Link]) -> dict[str, Schema]:
    """The description of each table with its keys: the people's as decided, the others' as proposed."""
    key = {"name": links[0].key, "type": "string", "title": links[0].key, "role": "identifier"}
    own = [field for field in answers.schema.fields if field["name"] != links[0].key]
    found = {PEOPLE: Schema(PEOPLE, (key, *own), (links[0].key,))}
    for link in links:
        roles = dict(zip(link.proposal.columns["column"], link.proposal.columns["role"], strict=True))
        fields = [
            link.proposal.schema.field(column)
            for column, role in roles.items()
            if column != link.column and role not in ("identifier", "text", "leave out")
        ]
        owner = {"name": link.column, "type": "string", "title": link.column, "role": "identifier"}
        points = {"fields": link.column, "reference": {"resource": PEOPLE, "fields": link.key}}
        found[link.name] = Schema(link.name, (owner, *fields), (), (points,))
    return found


def flat(made: dict[str, pd.DataFrame], answers: Answers, links: list[Link]) -> pd.DataFrame:
    """One row for each person: their own columns, the number of rows in each other table, and summaries."""
    people = made[PEOPLE]
    key = links[0].key
    found = people[[column for column in answers.schema.columns if column != key]].copy()
    for link in links:
        table, owner = made[link.name], made[link.name][link.column]
        counts = people[key].map(owner.value_counts())
        found[f"{link.name}: rows"] = counts.fillna(0).astype("int64").to_numpy()
        for column, kind in _summed(link).items():
            values = table[column]
            if kind == "numeric":
                each = values.astype("Float64").astype(float).groupby(owner.to_numpy()).mean().round(2)
                found[f"{link.name}: mean {column}"] = people[key].map(each).to_numpy(float)
            else:
                each = _commonest(values, owner)
                found[f"{link.name}: commonest {column}"] = people[key].map(each).to_numpy(object)
    return found


def _commonest(values: pd.Series, owner: pd.Series) -> pd.Series:
    """Each owner's commonest value; of equally common ones the first in order."""
    counts = pd.DataFrame({"owner": owner, "value": values.astype(str).where(values.notna())}).value_counts()
    counts = counts.reset_index(name="n").sort_values(["owner", "n", "value"], ascending=[True, False, True])
    return counts.drop_duplicates("owner").set_index("owner")["value"]


def _summed(link: Link) -> dict[str, str]:
    """The columns of a linked table that are summed up for each person: sensitive ones first."""
    schema = link.proposal.schema
    fit = [
        c
        for c in schema.columns
        if c != link.column
        and schema.kind(c) in ("numeric", "categorical")
        and schema.field(c)["role"] != "leave out"
    ]
    sensitive = [c for c in fit if c in schema.sensitive]
    return {c: schema.kind(c) for c in [*sensitive, *(c for c in fit if c not in sensitive)][:SUMMED]}


def flat_answers(answers: Answers, links: list[Link]) -> Answers:
    """The answers for the flat table: its schema, and the summed sensitive columns as further targets."""
    key = links[0].key
    fields = [field for field in answers.schema.fields if field["name"] != key]
    targets = list(answers.targets)
    for link in links:
        fields.append(_field(f"{link.name}: rows", "integer", "quasi-identifier"))
        for column, kind in _summed(link).items():
            role = link.proposal.schema.field(column)["role"]
            word = "mean" if kind == "numeric" else "commonest"
            name = f"{link.name}: {word} {column}"
            field = _field(name, "number" if kind == "numeric" else "string", role)
            if kind == "categorical":
                codes = link.proposal.schema.categories(column) or {"True": "yes", "False": "no"}
                field["categories"] = [{"value": str(code), "label": str(code)} for code in codes]
            fields.append(field)
            if role == "sensitive":
                targets.append(name)
    if not targets:
        raise DataError("Nothing is left that somebody may want to learn. Call a column sensitive.")
    keys = [*answers.keys, *(f"{link.name}: rows" for link in links)]
    return dataclasses.replace(
        answers, schema=Schema(answers.schema.name, tuple(fields)), keys=keys, targets=targets, person=None
    )


def _field(name: str, kind: str, role: str) -> dict:
    return {"name": name, "type": kind, "title": name, "role": role}


# ------------------------------------------------------------------------------ the climb


def split(people: Reading, links: list[Link], answers: Answers, say: Callable = print) -> tuple[dict, dict]:
    """The training and the control tables: half of the people each, and with each person what is theirs."""
    key = links[0].key
    only = Schema(PEOPLE, (_field(key, "string", "identifier"),))
    ids = pd.DataFrame({key: _words(people.table[key])})
    parts = ladder.split(ids, dataclasses.replace(answers, schema=only, person=key), say)
    return tuple(tables(people, links, set(part[key])) for part in parts)


def climb(
    people: Reading, links: list[Link], answers: Answers, folder: Path, say: Callable = print, advice=None
) -> pd.DataFrame:
    """Make linked tables, measure and attack them, and write `run.json`, as `ladder.climb` does for one.

    A rung has several files here: each with its description, its SHA-256, and how far its columns are off.
    """
    training, control = split(people, links, answers, say)
    view, described = flat_answers(answers, links), schemas(answers, links)
    parts = [flat(part, answers, links) for part in (training, control)]
    say(f"{_sizes(training)} to learn from; {_sizes(control)} of other people to compare with.")
    say(f"The attacks see one row for each person, with {len(parts[0].columns)} columns.")
    run = {**ladder.described(people, view, advice), **ladder.parts_of(people.table, view, *parts)}
    for name, part in (("training", training), ("control", control)):
        run["parts"][f"{name} tables"] = {table: len(rows) for table, rows in part.items()}
    run["linked"] = [_source(link) for link in links]
    run["left out"] = [column for column in people.table if column not in described[PEOPLE].columns]
    for link in links:
        left = [column for column in link.reading.table if column not in described[link.name].columns]
        run["left out"] += [f"{link.name}: {column}" for column in left]
    shas = [link.reading.source["sha256"] for link in links]
    rungs = {
        name: (
            ladder.result_key(people, view, f"{name} {options} {shas} {described}"),
            partial(_made, name, training, control, answers, links, folder),
        )
        for name, options in RUNGS.items()
    }
    return ladder.climb_rungs(run, rungs, *parts, view, folder, say)


def _source(link: Link) -> dict:
    """What `run.json` says about a linked file, as it says it about the people's, and about the link."""
    rows, columns = link.reading.table.shape
    about = {**link.reading.source, "rows": rows, "columns": columns, "decisions": link.reading.decisions}
    return {"table": link.name, **about, "column": link.column, "key": link.key, "orphans": link.orphans}


def _made(rung: str, training, control, answers, links, folder: Path) -> tuple[dict, list[pd.DataFrame]]:
    """Five sets of linked tables. The first is written to be released, and all go flat to the attacks."""
    described = schemas(answers, links)
    model = generate.fit("parent-child", training, described, **RUNGS[rung])
    made = [model.sample(len(training[PEOPLE]), answers.seed + seed) for seed in ladder.SEEDS]
    files, tied = [], {link.name: {"column": link.column, "key": link.key} for link in links}
    for name, table in made[0].items():
        path, schema = folder / "synthetic" / rung / f"{name}.csv", described[name]
        ladder.save(table, path)
        file = {"name": name, **ladder.released(path, folder), "fields": list(schema.fields)}
        file |= {"link": tied[name]} if name in tied else {}
        files.append({**file, "columns": figures.columns(training[name], control[name], table, schema)})
    leaf = f"at least {RUNGS[rung]['min_leaf']} real rows in each leaf of a tree"
    said = f"{leaf}. No differential privacy: there is no epsilon and no delta."
    return {"parameters": said, "files": files}, [flat(one, answers, links) for one in made]


def in_words(found: pd.DataFrame, answers: Answers, links: list[Link]) -> str:
    """What was found, in lines, and what was not measured."""
    return f"{ladder.in_words(found, flat_answers(answers, links))}\n{NOT_MEASURED}"


def _sizes(part: dict[str, pd.DataFrame]) -> str:
    return ", ".join(f"{len(table):,} rows of {name}" for name, table in part.items())
