"""Makes lab24-runs.csv.gz: the data-access study of lab 24.

    python notebooks/results/lab24.py

Run it in the environment, from the folder of the course. It takes about an hour.

Sixteen short scripts, as an analyst would write them, read CSV files from the folder in
which they run. Each has first-draft defects: one line of the right script, replaced.
Every script and every draft is run on synthetic tables of each level, and unchanged on
the real tables. The lab imports this file for its scripts and for the way to run them.

The authors of the course chose the scripts, the checks in them, the defects, and the
limits LEAST and MOVED. No person wrote code for this study on one level or another.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from course import data, generate
from course.environment import ROOT
from course.measure.output import dominance

HERE = Path(__file__).resolve().parent
RUNS = HERE / "lab24-runs.csv.gz"
SCRIPT = "script.py"  # the name under which a script runs
SETS = ("claims", "admissions", "pupils")
# Each is a generator; "codes" is the generator valid without rules: codes and limits.
LEVELS = ("structural", "codes", "valid")
LEVELS += ("marginal", "ipf", "copula", "cart", "parent-child")
CONTROL = "other real people"  # not a level: what real tables of others would find
SEEDS = range(10)  # synthetic tables of each level, for each of two real parts
LEAST = 10  # people in any row of a table that leaves the room
# Rules that the generator of the level valid cannot keep by drawing again and again.
TOO_TIGHT = ("last-episode-ends-the-stay", "first-episode-starts-the-stay")
# No ten schools share a local authority, so three levels refuse the column, which no
# script reads.
LEFT_OUT = ("la_code",)
MOVED = 0.1  # a result that moved further than this, in standard errors, is wrong


class Defect(NamedTuple):
    """One line of a right script, and the line that a first draft had in its place."""

    name: str
    hangs_on: str  # what in the data decides whether it shows
    right: str
    draft: str
    why: str


class Script(NamedTuple):
    """A right script, which leaves estimate, error and table, and its defects."""

    dataset: str
    asks: str
    text: str
    defects: tuple[Defect, ...]

    def draft(self, *names: str) -> str:
        """The script with the named defects in it; KeyError for a name it lacks."""
        text, known = self.text, {defect.name: defect for defect in self.defects}
        for name in names:
            assert text.count(known[name].right) == 1, name
            text = text.replace(known[name].right, known[name].draft)
        return text


class Outcome(NamedTuple):
    """How a script ended: ran, stopped, blank (no number came out) or refused."""

    status: str
    where: str = ""  # kind of error and number of the line: all that may leave the room
    estimate: float = float("nan")
    error: float = float("nan")
    message: str = ""  # what an analyst sees at her own desk
    table: pd.DataFrame | None = None  # of a script that ran


IMPORTS = """\
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

"""

SCRIPTS = {
    "arrears of renters": Script(
        "claims",
        "Are renters on Universal Credit more often in arrears?",
        IMPORTS
        + """\
homes = pd.read_csv("households.csv")
assert homes["household_id"].is_unique
renters = homes[homes["tenure"].isin(["SR", "PR"])]
assert renters["weekly_rent"].notna().all()
late = (renters["arrears"] == "Y").astype(float)
assert 0 < late.mean() < 1
group = renters["universal_credit"].map({"Y": "on UC", "N": "not on UC"})
table = late.groupby(group).agg(people="size", share="mean")
spread = table["share"] * (1 - table["share"]) / table["people"]
estimate = table.loc["on UC", "share"] - table.loc["not on UC", "share"]
error = np.sqrt(spread.sum())
""",
        (
            Defect(
                "answers as words",
                "code lists",
                'renters["arrears"] == "Y"',
                'renters["arrears"] == "Yes"',
                "The dictionary's label was taken for its code.",
            ),
            Defect(
                "answers as numbers",
                "code lists",
                '.map({"Y": "on UC", "N": "not on UC"})',
                '.map({1: "on UC", 0: "not on UC"})',
                "In the analyst's last data set, yes was 1.",
            ),
            Defect(
                "mortgages counted as rent",
                "relations",
                'homes["tenure"].isin(["SR", "PR"])',
                'homes["tenure"] != "OO"',
                "Whoever does not own outright was taken for a renter.",
            ),
        ),
    ),
    "arrears by open claim": Script(
        "claims",
        "The same, with Universal Credit taken from the table of claims",
        IMPORTS
        + """\
homes = pd.read_csv("households.csv")
claims = pd.read_csv("claims.csv")
uc = claims[(claims["benefit"] == "UC") & (claims["status"] == "LIVE")]
uc = uc.drop_duplicates("household_id")
both = homes.merge(uc[["household_id", "claim_id"]], on="household_id", how="left")
assert len(both) == len(homes)
both = both[both["tenure"].isin(["SR", "PR"])]
both["group"] = np.where(both["claim_id"].notna(), "open claim", "none")
late = (both["arrears"] == "Y").astype(float)
table = late.groupby(both["group"]).agg(people="size", share="mean")
spread = table["share"] * (1 - table["share"]) / table["people"]
estimate = table.loc["open claim", "share"] - table.loc["none", "share"]
error = np.sqrt(spread.sum())
""",
        (
            Defect(
                "households lost in the join",
                "links",
                'on="household_id", how="left"',
                'on="household_id", how="inner"',
                "An inner join is what merge does unless told otherwise.",
            ),
            Defect(
                "every claim joined",
                "links",
                'uc = uc.drop_duplicates("household_id")',
                'uc = claims.sort_values("claim_start")',
                "The filter was lost when the lines were sorted.",
            ),
            Defect(
                "closed claims counted",
                "code lists",
                '(claims["benefit"] == "UC") & (claims["status"] == "LIVE")',
                'claims["benefit"] == "UC"',
                "The status of the claim was forgotten.",
            ),
            Defect(
                "status in small letters",
                "code lists",
                '(claims["status"] == "LIVE")',
                '(claims["status"] == "Live")',
                "The code was typed from the label.",
            ),
        ),
    ),
    "length of closed claims": Script(
        "claims",
        "How many days do claims for Universal Credit last?",
        IMPORTS
        + """\
