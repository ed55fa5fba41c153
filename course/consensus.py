"""Agree together: a Delphi survey in two rounds, from the statements to the report.

People score statements from 1 to 9, see how others scored, and score again. What counts as agreement is
fixed before anybody scores, and kept with a fingerprint, so that it cannot be changed afterwards unseen.

    study = new("agreement")                      # a folder: statements, rule, form
    ratings = read_ratings(study)                 # the CSV files in agreement/ratings
    feedback(study)                               # after round 1: one page for each person
    report(study)                                 # after round 2: HTML, CSV and JSON

Anonymity, rounds, controlled feedback and statistics are what makes it a Delphi survey
(https://link.springer.com/10.1186/s13063-023-07388-9). Scores of fewer than ten people are never shown.
Nothing is sent anywhere, and no file is ever written over.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from html import escape
from pathlib import Path

from course import forms
from course.__main__ import for_this_system
from course.data import DataError
from course.pages import page, table

FEWEST = 10  # a group of fewer people is never shown by its scores
VOICE = 3  # a group of fewer people is not shown at all, and decides nothing by itself
IN, OUT, UNDECIDED = "in", "out", "undecided"
EVERYONE = "Everyone"
COLUMNS = ("participant", "group", "round", "statement id", "rating", "reason", "rule")

# Drafted for this course, to be argued about. Each holds one idea that a department could do or not do.
STATEMENTS = {
    "S01": "A named senior person approves every synthetic table before anyone outside the team may use it.",
    "S02": "Every synthetic file says, inside the file, that its rows are not real.",
    "S03": "We make tables at the lowest level of fidelity that serves the purpose.",
    "S04": "Before release we attack each table made from records, and compare with a control group.",
    "S05": "We publish a page in plain English about every synthetic table that we release.",
    "S06": "We assess the effect on data protection before we make a table from records about people.",
    "S07": "Members of the public help to decide which tables we make, and for what.",
    "S08": "We report how well a table serves small groups of people, not only how well it does on average.",
    "S09": "Nobody publishes a finding that rests on a synthetic table alone.",
    "S10": "People who receive a table agree in writing not to try to identify anyone.",
    "S11": "We set a date to look at each release again, and we know how to withdraw it.",
    "S12": "Tables of low fidelity are open to everyone, with no application to make.",
}
GROUPS = ("Data owners", "Analysts and researchers", "Governance and legal", "Members of the public")


# ------------------------------------------------------------------------------ statistics and rules


@dataclass(frozen=True)
class Summary:
    """The scores of some people on one statement: how many, how many high and low, and the quartiles."""

    n: int
    high: int  # people who scored 7, 8 or 9
    low: int  # people who scored 1, 2 or 3
    q1: float
    median: float
    q3: float

    @property
    def iqr(self) -> float:
        """The interquartile range: the distance between the quartiles, in points of the scale."""
        return self.q3 - self.q1

    def mirrored(self) -> Summary:
        """The same on the scale turned round (1 becomes 9): what was for the statement is against it."""
        return Summary(self.n, self.low, self.high, 10 - self.q3, 10 - self.median, 10 - self.q1)


def summarise(scores: Sequence[int]) -> Summary:
    """Summarise at least one score from 1 to 9. Quartiles are interpolated linearly, as numpy does.

    Source: `numpy.quantile`, its method "linear".

    >>> summarise([9, 8, 8, 7, 7, 7, 7, 6, 5, 2])
    Summary(n=10, high=7, low=1, q1=6.25, median=7.0, q3=7.75)
    """
    if not scores:
        raise DataError("There is no score to summarise. Check that somebody rated the statement.")
    return _summary(tuple(sorted(scores)))


@lru_cache(maxsize=1000)  # several rules ask for the same scores
def _summary(scores: tuple[int, ...]) -> Summary:
    import numpy as np

    q1, median, q3 = (float(value) for value in np.quantile(scores, [0.25, 0.5, 0.75]))
    high, low = sum(score >= 7 for score in scores), sum(score <= 3 for score in scores)
    return Summary(len(scores), high, low, q1, median, q3)


@dataclass(frozen=True)
class Rule:
    """What counts as agreement. A limit that is None is not asked for.

    A statement is *in* when everything asked for holds: at least `high` percent score 7 to 9, fewer than
    `low` percent score 1 to 3, the median is `median` or more, the interquartile range is `iqr` or less. With
    `each_group` it must hold in every stakeholder group of three or more too. It is *out* when the same holds
    on the scale turned round (`out="mirror"`), or when 50 percent or fewer of each group score 7 to 9
    (`out="half"`). Anything else is *undecided*.

    Sources: the default, https://trialsjournal.biomedcentral.com/articles/10.1186/s13063-015-1011-8/tables/1;
    `out="half"`, a table of a BMJ Open study; the rest, see `RULES`.

    >>> Rule().verdict([9, 9, 9, 8, 8, 8, 7, 7, 2, 1])
    'undecided'
    """

    high: float | None = 70
    low: float | None = 15
    median: float | None = None
    iqr: float | None = None
    each_group: bool = False
    out: str = "mirror"

    def __post_init__(self):
        for name, least, most in (("high", 51, 100), ("low", 0, 100), ("median", 5.5, 9), ("iqr", 0, 8)):
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if value is not None and not (number and least <= value <= most):
                raise DataError(
                    f"The rule's {name} is {value!r}; it must be from {least} to {most}, or null."
                )
        if self.high is None and self.median is None:
            raise DataError(
                "The rule asks for neither a share of high scores nor a median; give one of them."
            )
        if not isinstance(self.each_group, bool):
            raise DataError(f"The rule's each_group is {self.each_group!r}; it must be true or false.")
        if self.out not in ("mirror", "half"):
            raise DataError(f"The rule's out is {self.out!r}; it must be mirror or half.")

    def met(self, part: Summary) -> bool:
        """Whether these scores meet the limits for *in*. Shares are compared exactly, so 70% is 70%."""
        return (
            (self.high is None or 100 * part.high >= Fraction(str(self.high)) * part.n)
            and (self.low is None or 100 * part.low < Fraction(str(self.low)) * part.n)
            and (self.median is None or part.median >= self.median)
            and (self.iqr is None or part.iqr <= self.iqr)
        )

    def verdict(self, scores: Sequence[int], groups: Iterable[Sequence[int]] = ()) -> str:
        """The verdict on one statement, from everyone's scores and those of each stakeholder group."""
        if not scores:
            return UNDECIDED
        everyone = summarise(scores)
        voices = [summarise(group) for group in groups if len(group) >= VOICE]
        asked = [everyone, *(voices if self.each_group else [])]
        if all(self.met(part) for part in asked):
            return IN
        if self.out == "half":
            against = all(100 * part.high <= 50 * part.n for part in voices or [everyone])
        else:
            against = all(self.met(part.mirrored()) for part in asked)
        return OUT if against else UNDECIDED

    def words(self) -> tuple[str, str]:
        """The rule as two sentences: when a statement is in, and when it is out."""
        limits = (self.high, self.low, self.median, self.iqr)
        said = (
            "at least {:g}% score 7 to 9",
            "fewer than {:g}% score 1 to 3",
            "the median is {:g} or more",
            "the middle half of the scores spans {:g} points or fewer",
        )
        asked = [words.format(limit) for words, limit in zip(said, limits, strict=True) if limit is not None]
        where = ", among everyone and in every stakeholder group of three or more" if self.each_group else ""
        within = "In: " + " and ".join(asked) + where + "."
        if self.out == "half":
            return within, "Out: 50% or fewer score 7 to 9 in each stakeholder group of three or more."
        return within, "Out: the same, with the scale turned round, so that 1 counts as 9."


