"""What must hold before a table may be released, measured: each measure passes or fails, and says why.

A measure is about the table, not about a promise. What only a person can answer is a gap (`gaps.py`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from math import comb
from typing import TYPE_CHECKING

from course.assess.ladder import LABEL

if TYPE_CHECKING:
    from course.release.record import File, Release

# Purposes for which the decision guide never gives a table, whatever else is answered.
NOT_SERVED = ("answer a question about the world", "decide something", "avoid an approval")
WAITS_FOR_TESTS = ("test-counts-first", "test-model-first")  # answers of the guide that the attacks settle
LUCK = 0.025  # how often a harmless table may be called a leak, as in course.measure.report


@dataclass(frozen=True)
class Measure:
    """One thing that was measured. `check` is which of the four checks it belongs to."""

    check: str  # labelling, disclosure, structure, documentation
    name: str
    passed: bool
    words: str


def measures(release: Release) -> list[Measure]:
    """Every measure of what is to be released, failing ones among them."""
    return [
        *_files(release),
        _purpose(release),
        *_guide(release),
        *([_described(release)] if release.run.get("described") else _tested(release)),
    ]


def _tested(release: Release) -> list[Measure]:
    return [_limit(release), *_attacks(release), _copies(release), _groups(release)]


def _described(release: Release) -> Measure:
    """A table made from a description: the program must not have read a record."""
    words = f"The generator {release.generator} was given a description and no record."
    return Measure("disclosure", "No record was read", release.level["id"] == "structure", words)


def percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:z.1f}%"


def interval(one: dict) -> str:
    """An excess with its interval, as text."""
    return f"{percent(one['excess'])} ({percent(one['low'])} to {percent(one['high'])})"


def _files(release: Release) -> list[Measure]:
    """Are the files there and those that were measured, is every row labelled, and do the keys hold?"""
    return [
        _of_all(release, "documentation", "The file that was measured", _measured),
        _columns(release),
        _of_all(release, "labelling", "A label in every row", _label),
        *([_keys(release)] if release.linked else []),
    ]


def _of_all(release: Release, check: str, name: str, look) -> Measure:
    """One measure for all files: `look` says of each whether it passes, and in words why."""
    found = [look(file) for file in release.files]
    words = [
        f"{file.released}: {said}" if release.linked else said
        for file, (_, said) in zip(release.files, found, strict=True)
    ]
    return Measure(check, name, all(good for good, _ in found), " ".join(words))


def _measured(file: File) -> tuple[bool, str]:
    name = file.made.get("file", "no file")
    if file.content is None:
        return False, f"{name} is missing."
    if hashlib.sha256(file.content).hexdigest() != file.made.get("sha256"):
        return False, f"{name} was changed after it was measured (SHA-256 differs)."
    return True, f"{name} is the file that was measured (SHA-256 agrees)."


def _label(file: File) -> tuple[bool, str]:
    rows, without = labelled(file.content or b"")
    if not rows:
        return False, "There are no rows to carry the label."
    if without:
        return False, f"{without:,} of {rows:,} rows do not say that they are made up."
    return True, f"All {rows:,} rows say: {LABEL[1]}"


def _columns(release: Release) -> Measure:
    """Are the columns those that were used, in their order, after the label?"""
    found = _of_all(release, "structure", "Names and order of the columns", _in_order)
    left = release.run.get("left out", [])
    words = f" Left out of the real table's: {', '.join(left)}." if left else ""
    return replace(found, words=found.words + words)


def _in_order(file: File) -> tuple[bool, str]:
    heads = columns(file.content)
    if heads != file.schema.columns:
        return False, "They are not those that were described."
    return True, f"The label, then {len(heads)} columns."


def _keys(release: Release) -> Measure:
    """Does every row of a linked table lead to one row of the people's? Counted in the files themselves."""
    people, *others = release.files
    words, good = [], True
    for file in others:
        column, key = file.link["column"], file.link["key"]
        owners, known = Counter(_cells(file, column)), Counter(_cells(people, key))
        known.pop("", None)
        orphans = sum(many for owner, many in owners.items() if owner not in known)
        twice = sum(many > 1 for many in known.values())
        good = good and owners.total() > 0 and not orphans and not twice
        words.append(
            f"{orphans:,} of {owners.total():,} rows of {file.name} lead to no row of {people.name}, by "
            f"{column} and {key}."
        )
        if twice:
            words.append(f"Values of {key} that stand in several rows of {people.name}: {twice:,}.")
    return Measure("structure", "Keys that lead to a person", good, " ".join(words))


def _cells(file: File, column: str) -> list[str]:
    """The cells of one column of a file; none if it is not there."""
    heads = columns(file.content)
    place = heads.index(column) + 1 if column in heads else None  # after the label
    rows = [row for row in lines(file.content or b"") if row][1:]
    return [row[place] if len(row) > place else "" for row in rows] if place else []


