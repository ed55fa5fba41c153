"""The plausible rung: each column keeps its own shape, and no column knows of any other.

Three protections are built in, as published guides ask of single-column releases. Categories that fewer than
`threshold` rows share are left out. Numbers are kept only as the edges of bins that hold at least `threshold`
rows. The outermost values are never shown: the outer 1%, and at least one row at each end, is drawn from the
bin next to it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, as_number, from_number


class Marginal(Generator):
    """Draw every column on its own from coarsened counts. Relationships are lost on purpose."""

    def __init__(self, threshold: int = 10, bins: int = 50):
        if threshold < 1 or bins < 1:
            raise GeneratorError("The threshold and the number of bins must each be 1 or more.")
        self.threshold = threshold
        self.bins = bins

    def _fit(self, table: pd.DataFrame) -> None:
        self.margins = {column: self._margin(column, table[column]) for column in self.columns}

    def _margin(self, column: str, values: pd.Series) -> Margin:
        if self.schema.kind(column) in ("numeric", "date"):
            field, places = self.schema.field(column), self.decimals.get(column, 0)
            return NumberMargin(values, field, places, self.bins, self.threshold)
        return CategoryMargin(values, column, self.threshold)

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame({column: margin.at(rng.random(rows)) for column, margin in self.margins.items()})


class Margin:
    """One column's distribution, read by `at`: a number u between 0 and 1 gives the value at that rank."""

    def at(self, u: np.ndarray) -> pd.Series:
        raise NotImplementedError

    def midrank(self, values: pd.Series) -> np.ndarray:
        """Where each value lies in the distribution, between 0 and 1: the inverse of `at`."""
        raise NotImplementedError


class CategoryMargin(Margin):
    """Counts of each category, the most common first, those under the threshold left out. A blank counts."""

    def __init__(self, values: pd.Series, column: str, threshold: int):
        # None, NaN and NA are one blank.
        values = values.astype(object).where(values.notna(), np.nan)
        counts = values.value_counts(dropna=False, sort=False)
        # Ties are ordered by name, so that the order of the rows cannot show.
        counts = counts.iloc[np.lexsort((counts.index.astype(str), -counts.to_numpy()))]
        kept = counts[counts >= threshold]
        if kept.empty:
            raise GeneratorError(
                f"Column {column!r} has no category shared by {threshold} rows or more: group its values or "
                "leave it out."
            )
        self.values = kept.index.to_numpy(object)
        self.edges = np.concatenate([[0], np.cumsum(kept.to_numpy(float)) / kept.sum()])

    def at(self, u: np.ndarray) -> pd.Series:
        place = np.searchsorted(self.edges, u, side="right") - 1
        return pd.Series(self.values[np.clip(place, 0, len(self.values) - 1)], dtype=object)

    def midrank(self, values: pd.Series) -> np.ndarray:
        middle = (self.edges[:-1] + self.edges[1:]) / 2
        lookup = {value: rank for value, rank in zip(self.values, middle, strict=True) if not pd.isna(value)}
        blank = middle[pd.isna(self.values)][0] if pd.isna(self.values).any() else 0.5
        ranks = values.astype(object).map(lookup)
        return ranks.mask(values.isna(), blank).fillna(0.5).to_numpy(float)


class NumberMargin(Margin):
    """Quantile bins of a numeric or date column, with the share of blanks in front."""

    def __init__(self, values: pd.Series, field: dict, decimals: int, bins: int, threshold: int):
        self.field, self.decimals = field, decimals
        numbers = as_number(values)
        known = numbers[~np.isnan(numbers)]
        if len(known) < threshold:
            raise GeneratorError(
                f"Column {field['name']!r} has only {len(known)} values: fewer than the {threshold} a bin "
                "must hold."
            )
        self.blank = 1 - len(known) / len(numbers)
        bins = int(np.clip(len(known) // threshold, 1, bins))
        tail = np.clip(1 / max(1, len(known) - 1), 0.005, 0.5)  # at least one row at each end
        low, high = np.quantile(known, [tail, 1 - tail])
        inner = np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])
        self.edges = np.concatenate([[low], np.clip(inner, low, high), [high]])
        self.spike = self._common_values(known, threshold)

    @staticmethod
    def _common_values(known: np.ndarray, threshold: int) -> np.ndarray:
        """Values that a twentieth of the rows share, such as zero: drawn exactly, or 0 becomes 0.37."""
        values, counts = np.unique(known, return_counts=True)
        return values[counts >= max(threshold, len(known) / 20)]

    def at(self, u: np.ndarray) -> pd.Series:
        known = u >= self.blank
        rank = np.where(known, (u - self.blank) / max(1 - self.blank, 1e-12), 0)
        numbers = np.interp(rank, np.linspace(0, 1, len(self.edges)), self.edges)
        numbers = self._snapped(numbers)
        return from_number(np.where(known, numbers, np.nan), self.field, self.decimals)

    def _snapped(self, numbers: np.ndarray) -> np.ndarray:
        """Move a number onto a common value if it lies closer to it than a thousandth of the range."""
        reach = (self.edges[-1] - self.edges[0]) / 1000
        for value in self.spike:
            numbers = np.where(np.abs(numbers - value) <= reach, value, numbers)
        return numbers

    def midrank(self, values: pd.Series) -> np.ndarray:
        numbers = as_number(values)
        # A value that spans several bins (zero, say) gets the middle of them.
        grid = np.linspace(0, 1, len(self.edges))
        low = np.interp(numbers, self.edges, grid, left=0, right=1)
        first = grid[np.clip(np.searchsorted(self.edges, numbers, side="left"), 0, len(grid) - 1)]
        last = grid[np.clip(np.searchsorted(self.edges, numbers, side="right") - 1, 0, len(grid) - 1)]
        rank = np.where(last > first, (first + last) / 2, low)
        return np.where(np.isnan(numbers), self.blank / 2, self.blank + (1 - self.blank) * rank)
