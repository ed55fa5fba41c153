"""What two tables must have in common before they are compared.

Checks that say in one sentence what is wrong and what to do, and the one place where columns from
several tables become the same type and then the same whole-number codes.
"""

import numpy as np
import pandas as pd

# What pandas calls the contents of an object column, in this package's four kinds.
_INFERRED = {
    "string": "text",
    "boolean": "boolean",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "datetime": "date",
    "datetime64": "date",
    "date": "date",
    "empty": "empty",
}
_CONVERT = {"number": "pd.to_numeric", "date": "pd.to_datetime", "text": "astype(str)"}


def check(table, columns, called, rows=2):
    """Raise one clear sentence if `table` cannot be measured on `columns`.

    `called` names the table in the sentence ("training", "synthetic"). Raises KeyError for a missing
    column and ValueError for anything else.
    """
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"The {called} table is a {type(table).__name__}; give a pandas DataFrame.")
    if len(table) < rows:
        raise ValueError(
            f"The {called} table has {len(table)} row(s); at least {rows} are needed to measure anything."
        )
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise ValueError(
            f"The {called} table has more than one column called {repeated[0]!r}; rename or drop one."
        )
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise KeyError(
            f"The {called} table has no column called {missing[0]!r}; check the spelling, or leave it out."
        )


def names(columns, what="columns"):
    """Return `columns` as a list of distinct names; a single name becomes a list of one."""
    listed = [columns] if isinstance(columns, str) else list(columns)
    if not listed:
        raise ValueError(f"The list of {what} is empty; name at least one column.")
    if len(set(listed)) < len(listed):
        raise ValueError(f"The list of {what} names a column twice; name each one once.")
    return listed


def kind(series):
    """Return "number", "date", "boolean", "text", "mixed" or "empty" (no value at all)."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if series.iloc[:1].isna().all() and series.isna().all():  # the first row settles it for most columns
        return "empty"
    if pd.api.types.is_bool_dtype(series.dtype):
        return "boolean"
    if pd.api.types.is_numeric_dtype(series.dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "date"
    return _INFERRED.get(pd.api.types.infer_dtype(series, skipna=True), "mixed")


def alike(column, parts, called, wanted=None):
    """Return the kind all `parts` share, and the parts converted to it.

    `parts` is a list of Series, one for each table named in `called`. Numbers become floats (so 3
    and 3.0 are equal) and dates become days since 1970; everything else becomes text. With `wanted`
    ("number", "date" or "text", from a schema) every part is converted to that. Without it, parts
    whose kinds cannot be reconciled raise ValueError.
    """
    kinds = [kind(part) for part in parts]
    found = set(kinds) - {"empty"}
    if wanted is None:
        wanted = _shared_kind(column, kinds, found, called)
    each = zip(parts, kinds, called, strict=True)
    return wanted, [_convert(column, part, kind, wanted, name) for part, kind, name in each]


def _shared_kind(column, kinds, found, called):
    if not found or found == {"boolean"}:
        return "text"
    if found <= {"number", "boolean"}:
        return "number"
    if len(found) == 1:
        return "text" if found == {"mixed"} else found.pop()
    if "mixed" in found and "date" not in found:
        return "text"
    first = next(i for i, k in enumerate(kinds) if k != "empty")
    other = next(i for i, k in enumerate(kinds) if k not in ("empty", kinds[first]))
    raise ValueError(
        f"Column {column!r} holds {kinds[first]} values in the {called[first]} table and {kinds[other]} "
        f"values in the {called[other]} table; convert one of them first, for example with "
        f"{_CONVERT.get(kinds[first], 'astype')}."
    )


def _convert(column, series, kind, wanted, called):
    if wanted == "text":
        return series.astype(object) if kind == "text" else _as_text(series)
    try:
        if wanted == "date":
            dates = pd.to_datetime(series)
            return ((dates - pd.Timestamp(0, tz=dates.dt.tz)) / pd.Timedelta(days=1)).astype(float)
        series = series.astype(object) if isinstance(series.dtype, pd.CategoricalDtype) else series
        values = pd.to_numeric(series).to_numpy(dtype=float, na_value=np.nan)
        return pd.Series(values, index=series.index)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Column {column!r} of the {called} table should hold {wanted}s and has a value that is not "
            f"one; correct that value, or make it blank."
        ) from error


def _as_text(series):
    """Text, with blanks kept and whole numbers without a decimal point (so 1 and 1.0 are "1")."""
    return series.astype(object).map(_text, na_action="ignore")


def _text(value):
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def codes(column, parts, called, wanted=None):
    """Return one whole-number code per row of each part: equal codes mean equal values.

    Blanks get a code of their own, so a blank equals a blank. Codes run from 0 in the order of the
    values, so that nothing depends on the order of the rows. Uses hashing, so the
    time grows in line with the number of rows.
    """
    _, parts = alike(column, parts, called, wanted)
    found, values = pd.factorize(np.concatenate([part.to_numpy() for part in parts]), sort=True)
    found[found < 0] = len(values)
    return np.split(found, np.cumsum([len(part) for part in parts])[:-1])


def combine(columns):
    """Return one code per row for a combination of columns.

    `columns` is a list with, for each column, the list that `codes` returned. The result has one
    array per table. Codes run from 0 in the order of the first column, then the second, and so on.
    """
    ends = np.cumsum([len(part) for part in columns[0]])[:-1]
    combined, size = np.zeros(sum(len(part) for part in columns[0]), dtype=np.int64), 1
    for column in columns:
        column = np.concatenate(column)
        many = int(column.max()) + 1
        if size * many >= 2**62:  # re-numbered before the codes grow too large to hold
            combined, size = renumber(combined, size)
        combined, size = combined * many + column, size * many
    return np.split(renumber(combined, size)[0], ends)


def renumber(code, size):
    """Return codes below `size` numbered anew from 0, in the same order and without gaps, and how many."""
    if size > 4 * len(code):
        found, values = pd.factorize(code, sort=True)
        return found, len(values)
    there = np.bincount(code, minlength=size) > 0
    return (np.cumsum(there) - 1)[code], int(there.sum())


def cells(first, second):
    """Return each pair of two columns' codes that occurs, in order, with its count: three arrays."""
    many = int(second.max()) + 1
    code, found = renumber(first.astype(np.int64) * many + second, (int(first.max()) + 1) * many)
    row = np.empty(found, dtype=np.int64)
    row[code] = np.arange(len(code))  # any one row of a cell tells its two codes
    return first[row], second[row], np.bincount(code, minlength=found)
