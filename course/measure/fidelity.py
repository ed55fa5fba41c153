"""Fidelity: how closely a synthetic table follows the original, in figures that can be explained.

One column: `total_variation`, `jensen_shannon`, `ks`, `wasserstein`, and `columns` for a whole table.
Two columns: `association`, `pairs`, and `contingency` for the cells of a cross-table of any number of them.
All at once: `pmse`, whose expected value is known, and `detection`, which finds relations of any shape.
Inside groups of people: `by_group`.

Fidelity says nothing about privacy. A verbatim copy of the original scores best on every measure here.
A measure is never exactly zero for two honest samples: chance alone moves it. Compare the figure for the
synthetic table with the figure for a control part of real people.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from course.measure import _tables

_CALLED = ("original", "synthetic")
# How the kinds of `course.data.Schema.kind` are compared.
_SCHEMA_KINDS = {
    "categorical": "text",
    "text": "text",
    "identifier": "text",
    "numeric": "number",
    "date": "date",
}


def total_variation(original, synthetic):
    """Return the total variation distance between two columns of categories.

    Half the sum, over all values, of the difference in share: the share of rows that would have to
    change value for the two columns to have the same shares. Blanks count as a value.
    Range 0 (same shares) to 1 (no value in common); lower is closer.
    Source: Levin and Peres, Markov Chains and Mixing Times (2017), proposition 4.2.

    >>> total_variation(pd.Series(["a", "a", "b", "c"]), pd.Series(["a", "b", "b", None]))
    0.5
    """
    return _moved(*_shares(*_tables.codes("the column", _two(original, synthetic), _CALLED)))


def jensen_shannon(original, synthetic):
    """Return the Jensen-Shannon distance between two columns of categories.

    The root of the Jensen-Shannon divergence in bits: how much one value tells, on average, about which
    table it came from. Unlike `total_variation` it weighs a lost rare value more than the same share taken
    from a common one. Blanks count as a value. Put numbers in bands first (`privacy.band`).
    Range 0 (same shares) to 1 (no value in common); lower is closer.
    Source: Endres and Schindelin, IEEE Transactions on Information Theory 49 (2003).

    >>> round(jensen_shannon(pd.Series(["a", "a"]), pd.Series(["a", "b"])), 4)
    0.5579
    """
    shares = _shares(*_tables.codes("the column", _two(original, synthetic), _CALLED))
    middle = sum(shares) / 2
    parts = [
        share * np.log2(np.divide(share, middle, where=share > 0, out=np.ones(len(share))))
        for share in shares
    ]
    return float(np.sqrt(max(0.0, np.sum(parts) / 2)))


def _shares(first, second):
    """The share of rows with each code, in two tables."""
    size = max(first.max(), second.max()) + 1
    return [np.bincount(part, minlength=size) / len(part) for part in (first, second)]


def _moved(first, second):
    """The share of rows that would have to move for two lists of shares to be alike."""
    return float(np.abs(first - second).sum() / 2)


def ks(original, synthetic):
    """Return the Kolmogorov-Smirnov distance between two columns of numbers or dates.

    The largest gap between the two cumulative shares, at any value. Blanks are left out: compare
    the shares of blanks as well, as `columns` does.
    Range 0 (same distribution) to 1 (no overlap); lower is closer.
    Source: Massey, Journal of the American Statistical Association 46 (1951).

    >>> ks(pd.Series([1, 2, 3, 4]), pd.Series([3, 4, 5, 6, None]))
    0.5
    """
    first, second = _present(original, synthetic)
    points = np.concatenate([first, second])
    gap = np.searchsorted(first, points, "right") / len(first)
    gap = gap - np.searchsorted(second, points, "right") / len(second)
    return float(np.abs(gap).max())


def wasserstein(original, synthetic):
    """Return the Wasserstein-1 distance between two columns of numbers, in original standard deviations.

    How far values must move, on average, to turn one distribution into the other, divided by the
    standard deviation of the original so that columns in different units can be compared. Blanks are
    left out. Range 0 (same distribution) upwards without limit; lower is closer. Unlike `ks` it sees
    how far a tail has moved. Raises ValueError where the original does not vary.
    Source: Villani, Optimal Transport (2009), chapter 6.

    >>> wasserstein(pd.Series([0, 2]), pd.Series([1, 3]))
    1.0
    """
    first, second = _present(original, synthetic)
    spread = first.std()
    if spread == 0:
        raise ValueError("The original column has one value only, so there is no spread to measure by.")
    points = np.sort(np.concatenate([first, second]))
    below = np.searchsorted(first, points[:-1], "right") / len(first)
    below_synthetic = np.searchsorted(second, points[:-1], "right") / len(second)
    return float(np.sum(np.abs(below - below_synthetic) * np.diff(points)) / spread)


def columns(original, synthetic, schema=None):
    """Compare two tables one column at a time.

    Categories and yes/no columns are compared by `total_variation`, numbers and dates by `ks`.
    `schema` (a `course.data.Schema`, or anything with `.columns` and `.kind(column)`) decides how each
    column is read; without one, the pandas types decide. Identifiers are listed and not compared.

    Returns a DataFrame, one row per column: column, kind, measure, value (0 same, 1 nothing in
    common), blank_original and blank_synthetic (shares of rows), description.

    >>> table = pd.DataFrame({"age": [20, 30, 40], "tenure": ["rent", "rent", "own"]})
    >>> columns(table, table)[["column", "measure", "value"]].to_dict("records")[1]
    {'column': 'tenure', 'measure': 'total variation', 'value': 0.0}
    """
    listed = list(original.columns if schema is None else schema.columns)
    for table, called in ((original, "original"), (synthetic, "synthetic")):
        _tables.check(table, listed, called)
    return pd.DataFrame(
        [_column_row(column, original[column], synthetic[column], schema) for column in listed]
    )


def _column_row(column, original, synthetic, schema):
    """One row of `columns`: which measure, its value, and what it is in words."""
    stated = None if schema is None else schema.kind(column)
    kind, parts = _tables.alike(column, [original, synthetic], _CALLED, _SCHEMA_KINDS.get(stated))
    blanks = [float(part.isna().mean()) for part in parts]
    row = {"column": column, "kind": stated or {"text": "categorical", "number": "numeric"}.get(kind, kind)}
    if stated == "identifier":
        measure, value = "not compared", np.nan
        words = "An identifier: its values only tell rows apart."
    elif kind != "text" and max(blanks) == 1:
        measure, value = "not compared", np.nan
        words = "Every row is blank in one of the tables, so there are no values to compare."
    elif kind == "text":
        codes = _tables.codes(column, parts, _CALLED, "text")
        shares = _shares(*codes)
        measure, value = "total variation", _moved(*shares)
        levels = len(shares[0]) - (max(blanks) > 0)
        over = f"{levels} values" + (" and blank" if max(blanks) > 0 else "")
        words = f"Share of rows that would have to change value to match, over {over}."
    else:
        measure, value = "Kolmogorov-Smirnov", ks(*parts)
        words = "Largest gap between the two cumulative shares, over rows that are not blank."
    row |= {"measure": measure, "value": value}
    return row | {"blank_original": blanks[0], "blank_synthetic": blanks[1], "description": words}


def association(first, second):
    """Return how strongly two columns of one table go together.

    Two columns of numbers (or dates): Pearson's correlation, -1 to 1, over rows where neither is
    blank. Two columns of categories: Cramér's V, 0 to 1, with Bergsma's correction. One of each: the
    correlation ratio, 0 to 1, with Kelley's correction, over rows where the number is not blank. The
    corrections make unrelated columns score about 0 however many categories they have. Among
    categories a blank is a value. A column that does not vary scores 0.
    Sources: Bergsma, Journal of the Korean Statistical Society 42 (2013); Kelley, Proceedings of the
    National Academy of Sciences 21 (1935).

    >>> association(pd.Series([1, 2, 3, 4]), pd.Series([2, 4, 6, 8]))
    1.0
    >>> association(pd.Series(["a", "b"] * 50), pd.Series(["x", "y"] * 50))
    1.0
    """
    return _association([_prepared("the first column", first), _prepared("the second column", second)])[1]


def _prepared(column, series):
    """A column ready for `_association`: ("number", floats) or ("text", codes)."""
    kind, (values,) = _tables.alike(column, [series], ("given",))
    if kind == "text":
        return "text", _tables.codes(column, [values], ("given",))[0]
    return "number", values.to_numpy(dtype=float)


def _association(pair):
    """The name of the measure that fits the two kinds, and its value."""
    (kind_a, a), (kind_b, b) = sorted(pair, key=lambda column: column[0])
    if (kind_a, kind_b) == ("number", "number"):
        return "Pearson correlation", _pearson(a, b)
    if (kind_a, kind_b) == ("text", "text"):
        return "Cramér's V", _cramers_v(a, b)
    return "correlation ratio", _correlation_ratio(a, b)


def _pearson(a, b):
    both = ~(np.isnan(a) | np.isnan(b))
    a, b = a[both], b[both]
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))


def _cramers_v(a, b):
    """Bias-corrected V. Chi-squared needs only the cells that occur, so no table is laid out."""
    n = len(a)
    (a, rows), (b, cols) = (_tables.renumber(code, int(code.max()) + 1) for code in (a, b))
    if min(rows, cols) < 2:
        return 0.0
    cell_a, cell_b, count = _tables.cells(a, b)
    phi2 = np.sum(count**2 / (np.bincount(a)[cell_a] * np.bincount(b)[cell_b])) - 1
    phi2 = max(0.0, phi2 - (rows - 1) * (cols - 1) / (n - 1))
    smaller = min(rows - (rows - 1) ** 2 / (n - 1), cols - (cols - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi2 / smaller))) if smaller > 0 else 0.0


def _correlation_ratio(numbers, groups):
    present = ~np.isnan(numbers)
    numbers, groups = numbers[present], groups[present]
    n = len(numbers)
    groups = _tables.renumber(groups, int(groups.max()) + 1)[0] if n else groups
    size = np.bincount(groups)
    total = np.sum((numbers - numbers.mean()) ** 2) if n else 0.0
    if total == 0 or len(size) < 2 or n <= len(size):
        return 0.0
    means = np.bincount(groups, weights=numbers) / size
    within = np.sum((numbers - means[groups]) ** 2)
    return float(np.sqrt(max(0.0, 1 - (n - 1) / (n - len(size)) * within / total)))


def pairs(original, synthetic, columns=None, schema=None):
    """Compare the association of every pair of columns in two tables.

    See `association` for the measure each pair gets. `columns` defaults to all columns of the
    original, without identifiers where a `schema` says which they are.

    Returns a DataFrame, one row per pair: first, second, measure, original, synthetic, difference
    (synthetic minus original; 0 is the same strength, the further from 0 the more was lost or added).

    >>> table = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 4, 6, 8]})
    >>> pairs(table, table.assign(b=[8, 6, 4, 2]))["difference"].tolist()
    [-2.0]
    """
    if columns is None:
        columns = [c for c in original.columns if schema is None or schema.kind(c) != "identifier"]
    columns = _tables.names(columns)
    for table, called in ((original, "original"), (synthetic, "synthetic")):
        _tables.check(table, columns, called)
    ready = {column: _prepared_both(column, original, synthetic, schema) for column in columns}
    found = []
    for first, second in combinations(columns, 2):
        measure, real = _association([ready[first][0], ready[second][0]])
        made = _association([ready[first][1], ready[second][1]])[1]
        found.append((first, second, measure, real, made, made - real))
    return pd.DataFrame(found, columns=["first", "second", "measure", "original", "synthetic", "difference"])


def contingency(original, synthetic, columns):
    """Return the total variation distance between the cross-tables of some columns.

    The share of people who would have to move to another cell for the two cross-tables to be alike: 1 less
    SDMetrics' contingency similarity, for any number of columns. Put numbers in bands first. A cross-table
    with many cells is never alike for two samples, so read it beside the control's.
    Range 0 (same shares in every cell) to 1 (no cell in common); lower is closer.
    Source: Levin and Peres, Markov Chains and Mixing Times (2017), proposition 4.2.

    >>> table = pd.DataFrame({"sex": ["F", "F", "M", "M"], "tenure": ["own", "rent", "own", "rent"]})
    >>> contingency(table, table.assign(tenure=["own", "own", "rent", "rent"]), ["sex", "tenure"])
    0.5
    """
    columns = _tables.names(columns)
    for table, called in ((original, "original"), (synthetic, "synthetic")):
        _tables.check(table, columns, called)
    first, second = _tables.combine(
        [_tables.codes(column, [original[column], synthetic[column]], _CALLED) for column in columns]
    )
    return _moved(*_shares(first, second))


def _prepared_both(column, original, synthetic, schema):
    """The same column of both tables, each ready for `_association`."""
    wanted = None if schema is None else _SCHEMA_KINDS.get(schema.kind(column))
    parts = [original[column], synthetic[column]]
    kind, parts = _tables.alike(column, parts, _CALLED, wanted)
    if kind == "text":
        return [("text", code) for code in _tables.codes(column, parts, _CALLED)]
    return [("number", part.to_numpy(dtype=float)) for part in parts]


class PMSE(NamedTuple):
    """What `pmse` found. `ratio` near 1 is what a correct synthesis gives."""

    value: float  # the propensity score mean squared error itself
    expected: float  # what a correct synthesis gives on average
    ratio: float  # value / expected
    fresh_sample: float  # the ratio that a fresh sample of real people gives on average, 1/(1 - c)
    parameters: int  # of the logistic model, the intercept left out


def pmse(original, synthetic, columns=None, order=1, most=10):
    """Return the propensity score mean squared error with its expected value (a `PMSE`).

    A logistic model tries to tell synthetic rows from original rows. With c the share of synthetic
    rows among all N, the value is the mean of (predicted probability - c) squared: 0 if the model
    cannot tell at all, up to c(1 - c). A correct synthesis gives parameters * c(1 - c)^2 / N on average, so
    read the ratio: about 1 for a correct synthesis, about 1/(1 - c) for a fresh sample of real people,
    which is 2 for tables of equal size; larger means the tables can be told apart. Under 1 means the
    synthetic table is closer to the original than chance allows: look for copied rows.

    The model sees numbers (blanks as their mean, with a mark) and the `most` commonest values of each
    category column, the rest together. With order=1 it sees one column at a time, so a table that
    keeps each column and loses every relation still scores about 1; order=2 adds each pair.
    Source: Snoke, Raab, Nowok, Dibben and Slavković, JRSS A 181 (2018).

    >>> table = pd.DataFrame({"sex": ["F", "M"] * 50})
    >>> pmse(table, table).ratio
    0.0
    """
    columns = _tables.names(original.columns if columns is None else columns)
    for table, called in ((original, "original"), (synthetic, "synthetic")):
        _tables.check(table, columns, called)
    design = _design(original, synthetic, columns, order, most)
    made = np.repeat([0.0, 1.0], [len(original), len(synthetic)])
    share, total = made.mean(), len(made)
    parameters = int(np.linalg.matrix_rank(design.T @ design, hermitian=True)) - 1
    if parameters == 0:
        raise ValueError("None of the columns varies, so there is nothing to tell the tables apart by.")
    value = float(np.mean((_fitted_probability(design, made) - share) ** 2))
    expected = parameters * share * (1 - share) ** 2 / total
    ratio = value / expected
    return PMSE(round(value, 15), expected, round(ratio, 9), 1 / (1 - share), parameters)


def _design(original, synthetic, columns, order, most, limit=500):
    """The model's columns: an intercept, each column, and for order 2 the products of pairs."""
    if order not in (1, 2):
        raise ValueError("order must be 1 (columns one at a time) or 2 (pairs as well).")
    blocks = [_block(column, original[column], synthetic[column], most) for column in columns]
    if order == 2:
        size = sum(a.shape[1] * b.shape[1] for a, b in combinations(blocks, 2))
        if size > limit:
            raise ValueError(
                f"Pairs of these columns need {size:,} parameters and {limit} is the most that can be "
                "fitted well; name fewer columns, or give a smaller `most`."
            )
        products = [(a[:, :, None] * b[:, None, :]).reshape(len(a), -1) for a, b in combinations(blocks, 2)]
        blocks = blocks + products
    return np.column_stack([np.ones(len(original) + len(synthetic)), *blocks])


