"""Exercises and quizzes of lab 24, Does it help?"""

from __future__ import annotations

import io
from numbers import Real

from . import Exercise, Option, Quiz, Verdict, Wrong, not_attempted, not_yet, right


def _as_read(table):
    """A table as pandas reads it from a CSV file, where nobody says what the columns are."""
    import pandas as pd

    return pd.read_csv(io.StringIO(table.to_csv(index=False, date_format="%Y-%m-%d")))


def survive(answer, desk) -> Verdict:
    import pandas as pd

    from course import data

    if not callable(answer):
        return not_yet(f"give a function of a table of claims; this is a {type(answer).__name__}.")
    tried = answer(pd.read_csv(desk / "claims.csv"))
    if tried is None or tried is ...:
        return not_attempted("write the function, then run this cell again.")
    claims = _as_read(data.load("claims").training["claims"])
    try:
        given = answer(claims.copy())
    except Exception as error:
        return not_yet(
            f"it runs at your desk, and the room says: {type(error).__name__}. The room says no more than "
            "that. What does the dictionary allow that your table does not have?"
        )
    if isinstance(given, pd.Timedelta):
        return not_yet("it gives a length of time, and a number of days is wanted: look for .dt.days.")
    if not isinstance(given, Real) or pd.isna(given):
        return not_yet(f"it gives {given!r} in the room, and one number is wanted.")
    start, end = (pd.to_datetime(claims[column]) for column in ("claim_start", "claim_end"))
    uc, closed = claims["benefit"] == "UC", claims["status"] == "TERM"
    days = (end - start).dt.days

    def is_(value) -> bool:
        return abs(given - value) < 0.5

    if is_(days[uc & closed].mean()):
        return right(
            f"it gives {given:.0f} days in the room, and one trip was enough. Your table had no such claim "
            "at all: the dictionary told you what it did not."
        )
    if given < 0:
        return not_yet("the days are below nought: which of the two dates comes first?")
    if is_(days[closed].mean()):
        return not_yet("it counts the claims of every benefit. Which ones were asked for?")
    filled = [(end.fillna(day) - start).dt.days for day in (end.max(), pd.Timestamp("2025-03-31"))]
    if any(is_(each[rows].mean()) for each in filled for rows in (uc, uc & ~closed)):
        return not_yet("open claims are counted as if they had ended. They have not: leave them out.")
    if is_(days[uc & closed].median()):
        return not_yet("it gives the middle value (the median); the mean was asked for.")
    return not_yet(f"it gives {given:.1f} in the room. Which rows does it take: the closed ones of UC only?")


def lowest(answer: dict, found) -> Verdict:
    """`found`: share of tables on which each defect was found, defects by levels, the lowest level first."""
    if not isinstance(answer, dict):
        return not_yet("give a dictionary: the name of each defect, and a level.")
    if answer and all(level is None for level in answer.values()):
        return not_attempted("give each defect a level, then run this cell again.")
    levels = [*found.columns]
    for defect, why in _LOWEST.items():
        given = answer.get(defect)
        if given not in (*levels, "none"):
            return not_yet(f"“{defect}” needs one of: {', '.join(levels)}, none.")
        finds = [level for level in levels if found.loc[defect, level] >= 0.5]
        first = finds[0] if finds else "none"
        place = [*levels, "none"]
        if place.index(given) < place.index(first):
            return not_yet(
                f"“{defect}”: on {given} it was found on {found.loc[defect, given]:.0%} of the tables. {why}"
            )
        if place.index(given) > place.index(first):
            return not_yet(f"“{defect}”: a lower level than your {given} finds it already. {why}")
    return right(
        "you can say what a level finds without running it: ask what the mistake hangs on, and whether the "
        "level keeps that."
    )


_LOWEST = {
    "dates read as in print": "What must a table have, so that a date in another format is noticed?",
    "99 forgotten": "It shows where the code 99 occurs. At which level do real codes begin?",
    "every ethnic group in the model": "It hurts where a group is rare. Which level first has rare ones?",
    "columns as text": "Before that line, every pupil must have one row for each year, or the right script "
    "stops as well. Which level knows whose rows belong together?",
    "blank stays are nought": "It raises no error anywhere. What could a table do about it?",
}