claims = pd.read_csv("claims.csv", dtype={"end_reason": str})
start = pd.to_datetime(claims["claim_start"], format="%Y-%m-%d")
end = pd.to_datetime(claims["claim_end"], format="%Y-%m-%d")
days = (end - start).dt.days
closed = claims.assign(days=days)[claims["status"] == "TERM"]
assert closed["days"].notna().all() and (closed["days"] >= 0).all()
uc = closed[closed["benefit"] == "UC"]
groups = uc["end_reason"].isin(["01"]).map({True: "earnings", False: "other"})
table = uc.groupby(groups)["days"].agg(people="size", days="mean")
estimate = uc["days"].mean()
error = uc["days"].std() / np.sqrt(len(uc))
""",
        (
            Defect(
                "dates read as in print",
                "types",
                'pd.to_datetime(claims["claim_start"], format="%Y-%m-%d")',
                'pd.to_datetime(claims["claim_start"], format="%d/%m/%Y")',
                "Dates were expected as people write them.",
            ),
            Defect(
                "dates the other way round",
                "dates",
                "(end - start).dt.days",
                "(start - end).dt.days",
                "A slip.",
            ),
            Defect(
                "whole days from blanks",
                "blanks",
                "days = (end - start).dt.days",
                "days = (end - start).dt.days.astype(int)",
                "Days were wanted as whole numbers; open claims have no end.",
            ),
            Defect(
                "open claims end today",
                "relations",
                'claims.assign(days=days)[claims["status"] == "TERM"]',
                "claims.assign(days=days.fillna((end.max() - start).dt.days))",
                "Blanks were filled so that no claim is lost.",
            ),
        ),
    ),
    "why claims end": Script(
        "claims",
        "What share of closed claims ended because earnings were too high?",
        IMPORTS
        + """\
claims = pd.read_csv("claims.csv", dtype={"end_reason": str})
codes = ["01", "02", "03", "04", "05", "06", "07", "99"]
labels = ["earnings", "partner", "well again", "child left", "pension", "died"]
labels = labels + ["withdrawn", "not recorded"]
reasons = pd.DataFrame({"end_reason": codes, "label": labels})
closed = claims[claims["status"] == "TERM"]
named = closed.merge(reasons, on="end_reason", how="left")
assert named["label"].notna().all()
table = named.groupby("label").agg(people=("household_id", "nunique"))
estimate = (named["label"] == "earnings").mean()
error = np.sqrt(estimate * (1 - estimate) / len(named))
""",
        (
            Defect(
                "codes read as numbers",
                "types",
                'pd.read_csv("claims.csv", dtype={"end_reason": str})',
                'pd.read_csv("claims.csv")',
                "The reader of CSV files turns 01 into 1.",
            ),
            Defect(
                "not recorded is not listed",
                "code lists",
                '{"end_reason": codes, "label": labels}',
                '{"end_reason": codes[:7], "label": labels[:7]}',
                "99 stands at the end of the list and looked unlikely.",
            ),
            Defect(
                "what has no label is dropped",
                "code lists",
                'closed.merge(reasons, on="end_reason", how="left")',
                'closed.merge(reasons[:7], on="end_reason")',
                "The same list, joined so that nothing complains.",
            ),
        ),
    ),
    "arrears and income": Script(
        "claims",
        "Do arrears fall with income among renters?",
        IMPORTS
        + """\
homes = pd.read_csv("households.csv")
renters = homes[homes["tenure"].isin(["SR", "PR"])].copy()
renters = renters[renters["weekly_income"] > 0]
renters["log_income"] = np.log(renters["weekly_income"])
renters["late"] = (renters["arrears"] == "Y").astype(int)
white = renters["ethnic_group"].str.startswith("W")
renters["group"] = np.where(white, "White groups", "all others")
assert renters["late"].between(0, 1).all() and renters["late"].nunique() == 2
model = smf.logit("late ~ log_income + universal_credit + group", renters)
fitted = model.fit(disp=0, maxiter=100)
estimate = fitted.params["log_income"]
error = fitted.bse["log_income"]
table = renters.groupby("group").agg(people=("late", "size"), late=("late", "sum"))
""",
        (
            Defect(
                "blank incomes are nought",
                "blanks",
                'renters[renters["weekly_income"] > 0]',
                'renters.fillna({"weekly_income": 1})',
                "No household was to be lost.",
            ),
            Defect(
                "every ethnic group in the model",
                "rare groups",
                "universal_credit + group",
                "universal_credit + ethnic_group",
                "The code list looked short enough.",
            ),
            Defect(
                "yes and no in the model",
                "types",
                '(renters["arrears"] == "Y").astype(int)',
                'renters["arrears"].astype(int)',
                "The column was taken for 0 and 1.",
            ),
            Defect(
                "income as it is",
                "ranges",
                'np.log(renters["weekly_income"])',
                'np.log(renters["weekly_income"].clip(upper=1000))',
                "Incomes above 1,000 pounds were taken for errors.",
            ),
        ),
    ),
    "awards by office": Script(
        "claims",
        "How much is paid in the larger offices?",
        IMPORTS
        + """\
