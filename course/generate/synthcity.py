"""Adapter to synthcity, the open library of generators by the van der Schaar Lab (Apache-2.0).

What is done to the table before a plugin sees it, and undone afterwards:

- A blank number or date becomes the column's median, and a yes/no column beside it says that it was blank. A
  blank code or text is one more code. Almost no plugin takes blanks.
- Codes, texts, true/false, and numbers with fewer than 15 different values become 0, 1, 2 ... in their order,
  which is what synthcity does itself. But here an answer outside the list is moved to the nearest code, where
  synthcity would stop with an error.
- Dates become days. Whole numbers are passed as decimals: synthcity cuts off what stands behind the point
  instead of rounding, and ages would come out half a year too young.
- A column with one value only is kept aside, and put back.
- aim runs once, while it is fitted. As published it runs anew, and spends its epsilon anew, for every draw.
- For aim and privbayes, which count combinations of values, every number is cut into 10 groups of equal size.
  A number is then drawn evenly from within its group. `bins` sets how many, and does the same for any plugin.

For plugins with a privacy budget (epsilon), these medians, code lists and groups are read from the real table
outside the budget. So are the limits and encodings that synthcity reads itself.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, as_number, from_number
from .borrowed import borrowed

# Where our settings differ from a plugin's own, for a lab's sake: 2,000 to 3,000 rows take 10 to 40 seconds.
_CHEAPER = {
    "adsgan": {"n_iter": 20},  # its own: 10,000 passes over the data
    "arf": {"num_trees": 10, "max_iters": 2},  # 30 trees, grown up to ten times
    "ctgan": {"n_iter": 20},  # 2,000 passes
    "ddpm": {"n_iter": 100, "num_timesteps": 100},  # 1,000 passes; 1,000 steps, all of them for each draw
    "dpgan": {"n_iter": 2},  # 2,000 passes
    "nflow": {"n_iter": 15, "base_transform_type": "rq-coupling"},  # 1,000; its own draws 50 times slower
    "pategan": {"n_iter": 2},  # 200 passes
    "privbayes": {"K": 2},  # it would choose three parents for a column, and take a hundred seconds
    "tvae": {"n_iter": 15},  # 1,000 passes
}
_PRIVACY = ("adsgan", "aim", "decaf", "dpgan", "pategan", "privbayes")  # the others are in "generic"
_COUNTING = ("aim", "privbayes")  # every different number would be a category of its own
_FEW = 15  # synthcity takes a column with fewer different values for a list of codes


class Synthcity(Generator):
    """Any plugin of synthcity for one table, by its name. Other options go to the plugin as they are.

    `strict` is False unless you ask. When it is True, as in synthcity itself, a batch loses its repeated
    rows, and those outside the real smallest and largest values: that changes the shares of a table with few
    combinations. The plugin itself is `.model`.
    """

    most_codes = 2000

    def __init__(self, plugin: str, bins: int | None = None, **options):
        self.plugin = plugin
        self.bins = bins or (10 if plugin in _COUNTING else None)
        self.slow = f"synthcity's {plugin}"
        self.options = {"strict": False, **_CHEAPER.get(plugin, {}), **options}

    def _fit(self, table: pd.DataFrame) -> None:
        import torch  # noqa: F401 (loaded, so that `borrowed` seeds it)

        encoded = self._encode(table)
        with borrowed(self.slow, seed=0), tempfile.TemporaryDirectory() as workspace:
            self.model = self._learned(encoded, Path(workspace))

    def _learned(self, encoded: pd.DataFrame, workspace: Path):
        """The plugin, fitted. `workspace` is a folder for what it writes down meanwhile."""
        folder = "privacy" if self.plugin in _PRIVACY else "generic"
        module = importlib.import_module(f"synthcity.plugins.{folder}.plugin_{self.plugin}")
        loader = importlib.import_module("synthcity.plugins.core.dataloader").GenericDataLoader
        importlib.import_module("synthcity.logger").remove()
        model = module.plugin(workspace=workspace, **self.options)
        model.fit(loader(encoded))
        if self.plugin == "aim":
            _run_once(model)
        return model

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        seed = int(rng.integers(2**31))
        with borrowed(self.slow, seed), _all_seeded(seed):
            drawn = self.model.generate(count=rows, random_state=seed).dataframe()
        if len(drawn) < rows:
            raise GeneratorError(f"{self.slow} made {len(drawn):,} of {rows:,} rows: ask for fewer.")
        drawn = drawn.head(rows).reset_index(drop=True)
        return pd.DataFrame({column: self._decoded(column, drawn, rng) for column in self.columns})

    def _encode(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table in numbers only. Sets `codes`: the value behind each code of a column, and `groups`."""
        self.codes, self.groups, encoded = {}, {}, {}
        for column in self.columns:
            values = table[column]
            if self.schema.kind(column) in ("numeric", "date"):
                values = pd.Series(as_number(values))
                if values.isna().any() and values.notna().any():
                    encoded[_blank(column)] = values.isna().astype("int64")
                    values = values.fillna(values.median())
                if self.bins and values.nunique() > self.bins:
                    values, self.groups[column] = pd.qcut(
                        values, self.bins, labels=False, retbins=True, duplicates="drop"
                    )
                elif values.nunique() >= _FEW:
                    encoded[column] = values.astype(float)
                    continue
            encoded[column] = self._coded(column, values)
        encoded = {column: values for column, values in encoded.items() if values.nunique() > 1}
        if not encoded:
            raise GeneratorError(f"Every column of {self.schema.name} has one value only: nothing to learn.")
        return pd.DataFrame(encoded)

    def _coded(self, column: str, values: pd.Series) -> pd.Series:
        """A column as 0, 1, 2 ... in sorted order, with blank, if there is one, as the last."""
        known = values.dropna().unique().tolist()
        try:
            known = sorted(known)
        except TypeError:  # words and numbers in one column
            known = sorted(known, key=str)
        self.codes[column] = known + ([None] if values.isna().any() else [])
        code_of = {value: code for code, value in enumerate(known)}
        return values.astype(object).map(code_of).fillna(len(known)).astype("int64")

    def _decoded(self, column: str, drawn: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
        """One column of the plugin's answer, as the schema describes it."""
        numbers = drawn[column].to_numpy(float) if column in drawn else np.zeros(len(drawn))
        if not np.isfinite(numbers).all():
            raise GeneratorError(f"{self.slow} gave no number for some of column {column!r}.")
        if column in self.codes:
            codes = self.codes[column]
            nearest = np.clip(np.rint(numbers), 0, len(codes) - 1).astype(int)
            values = pd.Series(pd.array(codes, dtype=object)[nearest])
            if self.schema.kind(column) not in ("numeric", "date"):
                return values
            numbers = values.to_numpy(float)
        if column in self.groups:
            edges, group = self.groups[column], numbers.astype(int)
            numbers = rng.uniform(edges[group], edges[group + 1])
        if _blank(column) in drawn:
            numbers = np.where(drawn[_blank(column)].to_numpy(float) >= 0.5, np.nan, numbers)
        return from_number(numbers, self.schema.field(column), self.decimals.get(column, 2))


def _run_once(aim) -> None:
    """aim runs its whole mechanism at every draw, and spends epsilon anew: run it once, draw from that."""
    from synthcity.plugins.core.models.mbi.graphical_model import GraphicalModel

    learned, draw = [], GraphicalModel.synthetic_data

    def kept(model, rows=None, method="round"):
        learned.append(model)
        return draw(model, 1)

    with mock.patch.object(GraphicalModel, "synthetic_data", kept):
        aim.model.generate(1)
    aim.model.generate = lambda count: learned[0].synthetic_data(count).df


def _all_seeded(seed: int):
    """Part of synthcity draws from generators that nothing seeds, whatever random_state says: seed them."""
    unseeded, seeds = np.random.default_rng, np.random.default_rng(seed)

    def seeded(own=None):
        return unseeded(seeds.integers(2**63) if own is None else own)

    return mock.patch.object(np.random, "default_rng", seeded)


def _blank(column: str) -> str:
    return f"{column} is blank"
