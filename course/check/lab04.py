"""Exercises and quizzes of lab 4, Meet the table."""

from __future__ import annotations

from course.data import Schema

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

# Groups such that each likely mistake gives a share of its own; two have a blank practice.
_GROUPS = {("F", "X1"): 1, ("M", "X1"): 2, ("F", "X2"): 2, ("M", None): 2, ("M", "X2"): 3, ("F", None): 4}
_GROUPS[("F", "X3")] = 6


def below(answer) -> Verdict:
    import numbers

    import numpy as np
    import pandas as pd

    people = pd.DataFrame([pair for pair, size in _GROUPS.items() for _ in range(size)])
    people.columns = ["sex", "practice"]
    got = answer(people.copy(), ["sex", "practice"], 3)
    if got is None:
        return not_attempted("let the function return a share, then run this cell again.")
    if not isinstance(got, numbers.Real):
        return not_yet(f"your function returns a {type(got).__name__}. It should return one number.")
    wanted, total = _people(lambda pair, size: size < 3), len(people)
    if np.isclose(got, wanted / total):
        return right("people are counted, blanks are alike, and a group of exactly k is large enough.")
    for mistake, hint in _below_mistakes(wanted, total).items():
        if np.isclose(got, mistake):
            return not_yet(hint)
    return not_yet(
        f"on a table with groups of {', '.join(map(str, _GROUPS.values()))} people and k = 3 your function "
        f"says {got:.3g}; {wanted} of the {total} people are in groups smaller than 3."
    )


def _people(which) -> int:
    """How many people stand in the groups for which `which(pair, size)` is true."""
    return sum(size for pair, size in _GROUPS.items() if which(pair, size))


def _below_mistakes(wanted: int, total: int) -> dict[float, str]:
    """What each likely mistake gives on the small table, and its hint."""
    lost = "people with a blank key got lost: pandas leaves them out unless dropna=False."
    pairs = "that counts combinations. The question asks for a share of the people in them."
    unblank = _people(lambda pair, size: pair[1] and size < 3)
    few = sum(size < 3 for size in _GROUPS.values())
    few_unblank = sum(size < 3 for pair, size in _GROUPS.items() if pair[1])
    return {
        wanted: "that is a number of people. Divide it by all the people in the table.",
        100 * wanted / total: "that is a percentage. A share lies between 0 and 1.",
        1 - wanted / total: "those are the people in groups that are large enough. The others are asked for.",
        _people(lambda pair, size: size <= 3) / total: (
            "a group of exactly k people is not smaller than k. Use <, not <=."
        ),
        _people(lambda pair, size: size == 1) / total: (
            "you counted only those who are alone. With k = 3, pairs count as well."
        ),
        unblank / total: lost,
        unblank / _people(lambda pair, size: pair[1]): lost,
        few / len(_GROUPS): pairs,
        few / total: pairs,
        few_unblank / sum(bool(pair[1]) for pair in _GROUPS): pairs,
        _people(lambda pair, size: size < 3 or not pair[1]) / total: (
            'a blank practice was not counted: "count" skips blanks, "size" does not.'
        ),
    }


WIDTHS, PERIODS, LIMIT = (1, 5, 10, 20), ("D", "W", "M", "Q", "Y"), 0.02


def coarse(answer, table) -> Verdict:
    width, period = answer.get("width"), answer.get("period")
    if width is None and period is None:
        return not_attempted("choose a width and a period, then run this cell again.")
    if width not in WIDTHS or period not in PERIODS:
        return not_yet(
            "the width is one of the numbers 1, 5, 10 and 20, without quotes; the period is one of the "
            "letters D, W, M, Q and Y, in quotes."
        )
    if (share := _alone(table, width, period)) >= LIMIT:
        return not_yet(f"{share:.1%} of the patients are still alone: fewer than one in fifty may be.")
    finer_width = WIDTHS[max(WIDTHS.index(width) - 1, 0)]
    finer_period = PERIODS[max(PERIODS.index(period) - 1, 0)]
    better = []
    if finer_width != width and _alone(table, finer_width, period) < LIMIT:
        better.append(f"with the same period, bands of {finer_width} years would do")
    if finer_period != period and _alone(table, width, finer_period) < LIMIT:
        better.append(f"with the same bands, the period {finer_period!r} would do")
    if better:
        return not_yet(f"safe, but coarser than needed: {'; '.join(better)}.")
    return right(f"{share:.1%} of the patients are alone, and the study keeps all it can.")


