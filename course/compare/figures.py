"""The figures of the comparison: a few of them, each explained, and never one score.

All distances are 0 for a perfect likeness. None of them is 0 for a fresh sample of real people, so every
figure is also worked out for one (the row "control"), and for a verbatim copy (the row "copy").
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from course import data
from course.compare.questions import Question, smaller
from course.measure import fidelity, privacy, utility

# What each figure is, in one sentence, as the page and the lab print it.
MEANING = {
    "columns": "Mean distance of single columns: total variation for codes, Kolmogorov-Smirnov for numbers. "
    "0 is the same.",
    "blanks": "The largest change in the share of blanks of any column. 0 is none.",
    "pairs": "Mean change in the strength of association over all pairs of columns. 0 is none.",
    "pmse": "How well a model tells synthetic from real rows, by some columns and their pairs, as a ratio to "
    "a correct synthesis (1). A fresh sample of real people gives about 2.",
    "group": "The worst-served group of people: the distance of the outcome inside it, over groups of 100 "
    "people or more. 1 means the group is gone.",
    "overlap": "How far the finding's 95% interval overlaps the real one. A correct synthesis gives 0.8 on "
    "average; below 0 they are apart.",
    "rules": "Mean share of rows that break a business rule, over the rules that can be asked.",
    "orphans": "Share of rows whose key leads to no row of the parent table.",
    "children": "Kolmogorov-Smirnov distance of the number of children of a parent, the worst of the keys.",
}
ATTACKS = {
    "singling out": "a combination of keys that is unique in the synthetic table picks out one real person",
    "attribute inference": "guess a sensitive value from the keys",
    "certain disclosure": "learn a sensitive value where all synthetic rows with the keys agree (DiSCO)",
    "membership": "tell who was in the training part, by the distance to the nearest synthetic row",
}
PARTS = ("training", "control")
LEAST = 100  # people in a group, for it to be judged
TRIED = 400  # people of each part whose nearest synthetic row is looked for


class Judge:
    """Measures what generators made of one data set. Opens the real parts once."""

    def __init__(self, question: Question):
        self.question = question
        self.dataset = data.load(question.dataset)
        self.parts = {name: smaller(getattr(self.dataset, name), self.dataset.schemas) for name in PARTS}
        self.training, self.control = (question.judged(self.parts[name]) for name in PARTS)

    @cached_property
    def real(self) -> utility.Estimate:
        """The finding in the training part."""
        return self.question.finding(self.training)

    def judge(self, made: list) -> dict:
        """Every figure for one generator. `made` holds, for each seed, the table or the dict of tables.

        A figure that cannot be worked out is None, and a sentence in "notes" says why. Raises ValueError
        where nothing was made.
        """
        return self._judge([self.question.to_judge(one) for one in made], self.question.by_name(made[0]))

    def _judge(self, views: list[pd.DataFrame], tables: dict) -> dict:
        notes: list[str] = []
        if not all(map(len, views)):
            raise ValueError("A synthetic table came out with no rows.")
        return {
            "rows": [len(view) for view in views],
            **self._fidelity(views, notes),
            **self._finding(views, notes),
            "risks": self._risks(views, self.control, notes),
            "rules": rules(tables, self.dataset),
            "orphans": orphans(tables, self.dataset) if self.question.shape == "linked" else None,
            "children": self._children(tables) if self.question.shape == "linked" else None,
            "notes": notes,
        }

    def judge_control(self) -> dict:
        """The same for a fresh sample of real people, to read the others by.

        The control part stands in for the synthetic table. For the attacks its people are split in two
        halves: one is released, the other takes the part of the control.
        """
        found = self._judge([self.control], self._parts("control"))
        order = np.random.default_rng(0).permutation(len(self.control))
        released, rest = (self.control.iloc[np.sort(half)] for half in np.array_split(order, 2))
        return {**found, "risks": self._risks([released], rest, found["notes"])}

    def judge_copy(self) -> dict:
        """The same for a verbatim copy of the training part."""
        return self._judge([self.training], self._parts("training"))

    def _parts(self, part: str) -> dict:
        """The real tables of a part, those that a generator of this shape would make."""
        (made, _), _ = self.question.learned(self.parts[part], self.dataset.schemas)
        return self.question.by_name(made)

    def _fidelity(self, views: list, notes: list) -> dict:
        together, schema = list(self.question.together), self.question.schema
        measures = {
            "columns": lambda view: fidelity.columns(self.training, view, schema)["value"].mean(),
            "blanks": lambda view: _blanks(fidelity.columns(self.training, view, schema)),
            "pairs": lambda view: (
                fidelity.pairs(self.training, view, schema=schema)["difference"].abs().mean()
            ),
            "pmse": lambda view: fidelity.pmse(self.training, view, together, order=2, most=3).ratio,
            "group": self._worst_group,
        }
        return {name: _each(name, measure, views, notes) for name, measure in measures.items()}

    def _children(self, tables: dict) -> float:
        """The number of children of each parent, real against made, by the key that fares worst."""
        real = self.parts["training"]
        found = []
        for name, schema in self.dataset.schemas.items():
            for key in schema.foreign_keys:
                column, parent = key["fields"][0], key["reference"]
                counts = [
                    part[parent["resource"]][parent["fields"][0]].map(part[name][column].value_counts())
                    for part in (real, tables)
                ]
                found.append(fidelity.ks(*(count.fillna(0).astype(float) for count in counts)))
        return max(found)

    def _worst_group(self, view: pd.DataFrame) -> float:
        numeric = self.question.schema.kind(self.question.outcome) in ("numeric", "date")
        measure = fidelity.ks if numeric else fidelity.total_variation
        try:
            found = fidelity.by_group(
                self.training, view, self.question.group, self.question.outcome, measure
            )
        except ValueError:  # no group has anything to compare
            return 1.0
        return found.loc[found["rows_original"] >= LEAST, "value"].fillna(1).max()

    def _finding(self, views: list, notes: list) -> dict:
        found = []
        for view in views:
            try:
                found.append(self.question.finding(view))
            except (ValueError, KeyError, TypeError) as error:
                notes.append(f"The finding cannot be made: {one_sentence(error)}")
                break
        if len(found) < len(views):
            return {"finding": None, "overlap": None}
        overlap = [utility.ci_overlap(self.real, one) if one.high > one.low else None for one in found]
        return {"finding": [one.value for one in found], "overlap": overlap}

    def _risks(self, views: list, control: pd.DataFrame, notes: list) -> dict:
        """Each attack's own table of figures, on one synthetic table or on five."""
        import warnings

        question, keys = self.question, list(self.question.keys)
        known = [question.known(part) for part in (self.training, control, *views)]
        people, others, tables = known[0], known[1], known[2:]
        columns = [c for c in question.schema.columns if question.schema.kind(c) != "identifier"]
        attacks = {
            "singling out": lambda: privacy.singling_out(people, others, tables, keys),
            "attribute inference": lambda: privacy.attribute_inference(
                people, others, tables, keys, question.target
            ),
            "certain disclosure": lambda: privacy.disco(people, others, tables, keys, question.target),
            "membership": lambda: privacy.membership(
                self.training, control, views, columns, match="nearest", most=TRIED
            ),
        }
        risks = {}
        for name, attack in attacks.items():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    risks[name] = attack().table().iloc[0].to_dict()
            except (ValueError, KeyError, TypeError) as error:
                risks[name] = None
                notes.append(f"{name.capitalize()} cannot be tried: {one_sentence(error)}")
        return risks


