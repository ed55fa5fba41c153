"""From attacks to an honest statement: the `Risk` that every privacy measure returns, and how it is made.

`Release` holds what an attack needs: equal numbers of training and control people, the synthetic
tables, and a shuffled twin of each. `Release.risk` runs one attack on all of them and works out the
rates, the interval and the worst-placed people.
"""

import textwrap
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from course.measure import _tables

LEAST = 5  # the fewest synthetic tables, or draws of people, that an interval may rest on
_RARITY = ((0, "nobody else"), (1, "1 to 3 others"), (4, "4 to 8 others"), (9, "9 or more others"))
_NO_NUMBER = (
    "A Risk is not one number: without its control, baseline, interval and worst-placed people it would "
    "mislead. Print it, or use .table(); .excess, .low and .high are there to be read together."
)


@dataclass(frozen=True, eq=False)
class Risk:
    """One attack on a synthetic release, with everything needed to read it fairly.

    Rates are shares between 0 and 1. `excess` is (training - control) / (1 - control): the share of
    people that general knowledge alone would have spared and the release gave away. 0 means being in the
    data made no difference, 1 that everybody was given away; below 0 is chance, or parts that differ.
    Lower is safer. Source: Giomi, Boenisch, Wehmeyer and Tasnádi, PoPETs 2023(2). It is not clipped at
    0, so that chance stays visible.
    """

    name: str
    question: str  # what the figures answer, in words
    keys: tuple  # the columns the intruder knows
    counted: str  # what the rates are shares of: "people", "guesses", "synthetic rows"
    tried: tuple  # how many of those were tried for each synthetic table: training, control
    training: float
    control: float
    baseline: float
    baseline_means: str
    excess: float
    low: float
    high: float
    p: float  # the chance of an excess as large as this, or larger, if nothing were given away
    tables: int  # synthetic tables attacked
    draws: int  # groups of people the interval rests on
    people: int  # people in each part, made equal
    worst_placed: pd.DataFrame  # by how many others in the person's own part share the person's keys
    hit_means: str  # what "hit" means for one person
    always_hit: tuple  # people hit in every synthetic table: training, control
    details: pd.DataFrame  # further figures, training beside control
    notes: tuple  # sentences that the reader must see

    def table(self):
        """Return all figures as a DataFrame of one row, ready for `pandas.concat` with others."""
        worst = self._worst()
        row = {
            "measure": self.name,
            "keys": ", ".join(self.keys),
            "training": self.training,
            "control": self.control,
            "baseline": self.baseline,
            "excess": self.excess,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "synthetic_tables": self.tables,
            "draws_of_people": self.draws,
            "people_each_part": self.people,
            "worst_placed": "none" if worst is None else worst["others"],
            "worst_training": np.nan if worst is None else worst["training_hit"],
            "worst_control": np.nan if worst is None else worst["control_hit"],
            "always_hit_training": self.always_hit[0],
            "always_hit_control": self.always_hit[1],
        }
        return pd.DataFrame([row])

    def __float__(self):
        raise TypeError(_NO_NUMBER)

    __int__ = __index__ = __float__

    def __str__(self):
        lines = [f"{self.name}: {self.question}", ""]
        lines += [f"  {words:<72}{value:>18}" for words, value in self._figures()]
        lines += ["", textwrap.fill(self._worst_caption(), 96), ""]
        lines += textwrap.indent(self._worst_words().to_string(index=False), "  ").splitlines()
        lines += [""] + [textwrap.fill(sentence, 96) for sentence in self._sentences()]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        """The same as printing, as two captioned tables with scoped headers and plain paragraphs."""
        figures = "".join(
            f'<tr><th scope="row">{escape(words)}</th><td>{escape(value)}</td></tr>'
            for words, value in self._figures()
        )
        worst = self._worst_words()
        heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in worst.columns)
        rows = "".join(
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(value)}</td>" for value in rest)
            + "</tr>"
            for first, *rest in worst.itertuples(index=False)
        )
        caption = f"{escape(self.name)}: {escape(self.question)}"
        return (
            f'<div class="course-risk"><table><caption>{caption}</caption><thead><tr>'
            f'<th scope="col">Figure</th><th scope="col">Value</th></tr></thead><tbody>{figures}</tbody>'
            f"</table><table><caption>{escape(self._worst_caption())}</caption><thead><tr>{heads}</tr>"
            f"</thead><tbody>{rows}</tbody></table>"
            + "".join(f"<p>{escape(sentence)}</p>" for sentence in self._sentences())
            + "</div>"
        )

    def _figures(self):
        """The figures in reading order, as (words, value) pairs of text."""
        figures = [
            (f"Attack on the training part, share of {self.counted}", percent(self.training)),
            ("Same attack on the control part", percent(self.control)),
            (f"Baseline: {self.baseline_means}", percent(self.baseline)),
            ("Excess over control, (training - control)/(1 - control)", percent(self.excess)),
            ("95% interval of the excess", f"{percent(self.low)} to {percent(self.high)}"),
        ]
        for label, training, control in self.details.itertuples(index=False):
            if pd.isna(control):
                figures.append((label, percent(training)))
            else:
                figures.append((f"{label}, training part", percent(training)))
                figures.append((f"{label}, control part", percent(control)))
        hit = f"People {self.hit_means}" + (f" in all {self.tables} tables" if self.tables > 1 else "")
        for part, people in zip(("training", "control"), self.always_hit, strict=True):
            figures.append((f"{hit}, {part} part", f"{people:,}"))
        return figures

    def _worst_caption(self):
        return (
            f"Worst-placed people: share {self.hit_means}, by how many other people in their own part "
            "share their values"
        )

    def _worst_words(self):
        """`worst_placed` as text."""
        table = self.worst_placed
        return pd.DataFrame(
            {
                "Share values with": table["others"],
                "Training people": table["training_people"].map("{:,}".format),
                "Training hit": table["training_hit"].map(percent),
                "Control people": table["control_people"].map("{:,}".format),
                "Control hit": table["control_hit"].map(percent),
            }
        )

    def _worst(self, least=5):
        """The rarity group where training stands furthest above control (None if all are tiny)."""
        table = self.worst_placed
        table = table[(table["training_people"] >= least) & (table["control_people"] >= least)]
        gap = table["training_hit"] - table["control_hit"]
        return None if table.empty else table.loc[gap.idxmax()]

    def _sentences(self):
        """What the figures show and do not show."""
        return [*self.notes, self._shows(), self._interval(), self._worst_sentence(), self._limits()]

    def _shows(self):
        if self.low > 0:
            return (
                "What this shows: the attack does better on the training part than on the control part, by "
                "more than chance. The difference is what the release gives away about its own people."
            )
        if self.high < 0:
            return (
                "What this shows: the attack does worse on the training part than on the control part. Check "
                "that both parts were drawn at random from the same people."
            )
        return (
            "What this shows: the interval includes zero, so this attack found no clear difference between "
            "people who were in the data and people who were not. That is not proof that there is none."
        )

    def _interval(self):
        people = f"{self.draws} random groups of people"
        if self.tables == 1:
            return (
                f"The interval rests on {people} attacked in one released table. It covers the choice of "
                "people attacked only, not the luck of synthesis: another table from the same generator "
                "could come out better or worse."
            )
        return (
            f"The interval rests on {self.tables} synthetic tables and {people}. It covers the luck of "
            "synthesis and the choice of people attacked."
        )

    def _worst_sentence(self):
        worst = self._worst()
        if worst is None:
            return "There are too few people in every group to say who is worst placed."
        if not worst["training_hit"] > worst["control_hit"]:
            return "In none of the groups of worst-placed people is training hit more often than control."
        return (
            f"The average hides people. The gap is widest for people who share their values with "
            f"{worst['others']}: {percent(worst['training_hit'])} of them were hit in the training part and "
            f"{percent(worst['control_hit'])} in the control part. As the widest of several, part of it "
            "may be chance."
        )

    def _limits(self):
        return (
            "What this does not show: it is one attack by an intruder who knows "
            f"{', '.join(self.keys)}. Other attacks, or more knowledge, may do better. What this one "
            "learns about control people is general knowledge, not a leak, though it can still do harm."
        )


