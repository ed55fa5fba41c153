"""Exercises and quizzes of lab 20, The trade-off."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right

_COUNTS = {
    # second is beaten by nobody, third by second, and equal rows do not beat each other.
    "error": [1.0, 2.0, 3.0, 1.0, 0.5],
    "risk": [0.3, 0.1, 0.2, 0.3, 0.9],
    "distance": [0.2, 0.2, 0.2, 0.2, 0.1],
}
_NAMES = ["first", "second", "third", "fourth", "fifth"]


def _no_worse(table, name, other):
    return bool((table.loc[other] <= table.loc[name]).all())


def beaten(answer) -> Verdict:
    import pandas as pd

    table = pd.DataFrame(_COUNTS, index=_NAMES)
    given = answer(table.copy())
    if given is None:
        return not_attempted("let the function return a list of names, then run this cell again.")
    if isinstance(given, str) or not set(given) <= set(_NAMES):
        return not_yet("the function must return a list of names, such as ['third'].")
    given = set(given)
    if given == {"third"}:
        return right(
            "the third is no better than the second in anything. Two equal settings do not beat each "
            "other, and the fifth, which is worst in risk, is best in something."
        )
    if given == set(_NAMES):
        return not_yet(
            "all of them are struck out: every setting is no worse than itself. To beat, it must also be "
            "better on at least one count."
        )
    if {"first", "fourth"} <= given:
        return not_yet(
            "the first and the fourth are equal on every count, and you let each beat the other. To beat, a "
            "setting must be better on at least one count."
        )
    if not given:
        return not_yet(
            "nobody is struck out, but the second is better than the third on two counts and equal on the "
            "other. It need not be better on all of them."
        )
    if "fifth" in given:
        return not_yet(
            "the fifth is worst in risk, but nobody is as good in error. To beat a setting, one must be "
            "no worse on every count."
        )
    return not_yet(
        f"{', '.join(sorted(given))} should be third alone. Compare each row with every other: no worse on "
        "every count, and better on at least one."
    )


def limits(answer, board, limit: dict) -> Verdict:
    given = {answer} if isinstance(answer, str) else set(answer)
    unknown = sorted(given - set(board.index), key=str)
    if unknown:
        return not_yet(f"{unknown[0]!r} is not a setting of the board; they are {', '.join(board.index)}.")
    ends = given & set(board.index[board["family"] == "ends"])
    if ends:
        return not_yet(
            f"{sorted(ends)[0]!r} is no generator. Real pupils, fresh or copied, are there to read the "
            "others by, and not to be released."
        )
    made = board[board["family"] != "ends"]
    others = [measure for measure in limit if measure != "risk"]

    def passing(risk, suffix):
        keeps = made[risk] <= limit["risk"]
        for measure in others:
            keeps &= made[measure + suffix] <= limit[measure]
        return set(made.index[keeps])

    wanted = passing("highest", "_high")
    if given == wanted:
        return right(
            f"{', '.join(sorted(wanted))}: by the upper ends, for all attacks. Others may be as good, but "
            "nobody has shown it."
        )
    if given == passing("risk", ""):
        return not_yet(
            "you took the middle of the intervals, and one attack. The limit is for the upper end, and "
            "`highest` is the worst of all four attacks."
        )
    if given == passing("risk_high", "_high"):
        return not_yet(
            "you looked at one attack. The others may do better: `highest` is the upper end of the worst."
        )
    if given == passing("highest", ""):
        return not_yet(
            "the risk is right. The distances have intervals too: take their upper ends, such as `gap_high`."
        )
    if given == set(made.index[made["highest"] <= limit["risk"]]):
        return not_yet(
            "those keep the limit on risk. They must also be good enough for the course: look at the "
            f"limits on {' and '.join(others)}."
        )
    extra = sorted(given - wanted)
    if not extra:
        return not_yet(f"more settings pass than your {len(given)}: go through the board row by row.")
    row = made.loc[extra[0]]
    broken = [m for m in others if row[f"{m}_high"] > limit[m]]
    broken = ["risk"] * bool(row["highest"] > limit["risk"]) + broken
    return not_yet(f"{extra[0]!r} breaks the limit on {' and on '.join(broken)}, by the end of its interval.")


_FAULTS = {
    "B": "how near must a number be to count as a match, with a tolerance of one times its value?",
    "C": "what does `.risk()` return besides `.value`?",
    "D": "look for the loop's variable inside the call.",
    "F": "what does a verbatim copy get for detection, and what is averaged with what?",
    "H": "by how much does epsilon change, and in how many decimals would a change show?",
    "I": "how often is the real table used, and who adds up the epsilons?",
}
_SOUND = {
    "A": "it attacks people who were not in the data as well. That is what a control is for.",
    "E": "it learns from synthetic rows and is tested on real people whom nobody has learned from.",
    "G": "a risk of one is the worst, and the optimiser wants large scores. So it has to be turned round.",
}


def errors(answer) -> Verdict:
    given = {str(letter).strip().upper() for letter in answer}
    known = {**_FAULTS, **_SOUND}
    unknown = sorted(given - set(known))
    if not given or unknown:
        return not_yet("give a list of letters from A to I, such as ['A', 'B'].")
    sound = sorted(given & set(_SOUND))
    if sound:
        return not_yet(f"{sound[0]} is sound: {_SOUND[sound[0]]}")
    missed = sorted(set(_FAULTS) - given)
    if missed:
        left = "one more" if len(missed) == 1 else f"{len(missed)} more"
        return not_yet(
            f"all of yours are errors, and there is {left}. Read {missed[0]}: {_FAULTS[missed[0]]}"
        )
    return right("six errors, and three pieces that are sound. Each has its proof below.")


EXERCISES = {
    "lab20-beaten": Exercise(
        "Strike out the beaten",
        "a function of a table that returns a list of names",
        beaten,
        (
            Wrong(
                "def my_beaten(t):\n    return [n for n, r in t.iterrows() if (t <= r).all(axis=1).any()]",
                "no worse than itself",
            ),
            Wrong(
                "def my_beaten(t):\n    return [n for n, r in t.iterrows() if "
                "(t.drop(n) <= r).all(axis=1).any()]",
                "each beat the other",
            ),
            Wrong(
                "def my_beaten(t):\n    return [n for n, r in t.iterrows() if (t < r).all(axis=1).any()]",
                "need not be better on all",
            ),
            Wrong(
                "def my_beaten(t):\n    return list(t.index[t['risk'] == t['risk'].max()])",
                "nobody is as good in error",
            ),
            Wrong("def my_beaten(t):\n    return 'third'", "must return a list"),
        ),
    ),
    "lab20-limits": Exercise(
        "A third letter",
        "a list of names of settings",
        limits,
        (
            Wrong(
                "my_settings = [s for s in made_by if board.loc[s, 'risk'] <= 0.2 and "
                "board.loc[s, 'gap'] <= 5 and board.loc[s, 'pairs'] <= 0.07]",
                "middle of the intervals",
            ),
            Wrong(
                "my_settings = [s for s in made_by if board.loc[s, 'risk_high'] <= 0.2 and "
                "board.loc[s, 'gap_high'] <= 5 and board.loc[s, 'pairs_high'] <= 0.07]",
                "you looked at one attack",
            ),
            Wrong(
                "my_settings = [s for s in made_by if board.loc[s, 'highest'] <= 0.2]",
                "good enough for the course",
            ),
            Wrong("my_settings = ['fresh real pupils']", "is no generator"),
            Wrong("my_settings = ['cart, leaf 1']", "breaks the limit on risk"),
        ),
    ),
    "lab20-errors": Exercise(
        "Find the errors",
        "a list of letters from A to I",
        errors,
        (
            Wrong("my_errors = list('ABCDFHI')", "A is sound"),
            Wrong("my_errors = list('BCDEFHI')", "E is sound"),
            Wrong("my_errors = list('BCDFGHI')", "G is sound"),
            Wrong("my_errors = ['B', 'D']", "4 more"),
            Wrong("my_errors = list('BCDFI')", "one more"),
        ),
    ),
}

QUIZZES = {
    "lab20-left": Quiz(
        "On the chart, a setting lies clearly to the left of the fresh real pupils. What does it mean?",
        (
            Option(
                "It is better than real data.",
                "no table is better than real people at being real people. Something else brought it there.",
            ),
            Option(
                "It has come closer to these very pupils than other real pupils are: look at the risk.",
                "what goes beyond fresh people is the training part itself. A little may be luck; much is "
                "copying.",
                right=True,
            ),
            Option(
                "It is safe, because it is far from the fresh pupils.",
                "the distance is to the real table, which is nearer. The copy is furthest to the left.",
            ),
        ),
    ),
    "lab20-score": Quiz(
        "A supplier ranks a hundred settings by one score of privacy and utility, and offers you the best.",
        (
            Option(
                "Fine: a hundred is a thorough search.",
                "the best of a hundred noisy scores is partly luck, and the more there are, the more luck.",
            ),
            Option(
                "Ask for the score with more decimals.",
                "decimals do not tell what was added up, with which weights, nor how much was luck.",
            ),
            Option(
                "Ask which of them keep the limits that you had set, measured afresh, one by one.",
                "limits do not add up, and fresh seeds take away the luck of having been picked.",
                right=True,
            ),
        ),
    ),
    "lab20-epsilon": Quiz(
        "May epsilon be tuned until the synthetic table is accurate enough?",
        (
            Option(
                "Yes, if the epsilon that is found goes on the label.",
                "all the others were spent as well, and the exact comparisons are covered by none of them.",
            ),
            Option(
                "Only on data that is public or made up, or with every trial and comparison paid for.",
                "then no real person's data is asked without being counted.",
                right=True,
            ),
            Option(
                "Yes: more trials make the promise stronger.",
                "every trial is one more question to the same people, so it makes the promise weaker.",
            ),
        ),
    ),
}