# Name: (rule, where it comes from). The first is the default.
RULES = {
    "seventy": (Rule(), "Published: the ELICIT protocol"),
    "seventy-half": (Rule(out="half"), "Published: an e-Delphi study in BMJ Open"),
    "seventy-each-group": (Rule(each_group=True), "This course's own variation"),
    "seventy-five": (Rule(high=75, low=None), "To be checked: no source read"),
    "eighty": (Rule(high=80, low=None), "To be checked: no source read"),
    "median": (Rule(low=None, high=None, median=7), "To be checked: no source read"),
    "median-iqr": (Rule(low=None, high=None, median=7, iqr=2), "To be checked: no source read"),
}


def choose_rule(name: str | Path) -> Rule:
    """A rule by its name in `RULES`, or from a JSON file that holds the fields of `Rule`."""
    if str(name) in RULES:
        return RULES[str(name)][0]
    if Path(name).suffix.lower() != ".json":
        raise DataError(f"There is no rule {str(name)!r}. Choose: {', '.join(RULES)}, or give a JSON file.")
    return _rule(_json(Path(name)), Path(name).name)


def _rule(fields, name: str) -> Rule:
    unknown = set(fields) - set(Rule.__dataclass_fields__) if isinstance(fields, dict) else {"no rule"}
    if unknown:
        known = ", ".join(Rule.__dataclass_fields__)
        raise DataError(f"{name} holds {', '.join(sorted(unknown))}. A rule may hold: {known}.")
    return Rule(**fields)


# ------------------------------------------------------------------------------ the study's folder


@dataclass(frozen=True)
class Study:
    """One survey: its folder, its statements by id, its stakeholder groups, and the rule fixed beforehand."""

    folder: Path
    statements: dict[str, str]
    groups: tuple[str, ...]
    rule: Rule
    fixed: str = ""  # the day on which the rule was fixed

    @property
    def fingerprint(self) -> str:
        """What changes when the rule, the groups or the statements change: 16 signs of their SHA-256."""
        content = [asdict(self.rule), list(self.groups), sorted(self.statements.items())]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def new(
    folder: str | Path,
    *,
    statements: str | Path | None = None,
    rule: str | Path = "seventy",
    groups: Sequence[str] = GROUPS,
) -> Study:
    """Make a new folder with statements.csv, rule.json, details.csv, form.html and a place for ratings.

    `statements` is a CSV file with the columns id and statement; by default the course's own twelve. From
    here on the rule is fixed: to change it, or a statement, make another folder. Raises DataError if the
    folder is there already.
    """
    chosen = read_statements(Path(statements)) if statements else STATEMENTS
    names = tuple(name.strip() for name in groups)
    if not names or not all(names) or len(set(names)) < len(names) or EVERYONE in names:
        raise DataError("Give each stakeholder group one name of its own, with semicolons between them.")
    study = Study(Path(folder), chosen, names, choose_rule(rule), str(datetime.date.today()))
    forms.new_folder(study.folder)
    (study.folder / "ratings").mkdir()
    forms.write_csv(study.folder / "statements.csv", ("id", "statement"), chosen.items())
    said = {"rule": asdict(study.rule), "groups": list(names), "fixed": study.fixed}
    forms.write_new(study.folder / "rule.json", _as_json(said | {"fingerprint": study.fingerprint}))
    forms.write_csv(
        study.folder / "details.csv", ("item", "question", "answer"), ((*gap, "") for gap in GAPS)
    )
    forms.write_new(study.folder / "form.html", form(study))
    return study


def load(folder: str | Path) -> Study:
    """The study in a folder. Raises DataError if its rule or statements are not as they were when fixed."""
    folder = Path(folder)
    if not (folder / "rule.json").is_file():
        how = for_this_system("python3 -m course consensus new FOLDER")
        raise DataError(f"{folder} holds no rule.json. Make a study first: {how}")
    said = _json(folder / "rule.json")
    whole = isinstance(said, dict) and {"rule", "groups", "fixed", "fingerprint"} <= set(said)
    if not whole or not isinstance(said["groups"], list):
        raise DataError("rule.json is not whole. Put back the file that was made with the folder.")
    rule = _rule(said["rule"], "rule.json")
    statements = read_statements(folder / "statements.csv")
    study = Study(folder, statements, tuple(said["groups"]), rule, str(said["fixed"]))
    if study.fingerprint != said["fingerprint"]:
        raise DataError(
            "The rule, the groups or the statements were changed after they were fixed. Put the first files "
            "back, or begin again in a new folder."
        )
    if (_after_round_1(study) or {"fingerprint": study.fingerprint})["fingerprint"] != study.fingerprint:
        raise DataError("The rule was changed after round 1. Put back the rule.json of round 1.")
    return study


def _after_round_1(study: Study) -> dict | None:
    """What was written down with the feedback: fingerprint, day, people, answers. None before that."""
    path = study.folder / "after-round-1.json"
    if not path.exists():
        return None
    said = _json(path)
    if not isinstance(said, dict) or not {"fingerprint", "answers"} <= set(said):
        raise DataError("after-round-1.json is not whole. Put back the file that came with the feedback.")
    return said


def read_statements(path: Path) -> dict[str, str]:
    """Statements by id, from a CSV file with the columns id and statement."""
    found = {}
    for line, row in forms.rows(path, ("id", "statement")):
        if not forms.CODE.fullmatch(row["id"]):
            raise DataError(
                f"{path.name}, line {line}: the id {forms.short(row['id'])} may hold letters and figures "
                "only."
            )
        if row["id"] in found:
            raise DataError(
                f"{path.name}, line {line}: the id {row['id']} is there twice. Give each its own."
            )
        if not row["statement"]:
            raise DataError(
                f"{path.name}, line {line}: {row['id']} has no statement. Write one, or delete it."
            )
        found[row["id"]] = row["statement"]
    if not found:
        raise DataError(f"{path.name} holds no statement. Write one on each line, after its id.")
    return found


# ------------------------------------------------------------------------------ ratings


@dataclass(frozen=True)
class Rating:
    """What one person answered to one statement in one round. `score` is None for "I cannot say"."""

    participant: str
    group: str
    round: int
    statement: str
    score: int | None
    reason: str = ""


