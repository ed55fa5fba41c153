"""Histories: several rows for each person, drawn one after another.

`Markov` is built by hand. Each row is drawn from trees that see the row before it and nothing earlier, which
is what makes it a Markov chain. `Steps` does the work, and draws the children of a parent too (`linked.py`).

Wherever the real rows never break these rules, the drawn ones do not either:

- a date, or the column `order`, that never goes back from one row to the next, or past the last real one
- a date that never comes before an earlier date column of its row
- columns that never change within a person
- columns that another settles, as a small area settles its deprivation score

Not kept: sums and differences of numbers, rules about three rows or more, and whatever the past says beyond
the row before. Values are borrowed from real rows in the same leaf, as in `cart.py`, so rare ones can show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.data import typed

from .base import (
    Generator,
    GeneratorError,
    _checked,
    as_number,
    decimals,
    from_number,
    invented_identifiers,
)
from .borrowed import borrowed
from .cart import Leaves, _encoder
from .sdv import Sdv

# A rule seen in the real rows is believed if chance alone would have broken it this many times.
CONVINCING = 20


class History(Generator):
    """Base class: subclasses write `_fit(table)`, for a table in order, and `_sample(people, rng)`.

    `person` names the column that says whose row it is, `order` the one that puts a person's rows in order: a
    date, a number, or codes whose alphabetical order is their order, such as 2021/22.
    """

    def __init__(self, person: str | None = None, order: str | None = None):
        if not person or not order:
            raise GeneratorError(
                "Name the column that says whose row it is, and the one that puts a person's rows in order: "
                "person=..., order=..."
            )
        self.person, self.order = person, order

    def fit(self, table: pd.DataFrame, schema) -> Generator:
        """Learn from a table with several rows per person. Raises GeneratorError, in one sentence."""
        self.schema = schema
        self._fit(in_order(table, schema, self.person, self.order))
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Draw the histories of `rows` people, identifiers invented. The same seed gives the same rows."""
        drawn = self._sample(positive(rows), np.random.default_rng(seed)).reset_index(drop=True)
        return typed(with_identifiers(drawn, self.schema), self.schema)


class Markov(History):
    """Each row is drawn given the row before it, from trees with at least `min_leaf` real rows in a leaf.

    How many rows a person has is drawn first, from the real numbers.
    """

    def __init__(self, person: str | None = None, order: str | None = None, min_leaf: int = 5):
        super().__init__(person, order)
        self.min_leaf = min_leaf

    def _fit(self, table: pd.DataFrame) -> None:
        owner = pd.factorize(table[self.person])[0]
        self.lengths = np.bincount(owner)
        nobody = np.empty((len(self.lengths), 0))
        columns = [column for column in self.schema.columns if column != self.person]
        self.steps = Steps(self.min_leaf).fit(table[columns], self.schema, owner, nobody, self.order)

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        lengths = rng.choice(self.lengths, rows)
        drawn, owner = self.steps.draw(np.empty((rows, 0)), lengths, rng)
        invented = invented_identifiers(self.schema.field(self.person), rows)
        return drawn.assign(**{self.person: invented.to_numpy()[owner]})


