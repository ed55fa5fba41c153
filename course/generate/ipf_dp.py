"""The differentially private sibling of `Ipf`: the same fitting, from counts with noise added.

Two tables are neighbours if one has one row more. The generator is epsilon-differentially private for them:
no outcome of fitting is more than exp(epsilon) times as likely with a row as without it. So it protects a
person who has one row; a person with three rows is protected at three times epsilon. The number of rows is
private too: `rows` is the estimate that the noisy counts give.

How it spends epsilon. Each step is epsilon-private on its own, and the epsilons add up (basic composition).

* Counts: a row is in one cell of a table of counts, so the sensitivity is 1. Discrete Laplace noise of scale
  1/epsilon is added to every cell, the empty ones too. It is whole numbers, so the rounding of floating-point
  Laplace noise, which can give a true value away, does not arise.
* The choice of pairs, unless it is given: exponential mechanism, one pair at a time, for a spanning tree.
* The range of a number or date, if neither the schema nor `domain` has one: a noisy count of powers of two,
  or of decades.

Laplace noise and plain addition are not the tightest. They need no second parameter (delta) and can be
checked by hand. All that follows the noise is post-processing, which costs nothing: negative counts are
mended, counts that noise alone could make are hidden, and the rest is fitted as in `Ipf`.

Sources: Dwork, McSherry, Nissim and Smith (2006), Calibrating noise to sensitivity in private data analysis;
Ghosh, Roughgarden and Sundararajan (2009), Universally utility-maximizing privacy mechanisms, for the
discrete noise; Mironov (2012), On significance of the least significant bits for differential privacy;
McKenna, Miklau and Sheldon (2021), Winning the NIST contest, for the choice of pairs.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from .base import GeneratorError, as_number, places_for
from .ipf import MOST_CELLS, MOST_GROUPS, CategoryCells, Ipf, NumberCells
from .metadata import Valid, allowed_range

FOR_RANGES = 0.2  # of epsilon, if any range must be found
POWERS = 2.0 ** np.arange(-20, 41)
SIZES = np.concatenate([-POWERS[::-1], [0], POWERS])  # edges of the bins in which a range is looked for
DECADES = np.arange(1900, 2101, 10)


class IpfDp(Ipf):
    """Rows drawn from a distribution fitted to noisy counts only.

    Which cells are counted must not depend on the rows, so it comes from the schema: code lists, and `bins`
    bins of equal width between minimum and maximum. `domain` gives what the schema lacks, from public
    knowledge: {"office": ["AJ101", ...], "weekly_rent": (0, 1000)}. A number outside its range counts at the
    end; a value that is not on its list is not counted. Text without a list is not learned: only whether it
    is blank is counted, and values are invented from the schema's pattern.

    `margins` are the tables to count, as in `Ipf`, chosen without looking at the rows. None lets a share of
    epsilon choose pairs. `noise_seed` makes the noise repeat, for lessons and tests. Leave it out for a
    release: whoever knows it can take the noise away. Even then numpy's random numbers are not made to resist
    an attacker; a release needs a library that is, such as OpenDP.

    After fitting, `published` holds the noisy counts, `spent` what each part of epsilon bought, and `rows`
    the noisy number of rows.
    """

    def __init__(
        self,
        epsilon: float = 1.0,
        margins: list | None = None,
        domain: dict | None = None,
        bins: int = 32,
        noise_seed: int | None = None,
    ):
        if not 0 < epsilon < np.inf:
            raise GeneratorError(f"Epsilon must be a number above 0, not {epsilon!r}.")
        super().__init__(margins=margins, bins=bins)
        self.epsilon, self.domain, self.noise_seed = float(epsilon), domain or {}, noise_seed

    def _fit(self, table: pd.DataFrame) -> None:
        self._rng = np.random.default_rng(self.noise_seed)
        self._ledger = []
        self._invent = Valid().fit(None, self.schema)
        self._check_domain()
        self._share_out(self._asked_for())
        super()._fit(table)
        columns = ["part", "mechanism", "sensitivity", "scale", "epsilon"]
        self.spent = pd.DataFrame(self._ledger, columns=columns)

    def _check_domain(self) -> None:
        for column, known in self.domain.items():
            if column not in self.columns:
                raise GeneratorError(f"The domain names {column!r}, which is not a column to be learned.")
            bounded = self.schema.kind(column) in ("numeric", "date")
            if bounded and not (isinstance(known, tuple) and len(known) == 2 and known[0] < known[1]):
                raise GeneratorError(f"The domain of {column!r} must be a pair (low, high), not {known!r}.")
            if not bounded and not (isinstance(known, list) and known):
                raise GeneratorError(f"The domain of {column!r} must be a list of values, not {known!r}.")

    def _share_out(self, chosen: list | None) -> None:
        """Set what each single step may spend, so that all steps together spend epsilon."""
        unbounded = [column for column in self.schema.of_kind("numeric", "date") if not self._limits(column)]
        for_ranges = FOR_RANGES * self.epsilon if unbounded else 0.0
        left = self.epsilon - for_ranges
        pairs = len(self.columns) - 1 if chosen is None else len(chosen)
        parts = (1 + (pairs > 0)) + (chosen is None and pairs > 0)
        self._each = {
            "range": for_ranges / max(len(unbounded), 1),
            "column": left / parts / len(self.columns),
            "choice": left / parts / max(pairs, 1),
            "margin": left / parts / max(pairs, 1),
        }

    # The steps that see the rows. Each pays.

    def _noisy(self, counts: np.ndarray, step: str, part: str) -> np.ndarray:
        """Counts with discrete Laplace noise: P(k) is proportional to exp(-epsilon |k|)."""
        epsilon = self._each[step]
        self._ledger.append((part, "discrete Laplace", 1, 1 / epsilon, epsilon))
        chance = -np.expm1(-epsilon)
        return counts + self._rng.geometric(chance, counts.shape) - self._rng.geometric(chance, counts.shape)

    def _controlled(self, margin: tuple, counts: np.ndarray) -> np.ndarray:
        step = "column" if len(margin) == 1 else "margin"
        return self._noisy(counts, step, "counts of " + " x ".join(margin))

    def _found_range(self, column: str, values: pd.Series) -> tuple[float, float]:
        """A range that holds most values, from noisy counts of bins that suit any column."""
        dates = self.schema.field(column)["type"] == "date"
        decades = [np.datetime64(str(year), "D").astype(float) for year in DECADES]
        edges = np.array(decades) if dates else SIZES
        numbers = as_number(values.dropna())
        place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
        counts = np.bincount(place, minlength=len(edges) - 1)
        noisy = self._noisy(counts, "range", f"range of {column}")
        # With this limit, an empty bin is taken for a full one in one search of twenty.
        likely = np.flatnonzero(noisy > np.log(10 * len(noisy)) / self._each["range"])
        if not len(likely):
            raise GeneratorError(
                f"The noise hides the range of {column!r}: give minimum and maximum in the schema, "
                f"domain={{{column!r}: (low, high)}}, or a larger epsilon."
            )
        limits = self._constraints(column)
        low = limits.get("minimum", edges[likely[0]])
        high = limits.get("maximum", edges[likely[-1] + 1])
        return low, max(high, low + 1)  # noise can put the top of the range below a given minimum

    def _strongest_pairs(self, codes: dict[str, np.ndarray]) -> list[tuple]:
        """A spanning tree of pairs, each drawn by the exponential mechanism.

        A pair scores by how far its counts lie from those of unrelated columns (sum of differences, which one
        row changes by 1 at most), less the noise that its cells would bring.
        """
        epsilon, chosen = self._each["choice"], []
        scores = {}
        for pair in itertools.combinations(self.columns, 2):
            if np.prod(self._shape(pair), dtype=float) <= MOST_CELLS / 4:
                counts = self._counted(pair, codes)
                unrelated = np.outer(*(self.totals[column] for column in pair)) / self.rows
                scores[pair] = np.abs(counts - unrelated).sum() - counts.size / self._each["margin"]
        tree = {column: {column} for column in self.columns}
        while candidates := [pair for pair in scores if tree[pair[0]] is not tree[pair[1]]]:
            utility = np.array([scores[pair] for pair in candidates])
            pair = candidates[int(np.argmax(epsilon * utility / 2 + self._rng.gumbel(size=len(utility))))]
            part = f"choice of pair {len(chosen) + 1}"
            self._ledger.append((part, "exponential", 1, 2 / epsilon, epsilon))
            chosen.append(pair)
            joined = tree[pair[0]] | tree[pair[1]]
            tree.update(dict.fromkeys(joined, joined))
        return chosen

    # Cells from public knowledge.

    def _constraints(self, column: str) -> dict:
        """The minimum and maximum that the schema or `domain` gives a column, as numbers."""
        if column in self.domain:
            low, high = self.domain[column]
            return allowed_range({"minimum": low, "maximum": high})
        return allowed_range(self.schema.field(column).get("constraints", {}))

    def _limits(self, column: str) -> bool:
        return len(self._constraints(column)) == 2

    def _cells(self, column: str, values: pd.Series) -> CategoryCells:
        field = self.schema.field(column)
        blank = not field.get("constraints", {}).get("required")
        if self.schema.kind(column) in ("numeric", "date"):
            if self._limits(column):
                low, high = self._constraints(column)["minimum"], self._constraints(column)["maximum"]
            else:
                low, high = self._found_range(column, values)
            places = places_for(high - low)
            return NumberCells.from_range(low, high, field, places, self.bins, blank)
        codes = self.domain.get(column) or list(self.schema.categories(column))
        if field["type"] == "boolean":
            codes = [True, False]
        if codes:
            return CategoryCells(codes, blank)
        return InventedCells(lambda rows, rng: self._invent.filled(column, rows, rng), blank)

    # Post-processing: what noise did to the counts, mended as far as it can be. Costs nothing.

    def _estimated_rows(self) -> float:
        """The number of rows by the noisy counts of the columns: those with fewer cells count for more."""
        counts = [self.published[(column,)].to_numpy() for column in self.columns]
        return max(1.0, np.average([c.sum() for c in counts], weights=[1 / len(c) for c in counts]))

    def _known(self, margin: tuple) -> np.ndarray:
        return _closest_counts(self.published[margin].to_numpy(float), self.rows)

    def _shown(self, margin: tuple) -> np.ndarray:
        """Counts so low that noise alone makes them in about half a cell of the table are hidden."""
        noisy = super()._shown(margin)
        return np.where(noisy < np.log(max(noisy.size, 3)) / self._each["margin"], np.nan, noisy)

    def _noise(self, margin: tuple) -> float:
        return float(np.sqrt(2) / self._each["margin"])

    def _groups(self) -> int:
        """How many groups leave about two standard deviations of noise to each cell of a pair."""
        return int(np.clip(np.sqrt(self.rows / (2 * self._noise(()))), 2, MOST_GROUPS))


class InventedCells(CategoryCells):
    """A column whose values are not learned: filled or blank is all that is counted."""

    def __init__(self, invent, blank: bool):
        super().__init__(["filled"], blank)
        self.invent = invent

    def code(self, values: pd.Series) -> np.ndarray:
        return np.where(values.isna(), 1 if self.blank else -1, 0)

    def values(self, groups: np.ndarray, rng: np.random.Generator) -> pd.Series:
        kept = super().values(groups, rng)
        return self.invent(len(groups), rng).astype(object).where(kept.notna(), np.nan)


def _closest_counts(noisy: np.ndarray, total: float) -> np.ndarray:
    """The counts nearest to noisy ones (least squares) that are 0 or more and sum to a total.

    All are lowered or raised by one amount and cut off at 0. Source: Duchi and others (2008), Efficient
    projections onto the l1-ball.
    """
    ordered = np.sort(noisy)[::-1]
    excess = (np.cumsum(ordered) - total) / np.arange(1, len(noisy) + 1)
    return np.maximum(noisy - excess[np.flatnonzero(ordered > excess)[-1]], 0)
