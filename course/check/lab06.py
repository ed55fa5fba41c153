"""Exercises and quizzes of lab 6, From published counts."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right, sort_into


def review(answer: list, scrape: dict) -> Verdict:
    if isinstance(answer, (str, dict)) or not set(answer) <= set(scrape):
        return not_yet(f"answer with a list of field names from the sheet: {', '.join(scrape)}.")
    refused = set(answer)
    if not refused:
        return not_yet(
            "you let everything pass. A count of under ten can be worked out from one of the six: add up "
            "what is shown."
        )
    if refused == {"people"}:
        left = 6000 - sum(scrape["people"]["shown"].values())
        return right(
            f"only one count is withheld there, and the total is public. 6,000 less the rest leaves {left}: "
            "the number of households that was to be hidden."
        )
    if "people" in refused:
        return not_yet(
            "the field that must go is among yours, but you refuse fields that pass too. A reviewer who "
            "refuses everything is soon asked nothing."
        )
    if "weekly_rent" in refused:
        return not_yet(
            "several rents are withheld, and only their sum can be worked out. Look for a field with "
            "exactly one withheld count."
        )
    return not_yet(
        "nothing is withheld in a field you refuse, and every count shown is ten or more. Sensitive is not "
        "the same as disclosive: look where something was withheld."
    )


def control(answer) -> Verdict:
    import pandas as pd

    counts = pd.Series([0, 3, 8, 9, 10, 12, 13, 47])
    given = answer(counts.copy())
    if given is None:
        return not_attempted("let the function return the counts, then run this cell again.")
    given = pd.Series(given).reset_index(drop=True)
    if given.map(type).eq(str).any():
        return not_yet("a text such as '<10' makes the whole column text. A blank (NaN) says it as well.")
    given = pd.to_numeric(given).astype("Float64")
    if len(given) != len(counts):
        return not_yet(
            "a withheld count still has its place in the table: return as many counts as were given."
        )
    low, shown = given[counts < 10], given[counts >= 10]
    if low.notna().all() and (low == 0).all():
        return not_yet(
            "you write 0 for what is withheld. That is a false statement about people; a blank (NaN) says "
            "that nothing is said."
        )
    if low[:2].isna().all() and low.notna().any():
        return not_yet(
            f"a count of 9 comes out as {low[3]:g}: it was rounded before it was compared with the "
            "threshold. Compare the true count."
        )
    if low.notna().any():
        return not_yet("a count under ten is still shown. Withhold it: .where(counts >= 10) leaves a blank.")
    if shown.isna().any():
        return not_yet("a count of exactly ten may be shown: the threshold is the smallest that may.")
    if (shown == counts[counts >= 10]).all():
        return not_yet("the counts that are shown are still exact: round them to the nearest five.")
    if (shown % 5 != 0).any():
        return not_yet("the counts that are shown are not all multiples of five.")
    if list(shown) != [10, 10, 15, 45]:
        return not_yet(
            f"the nearest multiple of five to 13 is 15 and to 47 is 45; yours are {shown[6]:g} and "
            f"{shown[7]:g}."
        )
    return right(
        "small counts are blank, the others are rounded, and the threshold was held against the true count."
    )


_SURVIVE = {
    "arrears by tenure": ("kept", "both columns stand in one published table."),
    "social renting by region": ("kept", "region and tenure stand in one published table."),
    "Universal Credit by region": (
        "through tenure",
        "no table has both, but region goes with tenure and tenure with Universal Credit. Regions will "
        "differ only as far as their tenures do.",
    ),
    "Universal Credit matters more for renters": (
        "lost",
        "it takes tenure, Universal Credit and arrears in one table, and only pairs were published.",
    ),
    "income by tenure": ("lost", "income is in no table at all."),
}


def survive(answer: dict) -> Verdict:
    return sort_into(
        answer,
        _SURVIVE,
        "you can now write the list of what a user of this table may and may not conclude.",
        what="statement",
    )


def margins(answer, real) -> Verdict:
    if isinstance(answer, (str, dict)) or any(isinstance(margin, str) for margin in answer):
        return not_yet("answer with a list of margins, each a tuple of column names.")
    given = [frozenset(margin) for margin in answer]
    known = {"region", "universal_credit", "household_type", "tenure", "arrears"}
    strange = sorted(set().union(*given) - known) if given else []
    if strange:
        return not_yet(f"{strange[0]!r} is not needed for any of the three findings.")
    wanted = {
        "Universal Credit by region": {"region", "universal_credit"},
        "household types by tenure": {"household_type", "tenure"},
        "arrears by Universal Credit, for each tenure": {"tenure", "universal_credit", "arrears"},
    }
    for finding, columns in wanted.items():
        if not any(columns <= margin for margin in given):
            pairs = {frozenset(pair & columns) for pair in given if len(pair & columns) > 1}
            if len(columns) == 3 and len(pairs) > 1:
                return not_yet(
                    f"{finding} is lost: pairs do not hold a three-way effect. Put its three columns in one "
                    "margin."
                )
            return not_yet(f"{finding} is lost: no margin of yours has {', '.join(sorted(columns))}.")
    wide = [margin for margin in given if not any(margin == columns for columns in wanted.values())]
    if wide:
        if any(wide[0] < columns for columns in wanted.values()):
            return not_yet(
                f"the margin {', '.join(sorted(wide[0]))} stands already in a wider one of yours. Each table "
                "that goes out can be compared with the others: leave it out."
            )
        cells = real.groupby(sorted(wide[0])).size()
        share = (cells < 10).mean()
        return not_yet(
            f"the margin {', '.join(sorted(wide[0]))} says more than the three findings need; of its cells "
            f"that occur, {share:.0%} hold fewer than ten households. Publish no more than the purpose asks "
            "for."
        )
    return right(
        "three margins, each no wider than its finding. Everything else is lost on purpose, and you can say "
        "so."
    )


EXERCISES = {
    "lab06-review": Exercise(
        "Review what was scraped",
        "a list of field names",
        review,
        (
            Wrong("my_refused = ['weekly_rent']", "only their sum"),
            Wrong("my_refused = []", "let everything pass"),
            Wrong("my_refused = ['ethnic_group']", "nothing is withheld"),
            Wrong("my_refused = ['people', 'weekly_rent']", "refuse fields that pass"),
        ),
    ),
    "lab06-control": Exercise(
        "Threshold, then rounding",
        "a function of a Series of counts that returns a Series",
        control,
        (
            Wrong(
                "def my_controlled(counts):\n    r = 5 * (counts / 5).round()\n    return r.where(r >= 10)",
                "before it was compared",
            ),
            Wrong(
                "def my_controlled(counts):\n    return (5 * (counts / 5).round()).where(counts > 10)",
                "exactly ten",
            ),
            Wrong(
                "def my_controlled(counts):\n    return (5 * (counts / 5).round()).where(counts >= 10, 0)",
                "false statement",
            ),
            Wrong(
                "def my_controlled(counts):\n"
                "    return (5 * (counts / 5).round()).astype(object).where(counts >= 10, '<10')",
                "whole column text",
            ),
            Wrong("def my_controlled(counts):\n    return counts.where(counts >= 10)", "still exact"),
            Wrong("def my_controlled(counts):\n    return 5 * (counts / 5).round()", "still shown"),
            Wrong(
                "def my_controlled(counts):\n    return (5 * (counts // 5)).where(counts >= 10)", "nearest"
            ),
        ),
    ),
    "lab06-survive": Exercise(
        "What a user may conclude",
        "the five statements, each with one of three words",
        survive,
        (
            Wrong("my_fates = dict.fromkeys(my_fates, 'kept')", "regions will differ only as far"),
            Wrong("my_fates = dict.fromkeys(my_fates, 'lost')", "both columns stand"),
            Wrong(
                "my_fates = {'arrears by tenure': 'kept', 'social renting by region': 'kept',\n"
                "'Universal Credit by region': 'through tenure',\n"
                "'Universal Credit matters more for renters': 'kept', 'income by tenure': 'lost'}",
                "only pairs were published",
            ),
        ),
    ),
    "lab06-margins": Exercise(
        "Choose the margins for three findings",
        "a list of tuples of column names",
        margins,
        (
            Wrong(
                "my_margins = [('region', 'universal_credit'), ('household_type', 'tenure'),\n"
                "('tenure', 'universal_credit'), ('tenure', 'arrears'), ('universal_credit', 'arrears')]",
                "pairs do not hold",
            ),
            Wrong(
                "my_margins = [('region', 'universal_credit', 'household_type', 'tenure', 'arrears')]",
                "says more than",
            ),
            Wrong(
                "my_margins = [('region', 'universal_credit'), ('tenure', 'universal_credit', 'arrears')]",
                "household types by tenure is lost",
            ),
            Wrong("my_margins = [('ethnic_group', 'tenure')]", "not needed"),
            Wrong(
                "my_margins = [('region', 'universal_credit'), ('household_type', 'tenure'),\n"
                "('tenure', 'universal_credit', 'arrears'), ('tenure', 'arrears')]",
                "already in a wider one",
            ),
        ),
    ),
}

QUIZZES = {
    "lab06-touched": Quiz(
        "'No record was used to make it, so there is no risk.' What is wrong with that?",
        (
            Option(
                "Nothing: counts are not about anybody.",
                "a count of one is about somebody, and two harmless counts can differ by one.",
            ),
            Option(
                "The sampling used no record, but the counts were made from records: whatever they give "
                "away, the table gives away.",
                "the risk has moved to the choice and the protection of the counts. That is where it can "
                "be reviewed.",
                right=True,
            ),
            Option(
                "Iterative proportional fitting reads the records after all.",
                "it does not: two different tables with the same published counts gave the same synthetic "
                "rows.",
            ),
        ),
    ),
    "lab06-threshold": Quiz(
        "Two trusted bodies use different thresholds. Which one is right?",
        (
            Option(
                "The higher one: it is safer.",
                "higher is not safe by itself, since differencing remains, and it costs the small groups "
                "first.",
            ),
            Option(
                "The lower one: it is more useful.",
                "useful for whom, and at whose risk? That depends on the data and on who will see them.",
            ),
            Option(
                "Neither in general: a threshold states how much risk is accepted, for these data and "
                "these users.",
                "so it should be written down with its reason, and with what it does to small groups.",
                right=True,
            ),
        ),
    ),
    "lab06-warn": Quiz(
        "A user finds in the synthetic table that Universal Credit triples arrears among owners. The "
        "published margins were all pairs of columns. What should the user conclude?",
        (
            Option(
                "Nothing: three columns together are in no published margin, so the table cannot say.",
                "this is the use of knowing the margins: one can tell which statements to drop without "
                "seeing the real table.",
                right=True,
            ),
            Option(
                "That it holds in the real table, roughly.",
                "the fit had to assume the same effect for owners as for renters. The real table says "
                "otherwise.",
            ),
            Option(
                "That the fitting did not converge.",
                "it converged. It agrees with every margin, and the margins do not hold this effect.",
            ),
        ),
    ),
}
