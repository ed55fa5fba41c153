"""Adapter to metasyn, made at Utrecht University (MIT): each column alone, as one distribution.

Codes and true/false keep their shares. Whole numbers, decimals and dates get the best-fitting distribution of
its list. Texts get a pattern of characters. Blanks keep their share. No column knows of another.

Its parameters can be real values: the smallest and largest of a column that is fitted best by a uniform or a
truncated distribution, the one value of a constant column, and every code, however rare. metasyn offers more
careful parameters in a package of its own, metasyn-disclosure, which this course does not install.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .base import Generator, as_number, from_number
from .borrowed import borrowed


class Metasyn(Generator):
    """metasyn's description of a table, and rows drawn from it. Options go to `MetaFrame.fit_dataframe`.

    The description is `.model`: print it, or save it with `.model.save("description.json")`.
    """

    slow = "metasyn"

    def __init__(self, **options):
        self.options = options

    def _fit(self, table: pd.DataFrame) -> None:
        with borrowed(self.slow, seed=0):
            from metasyn import MetaFrame

            self.model = MetaFrame.fit_dataframe(
                self._plain(table), **{"progress_bar": False, **self.options}
            )

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        seed = int(rng.integers(2**31))
        with borrowed(self.slow, seed):
            drawn = self.model.synthesize(rows, seed=seed, progress_bar=False)
        return pd.DataFrame({column: self._typed(column, drawn[column]) for column in self.columns})

    def _plain(self, table: pd.DataFrame):
        """The columns with the types that metasyn goes by, and `self.codes` to read its answers."""
        import polars

        self.codes, plain = {}, {}
        for column in self.columns:
            values, kind = table[column], self.schema.kind(column)
            listed = [None if pd.isna(value) else value for value in values.astype(object)]
            if kind == "categorical":
                self.codes[column] = {str(value): value for value in values.dropna().unique()}
                listed = [None if value is None else str(value) for value in listed]
                plain[column] = polars.Series(column, listed, dtype=polars.Categorical)
            elif kind == "text":
                listed = [None if value is None else str(value) for value in listed]
                plain[column] = polars.Series(column, listed, dtype=polars.String)
            elif kind == "date":
                days = [None if value is None else value.date() for value in listed]
                plain[column] = polars.Series(column, days, dtype=polars.Date)
            else:
                whole = self.schema.field(column)["type"] == "integer"
                plain[column] = polars.Series(column, listed, dtype=polars.Int64 if whole else polars.Float64)
        return polars.DataFrame(plain)

    def _typed(self, column: str, drawn) -> pd.Series:
        kind = self.schema.kind(column)
        values = pd.Series(drawn.to_list(), dtype=object)
        if kind == "categorical":
            return values.map(self.codes[column]).astype(object)
        if kind == "text":
            return values
        numbers = as_number(pd.to_datetime(values) if kind == "date" else pd.to_numeric(values))
        return from_number(numbers, self.schema.field(column), self.decimals.get(column, 2))
