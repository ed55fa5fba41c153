"""The two lowest rungs: tables made from the description alone. No row of data is ever touched.

*Structural*: the right columns and types, and nothing else. Enough to test that a file loads.
*Valid*: also real codes, allowed ranges and business rules. Enough to test that code does not fall over.
"""

from __future__ import annotations

import re
import string

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, from_number

NAMES = re.compile(r"(?<![\w.'])[a-z_]\w*(?![\w(])")  # in an expression: not methods, not words in quotes
ROUNDS = 200  # how often `Valid` draws anew where a rule is broken, before it gives up


class Structural(Generator):
    """Values of the right type and length, with no meaning: letters, digits and dates at random."""

    needs_rows = False

    def _fit(self, table: None) -> None:
        pass

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame({column: self._column(column, rows, rng) for column in self.columns})

    def _column(self, column: str, rows: int, rng: np.random.Generator) -> pd.Series:
        field = self.schema.field(column)
        if field["type"] == "date":
            return from_number(rng.integers(0, 20_000, rows).astype(float), field)
        if field["type"] in ("integer", "number"):
            return from_number(rng.uniform(0, 1000, rows), field)
        if field["type"] == "boolean":
            return pd.Series(rng.random(rows) < 0.5)
        length = max((len(str(code)) for code in self.schema.categories(column)), default=6)
        return _joined(rng.choice(list(string.ascii_uppercase), (rows, length)))


