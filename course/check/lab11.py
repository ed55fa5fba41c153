"""Exercises and quizzes of lab 11, Linked tables."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def orphans(answer) -> Verdict:
    import pandas as pd

    children = pd.DataFrame({"key": ["a"] * 6 + ["b"] + ["z"] * 3 + [None] * 2})
    parents = pd.DataFrame({"key": list("abcdef")})
    given = answer(children.copy(), parents.copy(), "key")
    if given is None:
        return not_attempted("let the function return a number, then run this cell again.")
    said = {
        3: "a child with a blank key has no parent either: count it too.",
        4: "those are parents without children, which is allowed. Count children without a parent.",
        7: "those are the children that have a parent. Count the others.",
        1: "count rows, not keys: three children can share one parent that is not there.",
        2: "count rows, not keys: three children can share one parent that is not there.",
    }
    if 0 < given < 1:
        return not_yet("that looks like a share. Return the number of rows.")
    if given != 5:
        why = said.get(int(given), "ask for each row of the children: is its key among the parents' keys?")
        return not_yet(f"for the check's own tables it should give 5 and gives {given}: {why}")
    other = children.rename(columns={"key": "school"}), parents.rename(columns={"key": "school"})
    if answer(*other, "school") != 5:
        return not_yet("it works for one name of the key column only: use the name that is passed in.")
    return right("three rows with a parent that is not there, and two with a blank key.")


def counts(answer) -> Verdict:
    import numpy as np

    real_kinds = ["SPE", "ACC"] * 40
    real_counts = [0, 60, 3, 70, 5, 80, 0, 90] * 10
    kinds = ["ACC", "SPE", "SPE"] * 300
    first, again, other = (answer(kinds, real_kinds, real_counts, seed) for seed in (1, 1, 2))
    if first is None:
        return not_attempted("let the function return a list, then run this cell again.")
    if len(first) != len(kinds):
        return not_yet(
            f"it should give one number for each of the {len(kinds)} kinds, and gives {len(first)}."
        )
    made = {kind: {int(n) for n, k in zip(first, kinds, strict=True) if k == kind} for kind in ("SPE", "ACC")}
    if len(set(made["SPE"])) == 1 or len(set(made["ACC"])) == 1:
        return not_yet("every parent of a type has the same number. Draw one, as different as the real ones.")
    if max(made["SPE"]) > 5 or min(made["ACC"]) < 60:
        return not_yet("a parent has the number of a parent of another type: draw within the type.")
    if 0 not in made["SPE"]:
        return not_yet("nobody is without children, and half of the real SPE are: zero counts too.")
    if not made["SPE"] | made["ACC"] <= set(real_counts):
        return not_yet("some numbers belong to no real parent: draw among the real numbers.")
    if list(first) != list(again):
        return not_yet("the same seed gives other numbers. Make the random generator from the seed.")
    if list(first) == list(other):
        return not_yet("two seeds give the same numbers. Make the random generator from the seed passed in.")
    if abs(np.mean([n == 0 for n, k in zip(first, kinds, strict=True) if k == "SPE"]) - 0.5) > 0.1:
        return not_yet("zero should come as often as among the real SPE: half of the time.")
    return right("every parent has as many children as some real parent of its type, and some have none.")


def band(answer, inside, outside, made) -> Verdict:
    from course.measure import privacy

    widths = (10, 20, 50, 100, 200)
    if answer not in widths:
        return not_yet(f"answer with one of {', '.join(map(str, widths))}.")

    def attack(width):
        tables = [inside["schools"], outside["schools"], *made]
        bands = [t.assign(roll=privacy.band(t["pupils_on_roll"], width)) for t in tables]
        return privacy.membership(*bands[:2], bands[2:], ["roll"])

    if (risk := attack(answer)).low > 0:
        return not_yet(
            f"at {answer} the interval begins at {risk.low:.0%}: schools in the data are still found more "
            "often than schools held back."
        )
    narrower = [width for width in widths if width < answer and attack(width).low <= 0]
    if narrower:
        return not_yet(f"{answer} does it, and so does {narrower[0]}: it blurs less and serves as well here.")
    return right(
        f"at {answer} the interval runs from {risk.low:.0%} to {risk.high:.0%}. It reaches zero also because "
        "it is wide: sixty schools are few. A careful owner would band more widely."
    )


EXERCISES = {
    "lab11-orphans": Exercise(
        "Count orphans",
        "a function of (children, parents, key) that returns a number",
        orphans,
        (
            Wrong("def my_orphans(c, p, k):\n    return int((~p[k].isin(c[k])).sum())", "without children"),
            Wrong(
                "def my_orphans(c, p, k):\n    return int((~c[k].dropna().isin(p[k])).sum())",
                "blank key has no",
            ),
            Wrong(
                "def my_orphans(c, p, k):\n    return len(set(c[k].dropna()) - set(p[k]))", "rows, not keys"
            ),
            Wrong("def my_orphans(c, p, k):\n    return int(c[k].isin(p[k]).sum())", "that have a parent"),
        ),
    ),
    "lab11-counts": Exercise(
        "How many children each parent has",
        "a function of (kinds, real_kinds, real_counts, seed) that returns a list of numbers",
        counts,
        (
            Wrong(
                "def my_counts(k, rk, rc, s):\n    mean = pd.Series(rc).groupby(list(rk)).mean()\n"
                "    return [int(mean[kind]) for kind in k]",
                "the same number",
            ),
            Wrong(
                "def my_counts(k, rk, rc, s):\n    return list(np.random.default_rng(s).choice(rc, len(k)))",
                "within the type",
            ),
            Wrong(
                "def my_counts(k, rk, rc, s):\n    rng = np.random.default_rng(s)\n"
                "    pool = pd.Series(rc)[pd.Series(rc) > 0].groupby(pd.Series(rk)).agg(list)\n"
                "    return [int(rng.choice(pool[kind])) for kind in k]",
                "zero counts too",
            ),
            Wrong(
                "def my_counts(k, rk, rc, s):\n    rng = np.random.default_rng(0)\n"
                "    pool = pd.Series(rc).groupby(list(rk)).agg(list)\n"
                "    return [int(rng.choice(pool[kind])) for kind in k]",
                "two seeds",
            ),
        ),
    ),
    "lab11-band": Exercise(
        "The narrowest band for the number on roll",
        "one of the widths",
        band,
        (
            Wrong("my_width = 10", "still found"),
            Wrong("my_width = 200", "blurs less"),
            Wrong("my_width = 15", "answer with one of"),
        ),
    ),
}

QUIZZES = {
    "lab11-check": Quiz(
        "A supplier's report on linked tables says: 'No orphans, and every column looks like the real one.' "
        "What do you ask for?",
        (
            Option(
                "Nothing more: keys and columns are what tables consist of.",
                "tables whose keys were dealt out at random pass both checks, and their schools mean "
                "nothing.",
            ),
            Option(
                "How many children the parents have, and what the parent's type does to the children, real "
                "beside synthetic.",
                "what lives between the tables can only be seen by joining them.",
                right=True,
            ),
            Option(
                "A lower distance to the closest record.",
                "that looks at single rows, and says nothing about what joins them.",
            ),
        ),
    ),
    "lab11-control": Quiz(
        "A hospital trust fears for its wards: each ward has a few hundred patients in the data. What is a "
        "control for the wards?",
        (
            Option(
                "Other patients of the same wards.",
                "they tell you about patients. The wards themselves are in both parts, so no attack can tell "
                "them apart.",
            ),
            Option(
                "Wards of which no patient went into the data, with their patients.",
                "a control must be held back at the level you fear for.",
                right=True,
            ),
            Option(
                "None: wards have no privacy.",
                "a ward's deaths or staff may be told by its data, and a small ward leads to its patients.",
            ),
        ),
    ),
    "lab11-lost": Quiz(
        "A study of parent-child tables finds that schools hardly differ once their region and type are "
        "known. What do you conclude about real schools?",
        (
            Option(
                "They hardly differ once region and type are known.",
                "the method keeps little else of a school, so these tables would say so whatever is true.",
            ),
            Option(
                "Nothing: what the columns of the school do not tell is lost in this method.",
                "the finding must be made on the real tables, with the code that was written on these.",
                right=True,
            ),
            Option(
                "They differ more once region and type are known.",
                "these tables cannot tell that either.",
            ),
        ),
    ),
}
