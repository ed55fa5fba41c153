"""Adapter to SDV, the Synthetic Data Vault (Business Source Licence 1.1: source-available)."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, as_number, from_number
from .borrowed import borrowed


class Sdv(Generator):
    """Any single-table synthesiser of SDV, by its class name. Options such as epochs go to SDV as they are.

    `constraints` is a list of objects of sdv.cag: rules that every row will keep, on any columns but
    identifiers. SDV's own object is `.model`, and a network's losses are `.model.get_loss_values()`.
    """

    def __init__(self, synthesiser: str, constraints: list | tuple = (), **options):
        self.synthesiser = synthesiser
        self.slow = f"SDV's {synthesiser}"
        self.constraints = copy.deepcopy(list(constraints))  # SDV keeps what it learns in them
        self.options = options

    def _fit(self, table: pd.DataFrame) -> None:
        import sdv.single_table

        metadata = self.schema.select(self.columns).to_sdv()
        with borrowed(self.slow, seed=0):
            self.model = getattr(sdv.single_table, self.synthesiser)(metadata, **self.options)
            if self.constraints:
                self.model.add_constraints(self.constraints)
            self.model.fit({self.schema.name: self._plain(table)})

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        seed = int(rng.integers(2**31))
        with borrowed(self.slow, seed):
            self.model.reset_sampling()
            # SDV draws from one fixed seed unless told otherwise; it has no public way to be told.
            self._seed(seed)
            drawn = self.model.sample(rows)[self.schema.name]
        if len(drawn) < rows:
            raise GeneratorError(
                f"{self.slow} made {len(drawn):,} of {rows:,} rows that keep its constraints: "
                "loosen them, or ask for fewer rows."
            )
        return pd.DataFrame({column: self._typed(column, drawn[column]) for column in self.columns})

    def _seed(self, seed: int) -> None:
        if self.synthesiser == "GaussianCopulaSynthesizer":
            self.model._set_random_state(np.random.RandomState(seed))
        else:
            import torch

            self.model._set_random_state((np.random.RandomState(seed), torch.Generator().manual_seed(seed)))

    def _plain(self, table: pd.DataFrame) -> pd.DataFrame:
        """Floats, ISO dates and plain objects: what SDV handles without warnings."""
        plain = table.astype(object)
        for column in self.schema.of_kind("numeric"):
            plain[column] = as_number(table[column])
        for column in self.schema.of_kind("date"):
            plain[column] = table[column].dt.strftime("%Y-%m-%d")
        return plain

    def _typed(self, column: str, values: pd.Series) -> pd.Series:
        field = self.schema.field(column)
        if self.schema.kind(column) == "date":
            return pd.to_datetime(values)
        if self.schema.kind(column) == "numeric":
            return from_number(values.to_numpy(float), field, self.decimals[column])
        return values.astype(object)
