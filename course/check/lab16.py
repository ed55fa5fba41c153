"""Exercises and quizzes of lab 16, Utility."""

from __future__ import annotations

import functools

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def _close(one, other, by=1e-6) -> bool:
    return abs(float(one) - float(other)) <= by


def overlap(answer) -> Verdict:
    half, inside, gap = answer((0, 2), (1, 3)), answer((0, 4), (1, 2)), answer((0, 2), (3, 5))
    if half is None:
        return not_attempted("let the function return a number, then run this cell again.")
    if _close(half, 1 / 3):
        return not_yet(
            "(0, 2) and (1, 3) give a third: you divide by the length of both together. Take the shared "
            "part as a share of each interval, and then the mean."
        )
    if _close(half, 0.5) and (_close(inside, 0.25) or _close(inside, 1)):
        return not_yet(
            "you divide by the length of one interval only. A long interval that holds a short one would "
            "then look perfect, or poor, according to which comes first: use both."
        )
    if _close(half, 0.5) and _close(gap, 0):
        return not_yet(
            "(0, 2) and (3, 5) give nought. They do not touch: let the shared part be negative, so that a "
            "near miss can be told from a far one."
        )
    if _close(half, 0.5) and _close(gap, 0.5):
        return not_yet("(0, 2) and (3, 5) give more than nought, but there is a gap: keep the minus sign.")
    if not (_close(half, 0.5) and _close(inside, 0.625) and _close(gap, -0.5)):
        return not_yet(
            f"(0, 2) and (1, 3) should give a half and yours gives {float(half):.3g}; (0, 4) and (1, 2) "
            f"should give five eighths and yours gives {float(inside):.3g}. The shared part runs from the "
            "higher low end to the lower high end."
        )
    return right(
        "half, five eighths, and minus a half for a gap. A report that cuts off at nought hides how far "
        "apart the answers are."
    )


def combine(answer) -> Verdict:
    import numpy as np

    from course.measure.utility import Estimate

    def tables(rows):
        return [Estimate("share", v, v - 0.04, v + 0.04, rows) for v in (0.30, 0.34, 0.41)]

    given = answer(tables(1000), 1000)
    if given is None:
        return not_attempted("let the function return three numbers, then run this cell again.")
    given = tuple(given)
    if len(given) != 3:
        return not_yet("return three numbers and nothing else: the value, the low end, the high end.")
    value, low, high = (float(part) for part in given)
    if not _close(value, 0.35, 1e-4):
        return not_yet(f"the combined value is the mean of the values, 0.35 here; yours is {value:.3g}.")
    if _close(low, 0.26) and _close(high, 0.45):
        return not_yet(
            "you took the outermost ends. That interval grows with every table, and more tables should help."
        )
    if not _close(high - value, value - low, 1e-6):
        return not_yet("the interval should reach equally far to both sides of the value.")
    reach, v, b = high - value, (0.04 / 1.96) ** 2, np.var([0.30, 0.34, 0.41], ddof=1)
    known = {
        "ends": (
            0.04,
            "this is the length of a single interval: the mean of the low ends and of the high ends. It "
            "leaves out the luck of the synthesis.",
        ),
        "stacked": (
            0.04 / np.sqrt(3),
            "you count the synthetic rows of all tables as so many people (v/m alone). The luck of the "
            "original sample, v k/n, does not shrink with more tables.",
        ),
        "imputed": (
            1.96 * np.sqrt(v + b * (1 + 1 / 3)),
            "this is the rule for missing values that were filled in several times. In a fully synthetic "
            "table it does not hold.",
        ),
        "variance": (
            1.96 * (v / 3 + v),
            "you have the right variance. The standard error is its square root.",
        ),
    }
    for wrong, why in known.values():
        if _close(reach, wrong, 2e-4):
            return not_yet(why)
    if not _close(reach, 1.96 * np.sqrt(v / 3 + v), 2e-4):
        return not_yet(
            f"for three intervals that each reach 0.04, the combined one reaches 0.0462; yours {reach:.3g}. "
            "v is the square of a reach divided by 1.96."
        )
    double = tuple(float(part) for part in answer(tables(2000), 1000))
    if not _close(double[2] - double[0], 1.96 * np.sqrt(v / 3 + 2 * v), 2e-4):
        return not_yet(
            "right for tables as long as the original. With twice as many rows, k/n is two: use .rows and "
            "the number of original rows."
        )
    return right(
        "longer than any single interval by a little, and honest. The part v/m goes away with more tables, "
        "the part v k/n stays: no synthesis knows more than its original."
    )


