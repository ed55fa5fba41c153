"""Adapter to SynthOpt, the open tool of the UK Synthetic Data Community Group.

Its three levels run as published. Two things to know, both shown in lab 02: even its structural level reads
the real table and keeps each column's exact smallest and largest value, and it fits distributions to the
numbers that stand for categories.

Its machine-learning route hands the table to one of synthcity's networks. As published it cannot be imported
beside SDV 2.0, and it takes numbers only. Here it is given what it misses of SDV 1 while it runs, and it gets
the table in numbers, as `synthcity.py` describes.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from .base import Generator, GeneratorError, from_number
from .borrowed import borrowed
from .synthcity import Synthcity


class SynthOpt(Generator):
    """SynthOpt at one `level`: structural, statistical or correlated."""

    def __init__(self, level: str):
        self.level = level
        self.slow = f"SynthOpt's {level} level"

    def _fit(self, table: pd.DataFrame) -> None:
        with borrowed(self.slow, seed=0):
            from synthopt.process.statistical_metadata import process_statistical_metadata
            from synthopt.process.structural_metadata import process_structural_metadata

            if self.level == "structural":
                self.metadata = process_structural_metadata(self._plain(table), table_name=self.schema.name)
            elif self.level == "statistical":
                self.metadata = process_statistical_metadata(self._plain(table), table_name=self.schema.name)
            else:
                self.metadata, self.correlations = process_statistical_metadata(
                    self._plain(table), table_name=self.schema.name, return_correlations=True
                )

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        with borrowed(self.slow, seed=int(rng.integers(2**31))):
            drawn = self._drawn(rows)
        if isinstance(drawn, dict):
            drawn = drawn[self.schema.name]
        if drawn is None or not set(self.columns) <= set(drawn):
            raise GeneratorError(
                f"SynthOpt's {self.level} level did not return every column of {self.schema.name}."
            )
        return pd.DataFrame({column: self._typed(column, drawn[column]) for column in self.columns})

    def _drawn(self, rows: int):
        if self.level == "structural":
            from synthopt.generate.structural_synthetic_data import generate_structural_synthetic_data as make

            return make(self.metadata, num_records=rows)
        if self.level == "statistical":
            from synthopt.generate.statistical_synthetic_data import (
                generate_statistical_synthetic_data as make,
            )

            return make(self.metadata, num_records=rows)
        from synthopt.generate.correlated_synthetic_data import generate_correlated_synthetic_data as make

        return make(self.metadata, self.correlations, num_records=rows)

    def _plain(self, table: pd.DataFrame) -> pd.DataFrame:
        """Plain objects, ISO dates, and true/false as words: SynthOpt loses columns of truth values.

        Every blank is nan: SynthOpt takes None for a code of its own, and then makes as many blanks again.
        """
        plain = table.astype(object).where(table.notna(), np.nan)
        for column in self.columns:
            if self.schema.field(column)["type"] == "boolean":
                plain[column] = plain[column].map({True: "true", False: "false"})
            elif self.schema.kind(column) == "date":
                plain[column] = table[column].dt.strftime("%Y-%m-%d")
            elif self.schema.kind(column) == "numeric":
                plain[column] = (
                    table[column].astype("float64") if table[column].isna().any() else table[column]
                )
        return plain

    def _typed(self, column: str, values: pd.Series) -> pd.Series:
        """As the schema says where the values allow it; left as SynthOpt gave them where they do not."""
        kind = self.schema.kind(column)
        if kind == "date":
            return pd.to_datetime(values, errors="coerce")
        if kind == "numeric":
            numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
            return from_number(numbers, self.schema.field(column), self.decimals[column])
        return values.astype(object)


class SynthOptNetwork(Synthcity):
    """SynthOpt's machine-learning route: pategan, ctgan or dpgan of synthcity, trained for some `iterations`.

    Other options (dp_epsilon, dp_delta, dp_lambda) go to SynthOpt as they are. Its own number of iterations
    is 100. It cuts off what stands behind the point in every column that has a whole number anywhere.
    """

    def __init__(self, model_name: str = "pategan", iterations: int = 10, **options):
        super().__init__(model_name)
        self.slow = f"SynthOpt's machine learning ({model_name})"
        self.options = {"model_name": model_name, "iterations": iterations, **options}

    def _learned(self, encoded: pd.DataFrame, workspace: Path):
        """SynthOpt trains and draws in one call, and prints its errors. What it saves is what is kept."""
        with _sdv_one(), contextlib.chdir(workspace), contextlib.redirect_stdout(io.StringIO()) as said:
            route = importlib.import_module("synthopt.generate.syntheticdata")
            importlib.import_module("synthcity.logger").remove()
            saved = workspace / "model"
            drawn = route.generate_syntheticdata(encoded, sample_size=2, save_location=saved, **self.options)
            if drawn is None:
                raise ValueError(said.getvalue().strip().splitlines()[-1])
            return route.load_from_file(saved)


@contextlib.contextmanager
def _sdv_one():
    """While this lasts, sdv.metadata has the two names of SDV 1 that SynthOpt's machine learning imports.

    For one table it makes such a description and never looks at it.
    """
    import sdv.metadata

    class Description:
        def detect_from_dataframe(self, table):
            pass

    names = ("SingleTableMetadata", "MultiTableMetadata")
    try:
        for name in names:
            setattr(sdv.metadata, name, Description)
        yield
    finally:
        for name in names:
            delattr(sdv.metadata, name)
        sys.modules.pop("synthopt.generate.syntheticdata", None)