def _block(column, original, synthetic, most):
    """One column as model columns of mean 0: scaled numbers with a mark for blanks, or one per category."""
    kind, parts = _tables.alike(column, [original, synthetic], _CALLED)
    if kind == "text":
        code = np.concatenate(_tables.codes(column, parts, _CALLED))
        counts = np.bincount(code)
        common = np.argsort(-counts, kind="stable")
        # One category, or the rest together, has no column: its rows are those the others do not claim.
        common = common[:most] if np.count_nonzero(counts) > most else common[1:]
        block = (code[:, None] == common[None, :]).astype(float)
    else:
        values = pd.concat(parts).to_numpy(dtype=float)
        blank = np.isnan(values)
        filled = np.where(blank, np.nanmean(values) if not blank.all() else 0.0, values)
        block = np.column_stack([filled / (filled.std() or 1.0), blank]) if blank.any() else filled[:, None]
    block = block - block.mean(axis=0)
    scale = block.std(axis=0)
    return block / np.where(scale == 0, 1.0, scale)


def _fitted_probability(design, outcome, steps=25):
    """Fitted probabilities of a logistic regression (Newton's method).

    A trace of ridge keeps the step defined when model columns repeat each other, or when a value is
    found in one table only and its coefficient would run away.
    """
    coefficient = np.zeros(design.shape[1])
    ridge = 1e-6 * np.eye(design.shape[1])
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-np.clip(design @ coefficient, -30, 30)))
        weight = probability * (1 - probability)
        curvature = (design * weight[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, design.T @ (outcome - probability) - 1e-6 * coefficient)
        coefficient += step
        if np.abs(step).max() < 1e-8:
            break
    return 1 / (1 + np.exp(-np.clip(design @ coefficient, -30, 30)))


class Detection(NamedTuple):
    """What `detection` found: the area under the curve (AUC) with its 95% interval."""

    auc: float  # 0.5: the model cannot tell; 1: it always can
    low: float
    high: float
    gives_away: pd.DataFrame  # column, importance: how much the AUC drops when the column is shuffled


def detection(original, synthetic, columns=None, *, most=20_000, seed=0):
    """Return how well trees tell synthetic rows from original ones (a `Detection`).

    Boosted trees are trained on half of both tables and tested on the other half. The AUC is the chance
    that a synthetic row gets a higher score than an original one. Unlike `pmse` the model sees relations
    of any shape, and has no known null: compare with the figure for the control part, which is about 0.5.
    At most `most` rows of each table are used, drawn at random, and equally many of each. Range 0.5 to 1,
    but for chance; lower is closer. A verbatim copy scores at or below 0.5.
    Source: the classifier two-sample test, Lopez-Paz and Oquab, ICLR (2017). Interval: Hanley and McNeil,
    Radiology 143 (1982).

    >>> rows = pd.DataFrame({"a": range(400), "b": range(400)})
    >>> detection(rows, rows.assign(b=rows["b"].to_numpy()[::-1])).auc > 0.9
    True
    """
    columns = _tables.names(original.columns if columns is None else columns)
    for table, called in ((original, "original"), (synthetic, "synthetic")):
        _tables.check(table, columns, called, rows=20)
    rng = np.random.default_rng(seed)
    rows = min(len(original), len(synthetic), most)
    parts = [table[columns].take(rng.permutation(len(table))[:rows]) for table in (original, synthetic)]
    design, kinds = _as_features(columns, *parts)
    made = np.repeat([0, 1], rows)
    return _told_apart(design, made, kinds, np.tile(np.arange(rows) < rows // 2, 2), columns, rng)


def _as_features(columns, first, second):
    """Two tables, one under the other, as an array a tree can split on, and which columns are categories."""
    features, categories = [], []
    for column in columns:
        kind, parts = _tables.alike(column, [first[column], second[column]], _CALLED)
        values = np.concatenate(_tables.codes(column, parts, _CALLED) if kind == "text" else parts)
        if kind == "text":  # the rarest of very many categories go together
            order = np.argsort(-np.bincount(values), kind="stable")
            rank = np.empty(len(order), int)
            rank[order] = np.arange(len(order))
            values = np.minimum(rank[values], 250)
        features.append(values.astype(float))
        categories.append(kind == "text")
    return np.column_stack(features), categories


def _told_apart(design, made, categories, train, columns, rng):
    """Fit trees on the rows of `train`, and judge them on the others."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        categorical_features=categories, max_iter=100, early_stopping=False, random_state=0
    ).fit(design[train], made[train])
    test, truth = design[~train], made[~train]
    reached = auc(model.predict_proba(test)[:, 1], truth)
    lost = []
    for i in range(len(columns)):
        shuffled = test.copy()
        shuffled[:, i] = rng.permutation(shuffled[:, i])
        lost.append(reached - auc(model.predict_proba(shuffled)[:, 1], truth))
    found = pd.DataFrame({"column": columns, "importance": lost})
    found = found.sort_values("importance", ascending=False, kind="stable", ignore_index=True)
    return Detection(reached, *_auc_interval(reached, int(truth.sum()), int((1 - truth).sum())), found)


def auc(score, truth):
    """Return the area under the curve: the chance that a random row of class 1 scores above one of class 0.

    `score` and `truth` (0 and 1) are arrays of one length. A tie counts half. Range 0 to 1; 0.5 is no better
    than chance. Source: Hanley and McNeil, Radiology 143 (1982).

    >>> auc(np.array([1, 2, 3, 4]), np.array([0, 0, 1, 1]))
    1.0
    """
    from scipy.stats import rankdata

    ones = int(truth.sum())
    above = rankdata(score)[truth == 1].sum() - ones * (ones + 1) / 2
    return float(above / (ones * (len(truth) - ones)))


def _auc_interval(area, ones, zeros):
    """Hanley and McNeil's 95% interval of an AUC."""
    both, one = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (ones - 1) * (both - area**2) + (zeros - 1) * (one - area**2)
    reach = 1.959963984540054 * np.sqrt(max(variance, 0) / (ones * zeros))
    return float(max(0, area - reach)), float(min(1, area + reach))


def by_group(original, synthetic, group, column, measure=total_variation):
    """Compare two tables inside each group of people, because an average can hide a lost group.

    With the name of one `column`, `measure` is a function of two columns: `total_variation`,
    `jensen_shannon`, `ks`, `wasserstein`. With a list of columns it is a function of two tables that have
    those columns, and returns one number: `lambda real, made: pmse(real, made).ratio`.

    Returns a DataFrame, one row per value of `group` found in the original (blank is a group), smallest
    group first: group, rows_original, rows_synthetic, measure, value. The value is missing where the group
    has too few rows, or too few values, to be measured. Small groups vary more by chance alone: read the row
    counts. Raises ValueError where no group can be measured.

    >>> table = pd.DataFrame({"region": ["N", "N", "S", "S"], "tenure": ["own", "rent", "own", "own"]})
    >>> made = table.assign(tenure=["rent", "rent", "own", "own"])
    >>> by_group(table, made, "region", "tenure")["value"].tolist()
    [0.5, 0.0]
    """
    for table, called in ((original, "original"), (synthetic, "synthetic")):
        _tables.check(table, _tables.names([group, *_tables.names(column)]), called)
    codes = _tables.codes(group, [original[group], synthetic[group]], _CALLED)
    parts = _ready_for(original, synthetic, column)
    rows, trouble = [], None
    for code in pd.unique(codes[0]):
        inside, inside_made = (part[of == code] for part, of in zip(parts, codes, strict=True))
        try:
            value = float(measure(inside, inside_made))
        except ValueError as error:
            value, trouble = np.nan, error
        label = original[group].iloc[int(np.argmax(codes[0] == code))]
        rows.append((label, len(inside), len(inside_made), measure.__name__, value))
    found = pd.DataFrame(rows, columns=["group", "rows_original", "rows_synthetic", "measure", "value"])
    if trouble and found["value"].isna().all():
        raise ValueError(f"No group of {group!r} could be measured. The last one says: {trouble}")
    return found.sort_values("rows_original", kind="stable", ignore_index=True)


def _ready_for(original, synthetic, column):
    """What `by_group` splits: one column of both tables made alike, or a table of several columns."""
    if isinstance(column, str):
        return _tables.alike(column, [original[column], synthetic[column]], _CALLED)[1]
    columns = _tables.names(column)
    return original[columns], synthetic[columns]


def _two(original, synthetic):
    """Both columns as Series, each with at least one row."""
    parts = [pd.Series(original), pd.Series(synthetic)]
    for part, called in zip(parts, _CALLED, strict=True):
        if len(part) == 0:
            raise ValueError(f"The {called} column has no rows; give a column with at least one.")
    return parts


def _present(original, synthetic):
    """Both columns as sorted floats without blanks."""
    kind, parts = _tables.alike("the column", _two(original, synthetic), _CALLED)
    if kind == "text" and any(part.notna().any() for part in parts):
        raise ValueError("The column holds categories, not numbers; use total_variation instead.")
    values = [np.sort(part.dropna().to_numpy(dtype=float)) for part in parts]
    for value, called in zip(values, _CALLED, strict=True):
        if len(value) == 0:
            raise ValueError(f"Every row of the {called} column is blank, so there are no values to compare.")
    return values