def percent(share):
    """A share as text; "no people" where there was nobody to count."""
    return "no people" if pd.isna(share) else f"{100 * share:.1f}%"


class Hits(NamedTuple):
    """What one attack did with one synthetic table.

    Each array holds 1 for a success, 0 for a failure, a fraction for a tie, and NaN for not tried.
    """

    training: np.ndarray  # one entry for each thing tried
    control: np.ndarray
    training_people: np.ndarray  # one entry per person
    control_people: np.ndarray
    details: dict  # label -> (training share, control share); control NaN where there is one share only
    about: np.ndarray | None = None  # the person each thing tried is about, where several are about one


def people_hits(training, control, details=None):
    """`Hits` of an attack that is tried once on each person."""
    training, control = np.asarray(training, dtype=float), np.asarray(control, dtype=float)
    return Hits(training, control, training, control, details or {})


class Release:
    """The tables of one question, ready to attack.

    `frames` holds, in order: training people, as many control people, each synthetic table, and a shuffled
    twin of each (its columns shuffled one by one, which keeps every column and breaks every relation). The
    larger part is sampled down to the size of the smaller, because people are more often unique in a smaller
    table, and an attack on unique people would tell the parts apart by that.
    """

    def __init__(self, training, control, synthetic, columns, seed, draws):
        self.synthetic = _released(synthetic)
        if draws < LEAST:
            raise ValueError(f"draws is {draws}; use at least {LEAST}, because fewer say too little.")
        _check_parts(training, control, self.synthetic, columns, draws)
        self.columns, self.seed, self.draws = columns, seed, draws
        self.people = min(len(training), len(control))
        rng = np.random.default_rng(seed)
        parts = [_sampled(part, self.people, rng) for part in (training, control)]
        tables = [table[columns] for table in self.synthetic]
        self.frames = [
            *(part[columns] for part in parts),
            *tables,
            *(_shuffled(table, rng) for table in tables),
        ]
        self.called = ["training", "control"] + ["synthetic"] * (2 * len(tables))
        self.notes = []
        if len(training) != len(control):
            self.notes.append(
                f"The parts differ in size ({len(training):,} and {len(control):,} people), so "
                f"{self.people:,} people were drawn from each, to be fair."
            )
        self._codes = {}

    def codes(self, columns):
        """One code per row of every frame: equal codes mean equal values in all `columns`."""
        for column in columns:
            if column not in self._codes:
                parts = [frame[column] for frame in self.frames]
                self._codes[column] = _tables.codes(column, parts, self.called)
        return _tables.combine([self._codes[column] for column in columns])

    def rng(self, purpose):
        """A random generator that depends on the seed and a purpose, and on nothing else."""
        return np.random.default_rng([self.seed, purpose])

    def risk(self, name, question, keys, attack, *, counted="people", hit_means="hit", baseline=None):
        """Run `attack(position of a synthetic frame) -> Hits` on every table and state the result.

        `baseline`, where the shuffled twins are not the right one, is a pair: words and a share.
        """
        many = len(self.synthetic)
        found = [attack(2 + i) for i in range(many)]
        if baseline is None:
            twins = [_rate(attack(2 + many + i).training) for i in range(many)]
            baseline = ("same attack, columns shuffled one by one", float(np.mean(twins)))
        training = float(np.mean([_rate(hits.training) for hits in found]))
        control = float(np.mean([_rate(hits.control) for hits in found]))
        tried = tuple(round(np.mean([np.isfinite(h[part]).sum() for h in found])) for part in (0, 1))
        low, high, p = self._interval(found, training, control, tried)
        people = [np.array([hits[part] for hits in found]) for part in (2, 3)]
        return Risk(
            name=name,
            question=question,
            keys=tuple(keys),
            counted=counted,
            tried=tried,
            training=training,
            control=control,
            baseline=baseline[1],
            baseline_means=baseline[0],
            excess=_excess(training, control),
            low=low,
            high=high,
            p=p,
            tables=many,
            draws=self.draws,
            people=self.people,
            worst_placed=self._worst_placed(keys, people),
            hit_means=hit_means,
            always_hit=tuple(int((part.min(axis=0) == 1).sum()) for part in people),
            details=_details(found),
            notes=tuple(self.notes + self._identical() + _nothing_tried(tried)),
        )

    def _interval(self, found, training, control, tried):
        """95% t interval of the excess, and its p: variance between groups of people and between tables.

        Both sources are needed. With the same people attacked in each table, the spread between tables
        alone would count a chance difference between the two parts as a leak. The people are split at
        random into `draws` groups, which gives independent figures whose spread shows the luck of the draw;
        the interval is never narrower than so many people would allow if each were independent.
        """
        by_table = _variance_of_mean([_excess(_rate(hits.training), _rate(hits.control)) for hits in found])
        people = (
            (self._variance_of_people(found), self.draws - 1),
            (_least_variance(training, control, tried), np.inf),
        )
        errors = [_error(*each, by_table, len(found) - 1) for each in people]
        excess = _excess(training, control)
        reach = max(_reach(*error) for error in errors)
        p = max(_tail(excess, *error) for error in errors)
        return float(excess - reach), float(min(1.0, excess + reach)), float(p)

    def _variance_of_people(self, found):
        """Variance of the excess from the choice of people, by the spread between random groups of them.

        Where several things tried are about one person, they go into one group together, and the figures are
        those with each group left out in turn (the delete-a-group jackknife: Kott, Journal of Official
        Statistics 17, 2001): a person whom half of the rows are about must be seen to matter so much.
        """
        if found[0].about is None:
            groups = [np.array([self._group_rates(hits[part]) for hits in found]) for part in (0, 1)]
            return _variance_of_mean(
                [_excess(*pair) for pair in zip(*(_mean(part, 0) for part in groups), strict=True)]
            )
        group = self.rng(1).permutation(max(hits.about.max() for hits in found) + 1) % self.draws
        without = [
            _excess(*(np.mean([_rate(h[part][group[h.about] != g], 0.5) for h in found]) for part in (0, 1)))
            for g in range(self.draws)
        ]
        return (self.draws - 1) * float(np.var(without))

    def _group_rates(self, hits):
        """The rate in each of the random groups (NaN for a group with nothing tried)."""
        group = self.rng(1).permutation(len(hits)) % self.draws
        return [_rate(hits[group == g], nothing=np.nan) for g in range(self.draws)]

    def _worst_placed(self, keys, people):
        """Share of people hit, by how many others in their own part share their keys.

        Own part, because then the two parts are alike in all but having been synthesised. With control
        people placed by the training part, an attack on unique people would seem to leak when it does not.
        """
        sharing = [np.bincount(code)[code] - 1 for code in self.codes(keys)[:2]]
        starts = [start for start, _ in _RARITY]
        rows = []
        for i, (_, label) in enumerate(_RARITY):
            row = {"others": label}
            for part, called in enumerate(("training", "control")):
                inside = np.searchsorted(starts, sharing[part], "right") - 1 == i
                hits = people[part][:, inside]
                row[f"{called}_people"] = int(np.isfinite(hits).any(axis=0).sum())
                row[f"{called}_hit"] = _rate(hits, nothing=np.nan)
            rows.append(row)
        return pd.DataFrame(rows)

    def _identical(self):
        """A note where some of the synthetic tables are the same in the columns used."""
        if len(self.synthetic) == 1:
            return []
        codes = self.codes(self.columns)[2 : 2 + len(self.synthetic)]
        if len({np.sort(code).tobytes() for code in codes}) == len(codes):
            return []
        return [
            "Some of the synthetic tables are identical, so the interval does not cover the luck of "
            "synthesis: make each with its own seed."
        ]