def read_ratings(study: Study) -> list[Rating]:
    """All answers in the CSV files of the study's folder "ratings", one file or many.

    Columns: participant, group, round, statement id, rating; and if you like reason and rule (the fingerprint
    that the form writes). A blank rating means "I cannot say". Raises DataError, with one sentence, for a
    rating that is not a whole number from 1 to 9, an answer given twice, an unknown statement or group, a
    person in two groups, round 2 without round 1, or an answer given under another rule.
    """
    ratings, first = [], {}
    for file in forms.returned_files(study.folder / "ratings"):
        for line, row in forms.rows(file, COLUMNS[:5]):
            rating = _rating(row, study, f"{file.name}, line {line}")
            key = rating.participant, rating.round, rating.statement
            if key in first:
                who, turn, what = key
                raise DataError(
                    f"{file.name}, line {line}: {who} answers {what} in round {turn} twice; the first answer "
                    f"is in {first[key]}. Keep one."
                )
            first[key] = f"{file.name}, line {line}"
            ratings.append(rating)
    _check_people(ratings)
    return ratings


def _rating(row: dict[str, str], study: Study, where: str) -> Rating:
    """One row as a Rating, or one sentence on what is wrong with it."""
    who, group, turn, statement, score = (row[name] for name in COLUMNS[:5])
    if not forms.CODE.fullmatch(who):
        raise DataError(
            f"{where}: the participant {forms.short(who)} is no code. Use up to 40 letters, figures and "
            "hyphens."
        )
    if group not in study.groups:
        raise DataError(
            f"{where}: there is no group {forms.short(group)}. The groups are: {', '.join(study.groups)}."
        )
    if turn not in ("1", "2"):
        raise DataError(f"{where}: the round is {forms.short(turn)}. It must be 1 or 2.")
    if statement not in study.statements:
        raise DataError(
            f"{where}: there is no statement {forms.short(statement)}. Use the ids of statements.csv."
        )
    if score not in ("", *"123456789"):
        raise DataError(
            f"{where}: the rating is {forms.short(score)}. It must be a whole number from 1 to 9, or blank."
        )
    if row.get("rule", "") not in ("", study.fingerprint):
        raise DataError(
            f"{where}: this was answered under another rule ({forms.short(row['rule'])}) than the one in "
            f"rule.json ({study.fingerprint}). Put back the rule that was fixed before round 1."
        )
    if len(row.get("reason", "")) > 2000:
        raise DataError(f"{where}: the reason is longer than 2,000 letters. Shorten it with its author.")
    return Rating(who, group, int(turn), statement, int(score) if score else None, row.get("reason", ""))


def _check_people(ratings: Sequence[Rating]) -> None:
    """One group for each person, round 1 before round 2, and no mixing of real with simulated people."""
    groups: dict[str, str] = {}
    for rating in ratings:
        if groups.setdefault(rating.participant, rating.group) != rating.group:
            raise DataError(
                f"{rating.participant} is in two groups, {groups[rating.participant]} and {rating.group}. "
                "Choose one."
            )
    alike = {}
    for who in sorted(groups):
        if alike.setdefault(who.lower(), who) != who:
            raise DataError(
                f"{alike[who.lower()]} and {who} differ by capitals only. Give each person one code."
            )
    late = sorted(_people(ratings, 2) - _people(ratings, 1))
    if late:
        raise DataError(f"{late[0]} answered round 2 without round 1. Leave the answers out, or add round 1.")
    if len({who.startswith("SIM-") for who in groups}) > 1:
        raise DataError("Some participants are simulated (SIM-) and some are not. Keep them in two folders.")


def _people(ratings: Iterable[Rating], turn: int, group: str | None = None) -> set[str]:
    """Who answered in a round: everybody, or those of one group."""
    return {one.participant for one in ratings if one.round == turn and group in (None, one.group)}


def _scores(ratings: Iterable[Rating], turn: int, statement: str) -> dict[str, list[int]]:
    """The scores of one statement in one round, by stakeholder group."""
    found: dict[str, list[int]] = {}
    for one in ratings:
        if one.round == turn and one.statement == statement and one.score is not None:
            found.setdefault(one.group, []).append(one.score)
    return found


# ------------------------------------------------------------------------------ results


def shown_groups(sizes: dict[str, int]) -> set[str]:
    """The groups whose figures may be shown beside everyone's: those of ten or more.

    Everyone's figures less those of the groups shown are the figures of the rest. So if the rest are one to
    nine people, the smallest of the groups shown is held back too.

    >>> sorted(shown_groups({"a": 14, "b": 12, "c": 4}))
    ['a']
    """
    shown = sorted((group for group, n in sizes.items() if n >= FEWEST), key=lambda group: sizes[group])
    while shown and 0 < sum(sizes.values()) - sum(sizes[group] for group in shown) < FEWEST:
        shown.pop(0)
    return set(shown)


def results(ratings: Sequence[Rating], study: Study, turn: int) -> list[dict]:
    """The figures of one round: a dict for each statement, of everyone and then of each group, in order.

    Each holds statement, who, n, shown ("figures", "third" or "nothing") and, as far as they may be shown:
    high and low (percent), median, iqr, q1, q3, histogram (how many scored 1 to 9), third, verdict.
    """
    rows = []
    for statement in study.statements:
        scores = _scores(ratings, turn, statement)
        everyone = [score for group in scores.values() for score in group]
        shown = shown_groups({group: len(found) for group, found in scores.items()})
        row = _figures(everyone, len(everyone) >= FEWEST)
        row["verdict"] = study.rule.verdict(everyone, scores.values())
        rows.append({"statement": statement, "who": EVERYONE, **row})
        for group in study.groups:
            found = scores.get(group, [])
            rows.append({"statement": statement, "who": group, **_figures(found, group in shown)})
            if group in shown:
                rows[-1]["verdict"] = study.rule.verdict(found, [found])
    return rows


def _figures(scores: Sequence[int], open_to_all: bool) -> dict:
    """What may be shown of these scores: all figures, or only the third of the scale, or nothing."""
    if len(scores) < VOICE:
        return {"n": len(scores), "shown": "nothing"}
    part = summarise(scores)
    row = {"n": part.n, "shown": "third", "third": third(part.median)}
    if not open_to_all:
        return row
    counts = Counter(scores)
    figures = {"median": part.median, "iqr": part.iqr, "q1": part.q1, "q3": part.q3}
    shares = {"high": 100 * part.high / part.n, "low": 100 * part.low / part.n}
    histogram = [counts[score] for score in range(1, 10)]
    return row | {"shown": "figures"} | shares | figures | {"histogram": histogram}


def third(median: float) -> str:
    """The third of the scale in which a median lies: "1 to 3", "4 to 6", "7 to 9", or between two."""
    if median <= 3:
        return "1 to 3"
    if median < 4:
        return "between 3 and 4"
    if median <= 6:
        return "4 to 6"
    return "between 6 and 7" if median < 7 else "7 to 9"