def seller(answer, found) -> Verdict:
    if isinstance(answer, str) or not isinstance(answer, list | tuple | set):
        return not_yet(f"give a list of names of defects; this is a {type(answer).__name__}.")
    if not len(answer):
        return not_attempted("put names of defects in the list, then run this cell again.")
    chosen = [*dict.fromkeys(answer)]
    unknown = [name for name in chosen if name not in found.index]
    if unknown:
        return not_yet(f"{unknown[0]!r} is not the name of a defect here.")
    if len(chosen) < 10:
        return not_yet(f"ten different defects are the least for a study; these are {len(chosen)}.")
    trees, described = (found.loc[chosen, level].mean() for level in ("cart", "valid"))
    if trees - described < 0.2:
        all_lead = found["cart"].mean() - found["valid"].mean()
        return not_yet(
            f"with these, cart finds {trees:.0%} and valid {described:.0%}. With all of ours the lead is "
            f"{100 * all_lead:.0f} points. You need 20: which defects does cart find and valid not?"
        )
    return right(
        f"with your {len(chosen)} defects, cart finds {trees:.0%} and valid {described:.0%}. Each defect is "
        "honest, each figure is true, and the study is worthless. Ask of every study who chose the cases."
    )


_CASES = ("before any approval", "registered trainees", "inside the room")


def level(answer: dict, choices) -> Verdict:
    """`choices`: a row for each level, with opens_rows, found, excess and low (singling out)."""
    if not isinstance(answer, dict):
        return not_yet("give a dictionary: the name of each case, and a level.")
    if answer and all(given is None for given in answer.values()):
        return not_attempted("give each case a level, then run this cell again.")
    allowed = {
        _CASES[0]: choices[~choices["opens_rows"]],
        _CASES[1]: choices[choices["low"] <= 0],
        _CASES[2]: choices,
    }
    why = {
        _CASES[0]: "it opens real rows to make its table, and here no row may be opened.",
        _CASES[1]: "the excess of singling out over the control lies clearly above zero.",
    }
    for case in _CASES:
        given = answer.get(case)
        if given not in choices.index:
            return not_yet(f"“{case}” needs one of: {', '.join(choices.index)}.")
        if given not in allowed[case].index:
            return not_yet(f"“{case}”: {given} is ruled out: {why[case]}")
        best = allowed[case]["found"].idxmax()
        if given != best:
            return not_yet(
                f"“{case}”: {given} is allowed and finds {choices.loc[given, 'found']:.0%} of the defects. "
                "Another that is allowed finds more."
            )
    return right(
        "the limits came first, the benefit second. Where two levels are as near as some of these, take "
        "the one that is simpler to explain: a ranking by a point or two is no finding."
    )