def _released(synthetic):
    """The synthetic tables as a list: one, or at least five."""
    tables = list(synthetic) if isinstance(synthetic, list | tuple) else [synthetic]
    if len(tables) != 1 and len(tables) < LEAST:
        raise ValueError(
            f"There are {len(tables)} synthetic tables; give the one you would release, or at least {LEAST} "
            "made with different seeds, because an interval over fewer says too little."
        )
    return tables


def _check_parts(training, control, synthetic, columns, draws):
    for table, called, rows in (
        (training, "training", draws),
        (control, "control", draws),
        *((table, "synthetic", 2) for table in synthetic),
    ):
        _tables.check(table, columns, called, rows)
        blank = [column for column in columns if table[column].isna().all()]
        if blank:
            raise ValueError(
                f"Column {blank[0]!r} is blank on every row of the {called} table, so it tells an intruder "
                "nothing; leave it out."
            )
    if len(training) == len(control) and training[columns].equals(control[columns]):
        raise ValueError(
            "The control part is the training part; a control must be people who were not in training."
        )


def _sampled(table, rows, rng):
    if len(table) == rows:
        return table
    return table.iloc[np.sort(rng.choice(len(table), rows, replace=False))]


def _shuffled(table, rng):
    """The table with each column shuffled on its own."""
    return pd.DataFrame(
        {column: table[column].array.take(rng.permutation(len(table))) for column in table.columns}
    )


