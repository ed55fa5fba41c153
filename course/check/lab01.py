"""Exercises and quizzes of lab 1, Your first synthetic table."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

RENTING = ["PR", "SR"]


def arrears(answer: float) -> Verdict:
    from course import data

    households = data.load("claims").training["households"]
    on_uc, behind = households["universal_credit"] == "Y", households["arrears"] == "Y"
    renting = households["tenure"].isin(RENTING)
    answer = float(answer)
    true = behind[renting & on_uc].mean()
    if abs(answer - true) < 0.002:
        return right(
            "you took the renters on Universal Credit as the whole, and those in arrears as the part."
        )
    if abs(answer / 100 - true) < 0.002:
        return not_yet("that is the share in hundredths. Give it as a number between 0 and 1.")
    if abs(answer - behind[on_uc].mean()) < 0.002:
        return not_yet(
            "you counted everyone on Universal Credit. The question is about renters: keep only PR and SR."
        )
    if abs(answer - on_uc[renting & behind].mean()) < 0.002:
        return not_yet(
            "that is the share of renters in arrears who are on Universal Credit. Turn it round: start from "
            "those on "
            "Universal Credit, then ask how many are in arrears."
        )
    if abs(answer - behind[renting].mean()) < 0.002:
        return not_yet(
            "that is the share among all renters. Keep only those with universal_credit equal to Y."
        )
    if answer == (behind & renting & on_uc).sum():
        return not_yet("that is how many there are. Divide by the number of renters on Universal Credit.")
    if not 0 <= answer <= 1:
        return not_yet("a share lies between 0 and 1.")
    return not_yet(
        "check which rows you keep (renters on Universal Credit, real table) and what you average (arrears "
        "equal to Y)."
    )


def impossible(answer, synthetic) -> Verdict:
    owns = synthetic["tenure"].isin(["OO", "OM"])
    wanted = set(synthetic.loc[owns & synthetic["weekly_rent"].notna(), "household_id"])
    given = list(answer["household_id"])  # the synthetic table's own, so rows of another table are noticed
    if len(given) == len(wanted) and set(given) == wanted:
        return right(
            f"{len(given):,} synthetic households own their home and pay rent. The real table has none."
        )
    if not given:
        return not_yet(
            "your table is empty. In the codes, owners are OO and OM; a rent is there when "
            "weekly_rent.notna()."
        )
    if not set(given) <= set(synthetic["household_id"]):
        return not_yet(
            "some of your rows are not in the synthetic table. Start from synthetic, not from real."
        )
    if answer["tenure"].isin(RENTING).any():
        return not_yet("some of your rows are renters, and renters do pay rent. Keep the tenures OO and OM.")
    if answer["weekly_rent"].isna().any():
        return not_yet(
            "some of your rows have no rent, which is right for an owner. Keep those where weekly_rent is "
            "not blank."
        )
    if set(given) < wanted:
        return not_yet("all your rows are impossible, but there are more. Owners have two codes: OO and OM.")
    return not_yet("some households stand in your table more than once. Keep each row once.")


def copies(answer) -> Verdict:
    import pandas as pd

    real = pd.DataFrame({"a": [1, 1, 2, 3], "b": list("xxyz")})
    synthetic = pd.DataFrame({"a": [1, 1, 1, 2, 3], "b": list("xxxqz")})
    given = answer(real.copy(), synthetic.copy(), ["a", "b"])
    if given is None:
        return not_attempted("let the function return the number of copies, then run this cell again.")
    if given == 4 and answer(real, synthetic, ["a"]) == 5 and answer(real, synthetic, ["b"]) == 4:
        return right("every synthetic row counts once, however many real rows it matches.")
    if given == 7:
        return not_yet(
            "a synthetic row that matches two equal real rows is counted twice. Drop duplicates from real."
        )
    if given == 2:
        return not_yet(
            "equal synthetic rows are counted once. Each is a copy: drop duplicates from real only."
        )
    if given == 3:
        return not_yet("you counted real rows. Start from the synthetic table: synthetic.merge(...).")
    if given == 4:
        return not_yet(
            "it is right for two columns, but not for one: use only the columns that are passed in."
        )
    return not_yet(
        f"for a small test with four copies your function returns {given}. Merge the tables on the columns "
        "given."
    )


EXERCISES = {
    "lab01-arrears": Exercise(
        "The share of renters on Universal Credit in arrears",
        "a number between 0 and 1",
        arrears,
        (
            Wrong(
                "my_share = (real.loc[real['universal_credit'] == 'Y', 'arrears'] == 'Y').mean()",
                "about renters",
            ),
            Wrong(
                "r = real[real['tenure'].isin(['PR', 'SR'])]\n"
                "my_share = (r.loc[r['arrears'] == 'Y', 'universal_credit'] == 'Y').mean()",
                "turn it round",
            ),
            Wrong(
                "r = real[real['tenure'].isin(['PR', 'SR']) & (real['universal_credit'] == 'Y')]\n"
                "my_share = 100 * (r['arrears'] == 'Y').mean()",
                "hundredths",
            ),
        ),
    ),
    "lab01-impossible": Exercise(
        "Synthetic owners who pay rent",
        "a table of rows taken from the synthetic table",
        impossible,
        (
            Wrong("my_rows = synthetic[synthetic['weekly_rent'].notna()]", "renters do pay rent"),
            Wrong("my_rows = synthetic[synthetic['tenure'].isin(['OO', 'OM'])]", "have no rent"),
            Wrong(
                "my_rows = synthetic[(synthetic['tenure'] == 'OO') & synthetic['weekly_rent'].notna()]",
                "owners have two codes",
            ),
            Wrong("my_rows = real[real['tenure'].isin(['OO', 'OM'])]", "not in the synthetic table"),
        ),
    ),
    "lab01-copies": Exercise(
        "A function that counts copied rows",
        "a function of (real, synthetic, columns) that returns a number",
        copies,
        (
            Wrong("def my_copies(r, s, c):\n    return len(s.merge(r[c], on=c))", "counted twice"),
            Wrong(
                "def my_copies(r, s, c):\n    return "
                "len(s[c].drop_duplicates().merge(r[c].drop_duplicates()))",
                "counted once",
            ),
            Wrong(
                "def my_copies(r, s, c):\n    return len(r.merge(s[c].drop_duplicates(), on=c))",
                "you counted real rows",
            ),
            Wrong(
                "def my_copies(r, s, c):\n    return len(s.merge(r.drop_duplicates()))",
                "use only the columns",
            ),
        ),
    ),
}

QUIZZES = {
    "lab01-good": Quiz(
        "Every column of a synthetic table has the same distribution as in the real one. What may you "
        "conclude?",
        (
            Option(
                "A regression on it will give about the same coefficients.",
                "a regression is about relationships, and equal single columns say nothing of those. You "
                "saw one vanish.",
            ),
            Option(
                "Summaries of one column will be about right; anything about two or more columns is still "
                "open.",
                "single columns can be right while every relationship between them is lost.",
                right=True,
            ),
            Option(
                "The table is unsafe, because it is too close to the real one.",
                "the distribution of a column is known from many people at once. Danger comes from what is "
                "known of a few.",
            ),
        ),
    ),
    "lab01-safe": Quiz(
        "No synthetic row equals a real row. Is the table safe to publish?",
        (
            Option(
                "Yes: there is nobody in it.",
                "you saw the rent of one household pass through, with no row copied.",
            ),
            Option(
                "Yes, if a second synthetic table made with another seed has no copies either.",
                "a second table repeats the same limits and the same habits of the generator. Counting "
                "copies misses them twice.",
            ),
            Option(
                "It cannot be said yet. Copies are one way to leak; others have to be tested.",
                "what an intruder can learn about people, compared with people outside the data, has to be "
                "measured.",
                right=True,
            ),
        ),
    ),
    "lab01-send": Quiz(
        "A supplier needs a file to test that their software loads, stores and displays your table. What is "
        "the best thing to send?",
        (
            Option(
                "A table made from the schema and the rules alone, with no real row used.",
                "the test needs columns, types, codes and rules. Send no more than the purpose needs.",
                right=True,
            ),
            Option(
                "The table from this lab, because it is the most realistic.",
                "realism is not needed to test loading, and this table breaks the rules that the software "
                "relies on.",
            ),
            Option(
                "A random tenth of the real table, without names.",
                "those are real people. Removing names leaves age, area and household, which can point to "
                "one of them.",
            ),
        ),
    ),
}