EXERCISES = {
    "lab24-survive": Exercise(
        title="A function that survives the real table",
        expects="a function of a table of claims that returns a number of days",
        judge=survive,
        wrong=(
            Wrong(
                "def my_days(claims):\n"
                "    dates = claims[['claim_start', 'claim_end']].apply(pd.to_datetime)\n"
                "    days = (dates['claim_end'] - dates['claim_start']).dt.days\n"
                "    days = days.astype(int)\n"
                "    return days[(claims['benefit'] == 'UC') & (claims['status'] == 'TERM')].mean()",
                "the room says",
            ),
            Wrong(
                "def my_days(claims):\n"
                "    dates = claims[['claim_start', 'claim_end']].apply(pd.to_datetime)\n"
                "    days = (dates['claim_end'] - dates['claim_start']).dt.days\n"
                "    return days[claims['status'] == 'TERM'].mean()",
                "every benefit",
            ),
            Wrong(
                "def my_days(claims):\n"
                "    dates = claims[['claim_start', 'claim_end']].apply(pd.to_datetime)\n"
                "    days = (dates['claim_start'] - dates['claim_end']).dt.days\n"
                "    return days[(claims['benefit'] == 'UC') & (claims['status'] == 'TERM')].mean()",
                "below nought",
            ),
            Wrong(
                "def my_days(claims):\n"
                "    dates = claims[['claim_start', 'claim_end']].apply(pd.to_datetime)\n"
                "    ends = dates['claim_end'].fillna(pd.Timestamp('2025-03-31'))\n"
                "    days = (ends - dates['claim_start']).dt.days\n"
                "    return days[claims['benefit'] == 'UC'].mean()",
                "as if they had ended",
            ),
            Wrong(
                "def my_days(claims):\n"
                "    dates = claims[['claim_start', 'claim_end']].apply(pd.to_datetime)\n"
                "    lasted = dates['claim_end'] - dates['claim_start']\n"
                "    return lasted[(claims['benefit'] == 'UC') & (claims['status'] == 'TERM')].mean()",
                ".dt.days",
            ),
            Wrong("my_days = 924", "give a function"),
        ),
    ),
    "lab24-lowest": Exercise(
        title="The lowest level that finds a mistake",
        expects="a dictionary of defects and levels",
        judge=lowest,
        wrong=(
            Wrong(
                "my_levels = dict.fromkeys(my_levels, 'structural')",
                "at which level do real codes begin",
            ),
            Wrong(
                "my_levels = dict.fromkeys(my_levels, 'cart')",
                "a lower level than your cart",
            ),
            Wrong(
                "my_levels = dict(zip(my_levels, ['structural', 'codes', 'marginal', 'cart', 'none']))",
                "whose rows belong together",
            ),
            Wrong(
                "my_levels = dict(zip(my_levels, 'structural codes marginal parent-child ipf'.split()))",
                "no error anywhere",
            ),
            Wrong("my_levels = dict.fromkeys(my_levels, 'high')", "needs one of"),
        ),
    ),
    "lab24-seller": Exercise(
        title="Make the study say something else",
        expects="a list of at least ten names of defects",
        judge=seller,
        wrong=(
            Wrong("my_defects = list(finds.index)", "with all of ours"),
            Wrong("my_defects = list(finds.index[:9])", "these are 9"),
            Wrong("my_defects = ['cart'] * 10", "not the name of a defect"),
            Wrong("my_defects = 'cart'", "give a list"),
        ),
    ),
    "lab24-level": Exercise(
        title="Which level to hand out",
        expects="a dictionary of cases and levels",
        judge=level,
        wrong=(
            Wrong("my_choice = dict.fromkeys(my_choice, 'cart')", "no row may be opened"),
            Wrong("my_choice = dict.fromkeys(my_choice, 'structural')", "another that is allowed finds more"),
            Wrong(
                "my_choice = dict(zip(my_choice, ['valid', 'parent-child', 'parent-child']))",
                "clearly above zero",
            ),
            Wrong("my_choice = dict.fromkeys(my_choice, 'best')", "needs one of"),
        ),
    ),
}

QUIZZES = {
    "lab24-months": Quiz(
        "A public cancer table was used in 18 projects. They took 2.3 months on average, from the start of "
        "the code to the release. How much time did the table save?",
        (
            Option(
                "It cannot be said: no project without the table was timed beside them.",
                "Without a comparison there is a time taken, and no time saved.",
                right=True,
            ),
            Option(
                "The usual wait less 2.3 months.",
                "The usual wait is of other projects, and its clock starts somewhere else.",
            ),
            Option(
                "2.3 months.",
                "That is how long the projects took, and not how much shorter they became.",
            ),
        ),
    ),
    "lab24-silent": Quiz(
        "A draft runs without a word on the best synthetic table. What do you know?",
        (
            Option(
                "It will give the right result on the real table.",
                "Some mistakes give no error on any table, and not on tables of other real people either.",
            ),
            Option(
                "It runs. A mistake that raises no error and that no check asks about may still be in it.",
                "A table shows only what the script asks of it. Write down what must be true, and let the "
                "script check it.",
                right=True,
            ),
            Option(
                "Nothing at all, since the people are made up.",
                "You know that it reads, joins and fits such a table: many first drafts do not.",
            ),
        ),
    ),
    "lab24-alarm": Quiz(
        "Your right script stops on the table that you were given, at a check that a person's stays do not "
        "overlap. What do you do?",
        (
            Option(
                "Take the check out of the script for good.",
                "Then the real table is not checked either, where it matters.",
            ),
            Option(
                "Change the script until it runs.",
                "A right script made wrong to suit a poor table is the cost of a false alarm.",
            ),
            Option(
                "Ask what the level keeps, pass over the check at the desk only, and keep it for the room.",
                "The level may not keep whose rows belong together. The check is still right.",
                right=True,
            ),
        ),
    ),
}
