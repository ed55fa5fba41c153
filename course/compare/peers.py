"""Libraries that do the same job as a generator made by hand, for the benchmark: the same two calls."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Peers that the environment does not hold: what is fetched for the run.
OUTSIDE = {"py-synthpop": "py-synthpop==0.1.2", "ipfn": "ipfn==1.4.4", "ipfn-ten": "ipfn==1.4.4"}


class Copulas:
    """`copulas.multivariate.GaussianMultivariate` with beta margins, as SDV uses it. Codes become numbers."""

    def fit(self, table: pd.DataFrame, schema):
        from copulas.multivariate import GaussianMultivariate
        from copulas.univariate import BetaUnivariate

        self.codes = {c: pd.Categorical(table[c]).categories for c in schema.of_kind("categorical")}
        rng = np.random.default_rng(0)
        numbers = table.copy()
        for column, codes in self.codes.items():
            place = pd.Categorical(table[column], categories=codes).codes
            numbers[column] = place + rng.random(len(table))
        self.columns = list(table.columns)
        self.model = GaussianMultivariate(distribution=BetaUnivariate)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model.fit(numbers.astype(float))
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        self.model.set_random_state(seed)
        drawn = self.model.sample(rows)[self.columns]
        for column, codes in self.codes.items():
            place = np.clip(np.floor(drawn[column]), 0, len(codes) - 1).astype(int)
            drawn[column] = codes.to_numpy()[place]
        return drawn


class Synthpop:
    """`synthpop.Synthpop` of the package py-synthpop. It was written for pandas 1, so one name is given
    back.
    """

    def fit(self, table: pd.DataFrame, schema):
        pd.Series.iteritems = pd.Series.items
        from synthpop import Synthpop

        self.kinds = {c: "float" if schema.kind(c) == "numeric" else "category" for c in table}
        plain = table.astype(
            {c: "float64" if kind == "float" else "category" for c, kind in self.kinds.items()}
        )
        self.model = Synthpop()
        with contextlib.redirect_stdout(io.StringIO()):
            self.model.fit(plain, dict(self.kinds))
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        np.random.seed(seed)
        with contextlib.redirect_stdout(io.StringIO()):
            drawn = self.model.generate(rows)
        return drawn.astype({c: "float64" if kind == "float" else object for c, kind in self.kinds.items()})


CODES = ("region", "household_type", "tenure", "health_condition", "universal_credit", "arrears")
PAIRS = [
    *(("household_type", "tenure"), ("tenure", "arrears"), ("tenure", "universal_credit")),
    *(("region", "tenure"), ("health_condition", "universal_credit")),
]
NUMBERS = ("people", "reference_age", "bedrooms", "weekly_income")
PAIRS_OF_TEN = [
    *PAIRS,
    *(("household_type", "people"), ("reference_age", "household_type")),
    *(("people", "bedrooms"), ("weekly_income", "tenure")),
]


class Ipfn:
    """`ipfn`: two-way tables, fitted on the whole table of combinations. Numbers are put in ten groups."""

    def fit(self, table: pd.DataFrame, schema):
        from ipfn.ipfn import ipfn

        names = list(table)
        self.cells = {column: _Cells(table[column], schema.kind(column)) for column in names}
        shape = [self.cells[column].size for column in names]
        margins, axes = [], []
        for pair in PAIRS_OF_TEN if set(NUMBERS) <= set(names) else PAIRS:
            pair = sorted(pair, key=names.index)
            counts = np.zeros([self.cells[column].size for column in pair])
            np.add.at(counts, tuple(self.cells[column].place for column in pair), 1)
            margins.append(counts)
            axes.append([names.index(column) for column in pair])
        with contextlib.redirect_stdout(io.StringIO()):
            self.fitted = ipfn(np.ones(shape), margins, axes).iteration()
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        rng, share = np.random.default_rng(seed), self.fitted.ravel() / self.fitted.sum()
        place = np.unravel_index(rng.choice(len(share), rows, p=share), self.fitted.shape)
        drawn = zip(self.cells.items(), place, strict=True)
        return pd.DataFrame({column: cells.values(i, rng) for (column, cells), i in drawn})


class _Cells:
    """How a column is cut: its codes, or up to ten groups of numbers of about equal size."""

    def __init__(self, values: pd.Series, kind: str):
        self.codes = None if kind == "numeric" else pd.Categorical(values).categories.to_numpy()
        if self.codes is not None:
            self.place, self.size = pd.Categorical(values).codes, len(self.codes)
            return
        self.edges = np.unique(np.quantile(values, np.linspace(0, 1, 11)))
        self.place = np.clip(np.searchsorted(self.edges, values, "right") - 1, 0, len(self.edges) - 2)
        self.size = len(self.edges) - 1

    def values(self, place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.codes is not None:
            return self.codes[place]
        return self.edges[place] + rng.random(len(place)) * np.diff(self.edges)[place]


@dataclass(frozen=True)
class Peer:
    """A library beside one of our generators. `columns`: the part of the table that both learn, if not
    all.
    """

    kind: type | None  # None: the peer is itself in the register
    beside: str
    columns: tuple[str, ...] = ()
    ours: dict | None = None  # options with which ours does the same job

    def cut(self, table, schema):
        columns = list(self.columns or table.columns)
        return table[columns], schema.select(columns)


PEERS = {
    "copulas": Peer(Copulas, "copula"),
    "py-synthpop": Peer(Synthpop, "cart"),
    "ipfn": Peer(Ipfn, "ipf", CODES, {"margins": PAIRS, "threshold": 1, "rounding": 1}),
    "ipfn-ten": Peer(
        Ipfn, "ipf", (*CODES, *NUMBERS), {"margins": PAIRS_OF_TEN, "threshold": 1, "rounding": 1}
    ),
}
# Generators of the register that do the same job: ours, theirs.
SAME_JOB = [
    ("copula", "sdv-gaussian-copula"),
    ("copula", "copulas"),
    ("cart", "py-synthpop"),
    ("marginal", "metasyn"),
    ("marginal", "synthcity-marginal-distributions"),
    ("ipf", "ipfn"),
    ("ipf", "ipfn-ten"),
]
