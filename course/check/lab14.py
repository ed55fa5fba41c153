"""Exercises and quizzes of lab 14, Choosing a generator."""

from __future__ import annotations

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def ties(answer) -> Verdict:
    import pandas as pd

    draws = pd.DataFrame(
        {
            "generator": ["far", "touching", "best", "wide", "near", "first"],
            "low": [0.60, 0.14, 0.10, 0.02, 0.15, 0.50],
            "high": [0.70, 0.30, 0.14, 0.80, 0.16, 0.90],
        },
        index=[9, 4, 7, 1, 3, 5],
    )
    given = answer(draws.copy())
    if given is None:
        return not_attempted("let the function return a list of names, then run this cell again.")
    given, wanted = set(given), {"best", "touching", "wide"}
    if given == wanted:
        return right(
            "best, and the two whose draws reach down to its own. One of them is so wide that it ties with "
            "nearly everybody: a tie can also mean that we know little."
        )
    if given == {"best"}:
        return not_yet("you returned the best alone. Whose lowest draw is no higher than its highest?")
    if given == {"wide"}:
        return not_yet(
            "you took the lowest single draw for the best. One lucky draw is not the best: go by the middle."
        )
    if wanted < given:
        return not_yet(
            "some of yours lie wholly above the best. Compare their low with the high of the best."
        )
    if "wide" not in given:
        return not_yet("one that ties has very wide draws: its low lies under the high of the best.")
    return not_yet(
        "compare each generator's low with the high of the best; keep those that reach down to it."
    )


# What each letter asks: the data set, the needs, and what a wrong choice overlooks.
LETTERS = {
    "supplier": ("claims", {"no_record": True, "rules": True}, "no record is opened, and the rules hold"),
    "university": (
        "claims",
        {"finding": True, "outside": True},
        "the finding is there, and the people are not",
    ),
    "safe setting": (
        "admissions",
        {"linked": True},
        "there are several tables, and every key leads somewhere",
    ),
}


def departments(answer: dict, results) -> Verdict:
    from course import compare

    if all(given is None for given in answer.values()):
        return not_attempted("write a generator for each of the three, then run this cell again.")
    for letter, (dataset, needs, asked) in LETTERS.items():
        given = answer.get(letter)
        if given is None:
            return not_yet(f"there is no choice yet for the {letter}.")
        chosen = compare.choose(results[results["dataset"] == dataset], **needs).set_index("generator")
        good = list(chosen.index[chosen["qualifies"] == "yes"])
        if given == "none" and good:
            return not_yet(
                f"{letter}: something does qualify. Ask compare.choose for its needs on {dataset}."
            )
        if given != "none" and given not in chosen.index:
            return not_yet(f"{letter}: there is no generator {given!r} in the run on {dataset}.")
        if given != "none" and given not in good:
            reason = chosen.loc[given, "reasons"]
            return not_yet(f"{letter}: it asks that {asked}. Against {given} stands: {reason}.")
    return right("each meets what its letter asks, by the evidence of the run.")


ATTACKS = ("singling out", "attribute inference", "certain disclosure", "membership")


def case(answer: dict, results) -> Verdict:
    if all(given is None for given in answer.values()):
        return not_attempted("fill in the four, then run this cell again.")
    runs = results[(results["dataset"] == "pupils") & (results["shape"] == "table")].set_index("generator")
    mine, safer, worse = (answer.get(part) for part in ("generator", "safer", "worse"))
    if mine not in runs.index or runs.loc[mine, "status"] != "done":
        return not_yet(f"{mine!r} has no figures on pupils: choose one that was measured there.")
    if mine in ("cart", "copy", "control"):
        return not_yet(f"{mine} is what you defend your choice against, or no generator at all.")
    if safer not in ATTACKS:
        return not_yet(f"'safer' takes the name of an attack: {', '.join(ATTACKS)}. Likeness is not privacy.")
    if not runs.loc[mine, f"{safer}_high"] < runs.loc["cart", f"{safer}_low"]:
        return not_yet(
            f"by {safer}, the intervals of {mine} and cart overlap: the difference may be chance. Find an "
            "attack where cart's interval lies wholly above."
        )
    if worse not in ("columns", "pairs", "group"):
        return not_yet("'worse' takes a figure of likeness: columns, pairs or group.")
    if not runs.loc[mine, worse] > runs.loc["cart", worse]:
        return not_yet(f"by {worse}, {mine} does no worse than cart. Name what your choice costs.")
    if answer.get("not shown") != "other attacks":
        return not_yet(
            "'not shown': time was measured, and the attack by the nearest record would find copies. "
            "What would a cleverer intruder try?"
        )
    return right(
        f"{mine} gives less away by {safer}, beyond chance; it costs likeness by {worse}; and other attacks "
        "may find more. That is a case a data owner can weigh."
    )


