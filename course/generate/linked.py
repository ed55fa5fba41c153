"""Linked tables: parents first, then the children of each, with invented keys that always fit.

`ParentChild` is built by hand. For every table that has a parent it draws how many children each parent has,
from real counts, given the parent's columns. Then it draws the children one after another, each given its
parent, its parent's parents and the child before it: `history.py` does that, and says what it keeps. Then the
parent's invented key is written into each child. So there are no orphans, whatever else goes wrong.

Not kept: what the children of a parent share and neither the parent's columns nor the child before shows (a
good school whose columns do not say so), and columns of a parent that sum up its children.

`SdvHma` hands the same tables to SDV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.data import typed

from .base import Generator, GeneratorError, _checked, as_number, decimals
from .borrowed import borrowed
from .cart import Leaves, _encoder
from .history import Steps, positive, with_identifiers
from .sdv import Sdv


@dataclass(frozen=True)
class Link:
    """The one foreign key of a table: its column, and the table and column it points to."""

    column: str
    parent: str
    key: str


class Linked(Generator):
    """Base class: subclasses write `_fit(tables)` and `_sample(rows, rng)`, both with dicts of tables."""

    links: dict[str, Link | None]  # table name -> its link, parents before children, the first has none

    def fit(self, table: dict[str, pd.DataFrame], schema: dict) -> Generator:
        """Learn from tables, given with their schemas as two dicts by table name.

        Raises GeneratorError, in one sentence, for tables that cannot be used or do not hang together.
        """
        if not isinstance(table, dict) or not isinstance(schema, dict):
            raise GeneratorError(
                "Linked tables come as two dicts by table name: the tables and their schemas."
            )
        for name in {**schema, **table}:
            if name not in table or name not in schema:
                lacks = "table" if name not in table else "schema"
                raise GeneratorError(f"There is no {lacks} for {name!r}: give every table with its schema.")
        self.schemas = schema
        self.links = links(schema)
        self._fit(_linked(table, schema, self.links))
        return self

    @property
    def root(self) -> str:
        """The table that has no parent."""
        return next(iter(self.links))

    def sample(self, rows: int, seed: int) -> dict[str, pd.DataFrame]:
        """Draw linked tables, `rows` rows of the one without a parent. The same seed gives the same rows."""
        drawn = self._sample(positive(rows), np.random.default_rng(seed))
        return {
            name: typed(with_identifiers(drawn[name].reset_index(drop=True), schema), schema)
            for name, schema in self.schemas.items()
        }


def links(schemas: dict) -> dict[str, Link | None]:
    """The links of some tables, parents first. GeneratorError if they are not one tree of single keys."""
    found: dict[str, Link | None] = {}
    for name, schema in schemas.items():
        if len(schema.foreign_keys) > 1:
            raise GeneratorError(
                f"The table {name} has {len(schema.foreign_keys)} foreign keys, and here a table can have "
                "one parent: leave one of them in its schema."
            )
        found[name] = next((_link(name, key, schemas) for key in schema.foreign_keys), None)
    roots = [name for name, link in found.items() if link is None]
    ordered = dict.fromkeys(roots)
    while more := [n for n, link in found.items() if n not in ordered and link.parent in ordered]:
        ordered |= {name: found[name] for name in more}
    if circle := [name for name in found if name not in ordered]:
        raise GeneratorError(
            f"The keys of {', '.join(circle)} go round in a circle, so none can be made first: take one "
            "foreign key out of the schemas."
        )
    if len(roots) != 1:
        raise GeneratorError(
            f"There must be one table without a parent, and here are {len(roots)}: {', '.join(roots)}; fit "
            "them apart, or add the foreign key that ties them."
        )
    return ordered


def _link(name: str, key: dict, schemas: dict) -> Link:
    listed = [
        [each] if isinstance(each, str) else list(each)
        for each in (key["fields"], key["reference"]["fields"])
    ]
    parent = key["reference"]["resource"] or name  # Frictionless writes "" for the table itself
    if len(listed[0]) != 1 or len(listed[1]) != 1:
        raise GeneratorError(f"The foreign key of {name} has several columns: make one column of them first.")
    if parent not in schemas:
        raise GeneratorError(
            f"The table {name} points to {parent}, which is not given: add that table, or take the foreign "
            f"key out of the schema of {name}."
        )
    column, target = listed[0][0], listed[1][0]
    for table, wanted in ((name, column), (parent, target)):
        if wanted not in schemas[table].columns:
            raise GeneratorError(f"The schema of {table} lacks the key column {wanted!r}: add it.")
    return Link(column, parent, target)


def _linked(tables: dict, schemas: dict, found: dict[str, Link | None]) -> dict[str, pd.DataFrame]:
    """The tables, typed, parents first. GeneratorError where a key does not hold in the rows."""
    checked = {name: _checked(tables[name], schemas[name]).reset_index(drop=True) for name in found}
    for name, link in found.items():
        if link is None:
            continue
        keys = checked[link.parent][link.key]
        if keys.isna().any() or not keys.is_unique:
            raise GeneratorError(
                f"The key {link.key!r} of {link.parent} is blank or not unique: give every row a key of its "
                "own."
            )
        orphans = ~checked[name][link.column].isin(keys)
        if orphans.any():
            raise GeneratorError(
                f"{int(orphans.sum())} rows of {name} are orphans, with a {link.column!r} that is not in "
                f"{link.parent}: take them out, or add their parents."
            )
    return checked


class ParentChild(Linked):
    """Parents, then the children of each, from trees with at least `min_leaf` real rows in a leaf.

    The table without a parent is drawn from trees as well, as in `cart.py`, or by another generator of single
    tables: `inner` is its name, and further options go to it.
    """

    def __init__(self, inner: str | None = None, min_leaf: int = 5, **options):
        if inner is None and options:
            raise GeneratorError(
                f"The option {next(iter(options))!r} is for an inner generator: name one too."
            )
        Steps(min_leaf)  # refuses a leaf size that cannot be
        self.inner, self.min_leaf, self.options = inner, min_leaf, options

    def _fit(self, tables: dict[str, pd.DataFrame]) -> None:
        from . import fit

        self.encoders, self.counts, self.steps = {}, {}, {}
        about: dict[str, np.ndarray] = {}
        for name, link in self.links.items():
            table, schema = tables[name], self.schemas[name]
            columns = [c for c in schema.columns if not link or c != link.column]
            owner, known = np.arange(len(table)), np.empty((len(table), 0))
            if link:
                owner = pd.Index(tables[link.parent][link.key]).get_indexer(table[link.column])
                sort = np.argsort(owner, kind="stable")
                owner, table, known = owner[sort], table.iloc[sort].reset_index(drop=True), about[link.parent]
                counts = np.bincount(owner, minlength=len(known))
                self.counts[name] = counts, Leaves(known, counts.astype(float), True, self.min_leaf)
            if link or self.inner is None:
                self.steps[name] = Steps(self.min_leaf).fit(table[columns], schema, owner, known)
            else:
                self.model = fit(self.inner, table, schema, **self.options)
            kept = [column for column in schema.columns if schema.kind(column) != "identifier"]
            self.encoders[name] = {c: _encoder(schema.kind(c), table[c]) for c in kept}
            tables[name], about[name] = table, self._about(name, table, known[owner] if link else known)

    def _about(self, name: str, table: pd.DataFrame, inherited: np.ndarray) -> np.ndarray:
        """What the children of each row may know: its own columns as numbers, and what it inherited."""
        own = [encode(table[column]) for column, encode in self.encoders[name].items()]
        return np.column_stack([*own, inherited])

    def _sample(self, rows: int, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        made: dict[str, pd.DataFrame] = {}
        about: dict[str, np.ndarray] = {}
        for name, link in self.links.items():
            schema, known = self.schemas[name], np.empty((rows, 0))
            if link:
                known = about[link.parent]
                counts, leaves = self.counts[name]
                lengths = counts[leaves.draw(known, rng)] if len(known) else np.empty(0, int)
                drawn, owner = self.steps[name].draw(known, lengths, rng)
                known = known[owner]
                drawn[link.column] = made[link.parent][link.key].to_numpy()[owner]
            elif self.inner is None:
                drawn, _ = self.steps[name].draw(known, np.ones(rows, int), rng)
            else:
                drawn = self.model.sample(rows, int(rng.integers(2**31)))
            made[name] = typed(with_identifiers(drawn, schema), schema)
            about[name] = self._about(name, made[name], known)
        return made


class SdvHma(Linked):
    """SDV's HMASynthesizer (hierarchical modelling algorithm). Other options go to SDV as they are.

    SDV 2.0 takes at most five tables and two levels, parents and children, in its free version. It fits and
    draws a copula for every parent, so its time grows with the parents: 119 schools with 6,000 pupils took 14
    seconds of one processor, 1,000 patients with 1,803 episodes 110 seconds.

    SDV gives the children of every parent the same random numbers, so the first children of all parents are
    alike. Here each family is given its own, from the seed. `.model` is SDV's synthesiser, as it is.
    """

    def __init__(self, **options):
        self.options = options

    def _fit(self, tables: dict[str, pd.DataFrame]) -> None:
        from sdv.multi_table import HMASynthesizer

        self.parts = {name: self._part(name, table) for name, table in tables.items()}
        with borrowed(self.parts[self.root].slow, seed=0):
            self.model = HMASynthesizer(self._metadata(), **{"verbose": False, **self.options})
        people = f"{len(tables[self.root]):,} rows of {self.root}"
        print(f"Fitting SDV's HMASynthesizer to {people}. This takes some seconds.", flush=True)
        with borrowed(self.parts[self.root].slow, seed=0):
            self.model.fit({n: part._plain(tables[n][part.schema.columns]) for n, part in self.parts.items()})

    def _part(self, name: str, table: pd.DataFrame) -> Sdv:
        """The adapter of one table, for its conversions. Of the identifiers only the keys that link stay."""
        schema, keys = self.schemas[name], self._keys(name)
        part = Sdv("HMASynthesizer")
        part.schema = schema.select(
            [c for c in schema.columns if schema.kind(c) != "identifier" or c in keys]
        )
        part.columns = [column for column in part.schema.columns if column not in keys]
        part.decimals = {c: decimals(as_number(table[c])) for c in part.schema.of_kind("numeric")}
        return part

    def _keys(self, name: str) -> list[str]:
        """The columns of a table that link it: the key its children point to, and the one to its parent."""
        down = [link.key for link in self.links.values() if link and link.parent == name]
        return list(dict.fromkeys(down + ([self.links[name].column] if self.links[name] else [])))

    def _metadata(self):
        """The description of all tables and their links, as SDV wants it."""
        from sdv.metadata import Metadata

        tables = {}
        for name, part in self.parts.items():
            tables[name] = part.schema.to_sdv().to_dict()["tables"][name]
            tables[name]["columns"] |= {key: {"sdtype": "id"} for key in self._keys(name)}
        relationships = []
        for name, link in self.links.items():
            if link:
                tables[link.parent]["primary_key"] = link.key
                ends = {"parent_table_name": link.parent, "parent_primary_key": link.key}
                ends |= {"child_table_name": name, "child_foreign_key": link.column}
                relationships.append(ends)
        return Metadata.load_from_dict({"tables": tables, "relationships": relationships})

    def _sample(self, rows: int, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        def state() -> np.random.RandomState:
            return np.random.RandomState(int(rng.integers(2**31)))

        recreate = self.model._recreate_child_synthesizer

        def with_draws_of_its_own(*family):
            child = recreate(*family)
            child._set_random_state(state())
            return child

        seed = int(rng.integers(2**31))
        with borrowed(self.parts[self.root].slow, seed):
            self.model.reset_sampling()
            self.model._numpy_seed = seed
            self.model._table_synthesizers[self.root]._set_random_state(state())
            self.model._recreate_child_synthesizer = with_draws_of_its_own
            try:
                drawn = self.model.sample(rows, main_table_name=self.root)
            finally:
                del self.model._recreate_child_synthesizer
        return self._with_keys(drawn)

    def _with_keys(self, drawn: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """The tables with the course's types, and the course's invented keys in place of SDV's."""
        made = {}
        for name, link in self.links.items():
            part, schema = self.parts[name], self.schemas[name]
            made[name] = pd.DataFrame({c: part._typed(c, drawn[name][c]) for c in part.columns})
            if link:
                place = pd.Index(drawn[link.parent][link.key]).get_indexer(drawn[name][link.column])
                made[name][link.column] = made[link.parent][link.key].to_numpy()[place]
            made[name] = with_identifiers(made[name], schema)
        return made