def _alone(table, width: int, period: str) -> float:
    """The share of patients alone by sex, region, band of birth and period of admission."""
    from course.measure import privacy

    banded = table.assign(
        born=privacy.band(table["birth_year"], width),
        admitted=table["admidate"].dt.to_period(period).astype(str),
    )
    return float((privacy.group_sizes(banded, ["sex", "region", "born", "admitted"]) == 1).mean())


# Rows that a good description reads, and single cells that it must refuse.
_GOOD = (
    ("00012345", "31/03/2024", "3", "007"),
    ("10098765", "01/04/2024", "0", "012"),
    ("00400500", "28/12/2023", "999", "100"),
)
_COLUMNS = ("local_no", "admitted", "nights", "site")


def describe(answer: dict) -> Verdict:
    if answer and all(not entry for entry in answer.values()):
        return not_attempted("fill in the four entries, then run this cell again.")
    for column in _COLUMNS:
        if not answer.get(column):
            return not_yet(f"there is no entry for {column} yet.")
        for word in ("type", "role"):
            if word not in answer[column]:
                return not_yet(f"{column}: the entry has no {word!r}.")
    for about in (_about_types, _about_roles, _about_codes, _about_reading):
        if found := about(answer):
            return not_yet(found)
    schema = Schema("extract", tuple({**answer[column], "name": column} for column in _COLUMNS))
    kinds = ", ".join(f"{column} for {schema.kind(column)}" for column in _COLUMNS)
    return right(f"wrong cells are refused, right ones are read, and generators take {kinds}.")


_TYPES = ("string", "integer", "number", "boolean", "date", "datetime", "time", "year", "any")


def _about_types(answer: dict) -> str:
    for column in _COLUMNS:
        if answer[column]["type"] not in _TYPES:
            return (
                f"{column}: the standard has no type {answer[column]['type']!r}. Use string, integer, number "
                "or date."
            )
    if answer["local_no"]["type"] != "string":
        return (
            "local_no: as a number 00012345 becomes 12345, which is another patient or none. A reference is "
            "text, however many digits it has."
        )
    if answer["site"]["type"] != "string":
        return "site: as a number 007 becomes 7, which is on no list. A code is text."
    if answer["admitted"]["type"] != "date":
        return "admitted: as anything but a date, a generator takes each day for a code of its own."
    if "format" not in answer["admitted"]:
        return "admitted: without a format a date is read as year-month-day. Say how these are written."
    if answer["nights"]["type"] not in ("integer", "number"):
        return "nights: these are counted, so they are a number; only the code 999 is not."
    return ""


def _about_roles(answer: dict) -> str:
    if answer["local_no"]["role"] != "identifier":
        return "local_no: it points at one patient. With any other role, a generator will learn it."
    if answer["admitted"]["role"] != "quasi-identifier":
        return "admitted: others may know the day somebody came in. That is the finest key in this table."
    for column in ("nights", "site"):
        if answer[column]["role"] not in ("quasi-identifier", "sensitive", "other"):
            return f"{column}: its role is quasi-identifier, sensitive or other."
    return ""


def _about_codes(answer: dict) -> str:
    if not all(isinstance(item, dict) and {"value", "label"} <= set(item) for item in _listed_sites(answer)):
        return (
            "site: categories is a list with one entry for each code, such as "
            "{'value': '007', 'label': 'Main site'}."
        )
    listed = [item["value"] for item in _listed_sites(answer)]
    if not listed:
        return (
            "site: the code list is left out. A generator of valid tables would make up letters, because "
            "nothing tells it that 007, 012 and 100 are all there is."
        )
    if set(listed) != {"007", "012", "100"}:
        return f"site: the code list holds {listed}; the dictionary has '007', '012' and '100'."
    if set(answer["site"].get("constraints", {}).get("enum", [])) != {"007", "012", "100"}:
        return "site: the codes stand in categories, for people. Give them as enum in constraints as well."
    if not isinstance(answer["nights"].get("missingValues", []), list):
        return "nights: missingValues is a list, in square brackets, also where it holds one value."
    if "999" not in answer["nights"].get("missingValues", []):
        return (
            "nights: 999 is read as a stay of 999 nights. Name it in missingValues, as text: missingValues "
            "holds what stands in the file."
        )
    if "" not in answer["nights"]["missingValues"]:
        return "nights: your list takes the place of the usual one. Keep the empty cell in it: ['', '999']."
    return ""


