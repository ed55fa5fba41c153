"""What the comparison asks of each data set: one table to judge by, one finding, one intruder.

A generator of single tables learns the judged table itself. A generator of linked tables learns every
table of the data set, and the judged table is put together from what it made, by the same steps. A generator
of histories learns one table with several rows for each person, and is judged by one row for each person.
So all of them are measured by the same figures.

The truth of each finding is its value in the whole simulated population, from which the training part and the
control part were drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course import data
from course.measure import privacy, utility


@dataclass(frozen=True)
class Question:
    """What is asked of one data set by generators of one shape.

    `judged(tables)` puts the judged table together from tables by name. `finding(judged)` returns an
    `Estimate`. `known(judged)` returns what an intruder can see: the `keys` and the `target`, ages and money
    in bands.
    """

    dataset: str
    shape: str  # "table", "linked" or "history"
    schema: data.Schema  # of the judged table; its name is the table whose rules it must keep
    judged: Callable[[dict], pd.DataFrame]
    finding_means: str
    finding: Callable[[pd.DataFrame], utility.Estimate]
    group: str  # a column whose groups must not be lost ...
    outcome: str  # ... and the column compared inside each of them
    keys: tuple[str, ...]
    target: str
    known: Callable[[pd.DataFrame], pd.DataFrame]
    together: tuple[str, ...]  # columns looked at all at once, with their pairs
    history: tuple[str, str, str] = ()  # the table, its person and its order, for shape "history"
    also: tuple[str, ...] = ()  # further tables that a judged single table stands for, when rules are asked

    def learned(self, tables: dict, schemas: dict) -> tuple[tuple, dict]:
        """What a generator of this shape learns from: positional and named arguments of `generate.fit`."""
        if self.shape == "linked":
            return (tables, schemas), {}
        if self.shape == "history":
            name, person, order = self.history
            return (tables[name], schemas[name]), {"person": person, "order": order}
        return (self.judged(tables), self.schema), {}

    def by_name(self, made) -> dict:
        """What a generator of this shape made, as tables by name: what the rules are asked of."""
        if self.shape == "linked":
            return made
        if self.shape == "history":
            return {self.history[0]: made}
        return dict.fromkeys((self.schema.name, *self.also), made)

    def to_judge(self, made) -> pd.DataFrame:
        """What a generator of this shape made, as the judged table."""
        return made if self.shape == "table" else self.judged(self.by_name(made))


def ask(dataset: str, shape: str = "table") -> Question | None:
    """The question of a data set for generators of one shape; None where the data set has no such thing."""
    if shape == "history":
        return _HISTORIES[dataset](data.load(dataset)) if dataset in _HISTORIES else None
    return _QUESTIONS[dataset](data.load(dataset), shape)


def parentless(schemas: dict) -> str:
    """The table that leads to no other: the root that the others hang from."""
    return next(name for name, schema in schemas.items() if not schema.foreign_keys)


def smaller(tables: dict, schemas: dict) -> dict:
    """The first half of the rows of the table that has no parent, and all that lead to them.

    The rows stand in no order, so the first half is as good a sample as any. Half of each data set (about
    3,000 people) keeps a run of every generator within an evening.
    """
    root = parentless(schemas)
    kept, waiting = {root: tables[root].head(len(tables[root]) // 2)}, set(tables) - {root}
    while waiting:
        ready = [name for name in waiting if _parents(schemas[name]) <= set(kept)]
        for name in ready:
            table = tables[name]
            for key in schemas[name].foreign_keys:
                (here,), (there,) = key["fields"], key["reference"]["fields"]
                table = table[table[here].isin(kept[key["reference"]["resource"]][there])]
            kept[name] = table.reset_index(drop=True)
        waiting -= set(ready)
    return {name: kept[name] for name in tables}


def _parents(schema: data.Schema) -> set[str]:
    return {key["reference"]["resource"] for key in schema.foreign_keys}


# ------------------------------------------------------------------------------ one row for each person


def _claims(claims: data.Dataset, shape: str) -> Question:
    def finding(judged):
        renters = judged[judged["tenure"].isin(["SR", "PR"])]
        return utility.rate_difference(renters, "arrears", "Y", "universal_credit", "Y", "N")

    def known(judged):
        return _banded(judged, keys, reference_age=5, weekly_income=100)

    keys = ("area_code", "household_type", "reference_age", "tenure", "weekly_income")
    return Question(
        dataset="claims",
        shape=shape,
        schema=claims.schema("households"),
        judged=lambda tables: tables["households"],
        finding_means="arrears among renters: share on Universal Credit less share of the others",
        finding=finding,
        group="ethnic_group",
        outcome="arrears",
        keys=keys[:-1],
        target=keys[-1],
        known=known,
        together=("region", "household_type", "tenure", "universal_credit", "arrears", "weekly_income"),
    )


def _pupils(pupils: data.Dataset, shape: str) -> Question:
    def finding(judged):
        return utility.slope(judged.assign(fsm=_is(judged["fsm_eligible"], "Y")), "attainment8", "fsm")

    def known(judged):
        return _banded(judged, keys, attainment8=10)

    keys = ("sex", "birth_month", "ethnic_group_minor", "area_code", "attainment8")
    return Question(
        dataset="pupils",
        shape=shape,
        schema=pupils.schema("pupils"),
        judged=lambda tables: tables["pupils"],
        finding_means="attainment of pupils with free school meals less that of the others, in points",
        finding=finding,
        group="ethnic_group_minor",
        outcome="attainment8",
        keys=keys[:-1],
        target=keys[-1],
        known=known,
        together=("sex", "ethnic_group_minor", "fsm_eligible", "sen_provision", "ks2_score", "attainment8"),
    )


_STAY = (
    "admidate",
    "admimeth",
    "classpat",
    "disdate",
    "dismeth",
    "speldur",
    "startage",
    "mainspef",
    "diag_01",
)


def _admissions(admissions: data.Dataset, shape: str) -> Question:
    columns = ["patient_id", "sex", "ethnos", "region", "imd_decile", *_STAY]
    patients, episodes = admissions.schema("patients"), admissions.schema("episodes")

    def judged(tables):
        """The first episode of each patient, with what is known of the patient."""
        first = tables["episodes"].sort_values("epistart", kind="stable").drop_duplicates("patient_id")
        people = tables["patients"].drop_duplicates("patient_id")
        return people.merge(first, on="patient_id")[columns].reset_index(drop=True)

    def finding(judged):
        ordinary = judged[~judged["admimeth"].isin(["31", "32", "82", "83"])]
        emergency = _is(ordinary["admimeth"].astype(str).str[0], "2")
        return utility.slope(ordinary.assign(emergency=emergency), "emergency", "imd_decile")

    def known(judged):
        seen = judged[["sex", "startage", "ethnos", "region", "admidate"]].assign(
            admidate=judged["admidate"].dt.month, diagnosis=judged["diag_01"].str[0]
        )
        return _banded(seen, seen.columns, startage=5)

    return Question(
        dataset="admissions",
        shape=shape,
        schema=episodes.join(patients, columns),
        also=("patients",),
        judged=judged,
        finding_means="emergency share of first admissions, change for each tenth less deprived",
        finding=finding,
        group="ethnos",
        outcome="speldur",
        keys=("sex", "startage", "ethnos", "region", "admidate"),
        target="diagnosis",
        known=known,
        together=("sex", "imd_decile", "admimeth", "classpat", "speldur", "startage"),
    )


def _businesses(businesses: data.Dataset, shape: str) -> Question:
    def finding(judged):
        pay = np.log(judged["hourly_pay"].astype(float).clip(lower=0.01))
        return utility.slope(judged.assign(pay=pay, woman=_is(judged["sex"], "F")), "pay", "woman")

    def known(judged):
        return _banded(judged, keys, age=5, hourly_pay=2)

    keys = ("sex", "age", "area_code", "occupation", "hourly_pay")
    return Question(
        dataset="businesses",
        shape=shape,
        schema=businesses.schema("jobs"),
        judged=lambda tables: tables["jobs"],
        finding_means="log of hourly pay, women less men",
        finding=finding,
        group="contract",
        outcome="hourly_pay",
        keys=keys[:-1],
        target=keys[-1],
        known=known,
        together=("sex", "full_time", "contract", "pension", "age", "hourly_pay"),
    )


_QUESTIONS = {"claims": _claims, "pupils": _pupils, "admissions": _admissions, "businesses": _businesses}


# ------------------------------------------------------------------------------ several rows for each person


def _school_years(pupils: data.Dataset) -> Question:
    def judged(tables):
        years = tables["years"]
        missed = 1 - years["attended_sessions"] / years["possible_sessions"].where(
            years["possible_sessions"] > 0
        )
        taken = ["persistent_absentee", "suspensions", "test_score"]
        return _first_and_last(years.assign(missed=missed), "pupil_ref", "academic_year", ["missed", *taken])

    def known(judged):
        return _banded(judged, [*keys, "persistent_absentee_last"], missed_first=0.02, test_score_first=5)

    keys = ["missed_first", "test_score_first", "suspensions_first"]
    fields = [
        _number("missed"),
        *map(pupils.schema("years").field, ("persistent_absentee", "suspensions", "test_score")),
    ]
    return Question(
        dataset="pupils",
        shape="history",
        schema=_of_both_ends(fields),
        judged=judged,
        finding_means="share of sessions missed in the last year, for each unit of the share in the first",
        finding=lambda judged: utility.slope(judged, "missed_last", "missed_first"),
        group="persistent_absentee_first",
        outcome="missed_last",
        keys=tuple(keys),
        target="persistent_absentee_last",
        known=known,
        together=("persistent_absentee_first", "persistent_absentee_last", "missed_first", "missed_last"),
        history=("years", "pupil_ref", "academic_year"),
    )


def _episodes(admissions: data.Dataset) -> Question:
    taken = ["admimeth", "classpat", "startage", "speldur", "mainspef"]

    def judged(tables):
        return _first_and_last(tables["episodes"], "patient_id", "epistart", taken)

    def finding(judged):
        several = judged[judged["records"] > 1]
        ends = {end: _is(several[f"admimeth_{end}"].astype(str).str[0], "2") for end in ("first", "last")}
        return utility.slope(several.assign(**ends), "last", "first")

    def known(judged):
        return _banded(judged, [*keys, "mainspef_last"], startage_first=5)

    keys = ["startage_first", "admimeth_first", "speldur_first", "mainspef_first"]
    return Question(
        dataset="admissions",
        shape="history",
        schema=_of_both_ends([admissions.schema("episodes").field(column) for column in taken]),
        judged=judged,
        finding_means="last admission an emergency: share if the first was one, less the share if not",
        finding=finding,
        group="classpat_first",
        outcome="mainspef_last",
        keys=tuple(keys),
        target="mainspef_last",
        known=known,
        together=("admimeth_first", "admimeth_last", "classpat_last", "startage_first", "records"),
        history=("episodes", "patient_id", "epistart"),
    )


_HISTORIES = {"pupils": _school_years, "admissions": _episodes}


def _first_and_last(table: pd.DataFrame, person: str, order: str, columns: list) -> pd.DataFrame:
    """One row for each person: the first and the last value of some columns, and the number of records."""
    ranked = table.sort_values([person, order], kind="stable")
    ends = [ranked.drop_duplicates(person, keep=end).set_index(person)[columns] for end in ("first", "last")]
    joined = ends[0].join(ends[1], lsuffix="_first", rsuffix="_last")
    return joined.assign(records=table.groupby(person).size()).reset_index(drop=True)


def _of_both_ends(fields: list[dict]) -> data.Schema:
    """The schema of `_first_and_last`."""
    both = [{**field, "name": f"{field['name']}_{end}"} for end in ("first", "last") for field in fields]
    return data.Schema("people", (*both, _number("records")))


def _number(name: str) -> dict:
    return {"name": name, "type": "number"}


def _is(column: pd.Series, value) -> pd.Series:
    """1 where a column has a value, 0 where it has another, blank where it is blank."""
    return (column == value).astype("Float64").mask(column.isna()).astype(float)


def _banded(table: pd.DataFrame, columns, **widths) -> pd.DataFrame:
    """Some columns of a table, the numbers named in `widths` in bands."""
    seen = table[list(columns)].copy()
    for column, width in widths.items():
        seen[column] = privacy.band(seen[column], width)
    return seen