claims = pd.read_csv("claims.csv")
live = claims[claims["status"] == "LIVE"]
offices = live.groupby("office")
people = offices.agg(people=("household_id", "nunique"))
by_office = people.join(offices["weekly_award"].agg(paid="sum", mean="mean"))
table = by_office[by_office["people"] >= 10]
assert len(table) > 0
shown = live[live["office"].isin(table.index)]
estimate = shown["weekly_award"].mean()
error = shown["weekly_award"].std() / np.sqrt(len(shown))
amounts = (shown, "weekly_award", "office")
""",
        (
            Defect(
                "claims counted as people",
                "links",
                'people=("household_id", "nunique")',
                'people=("claim_id", "nunique")',
                "A row of claims is a claim; the rule counts people.",
            ),
            Defect(
                "one person is enough",
                "rare groups",
                'by_office[by_office["people"] >= 10]',
                'by_office[by_office["people"] > 1]',
                "The room's rule was not read.",
            ),
            Defect(
                "shown before the filter",
                "rare groups",
                'live[live["office"].isin(table.index)]',
                "live",
                "The filter was put on the table, and the mean taken of all.",
            ),
        ),
    ),
    "emergencies by deprivation": Script(
        "admissions",
        "Are first admissions of deprived patients more often emergencies?",
        IMPORTS
        + """\
patients = pd.read_csv("patients.csv", dtype={"sex": str, "ethnos": str})
episodes = pd.read_csv("episodes.csv", dtype={"admimeth": str, "dismeth": str})
assert episodes["patient_id"].isin(patients["patient_id"]).all()
stays = episodes[episodes["epiorder"] == 1].sort_values(["patient_id", "admidate"])
first = stays.drop_duplicates("patient_id")
first = first[~first["admimeth"].isin(["31", "32", "81", "82", "83"])]
both = first.merge(patients, on="patient_id", validate="one_to_one")
both["emergency"] = both["admimeth"].str.startswith("2").astype(int)
assert both["emergency"].nunique() == 2
both["band"] = pd.cut(both["startage"], [-1, 15, 45, 65, 75, 120]).astype(str)
fitted = smf.logit("emergency ~ imd_decile + band", both).fit(disp=0, maxiter=100)
estimate, error = fitted.params["imd_decile"], fitted.bse["imd_decile"]
table = both.groupby("imd_decile")["emergency"].agg(people="size", share="mean")
""",
        (
            Defect(
                "methods as numbers",
                "code lists",
                'both["admimeth"].str.startswith("2")',
                'both["admimeth"].astype(int).between(20, 29)',
                "All codes that came to mind were numbers; 2A was not.",
            ),
            Defect(
                "emergencies by a short list",
                "code lists",
                'both["admimeth"].str.startswith("2")',
                'both["admimeth"].isin(["21", "22", "23", "24", "25"])',
                "The list was typed from memory, without 2A, 2B and 2D.",
            ),
            Defect(
                "every episode is an admission",
                "links",
                'first = stays.drop_duplicates("patient_id")',
                "first = stays",
                "One row was taken for one patient.",
            ),
            Defect(
                "births left in",
                "relations",
                '~first["admimeth"].isin(["31", "32", "81", "82", "83"])',
                '~first["admimeth"].isin(["31", "32"])',
                "Babies are admissions too, by the codes.",
            ),
            Defect(
                "babies fall out of the bands",
                "ranges",
                "[-1, 15, 45, 65, 75, 120]",
                "[0, 15, 45, 65, 75, 120]",
                "The lower edge of a band is not in it.",
            ),
        ),
    ),
    "readmission in 30 days": Script(
        "admissions",
        "Who comes back as an emergency within 30 days: deprived patients more?",
        IMPORTS
        + """\
patients = pd.read_csv("patients.csv", dtype=str)
when = ["admidate", "disdate"]
codes = {"admimeth": str, "dismeth": str}
episodes = pd.read_csv("episodes.csv", dtype=codes, parse_dates=when)
finished = episodes[episodes["disdate"].notna()]
stays = finished.sort_values(["patient_id", "admidate", "disdate"])
stays["next"] = stays.groupby("patient_id")["admidate"].shift(-1)
stays["next_method"] = stays.groupby("patient_id")["admimeth"].shift(-1)
stays["gap"] = (stays["next"] - stays["disdate"]).dt.days
assert not (stays["gap"] < 0).any()
alive = stays["dismeth"].isin(["1", "2", "3"])
index = stays[alive & (stays["disdate"] <= "2024-03-01")]
emergency = index["next_method"].str.startswith("2", na=False)
index = index.assign(back=index["gap"].between(0, 30) & emergency)
index = index.merge(patients, on="patient_id", validate="many_to_one")
index["group"] = np.where(index["imd_decile"].astype(int) <= 3, "deprived", "others")
table = index.groupby("group")["back"].agg(stays="size", share="mean")
table["people"] = index.groupby("group")["patient_id"].nunique()
spread = table["share"] * (1 - table["share"]) / table["stays"]
estimate = table.loc["deprived", "share"] - table.loc["others", "share"]
error = np.sqrt(spread.sum())
""",
        (
            Defect(
                "the next patient's admission",
                "dates",
                'stays.groupby("patient_id")["admidate"].shift(-1)',
                'stays["admidate"].shift(-1)',
                "The shift runs over the whole table.",
            ),
            Defect(
                "the next episode is a readmission",
                "links",
                'finished = episodes[episodes["disdate"].notna()]',
                'finished = episodes.fillna({"disdate": episodes["epiend"]})',
                "Blank discharges were filled from the episode's end.",
            ),
            Defect(
                "in the order of the file",
                "dates",
                'finished.sort_values(["patient_id", "admidate", "disdate"])',
                'finished.sort_values(["patient_id", "epikey"])',
                "The record number looked like the order.",
            ),
            Defect(
                "the year's end forgotten",
                "dates",
                '& (stays["disdate"] <= "2024-03-01")',
                '& (stays["disdate"] <= "2024-03-31")',
                "Who left in the last month cannot be seen coming back.",
            ),
            Defect(
                "planned returns counted",
                "code lists",
                'index["next_method"].str.startswith("2", na=False)',
                'index["next_method"].notna()',
                "The method of the next admission was forgotten.",
            ),
            Defect(
                "deciles as text",
                "types",
                'index["imd_decile"].astype(int) <= 3',
                'index["imd_decile"] <= 3',
                "The table of patients was read as text.",
            ),
        ),
    ),
    "length of stay and age": Script(
        "admissions",
        "How much longer do older patients stay after an emergency?",
        IMPORTS
        + """\
