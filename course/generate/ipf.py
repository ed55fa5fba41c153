"""The rung of published counts: tables of counts, made safe first, are all that the generator learns from.

Counts of one column, and of chosen sets of columns, are taken from the table. Disclosure control is applied
to them: counts under `threshold` are hidden, the rest are rounded. From there on no record is touched.
Iterative proportional fitting finds the plainest distribution that agrees with the counts, and rows are
drawn from it. So the relationships that survive are the ones that were published, and no others can.

Sources: Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table when the
expected marginal totals are known; Jirousek and Preucil (1995), On the effective implementation of the
iterative proportional fitting procedure; Raab (2026), arXiv 2606.02101, for synthetic data from coarsened
margins.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, as_number, from_number
from .metadata import allowed_range

BLANK = "(blank)"  # the label of missing values in a published table, always the last
MOST_CELLS = 2_000_000  # in one table of counts, or in one clique of the fitted model
ROUNDS = 200  # of fitting, at most
LEAST_SHOWN = 0.9  # of the rows, in a pair that is picked without being asked for
MOST_GROUPS = 10  # of a numeric column in tables of two or more columns


def iterative_proportional_fitting(
    seed_table: np.ndarray, margins: dict, rounds: int = ROUNDS, tolerance: float = 1e-9
) -> np.ndarray:
    """Scale a table until its margins are the ones asked for.

    `margins` maps a tuple of axes to the counts wanted there: {(0,): rows, (1,): columns} for a two-way
    table. Each step multiplies the table so that one margin is right, which upsets the others; after enough
    rounds all are right. The table's pattern (its odds ratios) stays that of `seed_table`, and a cell that
    is 0 there stays 0. Stops when a round moves no cell by more than `tolerance` of the total, or after
    `rounds`.

    Margins that contradict each other, as rounded ones do a little, cannot all hold. Then the fit settles
    into a cycle: the margin that is named last holds, the others nearly. Raises GeneratorError for negative
    counts and for shapes that do not fit. Source: Deming and Stephan (1940).
    """
    fitted = np.array(seed_table, dtype=float)
    wanted = {tuple(axes): np.asarray(counts, dtype=float) for axes, counts in margins.items()}
    for axes, counts in wanted.items():
        shape = [fitted.shape[axis] for axis in axes if axis in range(fitted.ndim)]
        if list(axes) != sorted(set(axes)) or list(counts.shape) != shape:
            raise GeneratorError(f"The margin {axes} must name axes in order and have their shape.")
    if (fitted < 0).any() or any(not (counts >= 0).all() for counts in wanted.values()):
        raise GeneratorError("The table and its margins must be counts: 0 or more, with none missing.")
    for _ in range(rounds):
        before = fitted
        for axes, counts in wanted.items():
            fitted = _scaled(fitted, axes, counts)
        if np.abs(fitted - before).max() <= tolerance * fitted.sum():
            break
    return fitted


def _scaled(table: np.ndarray, axes: tuple, wanted: np.ndarray) -> np.ndarray:
    """One step: multiply the table so that its margin over `axes` becomes `wanted`."""
    others = tuple(axis for axis in range(table.ndim) if axis not in axes)
    margin = table.sum(axis=others, keepdims=True)
    wanted = wanted.reshape(margin.shape)
    return table * np.divide(wanted, margin, out=np.zeros_like(margin), where=margin > 0)


class Ipf(Generator):
    """Rows drawn from a distribution fitted to published counts only.

    `margins` lists the tables to publish besides the counts of each column: tuples of column names, such as
    [("tenure", "arrears")]. None picks pairs that link the columns in a tree: the strongest associations
    first (mutual information), computed from the tables after disclosure control, never from the rows.

    Counts under `threshold` are hidden; zeros too, so that nobody can tell a zero from a few. The rest are
    rounded to multiples of `rounding` (1 leaves them). A value that fewer than `threshold` rows share never
    comes out. Numbers and dates are counted in up to `bins` bins with round edges, each value that many
    share on its own; the outer 1% is hidden inside the outermost bins. In tables of two or more columns,
    bins are joined to ten groups at most. A pair is picked only if its table shows nine rows in ten. What a
    table hides is spread over its hidden cells as if the columns were unrelated: the people of a row, by the
    published count, less those shown.

    After fitting, `published` holds all that was used: {columns: counts after control}, a Series for one
    column, a DataFrame for two, a Series with several index levels for more; a hidden count is NaN. The ends
    of the bins, in its labels, are read from the rows too, and rounded. There is no secondary suppression:
    where a row hides one cell only, the totals give its size away, up to the rounding.
    """

    def __init__(self, margins: list | None = None, threshold: int = 10, rounding: int = 5, bins: int = 50):
        if threshold < 1 or rounding < 1 or bins < 1:
            raise GeneratorError("The threshold, the rounding and the number of bins must each be 1 or more.")
        self.asked, self.threshold, self.rounding, self.bins = margins, threshold, rounding, bins

    def _fit(self, table: pd.DataFrame) -> None:
        chosen = self._asked_for()
        self.published, self.cells, self.totals = {}, {}, {}
        place = {}
        for column in self.columns:
            values = table[column]
            if self.schema.kind(column) not in ("numeric", "date"):
                values = values.astype("category")  # looked up once, not again for each use
            cells = self.cells[column] = self._cells(column, values)
            place[column] = cells.code(values)
            counts = np.bincount(place[column][place[column] >= 0], minlength=len(cells.labels))
            self._publish((column,), self._controlled((column,), counts))
        self.rows = self._estimated_rows()
        for column, cells in self.cells.items():
            cells.join(self._known((column,)), self._groups())
            self.totals[column] = cells.group_totals()
        codes = {column: np.append(self.cells[column].group, -1)[place[column]] for column in self.columns}
        self.margins = self._strongest_pairs(codes) if chosen is None else chosen
        for margin in self.margins:
            self._publish(margin, self._controlled(margin, self._counted(margin, codes)))
        self._fit_to_published()

    def _asked_for(self) -> list[tuple] | None:
        """The person's choice of margins, checked. Single columns are left out: they are always published."""
        if self.asked is None:
            return None
        for margin in self.asked:
            if isinstance(margin, str) or len(set(margin)) < len(margin):
                raise GeneratorError(f"Each margin is a tuple of different columns, not {margin!r}.")
            for column in margin:
                if column not in self.columns:
                    raise GeneratorError(
                        f"The margin {margin!r} names {column!r}, which is not a column that can be counted: "
                        f"choose from {', '.join(self.columns)}."
                    )
        ordered = [tuple(sorted(margin, key=self.columns.index)) for margin in self.asked]
        return list(dict.fromkeys(margin for margin in ordered if len(margin) > 1))

    # Counting, and control of what is counted. The only part that sees the rows.

    def _cells(self, column: str, values: pd.Series) -> CategoryCells:
        """How a column is cut into the cells that are counted."""
        if self.schema.kind(column) in ("numeric", "date"):
            field, places = self.schema.field(column), self.decimals.get(column, 0)
            return NumberCells.from_rows(values, field, places, self.bins, self.threshold)
        return CategoryCells.from_rows(values, list(self.schema.categories(column)), self.threshold)

    def _counted(self, margin: tuple, codes: dict[str, np.ndarray]) -> np.ndarray:
        """Counts of the groups of several columns. Rows that one of them hides are not counted."""
        shape = self._shape(margin)
        if np.prod(shape, dtype=float) > MOST_CELLS:
            raise GeneratorError(
                f"The margin {' x '.join(margin)} has more than {MOST_CELLS:,} cells: leave it out or group "
                "the values of a column."
            )
        shown = np.logical_and.reduce([codes[column] >= 0 for column in margin])
        place = np.ravel_multi_index([codes[column][shown] for column in margin], shape)
        return np.bincount(place, minlength=int(np.prod(shape))).reshape(shape)

    def _controlled(self, margin: tuple, counts: np.ndarray) -> np.ndarray:
        """Disclosure control: nan for counts under the threshold, the others rounded."""
        rounded = np.floor(counts / self.rounding + 0.5) * self.rounding
        shown = np.where(counts < self.threshold, np.nan, np.maximum(rounded, self.rounding))
        if len(margin) == 1 and np.isnan(shown).all():
            raise GeneratorError(
                f"Column {margin[0]!r} has no value or bin of {self.threshold} rows or more: group its "
                "values, leave it out, or lower the threshold."
            )
        if np.isnan(shown).all() and self.asked is not None:
            raise GeneratorError(
                f"The margin {' x '.join(margin)} shows no count, as none of its cells has "
                f"{self.threshold} rows: leave it out or lower the threshold."
            )
        return shown

    def _publish(self, margin: tuple, counts: np.ndarray) -> None:
        """Keep counts after control, with the names of their cells: of their groups, for several columns."""
        if len(margin) == 1:
            index = pd.Index(self.cells[margin[0]].labels, name=margin[0])
            self.published[margin] = pd.Series(counts, index, name="rows")
            return
        labels = [pd.Index(self.cells[column].group_labels, name=column) for column in margin]
        if len(margin) == 2:
            self.published[margin] = pd.DataFrame(counts, *labels)
        else:
            self.published[margin] = pd.Series(
                counts.ravel(), pd.MultiIndex.from_product(labels), name="rows"
            )

    def _strongest_pairs(self, codes: dict[str, np.ndarray]) -> list[tuple]:
        """The pairs of a spanning tree of greatest association, judged by tables after control."""
        import networkx as nx

        graph = nx.Graph()
        for pair in itertools.combinations(self.columns, 2):
            if np.prod(self._shape(pair), dtype=float) <= MOST_CELLS / 4:
                shown = self._controlled(pair, self._counted(pair, codes))
                strength = _association(self._completed(pair, shown))
                if strength > 0 and np.nansum(shown) > LEAST_SHOWN * self.rows:
                    graph.add_edge(*pair, weight=strength)
        return [
            tuple(sorted(pair, key=self.columns.index))
            for pair in nx.maximum_spanning_edges(graph, data=False)
        ]

    # Fitting and drawing. From here on only the published counts are used.

    def _known(self, margin: tuple) -> np.ndarray:
        """The published counts of one column as they are used: hidden ones count as none."""
        return np.nan_to_num(self.published[margin].to_numpy(float))

    def _shown(self, margin: tuple) -> np.ndarray:
        """The published counts of several columns as they are used, an axis for each; nan is hidden."""
        return self.published[margin].to_numpy(float).reshape(self._shape(margin))

    def _noise(self, margin: tuple) -> float:
        """The standard deviation of the error that disclosure control puts in a count that is shown."""
        return np.sqrt((self.rounding**2 - 1) / 12)

    def _groups(self) -> int:
        """How many groups of a numeric column leave about two thresholds of rows to each cell of a pair."""
        return int(np.clip(np.sqrt(self.rows / (2 * self.threshold)), 1, MOST_GROUPS))

    def _estimated_rows(self) -> float:
        """About how many rows the table had, as the published counts tell."""
        return max(np.nansum(self.published[(column,)]) for column in self.columns)

    def _shape(self, margin: tuple) -> tuple[int, ...]:
        return tuple(len(self.totals[column]) for column in margin)

    def _fit_to_published(self) -> None:
        wanted = {(column,): self.totals[column] for column in self.columns}
        for margin in self.margins:
            wanted[margin] = self._completed(margin, self._shown(margin))
        self.model = CliqueTree(dict(zip(self.columns, self._shape(self.columns), strict=True)), wanted)

    def _completed(self, margin: tuple, shown: np.ndarray) -> np.ndarray:
        """The table with its hidden cells filled in, from the published counts of the single columns."""
        hidden, known = np.isnan(shown), np.nan_to_num(shown)
        if not hidden.any():
            return known
        left = {}
        for axis, column in enumerate(margin):
            others = tuple(each for each in range(shown.ndim) if each != axis)
            rest = np.maximum(self.totals[column] - known.sum(axis=others), 0)
            # No more than the rounding of the counts explains (two standard deviations): nobody is missing.
            counts = 1 + (~hidden).sum(axis=others)
            nobody = rest <= 2 * self._noise(margin) * np.sqrt(counts)
            left[axis,] = np.where(nobody & ~hidden.all(axis=others), 1e-9, rest)
        # The axis with most people left comes last, since the last margin is the one that holds.
        left = dict(sorted(left.items(), key=lambda item: item[1].sum()))
        return known + iterative_proportional_fitting(hidden, left, rounds=20)

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        groups = self.model.draw(rows, rng)
        return pd.DataFrame(
            {column: self.cells[column].values(groups[column], rng) for column in self.columns}
        )


