"""Utility: does the analysis you need give the same answer on the synthetic table?

An estimate is computed on the training part, on the control part and on the synthetic table (`compare`),
with its 95% interval each time. The control part shows how far two samples of real people differ by chance.
Estimates: `rate`, `rate_difference`, `slope`. How far two intervals agree: `ci_overlap`.

The interval of an estimate on a synthetic table treats its rows as real people. It does not cover the luck of
synthesis, so it is too narrow as a statement about the population: look at several tables.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from course.measure import _tables


class Estimate(NamedTuple):
    """One estimate with its 95% interval and the number of rows it rests on."""

    name: str
    value: float
    low: float
    high: float
    rows: int


def rate(table, column, value, among=None):
    """Return the share of rows where `column` equals `value`, as an `Estimate` with Wilson's interval.

    `among` keeps only some rows: a dict of column to value. Rows where `column` is blank are left out. In
    the units of a share, 0 to 1. Raises ValueError where no row is left.
    Source: Wilson, Journal of the American Statistical Association 22 (1927).

    >>> table = pd.DataFrame({"arrears": ["Y", "N", "N", "N"], "credit": ["Y", "Y", "N", "N"]})
    >>> rate(table, "arrears", "Y", among={"credit": "Y"}).value
    0.5
    """
    among = among or {}
    _tables.check(table, [column, *among], "given", rows=1)
    chosen = table[column][_rows_where(table, among) & table[column].notna()]
    if len(chosen) == 0:
        raise ValueError(f"No row has a value of {column!r} where {_words(among)}; choose another group.")
    low, high = _wilson(int((chosen == value).sum()), len(chosen))
    name = f"share with {column} = {value}" + (f" where {_words(among)}" if among else "")
    return Estimate(name, float((chosen == value).mean()), low, high, len(chosen))


def rate_difference(table, column, value, group, first, second):
    """Return the rate where `group` is `first` minus the rate where it is `second`, as an `Estimate`.

    The rate is the share of rows where `column` equals `value`; the interval is Newcombe's hybrid score
    interval. Range -1 to 1; 0 is no difference.
    Source: Newcombe, Statistics in Medicine 17 (1998), method 10.

    >>> table = pd.DataFrame({"arrears": ["Y", "N", "N", "N"], "credit": ["Y", "Y", "N", "N"]})
    >>> rate_difference(table, "arrears", "Y", "credit", "Y", "N").value
    0.5
    """
    a, b = (rate(table, column, value, {group: side}) for side in (first, second))
    difference = a.value - b.value
    low = difference - np.hypot(a.value - a.low, b.high - b.value)
    high = difference + np.hypot(a.high - a.value, b.value - b.low)
    name = f"share with {column} = {value}, {group} = {first} minus {second}"
    return Estimate(name, difference, float(low), float(high), a.rows + b.rows)


def slope(table, outcome, predictor):
    """Return the least-squares slope of `outcome` on `predictor` (numbers), as an `Estimate`.

    In units of the outcome for one unit of the predictor (a day, if it is a date), with the usual t
    interval. Rows with a blank in either are left out. Raises ValueError with fewer than 3 rows or a
    predictor that does not vary.
    Source: Draper and Smith, Applied Regression Analysis (1998), chapter 1.

    >>> slope(pd.DataFrame({"score": [1, 3, 5, 7], "age": [0, 1, 2, 3]}), "score", "age").value
    2.0
    """
    from scipy.special import stdtrit

    _tables.check(table, [outcome, predictor], "given", rows=1)
    x, y = (_numbers(c, table[c]) for c in (predictor, outcome))
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if len(x) < 3 or x.std() == 0:
        raise ValueError(f"A slope needs at least 3 rows and a {predictor!r} that varies; choose other rows.")
    spread = np.sum((x - x.mean()) ** 2)
    value = np.sum((x - x.mean()) * (y - y.mean())) / spread
    left = y - y.mean() - value * (x - x.mean())
    error = np.sqrt(np.sum(left**2) / (len(x) - 2) / spread)
    reach = stdtrit(len(x) - 2, 0.975) * error
    name = f"slope of {outcome} on {predictor}"
    return Estimate(name, float(value), float(value - reach), float(value + reach), len(x))


def _numbers(column, values):
    """A column of numbers, or of dates as days since 1970, as floats. ValueError for anything else."""
    wanted = "date" if _tables.kind(values) == "date" else "number"
    return _tables.alike(column, [values], ("given",), wanted)[1][0].to_numpy()


def compare(tables, estimate):
    """Compute one estimate on several tables and see how far each interval overlaps the first.

    `tables` is a dict of name to DataFrame, the real one first; `estimate` is a function of one table that
    returns an `Estimate`. Returns a DataFrame, one row per table: table, estimate, value, low, high,
    rows, overlap (see `ci_overlap`; missing for the first).

    >>> table = pd.DataFrame({"arrears": ["Y", "N"] * 50})
    >>> both = {"training": table, "synthetic": table}
    >>> compare(both, lambda part: rate(part, "arrears", "Y"))["overlap"].tolist()
    [nan, 1.0]
    """
    found = {called: estimate(table) for called, table in tables.items()}
    first = next(iter(found.values()))
    rows = []
    for called, one in found.items():
        overlap = np.nan if one is first else ci_overlap(first, one)
        rows.append((called, one.name, one.value, one.low, one.high, one.rows, overlap))
    return pd.DataFrame(rows, columns=["table", "estimate", "value", "low", "high", "rows", "overlap"])


def ci_overlap(original, synthetic):
    """Return how far two 95% intervals overlap: the mean of the overlap's share of each.

    Takes two `Estimate`s, or two (low, high) pairs. 1 means equal intervals, 0 that they touch, below 0
    that there is a gap between them (one as long as an interval gives about -1). Higher is better, but 1 is
    not what to expect: a correct single synthesis gives 0.8 on average.
    Source: Karr, Kohnen, Oganian, Reiter and Sanil, The American Statistician 60 (2006).

    >>> ci_overlap((0, 2), (1, 3))
    0.5
    """
    (low_o, high_o), (low_s, high_s) = (_ends(interval) for interval in (original, synthetic))
    shared = min(high_o, high_s) - max(low_o, low_s)
    return float((shared / (high_o - low_o) + shared / (high_s - low_s)) / 2)


def _ends(interval):
    low, high = (interval.low, interval.high) if isinstance(interval, Estimate) else interval
    if not high > low:
        raise ValueError(f"An interval runs from {low} to {high}; its upper end must be above its lower end.")
    return low, high


def _rows_where(table, among):
    """A mask of the rows that hold all the wanted values."""
    mask = pd.Series(True, index=table.index)
    for column, value in among.items():
        mask &= (table[column] == value).fillna(False).astype(bool)
    return mask


def _words(among):
    return " and ".join(f"{column} = {value}" for column, value in among.items()) or "anything is allowed"


def _wilson(hits, rows, z=1.959963984540054):
    """Wilson's 95% interval for a share."""
    share = hits / rows
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return float(middle - reach), float(middle + reach)