episodes = pd.read_csv("episodes.csv", dtype={"admimeth": str})
emergency = episodes[episodes["admimeth"].str.startswith("2")]
ended = emergency[emergency["disdate"].notna()]
assert ended["speldur"].notna().all() and (ended["speldur"] >= 0).all()
adults = ended[ended["startage"] >= 18].copy()
adults["nights"] = adults["speldur"].clip(upper=90)
assert len(adults) > 0
model = smf.poisson("nights ~ startage", adults)
fitted = model.fit(disp=0, cov_type="HC0")
estimate, error = 10 * fitted.params["startage"], 10 * fitted.bse["startage"]
band = pd.cut(adults["startage"], [17, 45, 65, 75, 85, 120])
table = adults.groupby(band, observed=True)["nights"].agg(people="size", mean="mean")
""",
        (
            Defect(
                "the logarithm of no nights",
                "ranges",
                'smf.poisson("nights ~ startage", adults)',
                'smf.ols("np.log(nights) ~ startage", adults)',
                "Length of stay is skewed, and many stay no night.",
            ),
            Defect(
                "whole nights from blanks",
                "blanks",
                'emergency[emergency["disdate"].notna()]',
                'emergency.astype({"speldur": int})',
                "Nights were wanted as whole numbers.",
            ),
            Defect(
                "blank stays are nought",
                "blanks",
                'emergency[emergency["disdate"].notna()]',
                'emergency.fillna({"speldur": 0})',
                "Blanks were filled before anybody asked why they are blank.",
            ),
            Defect(
                "long stays are errors",
                "ranges",
                'adults["speldur"].clip(upper=90)',
                'adults["speldur"].where(adults["speldur"] <= 14)',
                "A rule for outliers from another project.",
            ),
        ),
    ),
    "unknown ethnic group": Script(
        "admissions",
        "For whom is the ethnic category not known: the young more than the old?",
        IMPORTS
        + """\
patients = pd.read_csv("patients.csv", dtype={"ethnos": str})
wide = {"A": "White", "B": "White", "C": "White", "D": "Mixed", "E": "Mixed"}
wide |= {"F": "Mixed", "G": "Mixed", "H": "Asian", "J": "Asian", "K": "Asian"}
wide |= {"L": "Asian", "M": "Black", "N": "Black", "P": "Black", "R": "Other"}
wide |= {"S": "Other"}
wide |= {"Z": "not known", "99": "not known"}
group = patients["ethnos"].map(wide)
assert group.notna().all()
age = 2023 - patients["birth_year"]
young = np.where(age < 30, "under 30", "30 or over")
unknown = (group == "not known").astype(float)
table = unknown.groupby(young).agg(people="size", share="mean")
spread = table["share"] * (1 - table["share"]) / table["people"]
estimate = table.loc["under 30", "share"] - table.loc["30 or over", "share"]
error = np.sqrt(spread.sum())
""",
        (
            Defect(
                "99 forgotten",
                "code lists",
                'wide |= {"Z": "not known", "99": "not known"}',
                'wide |= {"Z": "not known"}',
                "Z is in the list, so the list looked complete.",
            ),
            Defect(
                "99 as a number",
                "types",
                '"99": "not known"}',
                '99: "not known"}',
                "It is read as text, as all the letters are.",
            ),
            Defect(
                "unknown means blank",
                "code lists",
                '(group == "not known")',
                'patients["ethnos"].isna()',
                "Nobody looked for a code that means unknown.",
            ),
            Defect(
                "age from two digits",
                "ranges",
                '2023 - patients["birth_year"]',
                '2023 - (1900 + patients["birth_year"] % 100)',
                "Copied from a script for an old file.",
            ),
        ),
    ),
    "winter and breathing": Script(
        "admissions",
        "How many emergencies in winter are for diseases of breathing?",
        IMPORTS
        + """\