def attrition(ratings: Sequence[Rating], study: Study) -> list[dict]:
    """How many answered each round, for everyone and each group: who, first, second, left, left_percent."""
    rows = []
    for group in (None, *study.groups):
        first, second = (len(_people(ratings, turn, group)) for turn in (1, 2))
        share = 100 * (first - second) / first if first else None
        rows.append(
            {
                "who": group or EVERYONE,
                "first": first,
                "second": second,
                "left": first - second,
                "left_percent": share,
            }
        )
    return rows


def leavers(ratings: Sequence[Rating], study: Study) -> list[dict]:
    """Round 1 of those who left beside those who stayed: dicts of statement, left, stayed (`_figures`)."""
    stayed = _people(ratings, 2)
    rows = []
    for statement in study.statements:
        first = [
            one for one in ratings if one.round == 1 and one.statement == statement and one.score is not None
        ]
        parts = {True: [], False: []}
        for one in first:
            parts[one.participant in stayed].append(one.score)
        # Everyone's figures of round 1 are shown, so neither part may be, where the other is too small.
        both = min(len(part) for part in parts.values()) >= FEWEST
        rows.append(
            {
                "statement": statement,
                "left": _figures(parts[False], both),
                "stayed": _figures(parts[True], both),
            }
        )
    return rows


def kept_scores(ratings: Sequence[Rating]) -> list[Rating]:
    """Round 2 as if all who left had stayed and kept their scores of round 1: a test of what leaving did."""
    stayed = _people(ratings, 2)
    return [
        Rating(one.participant, one.group, 2, one.statement, one.score, one.reason)
        for one in ratings
        if one.round == 2 or one.participant not in stayed
    ]


def stability(ratings: Sequence[Rating], study: Study) -> list[dict]:
    """How far scores moved between the rounds, among those who gave one in both.

    For each statement: n, changed (percent who changed their score), moved_third (percent whose score went to
    another third of the scale), net (percent of scores that would have to change to turn one histogram into
    the other) and median_change. Figures only for ten or more people. `net` is never above `changed`.
    """
    given = {(one.participant, one.round, one.statement): one.score for one in ratings}
    people = sorted(_people(ratings, 2))
    rows = []
    for statement in study.statements:
        both = [(given.get((who, 1, statement)), given.get((who, 2, statement))) for who in people]
        pairs = [(before, after) for before, after in both if before is not None and after is not None]
        row = {"statement": statement, "n": len(pairs)}
        rows.append(row | (_movement(pairs) if len(pairs) >= FEWEST else {}))
    return rows


