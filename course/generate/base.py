"""What every generator shares: the interface, the checks on what comes in, and fresh identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course.data import DataError, typed

if TYPE_CHECKING:
    from course.data import Schema


class GeneratorError(ValueError):
    """A generator cannot work with what it was given. The message says why and what to do."""


class Generator:
    """Base class: subclasses write `_fit(table)` and `_sample(rows, rng)`.

    `_fit` sees only the columns the schema describes, without identifiers: no generator here ever learns one.
    `_sample` returns those columns, with values that fit the schema's types.
    """

    needs_rows = True  # False for generators made from metadata alone
    slow = ""  # a name to show while fitting, for generators that take more than two seconds
    most_codes: int | None = None  # in one column, where more would take minutes or gigabytes

    schema: Schema
    columns: list[str]  # those of the schema, without identifiers
    decimals: dict[str, int]  # how finely each numeric column is rounded when its values are made anew

    def fit(self, table: pd.DataFrame | None, schema: Schema) -> Generator:
        """Learn from a table (None for the levels made from metadata alone). Returns the generator itself.

        Raises GeneratorError, in one sentence, for a table that cannot be learned from.
        """
        self.schema = schema
        self.columns = [column for column in schema.columns if schema.kind(column) != "identifier"]
        if not self.needs_rows:
            self._fit(None)
            return self
        table = _checked(table, schema)[self.columns].reset_index(drop=True)
        if self.most_codes:
            _refuse_more_codes(table, schema, self.most_codes)
        self.decimals = {column: decimals(as_number(table[column])) for column in schema.of_kind("numeric")}
        if self.slow:
            print(f"Fitting {self.slow} to {len(table):,} rows. This takes some seconds.", flush=True)
        self._fit(table)
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Draw `rows` synthetic rows. The same seed gives the same rows.

        Returns the schema's columns in order, with the types that `course.data.typed` gives them and with
        fresh, invented identifiers. Raises GeneratorError for a number of rows that is not 1 or more.
        """
        if not isinstance(rows, (int, np.integer)) or rows < 1:
            raise GeneratorError(f"The number of rows must be a whole number of 1 or more, not {rows!r}.")
        drawn = self._sample(int(rows), np.random.default_rng(seed)).reset_index(drop=True)
        for column in self.schema.of_kind("identifier"):
            drawn[column] = invented_identifiers(self.schema.field(column), int(rows))
        return typed(drawn, self.schema)

    def _fit(self, table: pd.DataFrame | None) -> None:
        raise NotImplementedError

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        raise NotImplementedError


def invented_identifiers(field: dict, rows: int) -> pd.Series:
    """Identifiers that cannot be mistaken for real ones: 1, 2, 3 ... or SYN000001, SYN000002 ..."""
    numbers = pd.Series(range(1, rows + 1))
    return numbers if field["type"] in ("integer", "number") else "SYN" + numbers.astype(str).str.zfill(6)


def _checked(table: pd.DataFrame | None, schema: Schema) -> pd.DataFrame:
    """The table with the types of its schema. Refuses, in one sentence, one no generator can learn from."""
    if table is None:
        raise GeneratorError("This generator learns from rows, so it needs a table as well as a schema.")
    if not isinstance(table, pd.DataFrame):
        raise GeneratorError(f"The table is a {type(table).__name__}: give a pandas DataFrame.")
    if len(schema.of_kind("identifier")) == len(schema.columns):
        raise GeneratorError(f"The table {schema.name} has only identifiers, and no generator learns those.")
    if table.columns.duplicated().any():
        twice = table.columns[table.columns.duplicated()][0]
        raise GeneratorError(
            f"The column name {twice!r} stands more than once in the table: rename one of them."
        )
    if len(table) < 2:
        raise GeneratorError(
            f"The table has {len(table)} rows: a generator needs at least two to learn from."
        )
    try:
        table = typed(table, schema)
    except DataError as error:
        raise GeneratorError(str(error)) from error
    for column in schema.of_kind("numeric"):
        if np.isinf(table[column].astype("float64")).any():
            raise GeneratorError(f"Column {column!r} holds infinite values: replace them with blanks first.")
    return table


def _refuse_more_codes(table: pd.DataFrame, schema: Schema, most: int) -> None:
    for column in schema.of_kind("categorical", "text"):
        if (many := table[column].nunique()) > most:
            raise GeneratorError(
                f"Column {column!r} has {many:,} different values, and this generator takes up to {most:,} "
                "codes or texts: leave the column out, or put rare values together."
            )


def as_number(values: pd.Series) -> np.ndarray:
    """A numeric or date column as floats (dates as days since 1970), blanks as nan."""
    if pd.api.types.is_datetime64_dtype(values):
        days = values.to_numpy("datetime64[D]").astype("int64").astype(float)
        return np.where(values.isna(), np.nan, days)
    return values.astype("Float64").to_numpy(float, na_value=np.nan)


def decimals(numbers: np.ndarray) -> int:
    """Decimal places to round new values of a numeric column to: as many as its own values have.

    Measured values with more than six places are rounded to what their range can bear (see `places_for`). To
    read the places off the values tells one small thing about them; no protection here counts it.
    """
    known = numbers[~np.isnan(numbers)]
    for places in range(7):
        if np.allclose(np.round(known, places), known, rtol=1e-12, atol=0):
            return places
    return places_for(np.ptp(known))


def places_for(spread: float) -> int:
    """Decimal places for a column that runs over `spread`: two, or more where all values lie close.

    A column that runs from 0 to 0.0004 is kept in steps of 0.000001; with two places alone every value
    would be 0.
    """
    return max(2, 2 - int(np.floor(np.log10(spread)))) if spread > 0 else 2


def from_number(numbers: np.ndarray, field: dict, decimals: int = 2) -> pd.Series:
    """Floats back to the type the schema gives the column: the inverse of `as_number`, but for rounding."""
    blank = np.isnan(numbers)
    if field["type"] == "date":
        days = np.where(blank, 0, np.rint(np.where(blank, 0, numbers))).astype("int64")
        return pd.Series(days.astype("datetime64[D]").astype("datetime64[ns]")).mask(blank)
    if field["type"] == "integer":
        whole = pd.Series(np.rint(numbers)).astype("Int64")
        return whole if blank.any() else whole.astype("int64")
    return pd.Series(np.round(numbers, decimals))