episodes = pd.read_csv("episodes.csv", dtype={"admimeth": str})
stays = episodes[(episodes["epiorder"] == 1) & episodes["admimeth"].str.startswith("2")]
chapter = stays["diag_01"].str[0]
month = pd.to_datetime(stays["admidate"], format="%Y-%m-%d").dt.month
season = np.where(month.isin([12, 1, 2]), "winter", "rest of the year")
coded = stays["diag_01"] != "R69X"
breathing = (chapter == "J")[coded].astype(float)
assert 0 < breathing.mean() < 1
table = breathing.groupby(season[coded]).agg(people="size", share="mean")
spread = table["share"] * (1 - table["share"]) / table["people"]
estimate = table.loc["winter", "share"] - table.loc["rest of the year", "share"]
error = np.sqrt(spread.sum())
""",
        (
            Defect(
                "the code with its point",
                "code lists",
                'stays["diag_01"] != "R69X"',
                'stays["diag_01"] != "R69"',
                "The code was typed as in the book, without the X.",
            ),
            Defect(
                "the chapter by its name",
                "code lists",
                '(chapter == "J")',
                '(chapter == "X")',
                "Chapter X in Roman numerals holds the codes J.",
            ),
            Defect(
                "winter in months 11 to 1",
                "relations",
                "month.isin([12, 1, 2])",
                "month.between(12, 2)",
                "From 12 to 2 there is no number.",
            ),
            Defect(
                "the wrong date",
                "relations",
                'stays["admidate"], format',
                'stays["epiend"], format',
                "Two dates stand side by side.",
            ),
        ),
    ),
    "absence and special needs": Script(
        "pupils",
        "How much more school do pupils with support for special needs miss?",
        IMPORTS
        + """\
pupils = pd.read_csv("pupils.csv")
years = pd.read_csv("years.csv")
last = years[years["academic_year"] == "2023/24"]
assert last["pupil_ref"].is_unique
both = last.merge(pupils, on="pupil_ref", how="left", validate="one_to_one")
assert both["sen_provision"].notna().all()
sessions = ["authorised_absence_sessions", "unauthorised_absence_sessions"]
missed = both[sessions].sum(axis=1)
assert (missed <= both["possible_sessions"]).all()
both["rate"] = missed / both["possible_sessions"]
table = both.groupby("sen_provision")["rate"].agg(people="size", mean="mean", var="var")
estimate = table.loc["K", "mean"] - table.loc["N", "mean"]
error = np.sqrt((table["var"] / table["people"])[["K", "N"]].sum())
table = table.drop(columns="var")
""",
        (
            Defect(
                "three years for one",
                "links",
                'years[years["academic_year"] == "2023/24"]',
                'years[years["nc_year"] >= 9]',
                "Every pupil has three rows.",
            ),
            Defect(
                "the year as a number",
                "code lists",
                'years["academic_year"] == "2023/24"',
                'years["academic_year"] == 2024',
                "Another file of the department has it so.",
            ),
            Defect(
                "only what was not authorised",
                "relations",
                "both[sessions].sum(axis=1)",
                "both[sessions[1]]",
                "Absence was taken for truancy.",
            ),
            Defect(
                "the wrong end of the rate",
                "relations",
                'missed / both["possible_sessions"]',
                'missed / both["attended_sessions"]',
                "Two columns of sessions stand side by side.",
            ),
            Defect(
                "plans and support together",
                "code lists",
                'table.loc["K", "mean"] - table.loc["N", "mean"]',
                'table.loc["S", "mean"] - table.loc["N", "mean"]',
                "The code for support was guessed from the word.",
            ),
        ),
    ),
    "change in absence": Script(
        "pupils",
        "Did absence grow from Year 9 to Year 11, and for whom?",
        IMPORTS
        + """\
pupils = pd.read_csv("pupils.csv")
years = pd.read_csv("years.csv")
missed = years["authorised_absence_sessions"] + years["unauthorised_absence_sessions"]
years["rate"] = missed / years["possible_sessions"]
wide = years.pivot(index="pupil_ref", columns="nc_year", values="rate")
change = (wide[11] - wide[9]).rename("change").reset_index()
both = pupils.merge(change, on="pupil_ref", how="left", validate="one_to_one")
assert both["change"].notna().all() and both["change"].between(-1, 1).all()
groups = both.groupby("fsm_eligible")["change"]
table = groups.agg(people="size", mean="mean", var="var")
estimate = table.loc["Y", "mean"] - table.loc["N", "mean"]
error = np.sqrt((table["var"] / table["people"]).sum())
table = table.drop(columns="var")
""",
        (
            Defect(
                "columns as text",
                "types",
                "(wide[11] - wide[9])",
                '(wide["11"] - wide["9"])',
                "Codes are text in most files.",
            ),
            Defect(
                "the years by their position",
                "relations",
                "(wide[11] - wide[9])",
                "(wide.iloc[:, 1] - wide.iloc[:, 0])",
                "It was written when the extract had two years.",
            ),
            Defect(
                "sessions, and not the rate",
                "ranges",
                'values="rate"',
                'values="authorised_absence_sessions"',
                "The rate was made, and not used.",
            ),
            Defect(
                "a full year has 380 sessions",
                "ranges",
                'missed / years["possible_sessions"]',
                "missed / 380",
                "Year 11 ends early, and some pupils come late.",
            ),
        ),
    ),
    "attainment and deprivation": Script(
        "pupils",
        "What does the deprivation of the area do to results, age 11 score equal?",
        IMPORTS
        + """\
