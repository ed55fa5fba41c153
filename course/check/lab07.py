"""Exercises and quizzes of lab 7, Copulas and constraints."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right, sort_into


def margin(answer) -> Verdict:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(7)
    values = np.append(rng.lognormal(6, 0.5, 3999), 60_000.0).round(2)
    ranks = rng.random(4000)
    given = answer(pd.Series(values), ranks.copy())
    if given is None:
        return not_attempted("let the function return the values, then run this cell again.")
    given = np.asarray(given, dtype=float)
    if given.shape != ranks.shape or np.isnan(given).any():
        return not_yet("return one number for each rank, and no blanks.")
    if np.any(np.diff(given[np.argsort(ranks)]) < 0):
        return not_yet(
            "a higher rank must never get a lower value: read the values off at the ranks you are given, and "
            "draw nothing at random, or the correlations are lost."
        )
    if given.max() <= 1:
        return not_yet(
            "your values are ranks. np.interp takes the ranks to look up, then the ranks of the edges, then "
            "the edges."
        )
    lowest, highest = np.sort(values)[[9, -10]]
    if given.min() <= lowest or given.max() >= highest:
        return not_yet(
            "your values reach the ten smallest or the ten largest. Let the outermost edges stand inside the "
            "column, at the ranks .01 and .99 for example."
        )
    copied = np.isin(given, values).mean()
    if copied > 0.2:
        return not_yet(f"{copied:.0%} of your values are somebody's real value. Go between them.")
    # Between the same two neighbours as the real value of that rank, a value is a real one, hardly blurred.
    beside = np.abs(np.searchsorted(np.sort(values), given) - ranks * len(values)) <= 1
    if beside.mean() > 0.6:
        return not_yet(
            f"{beside.mean():.0%} of your values lie right beside the real value of their rank: that is the "
            "real column again, hardly blurred. Keep only about twenty edges of it."
        )
    five = [0.1, 0.25, 0.5, 0.75, 0.9]
    gap = np.abs(np.quantile(given, five) / np.quantile(values, five) - 1)
    if gap.max() > 0.06:
        return not_yet(
            f"the margin no longer fits: at one of five ranks your value is {gap.max():.0%} off. Keep more "
            "edges."
        )
    return right(
        "the shape is kept, and no value is read off one person. A copula needs no more from a column."
    )


_RULES = {
    "stay": ("Inequality", "two dates in order are what Inequality is for."),
    "episode": ("Range", "three values in order are what Range is for."),
    "policy": (
        "FixedCombinations",
        "it joins two short lists of codes, and says nothing of people: FixedCombinations.",
    ),
    "sessions": (
        "none",
        "a sum is none of the three. Leave one of the columns out, and work it out afterwards.",
    ),
    "person": (
        "none",
        "a constraint could hold it, and should not: it would publish which combinations of personal "
        "characteristics occur.",
    ),
}


def constraint(answer: dict) -> Verdict:
    return sort_into(
        answer,
        _RULES,
        "order, order of three, pairs of codes. A sum is worked out, and people are not pinned down.",
        what="rule",
    )


def catch(answer, real, control, made, shown) -> Verdict:
    import numbers

    import numpy as np

    first = answer(real.copy())
    if first is None:
        return not_attempted("let the function return a number, then run this cell again.")
    if not isinstance(first, numbers.Real):
        return not_yet(f"your function returns a {type(first).__name__}. It should return one number.")
    on_real, on_control = (float(answer(table.copy())) for table in (real, control))
    on_made = np.array([float(answer(table.copy())) for table in made])
    figures = f"real {on_real:.3g}, control {on_control:.3g}, copula {on_made.mean():.3g}"
    if not np.isfinite([on_real, on_control, *on_made]).all():
        return not_yet(f"your function has no answer for some of the tables ({figures}).")
    if any(np.isclose(on_real, measure(real)) for measure in shown):
        return not_yet("that is one of the lab's own yardsticks. Find a new one.")
    rng = np.random.default_rng(0)
    alone = real.apply(lambda column: rng.permutation(column.to_numpy(object))).astype(real.dtypes)
    if np.isclose(on_real, float(answer(alone))):
        return not_yet(
            f"this looks at one column at a time, and a copula keeps those ({figures}). Let two columns "
            "speak about each other."
        )
    chance = max(abs(on_real - on_control), on_made.std())
    apart = abs(on_real - on_made.mean())
    if apart < 0.15 * abs(on_real):
        return not_yet(f"the copula keeps this nearly whole ({figures}).")
    if apart < 4 * chance:
        return not_yet(
            "the difference is no clearer than chance: real and control, or the five tables, lie nearly as "
            f"far apart ({figures}). Take a larger group."
        )
    return right(f"caught ({figures}). The real and the control households agree, and the copula does not.")


EXERCISES = {
    "lab07-margin": Exercise(
        "A margin that shows nobody's value",
        "a function of (values, ranks) that returns the values at those ranks",
        margin,
        (
            Wrong(
                "def my_margin(values, ranks):\n    return np.quantile(values, ranks, method='nearest')[:]",
                "reach the ten smallest",
            ),
            Wrong(
                "def my_margin(values, ranks):\n"
                "    return np.quantile(np.sort(values)[40:-40], ranks, method='nearest')",
                "somebody's real value",
            ),
            Wrong(
                "def my_margin(values, ranks):\n"
                "    return np.clip(np.quantile(values, ranks), *np.quantile(values, [0.01, 0.99]))",
                "hardly blurred",
            ),
            Wrong(
                "def my_margin(values, ranks):\n"
                "    return np.interp(ranks, [0, 1], np.quantile(values, [0.01, 0.99]))",
                "no longer fits",
            ),
            Wrong(
                "def my_margin(values, ranks):\n    at = np.linspace(0.01, 0.99, 21)\n"
                "    return np.interp(ranks, np.quantile(values, at), at)",
                "your values are ranks",
            ),
            Wrong(
                "def my_margin(values, ranks):\n    return np.random.choice(values, len(ranks))",
                "a higher rank",
            ),
            Wrong(
                "def my_margin(values, ranks):\n    return np.quantile(values, np.linspace(0, 1, 21))",
                "one number for each rank",
            ),
        ),
    ),
    "lab07-constraint": Exercise(
        "The constraint for a rule",
        "the five rules, each with the name of a constraint or none",
        constraint,
        (
            Wrong(
                "my_constraints = {'stay': 'Inequality', 'episode': 'Inequality', 'policy': "
                "'FixedCombinations', 'sessions': 'none', 'person': 'none'}",
                "three values in order",
            ),
            Wrong(
                "my_constraints = {'stay': 'Inequality', 'episode': 'Range', 'policy': 'FixedCombinations', "
                "'sessions': 'Range', 'person': 'none'}",
                "a sum is none of the three",
            ),
            Wrong(
                "my_constraints = {'stay': 'Inequality', 'episode': 'Range', 'policy': 'FixedCombinations', "
                "'sessions': 'none', 'person': 'FixedCombinations'}",
                "should not",
            ),
        ),
    ),
    "lab07-catch": Exercise(
        "Something else that the copula loses",
        "a function of a table that returns a number",
        catch,
        (
            Wrong("def my_catch(t):\n    return t['weekly_income'].median()", "one column at a time"),
            Wrong(
                "def my_catch(t):\n    return t.groupby('tenure')['weekly_rent'].median()",
                "returns a Series",
            ),
            Wrong(
                "def my_catch(t):\n    return t['people'].corr(t['bedrooms'], 'spearman')",
                "keeps this nearly whole",
            ),
            Wrong("def my_catch(t):\n    return 100 * (t['people'] == 1).mean()", "lab's own yardsticks"),
            Wrong(
                "def my_catch(t):\n    return t['weekly_rent'][t['bedrooms'] >= 5].mean()",
                "no clearer than chance",
            ),
        ),
    ),
}

QUIZZES = {
    "lab07-rules": Quiz(
        "After adding constraints, no business rule is broken in any synthetic row. What may you conclude?",
        (
            Option(
                "The table is realistic in the columns that the rules name.",
                "in this lab the order of two dates held in every row, and half of all ends fell on two "
                "days.",
            ),
            Option(
                "Those rules hold. What else happened to the columns has to be looked at.",
                "a rule can be held by rejecting rows or by pushing values to a limit, and either changes a "
                "column.",
                right=True,
            ),
            Option(
                "The relationships between these columns are as in the real table.",
                "a rule says what is impossible, and nothing about how often the possible things occur.",
            ),
        ),
    ),
    "lab07-order": Quiz(
        "Why can a Gaussian copula not keep the high rents of London beside those of eight other regions?",
        (
            Option(
                "London is too rare.",
                "rarer regions are no worse off: a pattern that rises along the list is kept for all.",
            ),
            Option(
                "Rents are not normally distributed.",
                "the margin of the rents is kept whatever its shape; only ranks enter the copula.",
            ),
            Option(
                "Regions have no order, the copula needs one, and one number can only say 'rises along it'.",
                "whatever order a tool takes, most patterns over categories do not rise or fall along it.",
                right=True,
            ),
        ),
    ),
    "lab07-mend": Quiz(
        "SDV's copula has made nobody live alone. Which mend treats the cause?",
        (
            Option(
                "Say that the column is a list of codes, or fit another curve, and look at the column again.",
                "the curve does not fit the column, so change what is fitted, and check that it helped.",
                right=True,
            ),
            Option(
                "Draw more rows.",
                "the fitted curve begins at two: a million rows would hold nobody who lives alone either.",
            ),
            Option(
                "Add a constraint that people is at least one.",
                "no row breaks it: every household has two people or more, and that is the trouble.",
            ),
        ),
    ),
}