def _blanks(columns: pd.DataFrame) -> float:
    return (columns["blank_original"] - columns["blank_synthetic"]).abs().max()


def _each(name: str, measure, views: list, notes: list) -> list | None:
    """One figure for each synthetic table, or None and a note."""
    try:
        return [float(measure(view)) for view in views]
    except (ValueError, KeyError, TypeError, np.linalg.LinAlgError) as error:
        notes.append(f"The figure {name!r} cannot be worked out: {one_sentence(error)}")
        return None


def rules(tables: dict, dataset: data.Dataset) -> dict:
    """Which business rules hold in the tables made: how many can be asked, and the shares of rows that break
    them.

    Returns asked, held (rules that no row breaks), broken (the mean share), worst (the rule broken most) and
    its share. A rule that needs a table or a column that was not made is not asked.
    """
    shares = {}
    for rule in dataset.rules:
        try:
            found = data.broken_rules(tables, dataset, [rule])
        except (data.DataError, KeyError, TypeError, ValueError, AttributeError):
            continue
        if len(found):
            shares[rule["name"]] = float(found["share"].iloc[0])
    if not shares:
        return {"asked": 0, "held": 0, "broken": None, "worst": None, "worst_share": None}
    worst = max(shares, key=shares.get)
    return {
        "asked": len(shares),
        "held": sum(share == 0 for share in shares.values()),
        "broken": sum(shares.values()) / len(shares),
        "worst": worst,
        "worst_share": shares[worst],
    }


def orphans(tables: dict, dataset: data.Dataset) -> float | None:
    """The largest share of rows, over the keys between the tables made, that lead to no row of the parent.

    None where no two of the tables are tied by a key.
    """
    shares = []
    for name, table in tables.items():
        for key in dataset.schema(name).foreign_keys:
            parent = tables.get(key["reference"]["resource"])
            if parent is not None and len(table):
                here = pd.MultiIndex.from_frame(table[list(key["fields"])].astype(str))
                there = pd.MultiIndex.from_frame(parent[list(key["reference"]["fields"])].astype(str))
                shares.append(float(1 - here.isin(there).mean()))
    return max(shares, default=None)


def one_sentence(error: BaseException) -> str:
    """What went wrong, in one line of at most 300 letters, without the places of files on this computer."""
    import re
    from pathlib import Path

    words = " ".join(str(error).strip("'\"").split()) or type(error).__name__
    words = re.sub(rf"{re.escape(str(Path.home()))}|/(?:[\w.-]+/)+", "…/", words)
    words = words if len(words) <= 300 else words[:297] + "..."
    return words if words.endswith((".", "?", "!", "...")) else words + "."