def _movement(pairs: Sequence[tuple[int, int]]) -> dict:
    before, after = (list(scores) for scores in zip(*pairs, strict=True))
    less, n = Counter(before), len(pairs)
    less.subtract(Counter(after))
    return {
        "changed": 100 * sum(a != b for a, b in pairs) / n,
        "moved_third": 100 * sum((a - 1) // 3 != (b - 1) // 3 for a, b in pairs) / n,
        "net": 100 * sum(abs(count) for count in less.values()) / 2 / n,
        "median_change": summarise(after).median - summarise(before).median,
    }


def by_rule(ratings: Sequence[Rating], statements: Iterable[str], turn: int = 2) -> dict[str, dict[str, str]]:
    """The verdict on each statement under every rule of `RULES`: rule, statement, verdict."""
    answered = [one for one in ratings if one.round == turn]
    scores = {statement: _scores(answered, turn, statement) for statement in statements}
    return {
        name: {
            statement: rule.verdict([s for group in found.values() for s in group], found.values())
            for statement, found in scores.items()
        }
        for name, (rule, _) in RULES.items()
    }


# ------------------------------------------------------------------------------ a simulated panel


@dataclass(frozen=True)
class SimulatedGroup:
    """A group that is made up: how many, which way they lean (points), how far they conform (0 to 1)."""

    name: str
    people: int
    lean: float = 0.0
    conformity: float = 0.4


# Made up. One group is small on purpose, so that what is held back can be seen.
PANEL = (
    SimulatedGroup(GROUPS[0], 14, -0.4, 0.3),
    SimulatedGroup(GROUPS[1], 16, 0.5, 0.5),
    SimulatedGroup(GROUPS[2], 14, -0.6, 0.2),
    SimulatedGroup(GROUPS[3], 7, 0.2, 0.5),
)


def simulate(
    statements: Iterable[str] = STATEMENTS, panel: Sequence[SimulatedGroup] = PANEL, seed: int = 1
) -> list[Rating]:
    """Two rounds of a panel that is made up, for practice and tests. The same seed gives the same answers.

    Each statement has a support from 5 to 9 and a contention from 0 to 2, both drawn at random. A
    person's score is support + the group's lean + contention times the group's own view + the person's own
    leaning + noise, rounded, from 1 to 9. In round 2 everybody goes a part of the way (their group's
    conformity) to the middle between the median of everyone and that of the group. The farther from the
    median somebody is, the more likely they are to leave. No number in it is an estimate of what people do.

    >>> len({one.participant for one in simulate(seed=1)})
    51
    """
    import numpy as np

    random_ = np.random.default_rng(seed)
    statements = list(statements)
    support, contention = random_.uniform(5, 9, len(statements)), random_.uniform(0, 2, len(statements))
    scores, people = [], []
    for group in panel:
        view = support + group.lean + contention * random_.normal(size=len(statements))
        own = random_.normal(0, 0.8, (group.people, 1))
        scores.append(_on_scale(view + own + random_.normal(0, 1.2, (group.people, len(statements)))))
        people += [(f"SIM-{len(people) + i + 1:03d}", group) for i in range(group.people)]
    middle = np.median(np.vstack(scores), axis=0)
    again, stays = [], []
    for group, found in zip(panel, scores, strict=True):
        aim = (middle + np.median(found, axis=0)) / 2
        moved = found + group.conformity * (aim - found) + random_.normal(0, 0.4, found.shape)
        again.append(_on_scale(moved))
        distance = np.abs(found - middle).mean(axis=1)
        stays.append(random_.random(len(found)) > np.minimum(0.1 * distance, 0.5))
    rounds = (np.vstack(scores), np.ones(len(people), bool)), (np.vstack(again), np.concatenate(stays))
    return [
        Rating(who, group.name, turn, statement, int(score), _made_up_reason(statement, score, turn))
        for turn, (found, there) in enumerate(rounds, 1)
        for (who, group), row, stayed in zip(people, found, there, strict=True)
        if stayed
        for statement, score in zip(statements, row, strict=True)
    ]


def _on_scale(values):
    return values.round().clip(1, 9).astype(int)


def _made_up_reason(statement: str, score: int, turn: int) -> str:
    if turn == 2 or 3 < score < 9:
        return ""
    side = "I would not spend time on this." if score <= 3 else "Nothing works without this."
    return f"Simulated reason on {statement}: {side}"


# ------------------------------------------------------------------------------ pages


def form(
    study: Study, turn: int = 1, person: tuple[str, str] = ("", ""), asides: dict[str, str] | None = None
) -> str:
    """The form of one round as a page. For round 2, `asides` holds each statement's feedback as HTML."""
    group, code = person
    boxes = "".join(
        _question(statement, words, (asides or {}).get(statement, ""))
        for statement, words in study.statements.items()
    )
    who = forms.code_field(
        "participant", "Your code", "The code that you were given. Do not enter your name.", code
    )
    who += forms.choice("group", "Your group", study.groups, group, "Choose your group")
    return forms.page_of(
        f"Agreeing together: round {turn}" + (f", for {code}" if code else ""),
        _form_opening(study, turn),
        who + boxes,
        list(
            zip(COLUMNS, ("participant", "group", "round", "item", "answer", "reason", "rule"), strict=True)
        ),
        {"round": str(turn), "rule": study.fingerprint},
        "round-{round}-{participant}",
    )


def _form_opening(study: Study, turn: int) -> str:
    again = (
        "<p>Read how others scored and why. Then score again. You may keep your score or change it. Both are "
        "right, if it is what you think.</p>"
    )
    first = "<p>Score each statement for how important it is that our organisation does this.</p>"
    inside, outside = study.rule.words()
    return (
        f"{again if turn == 2 else first}"
        "<ul><li>1 to 3: not important</li><li>4 to 6: important, but not essential</li>"
        "<li>7 to 9: essential</li></ul><p>Nobody taking part sees who gave which score. The person who runs "
        "the survey sees your code beside your scores. The page sends "
        "nothing. When you press the button at the end, your browser saves a file on this computer.</p>"
        f"<details><summary>The rule, fixed on {escape(study.fixed)}</summary><p>{escape(inside)}</p>"
        f"<p>{escape(outside)}</p><p>Anything else is undecided. Fingerprint: "
        f"{study.fingerprint}.</p></details>"
    )


def _question(statement: str, words: str, aside: str) -> str:
    """One statement: nine scores, "I cannot say", and room for a reason."""
    choices = [*((str(score), str(score)) for score in range(1, 10)), ("", "I cannot say")]
    radios = "".join(
        f'<label><input type="radio" id="{statement}-{place}" name="{statement}" value="{value}"> '
        f"{said}</label>"
        for place, (value, said) in enumerate(choices, 1)
    )
    return (
        f'<fieldset data-item="{statement}" data-problem="Choose a score for {statement}, or '
        '&quot;I cannot say&quot;">'
        f"<legend>{statement}. {escape(words)}</legend>{aside}"
        f'<p class="note">1 is not important, 9 is essential.</p><div class="scores">{radios}</div>'
        f'<div class="field"><label for="{statement}-reason">Your reason for {statement}, if you like</label>'
        f'<p class="note" id="{statement}-hint">Others may read it. Name nobody.</p>'
        f'<textarea id="{statement}-reason" rows="2" maxlength="2000" aria-describedby="{statement}-hint">'
        "</textarea></div></fieldset>"
    )


# ------------------------------------------------------------------------------ feedback between the rounds


def feedback(study: Study, to: str | Path | None = None) -> Path:
    """Write a page for each person who answered round 1: feedback, and the form of round 2. In a new folder.

    Each page holds the person's own scores, everyone's histogram, what each stakeholder group said as far as
    it may be shown, and the reasons given, without names, in an order that says nothing. From here on, the
    rule of round 1 is written down in after-round-1.json.
    """
    ratings = [one for one in read_ratings(study) if one.round == 1]
    folder = forms.new_folder(Path(to) if to else study.folder / "round-2")
    rows, reasons = results(ratings, study, 1), anonymous_reasons(ratings)
    own: dict[tuple[str, str], dict[str, int | None]] = {}
    for one in ratings:
        own.setdefault((one.group, one.participant), {})[one.statement] = one.score
    for (group, who), scores in own.items():
        asides = {
            statement: _aside(
                [row for row in rows if row["statement"] == statement],
                reasons.get(statement, []),
                scores.get(statement),
            )
            for statement in study.statements
        }
        forms.write_new(folder / f"{who}-round-2.html", form(study, 2, (group, who), asides))
    after = study.folder / "after-round-1.json"
    if not after.exists():
        said = {"fingerprint": study.fingerprint, "day": str(datetime.date.today())}
        forms.write_new(after, _as_json(said | {"people": len(own), "answers": _digest(ratings)}))
    return folder


def anonymous_reasons(ratings: Sequence[Rating]) -> dict[str, list[str]]:
    """The reasons for each statement, each once, in an order drawn from the reasons themselves.

    E-mail addresses, long numbers and participants' codes are replaced. A person must still read them before
    they are sent: a program cannot see who is meant by "my manager in Leeds".
    """
    codes = "|".join(re.escape(one.participant) for one in ratings)
    telling = re.compile(rf"{forms.CONTACT}|\b(?:{codes})\b", re.IGNORECASE)
    found: dict[str, set[str]] = {}
    for one in ratings:
        if one.reason:
            found.setdefault(one.statement, set()).add(telling.sub("[removed]", one.reason))
    order = random.Random(_digest(ratings))
    return {statement: order.sample(sorted(each), len(each)) for statement, each in sorted(found.items())}


def _aside(rows: Sequence[dict], reasons: Sequence[str], own: int | None) -> str:
    """The feedback on one statement: own score, everyone, each group, reasons."""
    everyone, *groups = rows
    mine = "You did not score this." if own is None else f"Your score in round 1 was {own}."
    said = [f"<li>{escape(row['who'])}: {escape(in_words(row))}</li>" for row in groups]
    why = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return (
        f"<p><strong>{mine}</strong> Everyone: {escape(in_words(everyone))}</p><ul>{''.join(said)}</ul>"
        f"{_histogram(everyone, own)}"
        + (f"<details open><summary>Reasons given</summary><ul>{why}</ul></details>" if why else "")
    )


def in_words(row: dict) -> str:
    """One row of `results` as a sentence, which holds no more than may be shown."""
    if row["shown"] == "nothing":
        return f"fewer than {VOICE} people, so not shown." if row["n"] else "nobody scored this."
    if row["shown"] == "third":
        return f"{row['n']} people. The middle score is in {row['third']}. The rest is held back."
    return (
        f"{row['n']} people. Median {row['median']:g}. "
        f"Half of them scored from {row['q1']:g} to {row['q3']:g}. "
        f"{_percent(row['high'])} scored 7 to 9, and {_percent(row['low'])} scored 1 to 3."
    )


def _percent(share: float) -> str:
    """To a tenth: rounded further, a share just below a limit would seem to reach it."""
    return f"{round(share, 1):g}%"


def _histogram(row: dict, own: int | None) -> str:
    """How many gave each score, as a table with bars; the own score is marked in words."""
    if row["shown"] != "figures":
        return ""
    most = max(row["histogram"])
    lines = "".join(
        f'<tr><th scope="row">{score}{" (you)" if score == own else ""}</th><td>{count}</td><td>'
        f'<span class="bar" style="--of-most:{count / most:.3f}"></span></td></tr>'
        for score, count in enumerate(row["histogram"], 1)
    )
    head = '<tr><th scope="col">Score</th><th scope="col">People</th><th scope="col">As a bar</th></tr>'
    return (
        "<details open><summary>How everyone scored</summary>"
        f'<table class="bars"><thead>{head}</thead><tbody>{lines}</tbody></table></details>'
    )


def _digest(ratings: Iterable[Rating]) -> str:
    """A fingerprint of answers that does not depend on their order."""
    rows = sorted([one.participant, one.round, one.statement, str(one.score)] for one in ratings)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


# ------------------------------------------------------------------------------ the report

# What only a person can say: (item, question). The six parts are those of the reporting guideline ACCORD
# (https://pmc.ncbi.nlm.nih.gov/articles/PMC10805282). We have not read the wording of its 35 items: these
# questions are the course's own.
GAPS = (
    ("Title", "What is this exercise called, and does its title name the method?"),
    ("Introduction: need", "Why is agreement needed here, and why is the evidence not enough?"),
    ("Introduction: aim", "What is it meant to decide, and who will use the result?"),
    ("Introduction: scope", "What is left out on purpose?"),
    ("Methods: lead", "Who ran it, who steered it, and what part did they take in the scoring?"),
    ("Methods: plan", "Where was the plan written down beforehand, and what was changed later?"),
    ("Methods: statements", "Who drafted the statements, from what evidence, and how were they tried out?"),
    ("Methods: people", "How were people chosen and asked, and how many were asked in each group?"),
    ("Methods: public", "How were members of the public or those affected involved, beyond scoring?"),
    ("Methods: dates", "When was each round open, and what reminders were sent?"),
    ("Methods: names", "Who could see which person had which code?"),
    ("Methods: reasons", "Who read the reasons before round 2, and what did they remove?"),
    ("Methods: duties", "Which approvals were needed: ethics, data protection, line management?"),
    ("Methods: thanks", "Were people paid or thanked, and how?"),
    ("Results: absence", "Why did people leave, as far as they said?"),
    ("Discussion: limits", "What is weak about this exercise, and who was not heard?"),
    ("Discussion: use", "What happens next to the statements that are in, out and undecided?"),
    ("Other: money", "Who paid for it, and what part did they take?"),
    ("Other: interests", "What interests do the people who ran it and took part have in the result?"),
    ("Other: materials", "Where can others find the statements, the answers and this report?"),
)


def report(study: Study, to: str | Path | None = None) -> dict:
    """Write report.html, results.csv and report.json into a new folder, and return what the JSON holds.

    Raises DataError if nobody has answered round 2, and if the folder is there already.
    """
    said = findings(study, read_ratings(study))
    folder = forms.new_folder(Path(to) if to else study.folder / "report")
    forms.write_new(folder / "report.html", _report_page(said))
    forms.write_new(folder / "report.json", _as_json(said))
    heads = ("statement", "round", "who", "n", "shown", "high", "low", "median", "iqr", "third", "verdict")
    rows = ({**row, "round": turn} for turn in (1, 2) for row in said["results"][str(turn)])
    forms.write_csv(folder / "results.csv", heads, ([row.get(name, "") for name in heads] for row in rows))
    return {**said, "folder": str(folder)}


def findings(study: Study, ratings: Sequence[Rating]) -> dict:
    """Everything that the report says, as plain values: nothing in it shows the scores of few people."""
    if not _people(ratings, 2):
        raise DataError("There are no answers of round 2 yet. A report is made after both rounds.")
    final = {turn: results(ratings, study, turn) for turn in (1, 2)}
    verdicts = {row["statement"]: row["verdict"] for row in final[2] if row["who"] == EVERYONE}
    kept = by_rule_of(study, kept_scores(ratings))
    details, first = _details(study), [one for one in ratings if one.round == 1]
    after = _after_round_1(study)
    return {
        "made": str(datetime.date.today()),
        "simulated": all(one.participant.startswith("SIM-") for one in ratings),
        "gaps": [item for item, _ in GAPS if not details.get(item)],
        "rule": {
            **asdict(study.rule),
            "words": study.rule.words(),
            "fixed": study.fixed,
            "fingerprint": study.fingerprint,
        },
        "round_1_as_in_feedback": after["answers"] == _digest(first) if after else None,
        "statements": study.statements,
        "groups": list(study.groups),
        "verdicts": verdicts,
        "changed_if_leavers_kept_their_scores": [one for one in verdicts if kept[one] != verdicts[one]],
        "results": {str(turn): rows for turn, rows in final.items()},
        "attrition": attrition(ratings, study),
        "leavers": leavers(ratings, study),
        "stability": stability(ratings, study),
        "other_rules": by_rule(ratings, study.statements),
        "details": {item: details.get(item, "") for item, _ in GAPS},
    }


def by_rule_of(study: Study, ratings: Sequence[Rating]) -> dict[str, str]:
    """The verdict on each statement in round 2, under the study's own rule."""
    verdicts = {}
    for statement in study.statements:
        scores = _scores(ratings, 2, statement)
        verdicts[statement] = study.rule.verdict(
            [s for each in scores.values() for s in each], scores.values()
        )
    return verdicts


def _details(study: Study) -> dict[str, str]:
    """What a person wrote into details.csv: item, answer."""
    path = study.folder / "details.csv"
    if not path.exists():
        return {}
    known = {item for item, _ in GAPS}
    found = {}
    for line, row in forms.rows(path, ("item", "answer")):
        if row["item"] not in known:
            raise DataError(
                f"details.csv, line {line}: {forms.short(row['item'])} is no item. Leave the items as they "
                "were."
            )
        found[row["item"]] = row["answer"]
    return found


def _report_page(said: dict) -> str:
    counts = Counter(said["verdicts"].values())
    first = _first_line(said)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in (IN, OUT, UNDECIDED))
    body = [
        f'<p class="first">{escape(first)}</p>',
        f"<p>Of {len(said['verdicts'])} statements, by the rule fixed beforehand: {summary}.</p>",
        "<h2>The rule</h2>",
        *(f"<p>{escape(words)}</p>" for words in said["rule"]["words"]),
        f"<p>Anything else is undecided. Fixed on {escape(said['rule']['fixed'])}, when the study was made. "
        f"Fingerprint of the rule, the groups and the statements: {said['rule']['fingerprint']}. The form "
        "writes it beside every answer, and answers with another are refused. "
        f"{_check_words(said)}</p>",
        "<h2>What was agreed</h2>",
        _verdict_table(said),
        "<h2>By stakeholder group</h2>",
        f"<p>Groups of fewer than {FEWEST} people are shown by a third of the scale only, and of fewer than "
        f"{VOICE} not at all. Where the rest could be worked out by subtraction, a larger "
        "group is held back too.</p>",
        _group_table(said),
        "<h2>Who took part, and who left</h2>",
        _attrition_part(said),
        "<h2>How far scores moved</h2>",
        _stability_table(said),
        "<h2>The same scores under other rules</h2>",
        "<p>The rule fixed beforehand decides. This table only shows how much hangs on it.</p>",
        _rules_table(said),
        "<h2>What a report of this kind should say</h2>",
        _reporting_part(said),
    ]
    title = "Agreeing together: report"
    return page(title, f"<h1>{title}</h1>\n" + "\n".join(body), style=forms.style())