def _association(counts: np.ndarray) -> float:
    """Mutual information of a two-way table, in nats, less a charge for its size (Akaike's).

    Chance alone gives unrelated columns half the charge; rounding adds to that.
    """
    total = counts.sum()
    if total == 0:
        return 0.0
    share = counts / total
    expected = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    ratio = np.divide(share, expected, out=np.ones_like(share), where=share > 0)
    return float((share * np.log(ratio)).sum() - (counts.shape[0] - 1) * (counts.shape[1] - 1) / total)


class CategoryCells:
    """The categories of a column as they are published. Each is a group of its own in larger tables."""

    def __init__(self, labels: list, blank: bool):
        self.blank = blank  # whether missing values have a cell, which is the last
        self.labels = [*labels, BLANK] if blank else labels

    @classmethod
    def from_rows(cls, values: pd.Series, codes: list, threshold: int) -> CategoryCells:
        """Codes of the schema's list, other values that `threshold` rows share, and blank if there is one."""
        counts = values.astype("category").value_counts()
        found = set(counts.index[counts >= threshold]) - set(codes)
        return cls([*codes, *sorted(found, key=str)], blank=int(counts.sum()) < len(values))

    def code(self, values: pd.Series) -> np.ndarray:
        """The cell of each value, -1 for values that have none."""
        known = self.labels[:-1] if self.blank else self.labels
        values = values.astype("category")
        cell = pd.Index(known, dtype=object).get_indexer(values.cat.categories.astype(object))
        return np.append(cell, len(known) if self.blank else -1)[values.cat.codes]

    def join(self, counts: np.ndarray, most: int) -> None:
        """Set the groups, from the counts after control: one for each category that has a count."""
        self.counts = counts
        self.members = np.flatnonzero(counts > 0)
        self.group = np.full(len(counts), -1)
        self.group[self.members] = np.arange(len(self.members))
        self.group_labels = [self.labels[cell] for cell in self.members]

    def group_totals(self) -> np.ndarray:
        return np.bincount(self.group[self.members], self.counts[self.members])

    def values(self, groups: np.ndarray, rng: np.random.Generator) -> pd.Series:
        known = np.array(self.labels, dtype=object)
        if self.blank:
            known[-1] = np.nan
        return pd.Series(known[self.members[groups]], dtype=object)


