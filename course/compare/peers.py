"""Libraries that do the same job as a generator made by hand, for the benchmark: the same two calls."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Peers that the environment does not hold: what is fetched for the run.
OUTSIDE = {"py-synthpop": "py-synthpop==0.1.2", "ipfn": "ipfn==1.4.4"}


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


PAIRS = [
    *(("household_type", "tenure"), ("tenure", "arrears"), ("tenure", "universal_credit")),
    *(("region", "tenure"), ("health_condition", "universal_credit")),
]


class Ipfn:
    """`ipfn`: the same five two-way tables of six code columns, fitted on the whole table of combinations."""

    def fit(self, table: pd.DataFrame, schema):
        from ipfn.ipfn import ipfn

        self.codes = {c: pd.Categorical(table[c]).categories for c in table}
        place, names = {c: pd.Categorical(table[c]).codes for c in table}, list(table)
        shape = [len(codes) for codes in self.codes.values()]
        margins, axes = [], []
        for pair in PAIRS:
            pair = sorted(pair, key=names.index)
            counts = np.zeros([len(self.codes[c]) for c in pair])
            np.add.at(counts, tuple(place[c] for c in pair), 1)
            margins.append(counts)
            axes.append([names.index(c) for c in pair])
        with contextlib.redirect_stdout(io.StringIO()):
            self.fitted = ipfn(np.ones(shape), margins, axes).iteration()
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        share = self.fitted.ravel() / self.fitted.sum()
        cell = np.random.default_rng(seed).choice(len(share), rows, p=share)
        place = np.unravel_index(cell, self.fitted.shape)
        return pd.DataFrame(
            {c: codes.to_numpy()[i] for (c, codes), i in zip(self.codes.items(), place, strict=True)}
        )


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
    "ipfn": Peer(
        Ipfn,
        "ipf",
        ("region", "household_type", "tenure", "health_condition", "universal_credit", "arrears"),
        {"margins": PAIRS, "threshold": 1, "rounding": 1},
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
]