class SdvPar(History):
    """SDV's PARSynthesizer (probabilistic autoregressive network). Other options go to SDV as they are.

    Columns that never change within a person become its context columns. Its loss loops over the people in
    Python: 1,000 pupils with three rows of eight columns took 5 seconds an epoch here, and SDV's default is
    128 epochs. Where histories differ in length, deepecho 0.8.1, which SDV uses, compares the numbers of the
    shorter ones with padding: what it learns of those numbers is wrong.
    """

    def __init__(self, person: str | None = None, order: str | None = None, **options):
        super().__init__(person, order)
        self.options = {"cuda": False, **options}

    def _fit(self, table: pd.DataFrame) -> None:
        from sdv.sequential import PARSynthesizer

        kept = [c for c in self.schema.columns if self.schema.kind(c) != "identifier"]
        columns = [column for column in kept if column != self.person]
        self.part = Sdv("PARSynthesizer")
        self.part.schema, self.part.columns = self.schema.select(columns), columns
        self.part.decimals = {c: decimals(as_number(table[c])) for c in self.part.schema.of_kind("numeric")}
        owner = pd.factorize(table[self.person])[0]
        fixed = [c for c in columns if c != self.order and _never_changes(owner, table[c])]
        plain = self._plain(table).assign(**{self.person: owner.astype(str)})
        print(f"Fitting SDV's PARSynthesizer to {owner[-1] + 1:,} people. This takes some time.", flush=True)
        with borrowed(self.part.slow, seed=0):
            self.model = PARSynthesizer(self._metadata(), context_columns=fixed, **self.options)
            self.model.fit({self.schema.name: plain})

    def _plain(self, table: pd.DataFrame) -> pd.DataFrame:
        """What PAR takes: floats and ISO dates, an order that is a number or a date, and numbers for codes.

        PAR keeps codes in a set, and a set of words has another order in every run of Python.
        """
        plain = self.part._plain(table[self.part.columns])
        self.codes = {}
        for column in self.part.columns:
            if self.schema.kind(column) in ("categorical", "text"):
                numbers, self.codes[column] = pd.factorize(table[column], sort=True, use_na_sentinel=False)
                plain[column] = numbers.astype(float if column == self.order else int)
        return plain

    def _metadata(self):
        """The description of the table as SDV wants it for sequences."""
        from sdv.metadata import Metadata

        described = self.part.schema.to_sdv().to_dict()["tables"][self.schema.name]
        described["columns"][self.person] = {"sdtype": "id"}
        if self.order in self.codes:
            described["columns"][self.order] = {"sdtype": "numerical"}
        described |= {"sequence_key": self.person, "sequence_index": self.order}
        described.pop("primary_key", None)
        return Metadata.load_from_dict({"tables": {self.schema.name: described}, "relationships": []})

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        seed = int(rng.integers(2**31))
        with borrowed(self.part.slow, seed):
            # The context and the conversions keep random states of their own; PAR's network uses torch's.
            self.model._data_processor.reset_sampling()
            self.model._context_synthesizer.reset_sampling()
            self.model._context_synthesizer._set_random_state(np.random.RandomState(seed))
            drawn = self.model.sample_sequences(rows)[self.schema.name]
        made = {c: self.part._typed(c, drawn[c]) for c in self.part.columns if c not in self.codes}
        for column, words in self.codes.items():
            place = np.clip(np.rint(drawn[column].astype(float)), 0, len(words) - 1).astype(int)
            made[column] = pd.Series(np.asarray(words, dtype=object)[place])
        owner = pd.factorize(drawn[self.person])[0]
        invented = invented_identifiers(self.schema.field(self.person), rows).to_numpy()
        return pd.DataFrame(made).assign(**{self.person: invented[owner]})


def _never_changes(owner: np.ndarray, values: pd.Series) -> bool:
    """Has everybody one value of a column, and somebody several rows?"""
    return len(values) > owner[-1] + 1 and values.groupby(owner).nunique(dropna=False).max() == 1


def in_order(table: pd.DataFrame, schema, person: str, order: str) -> pd.DataFrame:
    """The typed table sorted by person and order. GeneratorError if a column is not there, or has blanks."""
    for column in (person, order):
        if column not in schema.columns:
            raise GeneratorError(
                f"The table {schema.name} has no column {column!r} to tell histories by. Its columns are: "
                f"{', '.join(schema.columns)}."
            )
    if person == order:
        raise GeneratorError(
            f"One column, {person!r}, cannot both name the person and put the rows in order."
        )
    table = _checked(table, schema)
    for column in (person, order):
        if blank := int(table[column].isna().sum()):
            raise GeneratorError(f"Column {column!r} is blank in {blank} rows: fill them or take them out.")
    return table.sort_values([person, order], kind="stable").reset_index(drop=True)


def positive(rows: int) -> int:
    """The number of people or rows asked for. GeneratorError if it is not a whole number of 1 or more."""
    if not isinstance(rows, (int, np.integer)) or rows < 1:
        raise GeneratorError(f"The number of rows must be a whole number of 1 or more, not {rows!r}.")
    return int(rows)


def with_identifiers(drawn: pd.DataFrame, schema) -> pd.DataFrame:
    """The rows with an invented identifier in each identifier column that they lack."""
    new = [column for column in schema.of_kind("identifier") if column not in drawn]
    return drawn.assign(**{c: invented_identifiers(schema.field(c), len(drawn)).to_numpy() for c in new})


@dataclass(eq=False)
class Part:
    """One column of the rows to draw, and what is known of it."""

    name: str
    numbers: np.ndarray  # as a tree sees them: numbers, days since 1970, places in the order, or codes
    codes: np.ndarray  # equal values have equal codes, blanks too
    numeric: bool
    ladder: np.ndarray | None = None  # the values in order, where an order is neither number nor date
    ordered: bool = False  # it never goes back from one row of a person to the next ...
    least_step: float = 0  # ... and goes on by at least this
    after: Part | None = None  # the nearest earlier date of its row that it never precedes ...
    least_gap: float = 0  # ... and follows by at least this
    steady: bool = False  # it never changes within a person
    settled_by: Part | None = None  # the earlier column that settles it
    span: slice | None = None  # its places in what the trees see: the gap or step, if counted, and the number

    @property
    def counted(self) -> bool:
        """Is it drawn as so much more than an earlier date of its row, or than the row before?"""
        return self.ordered or self.after is not None