pupils = pd.read_csv("pupils.csv")
known = pupils.dropna(subset=["ks2_score", "idaci_score"])
assert known["ks2_score"].between(80, 120).all()
assert known["idaci_score"].between(0, 1).all()
known = known[known["attainment8"] >= 0]
model = smf.ols("attainment8 ~ idaci_score + ks2_score + C(sen_provision)", known)
fitted = model.fit()
estimate, error = fitted.params["idaci_score"], fitted.bse["idaci_score"]
table = known.groupby("sen_provision")["attainment8"].agg(people="size", mean="mean")
""",
        (
            Defect(
                "no score is nought",
                "blanks",
                'pupils.dropna(subset=["ks2_score", "idaci_score"])',
                "pupils.fillna(0)",
                "No pupil was to be lost.",
            ),
            Defect(
                "no score is the average",
                "blanks",
                'pupils.dropna(subset=["ks2_score", "idaci_score"])',
                "pupils.fillna(pupils.mean(numeric_only=True))",
                "Blanks were filled before anybody asked who has them.",
            ),
            Defect(
                "no points are an error",
                "ranges",
                'known["attainment8"] >= 0',
                'known["attainment8"] > 0',
                "Nought looked like a blank. Here it is a result.",
            ),
            Defect(
                "shares as per cent",
                "ranges",
                'known["idaci_score"].between(0, 1).all()',
                'known["idaci_score"].max() > 1',
                "The score was expected from 0 to 100.",
            ),
        ),
    ),
    "selective schools": Script(
        "pupils",
        "How far ahead are pupils of selective schools?",
        IMPORTS
        + """\
pupils = pd.read_csv("pupils.csv")
schools = pd.read_csv("schools.csv")
schools["kind"] = schools["admissions_policy"].fillna("no policy")
both = pupils.merge(schools, on="school_urn", how="left", validate="many_to_one")
assert both["kind"].notna().all()
table = both.groupby("kind")["attainment8"].agg(people="size", mean="mean", var="var")
others = both.loc[both["kind"] != "SEL", "attainment8"]
estimate = table.loc["SEL", "mean"] - others.mean()
selective = table.loc["SEL", "var"] / table.loc["SEL", "people"]
error = np.sqrt(selective + others.var() / len(others))
table = table.drop(columns="var")
""",
        (
            Defect(
                "blank groups vanish",
                "blanks",
                'schools["admissions_policy"].fillna("no policy")',
                'schools["admissions_policy"].replace("", "no policy")',
                "A blank was expected to be an empty word.",
            ),
            Defect(
                "selective by its word",
                "code lists",
                'table.loc["SEL", "mean"]',
                'table.loc["Selective", "mean"]',
                "The label was taken for the code.",
            ),
            Defect(
                "one pupil for each school",
                "links",
                'how="left", validate="many_to_one"',
                'how="left", validate="one_to_one"',
                "The check was copied from another join.",
            ),
            Defect(
                "rows of the same place",
                "links",
                'pupils.merge(schools, on="school_urn", how="left", validate="many',
                'pupils.join(schools.drop(columns="school_urn"), validate="many',
                "Two tables were put side by side, row by row.",
            ),
        ),
    ),
    "meals by ethnic group": Script(
        "pupils",
        "How do shares with free school meals differ between ethnic groups?",
        IMPORTS
        + """\
pupils = pd.read_csv("pupils.csv")
known = pupils[~pupils["ethnic_group_minor"].isin(["REFU", "NOBT"])]
meals = (known["fsm_eligible"] == "Y").astype(float)
table = meals.groupby(known["ethnic_group_minor"]).agg(people="size", share="mean")
white = known["ethnic_group_minor"] == "WBRI"
assert white.any() and not white.all()
shares = meals.groupby(white).agg(["size", "mean"])
estimate = shares["mean"][False] - shares["mean"][True]
error = np.sqrt((shares["mean"] * (1 - shares["mean"]) / shares["size"]).sum())
table = table[table["people"] >= 10]
assert len(table) > 0
""",
        (
            Defect(
                "small groups shown",
                "rare groups",
                'table[table["people"] >= 10]',
                'table[table["people"] > 0]',
                "The output rule was not read.",
            ),
            Defect(
                "refused counts as a group",
                "code lists",
                '~pupils["ethnic_group_minor"].isin(["REFU", "NOBT"])',
                'pupils["ethnic_group_minor"].notna()',
                "Nobody looked for a code that means unknown.",
            ),
            Defect(
                "meals as true or false",
                "code lists",
                '(known["fsm_eligible"] == "Y")',
                'known["fsm_eligible"].map({"True": 1, "False": 0})',
                "The column was taken for true and false.",
            ),
        ),
    ),
}


def run(text: str, folder: Path | str, checks: bool = True) -> Outcome:
    """Run a script in a folder of CSV files, unchanged, and say how it ended.

    Without `checks`, its assert lines are passed over. A fit that did not converge has
    stopped: its warning is on the screen. Results are refused by the rules of the room,
    which are public, so that an analyst can try them at her own desk: a row of fewer
    than LEAST people, or a total that one amount makes up (a p-ratio under 0.1).
    """
    names: dict = {}
    try:
        with contextlib.chdir(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for words in ("Perfect", "Maximum Likelihood", "The MLE"):
                warnings.filterwarnings("error", f".*{words}.*")
            exec(compile(text, SCRIPT, "exec", optimize=not checks), names)  # noqa: S102
        estimate, error = float(names["estimate"]), float(names["error"])
    except Exception as stopped:
        message = " ".join(str(stopped).split())[:200]
        return Outcome("stopped", _where(stopped), message=message)
    table, result = names["table"], (estimate, error)
    if not np.isfinite(result).all() or error <= 0 or not len(table):
        return Outcome("blank", "no number came out", *result)
    if table["people"].min() < LEAST:
        return Outcome("refused", f"fewer than {LEAST} people in a row", *result)
    if "amounts" in names and (dominance(*names["amounts"])["p_ratio"] < 0.1).any():
        return Outcome("refused", "one amount makes up a total", *result)
    return Outcome("ran", "", *result, table=table)


def _where(stopped: Exception) -> str:
    """The kind of error and the line of the script: it says nothing of the data."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(stopped.__traceback__)
        if frame.filename == SCRIPT
    ]
    number = lines[-1] if lines else getattr(stopped, "lineno", 0)
    return f"{type(stopped).__name__} in line {number}"


