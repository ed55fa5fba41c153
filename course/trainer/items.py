"""Item statistics of a short quiz: how hard each question is, what it tells apart, and who gained.

Right answers are 1, all others 0. Each function says what it needs and where its definition comes from. With
thirty people every one of these figures is rough, so each comes with its interval, or with its caution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course.data import DataError

if TYPE_CHECKING:
    import numpy as np

FEWEST = 10  # people from whom a correlation or a reliability is worked out at all


@dataclass(frozen=True)
class Estimate:
    """A figure with the ends of its 95% interval; `n` is the number of people behind it."""

    value: float
    low: float
    high: float
    n: int


def facility(right: Sequence[int]) -> Estimate:
    """The share of people who answered right, 0 to 1, with Wilson's interval. `right`: one 0 or 1 a person.

    Facility (or difficulty index) is the plain proportion right. Interval: Wilson, E. B. (1927), Journal of
    the American Statistical Association 22, 209 to 212, as `statsmodels` works it out.

    >>> facility([1, 1, 1, 0]).value
    0.75
    """
    from statsmodels.stats.proportion import proportion_confint

    if not len(right):
        raise DataError("Nobody answered this question, so there is no share to work out.")
    low, high = proportion_confint(sum(right), len(right), method="wilson")
    return Estimate(sum(right) / len(right), float(low), float(high), len(right))


def discrimination(
    right: Sequence[int], rest: Sequence[float], groups: Sequence | None = None
) -> float | None:
    """The item-rest correlation, from -1 to 1: do people who get this right do better on the other questions?

    `right` is 0 or 1, `rest` the number of *other* questions right, of the same people in the same order. It
    is Pearson's correlation of the two, which for a 0 or 1 is the point-biserial correlation, corrected by
    leaving the question out of the score (Henrysson, S. (1963), Psychometrika 28, 211 to 218). With `groups`
    (one label a person), both are first centred in each group, so that a question does not seem to tell
    people apart only because more of them knew everything afterwards than before. None if it is not
    defined: fewer than ten people, or all right, or all wrong, or all with the same rest.

    >>> round(discrimination([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [9, 8, 7, 8, 9, 2, 3, 2, 1, 3]), 2)
    0.97
    """
    import numpy as np

    x, y = (_centred(np.asarray(values, float), groups) for values in (right, rest))
    if len(x) < FEWEST or np.allclose(x, 0) or np.allclose(y, 0):
        return None
    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))


def _centred(values: np.ndarray, groups: Sequence | None) -> np.ndarray:
    import numpy as np

    labels = np.asarray([0] * len(values) if groups is None else groups)
    return values - np.asarray([values[labels == label].mean() for label in labels])


def kr20(scores: np.ndarray) -> Estimate | None:
    """Kuder and Richardson's formula 20: how far the questions of one form agree with each other.

    `scores` has one row a person and one column a question, 0 or 1. The value is k/(k-1) * (1 - sum(pq) /
    variance of the totals), with both variances divided by n (Kuder, G. F. and Richardson, M. W. (1937),
    Psychometrika 2, 151 to 160). It is at most 1 and can be negative. Interval: Feldt, L. S. (1965),
    Psychometrika 30, 357 to 370, which takes the questions to be parallel. None for fewer than ten people, or
    fewer than two questions, or totals that are all alike.

    Caution: twelve questions on twelve different aims need not agree, and a low value is then no fault. It
    says nothing of whether the questions are the right ones.
    """
    import numpy as np
    from scipy.stats import f

    scores = np.asarray(scores, float)
    if scores.ndim != 2 or scores.shape[1] < 2 or len(scores) < FEWEST or not scores.sum(axis=1).var():
        return None
    n, k = scores.shape
    p = scores.mean(axis=0)
    value = k / (k - 1) * (1 - (p * (1 - p)).sum() / scores.sum(axis=1).var())
    return Estimate(float(value), *reliability_interval(float(value), n, k, f), n)


def reliability_interval(value: float, n: int, k: int, f=None) -> tuple[float, float]:
    """Feldt's 95% interval of a KR-20 (or alpha) of `value`, from `n` people and `k` questions.

    >>> [round(end, 4) for end in reliability_interval(0.85, 89, 7)]
    [0.7971, 0.8932]
    """
    if f is None:
        from scipy.stats import f
    spread = f(n - 1, (n - 1) * (k - 1))
    return 1 - (1 - value) * float(spread.ppf(0.975)), 1 - (1 - value) * float(spread.ppf(0.025))


@dataclass(frozen=True)
class Gain:
    """One aim, before and after: how many went from wrong to right and back, the gain, its interval, p."""

    gained: int
    lost: int
    n: int
    value: float
    low: float
    high: float
    p: float


def gain(before: Sequence[int], after: Sequence[int]) -> Gain:
    """The gain in the share right, from people who answered both times. `before[i]`, `after[i]`: 0 or 1.

    `value` is (wrong then right - right then wrong) / people. The interval is Agresti and Min's: Wald's with
    half a person added to each of the four cells, cut at -1 and 1 (Agresti, A. and Min, Y. (2005),
    Statistics in Medicine 24, 729 to 740). Its middle lies a little nearer to 0 than `value`. `p` is
    McNemar's exact test, as `statsmodels` works it out (McNemar, Q. (1947), Psychometrika 12, 153 to 157).

    >>> gain([0] * 8 + [1] * 2, [1] * 6 + [0] * 2 + [1] * 2).value
    0.6
    """
    from scipy.stats import norm
    from statsmodels.stats.contingency_tables import mcnemar

    pairs = list(zip(before, after, strict=True))
    if not pairs:
        raise DataError("Nobody answered both before and after, so there is no gain to work out.")
    n = len(pairs)
    gained, lost = pairs.count((0, 1)), pairs.count((1, 0))
    b, c, total = gained + 0.5, lost + 0.5, n + 2
    middle = (b - c) / total
    half = norm.ppf(0.975) * ((b + c) - (b - c) ** 2 / total) ** 0.5 / total
    p = float(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue) if gained + lost else 1.0
    low, high = max(-1.0, float(middle - half)), min(1.0, float(middle + half))
    return Gain(gained, lost, n, (gained - lost) / n, low, high, p)


def score_gain(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """The mean gain in questions right, when half the room had the two forms the other way round.

    `first` and `second` hold each person's score after minus score before, of those who had form A first and
    of those who had form B first. The value is the mean of the two groups' means, so a form that is easier
    than the other adds to one what it takes from the other. This is the analysis of a two-period crossover
    (Hills, M. and Armitage, P. (1979), British Journal of Clinical Pharmacology 8, 7 to 20). The interval is
    Welch's t, from `scipy`. None with fewer than two people in a group, or no spread at all.

    >>> score_gain([3, 5, 4, 4], [1, 1, 2, 0]).value
    2.5
    """
    import numpy as np
    from scipy.stats import ttest_ind

    first, second = np.asarray(first, float), np.asarray(second, float)
    if min(len(first), len(second)) < 2 or not (first.var() + second.var()):
        return None
    # The difference between `first` and the turned-round `second` is twice the mean of the two means.
    interval = ttest_ind(first, -second, equal_var=False).confidence_interval(0.95)
    value = float(first.mean() + second.mean()) / 2
    return Estimate(value, float(interval.low) / 2, float(interval.high) / 2, len(first) + len(second))