def _listed_sites(answer: dict) -> list:
    return list(answer["site"].get("categories", []))


def _about_reading(answer: dict) -> str:
    """What frictionless makes of rows that are right and of cells that are wrong."""
    good = [dict(zip(_COLUMNS, row, strict=True)) for row in _GOOD]
    if faults := _faults(answer, good):
        column, cell, note = faults[0]
        return f"{column}: the cell {cell!r} is right, and your description refuses it ({note})."
    wrong = {
        "local_no": (("1234567", "a reference of seven digits"), ("", "a blank reference")),
        "nights": (("-1", "a negative length of stay"),),
        "site": (("7", "a site that is on no list"),),
    }
    for column, cells in wrong.items():
        for cell, what in cells:
            if not _faults(answer, [good[0] | {column: cell}]):
                return f"{column}: your description lets {what} through. Say so in its constraints."
    if not _faults(answer, [good[0], good[0]]):
        return "local_no: two rows may have the same number. The dictionary says one row for each patient."
    return ""


def _faults(answer: dict, rows: list[dict]) -> list:
    """(column, cell, note) for each fault that frictionless finds in the rows."""
    import frictionless

    fields = [{**answer[column], "name": column} for column in _COLUMNS]
    schema = frictionless.Schema.from_descriptor({"fields": fields})
    report = frictionless.Resource(data=rows, schema=schema).validate()
    if report.errors:
        raise ValueError(report.errors[0].message)
    return report.flatten(["fieldName", "cell", "note"])


def mend(answer, clean, arrive) -> Verdict:
    import pandas as pd

    sent = arrive(clean, 7)
    mended = answer(sent.copy())
    if mended is None:
        return not_attempted("let the function return a table, then run this cell again.")
    if not isinstance(mended, pd.DataFrame) or not set(clean.columns) <= set(mended.columns):
        return not_yet("return the whole table: every column that came in.")
    if lost := len(set(clean["patient_id"]) - set(mended["patient_id"])):
        return not_yet(
            f"{lost} patients are gone. One faulty value is no reason to lose a patient: blank the value."
        )
    if left := int(mended["patient_id"].duplicated().sum()):
        return not_yet(f"{left} patients still stand twice. Keep one of each pair of equal rows.")
    rows = [part.drop_duplicates("patient_id").set_index("patient_id") for part in (clean, sent, mended)]
    return _compared(rows[0], rows[1].loc[rows[0].index], rows[2].loc[rows[0].index])


def _compared(clean, sent, mended) -> Verdict:
    """Each patient's row as it was, as it arrived and as it was mended, in the same order."""
    for column, code in (("speldur", 999), ("birth_year", 1900)):
        faulty, now = sent[column] == code, mended[column].astype("Float64")
        if left := int((now == code).sum()):
            return not_yet(f"{column} is still {code} for {left} patients. That is a code, not a value.")
        made_up = faulty & now.notna() & (now != clean[column].astype("Float64"))
        if made_up.any():
            return not_yet(
                f"{column} is now {now[made_up].iloc[0]:g} where it was not known. A value made up is "
                "worse than a blank, because nobody can see it."
            )
        changed = ~faulty & ~_same(now, clean[column].astype("Float64"))
        if changed.any():
            was = clean.loc[changed, column].iloc[0]
            return not_yet(
                f"{column} was {was} for a patient, which is rare and true, and you changed it. "
                "Change the code alone."
            )
    if left := int((mended["disdate"] < mended["admidate"]).sum()):
        return not_yet(
            f"{left} patients still leave before they come. If you wrote table.loc[rows, days] = "
            "table.loc[rows, days[::-1]], pandas put each day back under its own name: add .to_numpy()."
        )
    turned = sent["disdate"] < sent["admidate"]
    for day in ("admidate", "disdate"):
        wrong = mended[day].notna() & ~_same(mended[day], clean[day])
        if wrong.any() or (mended[day].isna() & clean[day].notna() & ~turned).any():
            return not_yet(
                "some days are not the true ones. Change only rows in which the discharge comes first: turn "
                "the two days, or blank them."
            )
    return right(
        "the four faults are mended, nobody is lost, and the rare true values are where they were. Write "
        "down what you did: whoever gets the table needs the list."
    )


