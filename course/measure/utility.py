"""Utility: does the analysis you need give the same answer on the synthetic table?

An estimate is computed on the training part, on the control part and on the synthetic table (`compare`),
with its 95% interval each time. The control part shows how far two samples of real people differ by chance.
Estimates: `rate`, `rate_difference`, `slope`, and `regression` for several coefficients at once. How far two
intervals agree: `ci_overlap`. Predictions: `tstr`.

The interval of an estimate on a synthetic table treats its rows as real people. It does not cover the luck of
synthesis, so it is too narrow as a statement about the population: make several tables, and `combine` them.
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


def regression(table, outcome, predictors, *, kind="linear"):
    """Fit a regression and return one `Estimate` for each coefficient, as a dict by name.

    `predictors` are columns of numbers, or of categories, which become one coefficient for each value but
    the commonest. kind="linear": least squares, coefficients in units of the outcome. kind="logistic": the
    outcome is a category with two values, and the coefficients are logs of odds ratios for the value that
    comes last in alphabetical order. 95% intervals by the usual t or normal approximation, from statsmodels.
    Rows with a blank number are left out; a blank category is a value. Raises ValueError where the model
    cannot be fitted.
    Source: Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression (2013), chapters 1 and 2.

    >>> table = pd.DataFrame({"pay": [1.0, 3, 5, 7, 2, 4], "age": [0, 1, 2, 3, 1, 2], "sex": list("FFFFMM")})
    >>> {name: round(one.value, 2) for name, one in regression(table, "pay", ["age", "sex"]).items()}
    {'age': 2.0, 'sex: M': -1.0}
    """
    import warnings

    import statsmodels.api as sm

    predictors = _tables.names(predictors, "predictors")
    _tables.check(table, [outcome, *predictors], "given", rows=3)
    design = pd.concat([_predictor(column, table[column]) for column in predictors], axis=1)
    answer, model = _outcome(outcome, table[outcome], kind)
    known = design.notna().all(axis=1).to_numpy() & ~np.isnan(answer)
    design, answer = sm.add_constant(design[known].astype(float), has_constant="add"), answer[known]
    if np.linalg.matrix_rank(design.to_numpy()) < design.shape[1] or len(design) <= design.shape[1]:
        raise ValueError(
            f"A regression on {', '.join(predictors)} has no single answer for {len(design)} rows: leave out "
            "a predictor that the others settle, or put rare values together."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fitted = model(answer, design)
    except Exception as error:
        raise ValueError(
            f"A {kind} regression of {outcome!r} could not be fitted: {' '.join(str(error).split())}"
        ) from error
    ends = fitted.conf_int()
    return {
        name: Estimate(name, float(fitted.params[name]), *map(float, ends.loc[name]), len(design))
        for name in design.columns[1:]
    }


def _predictor(column, values):
    """A predictor as model columns: a number, or 1 and 0 for each value but the commonest."""
    kind, (values,) = _tables.alike(column, [values], ("given",))
    if kind != "text":
        return values.rename(column)
    values = values.fillna("blank")
    first = values.mode().iloc[0]
    others = sorted(set(values) - {first})
    return pd.DataFrame({f"{column}: {other}": (values == other).astype(float) for other in others})


def _outcome(column, values, kind):
    """The outcome as floats, and the function that fits: of (answer, design)."""
    import statsmodels.api as sm

    if kind == "linear":
        return _numbers(column, values), lambda answer, design: sm.OLS(answer, design).fit()
    if kind != "logistic":
        raise ValueError('kind must be "linear" or "logistic".')
    found = sorted(values.dropna().unique(), key=str)
    if len(found) != 2:
        raise ValueError(
            f"A logistic regression needs an outcome of two values; {column!r} has {len(found)}."
        )
    answer = values.map({found[0]: 0.0, found[1]: 1.0}).astype(float).to_numpy()
    return answer, lambda answer, design: sm.Logit(answer, design).fit(disp=0)


def combine(estimates, original_rows, *, rule="fitted"):
    """Combine the same estimate from several synthetic tables into one, with an honest interval.

    `estimates` are `Estimate`s from m tables of k rows each, made from one original of n rows
    (`original_rows`). Their mean is the combined value. With v the mean of their variances and b the variance
    between them, the variance of the combined estimate is

    - rule="fitted": v/m + v k/n, for tables drawn from one fitted model (all generators of this course)
    - rule="proper": v (1 + k/n)/m + v k/n, where the model's parameters were drawn anew for each table
    - rule="partial": b/m + v k/n, where only some values or columns are synthetic; needs m of 2 or more

    It speaks of the population, if the model is right. A wrong model gives a wrong value with a short
    interval. Returns an `Estimate` in the same units.
    Source: Raab, Nowok and Dibben, Journal of Privacy and Confidentiality 7(3) (2016).

    >>> two = [Estimate("rate", 0.4, 0.3, 0.5, 100), Estimate("rate", 0.6, 0.5, 0.7, 100)]
    >>> [round(part, 3) for part in combine(two, 100)[1:4]]
    [0.5, 0.378, 0.622]
    """
    m = len(estimates)
    if rule not in ("fitted", "proper", "partial"):
        raise ValueError('rule must be "fitted", "proper" or "partial".')
    if m == 0 or (rule == "partial" and m < 2):
        raise ValueError(f"There are {m} estimates; give at least {2 if rule == 'partial' else 1}.")
    if len({one.name for one in estimates}) > 1:
        raise ValueError("The estimates have different names; combine the same estimate from each table.")
    values = np.array([one.value for one in estimates])
    within = np.mean([((one.high - one.low) / (2 * 1.959963984540054)) ** 2 for one in estimates])
    share = np.mean([one.rows for one in estimates]) / original_rows
    between = values.var(ddof=1) if m > 1 else 0.0
    first = {"fitted": within, "proper": within * (1 + share), "partial": between}[rule] / m
    reach = 1.959963984540054 * np.sqrt(first + within * share)
    rows = int(sum(one.rows for one in estimates))
    mean = float(values.mean())
    return Estimate(estimates[0].name, mean, float(mean - reach), float(mean + reach), rows)


def tstr(training, control, synthetic, target, predictors, *, group=None, seeds=5):
    """Train on synthetic, test on real (TSTR), beside train on real, test on real (TRTR).

    A model (boosted trees) that predicts `target`, a category, learns from the training part, and another of
    the same kind from the synthetic table. Both are tested on the control people, whom neither model nor
    generator has seen. Each is fitted `seeds` times, on samples of its rows drawn with replacement. With
    `group`, the test people are also split by a column of theirs.

    Returns a DataFrame: learned_from (training or synthetic), group ("everybody" first), people, auc (the
    chance that a random person with the target gets a higher score than one without; for several values,
    the mean over them, weighted by how common they are), low and high (lowest and highest of the seeds).
    0.5 is no better than chance; higher is better; a useful table comes close to training.
    Source: Esteban, Hyland and Rätsch (2017), arXiv 1706.02633, with a holdout that is real.

    >>> real = pd.DataFrame({"age": [20, 30, 60, 70] * 50, "owns": ["N", "N", "Y", "Y"] * 50})
    >>> tstr(real, real, real, "owns", ["age"])["auc"].tolist()
    [1.0, 1.0]
    """
    predictors = _tables.names(predictors, "predictors")
    if target in predictors:
        raise ValueError(f"{target!r} is both the target and a predictor; leave it out of one.")
    named = [target, *predictors, *([group] if group else [])]
    parts = {"training": training, "synthetic": synthetic, "control": control}
    for called, table in parts.items():
        _tables.check(table, named, called, rows=20)
    ready, kinds = _for_prediction(parts, target, predictors)
    people = _people_by(control, group)
    scores = {
        called: [_prediction(ready[called], ready["control"][0], kinds, seed) for seed in range(seeds)]
        for called in ("training", "synthetic")
    }
    rows = []
    for called, found in scores.items():
        for label, inside in people.items():
            auc = [_mean_auc(score[inside], ready["control"][1][inside]) for score in found]
            rows.append((called, label, int(inside.sum()), np.mean(auc), min(auc), max(auc)))
    return pd.DataFrame(rows, columns=["learned_from", "group", "people", "auc", "low", "high"])


def _for_prediction(parts, target, predictors):
    """Features and target codes of each table, and which features are categories."""
    called, tables = tuple(parts), list(parts.values())
    kinds = [_tables.alike(column, [table[column] for table in tables], called)[0] for column in predictors]
    columns = []
    for column, kind in zip(predictors, kinds, strict=True):
        series = [table[column] for table in tables]
        if kind == "text":
            codes = _tables.codes(column, series, called)
            columns.append([np.minimum(code, 250).astype(float) for code in codes])
        else:
            columns.append([part.to_numpy(float) for part in _tables.alike(column, series, called)[1]])
    answer = _tables.codes(target, [table[target] for table in tables], called)
    features = [np.column_stack(column) for column in zip(*columns, strict=True)]
    return dict(zip(called, zip(features, answer, strict=True), strict=True)), [k == "text" for k in kinds]


def _people_by(table, group):
    """Which test people are in which group: {label: mask}, everybody first."""
    people = {"everybody": np.ones(len(table), bool)}
    if group:
        labels = table[group].astype(object).where(table[group].notna(), "blank")
        people |= {str(label): (labels == label).to_numpy() for label in sorted(labels.unique(), key=str)}
    return people


def _prediction(learned, test, categories, seed):
    """The probability of every target code for each test person: an array of people x codes."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    features, answer = learned
    rows = np.random.default_rng(seed).integers(0, len(answer), len(answer))
    score = np.zeros((len(test), int(answer.max()) + 1))
    if len(np.unique(answer[rows])) == 1:
        score[:, answer[rows[0]]] = 1.0
        return score
    model = HistGradientBoostingClassifier(
        categorical_features=categories, max_iter=60, early_stopping=False, random_state=seed
    ).fit(features[rows], answer[rows])
    score[:, model.classes_.astype(int)] = model.predict_proba(test)
    return score


def _mean_auc(score, answer):
    """The AUC of each target code among these people, weighted by how common it is; nan where all agree."""
    from course.measure.fidelity import auc

    found, counts = np.unique(answer, return_counts=True)
    if len(found) < 2:
        return np.nan
    if len(found) == 2:
        found, counts = found[1:], counts[1:]
    padded = np.column_stack([score, np.zeros(len(score))])
    each = [auc(padded[:, min(code, score.shape[1])], answer == code) for code in found]
    return float(np.average(each, weights=counts))


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
