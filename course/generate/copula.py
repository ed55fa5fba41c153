"""The multivariate plausible rung: a Gaussian copula, built by hand.

Every column is turned into ranks, every rank into a normal score. The correlations of those scores are all
that is kept of the relationships. To sample, correlated normal scores are drawn and turned back into values
through each column's own margin. Source: Patki, Wedge and Veeramachaneni (2016), The Synthetic Data Vault.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .marginal import Marginal


class Copula(Marginal):
    """Margins as in `Marginal`, tied together by one correlation matrix of normal scores."""

    def _fit(self, table: pd.DataFrame) -> None:
        super()._fit(table)
        scores = np.column_stack([self._scores(column, table[column]) for column in self.columns])
        self.correlation = _nearest_correlation(scores)

    def _scores(self, column: str, values: pd.Series) -> np.ndarray:
        from scipy.special import ndtri

        rank = self.margins[column].midrank(values)
        return ndtri(np.clip(rank, 1e-6, 1 - 1e-6))

    def _sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        from scipy.special import ndtr

        root = np.linalg.cholesky(self.correlation)
        scores = rng.standard_normal((rows, len(self.columns))) @ root.T
        return pd.DataFrame(
            {column: self.margins[column].at(ndtr(scores[:, i])) for i, column in enumerate(self.columns)}
        )


def _nearest_correlation(scores: np.ndarray) -> np.ndarray:
    """The correlation matrix of the scores, lifted slightly where rounding made it singular."""
    spread = scores.std(axis=0)
    scaled = (scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1)
    matrix = scaled.T @ scaled / len(scores)
    np.fill_diagonal(matrix, 1)
    values, vectors = np.linalg.eigh(matrix)
    matrix = vectors @ np.diag(np.clip(values, 1e-6, None)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    return matrix / np.outer(scale, scale)
