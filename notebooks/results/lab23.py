"""Makes the folder lab23: a table as a colleague might send it, and a run on it.

    python notebooks/results/lab23.py

Run it in the environment, from the folder of the course. It takes about a minute.

`rents.csv` holds four thousand of the simulated households of the data set claims,
written the way an export from a housing system looks. It has three traps of its own,
which lab 23 asks for. `run` holds the decisions (answers.json), the record of the run
(run.json), the synthetic table that is advised, and the answers of an invented
council for the release pack (gaps.json, written by hand). The book shows that pack.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from course import data, release
from course.assess import advise, answers, ladder
from course.assess.propose import propose
from course.assess.read import read
from course.release import gaps

FOLDER = HERE / "lab23"
FILE = FOLDER / "rents.csv"
HEADINGS = {
    "household_id": "Tenant Ref",
    "area_code": "Area",
    "household_type": "Household Type",
    "people": "No. in Household",
    "reference_age": "Age",
    "ethnic_group": "Ethnicity",
    "tenure": "Tenure",
    "bedrooms": "Bedrooms",
    "weekly_income": "Weekly Income (£)",
    "weekly_rent": "Weekly Rent (£)",
    "universal_credit": "UC?",
    "health_condition": "Health Condition?",
    "arrears": "In Arrears?",
    "tenancy_start": "Tenancy Start",
}


def export() -> None:
    """Write `rents.csv`: cp1252, semicolons, pounds, UK dates, a title, a total."""
    rng = np.random.default_rng(23)
    both = pd.concat(
        [
            data.load("claims").training["households"],
            data.load("claims").control["households"],
        ]
    )
    renting = (
        both[both["tenure"].isin(["SR", "PR"])]
        .sample(4000, random_state=23)
        .reset_index(drop=True)
    )
    table = renting[list(HEADINGS)].rename(columns=HEADINGS)
    unknown = rng.random(len(table)) < 0.03
    table["Bedrooms"] = table["Bedrooms"].mask(
        unknown, 99
    )  # the first trap: a code for "not known"
    dates = table["Tenancy Start"].mask(
        rng.random(len(table)) < 0.04, pd.Timestamp(1900, 1, 1)
    )
    table["Tenancy Start"] = dates.dt.strftime(
        "%d/%m/%Y"
    )  # the second: a date that a program fills in
    for column in ("Weekly Income (£)", "Weekly Rent (£)"):
        table[column] = table[column].map("£{:,.2f}".format, na_action="ignore")
    table["Household Type"] = table["Household Type"].mask(
        rng.random(len(table)) < 0.02, "n/k"
    )
    lines = table.to_csv(index=False, sep=";").splitlines()
    total = ["Total"] + [""] * (len(HEADINGS) - 1)
    FILE.parent.mkdir(exist_ok=True)
    text = [
        "Rent accounts – export for R. Ahmed;",
        "Printed 03/11/2026;",
        "",
        *lines,
        ";".join(total),
    ]
    FILE.write_text("\r\n".join(text) + "\r\n", encoding="cp1252", newline="")


def mend(reading) -> None:
    """What lab 23 mends. The file stays as it is; the record says what was done."""
    for column, value in MENDS.items():
        unknown = reading.table[column].astype("string") == str(value)
        reading.table[column] = reading.table[column].mask(unknown)
        words = f"{value} in {column!r} stood for not known ({unknown.sum()} rows)."
        reading.decisions.append(f"By hand: {words}")


def decide(reading, proposal, folder: Path) -> None:
    """The decisions of lab 23, in answers.json."""
    path = answers.write(folder, reading, proposal)
    given = json.loads(path.read_text(encoding="utf-8"))
    given |= DECISIONS
    for column, role in ROLES.items():
        given["columns"][column] = {"role": role, "reason": "Decided by a person."}
    path.write_text(json.dumps(given, indent=1, ensure_ascii=False), encoding="utf-8")


DECISIONS = {
    "purpose": "write analysis code or train people",
    "audience": "named people who sign terms",
    "keys": ["Area", "Household Type", "Age", "Ethnicity", "Tenure"],
    "targets": ["In Arrears?", "Health Condition?", "Weekly Income (£)"],
    "limit": 0.05,
    "guide": {
        "open-records": "Yes, and somebody trained can check the counts "
        "for small numbers"
    },
}
MENDS = {"Household Type": "n/k", "Bedrooms": 99, "Tenancy Start": "1900-01-01"}
APPROVED = "Who approved the release"
ROLES = {"UC?": "sensitive", "Weekly Rent (£)": "sensitive"}


def approve(folder: Path) -> None:
    """Give the invented approval for this table: an approval names what it is for."""
    given = gaps.load(folder)
    run = json.loads((folder / ladder.RUN).read_text(encoding="utf-8"))
    asked = release.prepare(run, {}, folder).gaps
    (new,) = (question for question in asked if question.startswith(APPROVED))
    moved = {
        new if question.startswith(APPROVED) else question: said
        for question, said in given.items()
    }
    content = json.dumps(
        {"about": gaps.ABOUT, "answers": moved}, indent=1, ensure_ascii=False
    )
    (folder / gaps.NAME).write_text(content + "\n", encoding="utf-8")


def run() -> None:
    """The whole command, with its record kept and one synthetic table."""
    folder = FOLDER / "run"
    for name in (answers.NAME, ladder.RUN):
        (folder / name).unlink(missing_ok=True)
    reading = read(FILE)
    mend(reading)
    proposal = propose(reading.table, "rents")
    decide(reading, proposal, folder)
    given = answers.check(folder, reading, proposal)
    advice = advise.advise(given)
    print(advice)
    ladder.climb(reading, given, folder, advice=advice.record())
    for path in (folder / "synthetic").glob("*.csv"):
        if path.stem not in advice.rungs:
            path.unlink()
    approve(folder)
    found = ladder.table_of(
        json.loads((folder / ladder.RUN).read_text(encoding="utf-8"))
    )
    print(ladder.in_words(found, given))


if __name__ == "__main__":
    export()
    run()