def _first_line(said: dict) -> str:
    made_up = "Simulated: nobody in this report is real. " if said["simulated"] else ""
    if said["gaps"]:
        return f"{made_up}Not ready: {len(said['gaps'])} of {len(GAPS)} points still need a person."
    return f"{made_up}All points that a person must fill are filled. Read them before you share this report."


def _check_words(said: dict) -> str:
    return {
        None: "No feedback was made by this program, so it cannot say whether round 1 was changed later.",
        True: "The answers of round 1 are those that the feedback was made from.",
        False: "Careful: the answers of round 1 are not those that the feedback was made from.",
    }[said["round_1_as_in_feedback"]]


def _verdict_table(said: dict) -> str:
    rows = []
    for row in said["results"]["2"]:
        if row["who"] == EVERYONE:
            words = f"{row['statement']}. {said['statements'][row['statement']]}"
            rows.append([words, row["verdict"].capitalize(), *_numbers(row)])
    return table("Round 2, everyone", ("Statement", "Verdict", *NUMBERS), rows)


NUMBERS = ("People", "Scored 7 to 9", "Scored 1 to 3", "Median", "IQR")


def _numbers(row: dict) -> list[str]:
    """The figures of one row, or what may be shown in their place."""
    if row["shown"] == "figures":
        shares = [_percent(row[name]) for name in ("high", "low")]
        return [str(row["n"]), *shares, f"{row['median']:g}", f"{row['iqr']:g}"]
    median = f"in {row['third']}" if row["shown"] == "third" else "–"
    return [str(row["n"]) if row["n"] >= VOICE else f"under {VOICE}", "–", "–", median, "–"]