def tables(
    level: str, name: str, part: str, seed: int, fitted: dict, most: int = 10**6
) -> dict[str, pd.DataFrame]:
    """Tables of one level, as many rows as the real ones. Fits are kept in `fitted`.

    `most` rows are made of each table, where that is fewer.
    """
    bundled = data.load(name)
    real = getattr(bundled, part)
    if level == "parent-child":
        if level not in fitted:
            fitted[level] = generate.fit(level, real, bundled.schemas)
        root = next(n for n, s in bundled.schemas.items() if not s.foreign_keys)
        return fitted[level].sample(min(len(real[root]), most), seed)
    made, rng = {}, np.random.default_rng(seed)
    rules = [rule for rule in bundled.rules if rule["name"] not in TOO_TIGHT]
    options = {"rules": rules} if level == "valid" else {}
    generator = "valid" if level == "codes" else level
    for table, schema in bundled.schemas.items():
        schema = schema.select([c for c in schema.columns if c not in LEFT_OUT])
        if (level, table) not in fitted:
            model = generate.fit(generator, real[table], schema, **options)
            fitted[level, table] = model
        made[table] = fitted[level, table].sample(min(len(real[table]), most), seed)
    # The description says which key points where; every level follows it, at random.
    for table, schema in bundled.schemas.items():
        for key in schema.foreign_keys:
            parent, column = key["reference"]["resource"], key["fields"]
            target = key["reference"]["fields"]
            column, target = (
                c if isinstance(c, str) else c[0] for c in (column, target)
            )
            made[table][column] = rng.choice(
                made[parent][target].to_numpy(), len(made[table])
            )
    return made