def _same(one, other):
    """Where two columns agree; two blanks agree."""
    return ((one == other) | (one.isna() & other.isna())).fillna(False).astype(bool)


_FIELDS = """
sites = [{"value": v, "label": v} for v in ("007", "012", "100")]
my_fields = {
    "local_no": {"type": "string", "role": "identifier",
                 "constraints": {"required": True, "unique": True, "pattern": "[0-9]{8}"}},
    "admitted": {"type": "date", "role": "quasi-identifier", "format": "%d/%m/%Y"},
    "nights": {"type": "integer", "role": "other", "missingValues": ["", "999"],
               "constraints": {"minimum": 0}},
    "site": {"type": "string", "role": "other", "categories": sites,
             "constraints": {"required": True, "enum": ["007", "012", "100"]}},
}
"""

EXERCISES = {
    "lab04-below": Exercise(
        "The share of people in groups smaller than k",
        "a function of (table, keys, k) that returns a share",
        below,
        (
            Wrong(
                "def my_below(t, keys, k):\n"
                "    return (t.groupby(keys)[keys[0]].transform('size') < k).mean()",
                "blank key",
            ),
            Wrong(
                "def my_below(t, keys, k):\n    return (t.value_counts(keys, dropna=False) < k).mean()",
                "counts combinations",
            ),
            Wrong(
                "def my_below(t, keys, k):\n    s = t.groupby(keys, dropna=False)[keys[0]]\n"
                "    return (s.transform('size') <= k).mean()",
                "use <, not <=",
            ),
            Wrong(
                "def my_below(t, keys, k):\n    s = t.groupby(keys, dropna=False)[keys[0]]\n"
                "    return (s.transform('size') < k).sum()",
                "a number of people",
            ),
            Wrong(
                "def my_below(t, keys, k):\n    return (~t.duplicated(keys, keep=False)).mean()", "only those"
            ),
            Wrong(
                "def my_below(t, keys, k):\n    s = t.groupby(keys, dropna=False)[keys[-1]]\n"
                "    return (s.transform('count') < k).mean()",
                "skips blanks",
            ),
            Wrong(
                "def my_below(t, keys, k):\n"
                "    return t.groupby(keys, dropna=False).filter(lambda group: len(group) < k)",
                "returns a DataFrame",
            ),
        ),
    ),
    "lab04-coarse": Exercise(
        "Bands coarse enough, and no coarser",
        "a width and a period",
        coarse,
        (
            Wrong("my_release = {'width': 1, 'period': 'D'}", "still alone"),
            Wrong("my_release = {'width': 20, 'period': 'Q'}", "bands of 10 years would do"),
            Wrong("my_release = {'width': 10, 'period': 'Y'}", "the period 'Q' would do"),
            Wrong("my_release = {'width': 10, 'period': 'quarter'}", "is one of"),
        ),
    ),
    "lab04-describe": Exercise(
        "The description of four columns",
        "four entries, each with a type and a role",
        describe,
        (
            Wrong(f"{_FIELDS}\nmy_fields['local_no']['type'] = 'integer'", "00012345 becomes 12345"),
            Wrong(f"{_FIELDS}\nmy_fields['local_no']['role'] = 'other'", "a generator will learn it"),
            Wrong(f"{_FIELDS}\ndel my_fields['admitted']['format']", "read as year-month-day"),
            Wrong(f"{_FIELDS}\nmy_fields['admitted']['format'] = '%m/%d/%Y'", "is right, and your"),
            Wrong(f"{_FIELDS}\ndel my_fields['site']['categories']", "code list is left out"),
            Wrong(f"{_FIELDS}\nmy_fields['local_no']['type'] = 'str'", "no type 'str'"),
            Wrong(
                f"{_FIELDS}\nmy_fields['site']['categories'] = ['007', '012', '100']", "one entry for each"
            ),
            Wrong(f"{_FIELDS}\nmy_fields['nights']['missingValues'] = '999'", "in square brackets"),
            Wrong(f"{_FIELDS}\ndel my_fields['nights']['missingValues']", "a stay of 999 nights"),
            Wrong(f"{_FIELDS}\ndel my_fields['nights']['constraints']", "a negative length of stay"),
        ),
    ),
    "lab04-mend": Exercise(
        "Mend a table without harming it",
        "a function of a table that returns a table",
        mend,
        (
            Wrong("def my_mend(t):\n    return t[t['speldur'] != 999]", "patients are gone"),
            Wrong("def my_mend(t):\n    return t", "stand twice"),
            Wrong("def my_mend(t):\n    return t.drop_duplicates('patient_id')", "is still 999"),
            Wrong(
                "def my_mend(t):\n    t = t.drop_duplicates('patient_id')\n"
                "    return t.assign(speldur=t['speldur'].replace(999, 0))",
                "worse than a blank",
            ),
            Wrong(
                "def my_mend(t):\n    t = t.drop_duplicates('patient_id')\n"
                "    return t.assign(speldur=t['speldur'].mask(t['speldur'] > 30))",
                "rare and true",
            ),
            Wrong(
                "def my_mend(t):\n    t = t.drop_duplicates('patient_id').copy()\n"
                "    for c, code in [('speldur', 999), ('birth_year', 1900)]:\n"
                "        v = t[c].astype('Int64')\n        t[c] = v.mask(v == code)\n    return t",
                "leave before they come",
            ),
        ),
    ),
}

