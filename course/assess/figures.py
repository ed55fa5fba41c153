"""What is written down about one synthetic table: every figure as plain numbers and words, ready for JSON.

Nothing here is averaged over attacks or over groups of people. Each figure stands beside what other real
people give: the control part, or two random halves of the real people.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course.measure import fidelity, report, utility

if TYPE_CHECKING:
    from course.data import Schema
    from course.measure import Risk

GROUPS, OUTCOMES = 3, 3  # columns by which people are grouped, and columns looked at in each group
MOST_GROUPS = 20  # in one column: more of them are mostly too small to say anything
# Beginnings of headings that may stand for a characteristic which the Equality Act 2010 protects.
EQUALITY = (
    "sex",
    "gender",
    "ethnic",
    "race",
    "age",
    "disab",
    "health",
    "relig",
    "faith",
    "orient",
    "marital",
    "pregn",
)
SMALLEST = 20  # people in a group that is looked at: in fewer, chance alone moves everything
FEW_VALUES = 5  # of a target that is predicted: more of them take minutes
SPLITS = 20  # random halves of the real people, to see what chance does

LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn")


def distances(training: pd.DataFrame, table: pd.DataFrame, schema: Schema) -> dict:
    """How far a table is from the training part: in single columns, and in pairs of them (means)."""
    columns = fidelity.columns(training, table, schema)["value"]
    pairs = fidelity.pairs(training, table, schema=schema)["difference"].abs()
    return {"columns": float(columns.mean()), "pairs": float(pairs.mean())}


def columns(training: pd.DataFrame, control: pd.DataFrame, made: pd.DataFrame, schema: Schema) -> list[dict]:
    """For each column: its measure, the released table's distance, the control's, the shares of blanks."""
    floor = fidelity.columns(training, control, schema).set_index("column")["value"]
    found = fidelity.columns(training, made, schema).drop(columns="description")
    return plain(found.assign(control=found["column"].map(floor)).to_dict("records"))


def attacks(risks: dict[str, Risk], leaks: list[str]) -> list[dict]:
    """Each attack: its rates, control, baseline, interval, and how the worst-placed people fare."""
    rows = []
    for name, risk in risks.items():
        figures = risk.table().iloc[0].to_dict()
        kept = ("training", "control", "baseline", "excess", "low", "high", "p")
        rows.append(
            {
                "attack": name,
                "indicator": report.INDICATORS[risk.name],
                "question": risk.question,
                "knows": list(risk.keys),
                **{one: figures[one] for one in kept},
                "baseline means": risk.baseline_means,
                "leak": name in leaks,
                "people": risk.people,
                "tables": risk.tables,
                "draws": risk.draws,
                "worst placed": {
                    "share their values with": figures["worst_placed"],
                    "training": figures["worst_training"],
                    "control": figures["worst_control"],
                },
                "details": risk.details.to_dict("records"),
                "notes": list(risk.notes),
            }
        )
    return plain(rows)


def copies(made: pd.DataFrame, training: pd.DataFrame, control: pd.DataFrame, schema: Schema) -> dict:
    """Rows of the released file that equal, in every column, exactly one person: of training, of control."""
    compared = [column for column in schema.columns if schema.kind(column) != "identifier"]
    rows = [_as_words(table[compared]) for table in (made, training, control)]
    found = {"columns": len(compared)}
    for part, people in zip(("training", "control"), rows[1:], strict=True):
        once = people.drop_duplicates(keep=False)
        found[part] = {
            "rows": int(rows[0].isin(once).sum()),
            "people": int(once.isin(rows[0]).sum()),
        }
    return found


def look_alikes(made: pd.DataFrame, parts: list[pd.DataFrame], keys: list[str], targets: list[str]) -> dict:
    """People who are alone with what is known of them: is a row like them released, and is it right?

    All tables as an intruder sees them. Returns for each part: alone, seen (a row has their values) and right
    (some such row has the targets right too).
    """
    looks = [_looks(made, people, keys, targets) for people in parts]
    return {
        part: {name: int(which.sum()) for name, which in look.items()}
        for part, look in zip(("training", "control"), looks, strict=True)
    }


def look_alikes_by_group(made, parts, keys: list[str], targets: list[str], groups: list[str]) -> list[dict]:
    """The same for each group of people: how many are alone, and of what share a released row is right."""
    looks, rows = [_looks(made, people, keys, targets) for people in parts], []
    for group in groups:
        for label in parts[0][group].dropna().unique():
            inside = [
                look["alone"] & (people[group] == label) for look, people in zip(looks, parts, strict=True)
            ]
            if min(which.sum() for which in inside) < SMALLEST:
                continue
            right = [float(look["right"][which].mean()) for look, which in zip(looks, inside, strict=True)]
            alone = [int(which.sum()) for which in inside]
            rows.append(
                {"by": group, "group": str(label), "alone": alone, "training": right[0], "control": right[1]}
            )
    return rows


def _looks(made, people, keys: list[str], targets: list[str]) -> dict[str, pd.Series]:
    """For each person: alone with their keys? Has a row the same? And the same targets too?"""
    theirs = _as_words(people[keys])
    alone = ~theirs.duplicated(keep=False)
    seen = alone & theirs.isin(_as_words(made[keys]))
    right = seen & _as_words(people[[*keys, *targets]]).isin(_as_words(made[[*keys, *targets]]))
    return {"alone": alone, "seen": seen, "right": right}


def _as_words(table: pd.DataFrame) -> pd.Series:
    """Each row as one text, so that rows can be compared whatever the types of their columns."""
    words = [table[c].astype(object).where(table[c].notna(), "").astype(str) for c in table]
    joined = words[0]
    for more in words[1:]:
        joined = joined + "\x1f" + more
    return joined


def group_columns(training: pd.DataFrame, schema: Schema, keys: list[str]) -> list[str]:
    """A few columns by which people can be grouped: those that point to equality law first, then the keys."""
    codes = [c for c in [*schema.quasi_identifiers, *schema.sensitive] if schema.kind(c) == "categorical"]
    few = [c for c in dict.fromkeys([*keys, *codes]) if 2 <= training[c].nunique() <= MOST_GROUPS]

    def is_protected(name):
        return any(part.startswith(EQUALITY) for part in re.split(r"[\W_]+", name.lower()))

    return sorted(few, key=lambda name: not is_protected(name))[:GROUPS]


def chance(training, control, groups: list[str], targets: list[str], seed: int) -> dict:
    """What chance alone does in each group: 19 of 20 random halves of the real people are nearer than this.

    Returns {(group column, outcome, group): distance}, for groups of `SMALLEST` people or more.
    """
    rng, people = np.random.default_rng(seed), pd.concat([training, control], ignore_index=True)
    found: dict[tuple, list[float]] = {}
    for _ in range(SPLITS):
        order = rng.permutation(len(people))
        halves = [people.take(half) for half in np.array_split(order, 2)]
        for row in _in_groups(*halves, groups, targets):
            found.setdefault(row[:3], []).append(row[-1])
    return {place: float(np.quantile(values, 0.95)) for place, values in found.items()}


def by_group(training, made: list[pd.DataFrame], groups, targets, floor: dict) -> list[dict]:
    """How far each group of people is from its own, over all synthetic tables, beside what chance does."""
    found: dict[tuple, list] = {}
    for table in made:
        for row in _in_groups(training, table, groups, targets):
            found.setdefault(row[:4], []).append(row[-1])
    rows = []
    for (group, target, label, people), values in found.items():
        limit = floor.get((group, target, label))
        if people >= SMALLEST and limit is not None:
            more = {"value": np.mean(values), "low": min(values), "high": max(values), "chance": limit}
            rows.append({"by": group, "of": target, "group": label, "people": people, **more})
    return plain(rows)


def _in_groups(first, second, groups, targets):
    """Tuples: group column, outcome, group, people of the first table, distance of the outcome's shares."""
    for group in groups:
        for target in [one for one in targets if one != group][:OUTCOMES]:
            compared = fidelity.by_group(first, second, group, target)
            for row in compared.to_dict("records"):
                label = "blank" if pd.isna(row["group"]) else str(row["group"])
                yield (
                    group,
                    target,
                    label,
                    row["rows_original"],
                    1.0 if pd.isna(row["value"]) else row["value"],
                )