def _score_tables():
    """Three small tables, so unlike each other that each pair of learned and tested gives its own AUC."""
    import numpy as np
    import pandas as pd

    def made(seed, by_income, noise):
        rng = np.random.default_rng(seed)
        income, age = rng.uniform(100, 900, 600).round(), rng.integers(18, 90, 600)
        late = np.where(rng.random(600) < by_income, income < 300, age < 40)
        late = np.where(rng.random(600) < noise, rng.random(600) < 0.3, late)
        arrears = np.where(late, "Y", "N")
        return pd.DataFrame({"weekly_income": income, "reference_age": age, "arrears": arrears})

    return {"training": made(1, 1.0, 0.1), "control": made(2, 0.9, 0.1), "synthetic": made(3, 0.3, 0.2)}


@functools.cache
def _score_answers():
    """The AUC of every pair that an answer may have measured: {(learned from, tested on): AUC}."""
    from course.measure import utility

    tables, found = _score_tables(), {}
    for yardstick, learned, tested in [
        *(("training", "synthetic", tested) for tested in tables),
        ("training", "control", "synthetic"),
    ]:
        three = (tables[yardstick], tables[tested], tables[learned])
        auc = utility.tstr(*three, "arrears", ["weekly_income", "reference_age"], seeds=3)["auc"]
        found |= {(yardstick, tested): auc.iloc[0], (learned, tested): auc.iloc[1]}
    return found


# What an answer measured instead: (learned from, tested on) -> hint.
_PAIRS = {
    ("training", "control"): (
        "this model learned from the real training rows. It is the yardstick; the figure asked for is in "
        "the row where learned_from is synthetic."
    ),
    ("synthetic", "synthetic"): (
        "this is a test on the synthetic rows that the model learned from: their accidents count as "
        "knowledge. Test on people nobody has seen."
    ),
    ("synthetic", "training"): (
        "this is a test on the training people. The generator learned from them, so a copy would look good. "
        "Who was kept back?"
    ),
    ("training", "training"): "here the model is real and is tested on the very rows it learned from.",
    ("training", "synthetic"): (
        "learned from real and tested on synthetic is the wrong way round: the model will be used on real "
        "people."
    ),
    ("control", "synthetic"): (
        "the second table of tstr is where the model is tested, and the third what it learns from: yours "
        "are the wrong way round."
    ),
}


def score(answer) -> Verdict:
    given = answer(**{name: table.copy() for name, table in _score_tables().items()})
    if given is None:
        return not_attempted("let the function return an AUC, then run this cell again.")
    if not isinstance(given, int | float):
        return not_yet("return one number. tstr returns a table: take the AUC of one of its rows.")
    found = _score_answers()
    honest = found["synthetic", "control"]
    if _close(given, honest, 0.018):
        return right(
            f"an AUC of about {honest:.2f}: learned from synthetic rows, tested on real people whom neither "
            "the model nor the generator has seen."
        )
    if _close(given, (honest + found["training", "control"]) / 2, 0.01):
        return not_yet("this is the mean of the two rows. They answer two questions: take one of them.")
    pair = min(_PAIRS, key=lambda pair: abs(given - found[pair]))
    if _close(given, found[pair], 0.018):
        return not_yet(_PAIRS[pair])
    return not_yet(
        f"on the tables of this check the AUC should be about {honest:.2f} and yours is {given:.2f}. Learn "
        "from synthetic, test on control, and take the AUC of the synthetic row."
    )


_SCORE = "def my_score(training, control, synthetic):\n    c = ['weekly_income', 'reference_age']\n    "