class Steps:
    """Rows that follow each other: for each column a tree, and the real rows in its leaves.

    The tree of a column sees what is known of the person (`about`), how many rows come before and after, the
    whole row before, and the columns of this row so far.
    """

    def __init__(self, min_leaf: int):
        if not isinstance(min_leaf, (int, np.integer)) or min_leaf < 1:
            raise GeneratorError("The least number of rows in a leaf must be 1 or more.")
        self.min_leaf = min_leaf

    def fit(self, table: pd.DataFrame, schema, owner, about, order: str | None = None) -> Steps:
        """Learn from rows sorted by `owner`: the number, 0, 1, 2 ..., of the person each row belongs to.

        `about` is an array with one row per person. `order` names the column that the rows of a person are
        sorted by, if any. Of the identifiers, those that rows of one person share are modelled: is it the
        same as in the row before?
        """
        self.schema, self.table = schema, table.reset_index(drop=True)
        self.place = np.arange(len(owner)) - np.searchsorted(owner, owner)
        later = np.flatnonzero(self.place > 0)
        self.parts = self._parts(np.asarray(owner), order)
        self.state = self._state()
        before = np.full_like(self.state, np.nan)
        before[later] = self.state[later - 1]
        left = np.bincount(owner)[owner] - self.place - 1
        given = np.column_stack([about[owner], self.place, left, before])
        self.sources = [self._source(part, given) for part in self.parts]
        return self

    def _parts(self, owner: np.ndarray, order: str | None) -> list[Part]:
        parts: list[Part] = []
        later = self.place > 0
        for column in self.table:
            if self.schema.kind(column) == "identifier":
                same = later & np.append(False, self._codes(column)[1:] == self._codes(column)[:-1])
                if same.any():  # is it the one of the row before?
                    parts.insert(0, Part(column, same.astype(float), same.astype(int), numeric=False))
                continue
            part = self._part(column, order)
            if column == order or self.schema.kind(column) == "date":
                _count(part, [p for p in parts if self.schema.kind(p.name) == "date"], later)
            part.steady = column != order and _settles(owner, part.codes, owner)
            if not (part.steady or part.counted):
                rulers = (p for p in parts if p.ladder is not None or not p.numeric)
                part.settled_by = next((p for p in rulers if _settles(p.codes, part.codes, owner)), None)
            parts.append(part)
        width = 0
        for part in parts:
            part.span = slice(width, width + 1 + part.counted)
            width = part.span.stop
        return parts

    def _codes(self, column: str) -> np.ndarray:
        return pd.factorize(self.table[column], use_na_sentinel=False)[0]

    def _part(self, column: str, order: str | None) -> Part:
        values, kind = self.table[column], self.schema.kind(column)
        if column == order and kind not in ("numeric", "date"):
            places, ladder = pd.factorize(values, sort=True)
            return Part(column, places.astype(float), places, numeric=True, ladder=np.asarray(ladder))
        numeric = kind in ("numeric", "date")
        return Part(column, _encoder(kind, values)(values), self._codes(column), numeric)

    def _state(self) -> np.ndarray:
        """What the trees see of each row: each column's number, after its step where it is counted."""
        state = np.empty((len(self.table), self.parts[-1].span.stop))
        for part in self.parts:
            state[:, part.span.stop - 1] = part.numbers
            if part.after:
                state[:, part.span.start] = part.numbers - part.after.numbers
            elif part.ordered:
                steps = np.diff(part.numbers, prepend=np.nan)
                state[:, part.span.start] = np.where(self.place > 0, steps, np.nan)
        return state

    def _source(self, part: Part, given: np.ndarray):
        """Where a column's donors come from: a dict, or the leaves for (first rows, later rows)."""
        if part.settled_by:
            ruler = part.settled_by.numbers[::-1]
            return dict(zip(ruler, np.arange(len(ruler))[::-1], strict=True))  # the first row with each value
        known = np.column_stack([given, self.state[:, : part.span.start]])

        def leaves(target, rows=None):
            if rows is not None and not len(rows):
                return None
            target = target if part.numeric else target.astype(int)
            return Leaves(known, target, part.numeric, self.min_leaf, rows)

        first, later = np.flatnonzero(self.place == 0), np.flatnonzero(self.place > 0)
        if self.schema.kind(part.name) == "identifier":
            return None, leaves(part.numbers, later)
        if part.steady:
            return leaves(part.numbers, first), None
        if part.ordered and not part.after:
            return leaves(part.numbers, first), leaves(self.state[:, part.span.start], later)
        both = leaves(self.state[:, part.span.start])
        return both, both

    def draw(self, about: np.ndarray, lengths: np.ndarray, rng: np.random.Generator):
        """Draw `lengths[i]` rows for person i: the rows, sorted by person, and whose they are (an array)."""
        before = np.full((len(lengths), self.state.shape[1]), np.nan)
        donors = np.zeros((len(lengths), len(self.parts)), int)
        owners, states, borrowed = [np.empty(0, int)], [before[:0]], [donors[:0]]
        for place in range(max(lengths, default=0)):
            who = np.flatnonzero(lengths > place)
            left = lengths[who] - place - 1
            given = np.column_stack([about[who], np.full(len(who), place), left, before[who]])
            before[who], donors[who] = self._row(given, before[who], donors[who], place, left, rng)
            owners.append(who)
            states.append(before[who])
            borrowed.append(donors[who])
        owner = np.concatenate(owners)
        sort = np.argsort(owner, kind="stable")
        return self._values(np.concatenate(states)[sort], np.concatenate(borrowed)[sort]), owner[sort]

    def _row(self, given, before, donors, place: int, left, rng):
        """The next row of some people: what the trees see of it, and the real row each column comes from."""
        state = np.empty_like(before)
        for i, part in enumerate(self.parts):
            if part.steady and place:
                state[:, part.span] = before[:, part.span]
                continue
            if part.settled_by:
                ruler = pd.Series(state[:, part.settled_by.span.stop - 1])
                donors[:, i] = ruler.map(self.sources[i])
            elif leaves := self.sources[i][min(place, 1)]:
                donors[:, i] = leaves.draw(np.column_stack([given, state[:, : part.span.start]]), rng)
            state[:, part.span] = self.state[donors[:, i], part.span]
            if part.counted:
                state[:, part.span] = _counted(part, state, before, place, left)
        return state, donors

    def _values(self, state: np.ndarray, donors: np.ndarray) -> pd.DataFrame:
        """Back from numbers and donors to the columns of the table."""
        columns = {}
        for i, part in enumerate(self.parts):
            numbers, field = state[:, part.span.stop - 1], self.schema.field(part.name)
            if part.ladder is not None:
                columns[part.name] = part.ladder[numbers.astype(int)]
            elif self.schema.kind(part.name) == "identifier":
                columns[part.name] = _numbered(field, np.cumsum(numbers == 0))
            elif part.counted:
                columns[part.name] = from_number(numbers, field, decimals(part.numbers)).to_numpy()
            else:
                columns[part.name] = self.table[part.name].array[donors[:, i]]
        return pd.DataFrame(columns)


