"""Output checks: is a table of results, made from real people's data, safe to take out?

Fidelity, utility and privacy judge a synthetic table. This part judges the other thing that leaves a safe
setting: published counts and sums. ACRO, which the labs use, checks whole analyses. Here are the two rules of
dominance it applies to sums and means of money or size, so that they can be read and worked by hand.

Thresholds differ between bodies; they state how much risk a body accepts. Say whose you use.
"""

import numpy as np
import pandas as pd

from course.measure import _tables


def p_ratio(values):
    """Return the p-ratio of the contributions to one cell: how well the largest is hidden.

    (total - largest - second largest) / largest: what is left of the total for the second largest
    contributor, who knows their own, to be unsure about the largest. 0 means that they can work it out; ACRO
    calls a cell unsafe below 0.10. Blanks are left out; with one contribution, or none above 0, it is 0.
    Range 0 upwards; higher is safer. Raises ValueError for negative values, which have no largest share.
    Source: Hundepool and others, Statistical Disclosure Control (2012), section 4.2.

    >>> p_ratio([100, 40, 3, 2])
    0.05
    """
    values = _contributions(values)
    if len(values) < 2 or values[0] == 0:
        return 0.0
    return float((values.sum() - values[0] - values[1]) / values[0])


def nk(values, n=2):
    """Return the share of a cell's total that its `n` largest contributors have (the NK rule).

    ACRO calls a cell unsafe from 0.90 for n=2. Blanks are left out; a total of 0 gives 1. Range n/rows to 1;
    lower is safer. Raises ValueError for negative values.
    Source: Hundepool and others, Statistical Disclosure Control (2012), section 4.2.

    >>> nk([50] * 10)
    0.2
    """
    values = _contributions(values)
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1.")
    return float(values[:n].sum() / values.sum()) if len(values) and values[0] > 0 else 1.0


def dominance(table, value, by):
    """Return both rules for every cell of a table of sums, as a DataFrame.

    `value` is the column that is summed, `by` the columns that make the cells. One row per cell: the columns
    of `by`, rows (contributors that are not blank), total, p_ratio, nk. Thresholds are the reader's to set:
    `found[(found["rows"] < 10) | (found["p_ratio"] < 0.1) | (found["nk"] >= 0.9)]`.

    >>> sales = pd.DataFrame({"area": ["N", "N", "N", "S"], "turnover": [90, 5, 5, 10]})
    >>> dominance(sales, "turnover", "area")[["area", "rows", "nk"]].to_dict("records")
    [{'area': 'N', 'rows': 3, 'nk': 0.95}, {'area': 'S', 'rows': 1, 'nk': 1.0}]
    """
    by = _tables.names(by, "cells")
    _tables.check(table, [value, *by], "given", rows=1)
    _contributions(table[value])
    ordered = table[[*by, value]].dropna(subset=[value]).sort_values(value, ascending=False, kind="stable")
    cells = ordered.groupby(by, dropna=False, observed=True)[value]
    found = cells.agg(rows="size", total="sum", first="max")
    top = ordered.groupby(by, dropna=False, observed=True).head(2)
    top = top.groupby(by, dropna=False, observed=True)[value].sum()
    rest, first, total = found["total"] - top, found.pop("first"), found["total"]
    found["p_ratio"] = (rest / first.where(first > 0)).fillna(0).where(found["rows"] > 1, 0)
    found["nk"] = (top / total.where(total > 0)).fillna(1)
    return found.reset_index()


def _contributions(values):
    """The values that are not blank, largest first, as floats."""
    values = pd.to_numeric(pd.Series(values)).dropna().to_numpy(float)
    if (values < 0).any():
        raise ValueError("A contribution is negative, and the dominance rules are for values of 0 or more.")
    return np.sort(values)[::-1]