EXERCISES = {
    "lab14-ties": Exercise(
        "Who ties with the best",
        "a function of a table that returns a list of names",
        ties,
        (
            Wrong(
                "def my_ties(d):\n    return [d.loc[(d.low + d.high).idxmin(), 'generator']]", "best alone"
            ),
            Wrong("def my_ties(d):\n    return [d.generator[d.low.idxmin()]]", "lucky draw"),
            Wrong("def my_ties(d):\n    return list(d.generator)", "wholly above"),
            Wrong("def my_ties(d):\n    return list(d.generator[d.high <= 0.3])", "very wide"),
        ),
    ),
    "lab14-departments": Exercise(
        "A generator for each of three departments",
        "a dict with a name for each of the three",
        departments,
        (
            Wrong(
                "my_choice = {'supplier': 'copula'} | dict.fromkeys(my_choice, 'copula')", "learns from the"
            ),
            Wrong("my_choice = dict.fromkeys(my_choice, 'structural')", "breaks rules"),
            Wrong("my_choice = dict.fromkeys(my_choice, 'cart') | {'supplier': 'valid'}", "more than chance"),
        ),
    ),
    "lab14-case": Exercise(
        "Defend a choice",
        "a dict with the four entries",
        case,
        (
            Wrong("my_case = dict.fromkeys(my_case, 'pairs') | {'generator': 'copula'}", "is not privacy"),
            Wrong("my_case = dict.fromkeys(my_case, 'pairs') | {'generator': 'copy'}", "no generator at all"),
            Wrong(
                "my_case = {'generator': 'copula', 'safer': 'singling out', 'worse': 'pairs'}",
                "cleverer intruder",
            ),
        ),
    ),
}

QUIZZES = {
    "lab14-score": Quiz(
        "A supplier's report gives its generator a score of 94 out of 100. What do you ask?",
        (
            Option(
                "How far the next one is behind.", "A gap between two sums says nothing of what was summed."
            ),
            Option(
                "Which figures went in, how weighted, over how many draws, and what real people would get.",
                "With other weights another wins; without the control nobody knows what is possible.",
                right=True,
            ),
            Option(
                "Whether a newer version scores higher.", "A higher sum may be more likeness, less privacy."
            ),
        ),
    ),
    "lab14-limit": Quiz(
        "A neural generator did not finish within the limit of this run. What follows?",
        (
            Option(
                "It is a bad generator.",
                "The run does not show that: with more time it may do well. It shows what it costs.",
            ),
            Option(
                "It should be left out of the table.",
                "Then readers would not know that it was tried, and would think it was forgotten.",
            ),
            Option(
                "It needs more time than the others had, and any later figure for it must say how much.",
                "A result with more time is a fair result only when the time stands beside it.",
                right=True,
            ),
        ),
    ),
    "lab14-nothing": Quiz(
        "No attack of the run finds more about people in the data than about others. May the table go out?",
        (
            Option(
                "Yes: it was attacked, and it held.", "Four attacks held off are not all attacks held off."
            ),
            Option(
                "It may be considered, with its holders, its purpose and what nobody has tried written down.",
                "Evidence from attacks is one part of a decision that weighs purpose, people and setting.",
                right=True,
            ),
            Option(
                "No synthetic table may ever go out.",
                "Some can: made from a description, they open no record.",
            ),
        ),
    ),
}