QUIZZES = {
    "lab04-role": Quiz(
        "Who decides which columns are quasi-identifiers?",
        (
            Option(
                "Somebody who knows what others may know about these people, and writes it down.",
                "the role depends on the world around the table. A profile and counts of small groups help "
                "to test the judgement.",
                right=True,
            ),
            Option(
                "A profiling tool: the columns with the most different values.",
                "fineness is a hint. Sex has few values and is known to everybody; a laboratory result has "
                "many and is known to nobody.",
            ),
            Option(
                "The law: there is a closed list of them.",
                "whether somebody can be identified depends on all that an intruder may reasonably have, "
                "which no list can hold.",
            ),
        ),
    ),
    "lab04-sample": Quiz(
        "A patient is alone in a sample on six columns. In the population four others are like her. "
        "What follows?",
        (
            Option(
                "She is safe, because four others are like her.",
                "only from an intruder who does not know who was sampled. One who knows that she is in the "
                "table has found her row.",
            ),
            Option(
                "She is identified, because she is alone in the table.",
                "an intruder who does not know who was sampled has five people who could be that row.",
            ),
            Option(
                "It depends on whether the intruder knows that she is in the table.",
                "a sample protects only as long as it is not known who is in it. For a department's whole "
                "file it is known.",
                right=True,
            ),
        ),
    ),
    "lab04-fault": Quiz(
        "A table of stays holds one patient of 104 with a stay of many months. The record is true. What do "
        "you do before generating?",
        (
            Option(
                "Correct it to a likelier age: it must be a fault.",
                "it is true. A mended truth is a falsehood, and nobody will see it.",
            ),
            Option(
                "Keep it in the real table, and coarsen it or leave it out of what the generator reads.",
                "rare and true is a question of disclosure, not of quality: the top ages and longest stays "
                "become bands.",
                right=True,
            ),
            Option(
                "Nothing: the synthetic patient will be somebody else.",
                "a generator that keeps extremes gives hers away, whatever its other columns say.",
            ),
        ),
    ),
}
