"""Exercises and quizzes of lab 2, The fidelity ladder."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def shuffle(answer) -> Verdict:
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"x": np.arange(400), "y": np.arange(400) * 2.0})
    table["group"] = np.where(table["x"] < 40, "rare", "common")
    made, other = answer(table.copy(), 1), answer(table.copy(), 2)
    if made is None:
        return not_attempted("let the function return a table, then run this cell again.")
    if list(made.columns) != list(table.columns) or len(made) != len(table):
        return not_yet("the table you return should have the same columns and as many rows as the one given.")
    if made.reset_index(drop=True).equals(table):
        return not_yet("the rows are unchanged: the columns still know each other.")
    if any(sorted(made[column]) != sorted(table[column]) for column in table):
        return not_yet(
            "the columns no longer have exactly their own values. Put each in a new order, and draw none "
            "twice: rng.permutation does that."
        )
    known = made.assign(group=made["group"] == "rare").astype(float).corr().abs()
    left = [(a, b) for a, b in [("x", "y"), ("x", "group"), ("y", "group")] if known.loc[a, b] > 0.25]
    if len(left) == 3:
        return not_yet(
            "you moved whole rows: x and y of a row are still together. Each column needs its own order."
        )
    if left:
        return not_yet(
            f"{left[0][0]} and {left[0][1]} still know each other. Give every column an order of its own."
        )
    if made.equals(other):
        return not_yet(
            "two seeds give the same table. Make the random generator from the seed that is passed in."
        )
    return right(
        "every column has its own order, so single columns are exact and every relationship is gone."
    )


_WHY = {
    "load test": (
        2,
        "for the load test the codes must come from the code lists; no count matters.",
    ),
    "write code": (3, "realistic messiness of single columns needs their real shape, and no relationship."),
    "teach regression": (4, "a class that should find a relationship needs one to be there, loosely."),
    "decide funding": (
        0,
        "no synthetic table carries a decision: run the code on the real table, in a safe place.",
    ),
}


def rungs(answer: dict) -> Verdict:
    if answer and all(given is None for given in answer.values()):
        return not_attempted("write a number from 0 to 6 for each of the four, then run this cell again.")
    for request, (lowest, why) in _WHY.items():
        given = answer[request]
        if given is None:
            return not_yet(f"there is no rung yet for {request!r}.")
        if lowest == 0 and given != 0:
            return not_yet(f"{request!r}: {why}")
        if given == 0 and lowest:
            return not_yet(f"{request!r}: a synthetic table can serve this purpose. {why.capitalize()}")
        if given < lowest:
            return not_yet(f"{request!r}: rung {given} keeps too little: {why}")
        if given > lowest:
            return not_yet(
                f"{request!r}: rung {given} would do, but it gives away more than is needed: {why}"
            )
    return right("each has what the purpose needs and no more.")


def read(answer, model, some) -> Verdict:
    stored = model.metadata.set_index("variable_name")["values"]
    pairs = stored[stored.map(lambda kept: isinstance(kept, tuple))]
    wanted = {column for column, kept in pairs.items() if kept == (some[column].min(), some[column].max())}
    given = set(answer)
    if isinstance(answer, str) or not given <= set(stored.index):
        return not_yet("answer with a list of column names of the table.")
    if given == wanted:
        return right(
            f"{', '.join(sorted(wanted))}: for each, the smallest and the largest real value are in the "
            "metadata, exactly."
        )
    if given & set(stored.index[stored.map(lambda kept: isinstance(kept, list))]):
        return not_yet(
            "for some of your columns SynthOpt keeps a list of codes. Look for a pair: (smallest, largest)."
        )
    if not given:
        return not_yet("the list is empty. In the column called values, look for pairs: (smallest, largest).")
    if given < wanted:
        return not_yet(f"those are right, but there are more: {len(wanted)} in all.")
    return not_yet("for some of your columns nothing is kept, or not the exact smallest and largest value.")


EXERCISES = {
    "lab02-shuffle": Exercise(
        "A table whose columns do not know of each other",
        "a function of (table, seed) that returns a table",
        shuffle,
        (
            Wrong("def my_plausible(t, s):\n    return t.sample(frac=1, random_state=s)", "whole rows"),
            Wrong(
                "def my_plausible(t, s):\n    rng = np.random.default_rng(s)\n"
                "    return pd.DataFrame({c: rng.choice(t[c].unique(), len(t)) for c in t})",
                "exactly their own values",
            ),
            Wrong("def my_plausible(t, s):\n    return t", "unchanged"),
            Wrong(
                "def my_plausible(t, s):\n"
                "    return t.assign(x=np.random.default_rng(s).permutation(t.iloc[:, 0]))",
                "still know each other",
            ),
            Wrong(
                "def my_plausible(t, s):\n    rng = np.random.default_rng(0)\n"
                "    return pd.DataFrame({c: rng.permutation(t[c].to_numpy()) for c in t})",
                "two seeds give the same",
            ),
        ),
    ),
    "lab02-rungs": Exercise(
        "The lowest rung for four requests",
        "the four requests, each with a number from 0 to 6",
        rungs,
        (
            Wrong(
                "my_rungs = {'load test': 1, 'write code': 3, 'teach regression': 4, 'decide funding': 0}",
                "rung 1 keeps too little",
            ),
            Wrong(
                "my_rungs = {'load test': 2, 'write code': 3, 'teach regression': 6, 'decide funding': 0}",
                "gives away more than is needed",
            ),
            Wrong(
                "my_rungs = {'load test': 2, 'write code': 3, 'teach regression': 4, 'decide funding': 6}",
                "carries a decision",
            ),
        ),
    ),
    "lab02-read": Exercise(
        "What SynthOpt's structural level reads",
        "a list of column names",
        read,
        (
            Wrong("my_columns = ['attainment8']", "there are more"),
            Wrong("my_columns = list(real.columns)", "a list of codes"),
            Wrong("my_columns = []", "the list is empty"),
        ),
    ),
}

QUIZZES = {
    "lab02-low": Quiz(
        "A colleague says: 'It is low-fidelity synthetic data, so there is no risk.' What do you answer?",
        (
            Option(
                "Agreed.",
                "low fidelity is a range. Its upper end is drawn from real columns, often with their rare "
                "codes "
                "and extremes, unless somebody took them out.",
            ),
            Option(
                "Was any real row read to make it, and if so, what was done about small numbers and "
                "extremes?",
                "the risk comes from what was read and how it was coarsened, not from the name.",
                right=True,
            ),
            Option(
                "Synthetic data always need a trusted research environment.",
                "tables made from the description alone do not.",
            ),
        ),
    ),
    "lab02-control": Quiz(
        "An intruder is certain and right about one in five pupils in the data of some release, and about "
        "one in "
        "five control pupils. What does that tell you?",
        (
            Option(
                "One pupil in five is exposed by this release.",
                "pupils who were never in the data fare the same, so the release is not what exposes them.",
            ),
            Option(
                "The attack works on anyone: it has learned what is common, and this release adds nothing "
                "that "
                "this attack can see.",
                "what is learned about people outside the data is general knowledge, not a leak. Other "
                "attacks "
                "may still find one.",
                right=True,
            ),
            Option(
                "The control pupils must be in the data after all.",
                "they are not: no generator saw them. That is what a control is for.",
            ),
        ),
    ),
    "lab02-utility": Quiz(
        "Is a table on a higher rung always more useful?",
        (
            Option(
                "Yes: it is closer to the truth.",
                "for a load test, rung 6 is worse than rung 2: it may not contain every code, and it cannot "
                "leave the building.",
            ),
            Option(
                "No: usefulness depends on the purpose; fidelity is a property of the table.",
                "a purpose needs some things to be kept. Whatever else is kept serves nobody and may add "
                "risk.",
                right=True,
            ),
            Option(
                "No: all rungs are equally useful.",
                "a class cannot find a relationship in a table that has none.",
            ),
        ),
    ),
}
