"""Adapter to SDV, the Synthetic Data Vault (Business Source Licence 1.1: source-available)."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, as_number, from_number


class Sdv(Generator):
    """Any single-table synthesiser of SDV, by its class name. Other options go to SDV as they are."""

    def __init__(self, synthesiser: str, **options):
        self.synthesiser = synthesiser
        self.slow = f"SDV's {synthesiser}"
        self.options = options

    def _fit(self, table: pd.DataFrame) -> None:
        import sdv.single_table

        _one_thread()
        metadata = self.schema.select(self.columns).to_sdv()
        with _seeded(0), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.model = getattr(sdv.single_table, self.synthesiser)(metadata, **self.options)
                self.model.fit({self.schema.name: self._plain(table)})
            except Exception as error:
                why = " ".join(str(error).split())
                raise GeneratorError(f"SDV's {self.synthesiser} could not be fitted: {why}") from error

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        self.model.reset_sampling()
        # SDV draws from one fixed seed unless told otherwise; it has no public way to be told.
        self._seed(int(rng.integers(2**31)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            drawn = self.model.sample(rows)[self.schema.name]
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


@contextlib.contextmanager
def _seeded(seed: int):
    """SDV's networks train from the global random states: seed them, and put them back afterwards."""
    import torch

    kept = np.random.get_state()
    with torch.random.fork_rng():
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(kept)


def _one_thread() -> None:
    """On a shared machine, several threads per learner make training slower, not faster."""
    import torch

    torch.set_num_threads(1)
