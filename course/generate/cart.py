"""The detailed rungs: sequential classification and regression trees (CART), the method of synthpop.

The first column is drawn with replacement. Each later column is predicted from those before it by a tree, and
a synthetic row takes the value of a real row that fell in the same leaf. Relationships of any shape survive.
So do real values: every number in the output stood in some real row, and a small leaf means few people to
borrow from. Source: Reiter (2005), Using CART to generate partially synthetic public use microdata.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, as_number

MOST_COUNTS = 50_000_000  # rows x categories up to which a tree counts every category
POINT = 32  # numbers that stand for a category beyond that


class Cart(Generator):
    """Sequential trees, in the schema's order. `min_leaf` is the least number of real rows in a leaf."""

    def __init__(self, min_leaf: int = 5):
        if min_leaf < 1:
            raise GeneratorError("The least number of rows in a leaf must be 1 or more.")
        self.min_leaf = min_leaf

    def _fit(self, table: pd.DataFrame) -> None:
        self.table = table
        self.encoders = {column: _encoder(self.schema.kind(column), table[column]) for column in self.columns}
        encoded = np.column_stack([self.encoders[column](table[column]) for column in self.columns])
        numeric = [self.schema.kind(column) in ("numeric", "date") for column in self.columns]
        self.leaves = [
            Leaves(encoded[:, :i], encoded[:, i], numeric[i], self.min_leaf) for i in range(1, len(numeric))
        ]

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        encoded = np.empty((rows, len(self.columns)))
        drawn = {}
        for i, column in enumerate(self.columns):
            if i == 0:
                donors = rng.integers(0, len(self.table), rows)
            else:
                donors = self.leaves[i - 1].draw(encoded[:, :i], rng)
            drawn[column] = self.table[column].iloc[donors].reset_index(drop=True)
            encoded[:, i] = self.encoders[column](drawn[column])
        return pd.DataFrame(drawn)


class Leaves:
    """A tree fitted to `target` from the columns of `known`, and the real rows in each of its leaves.

    `known` is an array of rows x columns, where nan is a blank. `target` holds numbers, or codes 0, 1, 2 ...
    where it is not `numeric`. `rows` are the numbers of the rows to learn from: all of them unless given.
    """

    def __init__(self, known, target, numeric: bool, min_leaf: int, rows=None):
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        rows = np.arange(len(target)) if rows is None else rows
        known, target = known[rows].astype(np.float32), target[rows]
        if numeric:
            blank = np.nanmin(target) - 1 if not np.isnan(target).all() else 0
            target = np.nan_to_num(target, nan=blank)
        elif len(target) * (target.max() + 1) > MOST_COUNTS:
            target, numeric = _projected(target.astype(int)), True
        kind = DecisionTreeRegressor if numeric else DecisionTreeClassifier
        with warnings.catch_warnings():
            # That a column has many categories is no news here.
            warnings.filterwarnings("ignore", "The number of unique classes")
            self.tree = kind(min_samples_leaf=min_leaf, random_state=0).fit(known, target)
        leaf = self.tree.apply(known)
        order = np.argsort(leaf, kind="stable")
        self.rows = rows[order]
        self.starts = np.searchsorted(leaf[order], np.arange(self.tree.tree_.node_count + 1))

    def draw(self, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each row of `known`, the number of a real row from its leaf."""
        leaf = self.tree.apply(known.astype(np.float32))
        size = self.starts[leaf + 1] - self.starts[leaf]
        return self.rows[self.starts[leaf] + (rng.random(len(known)) * size).astype(int)]


def _projected(codes: np.ndarray) -> np.ndarray:
    """Each category as a random point, the same for all rows that share it: an array of rows x 32.

    A classification tree counts every category in every node, which many categories make slow and large. The
    impurity it lowers (Gini's) is the variance of the categories written as unit vectors. Random points keep
    that variance nearly, so a regression tree on them makes nearly the same splits. Source: Achlioptas
    (2003), Database-friendly random projections.
    """
    signs = np.random.default_rng(0).choice(np.array([-1, 1], "float32"), (codes.max() + 1, POINT))
    return signs[codes]


def _encoder(kind: str, values: pd.Series):
    """A function that turns a column into numbers a tree can split on.

    Numbers and dates stay as they are (a blank is nan, which the trees accept). Categories are numbered by
    how common they are; a blank is a category of its own.
    """
    if kind in ("numeric", "date"):
        return as_number
    counts = values.astype(object).value_counts(sort=False)
    ordered = counts.iloc[np.lexsort((counts.index.astype(str), -counts.to_numpy()))]
    code = {value: place for place, value in enumerate(ordered.index)}
    return lambda column: column.astype(object).map(code).fillna(len(code)).to_numpy(float)