def _group_table(said: dict) -> str:
    rows = [
        [f"{row['statement']}, {row['who']}", row.get("verdict", "–").capitalize(), *_numbers(row)]
        for row in said["results"]["2"]
        if row["who"] != EVERYONE
    ]
    note = "<p>IQR is the interquartile range: how many points the middle half of the scores spans.</p>"
    heads = ("Statement and group", "This group alone", *NUMBERS)
    return note + table("Round 2, each stakeholder group", heads, rows)


def _attrition_part(said: dict) -> str:
    rows = [
        [
            row["who"],
            row["first"],
            row["second"],
            row["left"],
            "–" if row["left_percent"] is None else _percent(row["left_percent"]),
        ]
        for row in said["attrition"]
    ]
    part = table("People who answered", ("Group", "Round 1", "Round 2", "Left", "Left, in percent"), rows)
    changed = said["changed_if_leavers_kept_their_scores"]
    part += (
        "<p>If everyone who left had kept the scores of round 1, "
        + (f"the verdict would differ on: {', '.join(changed)}." if changed else "no verdict would differ.")
        + "</p>"
    )
    shown = [row for row in said["leavers"] if row["left"]["shown"] == "figures"]
    if not shown:
        return part + f"<p>Fewer than {FEWEST} left or stayed, so their scores are not set side by side.</p>"
    lines = [
        [
            row["statement"],
            *(f"{row[who][what]:.3g}" for what in ("median", "high") for who in ("left", "stayed")),
        ]
        for row in shown
    ]
    heads = ("Statement", "Median, left", "Median, stayed", "7 to 9, left (%)", "7 to 9, stayed (%)")
    return part + table("Round 1: people who left and people who stayed", heads, lines)


def _stability_table(said: dict) -> str:
    rows = [
        [
            row["statement"],
            row["n"] if row["n"] >= VOICE else f"under {VOICE}",
            *(_percent(row[name]) if name in row else "–" for name in ("changed", "moved_third", "net")),
            f"{row['median_change']:+g}" if "median_change" in row else "–",
        ]
        for row in said["stability"]
    ]
    heads = ("Statement", "People", "Changed score", "To another third", "Net change", "Median moved")
    note = (
        "<p>Only people who scored in both rounds. Net change is the share of scores that would have to "
        "change to turn the first histogram into the second. A net change below 15% is sometimes called "
        "stable (to be checked: we have not read a source).</p>"
    )
    return note + table("From round 1 to round 2", heads, rows)


def _rules_table(said: dict) -> str:
    fixed = {
        name: all(said["rule"][one] == value for one, value in asdict(RULES[name][0]).items())
        for name in RULES
    }
    rows = [
        [
            f"{name} (fixed)" if fixed[name] else name,
            *(verdicts[one].capitalize() for one in said["statements"]),
        ]
        for name, verdicts in said["other_rules"].items()
    ]
    return table("Verdict on each statement under each rule", ("Rule", *said["statements"]), rows)


def _reporting_part(said: dict) -> str:
    """What the program knows, and what a person must say, under the six parts of ACCORD."""
    known = [
        ("Methods: rounds", "Two, with feedback between them."),
        (
            "Methods: scale",
            "1 to 9. 1 to 3: not important. 4 to 6: important, not essential. 7 to 9: essential.",
        ),
        ("Methods: rule", " ".join(said["rule"]["words"])),
        ("Methods: feedback", "Own score, everyone's histogram, each group, and reasons without names."),
        ("Methods: anonymity", f"People have codes. No scores of fewer than {FEWEST} people are shown."),
        (
            "Methods: statistics",
            'Quartiles by linear interpolation. "I cannot say" is left out of the figures.',
        ),
        ("Results: people", "See Who took part, and who left."),
        ("Results: statements", "See What was agreed. No statement was changed between the rounds."),
    ]
    asked = dict(GAPS)
    rows = [*known, *((item, said["details"][item] or f"Gap: {asked[item]}") for item in asked)]
    order = ("Title", "Introduction", "Methods", "Results", "Discussion", "Other")
    rows.sort(key=lambda row: order.index(row[0].partition(":")[0]))
    return (
        "<p>ACCORD, a reporting guideline for consensus methods, has 35 items in six parts. We have read its "
        "summary and not the wording of its items. The points below are this course's own, in its six parts. "
        "For a paper, use the published checklist. A point that begins with Gap is for a person: answer it "
        "in details.csv, and make the report again in another folder.</p>"
        + table("Points to report", ("Point", "Answer"), rows)
    )


# ------------------------------------------------------------------------------ for the book


def starter_table() -> str:
    """The course's own statements, as a table."""
    return table("The starter set", ("Id", "Statement"), STATEMENTS.items(), "plain")


def rules_asked() -> str:
    """What each rule asks, and where it comes from."""
    rows = ((name, " ".join(rule.words()), source) for name, (rule, source) in RULES.items())
    return table("The rules", ("Rule", "What it asks", "Where it comes from"), rows)