EXERCISES = {
    "lab16-overlap": Exercise(
        "The overlap of two intervals, with its sign",
        "a function of two pairs (low, high) that returns a number",
        overlap,
        (
            Wrong(
                "def my_overlap(a, b):\n    s = min(a[1], b[1]) - max(a[0], b[0])\n"
                "    return max(0, s / (a[1] - a[0]) + s / (b[1] - b[0])) / 2",
                "do not touch",
            ),
            Wrong(
                "def my_overlap(a, b):\n    s = min(a[1], b[1]) - max(a[0], b[0])\n"
                "    return s / (a[1] - a[0])",
                "one interval only",
            ),
            Wrong(
                "def my_overlap(a, b):\n    s = min(a[1], b[1]) - max(a[0], b[0])\n"
                "    return s / (max(a[1], b[1]) - min(a[0], b[0]))",
                "both together",
            ),
            Wrong(
                "def my_overlap(a, b):\n    s = abs(min(a[1], b[1]) - max(a[0], b[0]))\n"
                "    return (s / (a[1] - a[0]) + s / (b[1] - b[0])) / 2",
                "minus sign",
            ),
            Wrong("def my_overlap(a, b):\n    return min(a[1], b[1]) - max(a[0], b[0])", "five eighths"),
        ),
    ),
    "lab16-combine": Exercise(
        "One interval from several tables",
        "a function of (estimates, original_rows) that returns three numbers",
        combine,
        (
            Wrong(
                "def my_combined(e, n):\n    return tuple(np.mean([x[i] for x in e]) for i in (1, 2, 3))",
                "single interval",
            ),
            Wrong(
                "def my_combined(e, n):\n    m = np.mean([x.value for x in e])\n"
                "    r = (e[0].high - e[0].low) / 2 / np.sqrt(len(e))\n    return m, m - r, m + r",
                "so many people",
            ),
            Wrong(
                "def my_combined(e, n):\n    return (np.mean([x.value for x in e]),"
                " min(x.low for x in e), max(x.high for x in e))",
                "outermost ends",
            ),
            Wrong(
                "def my_combined(e, n):\n    y = [x.value for x in e]\n    m = np.mean(y)\n"
                "    v = ((e[0].high - e[0].low) / 2 / 1.96) ** 2\n"
                "    r = 1.96 * np.sqrt(v + np.var(y, ddof=1) * (1 + 1 / len(e)))\n"
                "    return m, m - r, m + r",
                "missing values",
            ),
            Wrong(
                "def my_combined(e, n):\n    m = np.mean([x.value for x in e])\n"
                "    v = ((e[0].high - e[0].low) / 2 / 1.96) ** 2\n"
                "    r = 1.96 * np.sqrt(v / len(e) + v)\n    return m, m - r, m + r",
                "k/n is two",
            ),
        ),
    ),
    "lab16-score": Exercise(
        "A prediction tested on the right rows",
        "a function of (training, control, synthetic) that returns an AUC",
        score,
        (
            Wrong(
                f"{_SCORE}return utility.tstr(training, synthetic, synthetic, 'arrears', c)['auc'].iloc[1]",
                "accidents count",
            ),
            Wrong(
                f"{_SCORE}return utility.tstr(training, training, synthetic, 'arrears', c)['auc'].iloc[1]",
                "a copy would look good",
            ),
            Wrong(
                f"{_SCORE}return utility.tstr(training, control, synthetic, 'arrears', c)['auc'].iloc[0]",
                "the yardstick",
            ),
            Wrong(
                f"{_SCORE}return utility.tstr(training, control, synthetic, 'arrears', c)['auc'].mean()",
                "two questions",
            ),
            Wrong(
                f"{_SCORE}return utility.tstr(training, synthetic, control, 'arrears', c)['auc'].iloc[1]",
                "the third what it learns",
            ),
            Wrong(
                f"{_SCORE}return utility.tstr(training, control, synthetic, 'arrears', c)",
                "return one number",
            ),
        ),
    ),
}

QUIZZES = {
    "lab16-overlap-low": Quiz(
        "For one estimate, one synthetic table overlaps the real interval by 0.7. A fresh sample of real "
        "people overlaps it by 0.6. What do you conclude?",
        (
            Option(
                "The table is poor: almost a third of the interval is missing.",
                "a correct synthesis gets about 0.8 on average and often less. Real people did no better.",
            ),
            Option(
                "Nothing here speaks against the table. One estimate is too little to speak for it.",
                "the figure is within what chance gives a correct synthesis. Other tables from the same "
                "model, and other estimates, would tell more.",
                right=True,
            ),
            Option(
                "The table is better than real data.",
                "it was made from these very people, and a fresh sample was not. It may well stay closer to "
                "them than other real people do.",
            ),
        ),
    ),
    "lab16-stack": Quiz(
        "A user gets five synthetic tables of 6,000 rows, puts them together and reports an interval from "
        "30,000 rows. What is wrong?",
        (
            Option(
                "Nothing: more rows, more certainty.",
                "synthetic rows are cheap. All five tables know only what 6,000 real households told.",
            ),
            Option(
                "The interval is far too short: it should come from the five estimates by a combining rule.",
                "the luck of the original sample stays, however many tables are drawn from it.",
                right=True,
            ),
            Option(
                "The five tables must be made by five different generators.",
                "that would not make the interval right, and the rules assume tables made in the same way.",
            ),
        ),
    ),
    "lab16-own": Quiz(
        "A supplier reports: 'A model trained on our synthetic data reaches an AUC of 0.9 in "
        "cross-validation on the synthetic data.' What do you learn about its use on real people?",
        (
            Option(
                "It will reach about 0.9 on them.",
                "no real person was in the test. The synthetic rows may hold patterns that people do not.",
            ),
            Option(
                "It will reach a little less than 0.9.",
                "it could be anything: the model was never tried on real people, so there is no such rule.",
            ),
            Option(
                "Hardly anything: it needs a test on real people kept back before the generator was fitted.",
                "that test, beside a model that learned from real rows, shows what synthetic rows cost.",
                right=True,
            ),
        ),
    ),
}