class Valid(Structural):
    """Codes from the code lists, text that fits its pattern, numbers and dates within their range, and rules.

    `rules` are the data set's own (see `course.data`). Those that can be told from one row are kept: where a
    row breaks one, one of the columns that the rule names is drawn again, until all rules hold. So the rules
    shape the shares too: a value that few rules allow is rare. Rules across rows or across tables are not
    kept at this level: `not_kept` names them.
    """

    def __init__(self, rules: list[dict] = ()):
        self.rules = list(rules)

    def _fit(self, table: None) -> None:
        given = {column: self.schema.field(column).get("formula") for column in self.columns}
        self.formulas = {
            column: formula
            for column, formula in given.items()
            if formula and set(NAMES.findall(formula)) <= set(self.columns)
        }

    @property
    def not_kept(self) -> list[str]:
        """The rules of this table that the rows made here may break."""
        mine = [rule for rule in self.rules if rule["table"] == self.schema.name]
        return [rule["name"] for rule in mine if not self._concerns_one_row(rule)]

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        drawn = self._with_formulas(super()._sample(rows, rng))
        rules = [rule["expression"] for rule in self.rules if self._concerns_one_row(rule)]
        rules += [limit for column in self.formulas for limit in self._limits(column)]
        for _ in range(ROUNDS):
            broken = {rule: self._breaks(drawn, rule) for rule in rules}
            if not any(rows.any() for rows in broken.values()):
                return drawn
            for rule, rows in broken.items():
                self._redraw(drawn, rows, self._named(rule), rng)
            drawn = self._with_formulas(drawn)
        worst = max(broken, key=lambda rule: broken[rule].sum())
        raise GeneratorError(
            f"After {ROUNDS} rounds {int(broken[worst].sum())} rows of {self.schema.name} still break a rule "
            f"({worst}): give the columns it names narrower constraints in the schema."
        )

    def _limits(self, column: str) -> list[str]:
        """The range of a column that is worked out from others, as rules. Blank is allowed."""
        limits = allowed_range(self.schema.field(column).get("constraints", {}))
        return [f"not {column} {'<' if end == 'minimum' else '>'} {limits[end]}" for end in limits]

    def _breaks(self, drawn: pd.DataFrame, rule: str) -> np.ndarray:
        return ~drawn.eval(rule, engine="python").fillna(False).to_numpy(bool)

    def _redraw(self, drawn: pd.DataFrame, rows: np.ndarray, columns: list[str], rng) -> None:
        """In each of the rows, draw one of the columns again, taken at random."""
        taken = rng.integers(0, max(len(columns), 1), len(drawn))
        for place, column in enumerate(columns):
            again = rows & (taken == place)
            if again.any():
                fresh = self._column(column, int(again.sum()), rng).set_axis(drawn.index[again])
                drawn[column] = pd.concat([drawn.loc[~again, column], fresh]).sort_index()

    def _named(self, expression: str) -> list[str]:
        """The columns that an expression names, or in place of a formula's column those of the formula."""
        for column, formula in self.formulas.items():
            expression = re.sub(rf"\b{re.escape(column)}\b", lambda _, formula=formula: formula, expression)
        return list(dict.fromkeys(name for name in NAMES.findall(expression) if name in self.columns))

    def _with_formulas(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """The columns that the schema says follow from others, worked out from them."""
        for column, formula in self.formulas.items():
            drawn[column] = drawn.eval(formula, engine="python").round(2)
        return drawn

    def _concerns_one_row(self, rule: dict) -> bool:
        return (
            rule["table"] == self.schema.name and "join" not in rule and ".groupby(" not in rule["expression"]
        )

    def _column(self, column: str, rows: int, rng: np.random.Generator) -> pd.Series:
        values = self.filled(column, rows, rng)
        field = self.schema.field(column)
        # A column that may be blank is blank now and then, so that code meets blanks early.
        if field.get("constraints", {}).get("required"):
            return values
        values = values.astype("Int64") if field["type"] == "integer" else values
        return values.mask(rng.random(rows) < 0.1)

    def filled(self, column: str, rows: int, rng: np.random.Generator) -> pd.Series:
        """Allowed values of one column, none of them blank."""
        field = self.schema.field(column)
        limits = allowed_range(field.get("constraints", {}))
        if codes := list(self.schema.categories(column)):
            return pd.Series(rng.choice(np.array(codes, dtype=object), rows))
        if pattern := field.get("constraints", {}).get("pattern"):
            return _matching(pattern, column, rows, rng)
        if not limits:
            return super()._column(column, rows, rng)
        # A limit on one side only is given a thousand numbers of room.
        low = limits.get("minimum", limits.get("maximum", 0) - 1000)
        high = limits.get("maximum", low + 1000)
        whole = field["type"] in ("integer", "date")
        drawn = rng.integers(int(low), int(high) + 1, rows) if whole else rng.uniform(low, high, rows)
        return from_number(drawn.astype(float), field)


def _matching(pattern: str, column: str, rows: int, rng: np.random.Generator) -> pd.Series:
    """Text that matches a pattern of characters, classes such as [A-J0-9] or \\d, and counts such as {6}.

    GeneratorError for a pattern with anything else. A library does more (regexmodel, which metasyn uses), but
    draws from the global random state, one value at a time.
    """
    inside = pattern.removeprefix("^").removesuffix("$")
    parts = re.findall(r"(\[[^\]\\^]+\]|\\d|[\w /-])(?:\{(\d+)\})?", inside)
    understood = "".join(one + ("{" + many + "}" if many else "") for one, many in parts)
    if understood != inside or not parts:
        raise GeneratorError(
            f"The pattern {pattern!r} of column {column!r} has parts this generator cannot write: use "
            "characters, classes such as [A-Z0-9], and counts such as {6}, or give the column a code list."
        )
    letters = [rng.choice(_letters(one), (rows, int(many or 1))) for one, many in parts]
    return _joined(np.concatenate(letters, axis=1))


def _joined(letters: np.ndarray) -> pd.Series:
    """An array of rows x letters as one word for each row."""
    return pd.Series(letters.view(f"<U{letters.shape[1]}").ravel().astype(object))


def _letters(part: str) -> list[str]:
    """The characters that one part of a pattern allows: ABCDE for [A-E], X for X."""
    if part == r"\d":
        return list(string.digits)
    ranges = re.findall(r"(.)-(.)|(.)", part[1:-1]) if part.startswith("[") else [("", "", part)]
    return [
        letter
        for first, last, single in ranges
        for letter in (single or map(chr, range(ord(first), ord(last) + 1)))
    ]


def allowed_range(constraints: dict) -> dict[str, float]:
    """The minimum and maximum among a field's constraints as numbers; dates count in days since 1970."""
    return {
        end: float(np.datetime64(limit, "D").astype(int)) if isinstance(limit, str) else float(limit)
        for end, limit in constraints.items()
        if end in ("minimum", "maximum")
    }