def written(made: dict[str, pd.DataFrame], folder: Path | str) -> Path:
    """The tables as CSV files in a folder, as a data owner would hand them out."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, table in made.items():
        table.to_csv(Path(folder) / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    return Path(folder)


def tried(name: str, folder: Path) -> list[dict]:
    """Every script of one data set and each of its drafts, with checks and without."""
    rows = []
    for script, known in SCRIPTS.items():
        if known.dataset != name:
            continue
        for defect in ("", *(each.name for each in known.defects)):
            text = known.draft(defect) if defect else known.text
            careful = run(text, folder)
            careless = careful
            if careful.where.startswith("AssertionError"):
                careless = run(text, folder, checks=False)
            for checks, ended in ((True, careful), (False, careless)):
                rows.append(
                    {
                        "script": script,
                        "defect": defect,
                        "checks": checks,
                        **ended._asdict(),
                    }
                )
    return rows


def study(name: str, part: str) -> list[dict]:
    """All runs on one data set, where `part`, training or control, is the real one."""
    bundled, rows, fitted = data.load(name), [], {}
    other = {"training": "control", "control": "training"}[part]
    places = [("real", 0), (CONTROL, 0)]
    places += [(level, seed) for level in LEVELS for seed in SEEDS]
    with tempfile.TemporaryDirectory() as folder:
        for level, seed in places:
            if level in ("real", CONTROL):
                made = getattr(bundled, part if level == "real" else other)
            else:
                made = tables(level, name, part, seed, fitted)
            place = {"dataset": name, "part": part, "level": level, "seed": seed}
            rows += [place | row for row in tried(name, written(made, folder))]
            print(name, part, level, seed, flush=True)
    return rows


def send(text: str, dataset: str = "claims") -> dict:
    """Send a script to the mock secure room: a process that alone has the real tables.

    Returns what comes out after the output check: status, where, and, of a script that
    ran, estimate, error and table. No message of an error comes out: it could quote
    data.
    """
    command = [sys.executable, __file__, "room", dataset]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    if "table" in answer:
        answer["table"] = pd.DataFrame(answer["table"])
    return answer


def room(dataset: str) -> None:
    """The inside of the room: the script comes in, and one line of JSON goes out."""
    with tempfile.TemporaryDirectory() as folder:
        written(data.load(dataset).training, folder)
        ended = run(sys.stdin.read(), folder)
    answer = {"status": ended.status, "where": ended.where}
    if ended.status == "ran":
        table = ended.table.reset_index().to_dict("list")
        answer |= {"estimate": ended.estimate, "error": ended.error, "table": table}
    print(json.dumps(answer, default=str))


def verdicts(runs: pd.DataFrame) -> pd.DataFrame:
    """What became of each draft: a row for each defect, table of a level, and analyst.

    `found`: the draft stops on the synthetic table, where the right script goes on, or
    at an earlier line, or in another way. An analyst with checks whom a false alarm
    stops at a check passes over her checks and tries again. What is found is repaired.
    `inside`: how the draft ends on the real table. It is stopped (also blank, or
    refused), wrong (its estimate `moved` by more than MOVED standard errors), or
    harmless. `outcome` is "found before", or what happens inside. The level "no data"
    finds nothing.
    """
    place, which = ["dataset", "part", "level", "seed"], ["script", "checks"]
    runs = runs.assign(where=runs["where"].fillna(""), stops=runs["status"] != "ran")
    line = runs["where"].str.extract(r"in line (\d+)")[0].astype(float).fillna(1000)
    runs = runs.assign(line=line)
    columns = ["stops", "where", "line", "estimate", "error"]
    right = runs[runs["defect"].isna()].set_index(place + which)[columns]
    drafts = runs[runs["defect"].notna()].join(
        right, on=place + which, rsuffix="_right"
    )
    sooner = drafts["line"] < drafts["line_right"]
    other = (drafts["line"] == drafts["line_right"]) & (
        drafts["where"] != drafts["where_right"]
    )
    drafts["found"] = drafts["stops"] & (~drafts["stops_right"] | sooner | other)
    key = [*place, "script", "defect"]
    without = drafts[~drafts["checks"]].set_index(key)["found"].rename("again")
    drafts = drafts.join(without, on=key)
    alarm = drafts["where_right"].str.startswith("AssertionError")
    drafts["found"] |= drafts["checks"] & alarm & drafts["again"]

    real = drafts[drafts["level"] == "real"].copy()
    real["moved"] = (real["estimate"] - real["estimate_right"]).abs() / real[
        "error_right"
    ]
    wrong = np.where(real["moved"] > MOVED, "wrong", "harmless")
    real["inside"] = np.where(real["stops"], "stopped", wrong)
    ends = ["dataset", "part", "script", "defect", "checks"]
    inside = real.set_index(ends)[["inside", "moved"]]
    nothing = drafts[drafts["level"] == "real"].assign(level="no data", found=False)
    tried = pd.concat([nothing, drafts[drafts["level"] != "real"]])
    tried = tried[[*key, "checks", "found"]].join(inside, on=ends)
    tried["outcome"] = tried["inside"].where(~tried["found"], "found before")
    return tried.reset_index(drop=True)


def right_scripts(runs: pd.DataFrame) -> pd.DataFrame:
    """How the right scripts ended on each table: a row for each, with their checks.

    `alarm`: it stopped there (also blank, or refused). `moved`: how far its estimate is
    from the real one, in standard errors of the real one; blank where there is none.
    """
    right = runs[runs["defect"].isna() & runs["checks"]].assign(seed=runs["seed"])
    key = ["dataset", "part", "script"]
    real = right[right["level"] == "real"].set_index(key)[["estimate", "error"]]
    right = right[right["level"] != "real"].join(real, on=key, rsuffix="_real")
    right["alarm"] = right["status"] != "ran"
    further = (right["estimate"] - right["estimate_real"]).abs()
    right["moved"] = (further / right["error_real"]).mask(right["alarm"])
    return right.reset_index(drop=True)


def projects(tried: pd.DataFrame, right: pd.DataFrame, draws: int = 40) -> pd.DataFrame:
    """Projects: all scripts of a data set, one defect in the first draft of each.

    A row for each draw of defects and table of a level: `saved`, the trips to the room
    that it saves against no data, and `alarms`, its false alarms. `tried` is what
    `verdicts` gives of one analyst, `right` what `right_scripts` gives.
    """
    each = tried[["script", "defect"]].drop_duplicates().groupby("script")
    late = tried.assign(trips=tried["outcome"] == "stopped")
    place = ["dataset", "part", "level", "seed"]
    made = pd.concat(
        late.merge(each.sample(1, random_state=draw))
        .groupby(place, as_index=False)["trips"]
        .sum()
        .assign(draw=draw)
        for draw in range(draws)
    )
    key = ["dataset", "part", "draw"]
    blind = made[made["level"] == "no data"].set_index(key)["trips"].rename("blind")
    made = made[made["level"] != "no data"].join(blind, on=key)
    made["saved"] = made["blind"] - made["trips"]
    alarms = right.groupby(place)["alarm"].sum().rename("alarms")
    return made.join(alarms, on=place).reset_index(drop=True)


def risks(dataset: str) -> pd.DataFrame:
    """Singling out, from the stored run of every generator: a row for each level there.

    Columns: training, control, excess, low and high, as shares of guesses.
    """
    stored = ROOT / "book" / "comparison.json"
    found = {}
    for unit in json.loads(stored.read_text(encoding="utf-8"))["units"]:
        shape = "linked" if unit["generator"] == "parent-child" else "table"
        if (unit["dataset"], unit["shape"]) == (dataset, shape) and unit.get("risks"):
            found[unit["generator"]] = unit["risks"]["singling out"]
    columns = ["training", "control", "excess", "low", "high"]
    kept = pd.DataFrame(found).T[columns].astype(float)
    return kept.reindex(LEVELS).dropna().rename_axis("level")


def main():
    rows = [
        row
        for name in SETS
        for part in ("training", "control")
        for row in study(name, part)
    ]
    found = pd.DataFrame(rows).drop(columns=["message", "table"])
    for column in ("estimate", "error"):
        found[column] = found[column].map(lambda number: float(f"{number:.6g}"))
    found.to_csv(RUNS, index=False, compression={"method": "gzip", "mtime": 0})


if __name__ == "__main__":
    room(sys.argv[2]) if sys.argv[1:2] == ["room"] else main()