class NumberCells(CategoryCells):
    """The bins of a numeric or date column: from `low` up to but not including `high`, or one value only."""

    def __init__(self, low: np.ndarray, high: np.ndarray, field: dict, places: int, blank: bool):
        self.field, self.places, self.step = field, places, _step(field, places)
        order = np.lexsort((high, low))
        self.low, self.high = low[order], high[order]
        super().__init__([self._words(*ends) for ends in zip(self.low, self.high, strict=True)], blank)

    @classmethod
    def from_rows(cls, values: pd.Series, field: dict, places: int, bins: int, threshold: int) -> NumberCells:
        numbers = as_number(values)
        known = numbers[~np.isnan(numbers)]
        spikes = _common_values(known, bins, threshold)
        rest = np.sort(known[~np.isin(known, spikes)])
        edges = np.empty(0)
        if len(rest) >= threshold:
            tail = np.clip(1 / (len(rest) - 1), 0.005, 0.5)  # at least one row at each end stays unseen
            parts = int(np.clip(len(rest) // (2 * threshold), 1, bins))
            ranks = np.clip(np.linspace(0, 1, parts + 1), tail, 1 - tail)
            edges = _round_edges(np.quantile(rest, ranks), field, places)
        low, high = np.concatenate([spikes, edges[:-1]]), np.concatenate([spikes, edges[1:]])
        return cls(low, high, field, places, blank=len(known) < len(numbers))

    @classmethod
    def from_range(
        cls, low: float, high: float, field: dict, places: int, bins: int, blank: bool
    ) -> NumberCells:
        """Bins of equal width over a range, zero on its own: they say nothing about the rows."""
        step = _step(field, places)
        width = max(np.ceil((high - low) / bins / step), 1) * step
        edges = low + width * np.arange(np.ceil((high + step - low) / width - 1e-9) + 1)
        edges[-1] = high + step
        zero = np.zeros(int(low <= 0 <= high and width > step))
        return cls(np.append(zero, edges[:-1]), np.append(zero, edges[1:]), field, places, blank)

    def _words(self, low: float, high: float) -> str:
        def word(number):
            if self.field["type"] == "date":
                return str(np.datetime64(int(number), "D"))
            return f"{round(number, self.places):.10g}"

        last = word(high - self.step)
        return word(low) if low == high or word(low) == last else f"{word(low)} to {last}"

    def code(self, values: pd.Series) -> np.ndarray:
        numbers = as_number(values)
        cell = np.full(len(numbers), -1)
        single = self.low == self.high
        bins = np.flatnonzero(~single)
        if len(bins):  # numbers beyond the outermost bins count in those
            place = np.searchsorted(self.low[bins], numbers, side="right") - 1
            cell = bins[np.clip(place, 0, len(bins) - 1)]
        for spike in np.flatnonzero(single):
            cell[numbers == self.low[spike]] = spike
        return np.where(np.isnan(numbers), len(self.low) if self.blank else -1, cell)

    def join(self, counts: np.ndarray, most: int) -> None:
        """Join neighbouring cells to groups of like size, by the counts after control; blank stays alone."""
        super().join(counts, most)
        numbers = self.members[self.members < len(self.low)]
        before = np.cumsum(counts[numbers]) - counts[numbers] / 2
        part = (before / max(counts[numbers].sum(), 1) * most).astype(int)
        part = np.unique(part, return_inverse=True)[1]
        groups = int(part.max(initial=-1)) + 1
        self.group[numbers] = part
        self.group_labels = [self._span(numbers[part == each]) for each in range(groups)]
        if len(numbers) < len(self.members):
            self.group[self.members[-1]] = groups
            self.group_labels.append(BLANK)

    def _span(self, cells: np.ndarray) -> str:
        last = max(self.high[cells].max(), self.low[cells].max() + self.step)
        return self._words(self.low[cells[0]], last)

    def values(self, groups: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """A cell of the group by the published counts, then a number inside the cell, evenly."""
        first = np.searchsorted(self.group[self.members], np.arange(len(self.group_labels) + 1))
        cell = self.members[_picked(self.counts[self.members], first[groups], first[groups + 1], rng)]
        low, high = np.append(self.low, np.nan)[cell], np.append(self.high, np.nan)[cell]
        inside = low + np.floor(rng.random(len(cell)) * (high - low) / self.step + 1e-9) * self.step
        return from_number(np.where(low == high, low, inside), self.field, self.places)


def _step(field: dict, places: int) -> float:
    """The distance between two neighbouring values of a column."""
    return 10.0**-places if field["type"] == "number" else 1.0


def _common_values(known: np.ndarray, bins: int, threshold: int) -> np.ndarray:
    """Values that are published on their own: those of a column with few, and those a twentieth share."""
    values, counts = np.unique(known, return_counts=True)
    least = threshold if len(values) <= bins else max(threshold, len(known) / 20)
    return values[counts >= least]


def _round_edges(edges: np.ndarray, field: dict, places: int) -> np.ndarray:
    """Edges rounded as far as the bins beside them are wide, so that none is somebody's exact value."""
    gaps = np.diff(np.unique(edges), prepend=-np.inf, append=np.inf)
    gap = np.minimum(gaps[:-1], gaps[1:])
    step = 10.0 ** np.floor(np.log10(np.where(np.isfinite(gap), gap, 1)))
    step = step if field["type"] == "number" else np.maximum(step, 1)
    rounded = (np.rint(np.unique(edges) / step) * step).round(places)
    limits = allowed_range(field.get("constraints", {}))
    rounded = np.unique(np.clip(rounded, limits.get("minimum", -np.inf), limits.get("maximum", np.inf)))
    # The last bin takes its end in, the others do not.
    last = rounded[-1] + _step(field, places)
    return np.append(rounded[:-1] if len(rounded) > 1 else rounded, last)


class CliqueTree:
    """A distribution over many columns that agrees with margins of a few columns each.

    The whole table would have too many cells. So the columns are gathered in cliques, such that each margin
    lies within one, and the cliques hang together in a tree by the columns they share. Each clique holds a
    small table. Fitting walks along the tree: a clique is scaled to its own margins, and then its neighbour
    to the columns both share, which is a step of the same kind. The result is that of fitting the whole
    table.
    """

    def __init__(self, sizes: dict[str, int], margins: dict[tuple, np.ndarray]):
        self.sizes = sizes
        self.cliques, self.tree = _cliques(sizes, margins)
        self.walk = list(_walked(self.tree, 0, None))
        self.margins = [[] for _ in self.cliques]
        for margin, counts in sorted(margins.items(), key=lambda item: -len(item[0])):
            home = next(i for i, clique in enumerate(self.cliques) if set(margin) <= set(clique))
            self.margins[home].append((margin, counts / counts.sum()))
        self.tables = [np.ones([sizes[column] for column in clique]) for clique in self.cliques]
        self.tables = [table / table.size for table in self.tables]
        self._fit()

    def _fit(self) -> None:
        for _ in range(ROUNDS):
            before = list(self.tables)
            self._fit_own(0)
            for here, there in self.walk:
                shared = self._shared(here, there)
                self._scale(there, shared, self._margin(here, shared))
                self._fit_own(there)
            moved = max(np.abs(now - then).max() for now, then in zip(self.tables, before, strict=True))
            if moved < 1e-7:
                break

    def _fit_own(self, clique: int) -> None:
        for margin, wanted in self.margins[clique]:
            self._scale(clique, margin, wanted)

    def _scale(self, clique: int, columns: tuple, wanted: np.ndarray) -> None:
        axes = tuple(self.cliques[clique].index(column) for column in columns)
        self.tables[clique] = _scaled(self.tables[clique], axes, wanted)

    def _margin(self, clique: int, columns: tuple) -> np.ndarray:
        others = tuple(i for i, column in enumerate(self.cliques[clique]) if column not in columns)
        return self.tables[clique].sum(axis=others)

    def _shared(self, one: int, other: int) -> tuple:
        return tuple(column for column in self.cliques[one] if column in self.cliques[other])

    def draw(self, rows: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the group of every column: the first clique whole, each next one given the shared columns."""
        drawn = {}
        for here, there in [(None, 0)] + [step for step in self.walk if step[0] < step[1]]:
            clique = self.cliques[there]
            shared = () if here is None else self._shared(here, there)
            new = tuple(column for column in clique if column not in shared)
            table = self.tables[there].transpose([clique.index(column) for column in shared + new])
            table = table.reshape(int(np.prod([self.sizes[column] for column in shared])), -1)
            # Where margins contradict each other so that nothing can follow, draw without a condition.
            table = np.where(table.sum(axis=1, keepdims=True) > 0, table, table.sum(axis=0))
            given = np.zeros(rows, int)
            for column in shared:
                given = given * self.sizes[column] + drawn[column]
            width = table.shape[1]
            place = _picked(table.ravel(), given * width, (given + 1) * width, rng) - given * width
            drawn |= zip(new, np.unravel_index(place, [self.sizes[column] for column in new]), strict=True)
        return drawn


def _cliques(sizes: dict[str, int], margins: dict) -> tuple[list[tuple], object]:
    """The cliques of the columns that margins tie together, and the tree that links them.

    Raises GeneratorError, naming the columns, where one would have too many cells.
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(sizes)
    for margin in margins:
        graph.add_edges_from(itertools.combinations(margin, 2))
    chordal, _ = nx.complete_to_chordal_graph(graph)
    place = list(sizes).index
    found = [tuple(sorted(clique, key=place)) for clique in nx.find_cliques(chordal)]
    found.sort(key=lambda clique: [place(column) for column in clique])
    for clique in found:
        cells = np.prod([sizes[column] for column in clique], dtype=float)
        if cells > MOST_CELLS:
            raise GeneratorError(
                f"The margins tie {', '.join(clique)} together in one table of {cells:,.0f} cells, more than "
                f"{MOST_CELLS:,}: leave out a margin between two of them."
            )
    links = nx.Graph()
    links.add_nodes_from(range(len(found)))
    for one, other in itertools.combinations(range(len(found)), 2):
        if shared := set(found[one]) & set(found[other]):
            links.add_edge(one, other, weight=len(shared))
    # Parts that share no column are hung together all the same: they have nothing to agree on.
    nx.add_path(links, [min(part) for part in nx.connected_components(links)], weight=0)
    tree = nx.maximum_spanning_tree(links)
    # Number the cliques in the order of a walk from the first, so that each comes after the one it hangs on.
    order = list(nx.dfs_preorder_nodes(tree, 0))
    number = {clique: i for i, clique in enumerate(order)}
    return [found[clique] for clique in order], nx.relabel_nodes(tree, number)


def _walked(tree, here: int, came_from: int | None):
    """Each step of a walk through the whole tree and back, as (from, to)."""
    for there in sorted(tree[here]):
        if there != came_from:
            yield here, there
            yield from _walked(tree, there, here)
            yield there, here


def _picked(weights: np.ndarray, first: np.ndarray, last: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each row a place from `first` up to but not including `last`, in proportion to the weights
    there."""
    edges = np.concatenate([[0], np.cumsum(weights)])
    low, high = edges[first], edges[last]
    place = np.searchsorted(edges, low + rng.random(len(first)) * (high - low), side="right") - 1
    return np.clip(place, first, last - 1)