def prediction(training, control, made, schema: Schema, targets: list[str], groups: list[str]) -> dict:
    """How well a model that learned from the released table tells a target of other real people.

    The target with the fewest values is taken. Beside it: the same model, learned from real people.
    `{"why": ...}` where there is nothing to predict.
    """
    fit = sorted(
        (training[one].nunique(), one) for one in targets if 2 <= training[one].nunique() <= FEW_VALUES
    )
    if not fit:
        return {"why": "No target has few enough values."}
    target = fit[0][1]
    predictors = [c for c in schema.columns if schema.kind(c) in ("categorical", "numeric") and c != target]
    group = next((one for one in groups if one != target), None)
    try:
        found = utility.tstr(training, control, made, target, predictors, group=group, seeds=3)
    except ValueError as error:
        return {"why": " ".join(str(error).split())}
    found = found[found["people"] >= SMALLEST].dropna()
    return {"target": target, "by": group, "rows": plain(found.to_dict("records"))}


def versions() -> dict:
    """The version and the licence of every library that had a part in it, as their makers state them."""
    found = {"Python": {"version": platform.python_version(), "licence": "PSF-2.0"}}
    for name in LIBRARIES:
        try:
            stated = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = {"version": stated["Version"], "licence": _licence(stated)}
    return found


def _licence(stated) -> str:
    """One line from a package's metadata, where some put the whole text of the licence."""
    kinds = [
        c.rpartition(" :: ")[2] for c in stated.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    first = (stated["License"] or "").strip().partition("\n")[0]
    return stated["License-Expression"] or ", ".join(kinds) or first or "not stated"


def plain(value):
    """The same without numpy's types, and None for what is missing, as JSON wants it."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