def columns(content: bytes | None) -> list[str]:
    """The headings of a CSV file after the label, as they were before `save` made them safe."""
    return [re.sub("^'", "", head) for head in next(lines(content or b""), [])[1:]]


def lines(content: bytes):
    """The lines of a CSV file, each a list of cells."""
    return csv.reader(io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=""))


def labelled(content: bytes) -> tuple[int, int]:
    """How many rows a CSV file has, and how many of them lack the label."""
    has = [LABEL[1] in row for row in lines(content) if row][1:]
    return len(has), has.count(False)


def _purpose(release: Release) -> Measure:
    purpose = release.answers["purpose"]
    words = f"The purpose is to {purpose}."
    if purpose in NOT_SERVED:
        words += " Synthetic data cannot serve that: take published figures or the real records."
    name = "A purpose that synthetic data can serve"
    return Measure("documentation", name, purpose not in NOT_SERVED, words)


def _guide(release: Release) -> list[Measure]:
    """What the decision guide answered, if it was asked. Where it waits for tests, the attacks settle it."""
    advice = release.advice
    if not advice.get("verdict"):
        return []
    good = advice["verdict"] == "make" or advice.get("result") in WAITS_FOR_TESTS
    return [Measure("documentation", "The answer of the decision guide", good, f"{advice.get('title', '')}.")]


def held(release: Release) -> bool:
    """Whether the decision guide asks for a limit at this level: wherever columns are kept together.

    A table from a description, or from one column at a time, is not held to one. Nothing was read that could
    bring it near anybody in particular, and the intervals of its attacks show chance.
    """
    return "together" in (release.level["id"], *release.level["also"])


def _limit(release: Release) -> Measure:
    limit, written = release.answers.get("limit"), release.run.get("limit written")
    name = "A limit that was set before looking"
    if not held(release):
        words = f'The decision guide asks for none at the level "{release.level["name"]}".'
        return Measure("disclosure", name, True, words)
    if limit is None:
        words = 'No limit was set: write "limit" in answers.json before any result is there.'
    elif written == "afterwards":
        words = (
            f"The limit of {percent(limit)} was set or changed after results could be seen. "
            "Run assess into a new folder with another seed."
        )
    else:
        words = f"The limit, {percent(limit)} for the upper end of every excess, was written first."
    return Measure("disclosure", name, limit is not None and written != "afterwards", words)


def _attacks(release: Release) -> list[Measure]:
    """One measure for each attack: no leak and, where a limit is asked for, an interval below it."""
    limit, found = release.answers.get("limit") if held(release) else None, []
    for one in release.attacks:
        why = ""
        if one["leak"]:
            why = "It found a leak. "
        elif limit is not None and one["high"] > limit:
            why = f"No leak was found, and more than the limit of {percent(limit)} is not ruled out. "
        beside = f"{percent(one['training'])} in the data, {percent(one['control'])} in the control"
        found.append(Measure("disclosure", one["attack"], not why, f"{why}Excess {interval(one)}; {beside}."))
    return found


def _copies(release: Release) -> Measure:
    """Do rows of the file equal one real person in every column, more often than chance would have it?

    Chance is what the control shows: people of the same kind whom the generator never saw. Where no row
    equals a person of the control, chance is no explanation for one that equals a person of the data.
    """
    copies = release.made.get("copies")
    name = "Copies of one real person"
    if not copies:
        return Measure("disclosure", name, False, "Nobody looked for copies of real records.")
    inside, outside = (copies[part]["people"] for part in ("training", "control"))
    found = inside > 0 and (outside == 0 or _more_than_luck(inside, outside))
    words = (
        f"Compared on {copies['columns']} columns, {rows_of(release)} equal {inside:,} people of the data in "
        f"every column, each the only one with their values, and {outside:,} people of the control."
    )
    return Measure("disclosure", name, not found, words)


def rows_of(release: Release, called: str = "rows of the file") -> str:
    """What is compared with people: the rows of a file, or one row for each made-up person."""
    return "made-up people, with their rows summed up," if release.linked else called


def _more_than_luck(inside: int, outside: int) -> bool:
    """Whether so many of both would fall on one side by luck less often than `LUCK` (binomial, one half)."""
    both = inside + outside
    if both > 400:  # the normal approximation is close, and the sum below would be long
        return inside - outside > 1.96 * both**0.5
    return sum(comb(both, k) for k in range(inside, both + 1)) / 2**both < LUCK


def _groups(release: Release) -> Measure:
    rows, name = release.made.get("by group") or [], "Figures by group of people"
    if not rows:
        words = "There are none: no column with at most 20 values was found by which people can be grouped."
        return Measure("documentation", name, False, words)
    far = [row for row in rows if row["low"] > row["chance"]]
    words = (
        f"{len(rows)} figures for groups by {', '.join(dict.fromkeys(row['by'] for row in rows))}; "
        f"{len(far)} of them are further from the real people than chance explains."
    )
    return Measure("documentation", name, True, words)