def _rate(hits, nothing=0.0):
    """Mean of what was tried, `nothing` if nothing was."""
    tried = np.isfinite(hits)
    return float(hits[tried].mean()) if tried.any() else nothing


def _mean(values, axis):
    """Mean along an axis over the values that exist, NaN where none does."""
    there = np.isfinite(values)
    return np.where(there, values, 0).sum(axis) / np.where(there.any(axis), there.sum(axis), np.nan)


def _excess(training, control):
    """(training - control) / (1 - control); 0 where all of control is hit and nothing is left to add."""
    return 0.0 if control == 1 else (training - control) / (1 - control)


def _error(people, people_freedom, tables, tables_freedom):
    """Standard error of a sum of two variances, and its degrees of freedom (Satterthwaite)."""
    doubt = people**2 / people_freedom + (tables**2 / tables_freedom if tables_freedom else 0.0)
    freedom = (people + tables) ** 2 / doubt if doubt else np.inf
    return np.sqrt(people + tables), min(freedom, 1e9)


def _reach(error, freedom):
    """Half the length of a 95% t interval."""
    from scipy.special import stdtrit

    return stdtrit(freedom, 0.975) * error


def _tail(excess, error, freedom):
    """The chance of an excess as large or larger by luck alone (one-sided)."""
    from scipy.special import stdtr

    return 1.0 * (excess <= 0) if error == 0 else 1 - stdtr(freedom, excess / error)


def _variance_of_mean(values):
    values = np.array([value for value in values if np.isfinite(value)])
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0


def _least_variance(training, control, tried):
    """Variance of the excess if all tries were independent, by the delta method.

    One success and one failure are added to each part, so that 0 hits among 6,000 people is not
    taken for certainty (Agresti and Coull, The American Statistician 52, 1998).
    """
    a, c = ((rate * n + 1) / (n + 2) for rate, n in zip((training, control), tried, strict=True))
    variance_a, variance_c = (p * (1 - p) / (n + 2) for p, n in zip((a, c), tried, strict=True))
    return variance_a / (1 - c) ** 2 + variance_c * (1 - a) ** 2 / (1 - c) ** 4


def _details(found):
    """The attacks' further figures, averaged over the tables."""
    labels = found[0].details
    rows = [(label, *np.mean([hits.details[label] for hits in found], axis=0)) for label in labels]
    return pd.DataFrame(rows, columns=["figure", "training", "control"])


def _nothing_tried(tried):
    if all(tried):
        return []
    return ["The intruder had nothing to try, so rates of zero say only that, not that people are safe."]