def rules_on_panel(seed: int = 1) -> str:
    """What each rule makes of one panel that is made up: a sentence and two tables, folded."""
    verdicts = by_rule(simulate(seed=seed), STATEMENTS)
    counts = {name: Counter(found.values()) for name, found in verdicts.items()}
    sets = {tuple(sorted(one for one in found if found[one] == IN)) for found in verdicts.values()}
    least, most = (limit(count[IN] for count in counts.values()) for limit in (min, max))
    finding = (
        f"The same scores, under {len(RULES)} rules, give {len(sets)} different sets of statements that are "
        f"in. The smallest set holds {least} of the {len(STATEMENTS)} statements, the largest {most}."
    )
    rows = [(name, *(counts[name][one] for one in (IN, OUT, UNDECIDED))) for name in RULES]
    lines = [(one, *(found[one].capitalize() for found in verdicts.values())) for one in STATEMENTS]
    return (
        "<details><summary>Show what the rules make of one panel that is made up</summary>"
        f'<p class="chart-finding">{escape(finding)}</p>'
        + table("One panel: how many statements", ("Rule", "In", "Out", "Undecided"), rows)
        + table("One panel: the verdict on each statement", ("Statement", *RULES), lines)
        + "</details>"
    )


def rules_on_many_panels(panels: int = 100) -> str:
    """How many statements each rule takes in, over many panels that are made up: a sentence and a table."""
    import numpy as np

    default = next(iter(RULES))
    number: dict[str, list[int]] = {name: [] for name in RULES}
    differs: Counter = Counter()
    for seed in range(panels):
        verdicts = by_rule(simulate(seed=seed), STATEMENTS)
        sets = {name: {one for one in found if found[one] == IN} for name, found in verdicts.items()}
        for name, found in sets.items():
            number[name].append(len(found))
            differs[name] += found != sets[default]
    rows = [
        (name, *(f"{value:g}" for value in np.quantile(number[name], [0, 0.5, 1])), f"{differs[name]}")
        for name in RULES
    ]
    most = max(RULES, key=lambda name: differs[name])
    finding = (
        f"Over {panels} panels, the rule {most} gave another set than the rule {default} "
        f"in {differs[most]} of them."
    )
    heads = ("Rule", "Fewest in", "Middle", "Most in", f"Panels of {panels} with another set than {default}")
    caption = f"Statements in, of {len(STATEMENTS)}, over {panels} panels"
    return f'<p class="chart-finding">{escape(finding)}</p>' + table(caption, heads, rows)


PARTS = {
    "statements": starter_table,
    "asked": rules_asked,
    "rules": rules_on_panel,
    "many": rules_on_many_panels,
}


# ------------------------------------------------------------------------------ files


def write_ratings(ratings: Iterable[Rating], study: Study, name: str) -> Path:
    """Write answers into the study's folder of ratings, with the fingerprint of its rule."""
    path = study.folder / "ratings" / name
    rows = (
        (r.participant, r.group, r.round, r.statement, "" if r.score is None else r.score, r.reason)
        for r in ratings
    )
    forms.write_csv(path, COLUMNS, ((*row, study.fingerprint) for row in rows))
    return path


def _json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path} cannot be read as JSON. Put back the file as it was made.") from None


def _as_json(content) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


# ------------------------------------------------------------------------------ the command


def main(arguments: list[str]) -> int:
    """Run one of the four steps, and say what was written, or one sentence on what is wrong."""
    chosen = parser().parse_args(arguments)
    chosen.folder = Path(chosen.inside, chosen.folder)
    try:
        STEPS[chosen.step](chosen)
    except DataError as error:
        print(error)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The words of ``python3 -m course consensus``."""
    whole = argparse.ArgumentParser(
        prog="python3 -m course consensus", description=__doc__.partition("\n")[0]
    )
    whole.add_argument("--in", dest="inside", default=".", help=argparse.SUPPRESS)  # where the person is
    steps = whole.add_subparsers(dest="step", required=True, metavar="STEP")
    begin = steps.add_parser(
        "new", help="make a folder with statements, rule and form; the rule is fixed then"
    )
    trial = steps.add_parser("simulate", help="the same, with the answers of a panel that is made up")
    after = steps.add_parser(
        "feedback", help="after round 1: a page for each person, with the form of round 2"
    )
    close = steps.add_parser("report", help="after round 2: the report as a page, CSV and JSON")
    for step in (begin, trial, after, close):
        step.add_argument("folder", help="the folder of the study")
    for step in (begin, trial):
        step.add_argument("--statements", help="a CSV file with the columns id and statement")
        step.add_argument("--rule", default="seventy", help=f"one of {', '.join(RULES)}; or a JSON file")
    begin.add_argument(
        "--groups", default=";".join(GROUPS), help="stakeholder groups, with semicolons between"
    )
    trial.add_argument("--seed", type=int, default=1, help="another number, another panel")
    for step in (after, close):
        step.add_argument("--to", help="the new folder to write into")
    return whole


def _placed(chosen, name) -> Path | None:
    """A path that was given, seen from where the person is."""
    return Path(chosen.inside, getattr(chosen, name)) if getattr(chosen, name, None) else None


def _new_step(chosen) -> Study:
    rule = _placed(chosen, "rule") if chosen.rule.lower().endswith(".json") else chosen.rule
    groups = getattr(chosen, "groups", ";".join(GROUPS)).split(";")
    study = new(chosen.folder, statements=_placed(chosen, "statements"), rule=rule, groups=groups)
    print(f"Made {study.folder}, with {len(study.statements)} statements. The rule is fixed from now on:")
    print(*study.rule.words(), f"Fingerprint: {study.fingerprint}.", sep="\n")
    return study


def _begin(chosen) -> None:
    folder = _new_step(chosen).folder
    print(
        f"Next: give everyone {folder / 'form.html'}, and put the files they save into {folder / 'ratings'}."
    )


def _trial(chosen) -> None:
    study = _new_step(chosen)
    answers = simulate(study.statements, seed=chosen.seed)
    for turn in (1, 2):
        write_ratings([one for one in answers if one.round == turn], study, f"round-{turn}-simulated.csv")
    people = len(_people(answers, 1))
    print(f"{people} people were made up; {len(_people(answers, 2))} of them answered round 2.")
    print(for_this_system(f"Next: python3 -m course consensus feedback {chosen.folder}, then report."))


def _feedback_step(chosen) -> None:
    folder = feedback(load(chosen.folder), _placed(chosen, "to"))
    print(f"Wrote {len(list(folder.iterdir()))} pages into {folder}, one for each person.")
    print(
        "Read the reasons in one of them before you hand them out, and look for anything that names somebody."
    )


def _report_step(chosen) -> None:
    said = report(load(chosen.folder), _placed(chosen, "to"))
    print(_first_line(said))
    counts = Counter(said["verdicts"].values())
    print(
        "Statements: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in (IN, OUT, UNDECIDED)) + "."
    )
    print(f"Wrote {Path(said['folder']) / 'report.html'}, and results.csv and report.json beside it.")


STEPS: dict[str, Callable] = {
    "new": _begin,
    "simulate": _trial,
    "feedback": _feedback_step,
    "report": _report_step,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
