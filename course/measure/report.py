"""The whole statement about risk in one call: every attack with its control, as a table, a chart and words.

The attacks are grouped by the three indicators of identifiability that the Information Commissioner's Office
(ICO) names, singling out, linkability and inferences, with membership and copies beside them. They are never
averaged: one attack that works is one too many, however many do not.
"""

import warnings
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from course.measure import _tables, privacy
from course.measure._risk import Risk, percent

# Which of the ICO's indicators an attack is about, or what else it asks.
INDICATORS = {
    "Singling out": "singling out",
    "Replicated uniques": "singling out",
    "Linkability": "linkability",
    "Attribute inference": "inferences",
    "Certain disclosure (DiSCO)": "inferences",
    "Membership (exact match)": "membership",
    "Membership (nearest match)": "membership",
    "Membership (DOMIAS)": "membership",
    "Nearest record share": "copies",
}


@dataclass(frozen=True, eq=False)
class RiskReport:
    """What `risk_report` found. `risks` holds each `Risk` by name; print the report, or use its methods."""

    risks: dict[str, Risk]
    left_out: dict[str, str]  # attacks that could not be made, and why

    def table(self):
        """All attacks as a DataFrame, one row each: attack, indicator, then the columns of `Risk.table`."""
        found = pd.concat([risk.table() for risk in self.risks.values()], ignore_index=True)
        found.insert(0, "attack", list(self.risks))
        found.insert(1, "indicator", [INDICATORS[risk.name] for risk in self.risks.values()])
        return found

    @property
    def leaks(self):
        """The names of the attacks that found a leak, the largest excess first.

        With many attacks one will look like a leak by chance. So each is held to a stricter limit, 0.025
        divided by their number (Bonferroni): of tables that give nothing away, at most one in forty is
        flagged.
        """
        found = [name for name, risk in self.risks.items() if risk.p < 0.025 / len(self.risks)]
        return sorted(found, key=lambda name: -self.risks[name].excess)

    @property
    def copies(self):
        """Shares of synthetic rows equal to a person in every column compared: training, control."""
        if "Nearest record share" not in self.risks:
            return np.nan, np.nan
        row = self.risks["Nearest record share"].details.iloc[0]
        return row["training"], row["control"]

    def words(self):
        """The statement in words: a list of sentences, the most important first."""
        first = [self._verdict(), *self._copied(), *self._worst()]
        return [*first, self._chance(), *self._missing(), self._claims()]

    def chart(self):
        """Show the excess of every attack with its interval; zero is no difference from the control."""
        from course import chart

        found = self.table()[["attack", "excess", "low", "high"]]
        chart.intervals(found, "Given away, beyond general knowledge", "excess over control", self._verdict())

    def _verdict(self):
        if not self.leaks:
            return (
                f"None of the {len(self.risks)} attacks did clearly better on people who were in the data "
                "than on people who were not. That is not proof that the table is safe."
            )
        largest = {INDICATORS[self.risks[name].name]: name for name in reversed(self.leaks)}
        each = [
            f"{indicator}, {name}: {percent(risk.excess)} ({percent(risk.low)} to {percent(risk.high)})"
            for indicator, name in sorted(largest.items(), key=lambda pair: self.leaks.index(pair[1]))
            for risk in [self.risks[name]]
        ]
        return (
            f"{len(self.leaks)} of {len(self.risks)} attacks did clearly better on people who were in the "
            "data than on people who were not. The largest excess of each kind, with its 95% interval: "
            f"{'; '.join(each)}. They are shares of different things, so do not rank the kinds."
        )

    def _copied(self):
        training, control = self.copies
        if not training > control:
            return []
        return [
            f"Look at the copies: {training:.2%} of synthetic rows equal a person in the data in every "
            f"column compared, and {control:.2%} equal a person of the control. One copy of one person is a "
            "leak too, and no rate shows it."
        ]

    def _worst(self):
        if not self.leaks:
            return []
        return [f"{self.leaks[0]}: {self.risks[self.leaks[0]]._worst_sentence()}"]

    def _chance(self):
        tables = next(iter(self.risks.values())).tables
        covers = (
            "The intervals cover the choice of people attacked, and not the luck of synthesis, because one "
            "table was given."
            if tables == 1
            else f"The intervals cover the choice of people attacked and the luck of {tables} syntheses."
        )
        return (
            f"{len(self.risks)} attacks are many, so each is held to a stricter limit: at most one in forty "
            f"tables that give nothing away would be flagged. {covers}"
        )

    def _missing(self):
        return [f"Not tried: {name}. {why}" for name, why in self.left_out.items()]

    def _claims(self):
        return (
            "Do not write that the table is anonymous, or that nobody can be identified. Write which attacks "
            "were made, by an intruder who knows which columns, and what they found beside people who were "
            "not in the data."
        )

    def __str__(self):
        columns = ["attack", "training", "control", "baseline", "excess", "low", "high"]
        shown = self.table()[columns]
        shown[columns[1:]] = shown[columns[1:]].map(percent)
        return "\n".join([*self.words(), "", shown.to_string(index=False)])

    __repr__ = __str__

    def _repr_html_(self):
        """The words, then every attack in full behind its own heading."""
        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.words())
        folded = "".join(
            f"<details><summary>{escape(name)}: {percent(risk.excess)} ({percent(risk.low)} to "
            f"{percent(risk.high)})</summary>{risk._repr_html_()}</details>"
            for name, risk in self.risks.items()
        )
        return f'<div class="course-risk-report">{said}{folded}</div>'