def _count(part: Part, dates: list[Part], later: np.ndarray) -> None:
    """Note whether a column never precedes an earlier date of its row, and never goes back between rows."""
    there = ~np.isnan(part.numbers)
    for date in dates:
        gaps = (part.numbers - date.numbers)[there]
        if len(gaps) and gaps.min() >= 0:  # false where the earlier date is blank
            part.after, part.least_gap = date, gaps.min()
    steps = np.diff(part.numbers)[later[1:]]
    if there.all() and len(steps) and steps.min() >= 0:
        part.ordered, part.least_step = True, steps.min()


def _counted(part: Part, state: np.ndarray, before: np.ndarray, place: int, left: np.ndarray) -> np.ndarray:
    """A counted column's gap or step and its number: not too early, and not past the last real value."""
    number, floor, start = state[:, part.span.stop - 1], np.full(len(state), -np.inf), np.nan
    if part.ordered and place:
        start = before[:, part.span.stop - 1]
        floor = start + part.least_step
    if part.after:
        start = state[:, part.after.span.stop - 1]
        floor = np.maximum(floor, start + part.least_gap)
    if part.after or place:
        number = start + state[:, part.span.start]
    room = np.nanmax(part.numbers) - part.least_step * left
    number = np.clip(number, floor, np.maximum(floor, room))
    return np.column_stack([number - start, number])


def _settles(by: np.ndarray, codes: np.ndarray, owner: np.ndarray) -> bool:
    """Does one column settle another in every row, where chance would have broken that often enough?

    Rows of one person say the same thing once, unless it is the person that is asked about.
    """
    pairs = pd.DataFrame({"by": by, "code": codes})
    groups = pairs["by"].nunique()
    if len(pairs.drop_duplicates()) > groups:
        return False
    if by is not owner:
        pairs = pairs.assign(owner=owner).drop_duplicates()
    shares = pairs["code"].value_counts(normalize=True)
    return (len(pairs) - groups) * (1 - (shares**2).sum()) >= CONVINCING


def _numbered(field: dict, numbers: np.ndarray) -> np.ndarray:
    """Invented identifiers by their number, so that equal numbers share one."""
    return invented_identifiers(field, int(numbers.max(initial=0))).to_numpy()[numbers - 1]