def risk_report(training, control, synthetic, keys, targets, *, columns=None, seed=0, draws=10, most=2000):
    """Make every attack of `course.measure.privacy` and return the whole statement, a `RiskReport`.

    `keys` are the columns an intruder knows, ages and money in bands; `targets` those they would like to
    learn, one name or several. `columns` are compared for membership and copies: all that the tables share,
    unless told otherwise, but for those in which everybody has a value of their own. `synthetic` is the table
    to be released, or five or more made with different seeds. For linkability the keys are dealt to two files
    in turn. An attack that cannot be made is left out and named, with the reason. 100,000 rows of 20 columns
    take less than a minute on two cores.

    >>> people = pd.DataFrame({"age": range(40), "sex": ["F", "M"] * 20, "arrears": ["Y", "N"] * 20})
    >>> others = people.assign(age=people["age"] + 50)
    >>> risk_report(people, others, people, ["age", "sex"], "arrears").leaks[0]
    'Singling out'
    """
    keys, targets = _tables.names(keys, "keys"), _tables.names(targets, "targets")
    whole = list(columns) if columns is not None else _shared(training, control, synthetic)
    more = {"seed": seed, "draws": draws}
    parts = training, control, synthetic
    attacks = {
        "Singling out": lambda: privacy.singling_out(*parts, keys, **more),
        "Replicated uniques": lambda: privacy.replicated_uniques(*parts, keys, **more),
        "Linkability": lambda: privacy.linkability(*parts, keys[::2], keys[1::2], **more),
    }
    for target in targets:
        attacks[f"Attribute inference of {target}"] = lambda target=target: privacy.attribute_inference(
            *parts, keys, target, **more
        )
        attacks[f"Certain disclosure of {target}"] = lambda target=target: privacy.disco(
            *parts, keys, target, **more
        )
    attacks |= {
        "Membership, exact match": lambda: privacy.membership(*parts, whole, **more),
        "Membership, nearest match": lambda: privacy.membership(
            *parts, whole, match="nearest", most=most, **more
        ),
        "Membership, DOMIAS": lambda: privacy.domias(*parts, whole, most=most, **more),
        "Nearest record share": lambda: privacy.nearest_record_share(*parts, whole, most=most, **more),
    }
    found, left_out = {}, {}
    for name, attack in attacks.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # each Risk carries its own notes
                risk = attack()
        except ValueError as error:
            left_out[name] = str(error)
            continue
        if all(risk.tried):
            found[name] = risk
        else:  # a rate of zero would look safe
            left_out[name] = "The intruder had nothing to try, which does not say that people are safe."
    if not found:
        raise ValueError(f"No attack could be made. The first says: {next(iter(left_out.values()))}")
    return RiskReport(found, left_out)


def _shared(training, control, synthetic):
    """The columns that all tables have, without those in which everybody has a value of their own."""
    tables = list(synthetic) if isinstance(synthetic, list | tuple) else [synthetic]
    for table, called in ((training, "training"), (control, "control"), (tables[0], "synthetic")):
        _tables.check(table, [], called)
    common = [column for column in training if all(column in table for table in (control, *tables))]
    names = [c for c in common if _tables.kind(training[c]) == "text" and training[c].is_unique]
    return [column for column in common if column not in names and np.any(training[column].notna())]
